"""Neuroglancer's orientations and lengths, against values computed by hand."""

from math import cos, pi, sin, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera import OrthoCamera, fit_camera
from brickfield.model import CameraState
from brickfield.viewer.neuroglancer.space import (
    IDENTITY,
    Turn,
    height_at_target,
    looking,
    matrix_of,
    quaternion_of,
    si_unit,
)

HALF = sqrt(0.5)
CORNERS = np.array([[z, y, x] for z in (0, 3) for y in (0, 5) for x in (0, 7)], float)
QUATERNIONS = st.tuples(*[st.floats(-1, 1)] * 4).filter(
    lambda q: np.linalg.norm(q) > 0.1
)


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        # Right x, down y, away z: nothing is turned.
        pytest.param("z", (0, 0, 0, 1), id="xy"),
        # Right x, down z, away -y: a quarter about x, Neuroglancer's own xz panel.
        pytest.param("y", (HALF, 0, 0, HALF), id="xz"),
        # Right y, down z, away x: a third about the diagonal.
        pytest.param("x", (0.5, 0.5, 0.5, 0.5), id="yz"),
    ],
)
def test_looking_along_an_axis_is_a_turn_known_by_hand(axis, expected):
    camera = fit_camera(OrthoCamera(axis), CORNERS, (64, 64), (4, 6, 8))
    turn = Turn.of_camera(camera)
    np.testing.assert_allclose(quaternion_of(turn.matrix), expected, atol=1e-12)


def test_a_quarter_about_y_looks_along_x_with_z_to_the_left():
    """As Neuroglancer says of its yz panel."""
    turn = Turn.of_matrix(matrix_of((0, HALF, 0, HALF)))
    np.testing.assert_allclose(turn.right, (-1, 0, 0), atol=1e-12)
    np.testing.assert_allclose(turn.down, (0, 1, 0), atol=1e-12)
    np.testing.assert_allclose(turn.away, (0, 0, 1), atol=1e-12)


def test_a_turn_about_z_turns_right_towards_down():
    angle = 0.3
    matrix = matrix_of((0, 0, sin(angle / 2), cos(angle / 2)))
    expected = [[cos(angle), -sin(angle), 0], [sin(angle), cos(angle), 0], [0, 0, 1]]
    np.testing.assert_allclose(matrix, expected, atol=1e-12)


@given(QUATERNIONS)
def test_a_quaternion_comes_back(quaternion):
    unit = np.array(quaternion) / np.linalg.norm(quaternion)
    again = quaternion_of(matrix_of(quaternion))
    assert abs(float(unit @ again)) == pytest.approx(1, abs=1e-12)
    assert again[3] >= 0


@given(QUATERNIONS, st.floats(0.1, 1e4), st.booleans())
def test_a_camera_that_looks_another_way_shows_that_turn_and_height(
    quaternion, height, orthographic
):
    camera = CameraState(
        (-9, 0, 0), (0, 0, 0), (0, -1, 0), (64, 48), orthographic=orthographic
    )
    turn = Turn.of_matrix(matrix_of(quaternion))
    position, up = looking(camera, turn, height, (1, 2, 3))
    moved = CameraState(
        position,
        (1, 2, 3),
        up,
        (64, 48),
        orthographic=orthographic,
        height=height,
    )
    assert height_at_target(moved) == pytest.approx(height, rel=1e-9)
    np.testing.assert_allclose(
        Turn.of_camera(moved).matrix, matrix_of(quaternion), atol=1e-9
    )


def test_the_height_at_the_target_is_that_of_the_angle_of_view():
    camera = CameraState((-100, 0, 0), (0, 0, 0), (0, -1, 0), (64, 64), fov=45)
    assert height_at_target(camera) == pytest.approx(200 * np.tan(pi / 8))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m", (1.0, "m")),
        ("nm", (1e-9, "m")),
        ("µm", (1e-6, "m")),
        ("ms", (1e-3, "s")),
        ("", (1.0, "")),
        ("Hz", None),
        ("xm", None),
        ("furlong", None),
    ],
)
def test_units_are_a_factor_and_a_base(text, expected):
    assert si_unit(text) == expected


def test_no_turn_is_the_identity():
    assert quaternion_of(np.eye(3)) == IDENTITY
