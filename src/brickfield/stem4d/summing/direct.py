"""Patterns read and summed in one compiled call for many of them.

A detector touches few rows of a pattern. Reading these with a call of the interpreter
for each pattern, threads spend more time handing the interpreter's lock to each other
than they read. Compiled by numba, the rows of a whole block are read and added without
that lock, through a buffer that stays in the processor's cache. Whole patterns are
summed a few at a time right after they were read, before they leave the cache.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import ChunkReadError
from brickfield.sources.scans import RowRun, Shape4
from brickfield.stem4d.summing.pieces import PIECE_BYTES, Patterns, Piece, Pieces
from brickfield.stem4d.summing.sums import (
    BlockSums,
    has_numba,
    is_short,
    patterns_at_once,
)

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
    runs = _runs_of(patterns)
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


def _runs_of(patterns: Pieces) -> Iterator[RowRun] | None:
    if can_read() and is_short(patterns.dtype):
        return patterns.row_runs()
    return None


def summed(patterns: Pieces, sums: BlockSums) -> Iterator[Piece]:
    """Read patterns piece by piece, sum each, and yield it for further use.

    Parameters
    ----------
    patterns : Pieces
    sums : BlockSums
        Takes each piece before it is yielded.

    Yields
    ------
    slice, ndarray
        As iterating over `patterns` does.

    Raises
    ------
    ChunkReadError
    """
    runs = _runs_of(patterns) if sums.is_small and sums.has_fused else None
    if runs is None:
        yield from _summed_apart(patterns, sums)
        return
    done = 0
    with patterns.held():
        for run in runs:
            if run.stride % run.stored.itemsize:
                # Headers of an odd length: values of frames do not line up.
                yield from _summed_apart(patterns, sums)
                return
            for part in _parts(run, patterns.shape):
                at = slice(done, done + part.n)
                yield at, _read_and_sum(part, at, patterns, sums)
                done = at.stop


def _summed_apart(patterns: Pieces, sums: BlockSums) -> Iterator[Piece]:
    """Read each piece, and sum it by calls of its own."""
    for at, piece in patterns:
        sums.add(at, piece)
        yield at, piece


def _parts(run: RowRun, shape: Shape4) -> Iterator[RowRun]:
    """Cut frames that follow one another into pieces."""
    most = max(1, PIECE_BYTES // (shape[2] * shape[3] * run.stored.itemsize))
    for first in range(0, run.n, most):
        offset, n = run.offset + first * run.stride, min(most, run.n - first)
        yield RowRun(n, run.number, offset, run.stride, run.stored)


def _read_and_sum(
    run: RowRun, at: slice, patterns: Pieces, sums: BlockSums
) -> Patterns:
    from brickfield.stem4d.summing import fused

    _, _, rows, columns = patterns.shape
    stored, frame_bytes = run.stored, rows * columns * run.stored.itemsize
    memory = _ROWS.take((run.n * run.stride,), np.uint8)
    memory = memory[: (run.n - 1) * run.stride + frame_bytes]
    values = memory.view(stored.newbyteorder("="))
    place = (run.number, run.offset, patterns_at_once(run.stride))
    layout = (run.n, rows, columns, run.stride // stored.itemsize)
    with sums.fused(at, values.dtype) as (what, sides, over):
        kind = (what, not stored.isnative)
        buffers = (memory, values)
        n = fused.read_and_sum(place, buffers, layout, kind, sides, over)
        if n < run.n:
            # Read the ordinary way to learn why, the file's end or an error.
            patterns.whole()
            msg = "expected whole patterns; found a read that ended early: try again"
            raise ChunkReadError(msg, is_transient=True)
    strides = (run.stride, columns * stored.itemsize, stored.itemsize)
    piece: Patterns = np.ndarray(
        (run.n, rows, columns), stored, memory, strides=strides
    )
    sums.add_squares(piece)
    return piece


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
