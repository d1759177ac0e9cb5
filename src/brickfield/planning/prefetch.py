"""Chunks just outside of the view: what the next camera move will want.

Candidates are the face neighbours of the leaves, of the same level, that cannot
be seen now. They cost only budget that the view leaves over and stand in the
last category, so they never delay or displace anything that is seen.
"""

from __future__ import annotations

import numpy as np

from brickfield.model.chunks import unpack_keys
from brickfield.planning.grid import Ints
from brickfield.planning.nodes import Layer, Nodes

_FACES = np.hstack([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])[:, None]


def prefetch_nodes(layer: Layer, leaf_keys: Ints, room_bytes: int) -> list[Nodes]:
    """Choose chunks round the leaves of a layer.

    Parameters
    ----------
    layer : Layer
        With its base level as first nodes of the tree.
    leaf_keys : ndarray, shape (n,), int64
        Packed keys of the chunks that are drawn.
    room_bytes : int
        What may be spent.

    Returns
    -------
    list of Nodes
        One for each level that gets some, coarse before fine.
    """
    levels, indices = unpack_keys(leaf_keys)
    chosen: list[Nodes] = []
    base = layer.tree[0].level
    for level in sorted(set(levels.tolist()) - {base}, reverse=True):
        nodes = _neighbours(layer, level, indices[levels == level])
        n_fit = int(room_bytes // layer.brick_bytes[level])
        order = np.argsort(-nodes.errors_px * nodes.nearness, kind="stable")[:n_fit]
        if len(order):
            chosen.append(nodes.take(order))
            room_bytes -= len(order) * int(layer.brick_bytes[level])
    return chosen


def _neighbours(layer: Layer, level: int, indices: Ints) -> Nodes:
    shape = layer.grid.shapes[level][:, None]
    cells = (indices.T[:, :, None] + _FACES).reshape(3, -1)
    cells = cells[:, ((cells >= 0) & (cells < shape)).all(axis=0)]
    cells = np.unique(cells, axis=1)
    cells = cells[:, layer.grid.has_volume(level, cells)]
    is_seen, values = layer.view.measure(layer.grid.edges(level, cells))
    cells, values = cells[:, ~is_seen], values[:, ~is_seen]
    owners = np.full(cells.shape[1], -1, dtype=np.int64)
    nodes = layer.make_nodes(level, cells, values, owners)
    return nodes.take(~nodes.is_empty)
