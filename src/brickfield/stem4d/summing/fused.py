"""Several sums of patterns in one go, compiled by numba where it is installed.

A row is brought into the processor's byte order and added to all sums before the next
is touched: patterns go through the processor's caches once, whatever is asked. Values
are those of :mod:`brickfield.stem4d.summing.sums` without numba, bit for bit. The interpreter's
lock is not held, so that threads do not wait for each other.

Imported when patterns are first summed, since numba takes long to import.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Layout = tuple[int, int, int, int]
"""Patterns, rows, columns, and values from one pattern to the next."""


def _compiler() -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    try:
        numba: Any = import_module("numba")
    except ImportError:
        return lambda function: function
    # Compiled code is kept beside the module, or in the user's cache.
    compiler: Callable[..., Any] = numba.njit(nogil=True, cache=True)
    return compiler


_compiled = _compiler()


@_compiled
def _native(value: Any, is_swapped: bool) -> Any:
    return ((value & 0xFF) << 8) | (value >> 8) if is_swapped else value


@_compiled
def sum_rows(
    values: NDArray[Any], layout: Layout, is_swapped: bool, sums: NDArray[np.uint32]
) -> None:
    """Sum each row of each pattern.

    Parameters
    ----------
    values : ndarray, shape (n,), uint8 or uint16
        As read; the first pattern begins at the first value.
    layout : tuple of int
    is_swapped : bool
        Whether the byte order of 16-bit values is not the processor's.
    sums : ndarray, shape (patterns, rows), uint32
        Filled.
    """
    n, rows, columns, step = layout
    for i in range(n):
        for y in range(rows):
            start = i * step + y * columns
            row = values[start : start + columns]
            found = np.uint32(0)
            for x in range(columns):
                found += np.uint32(_native(row[x], is_swapped))
            sums[i, y] = found


@_compiled
def add_patterns(
    values: NDArray[Any], layout: Layout, is_swapped: bool, total: NDArray[np.uint32]
) -> None:
    """Add patterns to their sum.

    Parameters
    ----------
    values, layout, is_swapped
        As for :func:`sum_rows`.
    total : ndarray, shape (rows, columns), uint32
        Added to; there must be room for all patterns.
    """
    n, rows, columns, step = layout
    for y in range(rows):
        into = total[y]
        for i in range(n):
            start = i * step + y * columns
            row = values[start : start + columns]
            for x in range(columns):
                into[x] += np.uint32(_native(row[x], is_swapped))


@_compiled
def take_all(
    values: NDArray[Any],
    layout: Layout,
    is_swapped: bool,
    sides: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    over: tuple[NDArray[np.uint32], NDArray[Any], NDArray[Any]],
) -> None:
    """Sum patterns along both axes and over each other, with their extremes.

    Parameters
    ----------
    values, layout, is_swapped
        As for :func:`sum_rows`.
    sides : tuple of ndarray, shapes (patterns, rows) and (patterns, columns), uint32
        Filled with sums along rows and along columns; the second must be 0 before.
    over : tuple of ndarray, shape (rows, columns)
        Sum (uint32), largest and smallest values (as `values`) so far.
    """
    n, rows, columns, step = layout
    row_sums, column_sums = sides
    total, largest, smallest = over
    for y in range(rows):
        # These three rows stay in the fastest cache while all patterns pass.
        into, high, low = total[y], largest[y], smallest[y]
        for i in range(n):
            start = i * step + y * columns
            row, below = values[start : start + columns], column_sums[i]
            found = np.uint32(0)
            for x in range(columns):
                value = _native(row[x], is_swapped)
                found += np.uint32(value)
                below[x] += np.uint32(value)
                into[x] += np.uint32(value)
                high[x] = max(high[x], value)
                low[x] = min(low[x], value)
            row_sums[i, y] = found
