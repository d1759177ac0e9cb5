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

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brickfield.model.chunks import MAX_LEVELS, pack_keys
from brickfield.planning.grid import Bools, CellGrid, Floats, Ints
from brickfield.planning.policy import LodPolicy
from brickfield.planning.view import DataView

Occupancy = Callable[[int, Ints], NDArray[np.bool_] | None]

_NO_KEYS = np.empty(0, dtype=np.int64)
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
    indices : ndarray, shape (3, n), int64
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
        arrays = {n: getattr(self, n)[..., rows] for n in _ARRAYS}
        return Nodes(level=self.level, **arrays)


_ARRAYS = tuple(n for n in Nodes.__dataclass_fields__ if n != "level")


def _join(parts: Sequence[Nodes]) -> Nodes:
    if len(parts) == 1:
        return parts[0]
    arrays = {
        n: np.concatenate([getattr(p, n) for p in parts], axis=-1) for n in _ARRAYS
    }
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
        found = self.occupancy(level, indices.T) if self.occupancy else None
        if found is None:
            return np.zeros(indices.shape[1], dtype=bool)
        return np.asarray(found, dtype=bool)

    def make_nodes(
        self, level: int, indices: Ints, values: Floats, owners: Ints
    ) -> Nodes:
        """Make nodes of measured cells (ranks are not yet bounded by their owners')."""
        magnification = self.view.magnification(values)
        nearness = self.view.nearness(values)
        keys = pack_keys(level, indices.T)
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
        place, indices, values = self._visible_children(
            parents.level, parents.indices[:, rows]
        )
        if not self.grid.is_nested[parents.level]:
            first = _first_of_each(indices)
            keys = pack_keys(level, indices[:, first].T)
            first = first[~_contains(known, keys)]
            place, indices, values = place[first], indices[:, first], values[:, first]
        children = self.make_nodes(level, indices, values, rows[place])
        np.minimum(children.ranks, parents.ranks[rows[place]], out=children.ranks)
        n_new = np.bincount(place[~children.is_empty], minlength=len(rows))
        own = self.brick_bytes[parents.level] if depth else 0
        return children, n_new * self.brick_bytes[level] - own

    def _visible_children(self, level: int, indices: Ints) -> tuple[Ints, Ints, Floats]:
        """Find and measure what is seen of the children of cells.

        Returns the column of the parent, the child's index and its measures.
        """
        first, stop = self.grid.children(level, indices)
        spans = (stop - first).max(axis=1, initial=0)
        cells = first[:, None] + np.arange(spans.max())[:, None]
        terms = self.view.axis_terms(self.grid.edges(level - 1, cells))
        np.copyto(terms[0], -np.inf, where=cells >= stop[:, None])
        # Children along z, y, x and parents, last for the sake of speed.
        z, y, x = (terms[:, a, : spans[a]] for a in range(3))
        sums = z[:, :, None, None] + (y[:, :, None] + x[:, None])[:, None]
        is_seen, values = self.view.split(sums)
        n = indices.shape[1]
        within = np.indices(spans).reshape(3, -1)
        seen = np.flatnonzero(is_seen.reshape(-1, n).T)
        place, child = np.divmod(seen, max(within.shape[1], 1))
        children = first.take(place, axis=1)
        children += within.take(child, axis=1)
        flat = child * n + place
        return place, children, values.reshape(len(values), -1).take(flat, axis=1)


