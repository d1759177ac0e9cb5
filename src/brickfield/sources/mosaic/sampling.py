"""Voxels of one tile at the places of a box of the mosaic's voxels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform, Int3
from brickfield.sources.mosaic.blend import AnyArray, to_dtype

F64 = NDArray[np.float64]
ReadBox = Callable[[Int3, Int3], AnyArray]
"""Reads the voxels from a lower corner to an upper one, excluded, (z, y, x)."""
SNAP = 1e-6
"""Voxels: a place so near to the centre of a voxel is that centre."""


@dataclass(frozen=True)
class Sampled:
    """What a tile gives for a box.

    Attributes
    ----------
    where : tuple of slice
        The part of the box, (z, y, x), that the others are about.
    covered : ndarray of bool, shape (z, y, x)
        Where the tile is, in that part.
    values : ndarray, shape (n,)
        Of the covered voxels, in the order of the array.
    depth : ndarray, shape (n,)
        Their distances to the nearest edge of the tile, world units, above 0.
    """

    where: tuple[slice, slice, slice]
    covered: NDArray[np.bool_]
    values: AnyArray
    depth: F64


@dataclass(frozen=True)
class TileLevel:
    """A level of a tile, seen from a box of the mosaic's voxels.

    Attributes
    ----------
    to_index : AffineTransform
        From index in the box to index in the level (centres, z, y, x).
    shape : tuple of int
        Of the level.
    voxel_size : ndarray, shape (3,)
        World units.
    """

    to_index: AffineTransform
    shape: Int3
    voxel_size: F64


def sample(
    level: TileLevel,
    box: Int3,
    read: ReadBox,
    *,
    order: int,
    dtype: np.dtype[np.generic],
) -> Sampled | None:
    """Sample a level of a tile on a grid.

    Parameters
    ----------
    level : TileLevel
    box : tuple of int
        Voxels of the box.
    read : callable
    order : {0, 1}
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    Sampled or None
        None where the tile does not reach into the box.

    Notes
    -----
    A tile reaches half a voxel beyond the centres of its outermost voxels; there it has
    their values.
    """
    where = _part(level, box)
    if where is None:
        return None
    shape = level.shape
    at = _coordinates(level.to_index, where)
    covered = np.ones(at[0].shape, np.bool_)
    for axis in range(3):
        covered &= (at[axis] >= -0.5 - SNAP) & (at[axis] < shape[axis] - 0.5 - SNAP)
    if not covered.any():
        return None
    points = [c[covered] for c in at]
    low, high = _needed(points, shape)
    values = _sampled(points, read(low, high), low, order, dtype)
    depth = np.full(len(values), np.inf)
    for axis, size in enumerate(level.voxel_size):
        inside = np.minimum(points[axis] + 0.5, shape[axis] - 0.5 - points[axis])
        depth = np.minimum(depth, inside * size)
    # Never nothing: a voxel at the very edge is there.
    depth = np.maximum(depth, 1e-6 * level.voxel_size.min())
    return Sampled(where, covered, values, depth)


def _part(level: TileLevel, box: Int3) -> tuple[slice, slice, slice] | None:
    """Return the part of a box that the box round the tile meets."""
    edges = [(-0.5, n - 0.5) for n in level.shape]
    corners = level.to_index.inverse.apply(np.array(list(product(*edges))))
    low = np.clip(np.floor(corners.min(axis=0)), 0, box).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, box).astype(int)
    if (low >= high).any():
        return None
    z, y, x = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return z, y, x


def _coordinates(to_index: AffineTransform, where: tuple[slice, ...]) -> list[F64]:
    """Return indices in the tile of every voxel of a part, one array an axis."""
    z, y, x = (np.arange(s.start, s.stop, dtype=np.float64) for s in where)
    found = []
    for row in to_index.matrix[:3]:
        at = (
            (row[0] * z)[:, None, None]
            + (row[1] * y)[None, :, None]
            + (row[2] * x)[None, None, :]
            + row[3]
        )
        near = np.rint(at)
        found.append(np.where(np.abs(at - near) < SNAP, near, at))
    return found


def _needed(points: list[F64], shape: Int3) -> tuple[Int3, Int3]:
    """Return the corners of the box of voxels that points need."""
    low = [max(0, floor(float(c.min()))) for c in points]
    low = [min(a, n - 1) for a, n in zip(low, shape, strict=True)]
    high = [
        max(a + 1, min(n, ceil(float(c.max())) + 1))
        for c, a, n in zip(points, low, shape, strict=True)
    ]
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def _sampled(
    points: list[F64],
    voxels: AnyArray,
    low: Int3,
    order: int,
    dtype: np.dtype[np.generic],
) -> AnyArray:
    inner = [
        np.clip(c - a, 0, n - 1)
        for c, a, n in zip(points, low, voxels.shape, strict=True)
    ]
    is_whole = all((c == np.rint(c)).all() for c in inner)
    if order == 0 or is_whole:
        # Halves go up, so that neighbouring voxels of a finer grid alternate.
        z, y, x = (
            np.minimum(np.floor(c + 0.5).astype(np.intp), n - 1)
            for c, n in zip(inner, voxels.shape, strict=True)
        )
        result: AnyArray = voxels[z, y, x].astype(dtype, copy=False)
        return result
    return to_dtype(_linear(inner, voxels), dtype)


def _linear(inner: list[F64], voxels: AnyArray) -> F64:
    """Interpolate between the eight voxels round each point."""
    base = [
        np.minimum(c.astype(np.intp), max(n - 2, 0))
        for c, n in zip(inner, voxels.shape, strict=True)
    ]
    share = [c - b for c, b in zip(inner, base, strict=True)]
    steps = [voxels.shape[1] * voxels.shape[2], voxels.shape[2], 1]
    first = base[0] * steps[0] + base[1] * steps[1] + base[2]
    flat = voxels.ravel()
    result = np.zeros(len(first))
    for corner in product((0, 1), repeat=3):
        weight, offset = np.ones(len(first)), 0
        for axis, is_next in enumerate(corner):
            weight *= share[axis] if is_next else 1.0 - share[axis]
            offset += is_next * steps[axis]
        if weight.any():
            found = flat[np.minimum(first + offset, len(flat) - 1)].astype(np.float64)
            # A neighbour of weight 0 does not count, not even one that is no number.
            result += np.multiply(
                found, weight, out=np.zeros_like(weight), where=weight > 0
            )
    return result
