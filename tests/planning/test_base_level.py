"""The level that is always kept, through the plans it appears in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform, unpack_keys
from brickfield.model.requests import Category
from brickfield.planning.plan import PlanRequest, plan_frame, plan_layers
from brickfield.planning.policy import LodPolicy

BRICK = 1000


@pytest.fixture
def ask(look_at):
    """Requests that see little of a pyramid."""

    def make(pyramid, **options):
        camera = look_at((-200.0, 100.0, 100.0), (0.0, 100.0, 100.0), 2048, fov=20.0)
        size = (BRICK,) * pyramid.n_levels
        return PlanRequest(pyramid, AffineTransform(), camera, size, **options)

    return make


def n_base(plan):
    return int((plan.categories == Category.BASE).sum())


def test_a_coarsest_level_within_half_of_the_budget_is_kept_whole(make_pyramid, ask):
    two = make_pyramid(
        [(1024,) * 3, (512,) * 3], [(1.0,) * 3, (2.0,) * 3], [(64,) * 3] * 2
    )
    # 8³ = 512 chunks on level 1.
    assert n_base(plan_frame(ask(two), 1024 * BRICK)) == 512
    assert n_base(plan_frame(ask(two), 1000 * BRICK)) < 100


def test_an_image_of_one_level_is_kept_whole_while_it_fits(make_pyramid, ask):
    one = make_pyramid([(512,) * 3], [(1.0,) * 3], [(64,) * 3])
    assert n_base(plan_frame(ask(one), 512 * BRICK)) == 512
    assert n_base(plan_frame(ask(one), 511 * BRICK)) < 200


def test_no_base_level_is_finer_than_a_forced_level(make_halving, ask):
    policy = LodPolicy(base_share=1.0, forced_level=3)
    plan = plan_frame(ask(make_halving(1024, 6), policy=policy), 10**9)
    assert plan.base_level == 3


def test_layers_share_what_their_base_levels_may_cost(make_halving, ask):
    request = ask(make_halving(1024, 6), policy=LodPolicy(base_share=0.1))
    # 8³ = 512 chunks need 5120; 4³ = 64 need 640.
    assert plan_frame(request, 5200 * BRICK).base_level == 1
    plans = plan_layers([request, request], 5200 * BRICK)
    assert [plan.base_level for plan in plans] == [2, 2]


def test_empty_chunks_of_the_base_level_are_left_out(make_halving, ask):
    def occupancy(_, indices):
        return indices[:, 0] == 0

    pyramid = make_halving(1024, 3)
    plan = plan_frame(ask(pyramid, occupancy=occupancy), 10**6)
    whole = pyramid.grids_zyx[2]
    assert n_base(plan) == (whole[0] - 1) * whole[1] * whole[2]


def test_visible_chunks_of_the_base_level_come_first(make_halving, ask):
    plan = plan_frame(ask(make_halving(2048, 3)), 10**7)
    priorities = plan.priorities[plan.categories == Category.BASE]
    n_first = int((priorities < 1).sum())
    assert 0 < n_first < len(priorities)
    assert (np.diff(priorities) >= 0).all()


@pytest.mark.parametrize(("budget", "is_cut"), [(40, False), (5, True)])
def test_empty_chunks_leave_the_budget_to_the_others(
    make_pyramid, look_at, budget, is_cut
):
    """100 chunks are visible, 10 of them hold something."""

    def occupancy(_, indices):
        return indices[:, 1] != 3

    one = make_pyramid([(64, 640, 640)], [(1.0,) * 3], [(64,) * 3])
    camera = look_at((-900.0, 320.0, 320.0), (0.0, 320.0, 320.0), 640, fov=60.0)
    request = PlanRequest(one, AffineTransform(), camera, (BRICK,), occupancy=occupancy)
    plan = plan_frame(request, budget * BRICK)
    assert plan.is_coarsened is is_cut
    assert plan.n_chunks == min(10, budget)


def test_for_a_slice_only_what_it_meets_of_the_coarsest_level_is_kept(
    make_halving, ask
):
    pyramid = make_halving(256, 2)
    volume = ask(pyramid, policy=LodPolicy(base_share=0.0))
    planes = np.array([[1.0, 0, 0, -9.9], [-1.0, 0, 0, 10.1]])
    plane = replace(volume, clip_planes=planes, slice_normal=(1.0, 0.0, 0.0))
    base = plan_frame(volume, 10**8).categories == Category.BASE
    assert base.sum() == 8, "all of 2³ chunks"
    plan = plan_frame(plane, 10**8)
    levels, indices = unpack_keys(plan.keys)
    assert set(levels.tolist()) == {0, 1}
    assert (indices[:, 0] == 0).all()
    cheap = replace(plane, policy=LodPolicy(base_share=0.5))
    assert n_base(plan_frame(cheap, 10**8)) == 8, "all of it costs next to nothing"


def test_nothing_out_of_view_is_kept_for_a_camera_that_nobody_moves(make_halving, ask):
    live = ask(make_halving(2048, 3))
    still = replace(live, policy=LodPolicy(is_still=True))
    whole, seen = plan_frame(live, 10**7), plan_frame(still, 10**7)
    assert n_base(whole) == 512
    assert 0 < n_base(seen) < 512
    assert np.array_equal(seen.leaf_keys, whole.leaf_keys)
