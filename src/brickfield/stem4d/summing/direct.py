"""Sums over a detector, read and added in one compiled call for many patterns.

A detector touches few rows of a pattern. Reading these with a call of the interpreter
for each pattern, threads spend more time handing the interpreter's lock to each other
than they read. Compiled by numba, the rows of a whole block are read and added without
that lock, through a buffer that stays in the processor's cache.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.sources.scans import RowRun
from brickfield.stem4d.summing.pieces import Pieces
from brickfield.stem4d.summing.sums import has_numba, is_short

LONGEST_SPAN = 1 << 16
"""Pixels whose sum of 16-bit values fits 32 bits."""
_ROWS = ThreadBuffers()


@cache
def can_read() -> bool:
    """Whether compiled code can read files here: numba, and `pread` of 64 bits."""
    return has_numba() and hasattr(os, "pread") and sys.maxsize > 1 << 32


def sum_from_files(
    patterns: Pieces, mask: NDArray[np.bool_]
) -> NDArray[np.uint64] | None:
    """Sum patterns over pixels, straight from their files.

    Parameters
    ----------
    patterns : Pieces
        Of shape (n_y, n_x, rows, columns).
    mask : ndarray, shape (rows, columns), bool
        Pixels that count.

    Returns
    -------
    ndarray, shape (n_y * n_x,), uint64, or None
        Exact. None where patterns are not numbers of 8 or 16 bits that are simply
        stored, where numba is missing, and where a read ended early: reading them
        the ordinary way then tells why.

    Raises
    ------
    ChunkReadError
        If a file cannot be opened.
    """
    if not can_read() or not is_short(patterns.dtype):
        return None
    runs = patterns.row_runs()
    if runs is None:
        return None
    spans, done = spans_of(mask), 0
    sums = np.zeros(patterns.shape[0] * patterns.shape[1], np.uint64)
    with patterns.held():
        for run in runs:
            if _sum_run(run, mask.size, spans, sums[done : done + run.n]) < run.n:
                return None
            done += run.n
    return sums


def spans_of(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return runs of pixels that count, in C order.

    Parameters
    ----------
    mask : ndarray, any shape, bool

    Returns
    -------
    ndarray, shape (n, 2), int64
        First pixel and the one after the last; none is longer than
        :data:`LONGEST_SPAN`.
    """
    edges = np.diff(mask.ravel().view(np.int8), prepend=0, append=0)
    spans = np.flatnonzero(edges).reshape(-1, 2).tolist()
    cut = [
        (at, min(at + LONGEST_SPAN, stop))
        for start, stop in spans
        for at in range(start, stop, LONGEST_SPAN)
    ]
    return np.array(cut, np.int64).reshape(-1, 2)


def _sum_run(
    run: RowRun, n_pixels: int, spans: NDArray[np.int64], sums: NDArray[np.uint64]
) -> int:
    """Fill the sums of a run; return of how many frames they are."""
    from brickfield.stem4d.summing import fused

    stored = run.stored
    memory = _ROWS.take((n_pixels * stored.itemsize,), np.uint8)
    values: NDArray[Any] = memory.view(stored.newbyteorder("="))
    place = (run.number, run.offset, run.stride)
    is_swapped = not stored.isnative
    return int(fused.sum_spans(place, (memory, values), spans, is_swapped, sums))
