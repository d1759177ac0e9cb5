"""Contrast limits while the first voxels come."""

import time

import numpy as np
import pytest
from napari.layers import Image
from qtpy.QtCore import QCoreApplication

import brickfield as bf
from brickfield.plugin.live import contrast
from brickfield.plugin.live.contrast import LiveContrast, window_of
from brickfield.qt import Background
from brickfield.testing.zarr_stores import image_attributes, write_image

pytestmark = [pytest.mark.napari, pytest.mark.qt]
STACK = np.random.default_rng(2).integers(100, 4000, (4, 64, 96)).astype(np.uint16)


@pytest.fixture
def behind(tmp_path):
    """Three time points of two levels, of which the coarse one has not been written."""
    fine = np.stack([0 * STACK, STACK, STACK])
    coarse = np.zeros((3, 2, 32, 48), np.uint16)
    return write_image(
        tmp_path / "a.ome.zarr",
        [fine, coarse],
        image_attributes("tzyx", [(1, 1, 1, 1), (1, 2, 2, 2)]),
    )


def turn_until(is_true, limit_s=30.0):
    end = time.monotonic() + limit_s
    while not is_true():
        assert time.monotonic() < end, "it did not happen"
        QCoreApplication.processEvents()
        time.sleep(0.01)


def test_the_finest_level_tells_where_the_coarsest_is_not_written_yet(behind):
    with bf.open_store(str(behind)) as store:
        low, high = window_of(store, (2,))
    assert 100 <= low < 200 < 3900 < high < 4000


def test_looks_that_find_nothing_are_not_counted(qapp, behind, monkeypatch):
    monkeypatch.setattr(contrast, "PAUSE_S", 0.0)
    background = Background()
    with bf.open_store(str(behind)) as store:
        layer = Image(np.zeros((4, 4)), contrast_limits=(0, 1))
        chooses = LiveContrast(store, background)
        monkeypatch.setattr(contrast, "channel_of", lambda _: None)
        for _ in range(2 * contrast.MOST_CHOICES):
            chooses.choose([layer], 0)
            turn_until(lambda: not chooses._is_looking)
        assert tuple(layer.contrast_limits) == (0, 1)
        chooses.choose([layer], 2)
        turn_until(lambda: layer.contrast_limits[1] > 3900)
    background.close()
