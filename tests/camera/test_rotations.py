"""Turns in the camera's frame are right-handed, exact and safe."""

from math import nan, pi

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera.rotations import about, between, part_way, settled, turned
from brickfield.model import CameraState
from brickfield.testing.cameras import cameras

FRONT = CameraState((-10.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (40, 30))
unit = st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: np.linalg.norm(v) > 0.1)


def test_a_quarter_turn_about_up_takes_backward_to_right():
    np.testing.assert_allclose(
        about((0, 5, 0), pi / 2) @ (0, 0, 1), (1, 0, 0), atol=1e-12
    )


@given(unit, unit)
def test_the_shortest_rotation_leads_from_start_to_end(start, end):
    a, b = (np.array(v) / np.linalg.norm(v) for v in (start, end))
    if a @ b > -0.999:
        np.testing.assert_allclose(between(a, b) @ a, b, atol=1e-9)


@given(cameras(), unit, st.floats(-7, 7))
def test_turning_keeps_a_frame_that_is_not_mirrored(camera, axis, angle):
    after = turned(camera, about(axis, angle))
    np.testing.assert_allclose(after.axes @ after.axes.T, np.eye(3), atol=1e-9)
    assert np.sign(np.linalg.det(after.axes)) == np.sign(np.linalg.det(camera.axes))


def test_turning_round_the_eye_moves_the_target():
    after = turned(FRONT, about((0, 1, 0), pi / 2), round_eye=True)
    assert after.position == FRONT.position
    np.testing.assert_allclose(after.target, (-10, 0, 10), atol=1e-9)


def test_a_camera_with_a_broken_number_is_not_taken():
    broken = CameraState((nan, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (40, 30))
    inside = CameraState((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (40, 30))
    assert settled(FRONT, broken) is FRONT
    assert settled(FRONT, inside) is FRONT


@given(cameras(), cameras(), st.floats(0, 1))
def test_part_of_the_way_leads_to_the_end_evenly(a, b, share):
    there = part_way(a.axes, b.axes, share)
    np.testing.assert_allclose(there @ there.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(part_way(a.axes, b.axes, 1.0), b.axes, atol=1e-6)
    # two halves of a way are the whole way
    half = part_way(a.axes, b.axes, 0.5)
    np.testing.assert_allclose(part_way(half, b.axes, 1.0), b.axes, atol=1e-6)
