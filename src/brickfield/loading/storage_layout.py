"""Which storage chunks a chunk needs, and where their voxels go.

Two grids lie over each level: the grid of *storage chunks* (all axes, stored
order; the unit of decoding) and the grid of *chunks* (z, y, x of one selection;
the unit of planning and caching). Neither need divide the other. Everything here
is arithmetic on the two grids, axis by axis; nothing is read and nothing is kept.

A storage chunk is named within its level by its *flat index*: its grid index as
one int in C order, which hashes and compares quickly. It leaves room for longer axes,
so that names stay what they are while an image grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import Int3, Pyramid, Selection, unpack_keys

FLAT_BITS = 58
"""Of a flat index; the level is kept in further ones."""
FlatIndex = int
StorageName = tuple[int, FlatIndex]
"""Level and flat index of a storage chunk."""
Box = tuple[Int3, Int3]
"""Origin and shape, (z, y, x), voxels of the level."""


@dataclass(frozen=True)
class Pieces:
    """Where the voxels of one storage chunk go.

    Attributes
    ----------
    source, target : ndarray, shape (n, 3), int64
        First voxel (z, y, x) within the storage chunk and within each of n
        chunks.
    size : ndarray, shape (n, 3), int64
        Voxels (z, y, x) of each piece; 0 where they do not meet.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    size: NDArray[np.int64]


class _Place(NamedTuple):
    """Where a storage chunk lies: grid index (all axes), first voxel, chunks over it."""

    grid_index: tuple[int, ...]
    origin: Int3
    over: tuple[range, range, range]


_MOST_PLACES = 4096
"""Storage chunks of a level whose places are remembered: each is asked for often while
it is read, and hardly ever after that."""


