"""Cells: the part of space that each chunk of each level stands for.

The cells of every level partition the outer box exactly, which is the box round the
voxels of all levels. Inside its level a cell is its chunk's box, whatever the file
says of factors and translations; the first and the last cell of an axis reach to
the edge of the outer box, because rounding lets coarse levels end a little inside
or outside of level 0. So a point of the box lies in exactly one cell of each level,
and a set of cells that covers a coarse cell exists on every finer level: no plan can
have holes. That a cell covers a point does not mean that it has a voxel there: what
lies beyond the faces of the level that is drawn stays dark, as in the file.

A cell's children are the cells of the next finer level that overlap it by more
than 1/10,000 of a voxel. In a nested pyramid they partition it; otherwise a
child may have several parents. Cells are computed from indices when needed;
nothing of the size of a grid is ever made.

Arrays of points and indices are axis-major here and below, shape (3, n): the
whole-array operations of numpy then run along n, several times faster.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import INDEX_BITS, MAX_LEVELS, Pyramid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Boxes = tuple[Floats, Floats]
"""Lower and upper corners of boxes, each of shape (3, n), data space."""

_SLIVER = 1e-4
"""Overlap that does not count, in voxels of the finer level."""
_MOST_KEPT = 1 << 18
"""Numbers of one scratch array that are kept (2 MiB)."""


class Scratch(threading.local):
    """Memory for what a step makes and forgets, one array for each purpose.

    It is kept from plan to plan: what is freed goes back to the system whenever the RAM
    cache forgets chunks, and to get it again page by page takes longer than the sums.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Floats] = {}

    def array(self, purpose: str, shape: tuple[int, ...]) -> Floats:
        """Return an array with any numbers in it, until the next one of this purpose.

        Parameters
        ----------
        purpose : str
        shape : tuple of int
        """
        n = prod(shape)
        if n > _MOST_KEPT:
            return np.empty(shape)
        kept = self._kept.get(purpose)
        if kept is None or len(kept) < n:
            # A power of two, so that it is seldom made again.
            kept = self._kept[purpose] = np.empty(1 << n.bit_length())
        return kept[:n].reshape(shape)


SCRATCH = Scratch()
"""Of each thread that plans."""


