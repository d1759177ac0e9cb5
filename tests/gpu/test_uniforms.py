"""What the shader computes in float32 from the uniforms, against float64."""

import numpy as np
import pytest

from brickfield.gpu.formats import choose_format
from brickfield.gpu.layout import level_layouts
from brickfield.gpu.uniforms import (
    anchor_of,
    clip_planes_in_data,
    level_uniforms,
    ray_uniforms,
)
from brickfield.model import AffineTransform, Axis, CameraState, Pyramid, ScaleLevel

F32 = np.float32
WORLD = AffineTransform.from_matrix(
    [[0.004, 0, 0, 10], [0, 0.0013, 0.0001, -7], [0, -0.0001, 0.0013, 3]]
)


def _pyramid(edge, n_levels):
    levels = []
    for i in range(n_levels):
        size, shape = 2.0**i, (edge >> i,) * 3
        levels.append(
            ScaleLevel(
                str(i),
                shape,
                np.dtype("u1"),
                (64,) * 3,
                (size,) * 3,
                (size / 2 - 0.5,) * 3,
                (0, 1, 2),
                (64,) * 3,
            )
        )
    return Pyramid((Axis("z"), Axis("y"), Axis("x")), tuple(levels))


def _camera(voxel, distance, orthographic=False):
    """Looks at one voxel from a distance counted in voxels."""
    target = WORLD.apply(voxel)
    away = WORLD.matrix[:3, :3] @ np.array([-0.8, -0.5, 0.33]) * distance
    return CameraState(
        tuple(target + away),
        tuple(target),
        (0, -1, 0),
        (64, 48),
        orthographic,
        height=0.01,
    )


def _uniforms(pyramid, camera):
    anchor = anchor_of(camera, WORLD, pyramid)
    layouts = level_layouts(pyramid, choose_format(np.dtype("u1")))
    rays = ray_uniforms(camera, WORLD, anchor)
    return anchor, rays, level_uniforms(pyramid, layouts, anchor)


def _ray(rays, ndc, dtype):
    """What ray_through in volume.wgsl does: origin and direction, (x, y, z)."""
    o0, ox, oy, d0, dx, dy = (
        np.asarray(getattr(rays, n), dtype)
        for n in ("o0", "ox", "oy", "d0", "dx", "dy")
    )
    x, y = (dtype(v) for v in ndc)
    direction = d0 + x * dx + y * dy
    return o0 + x * ox + y * oy, direction / np.abs(direction).max()


@pytest.mark.parametrize("orthographic", [False, True])
def test_rays_pass_through_the_points_that_the_camera_s_matrix_gives(orthographic):
    pyramid = _pyramid(1000, 1)
    camera = _camera((500, 400, 300), 300, orthographic)
    _, rays, _ = _uniforms(pyramid, camera)
    inverse = np.linalg.inv(camera.world_to_clip @ WORLD.matrix)
    for ndc in ((0, 0), (-0.9, 0.4), (0.7, -0.8)):
        near, far = (inverse @ [*ndc, d, 1] for d in (0.0, 0.5))
        near, far = (p[:3] / p[3] for p in (near, far))
        origin, direction = _ray(rays, ndc, np.float64)
        expected = (far - near)[::-1]
        expected /= np.abs(expected).max()
        np.testing.assert_allclose(direction, expected, atol=1e-6)
        off = near[::-1] - origin
        np.testing.assert_allclose(np.cross(off, direction), 0, atol=1e-2)


