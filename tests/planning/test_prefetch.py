"""Prefetch takes only what the view leaves over."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform, unpack_keys
from brickfield.model.requests import Category
from brickfield.planning.plan import PlanRequest, plan_frame
from brickfield.planning.policy import LodPolicy

BRICK = 1000


@pytest.fixture
def request_aslant(make_halving, look_at):
    camera = look_at((512.0, 512.0, 512.0), (1000.0, 700.0, 600.0), 1024)
    policy = LodPolicy(target_error_px=8.0, base_share=0.0, prefetch_share=0.5)
    pyramid = make_halving(1024, 5)
    return PlanRequest(pyramid, AffineTransform(), camera, (BRICK,) * 5, policy)


def test_prefetch_displaces_nothing_that_is_seen(request_aslant):
    plain = replace(request_aslant, policy=LodPolicy(target_error_px=8.0, base_share=0))
    for n_bricks in (50, 200, 5000):
        seen = plan_frame(plain, n_bricks * BRICK)
        both = plan_frame(request_aslant, n_bricks * BRICK)
        is_extra = both.categories == Category.PREFETCH
        np.testing.assert_array_equal(both.keys[~is_extra], seen.keys)
        assert both.cost_bytes <= n_bricks * BRICK


def test_prefetched_chunks_touch_a_leaf_of_their_level(request_aslant):
    plan = plan_frame(request_aslant, 5000 * BRICK)
    is_extra = plan.categories == Category.PREFETCH
    assert is_extra.any()
    levels, indices = unpack_keys(plan.keys)
    for level, index in zip(levels[is_extra], indices[is_extra], strict=True):
        leaves = indices[plan.is_leaf & (levels == level)]
        assert abs(leaves - index).sum(axis=1).min() == 1


def test_prefetch_is_off_by_default(request_aslant):
    plan = plan_frame(replace(request_aslant, policy=LodPolicy()), 5000 * BRICK)
    assert not (plan.categories == Category.PREFETCH).any()
