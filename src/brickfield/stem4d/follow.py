"""A scan that is still written: its overview is filled on as frames come.

Every frame is read once. Nothing is kept with the file before all of it is there.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers, parse_bytes
from brickfield.errors import OptionError
from brickfield.sources.io import local_path
from brickfield.sources.scans import Scan, ScanOptions
from brickfield.stem4d.corrections import CorrectionOptions, Corrections
from brickfield.stem4d.open import MIB, OpenOptions, open_scan
from brickfield.stem4d.passes import DEFAULT_BUDGET, FIRST_BLOCK_BYTES
from brickfield.stem4d.reductions import fold
from brickfield.stem4d.summing.sums import BlockSums, sum_dtype

POLL_S = 0.5


class ScanFollower:
    """Follows a MIB acquisition; used by one thread.

    Parameters
    ----------
    path : str or Path
    options : ScanOptions, optional
        The scan's shape, unless the acquisition's description says it.
    budget : str or int
        Memory for reading.
    this_file_only : bool
    corrections : CorrectionOptions, optional
        Laid over the patterns; dead pixels are not looked for before all are there.

    Raises
    ------
    OptionError
        If it is no MIB file, or nothing says how many frames there will be.
    StoreNotFoundError, StoreAccessError, StoreFormatError

    Attributes
    ----------
    opened : Scan
        Patterns that are not written yet are 0.
    image : ndarray, shape (scan y, scan x)
        Every pattern summed; 0 where none is yet.
    total, highest : ndarray, shape (detector y, detector x)
        Sum and maximum of the patterns so far.
    n_read : int
        Frames so far.
    n_patterns : int
        Those of them that belong to a position.
    """

    def __init__(
        self,
        path: str | Path,
        options: ScanOptions | None = None,
        *,
        budget: str | int = DEFAULT_BUDGET,
        this_file_only: bool = False,
        corrections: CorrectionOptions | None = None,
    ) -> None:
        where = local_path(path)
        if where.suffix.lower() not in MIB:
            msg = f"expected a .mib file to follow; found {path}"
            raise OptionError(msg)
        how = OpenOptions(
            options or ScanOptions(),
            this_file_only=this_file_only,
            is_growing=True,
            corrections=corrections or CorrectionOptions(),
        )
        self.opened: Scan = open_scan(where, how)
        data: Any = self.opened.data
        self._corrections: Corrections | None = getattr(data, "corrections", None)
        self._frames: Any = getattr(data, "inner", data).frames
        self._most_bytes = min(FIRST_BLOCK_BYTES, parse_bytes(budget) // 2)
        self._buffers = ThreadBuffers()
        kind = sum_dtype(data.dtype)
        self.image: NDArray[Any] = np.zeros(data.shape[:2], kind)
        self.total: NDArray[Any] = np.zeros(data.shape[2:], kind)
        self.highest: NDArray[Any] = np.zeros(data.shape[2:], data.dtype)
        self.n_read = self.n_patterns = 0

    @property
    def is_complete(self) -> bool:
        """Whether all frames of the scan were read."""
        return bool(self.n_read >= min(self._n_needed, self._frames.n_frames))

    @property
    def _n_needed(self) -> int:
        return self.opened.shape_found.grid.n_needed

    def poll(self, cancel: Event | None = None) -> int:
        """Read the frames that came since the last time.

        Parameters
        ----------
        cancel : Event, optional
            Looked at between pieces.

        Returns
        -------
        int
            How many.

        Raises
        ------
        StoreFormatError
            If the file shrank.
        ChunkReadError
        """
        before = self.n_read
        stop = min(self._frames.refresh(), self._n_needed)
        step = max(1, self._most_bytes // self._frames.stored_frame_bytes)
        while self.n_read < stop and not (cancel is not None and cancel.is_set()):
            last = min(self.n_read + step, stop)
            self._add(self.n_read, last)
            self.n_read = last
        return self.n_read - before

    def _add(self, start: int, stop: int) -> None:
        grid = self.opened.shape_found.grid
        numbers = np.arange(start, stop) - grid.first
        ys, xs = np.divmod(numbers, grid.nx + grid.line_skip)
        counts = (numbers >= 0) & (xs < grid.nx)
        patterns = self._frames.view(start, stop, self._buffers)
        if not counts.all():
            patterns = patterns[counts]
        if not len(patterns):
            return
        if self._corrections is not None:
            read = patterns
            patterns = np.empty(read.shape, self.opened.data.dtype)
            self._corrections.apply(read, patterns)
        found = BlockSums.of(patterns, ("scan", "sum", "max"))
        self.image[ys[counts], xs[counts]] = found["scan"]
        self.total = fold("sum", self.total, found["sum"])
        if not self.n_patterns:  # also below 0
            self.highest = found["max"]
        self.highest = fold("max", self.highest, found["max"])
        self.n_patterns += len(patterns)

    def run(
        self,
        told: Callable[[ScanFollower], None] | None = None,
        cancel: Event | None = None,
        *,
        poll_s: float = POLL_S,
        idle_s: float | None = None,
    ) -> bool:
        """Follow until all frames are there.

        Parameters
        ----------
        told : callable, optional
            Called with this after each time that frames came.
        cancel : Event, optional
        poll_s : float
            Seconds between two looks.
        idle_s : float, optional
            Give up when no frame came for so long.

        Returns
        -------
        bool
            Whether the scan is complete.
        """
        cancel = cancel or Event()
        last = monotonic()
        while True:
            if self.poll(cancel):
                last = monotonic()
                if told is not None:
                    told(self)
            is_over = self.is_complete or cancel.is_set()
            if is_over or (idle_s is not None and monotonic() - last >= idle_s):
                return self.is_complete
            cancel.wait(poll_s)

    def close(self) -> None:
        """Give files back."""
        self.opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
