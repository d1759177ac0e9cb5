"""MIB files that a detector still writes to.

Whole frames count as soon as they are in the file. A file that was given its size
beforehand has zeros where frames are to come: there the frame that was begun last
does not count before the next one begins.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.errors import OptionError, StoreFormatError
from brickfield.sources.io.plain_files import open_regular
from brickfield.sources.mib.files import MIBFiles, find_files
from brickfield.sources.mib.header import MAGIC
from brickfield.sources.scans.frame_files import (
    FileFrames,
    FrameFile,
    FrameLayout,
    RowRun,
)
from brickfield.sources.scans.scan_shape import ScanOptions


class GrowingFrames(FileFrames):
    """Frames of an acquisition that goes on; those to come read as 0.

    Reads are safe in threads; :meth:`refresh` is called from one.

    Parameters
    ----------
    path : Path
        One file of it.
    found : MIBFiles
        What there is now.
    layout : FrameLayout
    options : ScanOptions or None
        The scan's shape, where the user gives it.
    this_file_only : bool

    Raises
    ------
    OptionError
        If nothing says how many frames there will be.

    Attributes
    ----------
    n_frames : int
        When the acquisition is over.
    n_written : int
        Whole frames up to the last :meth:`refresh`.
    """

    def __init__(
        self,
        path: Path,
        found: MIBFiles,
        layout: FrameLayout,
        options: ScanOptions | None,
        this_file_only: bool,
    ) -> None:
        super().__init__(found.files, layout)
        self._path, self._this_file_only = path, this_file_only
        self.n_written = 0
        self.n_frames = _n_planned(found, options)
        self._take(found)

    def refresh(self) -> int:
        """Look for frames that were written meanwhile.

        Returns
        -------
        int
            Whole frames that there are now.

        Raises
        ------
        StoreFormatError
            If there are fewer than before.
        StoreNotFoundError, StoreAccessError
        """
        self._take(find_files(self._path, this_file_only=self._this_file_only))
        return self.n_written

    def _take(self, found: MIBFiles) -> None:
        files, layout = found.files, self.layout
        n = sum(file.n_frames for file in files[:-1])
        n += _n_begun(files[-1], layout)
        if n < self.n_written:
            msg = (
                f"expected {self._path} to grow; found {n} frames after"
                f" {self.n_written}: it was written anew, open it again"
            )
            raise StoreFormatError(msg)
        whole = FileFrames(files, layout)
        self.files, self._starts = whole.files, whole._starts
        self.n_written = min(n, self.n_frames)

    def view(self, start: int, stop: int, buffers: ThreadBuffers) -> NDArray[Any]:
        """Read frames, shape (stop - start, rows, columns).

        Parameters
        ----------
        start : int
            First frame.
        stop : int
            The one after the last frame; frames that are not written yet are 0.
        buffers : ThreadBuffers
            Memory of this thread that is used again.
        """
        there = max(min(stop, self.n_written) - start, 0)
        if there == stop - start:
            return super().view(start, stop, buffers)
        whole = np.zeros((stop - start, *self.frame_shape), self.dtype)
        if there:
            whole[:there] = super().view(start, start + there, buffers)
        return whole

    def view_rows(
        self, start: int, stop: int, rows: slice, buffers: ThreadBuffers
    ) -> NDArray[Any]:
        """Read some rows of frames, shape (stop - start, number of rows, columns)."""
        return self.view(start, stop, buffers)[:, rows]

    def row_runs(self, start: int, stop: int, rows: slice) -> Iterator[RowRun] | None:
        """Say where some rows of frames lie; None where some are not written yet."""
        if stop > self.n_written:
            return None
        return super().row_runs(start, stop, rows)


def _n_planned(found: MIBFiles, options: ScanOptions | None) -> int:
    about = found.acquisition
    first = (options.skip_frames if options else None) or 0
    skip = (options.line_skip if options else None) or 0
    shape = options.shape if options else None
    if shape is None and about.scan_y and about.scan_x:
        shape = (about.scan_y, about.scan_x)
    if shape is not None:
        return first + shape[0] * (shape[1] + skip) - skip
    if about.n_frames:
        return about.n_frames
    msg = (
        "expected the shape of a scan that is still written; found nothing that says"
        " it: give --scan NYxNX"
    )
    raise OptionError(msg)


def _n_begun(file: FrameFile, layout: FrameLayout) -> int:
    """Return how many frames of a file are written, whole."""
    with open_regular(file.path) as opened:

        def is_empty(number: int) -> bool:
            at = file.offset + number * layout.stride
            return os.pread(opened.fileno(), len(MAGIC), at) != MAGIC

        n = file.n_frames
        if not is_empty(n - 1):
            return n
        return max(bisect_left(range(n), True, key=is_empty) - 1, 0)
