"""Each storage chunk is decoded once, whatever the alignment, budget and faults."""

import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import ChunkReadError
from brickfield.loading.cache.chunk_cache import ENTRY_BYTES
from brickfield.loading.io_counts import IoCounters
from brickfield.loading.manager import ChunkManager
from brickfield.loading.retry import RetryRules
from brickfield.model import unpack_keys
from brickfield.model.requests import ChunkState
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, numbers, take_all, voxels_of

SHORT = RetryRules((0.001, 0.001, 0.001))


def ratio(manager, source, wants):
    needed = manager.needed_bytes(wants, wants, since=IoCounters())
    return manager.counters.bytes_read / sum(needed)


@pytest.mark.parametrize(
    "storage",
    [(32, 32, 32), (64, 64, 64), (128, 128, 128), (256, 256, 256), (1, 192, 192)],
)
def test_each_storage_chunk_is_decoded_once(manage, storage):
    """E1 and E2, as counts: 192^3 voxels in chunks of 64^3."""
    source = MemorySource([numbers((192, 192, 192))], storage)
    manager = manage(source)
    keys = all_keys(source)
    manager.request_chunks(ask(keys), "a")
    for chunk in take_all(manager):
        assert np.array_equal(chunk.data, voxels_of(source, chunk.key))
    assert set(source.reads.values()) == {1}
    counters = manager.counters
    assert counters.rereads == 0
    assert counters.decoded_chunks == counters.requests == len(source.reads)
    assert ratio(manager, source, [((), keys)]) == 1
    manager.request_chunks(ask([]), "a")
    manager.request_chunks(ask(keys), "a")
    assert len(take_all(manager)) == len(keys)
    assert manager.counters == counters


def test_a_part_of_the_volume_reads_no_more_than_lies_under_it(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)[:3]
    manager.request_chunks(ask(keys), "a")
    take_all(manager)
    assert len(volume.reads) == 24
    assert len(manager.needed_storage_chunks(0, keys, ())) == 24
    assert ratio(manager, volume, [((), keys)]) == 1


def test_channels_in_one_storage_chunk_are_decoded_together(manage):
    source = MemorySource(
        [numbers((4, 32, 32, 32), np.uint32)],
        (4, 16, 16, 16),
        axes="czyx",
        chunk=(16, 16, 16),
    )
    manager = manage(source)
    keys = all_keys(source)
    manager.request_chunks([ask(keys, (c,)) for c in range(4)], "a")
    for chunk in take_all(manager):
        expected = voxels_of(source, chunk.key, chunk.selection)
        assert np.array_equal(chunk.data, expected)
    assert set(source.reads.values()) == {1}
    assert len(source.reads) == 8


def test_a_chunk_that_is_wanted_late_joins_a_read_in_flight(manage):
    source = MemorySource([numbers((16, 16, 16))], (16, 16, 16), chunk=(8, 8, 8))
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(keys[:1]), "a")
    assert source.wait_until_reading(1)
    manager.request_chunks(ask(keys), "b")
    source.gate.set()
    assert len(take_all(manager, "b")) == 8
    assert sum(source.reads.values()) == 1


@st.composite
def cases(draw):
    axes = draw(st.sampled_from(["zyx", "xyz", "cxyz", "yx", "tcyx", "zcyx"]))
    shape = tuple(draw(st.integers(1, 12 if a in "zyx" else 3)) for a in axes)
    storage = tuple(draw(st.integers(1, 9 if a in "zyx" else 3)) for a in axes)
    chunk = tuple(draw(st.integers(2, 9)) for _ in range(3))
    budget = draw(st.sampled_from([1, 3000, 20_000, 1 << 24]))
    faulty = draw(st.sampled_from([0, 3, 7]))
    return axes, shape, storage, chunk, budget, faulty


