"""With napari's slicing on a thread of its own, slices are still loaded once, by us."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer
from napari.settings import get_settings
from qtpy.QtWidgets import QApplication

from brickfield.loading import ChunkCache
from brickfield.plugin import napari_names
from brickfield.plugin.layers.describe import layer_data_of
from brickfield.plugin.slicing import lazy
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource

FINE = np.random.default_rng(0).integers(100, 60_000, (64, 48, 64)).astype("u2")
COARSE = FINE.reshape(16, 4, 12, 4, 16, 4).mean((1, 3, 5)).astype("u2")


def source_of(fine=FINE, coarse=COARSE) -> MemorySource:
    return MemorySource((fine, coarse), (16, 16, 16), chunk=(16, 16, 16))


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch) -> Iterator:
    """A viewer whose layers are sliced on napari's thread."""
    # What the coarsest level says of the contrast is none of this.
    monkeypatch.setattr(
        "brickfield.plugin.layers.auto_contrast._own_window", lambda *_: (0.0, 60_000.0)
    )
    # Nor is what is likely shown next.
    monkeypatch.setattr(lazy, "names_ahead", lambda *_: [])
    get_settings().experimental.async_ = True
    made = make_napari_viewer(show=True, strict_qt="raise")
    # The fixture switches it off once more.
    monkeypatch.setattr(made._layer_slicer, "_force_sync", False)
    made.window._qt_window.resize(900, 700)
    QApplication.processEvents()
    yield made
    get_settings().experimental.async_ = False


@pytest.fixture
def show(viewer) -> Iterator:
    """Function: a layer of a source at level 0, as shown by the viewer."""
    stores = []

    def show_now(source) -> Layer:
        store = ChunkedImageStore(source, cache=ChunkCache(1 << 26))
        stores.append((store, source))
        layer = Layer.create(*layer_data_of(store)[0])
        layer.locked_data_level = 0
        viewer.add_layer(layer)
        viewer.dims.set_current_step(0, 36)
        assert lazy.wait_until_loaded(layer, 10)
        return layer

    yield show_now
    for store, source in stores:
        source.gate.set()
        store.close()


def turn_until(is_true, qtbot):
    qtbot.waitUntil(is_true, timeout=10_000)


def is_plane(layer, expected) -> bool:
    return np.array_equal(layer._slice.image.raw, expected)


@pytest.fixture
def threads(monkeypatch) -> set[str]:
    """Names of the threads on which feeds were asked."""
    seen: set[str] = set()
    asked = lazy.Feed.answer

    def answer(self, view, request):
        seen.add(threading.current_thread().name)
        return asked(self, view, request)

    monkeypatch.setattr(lazy.Feed, "answer", answer)
    return seen


def test_every_chunk_is_read_once_however_many_slices_show_it(
    show, viewer, qtbot, threads
):
    source = source_of()
    layer = show(source)
    for z in (0, 7, 15, 51, 3):
        viewer.dims.set_current_step(0, z)
        assert lazy.wait_until_loaded(layer, 10)
        turn_until(lambda z=z: is_plane(layer, FINE[z]), qtbot)
    assert any(name != "MainThread" for name in threads), "napari's thread has asked"
    assert source.reads
    assert set(source.reads.values()) == {1}


def test_the_slicing_thread_waits_for_no_chunk(show, viewer, qtbot):
    source = source_of()
    layer = show(source)
    source.gate.clear()
    viewer.dims.set_current_step(0, 60)
    viewer._layer_slicer.wait_until_idle(10)
    turn_until(lambda: bool(layer.loaded), qtbot)
    assert not lazy.is_loaded(layer), "what is shown is not all of it"
    source.gate.set()
    assert lazy.wait_until_loaded(layer, 10)
    turn_until(lambda: is_plane(layer, FINE[60]), qtbot)


def test_what_is_no_longer_shown_is_no_longer_wanted(show, viewer, qtbot):
    """Of planes passed while nothing arrives, only the last one's chunks are read."""
    source = source_of()
    layer = show(source)
    source.gate.clear()
    source.order.clear()
    for z in (60, 4, 61, 1):
        viewer.dims.set_current_step(0, z)
        viewer._layer_slicer.wait_until_idle(10)
        turn_until(lambda: bool(layer.loaded), qtbot)
    # Until napari has its slice, what it asked for before may be asked for again.
    turn_until(lambda: not lazy.existing_feed(layer)._before, qtbot)
    source.gate.set()
    assert lazy.wait_until_loaded(layer, 10)
    turn_until(lambda: is_plane(layer, FINE[1]), qtbot)
    passed = [index for level, index in source.order if level == 0 and index[0]]
    assert len(passed) <= source.concurrency, "those that had begun"


def test_a_viewer_closes_while_its_chunks_do_not_come(show, viewer):
    """napari waits for its slicing thread when it closes; that must be free."""
    source = source_of()
    show(source)
    source.gate.clear()
    viewer.dims.set_current_step(0, 60)
    QApplication.processEvents()
    viewer.close()
    assert not source.gate.is_set()


def test_labels_are_drawn_in_their_own_colours_in_the_end(show, viewer, qtbot):
    source = source_of((FINE % 50).astype("u2"), (COARSE % 50).astype("u2"))
    source.info = replace(source.info, is_labels=True)
    layer = show(source)
    viewer.dims.set_current_step(0, 60)
    assert lazy.wait_until_loaded(layer, 10)
    fresh = layer.colormap._data_to_texture(FINE[60] % 50)
    turn_until(lambda: np.array_equal(layer._slice.image.view, fresh), qtbot)


def test_where_the_layer_is_not_told_the_slice_is_read_whole(
    show, viewer, qtbot, monkeypatch
):
    """The thread waits then, and what it shows is right."""
    source = source_of()
    layer = show(source)
    monkeypatch.setattr(lazy, "layer_of_request", lambda _frame: None)
    viewer.dims.set_current_step(0, 60)
    turn_until(lambda: is_plane(layer, FINE[60]), qtbot)
    assert set(source.reads.values()) == {1}


def test_a_module_of_napari_that_moved_costs_only_time(
    show, viewer, qtbot, monkeypatch
):
    source = source_of()
    layer = show(source)
    monkeypatch.setattr(napari_names, "SLICING", ())
    viewer.dims.set_current_step(0, 60)
    turn_until(lambda: is_plane(layer, FINE[60]), qtbot)
