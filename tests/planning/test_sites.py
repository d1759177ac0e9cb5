"""Images of one kind are planned as one, and get what each would get as a layer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model import AffineTransform, pack_keys
from brickfield.planning import plan as plan_module
from brickfield.planning.layer import Layer
from brickfield.planning.plan import PlanRequest, plan_frame, plan_layers
from brickfield.planning.policy import LodPolicy
from brickfield.planning.sites import NodeCode, levels_of, sites_of

BRICK = 1000


@given(st.data(), st.integers(1, 300), st.integers(1, 2000))
def test_names_are_those_of_chunks_in_the_order_of_sites(data, n_sites, longest):
    code = (
        NodeCode.of(np.array([[1, longest, 1]]), n_sites) if n_sites > 1 else NodeCode()
    )
    place = st.tuples(st.integers(0, 15), *[st.integers(0, longest - 1)] * 3)
    places = data.draw(st.lists(place, max_size=20))
    of_keys = np.array(places, dtype=np.int64).reshape(-1, 4)
    keys = np.sort(pack_keys(of_keys[:, 0], of_keys[:, 1:]))
    sites = sorted(data.draw(st.sets(st.integers(0, n_sites - 1), max_size=4)))
    names = np.concatenate([code.names_of(s, keys) for s in sites] or [keys[:0]])
    assert (np.diff(names) >= 0).all()
    np.testing.assert_array_equal(code.keys_of(names), np.tile(keys, len(sites)))
    heads, indices = code.unpack(names)
    np.testing.assert_array_equal(code.pack(heads, indices), names)
    np.testing.assert_array_equal(sites_of(heads), np.repeat(sites, len(keys)))
    np.testing.assert_array_equal(levels_of(heads), np.tile(keys >> 57, len(sites)))
    ends = np.cumsum([len(keys) * (s in sites) for s in range(n_sites)])
    assert code.split(names) == ends.tolist()


@pytest.fixture
def request_inside(make_halving, look_at):
    pyramid = make_halving(4096, 7)
    camera = look_at((2048.0, 2000.0, 2100.0), (4000.0, 2300.0, 1000.0), 4096)
    return PlanRequest(pyramid, AffineTransform(), camera, (BRICK,) * 7)


def _tilted(i):
    matrix = np.eye(4)
    matrix[:3, :3] = np.diag([1 + 0.1 * i, 1, 1]) + 0.05 * i * np.eye(3)[[1, 2, 0]]
    matrix[:3, 3] = (40.0 * i, -30.0 * i, 9.0 * i)
    return AffineTransform.from_matrix(matrix)


def _half_empty(level, indices):
    return indices[:, 1] * 2 < (4096 >> level) // 64


def _unlike(request):
    """Layers that differ by place, cuts and what is known of them."""
    requests = [replace(request, world=_tilted(i)) for i in range(5)]
    requests[1] = replace(requests[1], occupancy=_half_empty)
    requests[2] = replace(requests[2], occupancy=lambda *_: None)
    requests[3] = replace(requests[3], hidden=_half_empty)
    cuts = [(0, 1, 0, -300.0 * i) for i in range(5)]
    return [
        replace(r, clip_planes=np.array([c]))
        for r, c in zip(requests, cuts, strict=True)
    ]


def _apart(requests, budget, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(
            plan_module, "_sites", lambda _, members, *__: [[i] for i in members]
        )
        return plan_layers(requests, budget)


def _same(ours, theirs):
    """Compare by key: nearly equal priorities may order differently."""
    first, second = np.argsort(ours.keys), np.argsort(theirs.keys)
    for name in ("keys", "categories", "is_leaf"):
        np.testing.assert_array_equal(
            getattr(ours, name)[first], getattr(theirs, name)[second], name
        )
    for name in ("priorities", "errors_px"):
        np.testing.assert_allclose(
            getattr(ours, name)[first],
            getattr(theirs, name)[second],
            1e-5,
            err_msg=name,
        )
    np.testing.assert_array_equal(ours.refined, theirs.refined)
    np.testing.assert_array_equal(np.sort(ours.empty_keys), np.sort(theirs.empty_keys))
    assert ours.cost_bytes == theirs.cost_bytes
    assert ours.base_level == theirs.base_level
    assert ours.is_coarsened == theirs.is_coarsened
    assert ours.max_error_px == pytest.approx(theirs.max_error_px)


@pytest.mark.parametrize(
    "policy", [LodPolicy(4.0), LodPolicy(forced_level=3)], ids=repr
)
def test_sites_get_the_plans_that_they_would_get_as_layers(
    request_inside, monkeypatch, policy
):
    requests = [replace(r, policy=policy) for r in _unlike(request_inside)]
    for _ in range(2):
        plans = plan_layers(requests, 10**9)
        for ours, theirs in zip(
            plans, _apart(requests, 10**9, monkeypatch), strict=True
        ):
            _same(ours, theirs)
        # The next round goes on from here.
        requests = [
            replace(r, previous=p) for r, p in zip(requests, plans, strict=True)
        ]
    assert any(len(plan.empty_keys) for plan in plans)


def test_sites_share_a_budget_as_layers_do(request_inside, monkeypatch):
    requests, budget = _unlike(request_inside), 900 * BRICK
    plans = plan_layers(requests, budget)
    apart = _apart(requests, budget, monkeypatch)
    assert 0.99 * budget < sum(plan.cost_bytes for plan in plans) <= budget
    assert plans[0].floor == pytest.approx(apart[0].floor, rel=0.02)
    for ours, theirs in zip(plans, apart, strict=True):
        n_shared = len(np.intersect1d(ours.leaf_keys, theirs.leaf_keys))
        assert n_shared >= 0.97 * len(theirs.leaf_keys)


def test_many_sites_are_looked_into_in_as_many_passes_as_one(
    request_inside, monkeypatch
):
    passes = []
    children = Layer.children
    monkeypatch.setattr(
        Layer, "children", lambda *args: passes.append(1) or children(*args)
    )
    plan_frame(request_inside, 1000 * BRICK)
    n_alone = len(passes)
    passes.clear()
    worlds = [AffineTransform.from_scale((1, 1, 1), (3.0 * i, 0, 0)) for i in range(60)]
    plan_layers([replace(request_inside, world=w) for w in worlds], 1000 * BRICK)
    assert len(passes) <= n_alone + 3


def test_more_images_than_one_layer_has_sites_are_several_layers(
    request_inside, monkeypatch
):
    monkeypatch.setattr(plan_module, "MOST_SITES", 2)
    requests = _unlike(request_inside)
    plans = plan_layers(requests, 10**9)
    for ours, theirs in zip(plans, _apart(requests, 10**9, monkeypatch), strict=True):
        _same(ours, theirs)


def test_base_levels_too_large_to_be_kept_whole_are_cut_for_each_image(
    make_halving, look_at
):
    pyramid = make_halving(4096, 2)
    camera = look_at((2048.0, 2000.0, 2100.0), (4000.0, 2300.0, 1000.0), 4096)
    request = PlanRequest(pyramid, AffineTransform(), camera, (BRICK,) * 2)
    requests = [replace(request, world=_tilted(i)) for i in range(3)]
    plans = plan_layers(requests, 500 * BRICK)
    assert all(plan.is_coarsened and plan.n_chunks for plan in plans)
    assert sum(plan.cost_bytes for plan in plans) <= 500 * BRICK
