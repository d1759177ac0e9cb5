"""While a camera change goes first nothing is read, and nobody waits for ever."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.loading import PRECEDENCE, ChunkCache, ChunkManager, precedence
from brickfield.loading.precedence import Precedence
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """Waits that would end by themselves would hide that nobody ended them."""
    monkeypatch.setattr(precedence, "MOST_S", 60.0)


def test_a_thread_gives_way_until_the_last_that_goes_first_has_ended():
    order = Precedence()
    passed = threading.Event()
    waiting = threading.Event()

    def reader():
        waiting.set()
        order.give_way()
        passed.set()

    with order.taken():
        with order.taken():
            thread = threading.Thread(target=reader)
            thread.start()
            assert waiting.wait(60)
        assert not passed.is_set()
    thread.join(60)
    assert passed.is_set()


def test_nobody_waits_where_nobody_goes_first():
    order = Precedence()
    order.give_way()
    with order.taken():
        # Not for oneself either.
        order.give_way()
    order.give_way()


def test_an_error_of_who_goes_first_lets_the_others_go_on():
    order = Precedence()
    with pytest.raises(ValueError, match="a plan failed"), order.taken():
        raise ValueError("a plan failed")
    thread = threading.Thread(target=order.give_way)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


def test_no_wait_is_longer_than_its_limit(monkeypatch):
    monkeypatch.setattr(precedence, "MOST_S", 0.001)
    order = Precedence()
    with order.taken():
        thread = threading.Thread(target=order.give_way)
        thread.start()
        thread.join(60)
        assert not thread.is_alive()


def test_nothing_is_read_while_a_camera_change_goes_first():
    source = MemorySource([np.ones((8, 8, 8), np.uint8)], (4, 4, 4), chunk=(4, 4, 4))
    manager = ChunkManager(source, cache=ChunkCache(1 << 20))
    try:
        with PRECEDENCE.taken():
            manager.request_chunks(ask(all_keys(source)), "a")
            assert not manager.wait("a", 0.05)
            assert not source.reads
        assert manager.wait("a", 60)
        assert len(manager.take_ready("a")) == 8
    finally:
        manager.close()
