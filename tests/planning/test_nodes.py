"""Nodes: rows of the same arrays, taken whole."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.planning.nodes import Nodes

NAMES = ("keys", "owners", "costs", "heads", "errors_px", "ranks", "is_wanting")


@pytest.fixture
def nodes():
    """Eight nodes, all numbers of which differ."""
    nodes = Nodes.room(8)
    for array in nodes.arrays:
        array[:] = np.arange(array.size).reshape(array.shape)
    nodes.flags[:, ::2] = False
    return nodes


@pytest.mark.parametrize("rows", [[5, 1], [], range(8)])
def test_taken_nodes_are_whole(nodes, rows):
    rows = np.array(rows, dtype=np.int64)
    taken = nodes.take(rows)
    assert len(taken) == len(rows)
    for name in NAMES:
        np.testing.assert_array_equal(getattr(taken, name), getattr(nodes, name)[rows])


def test_nodes_are_taken_by_flags_as_by_rows(nodes):
    flags = np.array([True] * 3 + [False] * 5)
    for chosen in (flags, ~flags, flags | True):
        by_flags, by_rows = nodes.take(chosen), nodes.take(np.flatnonzero(chosen))
        for own, other in zip(by_flags.arrays, by_rows.arrays, strict=True):
            np.testing.assert_array_equal(own, other)


def test_nodes_in_one_piece_share_their_memory(nodes):
    nodes.between(2, 5).keys[:] = -7
    assert (nodes.keys == -7).tolist() == [False] * 2 + [True] * 3 + [False] * 3


def test_new_nodes_have_no_flags():
    assert not Nodes.room(5).flags.any()
