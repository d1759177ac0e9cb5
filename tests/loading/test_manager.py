"""Every requested chunk is delivered once, in order, with the right voxels."""

import threading
import time

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.loading.cache.chunk_cache import ChunkCache
from brickfield.loading.progress import LoadingProgressTracker
from brickfield.model import pack_keys
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import Category, ChunkState
from brickfield.sources.io.cancellation import result_of
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask, numbers, take_all, voxels_of


def check(source, chunks, expected_keys):
    """See that chunks are the expected ones, with the voxels that numpy slices."""
    assert sorted(c.key for c in chunks) == sorted(np.asarray(expected_keys).tolist())
    for chunk in chunks:
        voxels = voxels_of(source, chunk.key, chunk.selection)
        assert np.array_equal(chunk.data, voxels)
        assert (chunk.minimum, chunk.maximum) == (voxels.min(), voxels.max())


def test_every_wanted_chunk_is_delivered_once_with_the_right_voxels(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    status = manager.request_chunks(ask(keys), "a")
    assert status.wanted == len(keys)
    check(volume, take_all(manager), keys)
    assert manager.take_ready("a") == []
    assert manager.status("a").is_complete


def test_what_is_ready_is_taken_most_wanted_first(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)[::-1]
    manager.request_chunks(ask(keys), "a")
    assert manager.wait("a", 20)
    assert [c.key for c in manager.take_ready("a", 3)] == keys[:3].tolist()
    assert [c.key for c in manager.take_ready("a")] == keys[3:].tolist()


def test_categories_order_the_reads_strictly(manage):
    source = MemorySource(
        [numbers((8, 1, 1))], (1, 1, 1), chunk=(1, 1, 1), concurrency=1
    )
    manager = manage(source)
    k = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(k[7:]), "first")
    assert source.wait_until_reading(1)
    joined = ask(k[:6])
    joined.categories[:] = [2, 1, 0, 2, 1, 0]
    manager.request_chunks(joined, "a")
    source.gate.set()
    assert manager.wait("a", 20)
    assert [index[0] for _, index in source.order] == [7, 2, 5, 1, 4, 0, 3]


