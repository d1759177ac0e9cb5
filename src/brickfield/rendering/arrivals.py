"""Chunks on the last part of their way: from the loader to one layer's textures.

Invariant: the render thread asks the loader's lock at most once for each
:data:`BATCH` chunks and waits for it at most :data:`LOCK_WAIT_S`, because a reading
thread may be put aside by the system while it holds the lock. What was taken and
found no time waits here for the next frame. Thread rule: render thread only.
"""

from __future__ import annotations

from collections import deque
from time import perf_counter

from brickfield.loading.manager import ChunkManager
from brickfield.model.requests import LoadedChunk

BATCH = 8
LOCK_WAIT_S = 0.001


class Arrivals:
    """Hands over a visual's chunks one by one, most wanted first.

    Parameters
    ----------
    visual_id : str
    """

    def __init__(self, visual_id: str) -> None:
        self._visual_id = visual_id
        self._chunks: deque[LoadedChunk] = deque()
        self.has_more = False
        """Whether the last look left something, which nobody announces again."""

    def begin(self) -> None:
        """Assume that there is something until a look finds nothing."""
        self.has_more = True

    def next(self, manager: ChunkManager) -> LoadedChunk | None:
        """Return the next chunk; None when there is none, or the loader is busy."""
        if not self._chunks:
            taken = manager.try_take_ready(self._visual_id, BATCH, wait_s=LOCK_WAIT_S)
            self.has_more = taken is None or bool(taken)
            self._chunks.extend(taken or ())
        return self._chunks.popleft() if self._chunks else None

    def clear(self) -> None:
        """Forget what was taken: the data changed."""
        self._chunks.clear()


class TimeSlice:
    """Tells whether another step fits into a slice of time; the first always does.

    Parameters
    ----------
    seconds : float
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._start = self._last = perf_counter()
        self._longest = 0.0
        self._has_begun = False

    @property
    def elapsed(self) -> float:
        """Seconds since the slice began."""
        return perf_counter() - self._start

    def __call__(self) -> bool:
        """Expect a step as long as the longest so far."""
        now = perf_counter()
        if not self._has_begun:
            self._has_begun, self._last = True, now
            return self._seconds > 0
        self._longest = max(self._longest, now - self._last)
        self._last = now
        return now - self._start + self._longest < self._seconds
