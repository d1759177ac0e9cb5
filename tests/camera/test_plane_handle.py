"""The outline of a plane in a box, and what a drag of its handle does to the plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from brickfield.camera.plane_handle import (
    angles_of,
    box_round,
    centroid,
    handle,
    in_front,
    normal_at,
    outline,
    part_under,
    shifted,
    tilted,
)
from brickfield.model import CameraState, Plane
from brickfield.testing.cameras import pixel_of

LOW, HIGH = np.array([-5.0, -10.0, -20.0]), np.array([7.0, 12.0, 16.0])
PICKS = np.indices((2, 2, 2)).reshape(3, -1).T
UPRIGHT = np.stack([LOW, HIGH])[PICKS, np.arange(3)]
SHEAR = np.array([[1.0, 0.2, -0.1], [0.0, 0.8, 0.3], [0.3, -0.4, 1.2]])
# Looks along z from in front: columns are x, rows are y, a pixel is a unit.
FLAT = CameraState(
    position=(-100.0, 0.0, 0.0),
    target=(0.0, 0.0, 0.0),
    up=(0.0, -1.0, 0.0),
    viewport=(400, 300),
    orthographic=True,
    height=300.0,
)
OBLIQUE = CameraState(
    position=(-80.0, -60.0, 50.0),
    target=(0.0, 0.0, 0.0),
    up=(0.0, -1.0, 0.0),
    viewport=(400, 300),
    near=1.0,
    far=500.0,
)
CAMERAS = {
    "perspective": OBLIQUE,
    "parallel": replace(OBLIQUE, orthographic=True, height=80.0),
}
directions = st.tuples(*[st.floats(-1, 1)] * 3).filter(
    lambda v: np.linalg.norm(v) > 0.1
)
points = st.tuples(
    *[st.floats(float(a), float(b)) for a, b in zip(LOW, HIGH, strict=True)]
)


def area_of(polygon):
    """By the shoelace formula, in coordinates of two axes in the polygon's plane."""
    a = polygon[1] - polygon[0]
    a = a / np.linalg.norm(a)
    b = polygon[-1] - polygon[0]
    b = b - (b @ a) * a
    b = b / np.linalg.norm(b)
    u, v = (polygon - polygon[0]) @ a, (polygon - polygon[0]) @ b
    return abs(u @ np.roll(v, -1) - v @ np.roll(u, -1)) / 2


def area_by_clipping(plane, matrix):
    """Cut a large square in the plane by one half-space of the box after another."""
    down, right, _ = plane.axes
    square = [(-1, -1), (-1, 1), (1, 1), (1, -1)]
    polygon = [np.array(plane.point) + 500 * (a * down + b * right) for a, b in square]
    inverse = np.linalg.inv(matrix)
    for axis in range(3):
        for sign, end in ((1, HIGH[axis]), (-1, -LOW[axis])):
            inside = [sign * (inverse @ p)[axis] - end for p in polygon]
            cut = []
            for i, (p, d) in enumerate(zip(polygon, inside, strict=True)):
                q, e = polygon[i - 1], inside[i - 1]
                if (d <= 0) != (e <= 0):
                    cut.append(q + (p - q) * e / (e - d))
                if d <= 0:
                    cut.append(p)
            polygon = cut
            if not polygon:
                return 0.0
    return area_of(np.array(polygon)) if len(polygon) > 2 else 0.0


@pytest.mark.parametrize("matrix", [np.eye(3), SHEAR], ids=["upright", "sheared"])
@given(point=points, normal=directions)
def test_the_outline_is_what_the_plane_and_the_box_have_in_common(
    matrix, point, normal
):
    """Corners lie on the plane and on faces; the area is that of a clipped square."""
    plane = Plane(tuple(matrix @ point), normal)
    polygon = outline(plane, UPRIGHT @ matrix.T)
    area = area_by_clipping(plane, matrix)
    if not len(polygon):
        assert area < 1e-6
        return
    assert 3 <= len(polygon) <= 6
    np.testing.assert_allclose(plane.distance(polygon), 0, atol=1e-9)
    inside = polygon @ np.linalg.inv(matrix).T
    assert (inside >= LOW - 1e-9).all()
    assert (inside <= HIGH + 1e-9).all()
    on_face = np.isclose(inside, LOW) | np.isclose(inside, HIGH)
    assert (on_face.sum(axis=1) >= 2).all(), "a corner lies on an edge of the box"
    if area > 1e-3:
        assert area_of(polygon) == pytest.approx(area, rel=1e-6, abs=1e-6)
        middle = centroid(polygon)
        assert plane.distance(middle) == pytest.approx(0, abs=1e-9)