@pytest.mark.parametrize("level", [0, 3, 9])
def test_a_million_voxels_along_an_axis_keep_parts_of_a_voxel(level):
    # The eye is near: everything within reach of level 0 is exact to 1/50 voxel.
    pyramid = _pyramid(1_000_000, 10)
    voxel = np.array([912_345.0, 70_001.0, 555_555.0])
    camera = _camera(voxel, 400)
    anchor, rays, levels = _uniforms(pyramid, camera)
    assert (anchor == np.rint(anchor)).all()
    scale, offset = pyramid.downscale[level], pyramid.offset[level]
    chunk = pyramid.chunk_shapes[level]
    lv = {n: np.asarray(v[level], F32) for n, v in levels.items()}
    inverse = WORLD.inverse
    for ndc in ((0.0, 0.0), (0.8, -0.6)):
        origin, direction = _ray(rays, ndc, F32)
        _, exact = _ray(rays, ndc, np.float64)
        eye = inverse.apply(camera.position)
        for t in (1.0, 300.0, 900.0):
            start = origin * lv["lv_scale"] + lv["lv_shift"]
            q = start + direction * lv["lv_scale"] * F32(t)
            true = (eye + t * exact[::-1] - offset) / scale
            cell = np.floor((q + F32(0.5)) / lv["lv_brick"])
            back = q[::-1].astype(float) + lv["lv_cell0"][::-1].astype(float) * chunk
            np.testing.assert_allclose(back, true, atol=0.02)
            if np.abs((true + 0.5) % chunk - chunk / 2).max() < chunk[0] / 2 - 0.1:
                absolute = cell[::-1] + levels["lv_cell0"][level][::-1]
                np.testing.assert_array_equal(absolute, (true + 0.5) // chunk)


def test_small_volumes_have_no_anchor():
    pyramid = _pyramid(4096, 3)
    camera = _camera((4000, 4000, 4000), 100)
    assert not anchor_of(camera, WORLD, pyramid).any()
    levels = _uniforms(pyramid, camera)[2]
    assert not levels["lv_cell0"].any()
    # p = scale * q + offset, solved for q.
    np.testing.assert_allclose(levels["lv_shift"][2], -1.5 / 4)
    np.testing.assert_allclose(levels["lv_scale"][2], 1 / 4)


def test_the_anchor_stays_in_the_volume():
    pyramid = _pyramid(100_000, 2)
    far = CameraState((1e6, -1e6, 0.0), (0, 0, 0), (0, -1, 0), (10, 10))
    anchor = anchor_of(far, AffineTransform(), pyramid)
    assert anchor.tolist() == [99_999, 0, 0]


def test_clip_planes_keep_the_same_side_in_data_space():
    rng = np.random.default_rng(0)
    planes, anchor = rng.standard_normal((5, 4)), np.array([100.0, 200.0, 300.0])
    moved = clip_planes_in_data(planes, WORLD, anchor)
    points = rng.standard_normal((20, 3)) * 1000
    world = WORLD.apply(points)
    expected = world @ planes[:, :3].T + planes[:, 3]
    relative = (points - anchor)[:, ::-1]
    np.testing.assert_allclose(
        relative @ moved[:, :3].T + moved[:, 3], expected, atol=1e-9
    )


def test_without_planes_there_are_none():
    empty = clip_planes_in_data(np.zeros((0, 4)), WORLD, np.zeros(3))
    assert empty.shape == (0, 4)


def test_a_level_ends_at_its_own_faces_or_a_rest_of_a_voxel_further_at_level_0s(
    harness,
):
    # Level 1 ends beyond level 0; level 2 less than a voxel inside of it, level 3 more.
    pyramid = harness.pyramid_of(
        [(33,) * 3, (17,) * 3, (8,) * 3, (3,) * 3],
        voxel_sizes=[(s,) * 3 for s in (1.0, 2.0, 4.0, 8.0)],
        translations=[(t,) * 3 for t in (0.0, 0.5, 1.5, 3.5)],
    )
    layouts = level_layouts(pyramid, choose_format(np.dtype("u1")))
    found = level_uniforms(pyramid, layouts, np.zeros(3))
    assert found["lv_low"][:, 0].tolist() == [-0.5] * 4
    assert found["lv_high"][:, 0].tolist() == [32.5, 16.5, 7.5, 2.5]
    assert found["lv_near"][:, 0].tolist() == [-0.5] * 4
    assert found["lv_far"][:, 0].tolist() == [32.5, 16.5, 7.75, 2.5]
