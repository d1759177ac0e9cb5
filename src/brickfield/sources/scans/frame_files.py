"""Frames of equal size that follow one another in files.

:class:`FileFrames` is what Merlin, EMPAD and flat files have in common: frames at a
constant distance, in one file or several. Reads are by position into memory that a
thread uses again (:class:`~brickfield.blockwise.buffers.ThreadBuffers`), so the peak
is known beforehand, and a file that was cut off meanwhile is an error rather than
the end of the process.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import ChunkReadError
from brickfield.sources.arrays.stored import native
from brickfield.sources.io.plain_files import open_regular
from brickfield.sources.scans.held_file import HeldFile

Decode = Callable[[NDArray[np.uint8]], NDArray[Any]]
"""Stored frames, shape (n, bytes), to pictures, shape (n, rows, columns)."""
MOST_ROWS = 0.6
"""Share of a frame's bytes beyond which rows are not read by themselves."""


@dataclass(frozen=True, slots=True)
class FrameFile:
    """One file of frames.

    Attributes
    ----------
    path : Path
    offset : int
        Byte at which the first frame, or its header, begins.
    n_frames : int
    identity : tuple of int or None
        Device and number of the file that `offset` is valid for; any if None.
    """

    path: Path
    offset: int
    n_frames: int
    identity: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class FrameLayout:
    """How a frame lies in its file.

    Attributes
    ----------
    shape : tuple of int
        Rows and columns of the picture, pixels.
    stored : numpy.dtype
        Of a pixel in the file, with its byte order.
    header_bytes : int
        In front of every frame.
    picture_bytes : int
        Of a frame without header; more than the picture's where a format stores
        further rows after it.
    decode : callable or None
        Where pixels are not simply stored.
    """

    shape: tuple[int, int]
    stored: np.dtype[np.generic]
    header_bytes: int = 0
    picture_bytes: int = 0
    decode: Decode | None = None

    @property
    def stride(self) -> int:
        """Bytes from one frame to the next."""
        return self.header_bytes + self.picture_bytes

    @classmethod
    def plain(
        cls, shape: tuple[int, int], stored: np.dtype[np.generic], further_rows: int = 0
    ) -> FrameLayout:
        """Make the layout of frames without headers, optionally with further rows after each.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns of a pattern.
        stored : np.dtype
            Data type in the file.
        further_rows : int
            Rows after each pattern that belong to no pattern.
        """
        n_bytes = (shape[0] + further_rows) * shape[1] * stored.itemsize
        return cls(shape, stored, 0, n_bytes)


@dataclass(frozen=True, slots=True)
class RowRun:
    """The same rows of frames that follow one another in a file that is open.

    Attributes
    ----------
    n : int
        Frames.
    number : int
        Of the open file.
    offset : int
        Byte at which the rows of the first frame begin.
    stride : int
        Bytes from one frame to the next.
    stored : numpy.dtype
        Of a pixel, with its byte order.
    """

    n: int
    number: int
    offset: int
    stride: int
    stored: np.dtype[np.generic]


