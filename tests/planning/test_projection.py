"""Measures of boxes against projecting points of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.model import AffineTransform, CameraState
from brickfield.planning.projection import DataView

NO_PLANES = np.empty((0, 4))


def view_of(pyramid, camera, world=None, focus=None, planes=NO_PLANES):
    world = world or AffineTransform()
    return DataView.of(pyramid, world, camera, clip_planes=planes, focus=focus)


def box(lower, upper):
    return np.array([lower], dtype=float).T, np.array([upper], dtype=float).T


@pytest.fixture(scope="module")
def pyramid(make_halving):
    return make_halving(256, 3)


def test_a_box_ahead_is_measured_at_its_nearest_face(pyramid):
    # 90 degrees: a unit at distance d covers 300 / (2 d) pixels.
    camera = CameraState(
        (-100.0, 50.0, 50.0), (0.0, 50.0, 50.0), (0.0, -1.0, 0.0), (400, 300), fov=90.0
    )
    view = view_of(pyramid, camera)
    seen, values = view.measure(box((0, 40, 40), (64, 60, 60)))
    assert seen.all()
    assert view.magnification(values) == pytest.approx([1.5])
    assert view.nearness(values) == pytest.approx([1.0])
    assert view.voxel_world.tolist() == [1.0, 2.0, 4.0]
    assert view.avoidable_world.tolist() == [0.0, 2.0, 4.0]


def test_a_box_round_the_camera_is_measured_at_the_near_plane(pyramid):
    camera = CameraState(
        (50.0, 50.0, 50.0),
        (60.0, 50.0, 50.0),
        (0.0, -1.0, 0.0),
        (400, 300),
        fov=90.0,
        near=0.5,
    )
    view = view_of(pyramid, camera)
    _, values = view.measure(box((0, 0, 0), (100, 100, 100)))
    assert view.magnification(values) == pytest.approx([300.0])


def test_an_orthographic_view_measures_everything_alike(pyramid):
    camera = CameraState(
        (-100.0, 50.0, 50.0),
        (0.0, 50.0, 50.0),
        (0.0, -1.0, 0.0),
        (400, 300),
        orthographic=True,
        height=600.0,
    )
    view = view_of(pyramid, camera)
    near, far = box((0, 0, 0), (9, 9, 9)), box((90, 0, 0), (99, 9, 9))
    for boxes in (near, far):
        assert view.magnification(view.measure(boxes)[1]) == pytest.approx([0.5])


def test_nearness_falls_by_half_at_half_a_picture_height_from_the_focus(pyramid):
    camera = CameraState(
        (-100.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (400, 300), fov=90.0
    )
    # At z = 0 half the picture is 100 units high.
    at_focus, beside = box((0, 50, 0), (0, 50, 0)), box((0, -50, 0), (0, -50, 0))
    view = view_of(pyramid, camera, focus=(0.0, 50.0, 0.0))
    assert view.nearness(view.measure(at_focus)[1]) == pytest.approx([1.0])
    assert view.nearness(view.measure(beside)[1]) == pytest.approx([0.5])


def test_a_clip_plane_hides_what_lies_behind_it(pyramid):
    camera = CameraState(
        (-100.0, 50.0, 50.0), (0.0, 50.0, 50.0), (0.0, -1.0, 0.0), (400, 300)
    )
    planes = np.array([[1.0, 0.0, 0.0, -70.0]])
    view = view_of(pyramid, camera, planes=planes)
    assert not view.measure(box((0, 40, 40), (64, 60, 60)))[0].any()
    assert view.measure(box((64, 40, 40), (128, 60, 60)))[0].all()


@settings(max_examples=80, deadline=None)
@given(seed=st.integers(0, 10**6), orthographic=st.booleans())
def test_the_measure_is_never_below_that_of_any_visible_point(
    pyramid, seed, orthographic
):
    rng = np.random.default_rng(seed)
    shear = np.eye(3) + 0.4 * rng.normal(size=(3, 3))
    world = AffineTransform.from_matrix(np.c_[shear, rng.normal(size=3)])
    camera = CameraState(
        tuple(rng.uniform(-300, 300, 3)),
        tuple(rng.uniform(0, 256, 3)),
        tuple(rng.normal(size=3)),
        (400, 300),
        fov=80.0,
        near=1.0,
        far=2000.0,
        orthographic=orthographic,
        height=200.0,
    )
    view = view_of(pyramid, camera, world)
    lower = rng.uniform(0, 200, size=(3, 20))
    upper = lower + rng.uniform(0, 80, size=(3, 20))
    seen, values = view.measure((lower, upper))
    bound = view.magnification(values)
    for i in range(20):
        points = rng.uniform(lower[:, i], upper[:, i], size=(200, 3))
        clip = np.c_[world.apply(points), np.ones(200)] @ camera.world_to_clip.T
        x, y, z, w = clip.T
        inside = (w > 0) & (abs(x) < w) & (abs(y) < w) & (z > 0) & (z < w)
        if inside.any():
            assert seen[i]
            # Clip space is two units high: w is the distance, or 1.
            per_unit = 150 * np.linalg.norm(camera.projection_matrix[1, 1]) / w[inside]
            assert per_unit.max() <= bound[i] * (1 + 1e-9)


def slice_view(pyramid, voxel_size, normal):
    camera = CameraState(
        (-100.0, 50.0, 50.0),
        (0.0, 50.0, 50.0),
        (0.0, -1.0, 0.0),
        (400, 300),
        orthographic=True,
        height=300.0,
    )
    world = AffineTransform.from_scale(voxel_size)
    return DataView.of(
        pyramid,
        world,
        camera,
        clip_planes=NO_PLANES,
        focus=None,
        slice_normal=normal,
    )


def test_of_a_slice_only_what_lies_in_the_plane_counts(make_pyramid):
    """Slices 5 µm thick, pixels of 0.5 µm, both halved from level to level."""
    pyramid = make_pyramid(
        [(64, 64, 64), (32, 32, 32)], [(1, 1, 1), (2, 2, 2)], [(16, 16, 16)] * 2
    )
    across_z = slice_view(pyramid, (5.0, 0.5, 0.5), (1.0, 0.0, 0.0))
    assert across_z.voxel_world.tolist() == [0.5, 1.0]
    assert across_z.avoidable_world.tolist() == [0.0, 1.0]
    across_x = slice_view(pyramid, (5.0, 0.5, 0.5), (0.0, 0.0, 1.0))
    assert across_x.voxel_world.tolist() == [5.0, 10.0]


def test_a_level_that_is_coarser_across_the_slice_alone_is_not_settled_for(
    make_pyramid,
):
    pyramid = make_pyramid(
        [(64, 64, 64), (32, 64, 64), (16, 32, 32)],
        [(1, 1, 1), (2, 1, 1), (4, 2, 2)],
        [(16, 16, 16)] * 3,
    )
    view = slice_view(pyramid, (1.0, 1.0, 1.0), (1.0, 0.0, 0.0))
    assert view.voxel_world.tolist() == [1.0, 1.0, 2.0]
    assert view.avoidable_world.tolist() == [0.0, 2.0, 2.0]


@pytest.mark.parametrize("distance", [40.0, 300.0, 3000.0])
def test_planes_with_the_whole_image_inside_change_nothing_that_is_seen(
    pyramid, distance
):
    camera = CameraState(
        (-distance, 128.0, 100.0), (128.0, 120.0, 128.0), (0.0, -1.0, 0.0), (400, 300)
    )
    far_off = np.array([[1.0, 0.5, 0.0, 9e3], [0.0, 1.0, 0.0, -130.0]])
    view = view_of(pyramid, camera, planes=far_off)
    n_measured = len(view.axis_terms(box((0, 0, 0), (1, 1, 1)))) - 5
    assert n_measured < len(view.region.planes)
    rng = np.random.default_rng(0)
    lower = rng.uniform(-0.5, 250, (3, 500))
    upper = np.minimum(lower + rng.uniform(0, 60, (3, 500)), 255.5)
    is_seen, _ = view.measure((lower, upper))
    np.testing.assert_array_equal(is_seen, view.region.intersects((lower, upper)))
    assert 0 < is_seen.sum() < 500
