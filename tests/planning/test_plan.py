"""Plans are covers that fit; the oracle is plain geometry, point by point."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, CameraState, unpack_keys
from brickfield.model.requests import Category
from brickfield.planning.frame_plan import FramePlan
from brickfield.planning.layer import Layer
from brickfield.planning.plan import PlanRequest, plan_frame, plan_layers
from brickfield.planning.policy import LodPolicy

BRICK = 1000
STRICT = LodPolicy(hysteresis=0.0, base_share=0.0)
"""No history, and only the coarsest level as base."""


def level_box(pyramid, level, indices):
    """Boxes of chunks, reaching to the edge of level 0 at the ends of the grid."""
    chunk = pyramid.chunk_shapes[level]
    scale, shift = pyramid.downscale[level], pyramid.offset[level]
    low, high = (np.array(b) for b in pyramid.data_bounds)
    lower = scale * (indices * chunk - 0.5) + shift
    upper = scale * ((indices + 1) * chunk - 0.5) + shift
    lower = np.where(indices == 0, low, np.clip(lower, low, high))
    last = pyramid.grids_zyx[level] - 1
    return lower, np.where(indices == last, high, np.clip(upper, low, high))


def boxes_of(pyramid, keys):
    levels, indices = unpack_keys(keys)
    lower, upper = np.empty(indices.shape), np.empty(indices.shape)
    for level in np.unique(levels):
        at = levels == level
        lower[at], upper[at] = level_box(pyramid, level, indices[at])
    return lower, upper


def visible_points(request, rng, n):
    """Random points of the image that the camera sees, data space."""
    low, high = (np.array(b) for b in request.pyramid.data_bounds)
    points = rng.uniform(low, high, size=(n, 3))
    world = request.world.apply(points)
    clip = np.c_[world, np.ones(n)] @ request.camera.world_to_clip.T
    x, y, z, w = clip.T
    seen = (w > 0) & (abs(x) < w) & (abs(y) < w) & (z > 0) & (z < w)
    for plane in request.clip_planes:
        seen &= world @ plane[:3] + plane[3] > 0
    return points[seen]


def leaves_round(plan, pyramid, points):
    """Number of leaves that contain each point."""
    lower, upper = boxes_of(pyramid, plan.leaf_keys)
    inside = (points[:, None] > lower) & (points[:, None] < upper)
    return inside.all(axis=2).sum(axis=1)


def is_known_empty(request, points):
    """Whether a chunk round each point is said to be empty."""
    empty = np.zeros(len(points), dtype=bool)
    if request.occupancy is None:
        return empty
    pyramid = request.pyramid
    for level in range(pyramid.n_levels):
        q = (points - pyramid.offset[level]) / pyramid.downscale[level] + 0.5
        index = np.floor(q / pyramid.chunk_shapes[level]).astype(np.int64)
        index = np.clip(index, 0, pyramid.grids_zyx[level] - 1)
        empty |= request.occupancy(level, index)
    return empty


@st.composite
def pyramids(draw, make, *, is_nested):
    n_levels = draw(st.integers(1, 4))
    shape = np.array(draw(st.tuples(*[st.integers(1, 90)] * 3)))
    chunk = draw(st.tuples(*[st.integers(2, 12)] * 3))
    factor = np.ones(3)
    shapes, factors, chunks, offsets = [], [], [], []
    for i in range(n_levels):
        if i and is_nested:
            factor = factor * draw(st.tuples(*[st.sampled_from([1, 2, 4])] * 3))
        elif i:
            factor = factor * draw(st.tuples(*[st.sampled_from([1, 1.5, 2, 3, 5])] * 3))
        rounding = np.ceil if is_nested or draw(st.booleans()) else np.floor
        shapes.append(np.maximum(rounding(shape / factor), 1).astype(int).tolist())
        factors.append(factor)
        own = chunk if is_nested else draw(st.tuples(*[st.integers(2, 12)] * 3))
        chunks.append(own)
        shift = (factor - 1) / 2
        if not is_nested:
            shift = draw(st.sampled_from([shift, np.zeros(3), -factor, factor * 0.7]))
        offsets.append(shift)
    voxel_size = draw(st.tuples(*[st.sampled_from([0.5, 1.0, 4.0])] * 3))
    offsets[0] = np.zeros(3)
    return make(shapes, factors, chunks, offsets, voxel_size)


@st.composite
def requests(draw, make, *, is_nested):
    pyramid = draw(pyramids(make, is_nested=is_nested))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    linear = np.diag(pyramid.levels[0].voxel_size_zyx)
    if draw(st.booleans()):
        turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
        linear = turn @ (np.eye(3) + 0.3 * np.triu(rng.normal(size=(3, 3)), 1)) @ linear
    world = AffineTransform.from_matrix(np.c_[linear, rng.normal(size=3) * 10])
    low, high = (np.array(b) for b in pyramid.data_bounds)
    corners = world.apply(low + np.indices((2, 2, 2)).reshape(3, -1).T * (high - low))
    centre, size = corners.mean(axis=0), float(np.linalg.norm(np.ptp(corners, axis=0)))
    distance = draw(st.sampled_from([0.0, 0.1, 0.5, 2.0]))
    position = centre + rng.normal(size=3) * size * distance
    target = centre + rng.normal(size=3) * size * 0.1
    camera = CameraState(
        tuple(position),
        tuple(target),
        tuple(rng.normal(size=3)),
        draw(st.sampled_from([(400, 300), (80, 200)])),
        orthographic=draw(st.booleans()),
        fov=draw(st.sampled_from([20.0, 50.0, 100.0])),
        height=size * draw(st.sampled_from([0.05, 0.4, 1.5])),
    ).with_depth_range(corners)
    n_planes = draw(st.integers(0, 2))
    normals = rng.normal(size=(n_planes, 3))
    planes = np.c_[normals, -normals @ centre + 0.1 * size * rng.normal(size=n_planes)]
    seed = draw(st.integers(1, 1000))
    occupancy = None
    if draw(st.booleans()):

        def occupancy(level, indices):
            return (indices @ [7, 13, 29] + 31 * level + seed) % 4 == 0

    policy = LodPolicy(
        target_error_px=draw(st.sampled_from([0.3, 1.0, 5.0])),
        base_share=draw(st.sampled_from([0.05, 0.1, 0.5])),
        prefetch_share=draw(st.sampled_from([0.0, 0.3])),
    )
    return PlanRequest(
        pyramid=pyramid,
        world=world,
        camera=camera,
        brick_bytes=tuple(draw(st.sampled_from([BRICK, 700])) for _ in pyramid.levels),
        policy=policy,
        clip_planes=planes,
        occupancy=occupancy,
    )


few = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def check_cover(request, budget, *, is_nested):
    coarsest = request.pyramid.grids_zyx[-1].prod() * request.brick_bytes[-1]
    assume(coarsest <= budget)
    plan = plan_frame(request, budget)
    points = visible_points(request, np.random.default_rng(0), 400)
    n = leaves_round(plan, request.pyramid, points)
    covered = (n > 0) | is_known_empty(request, points)
    assert covered.all()
    if is_nested:
        assert n.max(initial=0) <= 1
    check_plan(request, plan, budget)


def check_plan(request, plan, budget):
    costs = np.array(request.brick_bytes)[plan.levels]
    assert plan.cost_bytes == costs.sum() <= budget
    assert len(np.unique(plan.keys)) == plan.n_chunks
    assert (np.diff(plan.categories.astype(int)) >= 0).all()
    for category in Category:
        assert (np.diff(plan.priorities[plan.categories == category]) >= 0).all()
    levels = plan.levels[plan.categories == Category.VISIBLE]
    assert (np.diff(levels) <= 0).all()
    is_base = plan.categories == Category.BASE
    assert (plan.levels[is_base] == request.pyramid.n_levels - 1).all()
    assert not plan.is_leaf[plan.categories == Category.PREFETCH].any()
    is_passed = (plan.categories == Category.VISIBLE) & ~plan.is_leaf
    assert np.isin(plan.keys[is_passed], plan.refined).all()
    _, indices = unpack_keys(plan.keys)
    assert (indices < request.pyramid.grids_zyx[plan.levels]).all()


@few
@given(data=st.data(), n_bricks=st.sampled_from([8, 30, 200, 3000]))
def test_every_visible_point_lies_in_exactly_one_leaf(make_pyramid, data, n_bricks):
    request = data.draw(requests(make_pyramid, is_nested=True))
    check_cover(request, n_bricks * BRICK, is_nested=True)


@few
@given(data=st.data(), n_bricks=st.sampled_from([8, 30, 200, 3000]))
def test_every_visible_point_is_covered_by_leaves_of_a_pyramid_that_is_not_nested(
    make_pyramid, data, n_bricks
):
    request = data.draw(requests(make_pyramid, is_nested=False))
    check_cover(request, n_bricks * BRICK, is_nested=False)


@few
@given(data=st.data(), n_bricks=st.sampled_from([0, 1, 5, 40]))
def test_layers_share_a_budget_that_is_never_exceeded(make_pyramid, data, n_bricks):
    asked = [data.draw(requests(make_pyramid, is_nested=i == 0)) for i in range(2)]
    plans = plan_layers(asked, n_bricks * BRICK)
    assert sum(plan.cost_bytes for plan in plans) <= n_bricks * BRICK
    for request, plan in zip(asked, plans, strict=True):
        check_plan(request, plan, n_bricks * BRICK)


@few
@given(data=st.data(), floor=st.sampled_from([0.5, 3.0, 1e6]))
def test_a_wrong_guess_from_the_previous_plan_leaves_no_holes(
    make_pyramid, data, floor
):
    request = data.draw(requests(make_pyramid, is_nested=False))
    previous = replace(plan_frame(request, 30 * BRICK), floor=floor)
    request = replace(request, previous=previous)
    check_cover(request, 200 * BRICK, is_nested=False)


def levels_of_leaves(plan) -> set[int]:
    return set(plan.levels[plan.is_leaf].tolist())


def request_of(pyramid, camera, **options) -> PlanRequest:
    options.setdefault("policy", STRICT)
    return PlanRequest(
        pyramid, AffineTransform(), camera, (BRICK,) * pyramid.n_levels, **options
    )


@pytest.fixture
def deep(make_halving):
    """2048 voxels an edge, 6 levels: 32, 16, 8, 4, 2 and 1 chunks."""
    return make_halving(2048, 6)


@pytest.fixture
def inside(look_at) -> CameraState:
    """In the middle of `deep`, looking aslant."""
    return look_at((1024, 1024, 1024), (2000, 1500, 1100), 2048)


def test_without_pressure_every_leaf_is_as_fine_as_asked_and_no_finer(deep, look_at):
    camera = look_at((-3000.0, 1024.0, 1024.0), (1024.0, 1024.0, 1024.0), 2048)
    plan = plan_frame(request_of(deep, camera), 10**9)
    assert not plan.is_coarsened
    leaf = plan.is_leaf & (plan.levels > 0)
    assert (plan.errors_px[leaf] <= 1.0).all()
    lower, _ = boxes_of(deep, plan.refined)
    depth = lower[:, 0] + 3000.0
    errors = 2.0 ** unpack_keys(plan.refined)[0] * camera.pixels_per_unit / depth
    assert errors.min() > 1.0 - 1e-6


def test_under_pressure_errors_are_even_over_all_levels(deep, inside):
    plan = plan_frame(request_of(deep, inside), 600 * BRICK)
    assert plan.is_coarsened
    assert plan.floor > 1.0
    everything = plan_frame(request_of(deep, inside), 10**9)
    rest = ~np.isin(everything.refined, plan.refined)
    lower, upper = boxes_of(deep, everything.refined)
    eye = np.array(inside.position)
    gap = np.linalg.norm(np.maximum(np.maximum(lower - eye, eye - upper), 0), axis=1)
    levels = unpack_keys(everything.refined)[0]
    bound = 2.0**levels * inside.pixels_per_unit / np.maximum(gap, inside.near)
    # Depth is at most the distance, so the distance bounds the error from below.
    assert bound[rest].max() <= plan.floor * (1 + 1e-5)


def test_the_coarsest_level_is_whole_and_comes_before_all_others(deep, inside):
    policy = LodPolicy(base_share=0.1)
    plan = plan_frame(request_of(deep, inside, policy=policy), 700 * BRICK)
    # 4³ = 64 chunks fit in 70, 8³ = 512 do not.
    assert plan.base_level == 3
    assert plan.levels[0] == deep.n_levels - 1
    assert plan.categories[0] == Category.BASE
    assert (np.diff(plan.levels) <= 0).all()


def test_a_level_too_large_for_the_budget_is_cut_to_what_is_nearest(
    make_pyramid, look_at
):
    flat = make_pyramid([(640, 640, 640)], [(1.0,) * 3], [(64,) * 3])
    camera = look_at((-800.0, 320.0, 320.0), (320.0, 320.0, 320.0), 640)
    plan = plan_frame(request_of(flat, camera), 7 * BRICK)
    assert plan.is_coarsened
    assert plan.n_chunks == 7
    _, indices = unpack_keys(plan.keys)
    assert (indices[:, 0] == 0).all()
    assert (abs(indices[:, 1:] - 4.5) <= 2.5).all()


def test_only_visible_chunks_are_wanted_of_a_level_too_large_to_keep(
    make_pyramid, look_at
):
    flat = make_pyramid([(64_000,) * 3], [(1.0,) * 3], [(64,) * 3])
    camera = look_at((-500.0, 320.0, 320.0), (0.0, 320.0, 320.0), 640, fov=20.0)
    camera = replace(camera, far=700.0, near=1.0)
    plan = plan_frame(request_of(flat, camera), 500 * BRICK)
    assert not plan.is_coarsened
    assert 0 < plan.n_chunks < 500
    points = visible_points(
        replace(request_of(flat, camera)), np.random.default_rng(1), 10
    )
    assert (leaves_round(plan, flat, points) == 1).all()


def test_nothing_in_view_leaves_the_base_level_alone(deep, look_at):
    camera = look_at((-500.0, 0.0, 0.0), (-1000.0, 0.0, 0.0), 2048)
    plan = plan_frame(request_of(deep, camera), 600 * BRICK)
    assert plan.n_chunks == 1
    assert not plan.is_leaf.any()
    assert plan.max_error_px == 0.0
    assert levels_of_leaves(plan) == set()


def test_zooming_in_never_makes_a_point_coarser_without_pressure(deep, look_at):
    previous: FramePlan | None = None
    points = np.random.default_rng(3).uniform(850, 1200, size=(300, 3))
    finest = np.full(len(points), 99)
    for step in range(12):
        camera = look_at(
            (-9000.0 + 700.0 * step, 1024.0, 1024.0), (1024.0, 1024.0, 1024.0), 2048
        )
        camera = replace(camera, fov=20.0)
        policy = LodPolicy(motion_bias=2.0, base_share=0)
        request = request_of(
            deep, camera, policy=policy, previous=previous, is_moving=step % 3 != 0
        )
        previous = plan_frame(request, 10**9)
        lower, upper = boxes_of(deep, previous.leaf_keys)
        inside = ((points[:, None] > lower) & (points[:, None] < upper)).all(axis=2)
        levels = unpack_keys(previous.leaf_keys)[0][inside.argmax(axis=1)]
        assert (levels <= finest).all()
        finest = levels


def test_a_refined_chunk_stays_within_the_hysteresis_and_goes_below_it(deep, look_at):
    def plan_at(height, previous):
        camera = look_at(
            (-100.0, 1024.0, 1024.0),
            (0.0, 1024.0, 1024.0),
            2048,
            orthographic=True,
            height=height,
        )
        request = request_of(
            deep, camera, policy=LodPolicy(base_share=0), previous=previous
        )
        return plan_frame(request, 10**9)

    # 300 pixels high: level 2 (4 units) has 1 pixel at a height of 1200.
    fine = plan_at(1190.0, None)
    assert levels_of_leaves(fine) == {1}
    assert levels_of_leaves(plan_at(1250.0, None)) == {2}
    assert levels_of_leaves(plan_at(1250.0, fine)) == {1}
    assert levels_of_leaves(plan_at(1420.0, fine)) == {2}


def test_motion_holds_back_new_detail_but_keeps_what_is_there(deep, inside):
    policy = LodPolicy(target_error_px=4.0, motion_bias=3.0, base_share=0)
    request = request_of(deep, inside, policy=policy)
    still = plan_frame(request, 10**9)
    moving = plan_frame(replace(request, is_moving=True), 10**9)
    assert moving.n_chunks < still.n_chunks
    assert moving.target_error_px == 12.0
    kept = plan_frame(replace(request, is_moving=True, previous=still), 10**9)
    np.testing.assert_array_equal(np.sort(kept.keys), np.sort(still.keys))


@pytest.mark.parametrize("forced", [0, 2, 5])
def test_a_forced_level_is_shown_everywhere(deep, look_at, forced):
    camera = look_at((-3000.0, 1024.0, 1024.0), (1024.0, 1024.0, 1024.0), 2048)
    policy = LodPolicy(forced_level=forced, base_share=0)
    plan = plan_frame(request_of(deep, camera, policy=policy), 10**9)
    assert levels_of_leaves(plan) == {forced}
    assert not plan.is_coarsened


def test_a_forced_level_that_does_not_fit_is_covered_by_coarser_ones(deep, inside):
    policy = LodPolicy(forced_level=0)
    request = request_of(deep, inside, policy=policy)
    plan = plan_frame(request, 400 * BRICK)
    assert plan.is_coarsened
    assert plan.cost_bytes <= 400 * BRICK
    points = visible_points(request, np.random.default_rng(2), 500)
    assert (leaves_round(plan, deep, points) == 1).all()


def test_layers_that_share_a_budget_end_at_the_same_error(deep, inside):
    shifted = AffineTransform.from_scale((1, 1, 1), (0, 30.0, 30.0))
    first = request_of(deep, inside)
    plans = plan_layers([first, replace(first, world=shifted)], 1500 * BRICK)
    assert plans[0].floor == plans[1].floor > 1.0
    assert plans[0].n_chunks == pytest.approx(plans[1].n_chunks, rel=0.15)


def test_channels_in_one_place_are_planned_once_for_all(deep, inside, monkeypatch):
    """As 50 layers of one image are, of which each shows a channel."""
    request = request_of(deep, inside)
    apart = replace(request, world=AffineTransform.from_scale((1, 1, 1), (0, 9.0, 0)))
    walks = []
    monkeypatch.setattr(
        Layer, "plant", lambda *args, f=Layer.plant: walks.append(1) or f(*args)
    )
    plans = plan_layers([request, apart, *[request] * 49], 51 * 100 * BRICK)
    assert len(walks) == 2
    assert sum(plan.cost_bytes for plan in plans) <= 51 * 100 * BRICK
    assert all(plan is plans[0] for plan in plans[2:])
    assert plans[0].cost_bytes == plans[0].n_chunks * BRICK
    alone = plan_frame(request, 100 * BRICK)
    # They are refined together or not at all: a remainder too small for all stays.
    assert plans[0].n_chunks == pytest.approx(alone.n_chunks, rel=0.1)
    assert plans[0].floor == plans[1].floor


def test_channels_that_were_planned_differently_before_are_planned_apart(deep, inside):
    request = request_of(deep, inside)
    known = replace(request, previous=plan_frame(request, 1500 * BRICK))
    first, second = plan_layers([request, known], 1500 * BRICK)
    assert first is not second


def test_empty_chunks_cost_nothing_and_are_not_refined(deep, inside):
    def occupancy(level, indices):
        return indices[:, 0] * 2 < deep.grids_zyx[level, 0]

    plan = plan_frame(request_of(deep, inside, occupancy=occupancy), 600 * BRICK)
    dense = plan_frame(request_of(deep, inside), 600 * BRICK)
    assert plan.max_error_px <= dense.max_error_px
    levels, indices = unpack_keys(plan.keys)
    assert (indices[:, 0] * 2 >= deep.grids_zyx[levels, 0]).all()


def test_thick_slices_do_not_drive_the_other_axes_to_level_0(make_pyramid, look_at):
    # Voxels are 8 units thick on every level; only y and x are halved.
    thick = make_pyramid(
        [(16, 1024 >> i, 1024 >> i) for i in range(4)],
        [(1.0, 2.0**i, 2.0**i) for i in range(4)],
        [(16, 64, 64)] * 4,
        [(0.0, (2**i - 1) / 2, (2**i - 1) / 2) for i in range(4)],
        voxel_size=(8.0, 1.0, 1.0),
    )
    camera = look_at(
        (-100.0, 512.0, 512.0),
        (0.0, 512.0, 512.0),
        1024,
        orthographic=True,
        height=900.0,
    )
    request = request_of(thick, camera)
    request = replace(request, world=AffineTransform.from_scale((8.0, 1.0, 1.0)))
    # A pixel is 3 units: level 1 (2 units) is enough.
    assert levels_of_leaves(plan_frame(request, 10**9)) == {1}


def test_prefetch_takes_what_is_left_and_lies_outside_of_the_view(deep, inside):
    policy = LodPolicy(target_error_px=6.0, prefetch_share=0.2, base_share=0)
    plan = plan_frame(request_of(deep, inside, policy=policy), 1000 * BRICK)
    extra = plan.categories == Category.PREFETCH
    assert 0 < extra.sum() <= 200
    points = visible_points(request_of(deep, inside), np.random.default_rng(4), 500)
    lower, upper = boxes_of(deep, plan.keys[extra])
    inside_extra = (points[:, None] > lower) & (points[:, None] < upper)
    assert not inside_extra.all(axis=2).any()


def test_the_focus_decides_what_comes_first_within_a_level(deep, look_at):
    camera = look_at((-4000.0, 1024.0, 1024.0), (1024.0, 1024.0, 1024.0), 2048)
    request = request_of(deep, camera, focus=(0.0, 200.0, 1900.0))
    plan = plan_frame(request, 10**9)
    visible = plan.categories == Category.VISIBLE
    first = np.flatnonzero(visible)[0]
    lower, upper = boxes_of(deep, plan.keys[first : first + 1])
    middle = (lower + upper)[0] / 2
    assert middle[1] < 512
    assert middle[2] > 1536


def test_equal_requests_give_equal_plans(deep, inside):
    request = request_of(deep, inside)
    first, second = (plan_frame(request, 600 * BRICK) for _ in range(2))
    np.testing.assert_array_equal(first.keys, second.keys)
    np.testing.assert_array_equal(first.priorities, second.priorities)


def test_the_number_of_planned_chunks_does_not_grow_with_the_volume(
    make_halving, look_at
):
    counts = []
    for edge, n_levels in ((65_536, 11), (1_048_576, 15)):
        pyramid = make_halving(edge, n_levels)
        camera = look_at((edge / 2,) * 3, (edge, edge / 2, edge / 3), edge)
        plan = plan_frame(request_of(pyramid, camera), 500 * BRICK)
        counts.append(plan.n_chunks)
    assert max(counts) <= 500


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"brick_bytes": (1, 1)}, "6 positive brick sizes"),
        ({"world": AffineTransform.from_scale((1, 0, 1))}, "invertible"),
        ({"policy": LodPolicy(forced_level=6)}, "level from 0 to 5; found 6"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(deep, inside, change, words):
    with pytest.raises(OptionError, match=words):
        replace(request_of(deep, inside), **change)
