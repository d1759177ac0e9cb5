"""Chunks of one layer under refinement, of all levels in the same arrays.

The first rows are the visible chunks of the base level. Each expansion adds the visible
children of some rows, whatever levels these are of: numpy works on thousands of chunks
at once, and a camera change costs few calls. Ranks never rise from a chunk to its
children: a ranking by them never puts a child before its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from brickfield.model import MAX_LEVELS
from brickfield.planning.grid import Bools, CellGrid, Floats, Ints
from brickfield.planning.policy import LodPolicy
from brickfield.planning.projection import DataView
from brickfield.planning.sites import NodeCode, levels_of, sites_of

Occupancy = Callable[[int, Ints], NDArray[np.bool_] | None]

_TIE = 1e-6
"""How much nearness to the centre of attention weighs, relative to error."""


class Nodes:
    """Visible cells of one layer.

    Attributes of one type are rows of one array, so that nodes are joined and chosen in
    three operations instead of eleven.

    Parameters
    ----------
    ints : ndarray, shape (4, n), int64
        Keys, owners, costs and heads.
    floats : ndarray, shape (3, n), float64
        Errors, nearness and ranks.
    flags : ndarray, shape (5, n), bool
        In the order of the attributes.

    Attributes
    ----------
    keys : ndarray, shape (n,), int64
        Chunk keys; of several sites their names, see :mod:`brickfield.planning.sites`.
    heads : ndarray, shape (n,), int64
        Site and level.
    owners : ndarray, shape (n,), int64
        Row of the chunk each came from; -1 for the base level.
    costs : ndarray, shape (n,), int64
        GPU bytes that replacing an expanded node by its children costs in addition.
    errors_px, nearness, ranks : ndarray, shape (n,), float64
    is_empty : ndarray, shape (n,), bool
        Known to hold nothing.
    is_wanting : ndarray, shape (n,), bool
        Its error is above the target of the policy.
    is_refined : ndarray, shape (n,), bool
        Accepted for replacement by its children.
    is_expanded : ndarray, shape (n,), bool
        Its children are among the rows.
    is_ranked : ndarray, shape (n,), bool
        Its refinement was entered into the ranking.
    """

    __slots__ = (
        "costs", "errors_px", "flags", "floats", "heads", "ints", "is_empty",
        "is_expanded", "is_ranked", "is_refined", "is_wanting", "keys", "nearness",
        "owners", "ranks",
    )  # fmt: skip

    keys: Ints
    owners: Ints
    costs: Ints
    heads: Ints
    errors_px: Floats
    nearness: Floats
    ranks: Floats
    is_empty: Bools
    is_wanting: Bools
    is_refined: Bools
    is_expanded: Bools
    is_ranked: Bools

    def __init__(self, ints: Ints, floats: Floats, flags: Bools) -> None:
        self.ints, self.floats, self.flags = ints, floats, flags
        self.keys, self.owners, self.costs, self.heads = ints
        self.errors_px, self.nearness, self.ranks = floats
        self.is_empty, self.is_wanting, self.is_refined = flags[:3]
        self.is_expanded, self.is_ranked = flags[3:]

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def levels(self) -> Ints:
        """Level of every node, shape (n,)."""
        return levels_of(self.heads)

    @property
    def is_present(self) -> Bools:
        """Which nodes are in the cover or above it, shape (n,)."""
        # Row -1 of a base chunk is a node of its own, whose flag does not count.
        return np.asarray(self.is_refined[self.owners] | (self.owners < 0))

    def take(self, rows: Ints | Bools) -> Nodes:
        """Return some of the nodes."""
        if rows.dtype == np.bool_:
            rows = rows.nonzero()[0]
        return Nodes(
            self.ints.take(rows, axis=1),
            self.floats.take(rows, axis=1),
            self.flags.take(rows, axis=1),
        )


def join_nodes(parts: Sequence[Nodes]) -> Nodes:
    """Concatenate nodes; rows of owners stay as they are."""
    if len(parts) == 1:
        return parts[0]
    return Nodes(
        np.concatenate([p.ints for p in parts], axis=1),
        np.concatenate([p.floats for p in parts], axis=1),
        np.concatenate([p.flags for p in parts], axis=1),
    )


@dataclass(eq=False)
class Layer:
    """One image, or several of one kind, under refinement: what is fixed, and the nodes.

    Attributes
    ----------
    grid : CellGrid
    view : DataView
    policy : LodPolicy
    brick_bytes : ndarray, shape (n_levels,), int64
        Of all the images that this one stands for.
    n_alike : int
        How many these are: images in the same place, seen in the same way.
    hidden : callable or None
        Tells which cells no ray reaches; they are not refined.
    occupancy : callable or None
        Of one site by its levels; of several by heads.
    refined_before : ndarray, shape (n,), int64
        Keys of nodes that the previous plan had refined, ascending.
    expanded_before : ndarray, shape (n,), int64
        Keys of nodes whose children the previous plan had looked at, ascending.
    is_moving : bool
    is_slice : bool
        Whether only one plane of the image is shown.
    read_voxels : ndarray, shape (n_levels,), float64
        Voxels that are read of the store for a chunk, about.
    is_sampled : bool
        Whether the coarsest level is sampled from a finer one while it is read.
    nodes : Nodes
        First the visible base chunks.
    n_base : int
        How many these are.
    code : NodeCode
        How nodes are named, and how many sites there are.
    """

    grid: CellGrid
    view: DataView
    policy: LodPolicy
    brick_bytes: Ints
    occupancy: Occupancy | None
    refined_before: Ints
    is_moving: bool
    expanded_before: Ints = field(default_factory=lambda: np.empty(0, np.int64))
    hidden: Occupancy | None = None
    is_slice: bool = False
    read_voxels: Floats = field(default_factory=lambda: np.ones(MAX_LEVELS))
    is_sampled: bool = False
    n_alike: int = 1
    nodes: Nodes = field(init=False)
    n_base: int = 0
    code: NodeCode = field(default_factory=NodeCode)

    @property
    def target_px(self) -> float:
        """Error above which new refinement is wanted now."""
        factor = self.policy.motion_bias if self.is_moving else 1.0
        return self.policy.target_error_px * factor

    def plant(self, nodes: Nodes) -> None:
        """Begin with the visible chunks of the base level."""
        self.nodes, self.n_base = nodes, len(nodes)

    def make_nodes(
        self, heads: int | Ints, indices: Ints, values: Floats, owners: Ints
    ) -> Nodes:
        """Make nodes of measured cells (ranks are not yet bounded by their owners').

        Parameters
        ----------
        heads : int or ndarray, shape (n,), int64
            Site and level; of one site the level alone.
        indices : ndarray, shape (3, n), int64
            Grid indices (z, y, x).
        values : ndarray, shape (5, n), float64
            Of :meth:`~brickfield.planning.projection.DataView.measure`.
        owners : ndarray, shape (n,), int64
            Rows of the nodes they come from.
        """
        n = indices.shape[1]
        ints = np.zeros((4, n), dtype=np.int64)
        flags = np.zeros((5, n), dtype=np.bool_)
        nodes = Nodes(ints, np.empty((3, n)), flags)
        magnification = self.view.magnification(values)
        nodes.keys[:] = keys = self.code.pack(heads, indices)
        nodes.heads[:] = heads
        nodes.owners[:] = owners
        nodes.nearness[:] = self.view.nearness(values)
        np.multiply(magnification, self.view.voxel_world[heads], out=nodes.errors_px)
        was_refined = _contains(self.refined_before, keys)
        nodes.is_empty[:] = _asked(self.occupancy, heads, indices)
        is_hidden = _asked(self.hidden, heads, indices)
        policy = self.policy
        # Two thresholds: what was refined is kept down to the lower one, so that a
        # level does not flicker while the camera moves by little.
        keep_px = policy.target_error_px * (1 - policy.hysteresis)
        if policy.forced_level is None:
            avoidable = magnification * self.view.avoidable_world[heads]
            is_wanting = avoidable > np.where(was_refined, keep_px, self.target_px)
        else:
            # A forced level is shown whatever its error: the size decides only the
            # order.
            avoidable = nodes.errors_px
            is_wanting = nodes.levels > policy.forced_level
        ranks = avoidable / policy.target_error_px
        ranks *= 1 + _TIE * nodes.nearness
        # The same advantage in the competition for the budget, or two chunks of nearly
        # equal error would take turns.
        ranks[was_refined] /= 1 - policy.hysteresis
        nodes.ranks[:] = ranks
        is_wanting &= ~(nodes.is_empty | is_hidden) & (nodes.levels > 0)
        nodes.is_wanting[:] = is_wanting
        return nodes

    def expand(self, rows: Ints) -> None:
        """Add the visible children of some nodes.

        Parameters
        ----------
        rows : ndarray, shape (n,), int64
            Rows of the nodes, highest rank first; none of the finest level, none twice.
        """
        nodes = self.nodes
        place, heads, indices, values = self.children(nodes.keys[rows])
        if not all(self.grid.is_nested):
            is_new = self._are_unowned(heads, indices)
            place, heads = place[is_new], heads[is_new]
            indices, values = indices[:, is_new], values[:, is_new]
        children = self.make_nodes(heads, indices, values, rows[place])
        # Never above its parent, so that a prefix of the ranking is always a cover.
        np.minimum(children.ranks, nodes.ranks[rows[place]], out=children.ranks)
        self._add(rows, place, children)

    def expand_as_before(self) -> None:
        """Expand all that the previous plan had ranked and that is still seen.

        In one pass over all levels. Ranks and costs are those that :meth:`expand` gives
        level by level.
        """
        keys = self.expanded_before
        # A child of several parents belongs to the first in a ranking yet unknown.
        if not len(keys) or not all(self.grid.is_nested):
            return
        # Coarse before fine: what a chunk came from stands before it.
        order = np.arange(len(keys))[::-1]
        if self.code.n_sites > 1:
            order = np.argsort(-levels_of(self.code.heads(keys)), kind="stable")
        place, heads, indices, values = self.children(keys[order])
        children = self.make_nodes(heads, indices, values, place)
        known = np.concatenate([self.nodes.keys, children.keys])
        at = np.minimum(keys.searchsorted(known), len(keys) - 1)
        is_here = keys[at] == known
        rows = np.full(len(keys), -1, dtype=np.int64)
        rows[at[is_here]] = is_here.nonzero()[0]
        rows = rows[order]
        if (rows[place] < 0).any():
            # What was beside the view has children in it: looked into once more.
            return
        children.owners[:] = rows[place]
        ends = _ends_of(levels_of(heads))
        ranks = np.concatenate([self.nodes.ranks, children.ranks])
        first = len(self.nodes)
        for start, end in zip(
            [0, *ends.tolist()], [*ends.tolist(), len(heads)], strict=True
        ):
            own = ranks[first + start : first + end]
            np.minimum(own, ranks[children.owners[start:end]], out=own)
        children.ranks[:] = ranks[first:]
        is_seen = rows >= 0
        number = is_seen.cumsum() - 1
        self._add(rows[is_seen], number[place], children)

    def _add(self, rows: Ints, place: Ints, children: Nodes) -> None:
        """Append the children of nodes, and note what these cost.

        Parameters
        ----------
        rows : ndarray, shape (n,), int64
            Rows of the parents.
        place : ndarray, shape (m,), int64
            For every child, the place of its parent in `rows`.
        children : Nodes
            Of m nodes.
        """
        self.nodes = nodes = join_nodes([self.nodes, children])
        n_new = np.bincount(place[~children.is_empty], minlength=len(rows))
        levels = nodes.levels[rows]
        costs = n_new * self.brick_bytes[levels - 1]
        # A refined chunk leaves the plan and gives its bytes back; the base level
        # stays, and where the levels on the way are kept, so does every other.
        if not self.policy.keeps_way:
            costs -= np.where(nodes.owners[rows] < 0, 0, self.brick_bytes[levels])
        nodes.costs[rows] = costs
        nodes.is_expanded[rows] = True

    def _are_unowned(self, heads: Ints, indices: Ints) -> Ints:
        """Return the places of children that have no owner yet, each once."""
        keys = self.code.pack(heads, indices)
        _, first = np.unique(keys, return_index=True)
        first.sort()
        known = np.sort(self.nodes.keys[self.nodes.owners >= 0])
        return np.asarray(first[~_contains(known, keys[first])])

    def children(self, keys: Ints) -> tuple[Ints, Ints, Ints, Floats]:
        """Find and measure what is seen of the children of cells.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Of several levels, but not the finest.

        Returns
        -------
        place : ndarray, shape (m,), int64
            Of the parent in `keys`.
        heads : ndarray, shape (m,), int64
        indices : ndarray, shape (3, m), int64
            Grid indices (z, y, x).
        values : ndarray, shape (5, m), float64
        """
        heads, indices = self.code.unpack(keys)
        parts = [
            (rows, *self._visible_children(heads[rows], indices[:, rows]))
            for rows in self._alike(levels_of(heads))
        ]
        if len(parts) == 1:
            rows, place, found, values = parts[0]
            place = rows[place]
        else:
            place = np.concatenate([rows[at] for rows, at, _, _ in parts])
            order = place.argsort(kind="stable")
            place = place[order]
            found = np.concatenate([part[2] for part in parts], axis=1)[:, order]
            values = np.concatenate([part[3] for part in parts], axis=1)[:, order]
        return place, heads[place] - 1, found, values

    def _alike(self, levels: Ints) -> Iterator[Ints]:
        """Divide rows by how many children a chunk of their level has."""
        # One step of an odd size must not pad the children of all others.
        kinds = self.grid.kinds[levels]
        if (kinds == kinds[:1]).all():
            yield np.arange(len(levels))
            return
        for kind in np.bincount(kinds).nonzero()[0].tolist():
            yield (kinds == kind).nonzero()[0]

    def _visible_children(
        self, heads: Ints, indices: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Find the children of cells of about equally many of them.

        Returns the column of the parent, the child's index and its measures.
        """
        levels = levels_of(heads)
        sites = sites_of(heads) if self.code.n_sites > 1 else None
        first, stop = self.grid.children(levels, indices)
        # Padded to the largest number of children, so that all parents are one array.
        spans = np.maximum.reduce(stop - first, axis=1, initial=0)
        places = first[:, None] + np.arange(spans.max() + 1)[:, None]
        # Neighbours share faces.
        faces = self.grid.faces(levels - 1, places)
        terms = self.view.axis_terms((faces[:, :-1], faces[:, 1:]), sites)
        # What is padding counts as outside of the first plane, so it is never seen.
        np.copyto(terms[0], -np.inf, where=places[:, :-1] >= stop[:, None])
        # Children along z, y, x and parents, last for the sake of speed.
        z, y, x = (terms[:, a, : spans[a]] for a in range(3))
        sums = z[:, :, None, None] + (y[:, :, None] + x[:, None])[:, None]
        is_seen, values = self.view.split(sums)
        n = indices.shape[1]
        within = _within(*spans.tolist())
        seen = is_seen.reshape(-1, n).T.ravel().nonzero()[0]
        place, child = np.divmod(seen, max(within.shape[1], 1))
        children = first.take(place, axis=1)
        children += within.take(child, axis=1)
        flat = child * n + place
        return place, children, values.reshape(len(values), -1).take(flat, axis=1)


@lru_cache(maxsize=64)
def _within(depth: int, height: int, width: int) -> Ints:
    """Return the places in a block, shape (3, n), int64."""
    return np.indices((depth, height, width), dtype=np.int64).reshape(3, -1)


def _ends_of(values: Ints) -> Ints:
    """Return where runs of equal values end, but for the last."""
    return np.asarray((values[1:] != values[:-1]).nonzero()[0] + 1)


def _contains(keys: Ints, wanted: Ints) -> Bools:
    """Tell which of `wanted` are among `keys` (ascending)."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=bool)
    at = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    return np.asarray(keys[at] == wanted)


def _asked(answer: Occupancy | None, heads: int | Ints, indices: Ints) -> Bools:
    """Look cells up, indices of shape (3, n); False where nothing is known."""
    known = np.zeros(indices.shape[1], dtype=bool)
    if answer is None:
        return known
    for at, rows in _rows_by_head(heads, len(known)):
        found = answer(at, indices[:, rows].T)
        if found is not None:
            known[rows] = found
    return known


def _rows_by_head(heads: int | Ints, n: int) -> Iterator[tuple[int, slice | Ints]]:
    """Yield every head of n cells and its rows."""
    if isinstance(heads, int):
        yield heads, slice(n)
        return
    ends = [*_ends_of(heads).tolist(), n]
    if len(ends) <= MAX_LEVELS:
        # Mostly coarse ones stand before fine ones: nothing has to be gathered.
        for first, end in pairwise([0, *ends]):
            yield from ((int(heads[first]), slice(first, end)),) if end > first else ()
        return
    order = np.argsort(heads, kind="stable")
    ends = [*_ends_of(heads[order]).tolist(), n]
    for first, end in pairwise([0, *ends]):
        yield int(heads[order[first]]), order[first:end]
