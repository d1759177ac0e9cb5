"""Several sums of patterns in one go, compiled by numba where it is installed.

A row is brought into the processor's byte order and added to all sums before the next
is touched: patterns go through the processor's caches once, whatever is asked. Values
are those of :mod:`brickfield.stem4d.summing.sums` without numba, bit for bit. The interpreter's
lock is not held, so that threads do not wait for each other.

Imported when patterns are first summed, since numba takes long to import.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import memmove
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise.compiled import compiled

Layout = tuple[int, int, int, int]
"""Patterns, rows, columns, and values from one pattern to the next."""
ROWS, OVER, ALL = range(3)
"""What :func:`read_and_sum` takes."""


def _reader() -> Callable[[int, int, int, int], int]:
    """Return the C library's `pread`, or what does the same for uncompiled loops."""
    try:
        types: Any = import_module("numba").types
    except ImportError:
        return _read_into
    of_c = types.int64(types.int32, types.uintp, types.uint64, types.int64)
    found: Callable[[int, int, int, int], int] = types.ExternalFunction("pread", of_c)
    return found


def _read_into(number: int, address: int, n_bytes: int, offset: int) -> int:
    found = os.pread(number, n_bytes, offset)
    memmove(address, found, len(found))
    return len(found)


_pread = _reader()


@compiled
def _native(value: Any, is_swapped: bool) -> Any:
    # In 16 bits: numba's operators widen to 64, and so would what follows.
    return np.uint16(((value & 0xFF) << 8) | (value >> 8)) if is_swapped else value


@compiled
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


@compiled
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


@compiled
def _take_row(
    row: NDArray[Any],
    is_swapped: bool,
    lines: tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[Any], NDArray[Any]],
) -> Any:
    """Add a row to its column sums, to the sum, largest and smallest; return its sum."""
    below, into, high, low = lines
    found = np.uint32(0)
    for x in range(len(row)):
        value = _native(row[x], is_swapped)
        found += np.uint32(value)
        below[x] += np.uint32(value)
        into[x] += np.uint32(value)
        high[x] = max(high[x], value)
        low[x] = min(low[x], value)
    return found


@compiled
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
    fours = n - n % 4
    for y in range(rows):
        # These three rows stay in the fastest cache while all patterns pass, four at a
        # time, so that they are read and written a quarter as often.
        into, high, low = total[y], largest[y], smallest[y]
        for i in range(0, fours, 4):
            at = i * step + y * columns
            row_a = values[at : at + columns]
            row_b = values[at + step : at + step + columns]
            row_c = values[at + 2 * step : at + 2 * step + columns]
            row_d = values[at + 3 * step : at + 3 * step + columns]
            below_a, below_b = column_sums[i], column_sums[i + 1]
            below_c, below_d = column_sums[i + 2], column_sums[i + 3]
            sum_a = sum_b = sum_c = sum_d = np.uint32(0)
            for x in range(columns):
                a, b = _native(row_a[x], is_swapped), _native(row_b[x], is_swapped)
                c, d = _native(row_c[x], is_swapped), _native(row_d[x], is_swapped)
                high[x] = max(high[x], max(max(a, b), max(c, d)))
                low[x] = min(low[x], min(min(a, b), min(c, d)))
                # Without the outer casts numba would add in 64 bits.
                p, q, r, s = np.uint32(a), np.uint32(b), np.uint32(c), np.uint32(d)
                sum_a, sum_b = np.uint32(sum_a + p), np.uint32(sum_b + q)
                sum_c, sum_d = np.uint32(sum_c + r), np.uint32(sum_d + s)
                below_a[x] = np.uint32(below_a[x] + p)
                below_b[x] = np.uint32(below_b[x] + q)
                below_c[x] = np.uint32(below_c[x] + r)
                below_d[x] = np.uint32(below_d[x] + s)
                both = np.uint32(np.uint32(p + q) + np.uint32(r + s))
                into[x] = np.uint32(into[x] + both)
            row_sums[i, y], row_sums[i + 1, y] = sum_a, sum_b
            row_sums[i + 2, y], row_sums[i + 3, y] = sum_c, sum_d
        for i in range(fours, n):
            at = i * step + y * columns
            row, lines = values[at : at + columns], (column_sums[i], into, high, low)
            row_sums[i, y] = _take_row(row, is_swapped, lines)


