"""The coarsest level, which is wanted first, and what is visible of it.

The coarsest level comes before everything else, so that after its first answer there
is something to draw everywhere. It is kept whole, so that this stays so whatever the
camera does next, while that leaves at least half of the budget to refinement (or
nothing is left to refine). Beyond that only its visible chunks are wanted, and if
these alone exceed the budget, as many as fit: the one case in which a plan cannot
cover the view. A view of one plane needs little of a level: for it nothing beyond the
policy's share is kept whole, and for a camera that does not move nothing at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from brickfield.planning.culling import visible_cells
from brickfield.planning.grid import Bools, Boxes, Floats, Ints
from brickfield.planning.layer import Layer
from brickfield.planning.nodes import Nodes
from brickfield.planning.policy import LodPolicy
from brickfield.planning.sites import sites_of

_LARGEST_SHARE = 0.5
"""Of the budget, for a whole coarsest level of a pyramid with finer ones."""

_CANDIDATES = 4
"""Visible chunks looked at, as a multiple of those that fit."""
_FEWEST = 4096
"""Visible chunks that are looked at in any case."""


@dataclass(frozen=True, eq=False)
class Base:
    """The coarsest level of one layer.

    Attributes
    ----------
    overview : int
        The finest level whose whole grid costs at most the policy's share of the
        budget.
    hidden : Nodes
        Chunks that are kept without being in view.
    is_whole : bool
        Whether the whole level is kept.
    is_cut : bool
        Whether the budget left visible chunks out.
    """

    overview: int
    hidden: Nodes
    is_whole: bool
    is_cut: bool = False


def lay_bases(layers: Sequence[Layer], budget_bytes: int) -> tuple[list[Base], int]:
    """Choose every layer's base level and begin its nodes.

    Parameters
    ----------
    layers : sequence of Layer
        The visible base chunks become their first nodes.
    budget_bytes : int
        Of all layers together.

    Returns
    -------
    bases : list of Base
    used_bytes : int
        What the base levels cost together.
    """
    # Each layer is judged by an equal share, so that none depends on the order of
    # layers.
    n = max(sum(layer.n_alike * layer.code.n_sites for layer in layers), 1)
    bases = [
        _lay_base(layer, budget_bytes * layer.n_alike // n, budget_bytes)
        for layer in layers
    ]
    used = sum(
        _cost(layer, nodes)
        for layer, base in zip(layers, bases, strict=True)
        if base.is_whole
        for nodes in (layer.nodes, base.hidden)
    )
    # Whole base levels first: they are small. What is left is divided among the others.
    partial = [i for i, base in enumerate(bases) if not base.is_whole]
    cuts = _cut_to_fit([layers[i] for i in partial], budget_bytes - used)
    for i, is_cut in zip(partial, cuts, strict=True):
        bases[i] = replace(bases[i], is_cut=bases[i].is_cut or is_cut)
        used += _cost(layers[i], layers[i].nodes)
    return bases, used


def _lay_base(layer: Layer, share_bytes: int, budget_bytes: int) -> Base:
    costs = layer.grid.n_cells * layer.brick_bytes
    heads: int | Ints = len(costs) - 1
    level, sites = len(costs) - 1, None
    is_whole = is_kept_whole(
        layer.policy,
        level,
        float(costs[level]),
        share_bytes,
        is_slice=layer.is_slice,
    )
    grid, view = layer.grid, layer.view
    is_cut = False
    if is_whole:
        cells, boxes = grid.coarsest_cells, grid.coarsest_boxes
        if layer.code.n_sites > 1:
            heads = level + layer.code.heads_of_level.repeat(cells.shape[1])
            sites = sites_of(heads)
            cells = np.tile(cells, layer.code.n_sites)
            boxes = grid.edges(level, cells)
    else:

        def rank(boxes: Boxes) -> Floats:
            _, values = view.measure(boxes)
            return view.magnification(values) * (1 + view.nearness(values))

        # More than can fit: some may be empty, and cost nothing.
        n_fit = int(budget_bytes // layer.brick_bytes[level])
        limit = max(_FEWEST, _CANDIDATES * (n_fit + 1))
        cells = visible_cells(grid, level, view.region, limit=limit, rank=rank)
        # The limit was reached, so some candidates were never looked at.
        is_cut = cells.shape[1] >= limit
        boxes = grid.edges(level, cells)
    is_seen, values = view.measure(boxes, sites)
    owners = np.full(cells.shape[1], -1, dtype=np.int64)
    nodes = layer.make_nodes(layer.code.pack(heads, cells), values, owners)
    layer.plant(nodes.take(is_seen))
    overview = _overview(layer, costs, share_bytes)
    is_hidden = ~is_seen & (not layer.policy.is_still)
    hidden = nodes.take(is_hidden.nonzero()[0])
    return Base(overview, hidden, is_whole, is_cut)


def _overview(layer: Layer, costs: Floats, share_bytes: int) -> int:
    """Choose the level at which a view is more than a first impression."""
    coarsest = len(costs) - 1
    finest = min(layer.policy.forced_level or 0, coarsest)
    is_cheap = costs[finest:] <= share_bytes * layer.policy.base_share
    # argmax of booleans is the first True, the finest level that is cheap enough.
    return finest + int(is_cheap.argmax()) if is_cheap.any() else coarsest


def is_kept_whole(
    policy: LodPolicy, coarsest: int, cost: float, share_bytes: int, *, is_slice: bool
) -> bool:
    """Tell whether all of the coarsest level is kept.

    Parameters
    ----------
    policy : LodPolicy
    coarsest : int
        That level.
    cost : float
        GPU bytes of all of it.
    share_bytes : int
        What the image may use of the budget.
    is_slice : bool
        Whether only one plane of the image is shown.
    """
    if is_slice:
        return cost <= share_bytes * policy.base_share
    has_finer = coarsest > (policy.forced_level or 0)
    return cost <= share_bytes * (_LARGEST_SHARE if has_finer else 1.0)


def _cost(layer: Layer, nodes: Nodes) -> int:
    n_kept = int(np.count_nonzero(~nodes.is_empty))
    return n_kept * int(layer.brick_bytes[-1])


def _cut_to_fit(layers: Sequence[Layer], room_bytes: int) -> list[bool]:
    """Keep the highest-ranked visible base chunks that fit; tell which layers lost some."""
    if sum(_cost(layer, layer.nodes) for layer in layers) <= room_bytes:
        return [False] * len(layers)
    roots = [layer.nodes for layer in layers]
    wants = np.concatenate([n.errors_px * (1 + n.nearness) for n in roots])
    costs = np.concatenate(
        [
            np.where(n.is_empty, 0, layer.brick_bytes[-1])
            for n, layer in zip(roots, layers, strict=True)
        ]
    )
    order = np.argsort(-wants, kind="stable")
    is_kept: Bools = np.zeros(len(wants), dtype=bool)
    # Worst on the screen first, over all layers together.
    is_kept[order] = np.cumsum(costs[order]) <= room_bytes
    ends = np.cumsum([len(n.keys) for n in roots])[:-1]
    kept = np.split(is_kept, ends)
    for layer, nodes, rows in zip(layers, roots, kept, strict=True):
        layer.plant(nodes.take(rows))
    return [not bool(rows.all()) for rows in kept]
