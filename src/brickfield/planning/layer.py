"""One image, or several of one kind, under refinement.

The first nodes are the visible chunks of the base level. Each expansion adds the visible
children of some of them, whatever levels these are of: numpy works on thousands of chunks
at once, and a camera change costs few calls. Ranks never rise from a chunk to its
children: a ranking by them never puts a child before its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from brickfield.model import MAX_LEVELS
from brickfield.planning.grid import SCRATCH, Bools, CellGrid, Floats, Ints
from brickfield.planning.nodes import Nodes
from brickfield.planning.policy import LodPolicy
from brickfield.planning.projection import DataView
from brickfield.planning.sites import NodeCode, levels_of, sites_of

Occupancy = Callable[[int, Ints], NDArray[np.bool_] | None]

_TIE = 1e-6
"""How much nearness to the centre of attention weighs, relative to error."""
_SPARE = 1024
"""Nodes for which there is room at least after the ones that are known."""


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
        Of one site by its levels; of several by heads. Where it has a method ``among``
        that takes chunk keys of any levels, one site is looked up by that.
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
    _held: Nodes = field(init=False)
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
        self._held = nodes

    def _room(self, n: int) -> Nodes:
        """Return room for n nodes after the present ones, to be filled in."""
        first = len(self.nodes)
        end = first + n
        if end > len(self._held):
            # More at once: each camera change adds some to most of the ones before.
            self._held = Nodes.room(end + end // 8 + _SPARE)
            kept = self._held.between(0, first)
            for own, old in zip(kept.arrays, self.nodes.arrays, strict=True):
                own[:] = old
            self.nodes = kept
        return self._held.between(first, end)

    def make_nodes(
        self,
        keys: Ints,
        values: Floats,
        owners: Ints,
        *,
        into: Nodes | None = None,
        was_refined: Bools | None = None,
    ) -> Nodes:
        """Make nodes of measured cells (ranks are not yet bounded by their owners').

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Of nodes.
        values : ndarray, shape (5, n), float64
            Of :meth:`~brickfield.planning.projection.DataView.measure`.
        owners : ndarray, shape (n,), int64
            Rows of the nodes they come from.
        into : Nodes, optional
            Of n nodes, which are filled in.
        was_refined : ndarray, shape (n,), bool, optional
            Which the previous plan had refined, where that is known.
        """
        nodes = Nodes.room(len(keys)) if into is None else into
        nodes.keys[:], nodes.owners[:] = keys, owners
        nodes.costs[:] = nodes.flags[:] = 0
        heads = nodes.heads
        heads[:] = self.code.heads(keys)
        magnification = self.view.magnification(values)
        self.view.nearness(values, out=nodes.nearness)
        np.multiply(magnification, self.view.voxel_world[heads], out=nodes.errors_px)
        if was_refined is None:
            was_refined = _contains(self.refined_before, keys)
        self._rank(nodes, magnification, was_refined)
        for answer, flags in ((self.occupancy, nodes.is_empty), (self.hidden, None)):
            found = None if answer is None else self._known_of(answer, keys, heads)
            if found is not None:
                nodes.is_wanting[:] &= ~found
                if flags is not None:
                    flags[:] = found
        return nodes

    def _known_of(self, answer: Occupancy, keys: Ints, heads: Ints) -> Bools | None:
        """Look nodes up; None where nothing is known of any of them."""
        among = getattr(answer, "among", None)
        if among is not None and self.code.n_sites == 1:
            # All levels at once.
            known: Bools | None = among(keys)
            return known
        return _asked(answer, heads, self.code.unpack(keys)[1])

    def _rank(self, nodes: Nodes, magnification: Floats, was_refined: Bools) -> None:
        """Set ranks, and which nodes want to be refined if they may be."""
        policy = self.policy
        # Two thresholds: what was refined is kept down to the lower one, so that a
        # level does not flicker while the camera moves by little.
        keep_px = policy.target_error_px * (1 - policy.hysteresis)
        if policy.forced_level is None:
            # Of the finest level nothing is avoidable.
            avoidable = magnification * self.view.avoidable_world[nodes.heads]
            least = np.where(was_refined, keep_px, self.target_px)
            np.greater(avoidable, least, out=nodes.is_wanting)
        else:
            # A forced level is shown whatever its error: the size decides only the
            # order.
            avoidable = nodes.errors_px
            np.greater(nodes.levels, policy.forced_level, out=nodes.is_wanting)
        ranks = np.divide(avoidable, policy.target_error_px, out=nodes.ranks)
        weights = nodes.nearness * _TIE
        weights += 1
        ranks *= weights
        # The same advantage in the competition for the budget, or two chunks of nearly
        # equal error would take turns.
        np.divide(ranks, 1 - policy.hysteresis, out=ranks, where=was_refined)

    def expand(self, rows: Ints) -> None:
        """Add the visible children of some nodes.

        Parameters
        ----------
        rows : ndarray, shape (n,), int64
            Rows of the nodes, highest rank first; none of the finest level, none twice.
        """
        place, keys, values = self.children(self.nodes.keys[rows])
        if not self.grid.are_nested:
            is_new = self._are_unowned(keys)
            place, keys, values = place[is_new], keys[is_new], values[:, is_new]
        owners = rows[place]
        children = self._room(len(keys))
        self.make_nodes(keys, values, owners, into=children)
        # Never above its parent, so that a prefix of the ranking is always a cover.
        ranks = children.ranks
        np.minimum(ranks, self.nodes.ranks[owners], out=ranks)
        self._add(rows, place, children)

    def expand_as_before(self) -> None:
        """Expand all that the previous plan had ranked and that is still seen.

        In one pass over all levels. Ranks and costs are those that :meth:`expand` gives
        level by level.
        """
        ranked = self.expanded_before
        # A child of several parents belongs to the first in a ranking yet unknown.
        if not len(ranked) or not self.grid.are_nested:
            return
        # Coarse before fine: what a chunk came from stands before it.
        order = np.arange(len(ranked))[::-1]
        if self.code.n_sites > 1:
            order = np.argsort(-levels_of(self.code.heads(ranked)), kind="stable")
        place, keys, values = self.children(ranked[order])
        first = len(self.nodes)
        children = self._room(len(keys))
        at, is_here = _find(ranked, keys)
        rows = np.full(len(ranked), -1, dtype=np.int64)
        at_base, is_base = _find(ranked, self.nodes.keys)
        rows[at_base[is_base]] = is_base.nonzero()[0]
        rows[at[is_here]] = is_here.nonzero()[0] + first
        rows = rows[order]
        owners = rows[place]
        if owners.min(initial=0) < 0:
            # What was beside the view has children in it: looked into once more.
            return
        refined = _contains(self.refined_before, ranked)
        # Mostly all that was refined was ranked, and need not be looked for again.
        is_known = np.count_nonzero(refined) == len(self.refined_before)
        was_refined = refined[at] & is_here if is_known else None
        self.make_nodes(keys, values, owners, into=children, was_refined=was_refined)
        self._bound_ranks(first, children)
        is_seen = rows >= 0
        if not is_seen.all():
            place = (is_seen.cumsum() - 1)[place]
            rows = rows[is_seen]
        self._add(rows, place, children)

    def _bound_ranks(self, first: int, children: Nodes) -> None:
        """Let no rank be above the parent's, of nodes that stand after their parents.

        Parameters
        ----------
        first : int
            Row of the first of them.
        children : Nodes
            One level after the other.
        """
        ranks = self._held.ranks[: first + len(children)]
        # Mostly none is, and then the ranks of a whole branch fall already.
        if (children.ranks <= ranks[children.owners]).all():
            return
        ends = _ends_of(levels_of(children.heads)).tolist()
        for start, end in pairwise([0, *ends, len(children)]):
            own = children.ranks[start:end]
            np.minimum(own, ranks[children.owners[start:end]], out=own)

    def _add(self, rows: Ints, place: Ints, children: Nodes) -> None:
        """Take in the children of nodes, and note what these cost.

        Parameters
        ----------
        rows : ndarray, shape (n,), int64
            Rows of the parents.
        place : ndarray, shape (m,), int64
            For every child, the place of its parent in `rows`.
        children : Nodes
            Of m nodes, in the room after the present ones.
        """
        self.nodes = nodes = self._held.between(0, len(self.nodes) + len(children))
        if self.occupancy is not None:
            place = place[~children.is_empty]
        n_new = np.bincount(place, minlength=len(rows))
        levels = levels_of(nodes.heads[rows])
        costs = n_new * self.brick_bytes[levels - 1]
        # A refined chunk leaves the plan and gives its bytes back; the base level
        # stays, and where the levels on the way are kept, so does every other.
        if not self.policy.keeps_way:
            costs -= np.where(nodes.owners[rows] < 0, 0, self.brick_bytes[levels])
        nodes.costs[rows] = costs
        nodes.is_expanded[rows] = True

    def _are_unowned(self, keys: Ints) -> Ints:
        """Return the places of children that have no owner yet, each once."""
        _, first = np.unique(keys, return_index=True)
        first.sort()
        known = np.sort(self.nodes.keys[self.nodes.owners >= 0])
        return np.asarray(first[~_contains(known, keys[first])])

    def children(self, keys: Ints) -> tuple[Ints, Ints, Floats]:
        """Find and measure what is seen of the children of cells.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Of several levels, but not the finest.

        Returns
        -------
        place : ndarray, shape (m,), int64
            Of the parent in `keys`.
        keys : ndarray, shape (m,), int64
        values : ndarray, shape (5, m), float64
        """
        heads, indices = self.code.unpack(keys)
        kinds = self._kinds(heads)
        if len(kinds) == 1:
            return self._visible_children(heads, indices)
        parts = [
            (rows, *self._visible_children(heads[rows], indices[:, rows]))
            for rows in kinds
        ]
        place = np.concatenate([rows[at] for rows, at, _, _ in parts])
        order = place.argsort(kind="stable")
        found = np.concatenate([part[2] for part in parts])
        values = np.concatenate([part[3] for part in parts], axis=1)
        return place[order], found[order], values[:, order]

    def _kinds(self, heads: Ints) -> list[Ints]:
        """Divide rows by how many children a chunk of their level has."""
        # One step of an odd size must not pad the children of all others.
        if self.grid.factor:
            return [np.empty(0, dtype=np.int64)]
        kinds = self.grid.kinds[levels_of(heads)]
        return [(kinds == kind).nonzero()[0] for kind in np.unique(kinds)]

    def _visible_children(
        self, heads: Ints, indices: Ints
    ) -> tuple[Ints, Ints, Floats]:
        """Find the children of cells of about equally many of them.

        Returns the column of the parent, the child's key and its measures.
        """
        grid, levels, n = self.grid, levels_of(heads), len(heads)
        sites = sites_of(heads) if self.code.n_sites > 1 else None
        first, stop = grid.children(levels, indices)
        # Padded to the largest number of children, so that all parents are one array.
        spans = grid.most_children or tuple((stop - first).max(1, initial=0).tolist())
        places = first[:, None] + np.arange(max(spans) + 1)[:, None]
        # Neighbours share faces.
        faces = grid.faces(levels - 1, places)
        terms = self.view.axis_terms((faces[:, :-1], faces[:, 1:]), sites)
        # What is padding counts as outside of the first plane, so it is never seen.
        np.copyto(terms[0], -np.inf, where=places[:, :-1] >= stop[:, None])
        # Children along z, y, x and parents, last for the sake of speed.
        z, y, x = (terms[:, axis, :span] for axis, span in enumerate(spans))
        across = SCRATCH.array("across", (len(terms), *spans[1:], n))
        np.add(y[:, :, None], x[:, None], out=across)
        sums = SCRATCH.array("sums", (len(terms), *spans, n))
        np.add(z[:, :, None, None], across[:, None], out=sums)
        is_seen, values = self.view.split(sums)
        within = _within(self.code.index_bits, *spans)
        seen = is_seen.reshape(-1, n).T.ravel().nonzero()[0]
        place, child = _divided(seen, len(within))
        # Fields of a name do not overlap: places in a block are added to its first.
        keys = self.code.pack(heads - 1, first).take(place)
        keys += within.take(child)
        child *= n
        child += place
        return place, keys, values.reshape(len(values), -1).take(child, axis=1)


@lru_cache(maxsize=64)
def _within(bits: int, depth: int, height: int, width: int) -> Ints:
    """Return the places in a block as indices of `bits` bits each, shape (n,), int64."""
    z, y, x = np.indices((depth, height, width), dtype=np.int64).reshape(3, -1)
    return np.asarray((z << bits | y) << bits | x)


def _divided(values: Ints, by: int) -> tuple[Ints, Ints]:
    """Return quotients and remainders of values from 0 on."""
    if by & (by - 1):
        return np.divmod(values, by)
    # Mostly blocks of two in each direction, and shifts take a fraction of the time.
    return values >> by.bit_length() - 1, values & by - 1


def _ends_of(values: Ints) -> Ints:
    """Return where runs of equal values end, but for the last."""
    return np.asarray((values[1:] != values[:-1]).nonzero()[0] + 1)


def _find(keys: Ints, wanted: Ints) -> tuple[Ints, Bools]:
    """Return where each of `wanted` is, or would be, among `keys`, and whether it is.

    Parameters
    ----------
    keys : ndarray, shape (n,), int64
        Ascending, not empty.
    wanted : ndarray, shape (m,), int64
    """
    at = keys.searchsorted(wanted)
    np.minimum(at, len(keys) - 1, out=at)
    return at, keys[at] == wanted


def _contains(keys: Ints, wanted: Ints) -> Bools:
    """Tell which of `wanted` are among `keys` (ascending)."""
    if len(keys) == 0:
        return np.zeros(len(wanted), dtype=bool)
    return _find(keys, wanted)[1]


def _asked(answer: Occupancy, heads: Ints, indices: Ints) -> Bools:
    """Look cells up, indices of shape (3, n); False where nothing is known."""
    known = np.zeros(indices.shape[1], dtype=bool)
    for at, rows in _rows_by_head(heads, len(known)):
        found = answer(at, indices[:, rows].T)
        if found is not None:
            known[rows] = found
    return known


def _rows_by_head(heads: Ints, n: int) -> Iterator[tuple[int, slice | Ints]]:
    """Yield every head of n cells and its rows."""
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
