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


def passed_nodes(layer: Layer, room_bytes: int) -> tuple[Bools, int]:
    """Choose the refined chunks that are wanted besides the leaves.

    Parameters
    ----------
    layer : Layer
        Refined.
    room_bytes : int
        GPU bytes that they may cost, but for the coarsest level, which is paid for.

    Returns
    -------
    is_passed : ndarray, shape (n,), bool
        Which of the layer's nodes these are.
    cost_bytes : int
    """
    nodes, levels = layer.nodes, layer.nodes.levels
    is_there = nodes.is_present & ~nodes.is_empty
    is_refined = is_there & nodes.is_refined
    if layer.policy.keeps_way:
        # Paid for when their children were.
        return is_refined, 0
    n_levels = len(layer.brick_bytes)
    n_refined = np.bincount(levels[is_refined], minlength=n_levels)
    n_leaves = np.bincount(levels[is_there & ~nodes.is_refined], minlength=n_levels)
    # In voxels that are read, not in chunks: coarse levels may have other chunk shapes.
    voxels = layer.read_voxels[:n_levels]
    room_voxels = layer.policy.way_share * float(n_leaves @ voxels)
    is_taken = np.zeros(n_levels, dtype=bool)
    cost_bytes, is_over = 0, False
    for level in range(n_levels - 1, -1, -1):
        n = int(n_refined[level])
        is_base = level == n_levels - 1
        room_voxels -= n * voxels[level]
        price = 0 if is_base else n * int(layer.brick_bytes[level])
        # Once over, always over: a finer level without the one before it would not make
        # the picture sharpen in steps.
        is_over |= room_voxels < 0 or cost_bytes + price > room_bytes
        is_taken[level] = not is_over or (is_base and _is_always_wanted(layer))
        cost_bytes += price * bool(is_taken[level])
    return is_refined & is_taken[levels], cost_bytes


def _is_always_wanted(layer: Layer) -> bool:
    return not layer.policy.is_still or not layer.is_sampled
