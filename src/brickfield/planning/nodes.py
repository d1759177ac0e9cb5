"""Chunks of one layer under refinement, level by level.

A tree begins with the visible chunks of the base level. Each further array of
nodes holds the visible children of some nodes of the array before, all of one
level, because arrays of one level share their geometry. Ranks never rise from a
chunk to its children: a ranking by them never puts a child before its parent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from brickfield.model import MAX_LEVELS, pack_keys
from brickfield.planning.grid import Bools, CellGrid, Floats, Ints
from brickfield.planning.policy import LodPolicy
from brickfield.planning.projection import DataView

Occupancy = Callable[[int, Ints], NDArray[np.bool_] | None]

_TIE = 1e-6
"""How much nearness to the centre of attention weighs, relative to error."""


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
        Its error is above the target of the policy.
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


def join_nodes(parts: Sequence[Nodes]) -> Nodes:
    """Put nodes of one level behind each other."""
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
    hidden : callable or None
        Tells which cells no ray reaches; they are not refined.
    occupancy : callable or None
    refined_before : ndarray, shape (n,), int64
        Keys that the previous plan had refined, ascending.
    is_moving : bool
    is_slice : bool
        Whether only one plane of the image is shown.
    read_voxels : ndarray, shape (n_levels,), float64
        Voxels that are read of the store for a chunk, about.
    is_sampled : bool
        Whether the coarsest level is sampled from a finer one while it is read.
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
    hidden: Occupancy | None = None
    is_slice: bool = False
    read_voxels: Floats = field(default_factory=lambda: np.ones(MAX_LEVELS))
    is_sampled: bool = False
    tree: list[Nodes] = field(default_factory=list)

    @property
    def target_px(self) -> float:
        """Error above which new refinement is wanted now."""
        factor = self.policy.motion_bias if self.is_moving else 1.0
        return self.policy.target_error_px * factor

    def present_rows(self, depth: int) -> Bools:
        """Tell which nodes of a depth are in the cover or above it, shape (n,)."""
        nodes = self.tree[depth]
        if depth == 0:
            return np.ones(len(nodes.keys), dtype=bool)
        return np.asarray(self.tree[depth - 1].is_refined[nodes.owners])

    def empty_cells(self, level: int, indices: Ints) -> Bools:
        """Tell which cells are known to hold nothing.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (3, n), int64
            Grid indices (z, y, x).

        Returns
        -------
        ndarray, shape (n,), bool
        """
        return _asked(self.occupancy, level, indices)

    def make_nodes(
        self, level: int, indices: Ints, values: Floats, owners: Ints
    ) -> Nodes:
        """Make nodes of measured cells (ranks are not yet bounded by their owners').

        Parameters
        ----------
        level : int
        indices : ndarray, shape (3, n), int64
            Grid indices (z, y, x).
        values : ndarray, shape (5, n), float64
            Of :meth:`~brickfield.planning.projection.DataView.measure`.
        owners : ndarray, shape (n,), int64
            Rows of the nodes they come from.
        """
        magnification = self.view.magnification(values)
        nearness = self.view.nearness(values)
        keys = pack_keys(level, indices.T)
        errors_px = magnification * self.view.voxel_world[level]
        avoidable = magnification * self.view.avoidable_world[level]
        was_refined = _contains(self.refined_before, keys)
        is_empty = self.empty_cells(level, indices)
        is_hidden = _asked(self.hidden, level, indices)
        policy = self.policy
        # Two thresholds: what was refined is kept down to the lower one, so that a
        # level does not flicker while the camera moves by little.
        keep_px = policy.target_error_px * (1 - policy.hysteresis)
        if policy.forced_level is None:
            is_wanting = avoidable > np.where(was_refined, keep_px, self.target_px)
        else:
            # A forced level is shown whatever its error: the size decides only the
            # order.
            avoidable = errors_px
            is_wanting = np.full(len(keys), level > policy.forced_level)
        ranks = avoidable / policy.target_error_px * (1 + _TIE * nearness)
        # The same advantage in the competition for the budget, or two chunks of nearly
        # equal error would take turns.
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
            is_wanting=is_wanting & ~is_empty & ~is_hidden & (level > 0),
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
        # Never above its parent, so that a prefix of the ranking is always a cover.
        np.minimum(children.ranks, parents.ranks[rows[place]], out=children.ranks)
        n_new = np.bincount(place[~children.is_empty], minlength=len(rows))
        # A refined chunk leaves the plan and gives its bytes back; the base level
        # stays, and where the levels on the way are kept, so does every other.
        is_leaving = depth > 0 and not self.policy.keeps_way
        own = self.brick_bytes[parents.level] if is_leaving else 0
        return children, n_new * self.brick_bytes[level] - own

    def _visible_children(self, level: int, indices: Ints) -> tuple[Ints, Ints, Floats]:
        """Find and measure what is seen of the children of cells.

        Returns the column of the parent, the child's index and its measures.
        """
        first, stop = self.grid.children(level, indices)
        # Padded to the largest number of children, so that all parents are one array.
        spans = (stop - first).max(axis=1, initial=0)
        cells = first[:, None] + np.arange(spans.max())[:, None]
        terms = self.view.axis_terms(self.grid.edges(level - 1, cells))
        # What is padding counts as outside of the first plane, so it is never seen.
        np.copyto(terms[0], -np.inf, where=cells >= stop[:, None])
        # Children along z, y, x and parents, last for the sake of speed.
        z, y, x = (terms[:, a, : spans[a]] for a in range(3))
        sums = z[:, :, None, None] + (y[:, :, None] + x[:, None])[:, None]
        is_seen, values = self.view.split(sums)
        n = indices.shape[1]
        within = np.indices(tuple(spans.tolist())).reshape(3, -1)
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
    # Too many bits for the packed form: the slower, general way.
    if int(flat.max(initial=0)) >> (62 - bits):
        return np.sort(np.unique(flat, return_index=True)[1])
    coded = np.sort(flat << bits | np.arange(n))
    is_first = np.ones(n, dtype=bool)
    is_first[1:] = coded[1:] >> bits != coded[:-1] >> bits
    return np.sort(coded[is_first] & ((1 << bits) - 1))


def _asked(answer: Occupancy | None, level: int, indices: Ints) -> Bools:
    """Look cells up, indices of shape (3, n); False where nothing is known."""
    found = answer(level, indices.T) if answer else None
    if found is None:
        return np.zeros(indices.shape[1], dtype=bool)
    return np.asarray(found, dtype=bool)