@compiled
def sum_spans(
    place: tuple[int, int, int],
    buffers: tuple[NDArray[np.uint8], NDArray[Any]],
    spans: NDArray[np.int64],
    is_swapped: bool,
    sums: NDArray[np.uint64],
) -> int:
    """Read rows of frames from a file and sum some of their pixels.

    Parameters
    ----------
    place : tuple of int
        Number of the open file, byte at which the first frame's rows begin, and bytes
        from one frame to the next.
    buffers : tuple of ndarray
        Bytes of the rows of one frame, and the same memory as values (uint8 or
        uint16).
    spans : ndarray, shape (n, 2), int64
        Values that count: the first and the one after the last, at most 65,536.
    is_swapped : bool
        Whether the byte order of 16-bit values is not the processor's.
    sums : ndarray, shape (frames,), uint64
        Filled.

    Returns
    -------
    int
        Frames that were read whole; fewer at a file's end and after an error.
    """
    number, offset, stride = place
    memory, values = buffers
    n_bytes = memory.size
    for i in range(len(sums)):
        found = _pread(number, memory.ctypes.data, n_bytes, offset + i * stride)
        if found != n_bytes:
            return i
        total = np.uint64(0)
        for k in range(len(spans)):
            part = np.uint32(0)
            for x in range(spans[k, 0], spans[k, 1]):
                part += np.uint32(_native(values[x], is_swapped))
            total += np.uint64(part)
        sums[i] = total
    return len(sums)


@compiled
def add(
    kind: tuple[int, bool],
    values: NDArray[Any],
    layout: Layout,
    sides: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    over: tuple[NDArray[np.uint32], NDArray[Any], NDArray[Any]],
) -> None:
    """Sum patterns in one of three ways.

    Parameters
    ----------
    kind : tuple of (int, bool)
        :data:`ROWS` as :func:`sum_rows`, :data:`OVER` as :func:`add_patterns`,
        :data:`ALL` as :func:`take_all`; and whether the byte order is swapped.
    values, layout, sides, over
        As for :func:`take_all`.
    """
    what, is_swapped = kind
    if what == ROWS:
        sum_rows(values, layout, is_swapped, sides[0])
    elif what == OVER:
        add_patterns(values, layout, is_swapped, over[0])
    else:
        take_all(values, layout, is_swapped, sides, over)


@compiled
def read_and_sum(
    place: tuple[int, int, int],
    buffers: tuple[NDArray[np.uint8], NDArray[Any]],
    layout: Layout,
    kind: tuple[int, bool],
    sides: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    over: tuple[NDArray[np.uint32], NDArray[Any], NDArray[Any]],
) -> int:
    """Read frames from a file and sum a few at a time, while they are in the cache.

    Parameters
    ----------
    place : tuple of int
        Number of the open file, byte at which the first frame's values begin, and
        frames that are read at once.
    buffers : tuple of ndarray
        Bytes from the first frame's values to the last one's, and the same memory as
        values (uint8 or uint16). Filled.
    layout : tuple of int
    kind, sides, over
        As for :func:`add`.

    Returns
    -------
    int
        Frames that were read; fewer at a file's end and after an error.
    """
    number, offset, at_once = place
    memory, values = buffers
    n, rows, columns, step = layout
    size = values.itemsize
    for i in range(0, n, at_once):
        m = min(at_once, n - i)
        first, last = i * step, (i + m - 1) * step + rows * columns
        n_bytes = (last - first) * size
        address = memory.ctypes.data + first * size
        if _pread(number, address, n_bytes, offset + first * size) != n_bytes:
            return i
        part, _shape = values[first:last], (m, rows, columns, step)
        both = (sides[0][i : i + m], sides[1][i : i + m])
        add(kind, part, (m, rows, columns, step), both, over)
    return n