def test_a_visit_within_the_budget_reads_nothing_again(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    take_all(manager)
    before = manager.counters
    manager.request_chunks(ask(keys[:0]), "a")
    manager.request_chunks(ask(keys), "a")
    check(volume, take_all(manager), keys)
    assert manager.counters == before


def test_a_request_that_names_a_taken_chunk_delivers_it_again(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    for _ in range(2):
        manager.request_chunks(ask(keys), "a")
        check(volume, take_all(manager), keys)


def test_a_request_that_repeats_an_untaken_chunk_delivers_it_once(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    assert manager.wait("a", 20)
    manager.request_chunks(ask(keys), "a")
    check(volume, take_all(manager), keys)


def test_two_visuals_share_reads_and_each_gets_its_chunks(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    volume.gate.clear()
    manager.request_chunks(ask(keys), "a")
    manager.request_chunks(ask(keys[::-1]), "b")
    volume.gate.set()
    check(volume, take_all(manager, "a"), keys)
    check(volume, take_all(manager, "b"), keys)
    assert max(volume.reads.values()) == 1


def test_two_managers_of_one_source_share_a_cache(manage, volume):
    cache = ChunkCache(1 << 26)
    first, second = manage(volume, cache=cache), manage(volume, cache=cache)
    keys = all_keys(volume)
    first.request_chunks(ask(keys), "a")
    take_all(first)
    status = second.request_chunks(ask(keys), "a")
    assert status.is_complete
    check(volume, second.take_ready("a"), keys)


def test_the_window_is_never_exceeded(manage, volume):
    volume.concurrency = 3
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    take_all(manager)
    assert 1 <= volume.max_at_once <= 3


def test_a_new_request_drops_what_it_does_not_name_before_it_is_read(manage):
    source = MemorySource([numbers((40, 4, 4))], (1, 4, 4), chunk=(1, 4, 4))
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(keys[:20]), "a")
    assert source.wait_until_reading(4)
    manager.request_chunks(ask(keys[20:]), "a")
    assert manager.status("a").cancelled == 20
    source.gate.set()
    check(source, take_all(manager), keys[20:])
    wasted = [i for _, i in source.order if i[0] < 20]
    assert len(wasted) <= source.concurrency
    assert manager.counters.cancelled_before_send >= 20 - source.concurrency


def test_a_sweep_wastes_at_most_a_window_of_reads(manage):
    source = MemorySource([numbers((300, 4, 4))], (1, 4, 4), chunk=(1, 4, 4))
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    for start in range(0, 200, 5):
        manager.request_chunks(ask(keys[start : start + 60]), "a")
    source.gate.set()
    check(source, take_all(manager), keys[195:255])
    rest = set(range(195, 255))
    assert sum(i[0] not in rest for _, i in source.order) <= source.concurrency
    assert max(source.reads.values()) == 1


def test_a_read_that_is_still_wanted_goes_on(manage):
    source = MemorySource([numbers((10, 4, 4))], (1, 4, 4), chunk=(1, 4, 4))
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(keys), "a")
    assert source.wait_until_reading(4)
    manager.request_chunks(ask(keys[::-1]), "a")
    source.gate.set()
    check(source, take_all(manager), keys)
    assert max(source.reads.values()) == 1


def test_a_late_result_of_a_dropped_chunk_is_kept_in_the_cache(manage):
    source = MemorySource(
        [numbers((8, 4, 4))], (4, 4, 4), chunk=(4, 4, 4), concurrency=1
    )
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(keys[:1]), "a")
    assert source.wait_until_reading(1)
    manager.release("a")
    manager.request_chunks(ask(keys[1:]), "b")
    source.gate.set()
    take_all(manager, "b")
    assert manager.peek((), int(keys[0])) is not None


def test_a_half_read_chunk_that_nobody_wants_gives_its_room_back(manage):
    source = MemorySource(
        [numbers((8, 4, 4))], (1, 4, 4), chunk=(8, 4, 4), concurrency=2
    )
    manager = manage(source)
    source.gate.clear()
    manager.request_chunks(ask(all_keys(source)), "a")
    assert source.wait_until_reading(2)
    manager.release("a")
    source.gate.set()
    manager.close()
    assert sum(source.reads.values()) == 2
    assert manager.cache.nbytes == 0


def test_a_half_read_chunk_may_be_wanted_again(manage):
    source = MemorySource(
        [numbers((8, 4, 4))], (1, 4, 4), chunk=(8, 4, 4), concurrency=2
    )
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(keys), "a")
    assert source.wait_until_reading(2)
    manager.request_chunks(ask([]), "a")
    manager.request_chunks(ask(keys), "a")
    source.gate.set()
    check(source, take_all(manager), keys)
    assert max(source.reads.values()) == 1


def test_peek_finds_what_is_cached_and_nothing_else(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys[:1]), "a")
    (chunk,) = take_all(manager)
    assert manager.peek((), int(keys[0])) is chunk
    assert manager.peek((), int(keys[1])) is None


