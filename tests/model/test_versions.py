"""Versions only grow."""

from __future__ import annotations

from brickfield.model import VersionCounter


def test_a_counter_starts_at_zero_and_grows_by_one():
    counter = VersionCounter()
    assert counter.value == 0
    assert [counter.bump(), counter.bump()] == [1, 2]
    assert counter.value == 2
