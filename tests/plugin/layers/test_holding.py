"""Stores end when their layers leave napari, and come back with them."""

from __future__ import annotations

import gc
import threading
import weakref
from time import monotonic

import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtTest import QTest

from brickfield.plugin.layers.make import level_of, open_layers, store_behind
from brickfield.plugin.layers.registry import scene_of
from brickfield.plugin.slicing import lazy
from brickfield.testing.zarr_stores import write_image

pytestmark = pytest.mark.bindings

DATA = np.random.default_rng(3).integers(0, 255, (2, 8, 24, 32), dtype=np.uint8)


def wait_for(is_true, timeout_s=10):
    end = monotonic() + timeout_s
    while not is_true():
        assert monotonic() < end, "it did not come to pass"
        gc.collect()
        QTest.qWait(10)


def turn():
    """Let what is due in the event loop happen."""
    for _ in range(3):
        QTest.qWait(5)


@pytest.fixture
def stored(tmp_path):
    """Two channels, two levels."""
    levels = [DATA[None], DATA[None][..., ::2, ::2]]
    return str(write_image(tmp_path / "a.ome.zarr", levels))


@pytest.fixture
def opened(stored, make_napari_viewer):
    """A viewer and the two layers, which the test keeps alive."""
    viewer = make_napari_viewer()
    n_threads = threading.active_count()
    layers = viewer.open(stored, plugin="napari-brickfield")
    assert lazy.wait_until_loaded(layers, 20)
    return viewer, layers, n_threads


def is_open(layer):
    return level_of(layer).hold.is_held


def shown(layer):
    lazy.wait_until_loaded(layer, 20)
    turn()
    return np.asarray(layer._data_view)


def test_layers_that_left_the_list_keep_no_store_and_no_thread(opened):
    """Somebody may keep the layers: Qt's binding, an undo list, a script."""
    viewer, layers, n_threads = opened
    gone = weakref.ref(store_behind(layers[0]))
    viewer.layers.clear()
    wait_for(lambda: gone() is None and threading.active_count() <= n_threads)
    assert not is_open(layers[0])


def test_a_store_stays_open_while_one_of_its_layers_is_listed(opened):
    viewer, layers, _ = opened
    store = store_behind(layers[0])
    viewer.layers.remove(layers[0])
    turn()
    assert store_behind(layers[1]) is store
    assert is_open(layers[0])


def test_a_layer_that_is_inserted_again_shows_its_voxels(opened):
    viewer, layers, _ = opened
    gone = weakref.ref(store_behind(layers[0]))
    viewer.layers.clear()
    wait_for(lambda: gone() is None)
    viewer.layers.append(layers[1])
    viewer.dims.set_current_step(1, 5)
    assert np.array_equal(shown(layers[1]), DATA[1, 5])
    assert not store_behind(layers[1]).is_closed


def test_a_layer_that_moves_to_another_list_keeps_its_store(opened):
    viewer, layers, _ = opened
    store = weakref.ref(store_behind(layers[0]))
    layer = viewer.layers.pop(0)
    other = ViewerModel()
    other.layers.append(layer)
    turn()
    assert level_of(layer).hold.is_held
    assert store() is store_behind(layer)
    viewer.layers.clear()
    turn()
    assert level_of(layer).hold.is_held


def test_a_duplicate_shares_the_store(opened):
    viewer, layers, _ = opened
    store = store_behind(layers[0])
    copy = type(layers[0])(layers[0].data, multiscale=True, name="copy")
    viewer.add_layer(copy)
    turn()
    for layer in layers:
        viewer.layers.remove(layer)
    turn()
    assert store_behind(copy) is store
    assert is_open(copy)


def test_a_script_that_has_the_store_keeps_it(opened):
    viewer, layers, _ = opened
    store = store_behind(layers[0])
    viewer.layers.clear()
    turn()
    assert np.array_equal(store.read(0, selection=(0, 1)), DATA[1])
    assert store_behind(layers[0]) is store


def test_a_layer_added_to_a_viewer_without_a_window_lets_go_as_well(stored, qapp):
    layers = open_layers(stored)
    viewer = ViewerModel()
    for layer in layers:
        viewer.add_layer(layer)
    scene = scene_of(viewer)
    gone = weakref.ref(store_behind(layers[0]))
    viewer.layers.clear()
    wait_for(lambda: gone() is None)
    viewer.layers.append(layers[0])
    assert scene.port_of(layers[0]) is not None
    assert np.array_equal(layers[0].data[0][0, 3].read(), DATA[0, 3])
    scene.close()