def test_a_plane_beside_the_box_has_no_outline():
    assert outline(Plane((30.0, 0.0, 0.0), (1.0, 0.1, 0.0)), UPRIGHT).shape == (0, 3)


def test_a_slice_across_an_axis_has_a_face_as_its_outline():
    polygon = outline(Plane.across(0, 1.0), UPRIGHT)
    assert {tuple(p) for p in polygon} == {
        (1.0, y, x) for y in (-10.0, 12.0) for x in (-20.0, 16.0)
    }


def test_one_turned_volume_is_cut_as_it_is_and_several_by_the_box_round_all():
    turned = UPRIGHT @ SHEAR.T
    assert box_round([turned]) is turned
    box = box_round([UPRIGHT, UPRIGHT + 100])
    np.testing.assert_array_equal(box[0], LOW)
    np.testing.assert_array_equal(box[7], HIGH + 100)


# -- the handle --------------------------------------------------------------------

PLANE = Plane((1.0, 2.0, 3.0), (1.0, -0.5, 0.5))


def placed(camera, plane=PLANE):
    return handle(camera, plane, outline(plane, UPRIGHT))


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_the_arrow_stands_on_the_planes_point_and_looks_at_the_camera(camera):
    place = placed(camera)
    assert place.point == PLANE.point
    np.testing.assert_allclose(place.foot, pixel_of(camera, PLANE.point))
    along = place.arrow / np.linalg.norm(place.arrow)
    np.testing.assert_allclose(abs(along @ PLANE.normal), 1)
    assert along @ camera.forward < 0


def test_a_point_outside_the_volume_gives_its_place_to_the_outlines_middle():
    far = Plane(tuple(np.array(PLANE.point) + 200 * PLANE.axes[0]), PLANE.normal)
    polygon = outline(far, UPRIGHT)
    place = handle(OBLIQUE, far, polygon)
    np.testing.assert_allclose(place.point, centroid(polygon))


def test_without_an_outline_or_a_place_in_the_picture_there_is_no_handle():
    assert placed(OBLIQUE, Plane((30.0, 0.0, 0.0), (1.0, 0.0, 0.0))) is None
    away = replace(OBLIQUE, target=(-160.0, -120.0, 100.0))
    assert placed(away) is None


def test_a_normal_seen_end_on_can_be_tilted_only():
    place = placed(FLAT, Plane.across(0, 1.0))
    assert not place.can_shift
    assert part_under(place, place.foot, reach_px=8) == "tip"


def test_the_nearer_part_within_reach_is_under_the_cursor():
    place = placed(OBLIQUE)
    assert part_under(place, place.foot, reach_px=8) == "foot"
    assert part_under(place, place.tip, reach_px=8) == "tip"
    assert part_under(place, (2.0, 2.0), reach_px=8) is None
    assert part_under(None, (2.0, 2.0), reach_px=8) is None


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
@given(gone=st.floats(-6, 6))
def test_a_shifted_plane_follows_the_cursor_along_its_normal(camera, gone):
    place = placed(camera)
    there = PLANE.moved(gone).point
    move = pixel_of(camera, there) - pixel_of(camera, PLANE.point)
    after = shifted(camera, PLANE, place, tuple(move), UPRIGHT)
    assert after.normal == PLANE.normal
    np.testing.assert_allclose(after.point, there, atol=1e-6)


