"""Projection by numbers worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.model.camera import CameraState, physical_size


def project(camera, point):
    x, y, z, w = camera.world_to_clip @ [*point, 1.0]
    return np.array([x, y, z]) / w


@pytest.fixture
def camera():
    """Looks along z from -10, napari's way: y down, x right; 90 degrees high."""
    return CameraState(
        (-10.0, 0.0, 0.0),
        (0.0, 0.0, 0.0),
        (0.0, -1.0, 0.0),
        (200, 100),
        fov=90.0,
        near=1.0,
        far=100.0,
    )


def test_right_up_and_backward_are_unit_vectors_of_a_picture_not_mirrored(camera):
    np.testing.assert_allclose(camera.axes, [[0, 0, 1], [0, -1, 0], [-1, 0, 0]])
    np.testing.assert_allclose(camera.forward, [1, 0, 0])


def test_perspective_divides_by_distance(camera):
    # At a distance of 10 the picture is 20 high and 40 wide.
    np.testing.assert_allclose(project(camera, (0, 0, 0))[:2], [0, 0], atol=1e-12)
    np.testing.assert_allclose(project(camera, (0, -10, 20))[:2], [1, 1])
    np.testing.assert_allclose(project(camera, (0, 5, -10))[:2], [-0.5, -0.5])
    np.testing.assert_allclose(project(camera, (10, 5, -10))[:2], [-0.25, -0.25])


def test_depth_runs_from_0_at_near_to_1_at_far(camera):
    for options in ({}, {"orthographic": True, "height": 20.0}):
        view = replace(camera, **options)
        assert project(view, (-9, 0, 0))[2] == pytest.approx(0)
        assert project(view, (90, 0, 0))[2] == pytest.approx(1)


def test_orthographic_keeps_sizes(camera):
    view = replace(camera, orthographic=True, height=20.0)
    for z in (0, 50):
        np.testing.assert_allclose(project(view, (z, -10, 20))[:2], [1, 1])
    assert view.pixels_per_unit == 5.0


def test_pixels_a_unit_are_those_at_distance_1(camera):
    # Two units high at distance 1, on 100 pixels.
    assert camera.pixels_per_unit == pytest.approx(50.0)


def test_an_up_along_the_line_of_sight_is_replaced(camera):
    view = replace(camera, up=(1.0, 0.0, 0.0))
    np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(view.forward, [1, 0, 0])


def test_a_target_at_the_position_still_gives_a_view(camera):
    view = replace(camera, target=camera.position)
    np.testing.assert_allclose(view.axes @ view.axes.T, np.eye(3), atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_picture_is_never_mirrored(seed):
    rng = np.random.default_rng(seed)
    position, target, up = rng.normal(size=(3, 3))
    view = CameraState(tuple(position), tuple(target), tuple(up), (10, 10))
    right_xyz, up_xyz, back_xyz = view.axes[:, ::-1]
    np.testing.assert_allclose(np.cross(right_xyz, up_xyz), back_xyz, atol=1e-9)
    assert view.axes[1] @ up > 0


@pytest.mark.parametrize("orthographic", [False, True])
def test_the_depth_range_holds_all_points_in_front(camera, orthographic):
    corners = np.indices((2, 2, 2)).reshape(3, -1).T * 50.0
    view = replace(camera, orthographic=orthographic).with_depth_range(corners)
    for corner in corners:
        assert 0 < project(view, corner)[2] < 1
    assert view.near == pytest.approx(9.95)
    assert view.far == pytest.approx(60.05)


def test_inside_a_volume_near_stays_positive(camera):
    corners = np.array([[-500.0, 0.0, 0.0], [500.0, 0.0, 0.0]])
    view = camera.with_depth_range(corners)
    assert view.far == pytest.approx(511.0)
    assert view.near == pytest.approx(511.0e-5)


def test_inside_a_volume_an_orthographic_near_is_negative(camera):
    corners = np.array([[-500.0, 0.0, 0.0], [500.0, 0.0, 0.0]])
    view = replace(camera, orthographic=True).with_depth_range(corners)
    assert view.near == pytest.approx(-491.0)


@pytest.mark.parametrize(
    ("size", "ratio", "physical"),
    [
        ((301, 203), 1.0, (301, 203)),
        # 451.5 and 304.5: Qt's windows have 452 x 305 pixels there.
        ((301, 203), 1.5, (452, 305)),
        ((303, 205), 1.25, (379, 256)),
        ((0, 1), 0.3, (1, 1)),
    ],
)
def test_half_a_physical_pixel_is_rounded_up(size, ratio, physical):
    assert physical_size(size, ratio) == physical
