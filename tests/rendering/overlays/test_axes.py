"""The little axes point where the camera sees the world's axes point."""

import numpy as np
import pytest

from brickfield.model import CameraState, Plane
from brickfield.rendering.overlays.axes import AXIS_COLORS


def middle_of(image, axis) -> np.ndarray | None:
    """Mean (right, up) of the pixels in an axis' colour; None without any."""
    color = 255 * np.array(AXIS_COLORS[axis][:3])
    near = np.abs(image[..., :3] - color).max(axis=-1) < 12
    if near.sum() < 8:
        return None
    rows, columns = np.nonzero(near)
    return np.array([columns.mean(), -rows.mean()])


@pytest.mark.parametrize("camera", ["orbit:35,20", "orbit:-120,-50", "orbit:200,70"])
def test_arms_turn_with_the_camera(dark, seen, camera):
    view = seen(dark, (200, 200), camera=camera)
    view.overlays.set_options("axes", visible=True, length=40)
    image = view.image()
    ways = view.camera.axes[:2].T
    # The arms begin in the middle of their square, 8 pixels off the corner.
    reach = 40 + 0.9 * view.overlays.options("axes").font_size
    centre = np.array([8 + reach, -(200 - 8 - reach)])
    for axis in range(3):
        way = middle_of(image, axis) - centre
        cosine = way @ ways[axis] / np.linalg.norm(way) / np.linalg.norm(ways[axis])
        assert cosine > 0.97


def test_a_slice_view_shows_the_two_axes_within_the_plane(dark, seen):
    view = seen(dark, (160, 160), camera="ortho:z")
    view.plane = Plane.across(0, 50.0)
    view.wait_until_complete(30)
    view.overlays.set_options("axes", visible=True)
    z, y, x = (middle_of(view.image(), axis) for axis in range(3))
    assert z is None
    assert x[0] > y[0], "x to the right"
    assert x[1] > y[1], "y down"


def test_an_axis_that_points_at_the_eye_has_no_letter(dark, seen):
    view = seen(dark, (160, 160))
    view.camera = CameraState(
        (49, 49, -200), (49, 49, 49), (-1, 0, 0), (160, 160), orthographic=True,
        height=100,
    )  # fmt: skip
    view.overlays.set_options("axes", visible=True)
    found = [middle_of(view.image(), axis) for axis in range(3)]
    assert [m is not None for m in found] == [True, True, False]


def test_they_stand_in_their_corner(dark, seen, changed):
    view = seen(dark, (200, 200), camera="orbit:35,20")
    view.overlays.set_options("axes", visible=True, corner="top_right")
    rows, columns = np.nonzero(changed(view))
    assert rows.max() < 110
    assert columns.min() > 90
