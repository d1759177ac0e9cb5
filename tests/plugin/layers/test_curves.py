"""An opacity curve is the alpha of napari's colormap, under one name."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.utils.colormaps import AVAILABLE_COLORMAPS

from brickfield.plugin.layers.appearance import ADDITION
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.viewer.controls import OPAQUE

CURVE = ((0.0, 0.0), (0.4, 0.1), (1.0, 0.8))


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def port(viewer):
    viewer.add_image(np.zeros((4, 5, 6), np.uint8), colormap="magma")
    scene = NapariScene(viewer)
    yield scene.layers[0]
    scene.close()


def test_a_curve_comes_back_point_by_point(port):
    port.opacity_curve = CURVE
    assert port.opacity_curve == CURVE
    assert port.lut[[0, 102, 255], 3].tolist() == [0, 26, 204]


def test_the_colours_keep_their_name(port):
    port.opacity_curve = CURVE
    assert port.colormap == "magma"


def test_a_drag_leaves_one_colormap_in_napari(port, viewer):
    before = len(AVAILABLE_COLORMAPS)
    for i in range(20):
        port.opacity_curve = ((0.0, i / 20), (1.0, 1.0))
    assert len(AVAILABLE_COLORMAPS) <= before + 1
    assert viewer.layers[0].colormap.name == "magma" + ADDITION


def test_without_a_curve_it_is_naparis_colormap_again(port, viewer):
    port.opacity_curve = CURVE
    port.opacity_curve = OPAQUE
    assert viewer.layers[0].colormap is AVAILABLE_COLORMAPS["magma"]


def test_a_colormap_that_others_choose_is_taken_as_it_is(port, viewer):
    port.opacity_curve = CURVE
    viewer.layers[0].colormap = "viridis"
    assert port.colormap == "viridis"
    assert port.opacity_curve == OPAQUE
