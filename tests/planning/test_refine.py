"""Refinement spends a budget where the error is largest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.planning.plan import PlanRequest, plan_frame, plan_layers
from brickfield.planning.policy import LodPolicy
from brickfield.planning.refine import Ranking

BRICK = 1000


@pytest.fixture
def request_inside(make_halving, look_at):
    pyramid = make_halving(4096, 7)
    camera = look_at((2048.0, 2000.0, 2100.0), (4000.0, 2300.0, 1000.0), 4096)
    return PlanRequest(pyramid, AffineTransform(), camera, (BRICK,) * 7)


@pytest.mark.parametrize("n_bricks", [64, 300, 1000])
def test_a_view_that_wants_more_than_fits_uses_the_budget_up(request_inside, n_bricks):
    plan = plan_frame(request_inside, n_bricks * BRICK)
    assert plan.is_coarsened
    assert plan.cost_bytes >= 0.95 * n_bricks * BRICK


def test_a_larger_budget_never_gives_a_larger_error(request_inside):
    floors = [
        plan_frame(request_inside, n * BRICK).floor for n in (100, 300, 1000, 3000)
    ]
    assert (np.diff(floors) <= 0).all()


def test_dear_bricks_are_counted_at_their_price(request_inside):
    dear = replace(request_inside, brick_bytes=(50 * BRICK, *(BRICK,) * 6))
    plan = plan_frame(dear, 2000 * BRICK)
    sizes = np.where(plan.levels == 0, 50, 1) * BRICK
    assert plan.cost_bytes == sizes.sum() <= 2000 * BRICK


def test_what_was_refined_before_wins_ties_within_the_hysteresis(request_inside):
    first = plan_frame(request_inside, 1000 * BRICK)
    camera = request_inside.camera
    z, y, x = camera.position
    moved = replace(camera, position=(z + 2.0, y + 1.0, x))
    asked = replace(request_inside, camera=moved)
    fresh = plan_frame(asked, 1000 * BRICK)
    steady = plan_frame(replace(asked, previous=first), 1000 * BRICK)
    kept = np.isin(first.leaf_keys, steady.leaf_keys).sum()
    assert kept >= np.isin(first.leaf_keys, fresh.leaf_keys).sum()
    strict = replace(asked, policy=LodPolicy(hysteresis=0.0), previous=first)
    again = replace(strict, previous=None)
    np.testing.assert_array_equal(
        plan_frame(strict, 1000 * BRICK).keys, plan_frame(again, 1000 * BRICK).keys
    )


def test_layers_are_ranked_together_and_not_one_after_the_other(
    request_inside, monkeypatch
):
    n_ranked = []
    ranked = Ranking.add

    def counted(self, found):
        n_ranked.append(len(found))
        ranked(self, found)

    monkeypatch.setattr(Ranking, "add", counted)
    places = [AffineTransform.from_scale((1, 1, 1), (10.0 * i, 0, 0)) for i in range(9)]
    # Of different bricks, so that they are not planned as one.
    requests = [
        replace(request_inside, world=p, brick_bytes=(BRICK + i,) * 7)
        for i, p in enumerate(places)
    ]
    plan_layers(requests, 1000 * BRICK)
    n_rounds = len(n_ranked)
    assert max(n_ranked) == 9
    n_ranked.clear()
    plan_frame(request_inside, 1000 * BRICK)
    assert n_rounds <= len(n_ranked) + 3
