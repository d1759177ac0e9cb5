"""A cross-hair goes through its point, in volumes and in slices."""

import numpy as np

from brickfield.loading import default_cache
from brickfield.model import Plane
from brickfield.model.appearance import Appearance, ChannelAppearance
from brickfield.rendering.overlays.axes import AXIS_COLORS
from brickfield.rendering.overlays.projection import project_points
from brickfield.store import open_store

SURFACE = Appearance(
    mode="iso",
    channels=(ChannelAppearance(contrast=(0.0, 255.0), iso_threshold=150.0),),
)


def is_color(image, axis) -> np.ndarray:
    color = 255 * np.array(AXIS_COLORS[axis][:3])
    return np.abs(image[..., :3] - color).max(axis=-1) < 12


def test_in_a_slice_lines_cross_the_picture_at_the_point(dark, seen):
    view = seen(dark, (100, 100), camera="ortho:z")
    view.plane = Plane.across(0, 40.0)
    view.wait_until_complete(30)
    view.overlays.set_options("marker", visible=True, position=(40, 29, 59), width=2)
    image = view.image()
    # World -1 to 99 over 100 pixels: y 29 is row 30, x 59 is column 60.
    along_x, along_y = is_color(image, 2), is_color(image, 1)
    assert set(np.nonzero(along_x)[0].tolist()) <= {29, 30}
    assert set(np.nonzero(along_y)[1].tolist()) <= {59, 60}
    assert along_x[:, [0, 99]].any(axis=0).all(), "from edge to edge"
    assert along_y[[0, 99]].any(axis=1).all()
    assert not image[28:32, 58:62, :3].any(), "the point itself stays free"


def test_in_a_volume_lines_run_through_the_data(dark, seen):
    view = seen(dark, (160, 120), camera="orbit:30,25")
    point = (49.0, 29.0, 69.0)
    view.overlays.set_options("marker", visible=True, position=point, width=2)
    image = view.image()
    for axis in range(3):
        end = np.array(point)
        end[axis] = 99.0
        third = np.array(point) + 0.4 * (end - point)
        ((x, y, _),) = project_points([third], view.camera, (160, 120))
        row, column = int(120 - y), int(x)
        tile = image[row - 2 : row + 3, column - 2 : column + 3, :3]
        hue = np.array(AXIS_COLORS[axis][:3])
        brightest = tile.reshape(-1, 3)[tile.sum(axis=-1).argmax()] / 255
        assert brightest @ hue / np.linalg.norm(brightest) / np.linalg.norm(hue) > 0.97


def test_behind_a_surface_lines_are_dimmer(seen):
    data = np.zeros((40, 40, 40), np.uint8)
    data[5, :, :] = 200
    default_cache().clear()
    with open_store(data) as store:
        view = seen(store, (80, 80), camera="ortho:z", look=SURFACE)
        view.overlays.set_options(
            "marker", visible=True, position=(20, 20, 20), color="red", width=4
        )
        dim = view.image()[20:60, 41]
        view.overlays.set_options("marker", hidden_opacity=0.0)
        hidden = view.image()[20:60, 41]
        view.overlays.set_options("marker", position=(1, 20, 20))
        before = view.image()[20:60, 41]
    assert (hidden[:, 0] == hidden[:, 1]).all(), "as gray as the surface"
    assert (before[:, :2] == [255, 0]).all(axis=1).sum() > 20
    assert dim[5, 1] not in (0, hidden[5, 1])


def test_without_a_point_there_is_nothing(dark, seen, changed):
    view = seen(dark, (80, 80))
    view.overlays.set_options("marker", visible=True)
    assert not changed(view).any()


def test_a_point_far_outside_changes_no_picture(dark, seen, changed):
    view = seen(dark, (80, 80), camera="orbit:30,25")
    view.overlays.set_options("marker", visible=True, position=(-1e7, 2e9, 1e9))
    assert changed(view).mean() < 0.2