class FileFrames:
    """Frames at a constant distance, in one file or several; safe in threads.

    Parameters
    ----------
    files : sequence of FrameFile
        In the order of their frames.
    layout : FrameLayout
    """

    def __init__(self, files: Sequence[FrameFile], layout: FrameLayout) -> None:
        self.files = tuple(files)
        self.layout = layout
        self._starts = list(accumulate((f.n_frames for f in files), initial=0))
        self.n_frames = self._starts[-1]
        self.dtype: np.dtype[np.generic] = native(layout.stored)
        self.frame_shape = layout.shape
        self.stored_frame_bytes = layout.stride
        self._held = HeldFile()

    def held(self) -> AbstractContextManager[None]:
        """Keep the file that this thread reads open until the end of the block."""
        return self._held.keep()

    def _place_of(self, number: int) -> tuple[FrameFile, int, int]:
        """Return a frame's file, the byte it begins at, and the file's frames after."""
        which = bisect_right(self._starts, number) - 1
        file, within = self.files[which], number - self._starts[which]
        return file, file.offset + within * self.layout.stride, file.n_frames - within

    def read_bytes(self, number: int, n_bytes: int) -> bytes:
        """Read the first bytes of a frame, header included; fewer at a file's end.

        Parameters
        ----------
        number : int
            Of the frame, from 0.
        n_bytes : int
            From the beginning of its header.
        """
        file, offset, _ = self._place_of(number)
        with open_regular(file.path) as opened:
            return os.pread(opened.fileno(), n_bytes, offset)

    def view(self, start: int, stop: int, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read consecutive frames.

        Parameters
        ----------
        start, stop : int
            Frame numbers.
        buffers : ThreadBuffers

        Returns
        -------
        ndarray, shape (stop - start, rows, columns)
            As :meth:`ScanData.view` says.

        Raises
        ------
        ChunkReadError
            If a file cannot be read or ends before the frames do.
        """
        layout = self.layout
        stored = buffers.take((stop - start, layout.stride), np.uint8)
        done = start
        while done < stop:
            file, offset, n_left = self._place_of(done)
            n = min(stop - done, n_left)
            self._fill(file, offset, stored[done - start : done - start + n])
            done += n
        pixels = stored[:, layout.header_bytes :]
        if layout.decode is not None:
            return layout.decode(pixels)
        rows, columns = layout.shape
        n_used = rows * columns * layout.stored.itemsize
        return pixels[:, :n_used].view(layout.stored).reshape(-1, rows, columns)

    def view_rows(
        self, start: int, stop: int, rows: slice, buffers: ThreadBuffers
    ) -> NDArray[Any]:
        """Read some rows of frames; no others, where these are few.

        Parameters
        ----------
        start, stop : int
            Frame numbers.
        rows : slice
            Detector rows, start and stop given.
        buffers : ThreadBuffers

        Returns
        -------
        ndarray, shape (stop - start, number of rows, columns)

        Raises
        ------
        ChunkReadError
        """
        layout, n = self.layout, rows.stop - rows.start
        row_bytes = layout.shape[1] * layout.stored.itemsize
        if layout.decode is not None or n * row_bytes > layout.stride * MOST_ROWS:
            return self.view(start, stop, buffers)[:, rows]
        stored = buffers.take((stop - start, n, layout.shape[1]), layout.stored)
        within = layout.header_bytes + rows.start * row_bytes
        done = start
        while done < stop:
            file, offset, n_left = self._place_of(done)
            last = min(stop, done + n_left)
            part = stored[done - start : last - start].view(np.uint8)
            self._fill_each(file, offset + within, part)
            done = last
        return stored

    def row_runs(self, start: int, stop: int, rows: slice) -> Iterator[RowRun] | None:
        """Say where some rows of frames lie, for those who read them by themselves.

        Parameters
        ----------
        start, stop : int
            Frame numbers.
        rows : slice
            Detector rows, start and stop given.

        Returns
        -------
        iterator of RowRun, or None
            Each with its file open until the next is asked for; None where pixels
            are not simply stored.

        Raises
        ------
        ChunkReadError
            While iterating, if a file cannot be opened.
        """
        if self.layout.decode is not None:
            return None
        return self._row_runs(start, stop, rows)

    def _row_runs(self, start: int, stop: int, rows: slice) -> Iterator[RowRun]:
        layout = self.layout
        row_bytes = layout.shape[1] * layout.stored.itemsize
        within = layout.header_bytes + rows.start * row_bytes
        while start < stop:
            file, offset, n_left = self._place_of(start)
            n, at = min(stop - start, n_left), offset + within
            with self._held.opened(file.path, file.identity) as number:
                yield RowRun(n, number, at, layout.stride, layout.stored)
            start += n

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        return tuple(dict.fromkeys(f.path.absolute() for f in self.files))

    def close(self) -> None:
        """Nothing is kept open."""

    def _fill(self, file: FrameFile, offset: int, into: NDArray[np.uint8]) -> None:
        with self._held.opened(file.path, file.identity) as number:
            _fill_from(number, file.path, offset, into.reshape(-1).data)

    def _fill_each(self, file: FrameFile, offset: int, into: NDArray[np.uint8]) -> None:
        """Fill the same part of frames that follow one another, one read for each."""
        whole, stride = into.reshape(-1).data, self.layout.stride
        n_bytes = len(whole) // len(into)
        with self._held.opened(file.path, file.identity) as number:
            for i in range(len(into)):
                part, at = whole[i * n_bytes : (i + 1) * n_bytes], offset + i * stride
                # The reads are short: as little as can be is done between them.
                if os.preadv(number, [part], at) != n_bytes:
                    _fill_from(number, file.path, at, part)


def _fill_from(number: int, path: Path, offset: int, view: memoryview) -> None:
    done = 0
    while done < len(view):
        n = os.preadv(number, [view[done:]], offset + done)
        if not n:
            msg = (
                f"expected {len(view)} bytes of frames at byte {offset} of"
                f" {path}; the file ends after {done}: it was cut off"
            )
            raise ChunkReadError(msg, key=path.name)
        done += n
