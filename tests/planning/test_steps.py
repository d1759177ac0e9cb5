"""Levels that a picture passes, through the plans they appear in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform, pack_keys, unpack_keys
from brickfield.model.requests import Category
from brickfield.planning.plan import PlanRequest, plan_frame
from brickfield.planning.policy import LodPolicy

BRICK = 1000
PLENTY = 10**8


@pytest.fixture
def ask(look_at):
    """Requests that see all of a cube at level 0."""

    def make(pyramid, **policy):
        edge = pyramid.levels[0].shape[0]
        camera = look_at(
            (-4.0 * edge, edge / 2, edge / 2), (0, edge / 2, edge / 2), edge
        )
        size = (BRICK,) * pyramid.n_levels
        policy = LodPolicy(forced_level=0, **policy)
        return PlanRequest(pyramid, AffineTransform(), camera, size, policy=policy)

    return make


def counts(plan):
    """Chunks of every level."""
    return np.bincount(plan.levels).tolist()


def test_the_coarsest_level_and_those_of_few_voxels_come_before_the_leaves(
    make_halving, ask
):
    """Of 8³ + 4³ + 2³ + 1 chunks, 4³ are an eighth of the leaves, 2³ a 64th."""
    plan = plan_frame(ask(make_halving(512, 4)), PLENTY)
    assert counts(plan) == [512, 0, 8, 1]
    assert (np.diff(plan.levels) <= 0).all()
    assert plan.is_leaf.sum() == 512


def test_what_may_be_read_on_the_way_is_the_wish_of_the_policy(make_halving, ask):
    pyramid = make_halving(512, 4)
    assert counts(plan_frame(ask(pyramid, way_share=0.2), PLENTY)) == [512, 64, 8, 1]
    assert counts(plan_frame(ask(pyramid, way_share=0.0), PLENTY)) == [512, 0, 0, 1]


def test_the_way_takes_only_memory_that_is_left_over(make_halving, ask):
    request = ask(make_halving(512, 4))
    assert counts(plan_frame(request, 521 * BRICK)) == [512, 0, 8, 1]
    assert counts(plan_frame(request, 520 * BRICK)) == [512, 0, 0, 1]


def test_the_coarsest_level_is_wanted_however_much_it_is(make_halving, ask):
    assert counts(plan_frame(ask(make_halving(256, 2)), PLENTY)) == [64, 8]


@pytest.mark.parametrize(("factor", "n_coarse"), [(8.0, 0), (1.0, 8)])
def test_a_sampled_level_is_not_read_besides_the_data_for_a_still_picture(
    make_halving, ask, factor, n_coarse
):
    """To read it is to read the data."""
    pyramid = make_halving(256, 2)
    fine, coarse = pyramid.levels
    levels = (fine, replace(coarse, read_factor=factor))
    request = ask(replace(pyramid, levels=levels), is_still=True)
    plan = plan_frame(request, PLENTY)
    assert int((plan.levels == 1).sum()) == n_coarse
    assert int((plan.categories == Category.BASE).sum()) == n_coarse
    live = replace(request, policy=replace(request.policy, is_still=False))
    assert counts(plan_frame(live, PLENTY)) == [64, 8]


@pytest.mark.parametrize("n_bricks", [585, 584, 300, 9])
def test_a_policy_that_keeps_the_way_has_everything_over_its_leaves(
    make_halving, ask, n_bricks
):
    """Of 512 + 64 + 8 + 1 chunks; leaves leave the room for what lies over them."""
    plan = plan_frame(ask(make_halving(512, 4), way_share=1.0), n_bricks * BRICK)
    assert len(plan.keys) <= n_bricks
    assert plan.cost_bytes == len(plan.keys) * BRICK
    levels, indices = unpack_keys(plan.keys)
    planned = set(plan.keys.tolist())
    for level, index in zip(levels.tolist(), indices, strict=True):
        for coarse in range(level + 1, 4):
            over = index >> (coarse - level)
            assert int(pack_keys(coarse, over)) in planned
    if n_bricks == 585:
        assert counts(plan) == [512, 64, 8, 1]
