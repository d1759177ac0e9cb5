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

from brickfield.model import MAX_LEVELS
from brickfield.planning.grid import Bools, Ints
from brickfield.planning.layer import Layer


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
    nodes = layer.nodes
    is_there = nodes.is_present & ~nodes.is_empty
    is_refined = is_there & nodes.is_refined
    if layer.policy.keeps_way:
        # Paid for when their children were.
        return is_refined, 0
    n_refined, n_leaves = (
        _by_site(layer, nodes.heads[rows])
        for rows in (is_refined, is_there & ~nodes.is_refined)
    )
    # In voxels that are read, not in chunks: coarse levels may have other chunk shapes.
    voxels = layer.read_voxels[: len(layer.brick_bytes)]
    room_voxels = layer.policy.way_share * (n_leaves @ voxels)
    is_taken = np.zeros((layer.code.n_sites, MAX_LEVELS), dtype=bool)
    cost_bytes = 0
    for site in range(layer.code.n_sites):
        cost_bytes += _take_levels(
            layer,
            n_refined[site].tolist(),
            float(room_voxels[site]),
            room_bytes - cost_bytes,
            is_taken[site],
        )
    return is_refined & is_taken.reshape(-1)[nodes.heads], cost_bytes


def _by_site(layer: Layer, heads: Ints) -> Ints:
    """Count nodes, shape (n_sites, n_levels)."""
    n_sites = layer.code.n_sites
    counts = np.bincount(heads, minlength=n_sites * MAX_LEVELS)
    return counts.reshape(n_sites, MAX_LEVELS)[:, : len(layer.brick_bytes)]


def _take_levels(
    layer: Layer,
    n_refined: list[int],
    room_voxels: float,
    room_bytes: int,
    is_taken: Bools,
) -> int:
    """Note which levels one image passes; return what they cost."""
    cost_bytes, is_over = 0, False
    coarsest = len(n_refined) - 1
    voxels, brick_bytes = layer.read_voxels.tolist(), layer.brick_bytes.tolist()
    for level in range(coarsest, -1, -1):
        n = n_refined[level]
        is_base = level == coarsest
        room_voxels -= n * voxels[level]
        price = 0 if is_base else n * brick_bytes[level]
        # Once over, always over: a finer level without the one before it would not make
        # the picture sharpen in steps.
        is_over |= room_voxels < 0 or cost_bytes + price > room_bytes
        is_taken[level] = not is_over or (is_base and _is_always_wanted(layer))
        cost_bytes += price * bool(is_taken[level])
    return cost_bytes


def _is_always_wanted(layer: Layer) -> bool:
    return not layer.policy.is_still or not layer.is_sampled
