"""Arrived chunks wait for nobody and nobody waits for them."""

from __future__ import annotations

import threading

from brickfield.loading import ChunkManager
from brickfield.rendering.requests import BATCH, TimeSlice, UploadQueue
from brickfield.testing import MemorySource
from brickfield.testing.loading import all_keys, ask


def manager_of(volume):
    source = MemorySource([volume], (32, 32, 32), chunk=(32, 32, 32))
    manager = ChunkManager(source, ram_budget=1 << 26)
    manager.request_chunks(ask(all_keys(source)), "a")
    assert manager.wait("a", 30)
    return manager, len(all_keys(source))


def test_the_loader_is_asked_once_for_a_batch(volume, monkeypatch):
    manager, n = manager_of(volume)
    asked = []
    take = manager.try_take_ready

    def counted(*args, **options):
        asked.append(args)
        return take(*args, **options)

    monkeypatch.setattr(manager, "try_take_ready", counted)
    upload_queue = UploadQueue("a")
    keys = set()
    while (chunk := upload_queue.next(manager)) is not None:
        keys.add(chunk.key)
    manager.close()
    assert len(keys) == n
    assert len(asked) == -(-n // BATCH) + 1
    assert not upload_queue.has_more


def test_a_busy_loader_is_not_waited_for_but_asked_again(volume):
    manager, _ = manager_of(volume)
    upload_queue = UploadQueue("a")
    is_held, may_end = threading.Event(), threading.Event()

    def hold():
        with manager._lock:
            is_held.set()
            may_end.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert is_held.wait(30)
    assert upload_queue.next(manager) is None
    assert upload_queue.has_more
    may_end.set()
    holder.join()
    assert upload_queue.next(manager) is not None
    manager.close()


def test_a_view_takes_all_that_arrived_however_short_its_slice(
    store, make_view, layer_of
):
    layer = layer_of(store)
    view = make_view(layer)
    view.update(slice_s=0)
    (renderer,) = view.manager.renderers
    assert store.manager.wait(renderer.visual_id, 30)
    # The loader has told everything; nobody will wake the view again.
    view._news.clear()
    rounds = 0
    while not view.is_complete:
        assert view.has_work
        view.update(slice_s=1e-9)
        rounds += 1
        assert rounds < 1000
    view.update(slice_s=1)
    assert not view.has_work


def test_data_that_changed_are_not_taken_from_an_older_batch(
    store, make_view, layer_of
):
    layer = layer_of(store)
    view = make_view(layer)
    view.update(slice_s=0)
    (renderer,) = view.manager.renderers
    assert store.manager.wait(renderer.visual_id, 30)
    assert renderer.upload_queue.next(store.manager) is not None
    layer.data_version.bump()
    view.sync()
    assert not renderer.upload_queue._chunks


def test_the_first_step_always_fits_and_none_begins_too_late(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("brickfield.rendering.requests.perf_counter", lambda: now[0])
    has_time = TimeSlice(4.0)
    steps = 0
    while has_time():
        now[0] += 1.5
        steps += 1
    assert (steps, has_time.elapsed) == (2, 3.0)
    late = TimeSlice(0.1)
    assert late()
    now[0] += 5
    assert not late()
    assert not TimeSlice(0)()