def _contains(keys: Ints, wanted: Ints) -> Bools:
    """Tell which of `wanted` are among `keys` (ascending)."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=bool)
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.asarray(keys[at] == wanted)


def _first_of_each(indices: Ints) -> Ints:
    """Place of the first occurrence of each column, ascending."""
    n = indices.shape[1]
    low = indices.min(axis=1, initial=0 if n == 0 else np.iinfo(np.int64).max)
    z, y, x = indices - low[:, None]
    _, n_y, n_x = (int(v.max(initial=0)) + 1 for v in (z, y, x))
    # Sorting numbers that hold their place is far quicker than a stable argsort.
    # They fit: at most 57 bits of indices would, but children lie together.
    flat = (z * n_y + y) * n_x + x
    bits = n.bit_length()
    if int(flat.max(initial=0)) >> (62 - bits):
        return np.sort(np.unique(flat, return_index=True)[1])
    coded = np.sort(flat << bits | np.arange(n))
    is_first = np.ones(n, dtype=bool)
    is_first[1:] = coded[1:] >> bits != coded[:-1] >> bits
    return np.sort(coded[is_first] & ((1 << bits) - 1))


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

    @property
    def is_full(self) -> bool:
        """Whether the budget left refinements out."""
        return bool(self._left_out)

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
        for layer, depth, at in _groups(refs):
            self._layers[layer].tree[depth].is_refined[refs[2, at]] = is_refined

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
        for number, depth, at in _groups(refs):
            layer = self._layers[number]
            if layer.grid.is_nested[layer.tree[depth].level]:
                can[at] = present_rows(layer, depth)[refs[2, at]]
        return can


def _groups(refs: Ints) -> Iterator[tuple[int, int, Ints]]:
    """Divide references by layer and depth: both, and the columns."""
    codes = refs[0] * MAX_LEVELS + refs[1]
    for code in np.flatnonzero(np.bincount(codes)).tolist():
        layer, depth = divmod(code, MAX_LEVELS)
        yield layer, depth, np.flatnonzero(codes == code)


def refine(
    layers: Sequence[Layer], room_bytes: int, *, floor_guess: float = 0.0
) -> tuple[int, float]:
    """Refine the layers' trees from their base levels within a budget.

    Parameters
    ----------
    layers : sequence of Layer
        Each with its visible base chunks as the only nodes; their trees grow.
    room_bytes : int
        What may be added to the cost of the base levels.
    floor_guess : float
        About where the floor will end. It saves exploring what will not fit; a
        wrong guess costs time, and the cover keeps all that is promised of it.

    Returns
    -------
    used_bytes : int
        What was added.
    floor : float
        Rank of the first refinement that did not fit, 0 if all did.
    """
    ranking = Ranking(layers, room_bytes)
    for floor in (floor_guess, 0.0) if floor_guess > 0 else (0.0,):
        ranking.floor = floor
        _explore(ranking, layers)
        if ranking.is_full:
            break
    ranking.fill()
    return ranking.used_bytes, ranking.floor


def present_rows(layer: Layer, depth: int) -> Bools:
    """Tell which nodes of a depth are in the cover or above it, shape (n,)."""
    nodes = layer.tree[depth]
    if depth == 0:
        return np.ones(len(nodes.keys), dtype=bool)
    return np.asarray(layer.tree[depth - 1].is_refined[nodes.owners])


def _explore(ranking: Ranking, layers: Sequence[Layer]) -> None:
    """Walk all trees down to the floor, coarse before fine."""
    depth = 0
    while any(len(layer.tree) > depth for layer in layers):
        for i, layer in enumerate(layers):
            if len(layer.tree) > depth and layer.tree[depth].level > 0:
                _descend(ranking, layer, i, depth)
        depth += 1


def _descend(ranking: Ranking, layer: Layer, number: int, depth: int) -> None:
    """Explore one level of one layer, highest rank first, down to the floor."""
    nodes = layer.tree[depth]
    is_open = nodes.is_wanting & ~nodes.is_refined & (nodes.ranks > ranking.floor)
    rows = np.flatnonzero(is_open & present_rows(layer, depth))
    rows = rows[np.argsort(-nodes.ranks[rows], kind="stable")]
    n_batch = max(32, _BATCH_CELLS // layer.grid.fanout(nodes.level))
    parts = layer.tree[depth + 1 : depth + 2]
    is_nested = layer.grid.is_nested[nodes.level]
    known = np.sort(parts[0].keys) if parts and not is_nested else _NO_KEYS
    for start in range(0, len(rows), n_batch):
        batch = rows[start : start + n_batch]
        # A chunk that two parents share belongs to the first of the ranking: were
        # the second accepted without it, there would be a hole.
        batch = batch[nodes.ranks[batch] > ranking.floor]
        if len(batch) == 0:
            break
        children, bytes_added = layer.expand(depth, batch, known)
        parts.append(children)
        if not is_nested:
            known = np.sort(np.concatenate([known, children.keys]))
        ranking.add(number, depth, batch, bytes_added)
    if parts:
        layer.tree[depth + 1 :] = [_join(parts), *layer.tree[depth + 2 :]]
