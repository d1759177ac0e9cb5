"""Patterns of a block, piece by piece while they are in the processor's cache.

A piece is read into memory that its thread uses again and worked on before the next
is read: patterns come from the file to the processor once, and a block may be as large
as scheduling likes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.sources.scans import RowRun, ScanData, Shape4

Patterns = NDArray[Any]
Region = tuple[slice, slice]
Piece = tuple[slice, Patterns]
PIECE_BYTES = 4 << 20
"""Of patterns that are worked on together. Larger pieces leave the processor's caches;
with smaller ones, threads wait for each other more often than they work."""
_NATIVE = ThreadBuffers()


class Pieces:
    """The patterns of a rectangle of a scan; iterating reads them piece by piece.

    Parameters
    ----------
    data : ScanData
    region : tuple of slice
        Rows and columns of the scan, starts and stops given.
    buffers : ThreadBuffers
        Memory for what is read.

    Attributes
    ----------
    shape : tuple of int
        (n y, n x, detector y, detector x).
    dtype : numpy.dtype
        Native byte order.
    """

    def __init__(self, data: ScanData, region: Region, buffers: ThreadBuffers) -> None:
        self._data, self._region, self._buffers = data, region, buffers
        ny, nx = (s.stop - s.start for s in region)
        self.shape: Shape4 = (ny, nx, *data.shape[2:])
        self.dtype = np.dtype(data.dtype)

    def whole(self) -> Patterns:
        """Read all patterns at once.

        Returns
        -------
        ndarray, shape (n y, n x, detector y, detector x)
            Of any byte order and strides; valid until the thread reads again.

        Raises
        ------
        ChunkReadError
        """
        return self._data.view(*self._region, self._buffers)

    def row_runs(self) -> Iterator[RowRun] | None:
        """Say where the patterns lie in files, line by line; None if that is not simple.

        Iterate over it within :meth:`held`.
        """
        runs = getattr(self._data, "row_runs", None)
        if runs is None:
            return None
        found: Iterator[RowRun] | None = runs(*self._region, slice(0, self.shape[2]))
        return found

    def held(self) -> AbstractContextManager[None]:
        """Keep files that this thread reads open until the end of the block."""
        held = getattr(self._data, "held", nullcontext)
        return held()

    def __iter__(self) -> Iterator[Piece]:
        """Yield which patterns, counted line by line, and these, shape (n, rows, columns).

        They are as they were read, of any byte order and strides, and valid until the
        next piece; see :func:`native`.
        """
        done = 0
        with self.held():
            for ys, xs in self._parts():
                read = self._data.view(ys, xs, self._buffers)
                frames = read.reshape(-1, *self.shape[2:])
                for at, piece in pieces_of(frames):
                    yield slice(done + at.start, done + at.stop), piece
                done += len(frames)

    def _parts(self) -> Iterator[Region]:
        """Cut the rectangle into what is read at once, line by line."""
        ys, xs = self._region
        n_x = xs.stop - xs.start
        each = self.shape[2] * self.shape[3] * self.dtype.itemsize
        most = max(1, PIECE_BYTES // max(each, 1))
        if tuple(self._data.block) != (1, 1):
            # Chunks of several patterns are decoded whole: not one of them twice.
            yield ys, xs
        elif n_x <= most:
            lines = most // n_x
            for y in range(ys.start, ys.stop, lines):
                yield slice(y, min(y + lines, ys.stop)), xs
        else:
            for y in range(ys.start, ys.stop):
                for x in range(xs.start, xs.stop, most):
                    yield slice(y, y + 1), slice(x, min(x + most, xs.stop))


def pieces_of(patterns: Patterns) -> Iterator[Piece]:
    """Cut patterns in memory into pieces.

    Parameters
    ----------
    patterns : ndarray, shape (n, rows, columns)

    Yields
    ------
    slice, ndarray
        Which of the patterns, and these.
    """
    each = max(patterns.shape[1] * patterns.shape[2] * patterns.dtype.itemsize, 1)
    step = max(1, PIECE_BYTES // each)
    for start in range(0, len(patterns), step):
        piece = patterns[start : start + step]
        yield slice(start, start + len(piece)), piece


def native(piece: Patterns) -> Patterns:
    """Return patterns contiguous and in the processor's byte order.

    Parameters
    ----------
    piece : ndarray, shape (n, rows, columns)

    Returns
    -------
    ndarray, same shape
        Itself if it is so; else valid until the thread asks again.
    """
    kind = piece.dtype.newbyteorder("=")
    # numpy works on foreign byte order and strided pieces through slower paths.
    if piece.dtype == kind and piece.flags.c_contiguous:
        return piece
    whole = _NATIVE.take(piece.shape, kind)
    np.copyto(whole, piece)
    return whole