@given(dx=st.floats(-1e6, 1e6), dy=st.floats(-1e6, 1e6))
def test_no_shift_leads_out_of_the_volume(dx, dy):
    after = shifted(OBLIQUE, PLANE, placed(OBLIQUE), (dx, dy), UPRIGHT)
    assert len(outline(after, UPRIGHT))


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
@given(normal=directions)
def test_a_tilted_planes_normal_follows_the_cursor(camera, normal):
    """The tip is dragged to where it is drawn for another normal."""
    place = placed(camera)
    radius = np.linalg.norm(place.arrow)
    goal = np.array(normal) / np.linalg.norm(normal)
    eye = np.array(camera.position) - place.point
    sight = -camera.forward if camera.orthographic else eye / np.linalg.norm(eye)
    # What of the ball is seen: the side of the eye.
    assume(goal @ sight > 0.2)
    tip = pixel_of(camera, np.array(place.point) + radius * goal)
    move = tip - np.array(place.tip)
    after = tilted(camera, PLANE, place, tuple(move))
    assert after.point == PLANE.point
    sign = np.sign(place.arrow @ PLANE.normal)
    np.testing.assert_allclose(sign * np.array(after.normal), goal, atol=1e-6)


@pytest.mark.parametrize("camera", CAMERAS.values(), ids=CAMERAS)
def test_a_tilt_turns_about_an_axis_in_the_plane(camera):
    """That axis is square to both normals."""
    place = placed(camera)
    after = tilted(camera, PLANE, place, (9.0, -4.0))
    axis = np.cross(PLANE.normal, after.normal)
    assert np.linalg.norm(axis) > 0.05
    assert axis @ PLANE.normal == pytest.approx(0, abs=1e-12)


@given(dx=st.floats(-1e4, 1e4), dy=st.floats(-1e4, 1e4))
def test_however_far_it_is_dragged_the_tip_stays_on_the_side_of_the_camera(dx, dy):
    camera = CAMERAS["parallel"]
    place = placed(camera)
    after = tilted(camera, PLANE, place, (dx, dy))
    sign = np.sign(place.arrow @ PLANE.normal)
    assert sign * np.array(after.normal) @ camera.forward < 1e-9


def test_a_drag_with_a_broken_number_changes_nothing():
    place = placed(OBLIQUE)
    assert tilted(OBLIQUE, PLANE, place, (float("nan"), 0.0)) == PLANE
    assert shifted(OBLIQUE, PLANE, place, (0.0, float("inf")), UPRIGHT) == PLANE


# -- angles ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("normal", "angles"),
    [
        ((1, 0, 0), (0, 0)),
        ((0, 0, 1), (90, 0)),
        ((0, 1, 0), (90, 90)),
        ((0, -1, 0), (90, -90)),
        ((0, 0, -1), (90, 180)),
        ((-1, 0, 0), (180, 0)),
        ((1, 0, 1), (45, 0)),
    ],
)
def test_tilt_is_from_z_and_turn_from_x_to_y(normal, angles):
    assert angles_of(Plane((0.0, 0.0, 0.0), normal).normal) == pytest.approx(angles)


@given(normal=directions)
def test_angles_give_the_normal_back(normal):
    normal = Plane((0.0, 0.0, 0.0), normal).normal
    tilt, turn = angles_of(normal)
    assert 0 <= tilt <= 180
    assert -180 < turn <= 180
    np.testing.assert_allclose(normal_at(tilt, turn), normal, atol=1e-9)


def test_right_angles_are_exact():
    assert normal_at(90, 0) == (0.0, 0.0, 1.0)
    assert normal_at(90, 90) == (0.0, 1.0, 0.0)
    assert normal_at(180, 45) == (-1.0, pytest.approx(0), pytest.approx(0))


# -- inside the volume -------------------------------------------------------------


def test_only_what_is_in_front_of_the_camera_is_drawn():
    """The eye is in the middle of a square of 36 by 22 and looks along x."""
    polygon = outline(Plane.across(0, 0.0), UPRIGHT)
    inside = replace(OBLIQUE, position=(1.0, 0.0, 0.0), target=(1.0, 0.0, 10.0))
    part = in_front(inside, polygon)
    assert area_of(part) == pytest.approx(16 * 22, rel=0.01)
    assert (part[:, 2] > 0).all()
    assert in_front(FLAT, polygon) is polygon
    away = replace(inside, position=(1.0, 0.0, 30.0), target=(1.0, 0.0, 40.0))
    assert in_front(away, polygon).shape == (0, 3)
