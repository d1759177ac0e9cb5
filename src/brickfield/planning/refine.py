"""Best-first refinement of several layers within one budget.

Invariant: after every step the accepted refinements are a prefix of one
ranking by error, over all levels and all layers, in which a chunk never stands
before the chunk it came from. So the accepted set is always closed upward (a
cover), always fits the budget, and no refinement that was left out has a larger
error than one that was taken. Only at the very end is a remainder of the budget,
too small for the next in the ranking, spent on later ones that fit.

The tree is walked level by level, because arrays of one level share their
geometry, but only where the error is above the *floor*: the error of the first
refinement that did not fit. Deeper levels cost more, so the floor only rises,
and work is bounded by what fits the budget, not by what could be seen. A chunk
with several parents (non-nested pyramids) belongs to the one ranked first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brickfield.model.chunks import pack_keys
from brickfield.planning.grid import Bools, CellGrid, Floats, Ints
from brickfield.planning.policy import LodPolicy
from brickfield.planning.view import DataView

Occupancy = Callable[[int, Ints], NDArray[np.bool_] | None]

_TIE = 1e-6
"""How much nearness to the centre of attention weighs, relative to error."""
_BATCH_CELLS = 8192
"""Cells tested at once: enough for numpy to be quick, few enough to stop early."""


@dataclass(eq=False)
class Nodes:
    """Visible cells of one level of one layer.

    Attributes
    ----------
    level : int
    indices : ndarray, shape (n, 3), int64
    keys : ndarray, shape (n,), int64
    owners : ndarray, shape (n,), int64
        Row of the chunk each came from, in the next coarser nodes.
    errors_px, nearness, ranks : ndarray, shape (n,), float64
    is_empty : ndarray, shape (n,), bool
        Known to hold nothing.
    is_wanting : ndarray, shape (n,), bool
        Its error is above what the policy asks for.
    is_refined : ndarray, shape (n,), bool
        Accepted for replacement by its children.
    """

    level: int
    indices: Ints
    keys: Ints
    owners: Ints
    errors_px: Floats
    nearness: Floats
    ranks: Floats
    is_empty: Bools
    is_wanting: Bools
    is_refined: Bools

    def take(self, rows: Ints | Bools) -> Nodes:
        """Return some of the nodes."""
        arrays = {n: getattr(self, n)[rows] for n in _ARRAYS}
        return Nodes(level=self.level, **arrays)


_ARRAYS = tuple(n for n in Nodes.__dataclass_fields__ if n != "level")


def _join(parts: Sequence[Nodes]) -> Nodes:
    if len(parts) == 1:
        return parts[0]
    arrays = {n: np.concatenate([getattr(p, n) for p in parts]) for n in _ARRAYS}
    return Nodes(level=parts[0].level, **arrays)


@dataclass(eq=False)
class Layer:
    """One image under refinement: what is fixed, and its tree so far.

    Attributes
    ----------
    grid : CellGrid
    view : DataView
    policy : LodPolicy
    brick_bytes : ndarray, shape (n_levels,), int64
    occupancy : callable or None
    refined_before : ndarray, shape (n,), int64
        Keys that the previous plan had refined, ascending.
    is_moving : bool
    tree : list of Nodes
        From the base level down; the first are the visible base chunks.
    """

    grid: CellGrid
    view: DataView
    policy: LodPolicy
    brick_bytes: Ints
    occupancy: Occupancy | None
    refined_before: Ints
    is_moving: bool
    tree: list[Nodes] = field(default_factory=list)

    @property
    def target_px(self) -> float:
        """Error above which new refinement is wanted now."""
        factor = self.policy.motion_bias if self.is_moving else 1.0
        return self.policy.target_error_px * factor

    def empty_cells(self, level: int, indices: Ints) -> Bools:
        """Tell which cells are known to hold nothing."""
        found = self.occupancy(level, indices) if self.occupancy else None
        if found is None:
            return np.zeros(len(indices), dtype=bool)
        return np.asarray(found, dtype=bool)

    def make_nodes(
        self, level: int, indices: Ints, boxes: tuple[Floats, Floats], owners: Ints
    ) -> Nodes:
        """Measure visible cells (ranks are not yet bounded by their owners')."""
        magnification = self.view.magnification(*boxes)
        nearness = self.view.nearness(boxes[0])
        keys = pack_keys(level, indices)
        errors_px = magnification * self.view.voxel_world[level]
        avoidable = magnification * self.view.avoidable_world[level]
        was_refined = _contains(self.refined_before, keys)
        is_empty = self.empty_cells(level, indices)
        policy = self.policy
        keep_px = policy.target_error_px * (1 - policy.hysteresis)
        if policy.forced_level is None:
            is_wanting = avoidable > np.where(was_refined, keep_px, self.target_px)
        else:
            avoidable = errors_px
            is_wanting = np.full(len(keys), level > policy.forced_level)
        ranks = avoidable / policy.target_error_px * (1 + _TIE * nearness)
        ranks[was_refined] /= 1 - policy.hysteresis
        return Nodes(
            level=level,
            indices=indices,
            keys=keys,
            owners=owners,
            errors_px=errors_px,
            nearness=nearness,
            ranks=ranks,
            is_empty=is_empty,
            is_wanting=is_wanting & ~is_empty & (level > 0),
            is_refined=np.zeros(len(keys), dtype=bool),
        )

    def expand(self, depth: int, rows: Ints, known: Ints) -> tuple[Nodes, Ints]:
        """Find the visible children of some nodes.

        Parameters
        ----------
        depth : int
            Place in the tree of the nodes.
        rows : ndarray, shape (n,), int64
            Their rows, highest rank first.
        known : ndarray, shape (k,), int64
            Keys of children that others own already, ascending.

        Returns
        -------
        children : Nodes
        bytes_added : ndarray, shape (n,), int64
            What replacing each node costs in addition.
        """
        parents = self.tree[depth]
        level = parents.level - 1
        place, indices = self.grid.children(parents.level, parents.indices[rows])
        centre, half = self.grid.boxes(level, indices)
        seen = np.flatnonzero(self.view.region.intersects(centre, half))
        if not self.grid.is_nested[parents.level]:
            keys = pack_keys(level, indices[seen])
            first = np.unique(keys, return_index=True)[1]
            first.sort()
            seen = seen[first[~_contains(known, keys[first])]]
        place, boxes = place[seen], (centre[seen], half[seen])
        children = self.make_nodes(level, indices[seen], boxes, rows[place])
        np.minimum(children.ranks, parents.ranks[rows[place]], out=children.ranks)
        n_new = np.bincount(place[~children.is_empty], minlength=len(rows))
        own = self.brick_bytes[parents.level] if depth else 0
        return children, n_new * self.brick_bytes[level] - own


def _contains(keys: Ints, wanted: Ints) -> Bools:
    """Tell which of `wanted` are among `keys` (ascending)."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=bool)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.asarray(keys[at] == wanted)


class Ranking:
    """All refinements explored so far, and how many of them fit.

    Parameters
    ----------
    layers : sequence of Layer
    room_bytes : int
        What refinement may cost beyond the base levels.
    """

    def __init__(self, layers: Sequence[Layer], room_bytes: int) -> None:
        self._layers = layers
        self._room = room_bytes
        self._ranks = np.empty(0)
        self._refs = np.empty((3, 0), dtype=np.int64)
        self._bytes = np.empty(0, dtype=np.int64)
        self._left_out: list[tuple[Floats, Ints, Ints]] = []
        self.floor = 0.0
        self.used_bytes = 0

    def add(self, layer: int, depth: int, rows: Ints, bytes_added: Ints) -> None:
        """Enter refinements of one layer and depth; keep the prefix that fits."""
        nodes = self._layers[layer].tree[depth]
        nodes.is_refined[rows] = True
        refs = np.empty((3, len(rows)), dtype=np.int64)
        refs[0], refs[1], refs[2] = layer, depth, rows
        self._ranks = np.concatenate([self._ranks, nodes.ranks[rows]])
        self._refs = np.concatenate([self._refs, refs], axis=1)
        self._bytes = np.concatenate([self._bytes, bytes_added])
        self.used_bytes = int(self._bytes.sum())
        if self.used_bytes > self._room:
            self._cut()

    def _cut(self) -> None:
        # Stable: what came from a chunk of equal rank stays behind it.
        order = np.argsort(-self._ranks, kind="stable")
        ranks, refs, costs = (
            self._ranks[order],
            self._refs[:, order],
            self._bytes[order],
        )
        fits = np.flatnonzero(np.cumsum(costs) <= self._room)
        n = int(fits[-1]) + 1 if len(fits) else 0
        self.floor = max(self.floor, float(ranks[n]))
        self._left_out.append((ranks[n:], refs[:, n:], costs[n:]))
        self._mark(refs[:, n:], is_refined=False)
        self._ranks, self._refs, self._bytes = ranks[:n], refs[:, :n], costs[:n]
        self.used_bytes = int(self._bytes.sum())

    def _mark(self, refs: Ints, *, is_refined: bool) -> None:
        for code in np.unique(refs[0] << 8 | refs[1]).tolist():
            layer, depth = code >> 8, code & 255
            rows = refs[2, (refs[0] == layer) & (refs[1] == depth)]
            self._layers[layer].tree[depth].is_refined[rows] = is_refined

    def fill(self) -> None:
        """Spend what is left on refinements that were left out and fit now."""
        if not self._left_out:
            return
        ranks, refs, costs = (
            np.concatenate([part[i] for part in self._left_out], axis=-1)
            for i in range(3)
        )
        room = self._room - self.used_bytes
        fits = (costs <= room) & self._can_refine(refs)
        ranks, refs, costs = ranks[fits], refs[:, fits], costs[fits]
        order = np.argsort(-ranks, kind="stable")
        order = order[np.cumsum(np.maximum(costs[order], 0)) <= room]
        self._mark(refs[:, order], is_refined=True)
        self.used_bytes += int(costs[order].sum())

    def _can_refine(self, refs: Ints) -> Bools:
        """Tell which nodes are leaves now, with children of their own only."""
        can = np.zeros(refs.shape[1], dtype=bool)
        for code in np.unique(refs[0] << 8 | refs[1]).tolist():
            layer, depth = self._layers[code >> 8], code & 255
            nodes = layer.tree[depth]
            if not layer.grid.is_nested[nodes.level]:
                continue
            at = (refs[0] == code >> 8) & (refs[1] == depth)
            owners = nodes.owners[refs[2, at]]
            can[at] = layer.tree[depth - 1].is_refined[owners] if depth else True
        return can


def refine(layers: Sequence[Layer], room_bytes: int) -> int:
    """Refine the layers' trees from their base levels within a budget.

    Parameters
    ----------
    layers : sequence of Layer
        Each with its visible base chunks as the only nodes; their trees grow.
    room_bytes : int
        What may be added to the cost of the base levels.

    Returns
    -------
    int
        What was added.
    """
    ranking = Ranking(layers, room_bytes)
    depth = 0
    while any(len(layer.tree) > depth for layer in layers):
        for i, layer in enumerate(layers):
            if len(layer.tree) > depth and layer.tree[depth].level > 0:
                _descend(ranking, layer, i, depth)
        depth += 1
    ranking.fill()
    return ranking.used_bytes


def present_rows(layer: Layer, depth: int) -> Bools:
    """Tell which nodes of a depth are in the cover or above it, shape (n,)."""
    nodes = layer.tree[depth]
    if depth == 0:
        return np.ones(len(nodes.keys), dtype=bool)
    return np.asarray(layer.tree[depth - 1].is_refined[nodes.owners])


def _descend(ranking: Ranking, layer: Layer, number: int, depth: int) -> None:
    """Explore one level of one layer, highest rank first, down to the floor."""
    nodes = layer.tree[depth]
    rows = np.flatnonzero(
        nodes.is_wanting & (nodes.ranks > ranking.floor) & present_rows(layer, depth)
    )
    rows = rows[np.argsort(-nodes.ranks[rows], kind="stable")]
    n_batch = max(32, _BATCH_CELLS // layer.grid.fanout(nodes.level))
    known = np.empty(0, dtype=np.int64)
    parts: list[Nodes] = []
    for start in range(0, len(rows), n_batch):
        batch = rows[start : start + n_batch]
        # A chunk that two parents share belongs to the first of the ranking: were
        # the second accepted without it, there would be a hole.
        batch = batch[nodes.ranks[batch] > ranking.floor]
        if len(batch) == 0:
            break
        children, bytes_added = layer.expand(depth, batch, known)
        parts.append(children)
        if not layer.grid.is_nested[nodes.level]:
            known = np.sort(np.concatenate([known, children.keys]))
        ranking.add(number, depth, batch, bytes_added)
    if parts:
        layer.tree.append(_join(parts))
