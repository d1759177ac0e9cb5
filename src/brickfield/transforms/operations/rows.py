"""The loops of trilinear sampling, row by row; numba compiles them where it is installed.

Invariant: only finite voxels are given, so that a neighbour of weight 0 adds nothing.
A row of the output runs straight through the source; the part of it that lies inside is
an interval, found once, and needs no test per voxel.

Costs, compiled: 20 to 40 ns a voxel, on one thread; the interpreter's lock is not held.
Imported by :mod:`~brickfield.transforms.operations.trilinear` when a box is sampled,
since numba takes long to import.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise.compiled import compiled
from brickfield.transforms.operations.convention import SNAP

_FLAT = 1e-15
"""A step of a coordinate per voxel that counts as none."""


@compiled
def _row_ends(
    start: tuple[float, float, float],
    step: NDArray[np.float64],
    bounds: NDArray[np.float64],
    n: int,
) -> tuple[int, int]:
    """Return the first voxel of a row that lies inside, and the one after the last."""
    first, last = 0.0, n - 1.0
    for a in range(3):
        low, high = bounds[a, 0] - SNAP - start[a], bounds[a, 1] + SNAP - start[a]
        if step[a] > _FLAT:
            first = max(first, np.ceil(low / step[a]))
            last = min(last, np.floor(high / step[a]))
        elif step[a] < -_FLAT:
            first = max(first, np.ceil(high / step[a]))
            last = min(last, np.floor(low / step[a]))
        elif low > 0.0 or high < 0.0:
            last = -1.0
    if last < first:
        return 0, 0
    return int(first), int(last) + 1


@compiled
def _value(
    flat: NDArray[Any], shape: tuple[int, int, int], z: float, y: float, x: float
) -> float:
    """Return the trilinear value at a point inside a box."""
    kz, ky, kx = int(z), int(y), int(x)
    fz, fy, fx = z - kz, y - ky, x - kx
    at = (kz * shape[1] + ky) * shape[2] + kx
    # At the far edge the weight of the next voxel is 0.
    dz = shape[1] * shape[2] if kz < shape[0] - 1 else 0
    dy = shape[2] if ky < shape[1] - 1 else 0
    dx = 1 if kx < shape[2] - 1 else 0
    # All in float64, whatever the voxels are.
    a0 = np.float64(flat[at])
    a1 = np.float64(flat[at + dy])
    a2 = np.float64(flat[at + dz])
    a3 = np.float64(flat[at + dz + dy])
    a0 += fx * (np.float64(flat[at + dx]) - a0)
    a1 += fx * (np.float64(flat[at + dy + dx]) - a1)
    a2 += fx * (np.float64(flat[at + dz + dx]) - a2)
    a3 += fx * (np.float64(flat[at + dz + dy + dx]) - a3)
    a0 += fy * (a1 - a0)
    a2 += fy * (a3 - a2)
    return float(a0 + fz * (a2 - a0))


@compiled
def fill_rows(
    box: NDArray[Any],
    matrix: NDArray[np.float64],
    bounds: NDArray[np.float64],
    out: NDArray[Any],
    is_whole: bool,
) -> None:
    """Sample a box of finite voxels; what lies outside is left as it is.

    Parameters
    ----------
    box : ndarray, shape (z, y, x), C order
        Source voxels, all finite.
    matrix : ndarray, shape (3, 4), float64
        From voxels of `out` to voxels of `box`.
    bounds : ndarray, shape (3, 2), float64
        Least and largest coordinate inside, in voxels of `box`.
    out : ndarray, shape (z, y, x)
        Filled where coordinates are inside.
    is_whole : bool
        Whether values are rounded to the nearest, halves to even.
    """
    nz, ny, nx = box.shape
    flat = box.reshape(-1)
    step = matrix[:, 2].copy()
    for k in range(out.shape[0]):
        for j in range(out.shape[1]):
            z0 = matrix[0, 0] * k + matrix[0, 1] * j + matrix[0, 3]
            y0 = matrix[1, 0] * k + matrix[1, 1] * j + matrix[1, 3]
            x0 = matrix[2, 0] * k + matrix[2, 1] * j + matrix[2, 3]
            first, end = _row_ends((z0, y0, x0), step, bounds, out.shape[2])
            for i in range(first, end):
                z = min(max(z0 + step[0] * i, 0.0), nz - 1.0)
                y = min(max(y0 + step[1] * i, 0.0), ny - 1.0)
                x = min(max(x0 + step[2] * i, 0.0), nx - 1.0)
                value = _value(flat, (nz, ny, nx), z, y, x)
                out[k, j, i] = np.rint(value) if is_whole else value
