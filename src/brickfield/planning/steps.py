"""Which levels a picture passes on its way from the coarsest to the leaves.

A chunk that is replaced by finer ones need not be read at all. But where the finer
ones take long, or one of them never comes, it is what is seen meanwhile. So the
levels in between are wanted too, coarse before fine, as far as they are cheap: all of
them together cost at most the policy's share of what the leaves cost to read, and
only GPU memory that is left over. In a pyramid of factor two that leaves out the one
level just above the leaves (an eighth of their voxels) and takes the coarser ones (a
64th, a 512th, …).

A policy may keep all of them, for pictures of a coarser level while the camera moves:
refinement then counts them from the start.

The coarsest level is wanted whatever it costs. The one exception: where nothing will
move the camera, a level that is sampled from finer data is wanted for what is drawn
of it in the end only, unless it is as cheap as the others have to be; reading it is
reading the finer data themselves.
"""

from __future__ import annotations

import numpy as np

from brickfield.planning.grid import Bools
from brickfield.planning.nodes import Layer


def passed_nodes(layer: Layer, room_bytes: int) -> tuple[list[Bools], int]:
    """Choose the refined chunks that are wanted besides the leaves.

    Parameters
    ----------
    layer : Layer
        Refined.
    room_bytes : int
        GPU bytes that they may cost, but for the coarsest level, which is paid for.

    Returns
    -------
    is_passed : list of ndarray, shape (n,), bool
        For each depth of the tree, which nodes these are.
    cost_bytes : int
    """
    counts = [_counts(layer, depth) for depth in range(len(layer.tree))]
    if layer.policy.keeps_way:
        # Paid for when their children were.
        return [is_refined for is_refined, _ in counts], 0
    # In voxels that are read, not in chunks: coarse levels may have other chunk shapes.
    room_voxels = layer.policy.way_share * sum(
        n_leaves * layer.read_voxels[nodes.level]
        for nodes, (_, n_leaves) in zip(layer.tree, counts, strict=True)
    )
    chosen: list[Bools] = []
    cost_bytes, is_over = 0, False
    for depth, (nodes, (is_refined, _)) in enumerate(
        zip(layer.tree, counts, strict=True)
    ):
        n = int(np.count_nonzero(is_refined))
        room_voxels -= n * layer.read_voxels[nodes.level]
        price = n * int(layer.brick_bytes[nodes.level]) if depth else 0
        # Once over, always over: a finer level without the one before it would not make
        # the picture sharpen in steps.
        is_over |= room_voxels < 0 or cost_bytes + price > room_bytes
        is_taken = not is_over or (depth == 0 and _is_always_wanted(layer))
        chosen.append(is_refined & is_taken)
        cost_bytes += price * is_taken
    return chosen, cost_bytes


def _counts(layer: Layer, depth: int) -> tuple[Bools, int]:
    """Return which nodes are refined, and how many leaves hold something."""
    nodes = layer.tree[depth]
    is_there = layer.present_rows(depth) & ~nodes.is_empty
    n_leaves = int(np.count_nonzero(is_there & ~nodes.is_refined))
    return is_there & nodes.is_refined, n_leaves


def _is_always_wanted(layer: Layer) -> bool:
    return not layer.policy.is_still or not layer.is_sampled
