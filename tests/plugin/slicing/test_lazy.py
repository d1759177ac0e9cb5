"""Slices in napari's own canvas: never waited for, and exact in the end."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Image, Layer
from qtpy.QtWidgets import QApplication

from brickfield.errors import ChunkReadError
from brickfield.loading import ChunkCache
from brickfield.plugin.layers.describe import layer_data_of
from brickfield.plugin.slicing import lazy
from brickfield.store import ChunkedImageStore
from brickfield.testing import MemorySource

FINE = np.random.default_rng(0).integers(100, 60_000, (64, 96, 128)).astype("u2")
COARSE = FINE.reshape(16, 4, 24, 4, 32, 4).mean((1, 3, 5)).astype("u2")


class Opened:
    """A source, its store and one layer in a viewer."""

    def __init__(self, viewer, source):
        self.viewer = viewer
        self.source = source
        self.store = ChunkedImageStore(source, cache=ChunkCache(1 << 26))
        self.layers = [Layer.create(*data) for data in layer_data_of(self.store)]
        for layer in self.layers:
            viewer.add_layer(layer)
        self.layer = self.layers[0]

    def settle(self):
        assert lazy.wait_until_loaded(self.layers, 20)

    @property
    def shown(self):
        return self.layer._slice.image.raw

    def expected(self, array=FINE, coarse=COARSE):
        """What numpy has for what napari shows."""
        z = round(self.viewer.dims.point[0])
        # napari rounds where it could take the plane that holds z.
        near = min(round(z / 4), len(coarse) - 1)
        plane = array[z] if self.layer.data_level == 0 else coarse[near]
        (_, y0, x0), (_, y1, x1) = self.layer.corner_pixels
        return plane[y0 : y1 + 1, x0 : x1 + 1]


def source_of(*levels, **options) -> MemorySource:
    options.setdefault("chunk", (16, 16, 16))
    options.setdefault("axes", "zyx")
    n = len(options["axes"]) - 3
    return MemorySource(levels or (FINE, COARSE), (*(1,) * n, 16, 16, 16), **options)


@pytest.fixture
def viewer(make_napari_viewer):
    made = make_napari_viewer(show=True, strict_qt="raise")
    made.window._qt_window.resize(900, 700)
    QApplication.processEvents()
    return made


@pytest.fixture
def open_image(viewer, monkeypatch) -> Iterator:
    made = []
    # What the coarsest level says of the contrast is none of this.
    monkeypatch.setattr(
        "brickfield.plugin.layers.auto_contrast._own_window", lambda *_: (0.0, 60_000.0)
    )

    def open_now(source):
        made.append(Opened(viewer, source))
        return made[-1]

    yield open_now
    for opened in made:
        opened.source.gate.set()
        opened.store.close()


@pytest.fixture
def opened(open_image):
    found = open_image(source_of())
    found.settle()
    return found


@pytest.fixture
def zoomed(opened):
    opened.viewer.scene.camera.zoom = 4
    QApplication.processEvents()
    opened.settle()
    assert opened.layer.data_level == 0
    return opened


# -- exact in the end -------------------------------------------------------------


def test_what_is_shown_in_the_end_is_the_array(zoomed):
    for z in (0, 17, 63):
        zoomed.viewer.dims.set_current_step(0, z)
        zoomed.settle()
        assert np.array_equal(zoomed.shown, zoomed.expected())


def test_after_a_reload_the_canvas_shows_the_new_voxels(zoomed):
    """What napari asks for is the same; the voxels are not."""
    new = FINE[::-1].copy()
    zoomed.source.arrays[0] = new
    zoomed.store.reload()
    zoomed.settle()
    assert np.array_equal(zoomed.shown, zoomed.expected(new))


def test_voxels_that_are_said_to_have_changed_are_shown_anew(zoomed):
    new = FINE.copy()
    z = zoomed.viewer.dims.current_step[0]
    new[z] = new[z, ::-1]
    zoomed.source.arrays[0] = new
    zoomed.store.mark_changed(0, (slice(z, z + 1), slice(None), slice(None)))
    zoomed.settle()
    assert np.array_equal(zoomed.shown, zoomed.expected(new))


def test_from_far_the_coarse_level_is_shown(opened):
    opened.viewer.scene.camera.zoom = 0.2
    QApplication.processEvents()
    opened.settle()
    assert opened.layer.data_level == 1
    assert np.array_equal(opened.shown, opened.expected())


def test_the_pixels_on_the_screen_are_the_arrays(zoomed):
    """Gray, four pixels a voxel: where a voxel's centre lies is its value."""
    viewer = zoomed.viewer
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0].astype(int)
    size = np.array(picture.shape)
    centre = np.array(viewer.scene.camera.center[-2:])
    plane = FINE[round(viewer.dims.point[0])]
    n_seen = 0
    for voxel in np.ndindex(plane.shape):
        y, x = np.rint(size / 2 + (np.array(voxel) - centre) * 4).astype(int)
        if 2 <= y < size[0] - 2 and 2 <= x < size[1] - 2:
            n_seen += 1
            assert abs(picture[y, x] - plane[voxel] / 60_000 * 255) <= 1, voxel
    assert n_seen > 1000