@dataclass(frozen=True, eq=False)
class CellGrid:
    """Cells of all levels of a pyramid, in data space (z, y, x).

    Attributes
    ----------
    low, high : ndarray, shape (3,), float64
        Edges of the outer box.
    start : ndarray, shape (n_levels, 3), float64
        Lower edge of chunk (0, 0, 0) of every level.
    step : ndarray, shape (n_levels, 3), float64
        Size of a chunk of every level.
    sliver : ndarray, shape (n_levels, 3), float64
        Overlap that does not count, as a share of the chunk.
    shapes : ndarray, shape (n_levels, 3), int64
        Chunks along every axis.
    is_nested : tuple of bool
        Whether the level's cells are unions of cells of the next finer level
        (true for level 0).
    is_flush : bool
        Whether no level ends inside of the outer box.
    shift, span : ndarray, shape (n_levels, 3), int64
        The first child of cell 0, and how many a cell has along every axis; exact
        where all levels are nested.
    kinds : ndarray, shape (n_levels,), int64
        Equal for levels whose cells have about equally many children.
    fanouts : ndarray, shape (n_levels,), int64
        About how many children a cell has.
    """

    low: Floats
    high: Floats
    start: Floats
    step: Floats
    sliver: Floats
    shapes: Ints
    is_nested: tuple[bool, ...]
    is_flush: bool
    shift: Ints
    span: Ints
    kinds: Ints
    fanouts: Ints

    def edges(self, level: int | Ints, indices: Ints, size: int = 1) -> Boxes:
        """Return the lower and upper corners of blocks of cells.

        Parameters
        ----------
        level : int or ndarray, shape (n,), int64
            One for all, or one for each place along the last axis of `indices`.
        indices : ndarray, shape (3, ...), int64
            First cell of each block.
        size : int
            Cells along each axis of a block, cut at the end of the grid.

        Returns
        -------
        lower, upper : ndarray, shape (3, ...), float64
        """
        return self.faces(level, indices), self.faces(level, indices + size)

    def faces(self, level: int | Ints, places: Ints) -> Floats:
        """Return where the faces between cells are.

        Parameters
        ----------
        level : int or ndarray, shape (n,), int64
            As of :meth:`edges`.
        places : ndarray, shape (3, ...), int64
            A cell's index is the place of its lower face.

        Returns
        -------
        ndarray, shape (3, ...), float64
        """
        start, step = self._edges_of(level, places.ndim)
        fields = (slice(None), *(None,) * (places.ndim - 1))
        low, high = self.low[fields], self.high[fields]
        faces: Floats = places * step
        faces += start
        if not self._begins_flush:
            np.maximum(faces, low, out=faces)
        np.minimum(faces, high, out=faces)
        if not self.is_flush:
            # Cells at the ends reach to the image's faces, also where a coarse level
            # ends inside of them by rounding: no place is without a cell.
            n = _of_level(self._shapes, level, places.ndim)
            if not self._begins_flush:
                np.copyto(faces, low, where=places <= 0)
            np.copyto(faces, high, where=places >= n)
        return faces

    def _edges_of(self, level: int | Ints, ndim: int) -> tuple[Floats, Floats]:
        """Return start and step of levels, to be used with indices of `ndim` axes."""
        both = self._edges.take(level, axis=2)
        start, step = both.reshape(2, 3, *(1,) * (ndim - 2), -1)
        return start, step

    @cached_property
    def _edges(self) -> Floats:
        """Start and step together, so that they are looked up at once, (2, 3, n_levels)."""
        return np.stack([self.start.T, self.step.T])

    @cached_property
    def _shapes(self) -> Ints:
        """Chunks along every axis, (3, n_levels)."""
        return np.ascontiguousarray(self.shapes.T)

    @cached_property
    def _begins_flush(self) -> bool:
        """Whether place 0 of every level is exactly the lower edge of the outer box."""
        return bool((self.start == self.low).all())

    @cached_property
    def are_nested(self) -> bool:
        """Whether every level is nested."""
        return all(self.is_nested)

    @cached_property
    def factor(self) -> int:
        """How many children every cell has along every axis, if one number tells that.

        Cells at the far ends may have fewer. 0 where it takes more than that to find the
        children.
        """
        span, last, n_finer = self.span[1:], self.shapes[1:] - 1, self.shapes[:-1]
        if not (self.are_nested and len(span)) or self.shift.any():
            return 0
        n_at_end = n_finer - last * span
        factor = int(span[0, 0])
        is_one = (span == factor) & (n_at_end > 0) & (n_at_end <= factor)
        return factor if is_one.all() else 0

    @cached_property
    def most_fanout(self) -> int:
        """About how many children a cell of any level has at most."""
        return int(self.fanouts.max())

    @cached_property
    def most_children(self) -> tuple[int, ...]:
        """How many children a cell has at most along every axis; nothing if it varies."""
        if not self.factor:
            return ()
        return tuple(np.minimum(self.factor, self.shapes[0]).tolist())

    @cached_property
    def _counts(self) -> Ints:
        """Last cell, last of the finer level, shift and span, (4, 3, n_levels)."""
        finer = np.vstack([self.shapes[:1], self.shapes[:-1]])
        each = self.shapes - 1, finer - 1, self.shift, self.span
        return np.stack([values.T for values in each])

    def children(self, level: int | Ints, indices: Ints) -> tuple[Ints, Ints]:
        """Return the blocks of the next finer level that overlap given cells.

        Parameters
        ----------
        level : int or ndarray, shape (n,), int64
            Level of the given cells, at least 1.
        indices : ndarray, shape (3, n), int64

        Returns
        -------
        first, stop : ndarray, shape (3, n), int64
            Of each block of children, along each axis; blocks of neighbours overlap
            where children are shared.
        """
        if self.factor:
            first = indices * self.factor
            n_finer = _of_level(self._shapes, level - 1, 2)
            return first, np.minimum(first + self.factor, n_finer)
        counts = self._counts.take(level, axis=2)
        last, last_finer, shift, span = counts.reshape(4, 3, -1)
        n_finer = last_finer + 1
        if self.are_nested:
            # In whole numbers: a cell's children are as many as every other's.
            first = indices * span
            first += shift
            stop = first + span
            np.copyto(first, 0, where=indices <= 0)
            np.copyto(stop, n_finer, where=indices >= last)
        else:
            lower, upper = self.edges(level, indices)
            start, step = self._edges_of(level - 1, 2)
            sliver = _of_level(self.sliver.T, level - 1, 2)
            # A cell that is only touched is no child; without the sliver rounding would
            # add it.
            first = np.floor((lower - start) / step + sliver).astype(np.int64)
            stop = np.ceil((upper - start) / step - sliver).astype(np.int64)
        # At least one child: a level may end before the coarser one does.
        first = np.minimum(np.maximum(first, 0), last_finer)
        return first, np.maximum(np.minimum(stop, n_finer), first + 1)

    @cached_property
    def coarsest_cells(self) -> Ints:
        """Indices of all cells of the coarsest level that are not empty, shape (3, n)."""
        return self.all_cells(len(self.shapes) - 1)

    @cached_property
    def coarsest_boxes(self) -> Boxes:
        """Lower and upper corners of these cells."""
        return self.edges(len(self.shapes) - 1, self.coarsest_cells)

    @cached_property
    def n_cells(self) -> Floats:
        """Cells of every level; as floats, for they may exceed 64 bits."""
        n: Floats = self.shapes.prod(axis=1, dtype=np.float64)
        return n

    def all_cells(self, level: int) -> Ints:
        """Return the indices of all cells that are not empty, shape (3, n)."""
        shape = tuple(self.shapes[level].tolist())
        cells: Ints = np.indices(shape, dtype=np.int64).reshape(3, -1)
        return cells[:, self.has_volume(level, cells)]

    def has_volume(self, level: int, indices: Ints, size: int = 1) -> Bools:
        """Tell which blocks of cells lie in the image at all.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (3, n), int64
            Grid indices (z, y, x) of the first cell of each block.
        size : int
            Cells along each edge of a block.

        Returns
        -------
        ndarray, shape (n,), bool
        """
        lower, upper = self.edges(level, indices, size)
        return np.asarray((upper > lower).all(axis=0))


