"""Culling against brute force: sampled points, and linear programs by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, CameraState, ChunkId, Frustum
from brickfield.planning.culling import (
    ChunkCuller,
    VisibleRegion,
    frustum_from_corners,
    visible_cells,
)
from brickfield.planning.grid import cell_grid


def camera_at(position, target=(50.0, 50.0, 50.0), **options):
    options = {"near": 1.0, "far": 300.0, **options}
    return CameraState(position, target, (0.0, -1.0, 0.0), (400, 300), **options)


@pytest.fixture(scope="module")
def cube(make_pyramid):
    """100 voxels an edge in chunks of 10, one level."""
    return make_pyramid([(100,) * 3], [(1.0,) * 3], [(10,) * 3])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), orthographic=st.booleans())
def test_no_chunk_with_a_visible_point_is_dropped(cube, seed, orthographic):
    rng = np.random.default_rng(seed)
    camera = camera_at(
        tuple(rng.uniform(-50, 150, 3)),
        tuple(rng.uniform(0, 100, 3)),
        orthographic=orthographic,
        height=40.0,
    )
    points = rng.uniform(-0.5, 99.5, size=(2000, 3))
    frustum = Frustum.from_camera(camera)
    clip = np.c_[points, np.ones(2000)] @ camera.world_to_clip.T
    x, y, z, w = clip.T
    seen = (w > 0) & (abs(x) < w) & (abs(y) < w) & (z > 0) & (z < w)
    wanted = {tuple(i) for i in ((points[seen] + 0.5) // 10).astype(int).tolist()}
    found = ChunkCuller(cube).find_visible_chunks(frustum.corners, 0)
    assert wanted <= {chunk.index for chunk in found}


def test_a_chunk_that_encloses_the_frustum_is_visible(make_pyramid):
    whole = make_pyramid([(100,) * 3], [(1.0,) * 3], [(100,) * 3])
    camera = camera_at((50.0, 50.0, 50.0), (60.0, 50.0, 50.0), far=5.0)
    corners = Frustum.from_camera(camera).corners
    culler = ChunkCuller(whole)
    assert culler.find_visible_chunks(corners, 0) == [ChunkId(0, (0, 0, 0))]
    assert culler.find_visible_chunks(corners, 0, culling_mode="all") == []


def test_all_keeps_the_chunks_that_lie_wholly_inside(cube):
    camera = camera_at(
        (-50.0, 49.5, 49.5),
        (0.0, 49.5, 49.5),
        orthographic=True,
        height=60.0,
        near=49.0,
        far=70.0,
    )
    # The view spans z -1 to 20, y 19.5 to 79.5, x 9.5 to 89.5.
    corners = Frustum.from_camera(camera).corners
    found = ChunkCuller(cube).find_visible_chunks(corners, 0, culling_mode="all")
    indices = np.array([chunk.index for chunk in found])
    assert sorted(set(indices[:, 0].tolist())) == [0, 1]
    assert sorted(set(indices[:, 1].tolist())) == [2, 3, 4, 5, 6, 7]
    assert sorted(set(indices[:, 2].tolist())) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert len(indices) == 2 * 6 * 8


def test_a_box_beside_the_frustum_is_dropped_though_no_single_plane_excludes_it():
    camera = camera_at((0.0, 0.0, 0.0), (0.0, 0.0, 10.0), near=1.0, far=10.0, fov=30.0)
    region = VisibleRegion.from_frustum(Frustum.from_camera(camera), AffineTransform())
    # Behind the camera and so wide that it reaches inside of every side plane.
    lower, upper = np.array([[-500.0, -500.0, -90.0]]).T, np.array([[500.0, 500, -1]]).T
    beside = np.array([[-500.0, 20.0, 0.0]]).T, np.array([[500.0, 60.0, 500.0]]).T
    assert not region.intersects((lower, upper)).any()
    assert not region.intersects(beside).any()


def test_corners_give_the_planes_of_their_camera():
    for orthographic in (False, True):
        camera = camera_at((-40.0, 10.0, 5.0), orthographic=orthographic, height=30.0)
        frustum = Frustum.from_camera(camera)
        found = frustum_from_corners(frustum.corners).planes
        for plane in frustum.planes:
            assert np.isclose(found, plane, rtol=1e-6, atol=1e-6).all(axis=1).any()


def test_corners_of_a_slice_select_one_layer_of_chunks(cube):
    quad = np.array([[45.0, y, x] for y, x in ((0, 0), (0, 99), (99, 99), (99, 0))])
    found = ChunkCuller(cube).find_visible_chunks(np.stack([quad, quad]), 0)
    assert {chunk.index[0] for chunk in found} == {4}
    assert len(found) == 100


def test_corners_without_an_area_are_refused():
    with pytest.raises(OptionError, match="span a view"):
        frustum_from_corners(np.zeros((2, 4, 3)))


def test_a_rotated_image_is_culled_where_it_lies_in_the_world(cube):
    # z and x of the image change places, moved by 1000 along the world's y.
    matrix = [[0, 0, 1, 0], [0, 1, 0, 1000], [1, 0, 0, 0]]
    camera = camera_at(
        (-50.0, 1049.5, 14.5),
        (0.0, 1049.5, 14.5),
        orthographic=True,
        height=8.0,
        far=60.0,
    )
    culler = ChunkCuller(cube, AffineTransform.from_matrix(matrix))
    found = culler.find_visible_chunks(Frustum.from_camera(camera).corners, 0)
    # Seen: world z -49 to 10 (image x), y 1045.5 to 1053.5, x 9.2 to 19.8 (image z).
    # Chunk edges lie at 9.5, 19.5, … and 49.5.
    assert {chunk.index for chunk in found} == {
        (z, y, x) for z in (0, 1, 2) for y in (4, 5) for x in (0, 1)
    }


def test_finding_cells_of_a_huge_level_visits_few(make_pyramid):
    huge = make_pyramid([(30_000_000,) * 3], [(1.0,) * 3], [(64,) * 3])
    camera = camera_at((1e6, 1e6, 1e6), (2e6, 1e6, 1e6), near=1.0, far=500.0)
    region = VisibleRegion.from_frustum(Frustum.from_camera(camera), AffineTransform())
    visited = 0

    class Counting(VisibleRegion):
        def intersects(self, boxes):
            nonlocal visited
            visited += boxes[0].shape[1]
            return super().intersects(boxes)

    counting = Counting(region.planes, region.low, region.high)
    cells = visible_cells(cell_grid(huge), 0, counting)
    assert 50 < cells.shape[1] < 1000
    assert visited < 20_000


@pytest.mark.parametrize(
    ("scale", "mode", "words"),
    [(1, "any", "level from 0 to 0; found 1"), (0, "some", "'any' or 'all'")],
)
def test_an_unknown_level_or_mode_is_refused(cube, scale, mode, words):
    corners = Frustum.from_camera(camera_at((0.0, 0.0, 0.0))).corners
    with pytest.raises(OptionError, match=words):
        ChunkCuller(cube).find_visible_chunks(corners, scale, mode)
