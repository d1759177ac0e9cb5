"""What a window reads of a level that the RAM budget does not keep."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.loading import default_cache
from brickfield.plugin.layers import make
from brickfield.plugin.settings import settings
from brickfield.plugin.slicing.lazy import is_loaded
from brickfield.testing.zarr_stores import write_image
from brickfield.viewer.live import ViewReport

pytestmark = [pytest.mark.napari, pytest.mark.gpu]
SHAPE = (128, 256, 272)
"""The least that a level is sampled from."""


@pytest.fixture
def half_the_ram():
    settings()  # sets the budget when it is first asked for
    cache = default_cache()
    before = cache.budget_bytes
    cache.budget_bytes = int(np.prod(SHAPE)) // 2
    yield
    cache.budget_bytes = before


@pytest.fixture
def image(tmp_path):
    data = np.random.default_rng(0).integers(0, 250, SHAPE, np.uint8)
    return write_image(tmp_path / "a.ome.zarr", [data], chunks=(64, 64, 64))


@pytest.mark.parametrize("way", ["open_volume", "dropped"])
def test_contrast_canvas_and_view_read_a_level_once(
    make_napari_viewer, adapter, qtbot, image, half_the_ram, way
):
    """Each needs all of it, and they come one after the other."""
    viewer = make_napari_viewer(show=True)
    if way == "open_volume":
        bf.open_volume(image, viewer=viewer)
    else:
        viewer.open(str(image), plugin="napari-brickfield")
    view, (layer,), reports = bf.view_of(viewer), viewer.layers, []
    view.reported.connect(reports.append)

    def is_over():
        return reports and reports[-1].is_complete and is_loaded(layer)

    qtbot.waitUntil(lambda: bool(is_over()), timeout=60_000)
    counters = bf.store_of(layer).manager.counters
    assert counters.decoded_chunks == 2 * 4 * 5
    assert counters.rereads == 0
    assert layer.contrast_limits == [0, 249]


def test_a_hidden_window_waits_for_no_view(make_napari_viewer, image, half_the_ram):
    """Nor does one without a dock: scripts read at once."""
    viewer = make_napari_viewer(show=False)
    (layer,) = viewer.open(str(image), plugin="napari-brickfield")
    assert not bf.store_of(layer).manager.gathering.is_on


def test_what_a_script_reads_is_read_at_once(
    make_napari_viewer, adapter, image, half_the_ram, monkeypatch
):
    """Though the view that would be waited for cannot come while the script runs."""
    monkeypatch.setattr(make, "LONGEST_S", 1e6)
    viewer = make_napari_viewer(show=True)
    (layer,) = bf.open_volume(image, viewer=viewer)
    store = bf.store_of(layer)
    assert store.manager.gathering.is_on
    assert np.asarray(layer.data[0]).shape == SHAPE
    assert np.asarray(layer.data[1]).shape == store.pyramid.levels[1].shape_zyx


def test_where_the_view_fails_napari_s_canvas_is_read_for(
    make_napari_viewer, image, half_the_ram, monkeypatch
):
    """Such as without a graphics driver."""
    monkeypatch.setattr(make, "LONGEST_S", 1e6)
    viewer = make_napari_viewer(show=True)
    view = bf.view_of(viewer)
    # What draws is on another thread, and has not been asked yet.
    (layer,) = make.open_layers(image, is_drawn_soon=True)
    gathering = bf.store_of(layer).manager.gathering
    assert gathering.is_on
    viewer.add_layer(layer)
    view.reported.emit(ViewReport(error="there is no graphics driver"))
    assert not gathering.is_on
