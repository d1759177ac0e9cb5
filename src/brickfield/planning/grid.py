"""Cells: the part of space that each chunk of each level stands for.

The cells of every level partition the box of level 0 exactly. Inside the image
a cell is its chunk's box, whatever the file says of factors and translations; the
first and the last cell of an axis reach to the edge of level 0, because
rounding lets coarse levels end a little inside or outside of it. So a point of
the image lies in exactly one cell of each level, and a set of cells that covers
a coarse cell exists on every finer level: no plan can have holes.

A cell's children are the cells of the next finer level that overlap it by more
than 1/10,000 of a voxel. In a nested pyramid they partition it; otherwise a
child may have several parents. Cells are computed from indices when needed;
nothing of the size of a grid is ever made.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model.chunks import INDEX_BITS
from brickfield.model.scales import Pyramid

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_SLIVER = 1e-4
"""Overlap that does not count, in voxels of the finer level."""


@dataclass(frozen=True, eq=False)
class CellGrid:
    """Cells of all levels of a pyramid, in data space (z, y, x).

    Attributes
    ----------
    low, high : ndarray, shape (3,), float64
        Edges of level 0.
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
    """

    low: Floats
    high: Floats
    start: Floats
    step: Floats
    sliver: Floats
    shapes: Ints
    is_nested: tuple[bool, ...]

    def edges(self, level: int, indices: Ints, size: int = 1) -> tuple[Floats, Floats]:
        """Return the lower and upper corners of blocks of cells.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, 3), int64
            First cell of each block.
        size : int
            Cells along each axis of a block, cut at the end of the grid.

        Returns
        -------
        lower, upper : ndarray, shape (n, 3), float64
        """
        lower = self.start[level] + indices * self.step[level]
        upper = lower + size * self.step[level]
        lower = np.minimum(np.maximum(lower, self.low), self.high)
        upper = np.minimum(np.maximum(upper, self.low), self.high)
        np.copyto(lower, self.low, where=indices == 0)
        np.copyto(upper, self.high, where=indices + size >= self.shapes[level])
        return lower, upper

    def boxes(self, level: int, indices: Ints, size: int = 1) -> tuple[Floats, Floats]:
        """Return centres and half sizes of blocks of cells, as :meth:`edges`."""
        lower, upper = self.edges(level, indices, size)
        half = (upper - lower) * 0.5
        return lower + half, half

    def children(self, level: int, indices: Ints) -> tuple[Ints, Ints]:
        """Return the cells of the next finer level that overlap given cells.

        Parameters
        ----------
        level : int
            Level of the given cells, at least 1.
        indices : ndarray, shape (n, 3), int64

        Returns
        -------
        parents : ndarray, shape (m,), int64
            Row in `indices`, ascending.
        children : ndarray, shape (m, 3), int64
            Index of each child; repeated where parents share it.
        """
        lower, upper = self.edges(level, indices)
        start, step = self.start[level - 1], self.step[level - 1]
        sliver, last = self.sliver[level - 1], self.shapes[level - 1] - 1
        first = np.floor((lower - start) / step + sliver).astype(np.int64)
        stop = np.ceil((upper - start) / step - sliver).astype(np.int64)
        first = np.minimum(np.maximum(first, 0), last)
        spans = np.maximum(np.minimum(stop, last + 1) - first, 1)
        return _enumerate_blocks(first, spans)

    def fanout(self, level: int) -> int:
        """Return about how many children a cell of `level` has."""
        ratio = np.minimum(
            np.rint(self.step[level] / self.step[level - 1]), self.shapes[level - 1]
        )
        return int(np.prod(np.maximum(ratio, 1) + (not self.is_nested[level])))

    def all_cells(self, level: int) -> Ints:
        """Return the indices of all cells that are not empty, shape (n, 3)."""
        cells = np.indices(self.shapes[level]).reshape(3, -1).T.astype(np.int64)
        return cells[self.has_volume(level, cells)]

    def has_volume(self, level: int, indices: Ints, size: int = 1) -> Bools:
        """Tell which blocks of cells lie in the image at all, shape (n,)."""
        lower, upper = self.edges(level, indices, size)
        return np.asarray((upper > lower).all(axis=1))


def _enumerate_blocks(first: Ints, spans: Ints) -> tuple[Ints, Ints]:
    """List all indices of blocks ``first + [0, spans)``, with the block's row."""
    if len(first) and (spans == spans[0]).all():
        inner = np.indices(spans[0]).reshape(3, -1).T
        rows = np.repeat(np.arange(len(first)), len(inner))
        return rows, (first[:, None, :] + inner).reshape(-1, 3)
    counts = spans.prod(axis=1)
    rows = np.repeat(np.arange(len(first)), counts)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    span = spans[rows]
    index = first[rows]
    rest, x = np.divmod(place, span[:, 2])
    z, y = np.divmod(rest, span[:, 1])
    index += np.stack([z, y, x], axis=1)
    return rows, index


@lru_cache(maxsize=64)
def cell_grid(pyramid: Pyramid) -> CellGrid:
    """Make the cells of a pyramid (remembered, because each frame asks).

    Raises
    ------
    OptionError
        If a level has more chunks along an axis than a chunk key can name.
    """
    shapes = pyramid.grids_zyx
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
    low, high = (np.array(b, dtype=np.float64) for b in pyramid.data_bounds)
    nested = [True] + [
        _is_nested(start, step, shapes, level, _SLIVER / chunks[level - 1])
        for level in range(1, pyramid.n_levels)
    ]
    return CellGrid(low, high, start, step, _SLIVER / chunks, shapes, tuple(nested))


def _is_nested(
    start: Floats, step: Floats, shapes: Ints, level: int, sliver: Floats
) -> bool:
    """Tell whether every inner edge of `level` is an edge of the next finer one."""
    fine = level - 1
    shift = (start[level] - start[fine]) / step[fine]
    ratio = step[level] / step[fine]
    n = shapes[level]
    first, last = shift + ratio, shift + ratio * (n - 1)
    is_on_edge = (np.abs(first - np.rint(first)) < sliver) & (
        np.abs(ratio - np.rint(ratio)) * n < sliver
    )
    is_inside = (first > -sliver) & (last < shapes[fine] + sliver)
    return bool(((n == 1) | (is_on_edge & is_inside)).all())