@settings(max_examples=40)
@given(cases())
def test_everything_good_is_delivered_at_any_alignment_budget_and_fault(case):
    axes, shape, storage, chunk, budget, faulty = case
    source = MemorySource([numbers(shape)], storage, axes=axes, chunk=chunk)
    pyramid = source.info.pyramid
    grid = tuple(-(-n // s) for n, s in zip(shape, storage, strict=True))
    bad = set()
    for i, index in enumerate(np.ndindex(grid)):
        if faulty and i % faulty == 1:
            source.fail(0, index)
            bad.add(index)
        elif faulty and i % faulty == 2:
            source.fail(0, index, times=2)
    keys = all_keys(source)
    others = [range(shape[a]) for a in pyramid.other_axes]
    selections = [tuple(s) for s in np.stack(
        np.meshgrid(*others, indexing="ij"), -1
    ).reshape(-1, len(others)).tolist()] if others else [()]  # fmt: skip
    manager = ChunkManager(source, ram_budget=budget, retry=SHORT)
    try:
        manager.request_chunks([ask(keys, s) for s in selections], "a")
        taken = take_all(manager)
        assert len(taken) == len(keys) * len(selections)
        for c in taken:
            under = manager.needed_storage_chunks(0, np.array([c.key]), c.selection)
            broken = {tuple(i) for i in under.tolist()} & bad
            assert {f.storage_index for f in c.failures} == broken
            assert (c.state is ChunkState.FAILED) == (len(broken) == len(under))
            if c.data is not None:
                expected = voxels_of(source, c.key, c.selection)
                is_known = c.is_known()
                assert is_known.all() == (not broken)
                assert np.array_equal(c.data[is_known], expected[is_known])
                assert (c.data[~is_known] == 0).all()
        assert manager.status("a").is_complete
        assert manager.cache.peak_bytes <= budget
        assert manager.cache.reserved_bytes == 0
    finally:
        manager.close()


@pytest.mark.parametrize("n_chunks", [1, 2, 5])
def test_a_budget_smaller_than_the_view_delays_but_loses_nothing(
    manage, volume, n_chunks
):
    budget = n_chunks * (64**3 * 4 + ENTRY_BYTES)
    manager = manage(volume, ram_budget=budget)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    taken = take_all(manager)
    assert sorted(c.key for c in taken) == sorted(keys.tolist())
    assert manager.cache.peak_bytes <= budget
    assert set(volume.reads.values()) == {1}


@pytest.mark.parametrize("storage", [64, 128])
@pytest.mark.parametrize("share", [2, 4, 8])
def test_a_budget_of_part_of_the_view_reads_each_storage_chunk_once(
    manage, storage, share
):
    source = MemorySource([np.zeros((128, 128, 128), np.uint8)], (storage // 2,) * 3,
                          chunk=(16, 16, 16))  # fmt: skip
    manager = manage(source, ram_budget=source.arrays[0].nbytes // share)
    keys = all_keys(source)
    # From the middle outwards: the order of the chunks is not that of the storage.
    distance = np.linalg.norm(unpack_keys(keys)[1] - 3.4, axis=1)
    manager.request_chunks(ask(keys[np.argsort(distance)]), "a")
    n_taken = 0
    while True:
        is_over = manager.wait("a", 20)
        taken = manager.take_ready("a", 8)
        n_taken += len(taken)
        if is_over and not taken:
            break
        assert taken
    assert n_taken == len(keys)
    assert max(source.reads.values()) == 1
    assert manager.cache.peak_bytes <= manager.cache.budget_bytes


def test_a_decoded_storage_chunk_that_waits_for_room_starves_no_other_visual(manage):
    source = MemorySource([numbers((8, 8, 16))], (8, 8, 8), chunk=(4, 4, 4))
    manager = manage(source, ram_budget=3 * (4**3 * 2 + ENTRY_BYTES))
    left, right = (all_keys(source)[unpack_keys(all_keys(source))[1][:, 2] // 2 == i]
                   for i in range(2))  # fmt: skip
    manager.request_chunks(ask(left), "a")
    assert not manager.wait("a", 20)
    # Nobody takes for "a"; what it has decoded is in the way of nobody.
    manager.request_chunks(ask(right, visual_id="b"), "b")
    assert len(take_all(manager, "b")) == 8
    assert len(take_all(manager, "a")) == 8


def test_reading_pauses_while_nobody_takes_what_fills_the_budget(manage, volume):
    manager = manage(volume, ram_budget=2 * (64**3 * 4 + ENTRY_BYTES))
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert not manager.wait("a", 20)
    assert manager.status("a").loaded == 2
    assert len(volume.reads) == 16
    assert len(take_all(manager)) == 8


def test_one_visual_that_takes_nothing_does_not_starve_another(manage, volume):
    manager = manage(volume, ram_budget=64**3 * 4 + ENTRY_BYTES)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys[:4]), "hidden")
    assert not manager.wait("hidden", 20)
    manager.request_chunks(ask(keys[4:]), "a")
    assert sorted(c.key for c in take_all(manager)) == keys[4:].tolist()


def test_what_was_evicted_is_read_again_when_it_is_named_again(manage, volume):
    manager = manage(volume, ram_budget=2 * (64**3 * 4 + ENTRY_BYTES))
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    take_all(manager)
    manager.request_chunks(ask(keys[:1]), "a")
    (chunk,) = take_all(manager)
    assert np.array_equal(chunk.data, voxels_of(volume, chunk.key))
    assert manager.counters.rereads == 8


def test_a_corrupt_storage_chunk_costs_no_voxel_of_its_neighbours(manage, volume):
    volume.fail(0, (0, 0, 1))
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    taken = {c.key: c for c in take_all(manager)}
    assert {c.state for c in taken.values()} == {ChunkState.LOADED}
    assert [k for k in keys.tolist() if not taken[k].is_whole] == [int(keys[0])]
    (hole,) = taken[int(keys[0])].holes
    assert (hole.low, hole.high) == ((0, 0, 32), (32, 32, 64))
    (failure,) = manager.failures("a")
    assert failure == taken[int(keys[0])].failure
    assert (failure.key, failure.reason) == ("0/c/0/0/1", "the chunk is corrupt")
    assert not failure.is_transient
    assert volume.reads[0, (0, 0, 1)] == 1


def test_a_transient_failure_is_tried_again_and_leaves_no_trace(manage, volume):
    volume.fail(0, (0, 0, 1), times=3)
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert {c.state for c in take_all(manager)} == {ChunkState.LOADED}
    assert volume.reads[0, (0, 0, 1)] == 4
    assert manager.counters.retries == 3
    assert manager.failures("a") == []


def test_a_failure_that_stays_transient_is_given_up_after_three_more_tries(
    manage, volume
):
    volume.fail(0, (0, 0, 1), times=99)
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    take_all(manager)
    assert volume.reads[0, (0, 0, 1)] == 4
    (failure,) = manager.failures("a")
    assert failure.is_transient


def test_a_pause_does_not_hold_up_other_reads(manage, volume):
    volume.fail(0, (0, 0, 0), times=1)
    volume.concurrency = 1
    manager = manage(volume, retry=RetryRules((3600.0,)))
    keys = all_keys(volume)
    seven = threading.Event()

    def count(_):
        if manager.status("a").loaded == 7:
            seven.set()

    manager.chunk_ready.connect(count)
    manager.request_chunks(ask(keys), "a")
    assert seven.wait(20)
    assert [c.key for c in manager.waiting("a")] == keys[:1].tolist()


def test_a_failed_chunk_is_not_read_again_at_every_request(manage, volume):
    volume.fail(0, (0, 0, 1))
    manager = manage(volume)
    keys = all_keys(volume)[:1]
    for _ in range(3):
        manager.request_chunks(ask(keys), "a")
        (chunk,) = take_all(manager)
        assert [f.key for f in chunk.failures] == ["0/c/0/0/1"]
    assert volume.reads[0, (0, 0, 1)] == 1


def test_every_corrupt_storage_chunk_is_listed_by_name(manage, volume):
    for x in range(3):
        volume.fail(0, (0, 0, x))
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    take_all(manager)
    keys = sorted(f.key for f in manager.failures("a"))
    assert keys == ["0/c/0/0/0", "0/c/0/0/1", "0/c/0/0/2"]


def test_a_chunk_of_nothing_but_corrupt_storage_chunks_has_failed(manage, volume):
    for index in np.ndindex(2, 2, 2):
        volume.fail(0, index)
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)[:1]), "a")
    (chunk,) = take_all(manager)
    assert (chunk.state, chunk.data) == (ChunkState.FAILED, None)
    assert len(chunk.failures) == len(manager.failures("a")) == 8


