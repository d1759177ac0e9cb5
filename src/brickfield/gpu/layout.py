"""How the bricks of every level lie in memory, derived from a pyramid.

Everything above :mod:`brickfield.gpu` is in data order (z, y, x). Textures, shaders
and pygfx expect (x, y, z), widths before heights. Only :func:`to_xyz` and
:func:`matrix_to_xyz` turn one into the other, so that a swapped axis has one place to
hide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.gpu.formats import TextureFormat
from brickfield.model import INDEX_BITS, Int3, Pyramid, pack_keys, unpack_keys

_LEVEL = 3 * INDEX_BITS


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

    @property
    def overhead(self) -> float:
        """GPU bytes of a voxel over its own bytes, for a whole brick."""
        z, y, x = self.brick_zyx
        return self.slot_bytes / (z * y * x * self.itemsize)

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


def coarser_over(
    pyramid: Pyramid, keys: NDArray[np.int64], others: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find which coarser ones of other chunks lie over the centres of chunks.

    Parameters
    ----------
    pyramid : Pyramid
    keys : ndarray, shape (n,), int64
    others : ndarray, shape (m,), int64
        Ascending.

    Returns
    -------
    rows : ndarray, shape (k,), int64
        Places in `keys`; one appears once for each chunk over it.
    over : ndarray, shape (k,), int64
        Keys of `others`.
    """
    rows, over = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    # Whole arrays: thousands of finer chunks may lie under a few others.
    levels, indices = unpack_keys(keys)
    scale, offset = pyramid.downscale, pyramid.offset
    chunk, grids = pyramid.chunk_shapes, pyramid.grids_zyx
    centre = (indices + 0.5) * chunk[levels] - 0.5
    centre = centre * scale[levels] + offset[levels]
    present = np.flatnonzero(np.bincount(others >> _LEVEL)).tolist()
    for level in present if len(keys) else ():
        finer = np.flatnonzero(levels < level)
        at = (centre[finer] - offset[level]) / scale[level] + 0.5
        inside = np.clip(np.floor(at / chunk[level]), 0, grids[level] - 1)
        found = pack_keys(level, inside.astype(np.int64))
        place = np.minimum(np.searchsorted(others, found), len(others) - 1)
        is_over = others[place] == found
        rows.append(finer[is_over])
        over.append(found[is_over])
    return np.concatenate(rows), np.concatenate(over)


_FLIP = np.array(
    [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64
)


def to_xyz(values_zyx: ArrayLike) -> NDArray[np.float64]:
    """Reverse the last axis of values of shape (..., 3): (z, y, x) to (x, y, z)."""
    return np.asarray(values_zyx, dtype=np.float64)[..., ::-1]


def matrix_to_xyz(matrix_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert a map of (z, y, x, 1) points, shape (4, 4), into one of (x, y, z, 1)."""
    return _FLIP @ matrix_zyx @ _FLIP
