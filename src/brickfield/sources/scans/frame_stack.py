"""Consecutive frames, and the scan they make up.

A :class:`ScanGrid` says which frame belongs to which position of the scan.

Axes are (scan y, scan x, detector y, detector x) everywhere: detector rows in the
order of the file, the first on top.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import OptionError
from brickfield.sources.scans.frame_files import RowRun

Shape4 = tuple[int, int, int, int]


@runtime_checkable
class ScanData(Protocol):
    """A scan of patterns that lies in files. All methods from any thread.

    Attributes
    ----------
    shape : tuple of int
        (scan y, scan x, detector y, detector x).
    dtype : numpy.dtype
        As :meth:`read` returns it, native byte order.
    block : tuple of int
        Scan positions (y, x) that are best read together.
    stored_frame_bytes : int
        Bytes read of the files for one pattern, about.
    """

    @property
    def shape(self) -> Shape4: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[np.generic]: ...  # noqa: D102

    @property
    def block(self) -> tuple[int, int]: ...  # noqa: D102

    @property
    def stored_frame_bytes(self) -> int: ...  # noqa: D102

    def view(self, ys: slice, xs: slice, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read the patterns of a rectangle of the scan, without needless copies.

        Parameters
        ----------
        ys, xs : slice
            Start and stop given, within the scan.
        buffers : ThreadBuffers
            Memory of this thread.

        Returns
        -------
        ndarray, shape (n y, n x, detector y, detector x)
            Of any byte order and strides, read-only for the caller; valid until the
            same thread uses `buffers` again.

        Raises
        ------
        ChunkReadError
        """
        ...

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        ...

    def close(self) -> None:
        """Give files back."""
        ...


