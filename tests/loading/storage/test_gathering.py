"""Reading waits until those who need the same storage chunks have come together."""

from __future__ import annotations

import threading
from time import sleep

import pytest

from brickfield.store import contrast
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, numbers


@pytest.fixture
def source():
    return MemorySource([numbers((128, 128, 128), "u1")], (64, 64, 64))


def test_nothing_is_read_before_a_request_that_begins(manage, source):
    manager = manage(source)
    manager.gathering.begin(60)
    manager.request_chunks(ask(all_keys(source), visual_id="a"), "a", begins=False)
    assert not manager.wait("a", 0.05)
    manager.release("nobody")
    assert not source.reads
    manager.request_chunks(ask(all_keys(source), visual_id="b"), "b")
    assert manager.wait("a", 10)
    assert manager.wait("b", 10)
    assert set(source.reads.values()) == {1}
    assert not manager.gathering.is_on


def test_it_ends_by_the_clock_where_nobody_comes(manage, source):
    manager = manage(source)
    manager.gathering.begin(0.02)
    manager.request_chunks(ask(all_keys(source), visual_id="a"), "a", begins=False)
    assert manager.wait("a", 10)
    assert manager.gathering.held_s >= 0.02


def test_a_look_at_contrast_begins_no_read_and_does_not_count_the_time(
    manage, source, monkeypatch
):
    """The store is not slow for what was put off."""
    monkeypatch.setattr(contrast, "PATIENCE_S", 0.2)
    manager = manage(source)
    manager.gathering.begin(60)
    found = []
    look = contrast.WholeLevel(manager, 0, ())
    thread = threading.Thread(target=lambda: found.append(look.values(0.0)))
    thread.start()
    sleep(0.5)
    assert thread.is_alive()
    assert not source.reads
    manager.gathering.end()
    thread.join(10)
    assert len(found[0]) == 128**3


def test_a_closed_image_leaves_no_clock(manage, source):
    manager = manage(source)
    manager.gathering.begin(60)
    manager.close()
    assert not manager.gathering.is_on
    manager.gathering.end()
    assert not source.reads
