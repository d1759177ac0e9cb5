"""Counting and halving of unsigned voxels of 8 and 16 bits, compiled by numba.

The same numbers as :mod:`~brickfield.imaris.statistics` and
:mod:`~brickfield.imaris.halving` make without numba, bit for bit, in a third of their
time: nothing is widened in memory. The interpreter's lock is not held.

Imported for large images alone, since numba takes longer to import than it saves for
small ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise.compiled import compiled

N_TABLES = 2
"""Counts that are added up at the end: equal neighbours would wait for each other."""


@compiled
def count(values: NDArray[Any], tables: NDArray[np.uint32]) -> None:
    """Count every value.

    Parameters
    ----------
    values : ndarray, shape (n,), uint8 or uint16
    tables : ndarray, shape (2, values of the type), uint32
        Added to.
    """
    n = values.size // 2 * 2
    for i in range(0, n, 2):
        tables[0, values[i]] += np.uint32(1)
        tables[1, values[i + 1]] += np.uint32(1)
    if n < values.size:
        tables[0, values[n]] += np.uint32(1)


@compiled
def halve(data: NDArray[Any], factors: tuple[int, int, int], out: NDArray[Any]) -> None:
    """Write the floor of the mean of each block of voxels.

    Parameters
    ----------
    data : ndarray, shape (z, y, x), uint8 or uint16
        C order.
    factors : tuple of int
        1 or 2 along (z, y, x).
    out : ndarray
        Shape of `data` divided by the factors, rounded down; C order.
    """
    fz, fy, fx = factors
    for z in range(out.shape[0]):
        for y in range(out.shape[1]):
            # Along an axis that is kept both rows are the same one: twice the sum of
            # twice as many voxels has the same mean.
            a, b = data[z * fz, y * fy], data[z * fz, y * fy + fy - 1]
            c = data[z * fz + fz - 1, y * fy]
            d = data[z * fz + fz - 1, y * fy + fy - 1]
            row = out[z, y]
            if fx == 2:
                for x in range(row.size):
                    left = np.uint32(a[2 * x]) + b[2 * x] + c[2 * x] + d[2 * x]
                    right = np.uint32(a[2 * x + 1]) + b[2 * x + 1]
                    right += np.uint32(c[2 * x + 1]) + d[2 * x + 1]
                    row[x] = (left + right) >> np.uint32(3)
            else:
                for x in range(row.size):
                    total = np.uint32(a[x]) + b[x] + c[x] + d[x]
                    row[x] = total >> np.uint32(2)
