"""Children of chunks: each once, none seen is missing, ranks never rise."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.model import AffineTransform, unpack_keys
from brickfield.planning.base_level import lay_bases
from brickfield.planning.grid import cell_grid
from brickfield.planning.nodes import Layer, join_nodes
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


NOTHING = np.empty(0, dtype=np.int64)


def test_all_children_of_all_roots_are_found_once(make_layer):
    layer = make_layer()
    children, bytes_added = layer.expand(0, np.arange(8), NOTHING)
    assert len(np.unique(children.keys)) == len(children.keys) == 64
    # The base level stays: its own bytes are not given back.
    assert bytes_added.tolist() == [80] * 8
    assert (unpack_keys(children.keys)[0] == 0).all()


def test_a_shared_child_belongs_to_the_first_of_its_parents(make_layer):
    layer = make_layer(offset=0.0)
    rows = np.array([3, 0, 1, 2, 4, 5, 6, 7])
    children, bytes_added = layer.expand(0, rows, NOTHING)
    assert len(np.unique(children.keys)) == len(children.keys) == 64
    assert bytes_added.sum() == 640
    assert bytes_added[0] == max(bytes_added)
    later, _ = layer.expand(0, rows, np.sort(children.keys))
    assert len(later.keys) == 0


def test_a_child_never_ranks_before_its_parent(make_layer):
    layer = make_layer(offset=0.0)
    roots = layer.tree[0]
    children, _ = layer.expand(0, np.arange(8), NOTHING)
    assert (children.ranks <= roots.ranks[children.owners]).all()


def test_empty_children_cost_nothing_and_want_nothing(make_layer):
    def occupancy(level, indices):
        return np.full(len(indices), level == 0)

    layer = make_layer(occupancy=occupancy)
    children, bytes_added = layer.expand(0, np.arange(8), NOTHING)
    assert children.is_empty.all()
    assert not children.is_wanting.any()
    assert bytes_added.tolist() == [0] * 8


def test_an_occupancy_that_cannot_tell_counts_as_full(make_layer):
    layer = make_layer(occupancy=lambda *_: None)
    assert not layer.tree[0].is_empty.any()


def test_nodes_are_taken_and_joined_whole(make_layer):
    roots = make_layer().tree[0]
    parts = [roots.take(np.arange(3)), roots.take(np.arange(3, 8))]
    joined = join_nodes(parts)
    np.testing.assert_array_equal(joined.keys, roots.keys)
    np.testing.assert_array_equal(joined.indices, roots.indices)
