"""Planes and corners agree with the projection."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.model.camera import CameraState
from brickfield.model.frustum import Frustum


def make_camera(rng, orthographic, aspect=None):
    position, target, up = rng.normal(size=(3, 3)) * 10
    near, far = (-5.0, 20.0) if orthographic else (0.5, 20.0)
    return CameraState(
        tuple(position),
        tuple(target),
        tuple(up),
        (320, 200),
        orthographic=orthographic,
        fov=60.0,
        height=12.0,
        aspect=aspect,
        near=near,
        far=far,
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    orthographic=st.booleans(),
    aspect=st.sampled_from([None, 0.4, 6.0]),
)
def test_a_point_is_inside_of_all_planes_exactly_when_it_is_on_the_picture(
    seed, orthographic, aspect
):
    rng = np.random.default_rng(seed)
    camera = make_camera(rng, orthographic, aspect)
    points = np.array(camera.position) + rng.normal(size=(300, 3)) * 10
    x, y, z, w = camera.world_to_clip @ np.c_[points, np.ones(300)].T
    inside = (abs(x) < w) & (abs(y) < w) & (z > 0) & (z < w)
    planes = Frustum.from_camera(camera).planes
    distance = points @ planes[:, :3].T + planes[:, 3]
    np.testing.assert_array_equal((distance > 0).all(axis=1), inside)
    np.testing.assert_allclose(np.linalg.norm(planes[:, :3], axis=1), 1)


@pytest.mark.parametrize("orthographic", [False, True])
def test_corners_project_to_the_corners_of_the_picture(orthographic):
    camera = make_camera(np.random.default_rng(1), orthographic)
    corners = Frustum.from_camera(camera).corners
    assert corners.shape == (2, 4, 3)
    for depth in (0, 1):
        x, y, z, w = camera.world_to_clip @ np.c_[corners[depth], np.ones(4)].T
        np.testing.assert_allclose(x / w, [-1, 1, 1, -1], atol=1e-9)
        np.testing.assert_allclose(y / w, [-1, -1, 1, 1], atol=1e-9)
        np.testing.assert_allclose(z / w, [depth] * 4, atol=1e-9)


def test_corners_keep_their_digits_with_a_far_plane_that_is_very_far():
    camera = CameraState(
        (1e6, 2e6, 3e6),
        (2e6, 2e6, 3e6),
        (0.0, -1.0, 0.0),
        (100, 100),
        fov=90.0,
        near=1e-4,
        far=1e9,
    )
    frustum = Frustum.from_camera(camera)
    np.testing.assert_allclose(frustum.corners[1, :, 0], 1e9 + 1e6, rtol=1e-12)
    np.testing.assert_allclose(frustum.planes[5], [-1, 0, 0, 1e9 + 1e6], rtol=1e-12)
    np.testing.assert_allclose(frustum.corners[1, 0, 1:], [1e9 + 2e6, 3e6 - 1e9])


def test_further_planes_cut_the_frustum():
    camera = make_camera(np.random.default_rng(2), orthographic=False)
    frustum = Frustum.from_camera(camera)
    cut = frustum.with_planes(np.array([[1.0, 0.0, 0.0, -3.0]]))
    assert cut.planes.shape == (7, 4)
    assert cut.planes[6].tolist() == [1, 0, 0, -3]
    np.testing.assert_array_equal(cut.corners, frustum.corners)