def test_taking_may_give_up_when_the_lock_is_held(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    assert manager.wait("a", 30)
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        with manager._lock:
            is_held.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(30)
    assert manager.try_take_ready("a", 1, wait_s=0.001) is None
    may_end.set()
    holder.join()
    assert len(manager.try_take_ready("a", 1, wait_s=30)) == 1
    assert manager.try_take_ready("nobody", wait_s=1) == []


def test_the_signal_names_who_has_something_to_take(manage, volume):
    manager = manage(volume)
    told = threading.Event()
    names = []

    def note(visual_id):
        names.append(visual_id)
        told.set()

    manager.chunk_ready.connect(note)
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert told.wait(20)
    take_all(manager)
    assert set(names) == {"a"}


def test_a_raising_listener_is_logged_once_and_loading_goes_on(manage, volume, caplog):
    manager = manage(volume)
    manager.chunk_ready.connect(lambda _: 1 / 0, check_nargs=False)
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert len(take_all(manager)) == 8
    manager.close()
    assert caplog.text.count("a listener to chunk_ready failed") == 1


def test_the_tracker_ends_with_the_managers_own_counts(manage, volume):
    tracker = LoadingProgressTracker()
    ended = threading.Event()
    tracker.finished.connect(lambda *_: ended.set())
    manager = manage(volume, tracker=tracker)
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert ended.wait(20)
    assert tracker.status("a").loaded == 8
    assert tracker.status("a").bytes_loaded == volume.arrays[0].nbytes


def test_the_status_counts_every_end(manage):
    source = MemorySource([numbers((4, 4, 4))], (1, 4, 4), chunk=(1, 4, 4))
    source.missing.add((0, (1, 0, 0)))
    source.fail(0, (2, 0, 0))
    manager = manage(source)
    manager.request_chunks(ask(all_keys(source)), "a")
    states = [c.state for c in take_all(manager)]
    assert states.count(ChunkState.LOADED) == 2
    status = manager.status("a")
    assert (status.wanted, status.loaded, status.missing, status.failed) == (4, 2, 1, 1)
    assert status.is_complete
    assert status.bytes_loaded == 2 * 32


@pytest.mark.parametrize("tells_missing", [True, False])
def test_a_missing_chunk_is_the_fill_value_and_no_voxels(manage, tells_missing):
    source = MemorySource(
        [numbers((2, 4, 4))], (1, 4, 4), chunk=(2, 4, 4), fill_value=3
    )
    source.missing = {(0, (0, 0, 0)), (0, (1, 0, 0))}
    source.tells_missing = tells_missing
    manager = manage(source)
    manager.request_chunks(ask(all_keys(source)), "a")
    (chunk,) = take_all(manager)
    assert chunk.state is ChunkState.MISSING
    assert (chunk.data, chunk.minimum, chunk.maximum) == (None, 3, 3)
    assert len(source.order) == (0 if tells_missing else 2)
    assert manager.counters.bytes_read == 0


def test_a_partly_missing_chunk_has_the_fill_value_in_the_gap(manage):
    source = MemorySource(
        [numbers((2, 4, 4))], (1, 4, 4), chunk=(2, 4, 4), fill_value=99
    )
    source.missing = {(0, (1, 0, 0))}
    manager = manage(source)
    manager.request_chunks(ask(all_keys(source)), "a")
    (chunk,) = take_all(manager)
    assert np.array_equal(chunk.data[0], source.arrays[0][0])
    assert (chunk.data[1] == 99).all()


def test_unknown_visuals_have_nothing(manage, volume):
    manager = manage(volume)
    assert manager.take_ready("nobody") == []
    assert manager.status("nobody").is_complete
    assert manager.wait("nobody", 0)
    assert manager.failures("nobody") == []
    manager.release("nobody")


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        pytest.param(ask([0], (0,)), "1: ", id="selection too long"),
        pytest.param(ask(pack_keys(3, np.array([[0, 0, 0]]))), "level 3", id="level"),
        pytest.param(ask(pack_keys(0, np.array([[0, 0, 9]]))), "9", id="chunk"),
    ],
)
def test_what_the_image_lacks_is_refused(manage, volume, request_, found):
    with pytest.raises(OptionError, match=f"expected .*found.*{found}"):
        manage(volume).request_chunks(request_, "a")


def test_after_forgetting_the_new_voxels_are_delivered(manage, volume):
    manager = manage(volume)
    keys = all_keys(volume)
    manager.request_chunks(ask(keys), "a")
    take_all(manager)
    volume.arrays[0] = volume.arrays[0] + 1
    manager.forget()
    check(volume, take_all(manager), keys)


def test_a_read_that_began_before_forgetting_is_not_used(manage):
    source = MemorySource([numbers((4, 4, 4))], (4, 4, 4), chunk=(4, 4, 4))
    manager = manage(source)
    keys = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(keys), "a")
    assert source.wait_until_reading(1)
    manager.forget()
    source.gate.set()
    check(source, take_all(manager), keys)
    assert sum(source.reads.values()) == 2


