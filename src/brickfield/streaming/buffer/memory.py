"""Memory for frames, ready before they come.

The system clears a page when it is touched first. For a slab of 32 MB that takes 5 to
100 ms, which the frame that touches it would have to wait for. So the memory of the
first slab is touched when the writer is made, and that of the next ones by a thread of
its own; what was written is used again. Where even so there is none ready, a slab gets
small pages, whose costs are spread over all its frames instead of lying with its first.
"""

from __future__ import annotations

import mmap
import threading
from functools import partial

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
SPARE_SLABS = 2
"""Made ready while the first one fills."""
LEAST_WARM = 4 << 20
"""Bytes of a slab from which on its pages are worth the trouble."""


class Room:
    """Memory of a writer, bounded in bytes; used again, so that it stays warm.

    Thread rule: the writer's lock is held.

    Parameters
    ----------
    most_bytes : int

    Attributes
    ----------
    used, peak : int
        Bytes given out now, and at most so far.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self.used = 0
        self.peak = 0
        self._free: dict[int, list[Bytes]] = {}
        self._free_bytes = 0

    def take(self, n_bytes: int) -> Bytes | None:
        """Give out memory, None where there is no room."""
        if self.used + n_bytes > self.most_bytes:
            return None
        kept = self._free.get(n_bytes)
        if kept:
            found = kept.pop()
            self._free_bytes -= n_bytes
        else:
            if self.used + self._free_bytes + n_bytes > self.most_bytes:
                self._free, self._free_bytes = {}, 0
            found = _small_pages(n_bytes)
        self.used += n_bytes
        self.peak = max(self.peak, self.used)
        return found

    def release(self, memory: Bytes) -> None:
        """Take memory back."""
        self.used -= memory.nbytes
        self._keep(memory)

    def add(self, memory: Bytes) -> None:
        """Keep memory that was made elsewhere, where there is room for it."""
        if self.used + self._free_bytes + memory.nbytes <= self.most_bytes:
            self._keep(memory)

    def _keep(self, memory: Bytes) -> None:
        self._free.setdefault(memory.nbytes, []).append(memory)
        self._free_bytes += memory.nbytes


class ReadyMemory:
    """Touches memory of slabs for a :class:`Room`.

    Parameters
    ----------
    room : Room
    lock : threading.Condition
        The writer's.
    n_bytes : int
        Of a slab.
    """

    def __init__(self, room: Room, lock: threading.Condition, n_bytes: int) -> None:
        self._room, self._lock, self._n_bytes = room, lock, n_bytes

    def begin(self) -> None:
        """Have a first slab ready when this returns, and more soon."""
        n = self._room.most_bytes // self._n_bytes
        if self._n_bytes < LEAST_WARM or n < 1:
            return
        self._add()
        work = partial(self._add_spares, min(SPARE_SLABS, n - 1))
        name = "brickfield-stream-memory"
        threading.Thread(target=work, name=name, daemon=True).start()

    def _add_spares(self, n: int) -> None:
        for _ in range(n):
            self._add()

    def _add(self) -> None:
        memory = np.empty(self._n_bytes, np.uint8)
        memory.fill(0)
        with self._lock:
            self._room.add(memory)


def _small_pages(n_bytes: int) -> Bytes:
    """Return memory that is cleared page by page; numpy's own is by 2 MB at a time."""
    if n_bytes < LEAST_WARM or not hasattr(mmap, "MAP_PRIVATE"):
        return np.empty(n_bytes, np.uint8)
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, n_bytes, flags), np.uint8)