@runtime_checkable
class FrameStack(Protocol):
    """Consecutive frames. All methods from any thread.

    Attributes
    ----------
    n_frames : int
    frame_shape : tuple of int
        Rows and columns.
    dtype : numpy.dtype
        Native byte order.
    stored_frame_bytes : int
    """

    @property
    def n_frames(self) -> int: ...  # noqa: D102

    @property
    def frame_shape(self) -> tuple[int, int]: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[np.generic]: ...  # noqa: D102

    @property
    def stored_frame_bytes(self) -> int: ...  # noqa: D102

    def view(self, start: int, stop: int, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read frames, shape (stop - start, rows, columns); see `ScanData.view`.

        Parameters
        ----------
        start : int
            First frame.
        stop : int
            The one after the last frame.
        buffers : ThreadBuffers
            Memory of this thread that is used again.
        """
        ...

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        ...

    def close(self) -> None:
        """Give files back."""
        ...


@dataclass(frozen=True, slots=True)
class ScanGrid:
    """Which frame belongs to which position of a scan.

    Attributes
    ----------
    ny, nx : int
        Lines, and positions along a line.
    first : int
        Frames in front of the first position.
    line_skip : int
        Frames between the end of a line and the next one's beginning.
    """

    ny: int
    nx: int
    first: int = 0
    line_skip: int = 0

    @property
    def n_needed(self) -> int:
        """Frames from the first of the file to the last position's."""
        return self.first + self.ny * (self.nx + self.line_skip) - self.line_skip

    def frame_number(self, y: int, x: int) -> int:
        """Return the number of a position's frame, from 0.

        Parameters
        ----------
        y : int
            Row of the scan.
        x : int
            Column of the scan.
        """
        return self.first + y * (self.nx + self.line_skip) + x


class FrameScan:
    """A scan whose patterns are frames of files; safe in threads.

    Parameters
    ----------
    frames : FrameStack
    grid : ScanGrid

    Raises
    ------
    OptionError
        If the scan needs more frames than there are.
    """

    block = (1, 1)

    def __init__(self, frames: FrameStack, grid: ScanGrid) -> None:
        if grid.ny < 1 or grid.nx < 1 or grid.first < 0 or grid.line_skip < 0:
            msg = (
                "expected a scan of one position or more, and no negative number of"
                f" frames to skip; found {grid.ny}x{grid.nx}, {grid.first} and"
                f" {grid.line_skip}"
            )
            raise OptionError(msg)
        if grid.n_needed > frames.n_frames:
            msg = (
                f"expected at least {grid.n_needed} frames for a scan of"
                f" {grid.ny}x{grid.nx} with {grid.first} frames skipped and"
                f" {grid.line_skip} after each line; found {frames.n_frames}: give a"
                " smaller --scan"
            )
            raise OptionError(msg)
        self.frames, self.grid = frames, grid
        self.shape: Shape4 = (grid.ny, grid.nx, *frames.frame_shape)
        self.dtype = frames.dtype
        self.stored_frame_bytes = frames.stored_frame_bytes

    def held(self) -> AbstractContextManager[None]:
        """Keep files that this thread reads open until the end of the block."""
        held = getattr(self.frames, "held", nullcontext)
        return held()

    def view(self, ys: slice, xs: slice, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read the patterns of a rectangle of the scan; see :class:`ScanData`.

        Parameters
        ----------
        ys : slice
            Rows of the scan.
        xs : slice
            Columns of the scan.
        buffers : ThreadBuffers
            Memory of this thread that is used again.

        Returns
        -------
        ndarray, shape (n_y, n_x, rows, columns)
        """
        grid, frames = self.grid, self.frames
        n_y, n_x = ys.stop - ys.start, xs.stop - xs.start
        is_whole = n_x == grid.nx and not grid.line_skip
        if is_whole or n_y == 1:
            first = grid.frame_number(ys.start, xs.start)
            found = frames.view(first, first + n_y * n_x, buffers)
            return found.reshape(n_y, n_x, *found.shape[1:])  # still a view
        whole = np.empty((n_y, n_x, *self.shape[2:]), self.dtype)
        for row, y in zip(whole, range(ys.start, ys.stop), strict=True):
            first = grid.frame_number(y, xs.start)
            row[...] = frames.view(first, first + n_x, buffers)
        return whole

    def view_rows(
        self, ys: slice, xs: slice, rows: slice, buffers: ThreadBuffers
    ) -> NDArray[Any]:
        """Read some rows, shape (n y, n x, number of rows, detector x)."""
        grid, read = self.grid, getattr(self.frames, "view_rows", None)
        n_y, n_x = ys.stop - ys.start, xs.stop - xs.start
        is_whole = n_x == grid.nx and not grid.line_skip
        if read is None or not (is_whole or n_y == 1):
            return self.view(ys, xs, buffers)[:, :, rows]
        first = grid.frame_number(ys.start, xs.start)
        found = read(first, first + n_y * n_x, rows, buffers)
        return np.asarray(found.reshape(n_y, n_x, *found.shape[1:]))

    def row_runs(self, ys: slice, xs: slice, rows: slice) -> Iterator[RowRun] | None:
        """Say where some rows of the patterns of a rectangle lie, line by line.

        Parameters
        ----------
        ys, xs : slice
            Rows and columns of the scan.
        rows : slice
            Detector rows, start and stop given.

        Returns
        -------
        iterator of RowRun, or None
            As :meth:`FileFrames.row_runs` returns them.
        """
        grid, read = self.grid, getattr(self.frames, "row_runs", None)
        if read is None:
            return None
        n_y, n_x = ys.stop - ys.start, xs.stop - xs.start
        is_whole = n_x == grid.nx and not grid.line_skip
        lines = [ys.start] if is_whole else list(range(ys.start, ys.stop))
        n = n_y * n_x if is_whole else n_x
        starts = [grid.frame_number(y, xs.start) for y in lines]
        runs = [read(start, start + n, rows) for start in starts]
        return None if None in runs else chain.from_iterable(runs)

    def places(self) -> tuple[Path, ...]:
        """Return the files that are read, absolute."""
        return self.frames.places()

    def close(self) -> None:
        """Give files back."""
        self.frames.close()
