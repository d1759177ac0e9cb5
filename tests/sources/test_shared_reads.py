"""Storage chunks that two levels need, read by both."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from brickfield.errors import ChunkReadError
from brickfield.sources.protocol import StorageChunk
from brickfield.sources.shared_reads import SharedReads

INDEX = (0, 1, 2)


class Keep:
    """Keeps what it is given, as long as it may."""

    def __init__(self):
        self.chunks = {}
        self.awaited, self.served, self.passed = set(), set(), []

    def keep(self, index, chunk):
        self.chunks[index] = StorageChunk(chunk.data, 0)

    def find(self, index):
        return self.chunks.get(index)

    def drop(self, index):
        self.chunks.pop(index, None)

    def is_awaited(self, index):
        return index in self.awaited

    def pass_on(self, index, chunk):
        self.passed.append(index)
        return index in self.served


class Source:
    """Counts its reads; each waits until it may end, and may fail."""

    def __init__(self):
        self.n_reads = 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.is_reading = threading.Event()
        self.fails = False

    def read_storage_chunk(self, level, index):
        self.n_reads += 1
        self.is_reading.set()
        assert self.may_end.wait(10)
        if self.fails:
            raise ChunkReadError("expected a chunk; found none", key="0/1/2")
        return StorageChunk(np.arange(8), 5)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def reads(source):
    made = SharedReads(source, 0)
    made.cache = Keep()
    return made


def test_what_was_kept_is_not_read_again(source, reads):
    """And its cost is told once."""
    _, parts = reads.read_and_keep(INDEX)
    taken = reads.read_last(INDEX)
    assert source.n_reads == 1
    assert [(p.index, p.stored_bytes) for p in parts] == [(INDEX, 5)]
    assert taken.stored_bytes == 0
    assert taken.parts == ()
    assert np.array_equal(taken.data, np.arange(8))


def test_what_was_read_for_the_last_time_is_kept_no_longer(source, reads):
    reads.read_and_keep(INDEX)
    reads.read_last(INDEX)
    again = reads.read_last(INDEX)
    assert source.n_reads == 2
    assert again.stored_bytes == 5
    assert again.parts is None


def test_what_all_have_who_wait_for_it_is_not_kept(source, reads):
    reads.cache.served.add(INDEX)
    reads.read_and_keep(INDEX)
    assert reads.cache.passed == [INDEX]
    assert not reads.cache.chunks


def test_what_a_sample_will_need_stays_when_it_was_read_for_its_level(source, reads):
    reads.cache.awaited.add(INDEX)
    reads.read_last(INDEX)
    assert reads.read_and_keep(INDEX)[1] == []
    assert source.n_reads == 1


def test_what_is_kept_is_handed_on_when_it_is_sampled_again(source, reads):
    reads.read_and_keep(INDEX)
    reads.cache.served.add(INDEX)
    reads.read_and_keep(INDEX)
    assert reads.cache.passed == [INDEX, INDEX]
    assert not reads.cache.chunks


def test_two_who_need_it_at_once_send_one_read(source, reads):
    source.may_end.clear()
    found = []
    first = threading.Thread(target=lambda: found.append(reads.read_and_keep(INDEX)[0]))
    second = threading.Thread(target=lambda: found.append(reads.read_last(INDEX)))
    first.start()
    assert source.is_reading.wait(10)
    second.start()
    source.may_end.set()
    first.join(10)
    second.join(10)
    assert len(found) == 2
    assert source.n_reads == 1


def test_a_read_that_failed_is_sent_again_for_the_next(source, reads):
    source.fails = True
    with pytest.raises(ChunkReadError):
        reads.read_last(INDEX)
    source.fails = False
    assert reads.read_last(INDEX).stored_bytes == 5


def test_a_cost_that_could_not_be_told_is_told_with_the_next_result(reads):
    _, parts = reads.read_and_keep(INDEX)
    reads.add_unreported(parts)
    taken = reads.read_last(INDEX)
    assert taken.stored_bytes == 5
    assert reads.read_last(INDEX).stored_bytes == 5
