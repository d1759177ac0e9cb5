"""Tells readers how far a stream is: lengths of arrays, frames on disk, new voxels.

Order of what readers meet: voxels, then lengths, then the number of frames. So no
reader is told of what is not on disk.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from time import monotonic

from brickfield.blockwise import Slices
from brickfield.streaming.acquisition import publish_progress, put_progress
from brickfield.streaming.arrays import StreamArray
from brickfield.writing.metadata import Group

logger = logging.getLogger(__name__)
LEAST_PAUSE_S = 0.02
"""Between two turns of metadata."""
WrittenRegion = tuple[int, Slices]


class Growth:
    """Publishes metadata, and then reports what was written.

    Any thread may call it.

    Parameters
    ----------
    group : Group
        Metadata of the image.
    arrays : sequence of StreamArray
        All levels.
    tell : callable
        Told (level, region) of voxels that readers find from now on.
    grows : bool
    """

    def __init__(
        self,
        group: Group,
        arrays: Sequence[StreamArray],
        tell: Callable[[int, Slices], None],
        *,
        grows: bool,
    ) -> None:
        self._group = group
        self._arrays = arrays
        self._tell = tell
        self._grows = grows
        self._lock = threading.RLock()
        self._written: list[WrittenRegion] = []
        self._frames = -1
        self._last = 0.0

    def add(self, level: int, region: Slices) -> None:
        """Record voxels that are on disk.

        Parameters
        ----------
        level : int
        region : Slices
            One slice per axis.
        """
        with self._lock:
            self._written.append((level, region))

    def publish(self, frames: int, *, length: int = 0, is_last_word: bool) -> None:
        """Bring metadata up to date and report what was written.

        Parameters
        ----------
        frames : int
            On disk from the first on.
        length : int
            Least length of a first axis that grows.
        is_last_word : bool
            Whether to do so though it was done a moment ago.
        """
        with self._lock:
            if not is_last_word and monotonic() < self._last + LEAST_PAUSE_S:
                return
            written, self._written = self._written, []
            # Lengths before the count: no reader is told of frames past an array's end.
            if self._grows:
                ends = [region[0].stop for _, region in written]
                self._lengthen(max([length, *ends], default=0))
            # Threads come here with what they knew a moment ago.
            if frames > self._frames:
                put_progress(self._group, frames, is_complete=False)
                publish_progress(self._group)
                self._frames = frames
            self._last = monotonic()
        # Without the lock: a listener may call the writer, which comes back here.
        for level, region in written:
            try:
                self._tell(level, region)
            except Exception:
                logger.exception("a listener of a stream failed")

    def _lengthen(self, n: int) -> None:
        # The finest last: readers cut coarser levels that are longer.
        for array in reversed(self._arrays):
            if n > array.length:
                array.set_length(n)

    def complete(self, frames: int, length: int | None) -> None:
        """Write that the acquisition is over.

        Parameters
        ----------
        frames : int
            That are on disk.
        length : int or None
            Of the first axis; None if it did not grow.
        """
        with self._lock:
            if self._grows and length is not None:
                for array in self._arrays:
                    array.set_length(length)
            put_progress(self._group, frames, is_complete=True)
            self._group.publish()
