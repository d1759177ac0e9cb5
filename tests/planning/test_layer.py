"""Children of chunks: each once, none seen is missing, ranks never rise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.planning.base_level import lay_bases
from brickfield.planning.frame_plan import FramePlan
from brickfield.planning.grid import cell_grid
from brickfield.planning.layer import Layer
from brickfield.planning.plan import PlanRequest, _prepare, plan_frame
from brickfield.planning.policy import LodPolicy
from brickfield.planning.projection import DataView


@pytest.fixture
def make_layer(make_pyramid, look_at):
    """Layers of two levels of 2³ and 4³ chunks, seen from far away."""

    def make(offset=0.5, occupancy=None):
        pyramid = make_pyramid(
            [(256,) * 3, (128,) * 3],
            [(1.0,) * 3, (2.0,) * 3],
            [(64,) * 3] * 2,
            [(0.0,) * 3, (offset,) * 3],
        )
        camera = look_at((-900.0, 128.0, 128.0), (128.0, 128.0, 128.0), 256)
        layer = Layer(
            grid=cell_grid(pyramid),
            view=DataView.of(
                pyramid,
                AffineTransform(),
                camera,
                clip_planes=np.empty((0, 4)),
                focus=None,
            ),
            policy=LodPolicy(base_share=0.1),
            brick_bytes=np.array([10, 7]),
            occupancy=occupancy,
            refined_before=np.empty(0, dtype=np.int64),
            is_moving=False,
        )
        lay_bases([layer], 600)
        return layer

    return make


def children_of(layer, rows):
    """Expand rows of the base level; return their children and what each row costs."""
    n = len(layer.nodes)
    layer.expand(np.asarray(rows))
    return layer.nodes.take(np.arange(n, len(layer.nodes))), layer.nodes.costs[rows]


def test_all_children_of_all_roots_are_found_once(make_layer):
    children, costs = children_of(make_layer(), range(8))
    assert len(np.unique(children.keys)) == len(children.keys) == 64
    # The base level stays: its own bytes are not given back.
    assert costs.tolist() == [80] * 8
    assert (children.levels == 0).all()


def test_a_shared_child_belongs_to_the_first_of_its_parents(make_layer):
    layer = make_layer(offset=0.0)
    rows = [3, 0, 1, 2, 4, 5, 6, 7]
    children, costs = children_of(layer, rows)
    assert len(np.unique(children.keys)) == len(children.keys) == 64
    assert costs.sum() == 640
    assert costs[0] == max(costs)
    later, _ = children_of(layer, rows)
    assert len(later.keys) == 0


def test_a_child_never_ranks_before_its_parent(make_layer):
    layer = make_layer(offset=0.0)
    children, _ = children_of(layer, range(8))
    assert (children.ranks <= layer.nodes.ranks[children.owners]).all()


def test_empty_children_cost_nothing_and_want_nothing(make_layer):
    def occupancy(level, indices):
        return np.full(len(indices), level == 0)

    children, costs = children_of(make_layer(occupancy=occupancy), range(8))
    assert children.is_empty.all()
    assert not children.is_wanting.any()
    assert costs.tolist() == [0] * 8


def test_an_occupancy_that_cannot_tell_counts_as_full(make_layer):
    assert not make_layer(occupancy=lambda *_: None).nodes.is_empty.any()


def test_nodes_stay_as_they_were_when_children_come_after_them(make_layer):
    """Also where the room for more nodes is used up and all are copied."""
    layer = make_layer()
    whole = make_layer()
    whole.expand(np.arange(8))
    for row in range(8):
        layer.expand(np.array([row]))
    for own, other in zip(layer.nodes.arrays, whole.nodes.arrays, strict=True):
        np.testing.assert_array_equal(own, other)


def _walked(request):
    """The nodes after a walk from the top, level by level."""
    layer = _prepare([request])
    lay_bases([layer], 10**12)
    for level in range(request.pyramid.n_levels - 1, 0, -1):
        layer.expand(np.flatnonzero(layer.nodes.levels == level))
    return layer.nodes


def _by_key(nodes, name):
    return getattr(nodes, name)[np.argsort(nodes.keys)]


def test_chunks_expanded_in_one_pass_are_as_by_a_walk_from_the_top(
    make_pyramid, look_at
):
    """Levels of odd sizes and of other factors in z."""
    pyramid = make_pyramid(
        [(40, 500, 700), (40, 250, 350), (20, 125, 175), (10, 63, 88)],
        [(1, 1, 1), (1, 2, 2), (2, 4, 4), (4, 8, 8)],
        [(16, 16, 16)] * 4,
        [(0, 0, 0), (0, 0.5, 0.5), (0.5, 1.5, 1.5), (1.5, 3.5, 3.5)],
    )
    camera = look_at((-200.0, 240.0, 300.0), (20.0, 250.0, 350.0), 700)
    request = PlanRequest(pyramid, AffineTransform(), camera, (7, 6, 5, 4))
    walked = _walked(request)
    keys = np.sort(walked.keys[walked.levels > 0])
    layer = _prepare([replace(request, previous=_planned(keys))])
    lay_bases([layer], 10**12)
    layer.expand_as_before()
    assert len(layer.nodes) == len(walked) > 900
    for name in ("keys", "errors_px", "nearness", "ranks", "costs", "is_expanded"):
        np.testing.assert_array_equal(_by_key(layer.nodes, name), _by_key(walked, name))
    assert _owners(layer.nodes) == _owners(walked)


def _owners(nodes):
    owners = np.where(nodes.owners < 0, -1, nodes.keys[nodes.owners])
    return dict(zip(nodes.keys.tolist(), owners.tolist(), strict=True))


def _planned(keys):
    nothing = np.empty(0)
    return FramePlan(
        keys=nothing.astype(np.int64),
        priorities=nothing.astype(np.float32),
        categories=nothing.astype(np.uint8),
        errors_px=nothing.astype(np.float32),
        is_leaf=nothing.astype(bool),
        cost_bytes=0,
        is_coarsened=False,
        max_error_px=0.0,
        base_level=0,
        ranked=keys,
    )


def test_a_camera_at_rest_is_planned_in_one_pass(make_halving, look_at, monkeypatch):
    """Whatever the number of levels: so many calls of numpy does a plan cost."""
    camera = look_at((2048.0, 2000.0, 2100.0), (4000.0, 2300.0, 1000.0), 4096)
    request = PlanRequest(make_halving(4096, 7), AffineTransform(), camera, (1,) * 7)
    passes = []
    children = Layer.children
    monkeypatch.setattr(
        Layer, "children", lambda *args: passes.append(1) or children(*args)
    )
    first = plan_frame(request, 1000)
    assert len(passes) >= 6
    passes.clear()
    again = plan_frame(replace(request, previous=first), 1000)
    assert len(passes) <= 2
    assert set(again.keys.tolist()) == set(first.keys.tolist())
