"""A chunk that does not fit is refused before it is read."""

import pytest

from brickfield.errors import ChunkReadError
from brickfield.sources.limits.admission import admit, most_stored, read_bytes, within

MIB = 1 << 20


def test_reading_takes_two_decoded_copies_and_what_is_stored():
    assert read_bytes(100, 30) == 230


def test_a_chunk_larger_than_memory_is_refused():
    """2,000,000 x 4096 x 4096 of two bytes are 62500 GiB."""
    expected = r"2000000x4096x4096 voxels, 61.04 TiB decoded"
    with pytest.raises(ChunkReadError, match=expected) as caught:
        admit((2_000_000, 4096, 4096), 2, key="0.0.0")
    assert caught.value.key == "0.0.0"
    assert "smaller chunks" in caught.value.reason
    assert not caught.value.is_transient


def test_the_memory_that_is_left_decides(monkeypatch):
    monkeypatch.setattr(
        "brickfield.sources.limits.admission.usable_bytes", lambda: 80 * MIB
    )
    admit((40 * MIB,), 1, key="")
    with pytest.raises(ChunkReadError, match="80 MiB of memory may be taken"):
        admit((40 * MIB + 1,), 1, key="")


def test_a_chunk_beyond_the_budget_is_refused_with_the_budget_it_needs():
    with within(256 * MIB):
        admit((128 * MIB,), 1, key="")
        with pytest.raises(ChunkReadError, match="RAM budget of at least 400 MiB"):
            admit((200 * MIB,), 1, key="")


def test_a_small_budget_still_allows_chunks_of_some_size():
    """64 MiB are twice in memory: 128 MiB."""
    with within(1):
        admit((64 * MIB,), 1, key="")


def test_the_allowance_ends_with_the_block():
    with within(1), within(None):
        admit((65 * MIB,), 1, key="")
    admit((65 * MIB,), 1, key="")


def test_stored_bytes_count_too():
    with within(128 * MIB), pytest.raises(ChunkReadError, match="RAM budget"):
        admit((60 * MIB,), 1, 10 * MIB, key="")


def test_a_chunk_is_not_stored_in_many_times_its_size():
    most = most_stored(1000)
    admit((1000,), 1, most, key="")
    with pytest.raises(ChunkReadError, match="damaged or no chunk"):
        admit((1000,), 1, most + 1, key="")


def test_filters_may_widen_voxels():
    admit((4 * MIB,), 1, 20 * MIB, key="", widening=8)