def test_in_three_dimensions_the_coarse_level_is_shown_whole(opened):
    opened.viewer.dims.ndisplay = 3
    opened.settle()
    assert np.array_equal(opened.shown, COARSE)


def test_a_level_can_be_locked(opened):
    opened.viewer.dims.ndisplay = 3
    opened.layer.locked_data_level = 0
    opened.settle()
    assert np.array_equal(opened.shown, FINE)


def test_axes_can_be_swapped(zoomed):
    zoomed.viewer.dims.order = (2, 0, 1)
    zoomed.settle()
    assert zoomed.layer.data_level == 0
    x = round(zoomed.viewer.dims.point[2])
    (z0, y0, _), (z1, y1, _) = zoomed.layer.corner_pixels
    assert np.array_equal(zoomed.shown, FINE[z0 : z1 + 1, y0 : y1 + 1, x])


def test_a_thick_slice_is_the_mean_of_its_planes(zoomed):
    zoomed.viewer.dims.set_current_step(0, 20)
    zoomed.viewer.dims.margin_left = (2, 0, 0)
    zoomed.viewer.dims.margin_right = (2, 0, 0)
    zoomed.settle()
    (_, y0, x0), (_, y1, x1) = zoomed.layer.corner_pixels
    planes = FINE[18:23, y0 : y1 + 1, x0 : x1 + 1]
    assert np.allclose(zoomed.shown, planes.mean(0))


def test_the_thumbnail_shows_the_data_in_the_end(opened):
    assert opened.layer.thumbnail[..., :3].any()


def test_a_flat_image_is_shown_in_the_end(open_image):
    """napari keeps what it first got as the thumbnail of a flat one."""
    levels = [FINE[0], COARSE[0]]
    source = MemorySource(levels, (16, 16), axes="yx", chunk=(1, 16, 16))
    opened = open_image(source)
    opened.settle()
    assert opened.layer.ndim == 2
    plane = (FINE[0], COARSE[0])[opened.layer.data_level]
    (y0, x0), (y1, x1) = opened.layer.corner_pixels
    assert np.array_equal(opened.shown, plane[y0 : y1 + 1, x0 : x1 + 1])
    assert np.array_equal(opened.layer._slice.thumbnail.raw, COARSE[0])


# -- never waited for -------------------------------------------------------------


def test_a_slice_is_answered_while_every_read_waits(zoomed):
    zoomed.source.gate.clear()
    zoomed.store.forget()
    zoomed.viewer.dims.set_current_step(0, 1)
    assert not lazy.is_loaded(zoomed.layer)
    assert zoomed.shown.shape == zoomed.expected().shape
    zoomed.source.gate.set()
    zoomed.settle()
    assert np.array_equal(zoomed.shown, zoomed.expected())


