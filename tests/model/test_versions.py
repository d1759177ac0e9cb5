"""Versions only grow, and each reader keeps its own memory."""

from __future__ import annotations

from brickfield.model.versions import LastSeen, VersionCounter


def test_a_counter_starts_at_zero_and_grows_by_one():
    counter = VersionCounter()
    assert counter.value == 0
    assert [counter.bump(), counter.bump()] == [1, 2]
    assert counter.value == 2


def test_the_first_version_is_new_to_every_reader():
    assert LastSeen().update(VersionCounter().value)


def test_a_reader_sees_each_change_once():
    counter, reader = VersionCounter(), LastSeen()
    reader.update(counter.value)
    assert not reader.update(counter.value)
    counter.bump()
    counter.bump()
    assert reader.update(counter.value)
    assert not reader.update(counter.value)


def test_one_reader_hides_nothing_from_another():
    counter, first, second = VersionCounter(), LastSeen(), LastSeen()
    counter.bump()
    assert first.update(counter.value)
    assert second.update(counter.value)
