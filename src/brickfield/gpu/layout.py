"""How the bricks of every level lie in memory, derived from a pyramid.

Everything above :mod:`brickfield.gpu` is in data order (z, y, x). Textures, shaders
and pygfx expect (x, y, z), widths before heights. Only :func:`to_xyz` and
:func:`matrix_to_xyz` turn one into the other, so that a swapped axis has one place to
hide.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.gpu.formats import TextureFormat
from brickfield.model import (
    INDEX_BITS,
    ChunkId,
    ChunkKey,
    Int3,
    Pyramid,
    unpack_keys,
)


@dataclass(frozen=True, slots=True)
class LevelLayout:
    """Bricks of one level.

    Attributes
    ----------
    brick_zyx : tuple of int
        Own voxels of a brick.
    border_zyx : tuple of int
        Voxels lent by neighbours on both sides: 1, or 0 along an axis that one
        brick spans (the sampler then clamps at the texture's edge).
    itemsize : int
        Bytes of one voxel on the GPU.
    """

    brick_zyx: Int3
    border_zyx: Int3
    itemsize: int

    @property
    def slot_zyx(self) -> Int3:
        """Texels of a slot."""
        z, y, x = (
            n + 2 * b for n, b in zip(self.brick_zyx, self.border_zyx, strict=True)
        )
        return (z, y, x)

    @property
    def slot_bytes(self) -> int:
        """Bytes of a slot."""
        z, y, x = self.slot_zyx
        return z * y * x * self.itemsize

    def slot_limits(self, max_texture_3d: int) -> Int3:
        """Return the most slots along x, y, z that a texture can hold."""
        limits = [max_texture_3d // n for n in reversed(self.slot_zyx)]
        # Without a border the edge of the texture must be the edge of the brick.
        for i, b in enumerate(reversed(self.border_zyx)):
            limits[i] = max(1, limits[i]) if b else 1
        return (limits[0], limits[1], limits[2])


def level_layouts(pyramid: Pyramid, fmt: TextureFormat) -> tuple[LevelLayout, ...]:
    """Derive the layout of every level.

    Only the z axis may do without a border: a thin stack is the common case,
    and two free axes are needed to spread slots.

    Parameters
    ----------
    pyramid : Pyramid
    fmt : TextureFormat
        Gives the bytes of a texel.
    """
    layouts = []
    for level in pyramid.levels:
        grid = level.grid_zyx
        border = (0 if grid[0] == 1 else 1, 1, 1)
        layouts.append(LevelLayout(level.chunk_shape, border, fmt.itemsize))
    return tuple(layouts)


def is_at_grown_end(key: ChunkKey, before: Pyramid, after: Pyramid) -> bool:
    """Tell whether a chunk was the last along an axis that has more chunks now.

    Parameters
    ----------
    key : ChunkKey
    before, after : Pyramid
        The image, and as it has grown.
    """
    chunk = ChunkId.from_key(key)
    grids = (p.levels[chunk.scale_level].grid_zyx for p in (before, after))
    return any(i == m - 1 < n - 1 for i, m, n in zip(chunk.index, *grids, strict=True))


def cells_over(
    pyramid: Pyramid, keys: NDArray[np.int64], levels: Sequence[int]
) -> NDArray[np.int64]:
    """Find the cells of some levels that lie over the centres of chunks.

    Parameters
    ----------
    pyramid : Pyramid
    keys : ndarray, shape (n,), int64
    levels : sequence of int
        Of the cells, m of them.

    Returns
    -------
    ndarray, shape (m, n), int64
        Keys of the cells; -1 where a chunk is of the cell's level or a coarser one.
    """
    of_keys, indices = unpack_keys(keys)
    numbers = np.array(levels, dtype=np.int64)
    rate, start, last = _cells_by_level(pyramid)
    # Whole arrays, of axes, levels and chunks: thousands may be asked for at once, and
    # the last axis is the one that numpy is quick along.
    pairs = numbers[:, None] * len(pyramid.levels) + of_keys
    at = rate.take(pairs, axis=1)
    at *= indices.T[:, None]
    at += start.take(pairs, axis=1)
    np.floor(at, out=at)
    np.maximum(at, 0, out=at)
    np.minimum(at, last[:, numbers], out=at)
    z, y, x = at.astype(np.int64)
    found = ((numbers[:, None] << INDEX_BITS | z) << INDEX_BITS | y) << INDEX_BITS | x
    return np.where(of_keys < numbers[:, None], found, -1)


@lru_cache(maxsize=64)
def _cells_by_level(
    pyramid: Pyramid,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return which cell of a level lies over the centre of chunk i of another one.

    Returns
    -------
    rate, start : ndarray, shape (3, n_levels * n_levels), float64
        By axis, level of the cell and level of the chunk: the cell is the whole number
        below ``rate * i + start``.
    last : ndarray, shape (3, n_levels, 1), float64
        Index of the last cell of every level.
    """
    scale, offset, chunk = (
        values.T for values in (pyramid.downscale, pyramid.offset, pyramid.chunk_shapes)
    )
    size = (scale * chunk)[:, :, None]
    # Voxel centres are at whole numbers: the centre of chunk 0 and the edge of cell 0.
    centre = (0.5 * chunk - 0.5) * scale + offset
    edge = (offset - 0.5 * scale)[:, :, None]
    rate = np.asarray(size.transpose(0, 2, 1) / size)
    start = np.asarray((centre[:, None] - edge) / size)
    rate, start = rate.reshape(3, -1), start.reshape(3, -1)
    return rate, start, np.asarray(pyramid.grids_zyx.T[:, :, None] - 1.0)


_MASK = (1 << INDEX_BITS) - 1
_LEVEL = 3 * INDEX_BITS


class ParentFinder:
    """Finds the cells of the next coarser level that overlap a chunk; remembers them.

    Cells at the ends of a grid reach outwards without end, as in the shader.

    Parameters
    ----------
    pyramid : Pyramid
    """

    def __init__(self, pyramid: Pyramid) -> None:
        self._scale = pyramid.downscale.tolist()
        self._offset = pyramid.offset.tolist()
        self._chunk = pyramid.chunk_shapes.tolist()
        self._shape = pyramid.shapes_zyx.tolist()
        self._grid = pyramid.grids_zyx.tolist()
        self._cache: dict[ChunkKey, tuple[ChunkKey, ...]] = {}
        # Chunks side by side share their places along two axes.
        self._ranges: dict[tuple[int, int, int], range] = {}

    def grown(self, pyramid: Pyramid) -> ParentFinder:
        """Return the finder of an image that has grown, with what it knows already.

        Parameters
        ----------
        pyramid : Pyramid
        """
        new = ParentFinder(pyramid)
        shifts = (2 * INDEX_BITS, INDEX_BITS, 0)
        first = [
            [self._last_cells(level, axis, new) for axis in range(3)]
            for level in range(len(self._grid) - 1)
        ]
        for key, parents in self._cache.items():
            bounds = first[key >> _LEVEL]
            at = (key >> shift & _MASK for shift in shifts)
            if all(i < bound for i, bound in zip(at, bounds, strict=True)):
                new._cache[key] = parents
        return new

    def _last_cells(self, level: int, axis: int, new: ParentFinder) -> int:
        """Return the first cell along an axis whose parents may be others now."""
        if new._shape[level][axis] == self._shape[level][axis]:
            return 1 << INDEX_BITS
        last: int = self._grid[level + 1][axis] - 1
        i: int = self._grid[level][axis] - 1
        while i > 0 and self._overlap(level, axis, i - 1).stop > last:
            i -= 1
        return i

    def of(self, key: ChunkKey) -> tuple[ChunkKey, ...]:
        """Return the cells over a chunk; not for one of the coarsest level."""
        found = self._cache.get(key)
        if found is None:
            # Dropped as a whole: a plan rarely uses so many, and an order of use would
            # cost more than finding them again.
            if len(self._cache) > 1 << 17:
                self._cache.clear()
                self._ranges.clear()
            found = self._cache[key] = self._find(key)
        return found

    def _find(self, key: ChunkKey) -> tuple[ChunkKey, ...]:
        level = key >> _LEVEL
        index = (
            (key >> (2 * INDEX_BITS)) & _MASK,
            (key >> INDEX_BITS) & _MASK,
            key & _MASK,
        )
        ranges = [self._range(level, axis, index[axis]) for axis in range(3)]
        head = (level + 1) << INDEX_BITS
        return tuple(
            (((head | z) << INDEX_BITS | y) << INDEX_BITS) | x
            for z in ranges[0]
            for y in ranges[1]
            for x in ranges[2]
        )

    def _range(self, level: int, axis: int, i: int) -> range:
        place = (level, axis, i)
        found = self._ranges.get(place)
        if found is None:
            found = self._ranges[place] = self._overlap(*place)
        return found

    def _overlap(self, level: int, axis: int, i: int) -> range:
        """Return the cells of level + 1 under cell i along one axis.

        Boxes that only touch do not overlap; cells at the ends of both grids
        reach outwards without end, as in the shader.
        """
        scale, offset = self._scale[level][axis], self._offset[level][axis]
        chunk, n = self._chunk[level][axis], self._shape[level][axis]
        # Faces that coincide differ by rounding: without it a chunk would count as
        # overlapping its neighbour's parent.
        margin = 1e-3
        low = scale * (chunk * i - 0.5 + margin) + offset
        high = scale * (min(chunk * (i + 1), n) - 0.5 - margin) + offset
        scale, offset = self._scale[level + 1][axis], self._offset[level + 1][axis]
        chunk, last = self._chunk[level + 1][axis], self._grid[level + 1][axis] - 1
        first = 0 if i == 0 else int(((low - offset) / scale + 0.5) // chunk)
        end = int(((high - offset) / scale + 0.5) // chunk)
        if i == self._grid[level][axis] - 1:
            end = last
        return range(min(max(first, 0), last), min(max(end, 0), last) + 1)


_FLIP = np.array(
    [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64
)


def to_xyz(values_zyx: ArrayLike) -> NDArray[np.float64]:
    """Reverse the last axis of values of shape (..., 3): (z, y, x) to (x, y, z)."""
    return np.asarray(values_zyx, dtype=np.float64)[..., ::-1]


def matrix_to_xyz(matrix_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert a map of (z, y, x, 1) points, shape (4, 4), into one of (x, y, z, 1)."""
    return _FLIP @ matrix_zyx @ _FLIP
