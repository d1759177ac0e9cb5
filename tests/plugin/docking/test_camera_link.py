"""napari's own 3D canvas and our view draw the same place at the same pixel."""

import numpy as np
import pytest

from brickfield.plugin.docking.camera_link import (
    ORIENTATION,
    NapariCamera,
    from_napari,
    is_mirrored,
    to_napari,
)
from brickfield.rendering import OffscreenView
from brickfield.store import ChunkedLayer, open_store

SCALE = (2.0, 1.0, 1.0)
ANGLES = [(0, 0, 90), (20, 30, 40), (-70, 15, 100)]


def spot(image):
    """Middle of what is bright, as shares of width and height."""
    bright = image[..., :3].max(axis=-1).astype(float)
    bright[bright < 100] = 0
    assert bright.any()
    rows, columns = np.indices(bright.shape) + 0.5
    height, width = bright.shape
    total = bright.sum()
    return np.array(
        [
            (bright * columns).sum() / total / width,
            (bright * rows).sum() / total / height,
        ]
    )


@pytest.fixture
def volume():
    voxels = np.zeros((40, 50, 60), np.uint8)
    voxels[8:12, 13:17, 45:49] = 255
    return voxels


@pytest.fixture
def viewer(make_napari_viewer, volume):
    viewer = make_napari_viewer(show=True, strict_qt="raise")
    viewer.add_image(volume, scale=SCALE, rendering="mip", contrast_limits=(0, 255))
    viewer.dims.ndisplay = 3
    return viewer


@pytest.fixture
def view(volume, adapter):
    store = open_store(volume, scale=SCALE)
    view = OffscreenView((300, 240))
    view.set_layers([ChunkedLayer(store)])
    yield view
    view.close()
    store.close()


def drawn_by_napari(viewer, qtbot):
    # napari turns its camera when it draws: twice, so that both agree
    viewer.screenshot(canvas_only=True, flash=False)
    qtbot.wait(10)
    return viewer.screenshot(canvas_only=True, flash=False)


def plain(camera, orientation):
    return NapariCamera(
        tuple(camera.center),
        camera.zoom,
        tuple(camera.view_direction),
        tuple(camera.up_direction),
        camera.perspective,
        is_mirrored(orientation),
    )


@pytest.mark.parametrize("orientation", [ORIENTATION, ("towards", "down", "right")])
def test_a_bright_blob_is_at_the_same_place_in_both(viewer, view, qtbot, orientation):
    camera = viewer.scene.camera
    camera.orientation = orientation
    for angles in ANGLES:
        for perspective in (0, 30):
            camera.angles, camera.perspective = angles, perspective
            camera.center, camera.zoom = (40.0, 25.0, 30.0), 4.0
            picture = drawn_by_napari(viewer, qtbot)
            size = (picture.shape[1], picture.shape[0])
            ours = from_napari(plain(camera, orientation), size, (300, 240))
            view.camera = ours
            assert view.wait_until_complete(20)
            seen, expected = spot(view.image()), spot(picture)
            # the shorter side shows equally much, the longer one as much as it has
            ratio = np.array([size[0] / size[1] / (300 / 240), 1.0])
            np.testing.assert_allclose(
                (seen - 0.5), (expected - 0.5) * ratio, atol=0.02
            )


def test_napari_takes_our_camera_and_gives_it_back(viewer, qtbot):
    camera = viewer.scene.camera
    camera.orientation = ORIENTATION
    camera.angles, camera.zoom, camera.perspective = (20, 30, 40), 5.0, 25
    picture = drawn_by_napari(viewer, qtbot)
    size = (picture.shape[1], picture.shape[0])
    before = plain(camera, ORIENTATION)
    camera.angles, camera.zoom = (0, 0, 90), 1.0
    there = to_napari(from_napari(before, size, size), size)
    camera.center, camera.zoom, camera.perspective = (
        there.center,
        there.zoom,
        there.perspective,
    )
    camera.set_view_direction(there.view_direction, there.up_direction)
    again = drawn_by_napari(viewer, qtbot)
    assert np.abs(spot(again) - spot(picture)).max() < 0.002
