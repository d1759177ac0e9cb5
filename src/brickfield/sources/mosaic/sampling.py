"""Voxels of one tile at the places of a box of the mosaic's voxels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform, Int3
from brickfield.sources.mosaic.blend import AnyArray, to_dtype

F64 = NDArray[np.float64]
ReadBox = Callable[[Int3, Int3], AnyArray]
"""Reads the voxels from a lower corner to an upper one, excluded, (z, y, x)."""
_SLAB = 1 << 15
"""Voxels that are worked out at once: four times as quick as a whole box."""
SNAP = 1e-6
"""Voxels: a place so near to the centre of a voxel is that centre."""


@dataclass(frozen=True)
class Sampled:
    """What a tile gives for a box.

    Attributes
    ----------
    where : tuple of slice
        The part of the box, (z, y, x), that the others are about.
    covered : ndarray of bool, shape (z, y, x), or None
        Where the tile is, in that part; None for everywhere.
    values : ndarray, shape (n,)
        Of the covered voxels, in the order of the array.
    depth : ndarray, shape (n,), or None
        Their distances to the nearest edge of the tile, world units, above 0; None where
        they were not asked for.
    """

    where: tuple[slice, slice, slice]
    covered: NDArray[np.bool_] | None
    values: AnyArray
    depth: F64 | None

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        arrays = (self.covered, self.values, self.depth)
        return sum(a.nbytes for a in arrays if a is not None)


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
    has_depth: bool = True,
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
    has_depth : bool
        Whether the distances to the tile's edge are wanted.

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
    # Scalings and mirrors work on each axis by itself: three passes over single axes
    # in place of eight neighbours for every voxel.
    linear = level.to_index.matrix[:3, :3]
    if np.count_nonzero(linear) == 3 and np.diag(linear).all():
        return _sample_straight(
            level, where, read, order=order, dtype=dtype, has_depth=has_depth
        )
    slabs = [_points_in(level, where, part) for part in _slabs(where)]
    if not any(len(slab.points[0]) for slab in slabs):
        return None
    low, high = _needed([slab.points for slab in slabs if len(slab.points[0])], shape)
    voxels = read(low, high)
    values = [_sampled(slab.points, voxels, low, order, dtype) for slab in slabs]
    depth = None
    if has_depth:
        depth = np.concatenate([_depth(slab.points, level) for slab in slabs])
    covered = np.concatenate([slab.covered for slab in slabs])
    return Sampled(where, covered, np.concatenate(values), depth)


@dataclass(frozen=True)
class _Slab:
    """Some planes of a box: where the tile is (z, y, x), and there its indices."""

    covered: NDArray[np.bool_]
    points: list[F64]


def _slabs(where: tuple[slice, slice, slice]) -> list[slice]:
    """Divide a box into planes of few voxels, whose arrays stay in the processor's cache."""
    z, y, x = where
    n = max(1, _SLAB // ((y.stop - y.start) * (x.stop - x.start)))
    return [slice(a, min(a + n, z.stop)) for a in range(z.start, z.stop, n)]


def _points_in(
    level: TileLevel, where: tuple[slice, slice, slice], planes: slice
) -> _Slab:
    at = _coordinates(level.to_index, (planes, *where[1:]))
    covered = np.ones(at[0].shape, np.bool_)
    # Half open: of two tiles that touch, one alone has the voxels at their seam.
    for c, n in zip(at, level.shape, strict=True):
        covered &= c >= -0.5 - SNAP
        covered &= c < n - 0.5 - SNAP
    if covered.all():
        return _Slab(covered, [c.ravel() for c in at])
    return _Slab(covered, [c[covered] for c in at])


def _depth(points: list[F64], level: TileLevel) -> F64:
    depth = np.full(len(points[0]), np.inf)
    for c, n, size in zip(points, level.shape, level.voxel_size, strict=True):
        inside = np.minimum(c + 0.5, n - 0.5 - c)
        inside *= size
        np.minimum(depth, inside, out=depth)
    # Never nothing: a voxel at the very edge is there.
    np.maximum(depth, 1e-6 * level.voxel_size.min(), out=depth)
    return depth


def _sample_straight(
    level: TileLevel,
    where: tuple[slice, slice, slice],
    read: ReadBox,
    *,
    order: int,
    dtype: np.dtype[np.generic],
    has_depth: bool,
) -> Sampled | None:
    """Sample a tile that lies along the axes of the grid: one axis after the other."""
    places, parts, depths = [], [], []
    for axis, span in enumerate(where):
        row = level.to_index.matrix[axis]
        at = row[axis] * np.arange(span.start, span.stop, dtype=np.float64) + row[3]
        near = np.rint(at)
        at = np.where(np.abs(at - near) < SNAP, near, at)
        n = level.shape[axis]
        inside = np.flatnonzero((at >= -0.5 - SNAP) & (at < n - 0.5 - SNAP))
        if not len(inside):
            return None
        at = at[inside]
        places.append(at)
        first = span.start + int(inside[0])
        parts.append(slice(first, first + len(inside)))
        size = level.voxel_size[axis]
        depths.append(np.minimum(at + 0.5, n - 0.5 - at) * size)
    low, high = _needed([places], level.shape)
    values = _along_axes(places, read(low, high), low, order, dtype)
    found = (parts[0], parts[1], parts[2])
    if not has_depth:
        return Sampled(found, None, values.ravel(), None)
    depth = np.minimum(depths[0][:, None, None], depths[1][None, :, None])
    depth = np.minimum(depth, depths[2][None, None, :])
    depth = np.maximum(depth, 1e-6 * level.voxel_size.min())
    return Sampled(found, None, values.ravel(), depth.ravel())


def _along_axes(
    places: list[F64],
    voxels: AnyArray,
    low: Int3,
    order: int,
    dtype: np.dtype[np.generic],
) -> AnyArray:
    """Interpolate along one axis after the other, shape of the places."""
    inner = [
        np.clip(at - a, 0, n - 1)
        for at, a, n in zip(places, low, voxels.shape, strict=True)
    ]
    if order == 0 or all((c == np.rint(c)).all() for c in inner):
        nearest = [
            np.minimum(np.floor(c + 0.5).astype(np.intp), n - 1)
            for c, n in zip(inner, voxels.shape, strict=True)
        ]
        picked: AnyArray = voxels[np.ix_(*nearest)].astype(dtype, copy=False)
        return picked
    result: NDArray[Any] = voxels
    for axis, at in enumerate(inner):
        base = np.minimum(at.astype(np.intp), max(voxels.shape[axis] - 2, 0))
        share = at - base
        # A neighbour of weight 0 does not count, not even one that is no number.
        after = np.where(share > 0, np.minimum(base + 1, voxels.shape[axis] - 1), base)
        base = np.where(share < 1, base, after)
        weight = share.reshape([-1 if i == axis else 1 for i in range(3)])
        first = result.take(base, axis=axis).astype(np.float64)
        first *= 1.0 - weight
        first += result.take(after, axis=axis) * weight
        result = first
    return to_dtype(result, dtype)


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
    """Return indices in the tile of every voxel of a part, one array per axis."""
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
        np.copyto(at, near, where=np.abs(at - near) < SNAP)
        found.append(at)
    return found


def _needed(parts: Sequence[list[F64]], shape: Int3) -> tuple[Int3, Int3]:
    """Return the corners of the box of voxels that points of several parts need."""
    low, high = [], []
    for axis, n in enumerate(shape):
        first = floor(min(float(part[axis].min()) for part in parts))
        last = ceil(max(float(part[axis].max()) for part in parts)) + 1
        low.append(min(max(0, first), n - 1))
        high.append(max(low[-1] + 1, min(n, last)))
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
    if order == 0 or all((c == np.rint(c)).all() for c in inner):
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
    # The last voxel is the one before it with a share of 1, so that each has a next.
    base = [
        np.minimum(c.astype(np.intp), max(n - 2, 0))
        for c, n in zip(inner, voxels.shape, strict=True)
    ]
    share = [c - b for c, b in zip(inner, base, strict=True)]
    sizes = (voxels.shape[1] * voxels.shape[2], voxels.shape[2], 1)
    first = base[0] * sizes[0] + base[1] * sizes[1] + base[2]
    # Along an axis of one voxel the next one is the voxel itself.
    steps = [s if n > 1 else 0 for s, n in zip(sizes, voxels.shape, strict=True)]
    return between(voxels.ravel(), first, share, steps)


def between(
    flat: AnyArray,
    first: NDArray[np.intp],
    share: Sequence[F64],
    steps: Sequence[int | NDArray[np.int64]],
) -> F64:
    """Interpolate linearly along three axes of a flat array.

    Parameters
    ----------
    flat : ndarray, shape (m,)
    first : ndarray, shape (n,)
        Position of the voxel at the lower corner of each point.
    share : sequence of ndarray, shape (n,)
        Way from there to the next voxel along z, y and x, 0 to 1.
    steps : sequence of int or ndarray, shape (n,)
        Positions from a voxel to the next one along z, y and x.

    Returns
    -------
    ndarray, shape (n,), float64
        A neighbour of share 0 does not count, not even one that is no number.
    """
    may_be_no_number = flat.dtype.kind in "fc"

    def at(position: NDArray[np.intp], axis: int) -> F64:
        if axis == 3:
            return flat.take(position).astype(np.float64)
        low = at(position, axis + 1)
        if not share[axis].any():
            return low
        high = at(position + steps[axis], axis + 1)
        if may_be_no_number:
            return _mixed(low, high, share[axis])
        high -= low
        high *= share[axis]
        high += low
        return high

    return at(first, 0)


def _mixed(low: F64, high: F64, share: F64) -> F64:
    """Interpolate where infinite values and such that are no numbers may be."""
    result = np.multiply(low, 1.0 - share, out=np.zeros_like(low), where=share < 1)
    result += np.multiply(high, share, out=np.zeros_like(high), where=share > 0)
    return result