def _of_level(values: NDArray[Any], level: int | Ints, ndim: int) -> NDArray[Any]:
    """Return values (3, n_levels) of levels, to be used with indices of `ndim` axes."""
    return values.take(level, axis=1).reshape(3, *(1,) * (ndim - 2), -1)


@lru_cache(maxsize=64)
def cell_grid(pyramid: Pyramid) -> CellGrid:
    """Make the cells of a pyramid (cached, because each frame needs them).

    Raises
    ------
    OptionError
        If there are more levels, or more chunks along an axis, than a chunk key can
        name.
    """
    shapes = pyramid.grids_zyx
    if pyramid.n_levels > MAX_LEVELS:
        msg = (
            f"expected at most {MAX_LEVELS} levels; found {pyramid.n_levels}: leave"
            " the finest or the coarsest out"
        )
        raise OptionError(msg)
    if shapes.max() > 1 << INDEX_BITS:
        msg = (
            f"expected at most {1 << INDEX_BITS} chunks along an axis; found"
            f" {shapes.max()}: plan in larger chunks"
        )
        raise OptionError(msg)
    downscale = pyramid.downscale
    chunks = pyramid.chunk_shapes.astype(np.float64)
    start = pyramid.offset - 0.5 * downscale
    step = downscale * chunks
    low, high = (np.array(b, dtype=np.float64) for b in pyramid.outer_bounds)
    nested = [True] + [
        _is_nested(start, step, shapes, level, _SLIVER / chunks[level - 1])
        for level in range(1, pyramid.n_levels)
    ]
    shift, span = _in_cells(start, step)
    # Not more than there are.
    about = np.minimum(span, np.vstack([shapes[:1], shapes[:-1]]))
    return CellGrid(
        low=low,
        high=high,
        start=start,
        step=step,
        sliver=_SLIVER / chunks,
        shapes=shapes,
        is_nested=tuple(nested),
        is_flush=bool((start <= low).all() and (start + shapes * step >= high).all()),
        shift=shift,
        span=span,
        kinds=np.unique(about, axis=0, return_inverse=True)[1].reshape(-1),
        fanouts=(about + ~np.array(nested)[:, None]).prod(axis=1),
    )


def _in_cells(start: Floats, step: Floats) -> tuple[Ints, Ints]:
    """Return each level's first child and its children along every axis, (n_levels, 3)."""
    shift = np.zeros(start.shape, dtype=np.int64)
    span = np.ones_like(shift)
    shift[1:] = np.rint((start[1:] - start[:-1]) / step[:-1])
    span[1:] = np.maximum(np.rint(step[1:] / step[:-1]), 1)
    return shift, span


def _is_nested(
    start: Floats, step: Floats, shapes: Ints, level: int, sliver: Floats
) -> bool:
    """Tell whether every inner edge of `level` is an edge of the next finer one."""
    fine = level - 1
    shift = (start[level] - start[fine]) / step[fine]
    ratio = step[level] / step[fine]
    n = shapes[level]
    first, last = shift + ratio, shift + ratio * (n - 1)
    # Every coarse face must lie on a fine one; the ratio's error adds up along the
    # axis.
    is_on_edge = (np.abs(first - np.rint(first)) < sliver) & (
        np.abs(ratio - np.rint(ratio)) * n < sliver
    )
    is_inside = (first > -sliver) & (last < shapes[fine] + sliver)
    return bool(((n == 1) | (is_on_edge & is_inside)).all())
