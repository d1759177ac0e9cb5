"""Chunks just outside of the view: what the next camera move will want.

Candidates are the face neighbours of the leaves, of the same level, that cannot
be seen now. They cost only budget that the view leaves over and stand in the
last category, so they never delay or displace anything that is seen.
"""

from __future__ import annotations

import numpy as np

from brickfield.model.chunks import unpack_keys
from brickfield.planning.grid import Bools, Ints
from brickfield.planning.refine import Layer, Nodes

_FACES = np.vstack([np.eye(3, dtype=np.int64), -np.eye(3, dtype=np.int64)])


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
    shape = layer.grid.shapes[level]
    cells = (indices[:, None, :] + _FACES).reshape(-1, 3)
    is_inside: Bools = ((cells >= 0) & (cells < shape)).all(axis=1)
    cells = np.unique(cells[is_inside], axis=0)
    cells = cells[layer.grid.has_volume(level, cells)]
    boxes = layer.grid.boxes(level, cells)
    is_outside = ~layer.view.region.intersects(*boxes)
    cells = cells[is_outside]
    boxes = (boxes[0][is_outside], boxes[1][is_outside])
    nodes = layer.make_nodes(level, cells, boxes, np.full(len(cells), -1))
    return nodes.take(~nodes.is_empty)
