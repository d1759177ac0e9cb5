"""The dock in napari: preferences, and napari's camera turned along."""

from __future__ import annotations

import numpy as np
import pytest

import brickfield as bf
from brickfield.camera import navigation
from brickfield.plugin.docking.camera_link import ORIENTATION
from brickfield.plugin.docking.docks import VolumeDock
from brickfield.plugin.settings import preferences

pytestmark = [pytest.mark.napari, pytest.mark.bindings]


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(strict_qt="raise")
    viewer.add_image(np.zeros((16, 24, 32), np.uint8))
    return viewer


@pytest.fixture
def dock(viewer) -> VolumeDock:
    bf.view_of(viewer)
    from brickfield.plugin.layers.registry import docks_of

    return docks_of(viewer)[0]


def test_budget_and_quality_come_from_the_preferences_and_follow_them(dock):
    chosen = preferences()
    chosen.memory.gpu_mib = 512
    assert dock.gpu_budget == 512 << 20
    assert dock.main_view.gpu_budget == 512 << 20
    chosen.drawing.quality_px = 2.0
    assert dock.main_view.quality == 2.0
    chosen.memory.gpu_mib, chosen.drawing.quality_px = 1024, 1.0


def test_the_framing_that_was_chosen_last_is_that_of_the_next_view(dock):
    view = dock.main_view
    assert view.framing.frames_content
    view.camera = view.camera
    for _ in range(2):
        view.framing.fit_again()
    assert preferences().drawing.frame_content
    view.framing.framing_chosen.emit(False)
    try:
        assert not preferences().drawing.frame_content
        dock.set_layout("xy")
        dock.set_layout("3D")
        assert dock.main_view is not view
        assert not dock.main_view.framing.frames_content
    finally:
        preferences().drawing.frame_content = True


def test_linked_cameras_follow_each_other_and_part_again(viewer, dock):
    camera, view = viewer.scene.camera, dock.main_view
    before = camera.orientation
    viewer.dims.ndisplay = 3
    dock.link_camera = True
    assert tuple(str(o) for o in camera.orientation) == ORIENTATION
    direction = np.array(camera.view_direction)
    view.navigate(lambda c: navigation.orbit(c, 40, 20))
    np.testing.assert_allclose(camera.view_direction, view.camera.forward, atol=1e-6)
    assert np.abs(np.array(camera.view_direction) - direction).max() > 0.05
    camera.angles = (10, 20, 30)
    np.testing.assert_allclose(view.camera.forward, camera.view_direction, atol=1e-6)
    camera.zoom *= 2
    dock.link_camera = False
    assert camera.orientation == before
    now = view.camera
    camera.angles = (0, 0, 0)
    assert view.camera == now


def test_the_link_rests_while_napari_shows_two_dimensions(viewer, dock):
    viewer.dims.ndisplay = 2
    dock.link_camera = True
    zoom = viewer.scene.camera.zoom
    dock.main_view.navigate(lambda c: navigation.zoom(c, 2.0))
    assert viewer.scene.camera.zoom == zoom
