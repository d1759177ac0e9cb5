"""What many tiles give for one box of voxels, worked out for all of them together.

An overview of a thousand tiles is a few voxels of each: going through them one by one
would cost far more than the voxels. Here the places of all voxels of all tiles are one
array, tile after tile; only looking up stored voxels goes by tile.

The results are those of :func:`~brickfield.sources.mosaic.sampling.sample`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brickfield.model import Int3
from brickfield.sources.mosaic.blend import AnyArray, Overlap, difference, to_dtype
from brickfield.sources.mosaic.sampling import SNAP
from brickfield.sources.mosaic.table import LevelsOfTiles, inverse_of

F64 = NDArray[np.float64]
Ints = NDArray[np.int64]
ReadBoxes = Callable[[Sequence[tuple[int, Int3, Int3]]], Sequence[AnyArray]]
"""Reads boxes: row of the tile, lower corner and upper corner (excluded), (z, y, x)."""
_CORNERS = np.array(list(product((0.0, 1.0), repeat=3)))


@dataclass(frozen=True)
class Given:
    """What one tile gives for a box.

    Attributes
    ----------
    voxels : ndarray, shape (n,), int64
        Positions in the box, flat, C order.
    values : ndarray, shape (n,)
        Of the mosaic's data type.
    depth : ndarray, shape (n,)
        Distances to the nearest edge of the tile, world units, above 0.
    """

    voxels: Ints
    values: AnyArray
    depth: F64

    @property
    def n_bytes(self) -> int:
        """Memory of the arrays."""
        return self.voxels.nbytes + self.values.nbytes + self.depth.nbytes


@dataclass
class _Points:
    """Voxels of a box inside tiles, tile after tile.

    ``row`` is the tile's, ``voxel`` the position in the box, ``at`` the three indices in
    the tile's level; shape (n,) each.
    """

    row: Ints
    voxel: Ints
    at: list[F64]


def sample_many(
    tiles: LevelsOfTiles,
    to_world: F64,
    box: Int3,
    read: ReadBoxes,
    *,
    order: int,
    dtype: np.dtype[np.generic],
) -> dict[int, Given]:
    """Sample many tiles on one grid.

    Parameters
    ----------
    tiles : LevelsOfTiles
    to_world : ndarray, shape (3, 4)
        From index in the box to world.
    box : tuple of int
        Voxels of the box (z, y, x).
    read : callable
    order : {0, 1}
    dtype : numpy.dtype
        Of the result.

    Returns
    -------
    dict of int to Given
        By row of `tiles`; tiles that cover no voxel are not there.
    """
    to_index = _then(to_world, tiles.from_world)
    points = _inside(_points_of(to_index, tiles.shape, box), tiles.shape)
    rows, starts = np.unique(points.row, return_index=True)
    if not len(rows):
        return {}
    low, high = _needed(points, starts, tiles.shape[rows])
    boxes = read(
        [
            (int(row), _int3(a), _int3(b))
            for row, a, b in zip(rows, low.tolist(), high.tolist(), strict=True)
        ]
    )
    counts = np.diff([*starts, len(points.row)])
    inner = [
        np.clip(
            c - np.repeat(low[:, a], counts),
            0,
            np.repeat(high - low, counts, 0)[:, a] - 1,
        )
        for a, c in enumerate(points.at)
    ]
    values = _values(inner, starts, boxes, order, dtype)
    depth = _depths(points, tiles)
    ends = [*starts[1:].tolist(), len(points.row)]
    # Copies: a view of one tile's voxels would keep those of all tiles in memory.
    return {
        int(row): Given(points.voxel[a:b].copy(), values[a:b].copy(), depth[a:b].copy())
        for row, a, b in zip(rows.tolist(), starts.tolist(), ends, strict=True)
    }


def blend_many(
    given: Sequence[Given],
    shape: Int3,
    dtype: np.dtype[np.generic],
    overlap: Overlap,
    fill: float,
) -> AnyArray | None:
    """Make one box of what tiles give, in their order.

    Parameters
    ----------
    given : sequence of Given
    shape : tuple of int
        Voxels of the box.
    dtype : numpy.dtype
    overlap : {"max", "mean", "feather", "first", "difference"}
    fill : float or int
        Where no tile is.

    Returns
    -------
    ndarray, shape `shape`, or None
        None where no tile is anywhere.
    """
    if not given:
        return None
    voxels = np.concatenate([g.voxels for g in given])
    values = np.concatenate([g.values for g in given])
    n = int(np.prod(shape))
    if overlap in ("mean", "feather"):
        depth = (
            np.concatenate([g.depth for g in given]) if overlap == "feather" else None
        )
        weights = np.bincount(voxels, depth, n)
        weighted = values.astype(np.float64)
        total = np.bincount(voxels, weighted if depth is None else weighted * depth, n)
        there = weights > 0
        mean = np.divide(total, weights, out=np.full(n, float(fill)), where=there)
        return to_dtype(mean, dtype).reshape(shape)
    result = np.full(n, fill, dtype)
    # Of several values for one place the last one stays, hence the first tile's.
    result[voxels[::-1]] = values[::-1]
    if overlap in ("max", "difference"):
        least = result.copy() if overlap == "difference" else None
        # A value that is no number loses against any number.
        np.fmax.at(result, voxels, values)
        if least is not None:
            np.fmin.at(least, voxels, values)
            is_there = np.zeros(n, np.bool_)
            is_there[voxels] = True
            result = np.where(is_there, difference(result, least), 0).astype(dtype)
    return result.reshape(shape)


def _then(first: F64, second: F64) -> F64:
    """Compose affine maps: (3, 4), then (k, 3, 4)."""
    linear = second[:, :, :3] @ first[:, :3]
    shift = second[:, :, :3] @ first[:, 3] + second[:, :, 3]
    return np.concatenate([linear, shift[:, :, None]], axis=2)


def _points_of(to_index: F64, shapes: Ints, box: Int3) -> tuple[Ints, Ints, F64]:
    """Return row, voxel and map of every voxel in the box round each tile."""
    back = inverse_of(to_index)
    corners = _CORNERS * shapes[:, None, :] - 0.5
    seen = np.einsum("nij,ncj->nci", back[:, :, :3], corners) + back[:, None, :, 3]
    low = np.clip(np.floor(seen.min(axis=1)), 0, box).astype(np.int64)
    high = np.clip(np.ceil(seen.max(axis=1)) + 1, 0, box).astype(np.int64)
    size = np.maximum(high - low, 0)
    counts = size.prod(axis=1)
    # All boxes as one run: `flat` counts the voxels of each box from 0, so that no step
    # below is a loop over tiles.
    row = np.repeat(np.arange(len(counts)), counts)
    flat = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    plane, x = np.divmod(flat, np.maximum(size[row, 2], 1))
    z, y = np.divmod(plane, np.maximum(size[row, 1], 1))
    zyx = np.stack([z, y, x], axis=1) + low[row]
    voxel = (zyx[:, 0] * box[1] + zyx[:, 1]) * box[2] + zyx[:, 2]
    at = np.einsum("nij,nj->ni", to_index[row, :, :3], zyx) + to_index[row, :, 3]
    return row, voxel, at


def _inside(found: tuple[Ints, Ints, F64], shapes: Ints) -> _Points:
    """Keep the voxels that lie inside their tile."""
    row, voxel, at = found
    near = np.rint(at)
    at = np.where(np.abs(at - near) < SNAP, near, at)
    is_in = ((at >= -0.5 - SNAP) & (at < shapes[row] - 0.5 - SNAP)).all(axis=1)
    at = at[is_in]
    return _Points(row[is_in], voxel[is_in], [at[:, 0], at[:, 1], at[:, 2]])


def _needed(points: _Points, starts: Ints, shapes: Ints) -> tuple[Ints, Ints]:
    """Return the corners of the boxes of voxels that the points of each tile need."""
    low = np.stack([np.minimum.reduceat(c, starts) for c in points.at], axis=1)
    high = np.stack([np.maximum.reduceat(c, starts) for c in points.at], axis=1)
    first = np.minimum(np.maximum(np.floor(low).astype(np.int64), 0), shapes - 1)
    last = np.minimum(np.ceil(high).astype(np.int64) + 1, shapes)
    return first, np.maximum(last, first + 1)


def _values(
    inner: list[F64],
    starts: Ints,
    boxes: Sequence[AnyArray],
    order: int,
    dtype: np.dtype[np.generic],
) -> AnyArray:
    """Look the voxels up, tile after tile; nearest or linear."""
    ends = [*starts[1:].tolist(), len(inner[0])]
    flat = [b.ravel() for b in boxes]
    spans = list(zip(starts.tolist(), ends, flat, strict=True))
    sizes = np.array([b.shape for b in boxes], np.int64)
    counts = np.array([b - a for a, b, _ in spans])
    size = np.repeat(sizes, counts, axis=0)
    if order == 0 or all(bool((c == np.rint(c)).all()) for c in inner):
        whole = [np.floor(c + 0.5).astype(np.int64) for c in inner]
        z, y, x = (np.minimum(w, size[:, a] - 1) for a, w in enumerate(whole))
        return _gather((z * size[:, 1] + y) * size[:, 2] + x, spans).astype(
            dtype, copy=False
        )
    base = [
        np.minimum(c.astype(np.int64), np.maximum(size[:, a] - 2, 0))
        for a, c in enumerate(inner)
    ]
    share = [c - b for c, b in zip(inner, base, strict=True)]
    steps = [size[:, 1] * size[:, 2], size[:, 2], np.ones(len(size), np.int64)]
    most = size.prod(axis=1) - 1
    first = base[0] * steps[0] + base[1] * steps[1] + base[2]
    result = np.zeros(len(first))
    for corner in product((0, 1), repeat=3):
        weight, at = np.ones(len(first)), first
        for axis, is_next in enumerate(corner):
            weight = weight * (share[axis] if is_next else 1.0 - share[axis])
            at = at + steps[axis] if is_next else at
        if weight.any():
            # Beyond the last voxel of a box the weight is 0, but the place must exist.
            found = _gather(np.minimum(at, most), spans).astype(np.float64)
            # A neighbour of weight 0 does not count, not even one that is no number.
            result += np.multiply(
                found, weight, out=np.zeros_like(weight), where=weight > 0
            )
    return to_dtype(result, dtype)


def _gather(at: Ints, spans: Sequence[tuple[int, int, AnyArray]]) -> AnyArray:
    return np.concatenate([box[at[a:b]] for a, b, box in spans])


def _depths(points: _Points, tiles: LevelsOfTiles) -> F64:
    size, shape = tiles.voxel_size, tiles.shape
    depth = np.full(len(points.row), np.inf)
    for axis, at in enumerate(points.at):
        inside = np.minimum(at + 0.5, shape[points.row, axis] - 0.5 - at)
        depth = np.minimum(depth, inside * size[points.row, axis])
    # Never nothing: a voxel at the very edge is there.
    least = 1e-6 * size.min(axis=1)[points.row]
    result: F64 = np.maximum(depth, least)
    return result


def _int3(values: Sequence[int]) -> Int3:
    z, y, x = values
    return (z, y, x)