def test_corrupt_ones_among_those_that_are_not_stored_leave_holes_in_the_fill(
    manage, volume
):
    volume.missing = {(0, tuple(i)) for i in np.ndindex(2, 2, 2)} - {(0, (0, 0, 0))}
    volume.fail(0, (0, 0, 0))
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)[:1]), "a")
    (chunk,) = take_all(manager)
    assert chunk.state is ChunkState.LOADED
    assert np.count_nonzero(~chunk.is_known()) == 32**3
    assert not chunk.data.any()


def test_while_a_server_is_silent_nothing_more_waits_for_it(manage, volume):
    """All chunks fail, most of them unasked; another try asks again."""
    stalled = ChunkReadError("no answer", is_transient=True)
    for index in np.ndindex(4, 4, 4):
        volume.fail_with(0, index, stalled)
    manager = manage(volume, retry=RetryRules(patience_s=0.0))
    manager.request_chunks(ask(all_keys(volume)), "a")
    taken = take_all(manager)
    assert {c.state for c in taken} == {ChunkState.FAILED}
    assert sum(len(c.failures) for c in taken) == 64
    assert sum(volume.reads.values()) <= 4 * volume.concurrency
    volume.heal()
    manager.retry_failed("a")
    assert all(c.is_whole for c in take_all(manager))


def test_when_waiting_ends_what_has_come_is_delivered(manage, volume):
    """And what has not come is a hole that can be read again later."""
    volume.stall(0, (0, 0, 1))
    manager = manage(volume)
    keys = all_keys(volume)[:1]
    manager.request_chunks(ask(keys), "a")
    assert volume.wait_until_reading(8)
    assert not manager.wait("a", 0.2)
    manager.end_waiting("a", "the time was over")
    (chunk,) = take_all(manager)
    (failure,) = chunk.failures
    assert (failure.key, failure.reason) == ("0/c/0/0/1", "the time was over")
    expected = voxels_of(volume, chunk.key)
    assert np.array_equal(chunk.known_voxels(), expected[chunk.is_known()])
    volume.heal()
    manager.clear_failures([failure])
    manager.request_chunks(ask([]), "a")
    manager.request_chunks(ask(keys), "a")
    (chunk,) = take_all(manager)
    assert np.array_equal(chunk.data, expected)