def test_a_dropped_chunk_whose_read_is_out_of_date_gives_its_room_back(manage):
    source = MemorySource([numbers((12, 4, 4))], (3, 4, 4), chunk=(4, 4, 4))
    manager = manage(source)
    first, _, last = all_keys(source).tolist()
    source.gate.clear()
    manager.request_chunks(ask([first]), "a")
    assert source.wait_until_reading(2)
    manager.request_chunks(ask([last], visual_id="b"), "b")
    manager.release("a")
    # In the middle chunk, and in a storage chunk that the first needs as well.
    box = ((4, 8), (0, 4), (0, 4))
    manager.forget_changed(ChunkChange(0, box, (), (1, 0, 0), (2, 1, 1)))
    source.gate.set()
    check(source, take_all(manager, "b"), [last])
    end = time.monotonic() + 10
    while manager.cache.reserved_bytes and time.monotonic() < end:
        time.sleep(0.001)
    assert manager.cache.reserved_bytes == 0


def test_closing_ends_everything_and_may_be_done_twice(manage, volume):
    manager = manage(volume)
    manager.request_chunks(ask(all_keys(volume)), "a")
    manager.close()
    manager.close()
    assert manager.take_ready("a") == []
    assert manager.cache.reserved_bytes == 0


def test_reading_threads_end_when_the_last_visual_goes(manage, volume):
    before = set(threading.enumerate())
    manager = manage(volume)
    for _ in range(2):
        manager.request_chunks(ask(all_keys(volume)), "a")
        assert manager.wait("a", 20)
        assert len(manager.take_ready("a")) == len(all_keys(volume))
        reading = set(threading.enumerate()) - before
        assert reading
        manager.release("a")
        for thread in reading:
            thread.join(10)
        assert not set(threading.enumerate()) - before
        manager.forget()


def test_a_stalled_read_ends_with_the_last_visual_and_is_done_again_for_the_next(
    manage, volume
):
    class Stalled:
        """Storage that never answers."""

        def result(self, timeout: float) -> object:
            raise TimeoutError

        def cancel(self) -> None:
            pass

    manager = manage(volume)
    read, began = volume.read_storage_chunk, threading.Event()

    def stall(*_: object) -> object:
        began.set()
        return result_of(Stalled())

    volume.read_storage_chunk = stall
    manager.request_chunks(ask(all_keys(volume)), "a")
    assert began.wait(10)
    reading = [t for t in threading.enumerate() if "brickfield-read" in t.name]
    manager.release("a")
    for thread in reading:
        thread.join(20)
    assert not any(thread.is_alive() for thread in reading)
    volume.read_storage_chunk = read
    manager.request_chunks(ask(all_keys(volume)), "b")
    assert manager.wait("b", 20)
    assert not manager.failures("b")
    check(volume, manager.take_ready("b"), all_keys(volume))


def test_who_waits_is_let_go_when_the_manager_closes(manage, volume):
    manager = manage(volume)
    volume.gate.clear()
    manager.request_chunks(ask(all_keys(volume)), "a")
    result = []
    waiter = threading.Thread(target=lambda: result.append(manager.wait("a", 20)))
    waiter.start()
    manager.close(wait=False)
    waiter.join(20)
    volume.gate.set()
    assert len(result) == 1


def test_waiting_chunks_are_named(manage, volume):
    manager = manage(volume)
    volume.gate.clear()
    keys = all_keys(volume)
    manager.request_chunks(ask(keys[:2]), "a")
    assert [c.key for c in manager.waiting("a")] == keys[:2].tolist()


def test_base_comes_before_the_visible_of_another_visual(manage):
    source = MemorySource(
        [numbers((6, 1, 1))], (1, 1, 1), chunk=(1, 1, 1), concurrency=1
    )
    manager = manage(source)
    k = all_keys(source)
    source.gate.clear()
    manager.request_chunks(ask(k[:3]), "a")
    assert source.wait_until_reading(1)
    manager.request_chunks(ask(k[3:5], category=Category.BASE), "b")
    source.gate.set()
    assert manager.wait("a", 20)
    assert manager.wait("b", 20)
    assert [i[0] for _, i in source.order] == [0, 3, 4, 1, 2]