def test_coarser_voxels_stand_in_meanwhile(zoomed):
    zoomed.viewer.dims.set_current_step(0, 40)
    zoomed.settle()
    z = 10  # other fine chunks, the same coarse ones
    zoomed.source.gate.clear()
    zoomed.viewer.dims.set_current_step(0, z)
    (_, y0, x0), (_, y1, x1) = zoomed.layer.corner_pixels
    stand_in = COARSE[z // 4].repeat(4, 0).repeat(4, 1)
    assert np.array_equal(zoomed.shown, stand_in[y0 : y1 + 1, x0 : x1 + 1])
    zoomed.source.gate.set()
    zoomed.settle()
    assert np.array_equal(zoomed.shown, zoomed.expected())


def test_adding_a_layer_and_turning_to_3d_wait_for_nothing(open_image):
    source = source_of()
    source.gate.clear()
    opened = open_image(source)
    opened.viewer.dims.ndisplay = 3
    assert opened.shown.shape == COARSE.shape
    assert not opened.shown.any()


def test_what_is_no_longer_shown_is_no_longer_wanted(zoomed):
    zoomed.source.gate.clear()
    zoomed.viewer.dims.set_current_step(0, 20)
    QApplication.processEvents()
    zoomed.viewer.dims.set_current_step(0, 60)
    QApplication.processEvents()
    feed = lazy.existing_feed(zoomed.layer)
    wanted = {
        c.index[0]
        for c in zoomed.store.manager.waiting(feed.visual_id)
        if c.scale_level == 0
    }
    assert wanted == {60 // 16}


def test_many_chunks_cause_few_drawings(open_image):
    opened = open_image(source_of())
    n_drawn = []
    opened.layer.events.set_data.connect(lambda _: n_drawn.append(1))
    opened.layer.locked_data_level = 0
    opened.viewer.dims.ndisplay = 3
    opened.settle()
    n_chunks = sum(opened.source.reads.values())
    assert n_chunks >= 4 * 6 * 8
    assert len(n_drawn) < n_chunks / 4


# -- everybody else gets voxels ---------------------------------------------------


def test_arrays_made_of_levels_hold_the_voxels(opened):
    assert np.array_equal(np.asarray(opened.layer.data[0]), FINE)
    assert np.array_equal(np.asarray(opened.layer.data[1][3]), COARSE[3])
    assert opened.layer.data[0][5, 6, 7] == FINE[5, 6, 7]


def test_an_array_made_on_the_windows_thread_waits_for_its_voxels(opened):
    opened.source.gate.clear()
    opened.store.forget()
    threading.Timer(0.2, opened.source.gate.set).start()
    assert np.array_equal(np.asarray(opened.layer.data[0][7]), FINE[7])


def test_a_layer_that_is_in_no_viewer_gets_its_slice_too(opened):
    layer = Image(list(opened.layer.data), multiscale=True, contrast_limits=(0, 1))
    assert lazy.wait_until_loaded(layer, 10)
    assert np.array_equal(layer._slice.image.raw, COARSE[0])


def test_without_a_window_slices_are_read(opened, monkeypatch):
    monkeypatch.setattr(lazy, "is_window_thread", lambda: False)
    opened.store.forget()
    layer = Image(list(opened.layer.data), multiscale=True, contrast_limits=(0, 1))
    assert np.array_equal(layer._slice.image.raw, COARSE[0])


# -- more than one layer ----------------------------------------------------------


def test_a_duplicate_loads_for_itself(zoomed):
    twin = Layer.create(*zoomed.layer.as_layer_data_tuple())
    zoomed.viewer.add_layer(twin)
    assert lazy.wait_until_loaded([zoomed.layer, twin], 20)
    assert twin.data[0].store is zoomed.store
    assert np.array_equal(twin._slice.image.raw, zoomed.expected())
    feeds = {lazy.existing_feed(layer).visual_id for layer in (zoomed.layer, twin)}
    assert len(feeds) == 2


def test_channels_and_times_show_their_own_voxels(open_image):
    array = np.random.default_rng(3).integers(0, 255, (3, 2, 20, 32, 32)).astype("u1")
    opened = open_image(source_of(array, axes="tczyx"))
    assert [layer.ndim for layer in opened.layers] == [4, 4]
    opened.viewer.dims.set_current_step((0, 1), (2, 11))
    opened.settle()
    for channel, layer in enumerate(opened.layers):
        assert np.array_equal(layer._slice.image.raw, array[2, channel, 11])


# -- what cannot be read ----------------------------------------------------------


def test_a_failed_chunk_is_drawn_coarser_and_listed(zoomed):
    z = 40
    zoomed.source.fail(0, (2, 2, 3))
    zoomed.store.forget()
    zoomed.viewer.dims.set_current_step(0, z)
    zoomed.settle()
    full = FINE[z].copy()
    full[32:48, 48:64] = COARSE[z // 4].repeat(4, 0).repeat(4, 1)[32:48, 48:64]
    assert np.array_equal(zoomed.shown, zoomed.expected(np.stack([full] * 64)))
    (failure,) = lazy.failures_of(zoomed.layer)
    assert failure.chunk_id.index == (2, 2, 3)
    assert "corrupt" in failure.reason
    with pytest.raises(ChunkReadError):
        np.asarray(zoomed.layer.data[0][z])


def test_failed_chunks_can_be_read_again(zoomed):
    zoomed.source.fail(0, (2, 2, 3))
    zoomed.store.forget()
    zoomed.viewer.dims.set_current_step(0, 40)
    zoomed.settle()
    zoomed.source.heal()
    assert lazy.retry_failed(zoomed.layer) == 1
    zoomed.settle()
    assert np.array_equal(zoomed.shown, zoomed.expected())
    assert not lazy.failures_of(zoomed.layer)


def test_a_store_that_is_closed_leaves_the_layer(zoomed):
    zoomed.store.close()
    zoomed.viewer.dims.set_current_step(0, 1)
    zoomed.settle()
    assert zoomed.shown.shape == zoomed.expected().shape


def test_a_level_that_cannot_fit_in_memory_is_refused_in_a_sentence(
    opened, monkeypatch
):
    monkeypatch.setattr(
        "brickfield.plugin.slicing.progressive_slice.available_bytes", lambda: 1 << 20
    )
    opened.viewer.dims.ndisplay = 3
    with pytest.raises(MemoryError, match="choose a coarser level"):
        opened.layer.locked_data_level = 0
    opened.layer._locked_data_level = None


# -- napari's own slicing thread --------------------------------------------------


def test_with_napari_slicing_on_a_thread_of_its_own_it_works(
    open_image, monkeypatch, qtbot
):
    from napari.settings import get_settings

    opened = open_image(source_of())
    monkeypatch.setattr(opened.viewer._layer_slicer, "_force_sync", False)
    get_settings().experimental.async_ = True
    try:
        opened.source.fail(1, (0, 1, 1))
        opened.store.forget()
        opened.viewer.dims.set_current_step(0, 33)
        qtbot.waitUntil(lambda: bool(opened.layer.loaded), timeout=10_000)
        opened.viewer._layer_slicer.wait_until_idle(10)
        expected = COARSE[8].copy()
        expected[16:, 16:] = 0
        qtbot.waitUntil(
            lambda: np.array_equal(opened.layer._slice.thumbnail.raw, expected),
            timeout=10_000,
        )
    finally:
        get_settings().experimental.async_ = False


# -- labels -----------------------------------------------------------------------


def test_labels_are_drawn_as_they_arrive(open_image):
    """napari keeps what it has mapped to colours; it must not keep what stood in."""
    source = source_of((FINE % 50).astype("u2"), (COARSE % 50).astype("u2"))
    source.info = replace(source.info, is_labels=True)
    source.gate.clear()
    opened = open_image(source)
    assert not opened.shown.any()
    source.gate.set()
    opened.settle()
    opened.layer.locked_data_level = 0
    opened.settle()
    z = round(opened.viewer.dims.point[0])
    assert np.array_equal(opened.shown, FINE[z] % 50)
    fresh = opened.layer.colormap._data_to_texture(FINE[z] % 50)
    assert np.array_equal(opened.layer._slice.image.view, fresh)


# -- the end ----------------------------------------------------------------------


def test_a_window_may_close_while_its_layers_load(open_image):
    source = source_of()
    source.gate.clear()
    opened = open_image(source)
    QApplication.processEvents()
    opened.viewer.close()
    source.gate.set()
    opened.store.close()
    QApplication.processEvents()


def test_a_layer_may_go_while_it_loads(open_image):
    source = source_of()
    source.gate.clear()
    opened = open_image(source)
    QApplication.processEvents()
    expected = opened.expected()
    opened.viewer.layers.remove(opened.layer)
    source.gate.set()
    opened.settle()
    assert np.array_equal(opened.shown, expected)


def test_two_windows_show_one_layer_each_of_one_store(opened, make_napari_viewer):
    other = make_napari_viewer()
    twin = other.add_layer(Layer.create(*opened.layer.as_layer_data_tuple()))
    opened.viewer.dims.set_current_step(0, 5)
    other.dims.set_current_step(0, 50)
    assert lazy.wait_until_loaded([opened.layer, twin], 20)
    assert np.array_equal(opened.shown, opened.expected())
    assert np.array_equal(twin._slice.thumbnail.raw, COARSE[round(50 / 4)])


# -- ahead ------------------------------------------------------------------------


def test_going_through_planes_the_next_chunks_are_read_in_advance(zoomed):
    zoomed.viewer.dims.set_current_step(0, 20)
    zoomed.settle()
    zoomed.viewer.dims.set_current_step(0, 21)
    zoomed.settle()
    wait_for(
        lambda: any(name[1][0] == 2 for name in zoomed.source.reads if not name[0])
    )
    assert not any(name[1][0] == 3 for name in zoomed.source.reads if not name[0])


def test_chunks_nearest_to_the_middle_are_read_first(open_image):
    source = source_of(concurrency=1)
    opened = open_image(source)
    opened.settle()
    source.order.clear()
    opened.viewer.dims.ndisplay = 3
    opened.layer.locked_data_level = 0
    opened.settle()
    middle = np.array([1.5, 2.5, 3.5])
    away = [abs(np.array(i) - middle).max() for level, i in source.order if level == 0]
    assert away[0] < away[-1]


def wait_for(is_true, timeout_s=10):
    from time import monotonic

    end = monotonic() + timeout_s
    while not is_true():
        assert monotonic() < end, "it did not come to pass"
        QApplication.processEvents()