def test_storage_chunks_are_counted_each_once(manage):
    """One storage chunk under eight chunks is one; those not stored are told apart."""
    source = MemorySource(
        [numbers((16, 16, 32))], (16, 16, 16), chunk=(8, 8, 8), fill_value=3
    )
    source.missing = {(0, (0, 0, 1))}
    manager = manage(source)
    wants = [((), all_keys(source))]
    manager.request_chunks(ask(all_keys(source)), "a")
    take_all(manager)
    counts = manager.storage_counts(wants, wants, manager.failures("a"))
    assert counts == {"wanted": 2, "loaded": 1, "missing": 1, "failed": 0}
    source.fail(0, (0, 0, 0))
    manager.forget()
    take_all(manager)
    counts = manager.storage_counts(wants, wants, manager.failures("a"))
    assert counts == {"wanted": 2, "loaded": 0, "missing": 1, "failed": 1}


def test_another_try_reads_what_had_failed(manage, volume):
    volume.fail(0, (0, 0, 1))
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    take_all(manager)
    volume.heal()
    assert manager.retry_failed("a") == 1
    (chunk,) = take_all(manager)
    assert np.array_equal(chunk.data, voxels_of(volume, int(keys[0])))
    assert manager.failures("a") == []
    assert manager.retry_failed("a") == 0


def test_a_failure_that_is_in_no_request_any_more_can_be_tried_again(manage, volume):
    volume.fail(0, (0, 0, 1))
    manager = manage(volume)
    keys = all_keys(volume)[:1]
    manager.request_chunks(ask(keys), "a")
    (chunk,) = take_all(manager)
    manager.request_chunks(ask([]), "a")
    volume.heal()
    manager.retry_failed("a", [chunk.failure])
    manager.request_chunks(ask(keys), "a")
    (chunk,) = take_all(manager)
    assert np.array_equal(chunk.data, voxels_of(volume, int(keys[0])))


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), MemoryError("no room"), IndexError("bug")]
)
def test_an_unforeseen_error_of_a_source_is_a_failure_like_others(
    manage, volume, error
):
    volume.fail_with(0, (0, 0, 0), error)
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert sum(c.is_whole for c in take_all(manager)) == 7
    assert type(error).__name__ in manager.failures("a")[0].reason


def test_voxels_of_the_wrong_shape_are_a_failure(manage):
    source = MemorySource([numbers((5, 4, 4))], (4, 4, 4), chunk=(4, 4, 4))
    source.arrays[0] = source.arrays[0][:4]
    manager = manage(source)
    manager.request_chunks(ask(all_keys(source)), "a")
    take_all(manager)
    (failure,) = manager.failures("a")
    assert "expected voxels of shape (1, 4, 4)" in failure.reason


def test_a_source_that_cannot_list_its_chunks_is_read(manage, volume, caplog):
    def broken(level, indices):
        raise OSError("no listing")

    volume.missing_chunks = broken
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert len(take_all(manager)) == 8
    assert "cannot list its chunks: no listing" in caplog.text


def test_large_storage_chunks_in_flight_stay_within_an_eighth_of_the_budget(manage):
    """Four slots, but only one storage chunk of 64 KiB fits in 1/8 of 512 KiB."""
    source = MemorySource(
        [numbers((128, 32, 32), np.uint32)], (16, 32, 32), chunk=(16, 32, 32)
    )
    manager = manage(source, ram_budget=1 << 19)
    manager.request_chunks(ask(all_keys(source)), "a")
    assert len(take_all(manager)) == 8
    assert source.max_at_once == 1


def test_many_visuals_in_many_threads_all_get_their_chunks(manage, volume):
    manager = manage(volume, ram_budget=4 * (64**3 * 4 + ENTRY_BYTES))
    keys = all_keys(volume)
    wrong = []

    def view(name, seed):
        rng = np.random.default_rng(seed)
        for _ in range(8):
            some = rng.permutation(keys)[: rng.integers(1, 8)]
            manager.request_chunks(ask(some, visual_id=name), name)
            got = sorted(c.key for c in take_all(manager, name))
            if got != sorted(some.tolist()):
                wrong.append((name, got, some))
        manager.release(name)

    threads = [threading.Thread(target=view, args=(f"v{i}", i)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong
    assert manager.cache.peak_bytes <= manager.cache.budget_bytes
