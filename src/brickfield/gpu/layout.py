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
from brickfield.model import Int3, Pyramid, pack_keys, unpack_keys


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


def cells_over(pyramid: Pyramid, keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the cell of every coarser level that lies over the centre of chunks.

    Parameters
    ----------
    pyramid : Pyramid
    keys : ndarray, shape (n,), int64

    Returns
    -------
    ndarray, shape (n_levels, n), int64
        Keys of the cells; -1 on a chunk's own level and finer ones.
    """
    levels, indices = unpack_keys(keys)
    scale, offset, chunk, grids = (
        values[:, :, None]
        for values in (
            pyramid.downscale,
            pyramid.offset,
            pyramid.chunk_shapes,
            pyramid.grids_zyx,
        )
    )
    # Whole arrays, of levels, axes and chunks: thousands may be asked for at once, and
    # the last axis is the one that numpy is quick along.
    own = tuple(values[levels, :, 0].T for values in (scale, offset, chunk))
    centre = ((indices.T + 0.5) * own[2] - 0.5) * own[0] + own[1]
    at = (centre - offset) / scale
    at += 0.5
    at /= chunk
    cells = np.clip(np.floor(at, out=at), 0, grids - 1, out=at).astype(np.int64)
    numbers = np.arange(pyramid.n_levels)[:, None]
    found = pack_keys(numbers, np.moveaxis(cells, 1, -1))
    return np.where(levels < numbers, found, -1)


_FLIP = np.array(
    [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64
)


def to_xyz(values_zyx: ArrayLike) -> NDArray[np.float64]:
    """Reverse the last axis of values of shape (..., 3): (z, y, x) to (x, y, z)."""
    return np.asarray(values_zyx, dtype=np.float64)[..., ::-1]


def matrix_to_xyz(matrix_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert a map of (z, y, x, 1) points, shape (4, 4), into one of (x, y, z, 1)."""
    return _FLIP @ matrix_zyx @ _FLIP