@dataclass(frozen=True, slots=True)
class LevelLayout:
    """The two grids of one level.

    Attributes
    ----------
    level : int
    shape, storage, grid : tuple of int
        Voxels of the array, of a storage chunk, and storage chunks; all axes.
    room : tuple of int
        Storage chunks along every axis that flat indices can name; the first axis has
        no end.
    shape_zyx, chunk_zyx, storage_zyx : tuple of int
        Voxels of the level, of a chunk and of a storage chunk; an absent axis
        is one voxel thick.
    spatial_axes : tuple of int
        Position of z, y, x among the axes, -1 when absent.
    other_axes : tuple of int
        Positions of the non-spatial axes, in axis order.
    """

    level: int
    shape: tuple[int, ...]
    storage: tuple[int, ...]
    grid: tuple[int, ...]
    shape_zyx: Int3
    chunk_zyx: Int3
    storage_zyx: Int3
    spatial_axes: Int3
    other_axes: tuple[int, ...]
    room: tuple[int, ...]
    _places: dict[FlatIndex, _Place] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @classmethod
    def of(cls, pyramid: Pyramid, level: int) -> LevelLayout:
        """Derive the layout of one level.

        Parameters
        ----------
        pyramid : Pyramid
        level : int
        """
        lv = pyramid.levels[level]
        storage = tuple(int(s) for s in lv.storage_chunk_shape)
        grid = tuple(-(-int(n) // s) for n, s in zip(lv.shape, storage, strict=True))
        return cls(
            level=level,
            shape=tuple(int(n) for n in lv.shape),
            storage=storage,
            grid=grid,
            shape_zyx=lv.shape_zyx,
            chunk_zyx=lv.chunk_shape,
            storage_zyx=lv.storage_chunk_zyx,
            spatial_axes=lv.spatial_axes,
            other_axes=pyramid.other_axes,
            room=_room_of(grid),
        )

    def grown(self, pyramid: Pyramid) -> LevelLayout:
        """Return the layout of the same level in a pyramid that has grown.

        Flat indices mean the same storage chunks in both.

        Parameters
        ----------
        pyramid : Pyramid

        Raises
        ------
        OptionError
            When it has more storage chunks along an axis than can be named.
        """
        new = LevelLayout.of(pyramid, self.level)
        if any(n > most for n, most in zip(new.grid[1:], self.room[1:], strict=True)):
            msg = (
                f"expected at most {self.room} storage chunks in an image that grows"
                f" while it is shown; found {new.grid}: open the image again"
            )
            raise OptionError(msg)
        return replace(new, room=self.room)

    # -- names of storage chunks -------------------------------------------------

    def index_of(self, flat: FlatIndex) -> tuple[int, ...]:
        """Unpack a flat index to a grid index, all axes."""
        return self._place_of(flat).grid_index

    def _place_of(self, flat: FlatIndex) -> _Place:
        place = self._places.get(flat)
        if place is None:
            if len(self._places) >= _MOST_PLACES:
                self._places.clear()
            place = self._places[flat] = self._find_place(flat)
        return place

    def _find_place(self, flat: FlatIndex) -> _Place:
        # C order, as in `flat_of`: the last axis changes fastest.
        reverse, rest = [], flat
        for n in reversed(self.room[1:]):
            rest, i = divmod(rest, n)
            reverse.append(i)
        if self.room:
            reverse.append(rest)
        index = tuple(reversed(reverse))
        z, y, x = (
            index[a] * self.storage[a] if a >= 0 else 0 for a in self.spatial_axes
        )
        over = (
            range(o // c, (min(o + s, n) - 1) // c + 1)
            for o, s, c, n in zip(
                (z, y, x), self.storage_zyx, self.chunk_zyx, self.shape_zyx, strict=True
            )
        )
        return _Place(index, (z, y, x), tuple(over))  # type: ignore[arg-type]

    def flat_of(self, index: tuple[int, ...]) -> FlatIndex:
        """Pack a grid index, all axes, to a flat index."""
        flat = 0
        for i, n in zip(index, self.room, strict=True):
            flat = flat * n + i
        return flat

    def indices_of(self, flats: NDArray[np.int64]) -> NDArray[np.int64]:
        """Unpack flat indices, shape (n,), to grid indices, shape (n, ndim)."""
        out = np.empty((len(flats), len(self.grid)), dtype=np.int64)
        rest = np.asarray(flats, dtype=np.int64)
        for axis in range(len(self.grid) - 1, 0, -1):
            rest, out[:, axis] = np.divmod(rest, self.room[axis])
        if self.grid:
            out[:, 0] = rest
        return out

    def storage_shape(self, flat: FlatIndex) -> tuple[int, ...]:
        """Voxels of one storage chunk, all axes, cut at the far edges."""
        index = self.index_of(flat)
        return tuple(
            min(s, n - i * s)
            for i, s, n in zip(index, self.storage, self.shape, strict=True)
        )

    # -- from chunks to storage chunks -------------------------------------------

    def box_of(self, index: Int3) -> Box:
        """Origin and shape of a chunk, cut at the far edges."""
        # Without loops: it is asked several times for each of thousands of chunks.
        (z, y, x), (depth, height, width) = index, self.chunk_zyx
        (d, h, w), (z, y, x) = self.shape_zyx, (z * depth, y * height, x * width)
        shape = min(depth, d - z), min(height, h - y), min(width, w - x)
        return (z, y, x), shape

    def ranges_of_box(self, box: Box, selection: Selection) -> tuple[range, ...]:
        """Return the ranges of storage chunks under a box, all axes.

        Parameters
        ----------
        box : Box
            Origin and shape (z, y, x), voxels.
        selection : Selection
        """
        # An axis that is not in the image (a 2D image has no z) has one storage chunk.
        ranges = [range(1)] * len(self.grid)
        for axis, position in zip(self.other_axes, selection, strict=True):
            i = position // self.storage[axis]
            ranges[axis] = range(i, i + 1)
        for k, axis in enumerate(self.spatial_axes):
            if axis >= 0:
                first, n, s = box[0][k], box[1][k], self.storage[axis]
                ranges[axis] = range(first // s, (first + n - 1) // s + 1)
        return tuple(ranges)

    def flats_in(self, ranges: tuple[range, ...]) -> list[FlatIndex]:
        """List the storage chunks in ranges along all axes, in C order."""
        flats = [0]
        for n, r in zip(self.room, ranges, strict=True):
            # Axis by axis, so the result is in C order: the order on disk of most
            # stores.
            flats = [f * n + i for f, i in product(flats, r)]
        return flats

    def needs_of_box(self, box: Box, selection: Selection) -> list[FlatIndex]:
        """List the storage chunks under a box, in C order.

        Parameters
        ----------
        box : Box
            Origin and shape (z, y, x), voxels.
        selection : Selection
        """
        return self.flats_in(self.ranges_of_box(box, selection))

    def needs(self, index: Int3, selection: Selection) -> list[FlatIndex]:
        """List the storage chunks under a chunk, in C order.

        Parameters
        ----------
        index : Int3
            Grid index (z, y, x).
        selection : Selection
        """
        return self.needs_of_box(self.box_of(index), selection)

    # -- from storage chunks to chunks -------------------------------------------

    def holds(self, flat: FlatIndex, selection: Selection) -> bool:
        """Tell whether a storage chunk holds voxels of a selection.

        Parameters
        ----------
        flat : FlatIndex
            Flat index of the storage chunk.
        selection : Selection
        """
        index = self.index_of(flat)
        return all(
            index[a] == p // self.storage[a]
            for a, p in zip(self.other_axes, selection, strict=True)
        )

    def origin_zyx(self, flat: FlatIndex) -> Int3:
        """First voxel (z, y, x) of a storage chunk."""
        return self._place_of(flat).origin

    def chunks_over(self, flat: FlatIndex) -> tuple[range, range, range]:
        """Return the ranges of grid indices (z, y, x) of chunks it lies under."""
        return self._place_of(flat).over

    def piece(
        self, flat: FlatIndex, origin: Int3, shape: Int3
    ) -> tuple[tuple[slice, ...], tuple[int, ...]]:
        """Return which voxels of a storage chunk belong to a box, and where they go.

        Parameters
        ----------
        flat : FlatIndex
            Flat index of the storage chunk.
        origin : Int3
            Of the box (z, y, x), voxels.
        shape : Int3
            Of the box (z, y, x), voxels.

        Returns
        -------
        tuple
            Slices (z, y, x) of the storage chunk, and their first voxel in the box.
        """
        source, target = [], []
        for s, w, o, n in zip(
            self.origin_zyx(flat), self.storage_zyx, origin, shape, strict=True
        ):
            low, high = max(o, s), min(o + n, s + w)
            source.append(slice(low - s, high - s))
            target.append(low - o)
        return tuple(source), tuple(target)

    def pieces(self, flat: FlatIndex, origins: NDArray[np.int64]) -> Pieces:
        """Return which voxels go where.

        Parameters
        ----------
        flat : int
            The storage chunk.
        origins : ndarray, shape (n, 3), int64
            First voxel (z, y, x) of each chunk.
        """
        start = np.array(self.origin_zyx(flat), dtype=np.int64)
        far = np.array(self.shape_zyx, dtype=np.int64)
        stop = np.minimum(start + np.array(self.storage_zyx), far)
        ends = np.minimum(origins + np.array(self.chunk_zyx), far)
        low, high = np.maximum(origins, start), np.minimum(ends, stop)
        return Pieces(low - start, low - origins, np.maximum(high - low, 0))

    def view_zyx(
        self, data: NDArray[np.generic], flat: FlatIndex, selection: Selection
    ) -> NDArray[np.generic]:
        """Return a view of one selection in the voxels of a storage chunk.

        Parameters
        ----------
        data : ndarray, all axes in stored order
        flat : FlatIndex
            Flat index of the storage chunk.
        selection : Selection

        Returns
        -------
        ndarray, shape (z, y, x)
        """
        index = self.index_of(flat)
        picks: list[int | slice] = [slice(None)] * len(self.grid)
        for axis, position in zip(self.other_axes, selection, strict=True):
            picks[axis] = position - index[axis] * self.storage[axis]
        # Files may store x before z: after the other axes are indexed away, the rest is
        # brought into the order (z, y, x), and absent axes get length 1. All of it is a
        # view.
        present = [a for a in self.spatial_axes if a >= 0]
        stored = sorted(present)
        view = data[tuple(picks)].transpose([stored.index(a) for a in present])
        return view[
            tuple(np.newaxis if a < 0 else slice(None) for a in self.spatial_axes)
        ]


def _room_of(grid: tuple[int, ...]) -> tuple[int, ...]:
    """Share what a flat index has left of 58 bits among the axes."""
    bits = [(n - 1).bit_length() for n in grid]
    spare = (FLAT_BITS - sum(bits)) // max(1, len(grid))
    return grid if spare < 0 else tuple(1 << (b + spare) for b in bits)


def storage_under(
    layout: LevelLayout, indices: NDArray[np.integer], selection: Selection
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """List the storage chunks under each of many chunks.

    Parameters
    ----------
    layout : LevelLayout
    indices : ndarray, shape (n, 3), integer
        Grid indices (z, y, x) of chunks.
    selection : tuple of int

    Returns
    -------
    flats : ndarray, shape (n, k), int64
        Flat indices; k is the most that any of the chunks has.
    is_there : ndarray, shape (n, k), bool
        False where a chunk has fewer.
    """
    flats = np.zeros((len(indices), 1), dtype=np.int64)
    is_there = np.ones_like(flats, dtype=np.bool_)
    chunk, far = np.array(layout.chunk_zyx), np.array(layout.shape_zyx)
    first = np.asarray(indices, dtype=np.int64) * chunk
    last = np.minimum(first + chunk, far) - 1
    for axis, (n, s) in enumerate(zip(layout.room, layout.storage, strict=True)):
        if axis in layout.other_axes:
            position = selection[layout.other_axes.index(axis)]
            flats = flats * n + position // s
            continue
        k = layout.spatial_axes.index(axis)
        low, high = first[:, k] // s, last[:, k] // s
        # As many columns as the widest chunk needs; `fits` tells which of them count.
        steps = np.arange(int((high - low).max(initial=0)) + 1)
        grid = low[:, None] + steps
        fits = (grid <= high[:, None])[:, None, :]
        shape = len(indices), flats.shape[1] * len(steps)
        flats = (flats[:, :, None] * n + grid[:, None, :]).reshape(shape)
        is_there = (is_there[:, :, None] & fits).reshape(shape)
    return flats, is_there


def needed_storage_chunks(
    layout: LevelLayout, indices: NDArray[np.integer], selection: Selection
) -> NDArray[np.int64]:
    """List the storage chunks that a set of chunks needs, each once.

    Parameters
    ----------
    layout : LevelLayout
    indices : ndarray, shape (n, 3), integer
        Grid indices (z, y, x) of chunks.
    selection : tuple of int

    Returns
    -------
    ndarray, shape (m,), int64
        Flat indices, ascending.
    """
    flats, is_there = storage_under(layout, indices, selection)
    return np.unique(flats[is_there])


def storage_names(
    layouts: Sequence[LevelLayout],
    requested: Iterable[tuple[Selection, NDArray[np.int64]]],
) -> list[tuple[int, FlatIndex]]:
    """List the storage chunks under wanted chunks, each once; keys have shape (n,).

    Parameters
    ----------
    layouts : sequence of LevelLayout
        One for each level.
    requested : iterable of (selection, keys)

    Returns
    -------
    list of (level, flat index)
    """
    needed: set[tuple[int, FlatIndex]] = set()
    for selection, keys in requested:
        levels, indices = unpack_keys(np.asarray(keys, dtype=np.int64))
        for level in np.unique(levels).tolist():
            here = indices[levels == level]
            flats = needed_storage_chunks(layouts[level], here, selection)
            needed.update((level, flat) for flat in flats.tolist())
    return sorted(needed)


def check_selection(pyramid: Pyramid, selection: Selection) -> None:
    """Refuse a selection that the image does not have.

    Parameters
    ----------
    pyramid : Pyramid
    selection : Selection

    Raises
    ------
    OptionError
        Naming the axis and what it holds.
    """
    others = pyramid.other_axes
    if len(selection) != len(others):
        names = ", ".join(pyramid.axes[a].name for a in others) or "none"
        msg = (
            f"expected one index for each non-spatial axis ({names}); found"
            f" {len(selection)}: {selection}"
        )
        raise OptionError(msg)
    for axis, position in zip(others, selection, strict=True):
        n = pyramid.levels[0].shape[axis]
        if not 0 <= position < n:
            msg = (
                f"expected an index from 0 to {n - 1} on axis"
                f" {pyramid.axes[axis].name!r}; found {position}"
            )
            raise OptionError(msg)
