"""Bytes from servers that may be in memory at once, whatever the number of threads.

Each reader keeps to a limit of its own, but sixteen of them do not fit together. So
they share two gates: one for stored bytes, from before the body is taken until it is
decoded, and one for voxels while they are decoded. A thread with room behind the second
waits for nothing else, so that the queue always moves. What is larger than a gate
goes through it alone.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

LOOK_S = 0.25
BODIES_BYTES = 48 << 20
DECODED_BYTES = 64 << 20
TRIMMED_BYTES = 4 << 20
"""Smaller bodies cannot fill the heaps of all threads."""


class Gate:
    """Limits the bytes in use at once, first come first served. Any thread may call.

    Parameters
    ----------
    most_bytes : int
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self.clear()

    def clear(self) -> None:
        """Forget all holders and waiters."""
        self._free = threading.Condition()
        self._line: deque[object] = deque()
        self._taken = 0

    @property
    def taken_bytes(self) -> int:
        """Bytes that are held now."""
        return self._taken

    @property
    def n_waiting(self) -> int:
        """How many wait for room now."""
        return len(self._line)

    def take(self, n_bytes: int, is_wanted: Callable[[], bool]) -> bool:
        """Wait for room, which must be returned with :meth:`give`.

        Parameters
        ----------
        n_bytes : int
        is_wanted : callable
            Asked a few times a second.

        Returns
        -------
        bool
            Whether there is room; False when it was not wanted any more.
        """
        # An object of its own per call: the same thread may wait twice, one after the
        # other.
        ticket = object()
        with self._free:
            self._line.append(ticket)
            try:
                while not self._is_next(ticket, n_bytes):
                    if not is_wanted():
                        return False
                    # With a time limit, since nothing notifies when a read is no longer
                    # wanted.
                    self._free.wait(LOOK_S)
                self._taken += n_bytes
            finally:
                self._line.remove(ticket)
                self._free.notify_all()
        return True

    def _is_next(self, ticket: object, n_bytes: int) -> bool:
        # Something larger than the gate passes when it is alone, or it would wait for
        # ever.
        has_room = not self._taken or self._taken + n_bytes <= self._most
        # Strictly in order: small requests passing large ones would starve those.
        return self._line[0] is ticket and has_room

    def give(self, n_bytes: int) -> None:
        """Give room back."""
        if n_bytes:
            with self._free:
                self._taken -= n_bytes
                self._free.notify_all()

    @contextmanager
    def room(self, n_bytes: int) -> Iterator[None]:
        """Hold room for a while."""
        self.take(n_bytes, lambda: True)
        try:
            yield
        finally:
            self.give(n_bytes)


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], int] | None:
    # Of the GNU library alone; other heaps give memory back by themselves.
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)


def give_back_heap(n_bytes: int) -> None:
    """Return free memory of the heaps to the system, before a number of bytes come.

    What threads take in turn stays in a heap of each of them: sixteen would keep
    sixteen bodies that only one had at a time.
    """
    trim = _trim() if n_bytes > TRIMMED_BYTES else None
    if trim is not None:
        trim(0)


BODIES = Gate(BODIES_BYTES)
"""Of stored bytes that come over HTTP."""
DECODED = Gate(DECODED_BYTES)
"""Of voxels that are decoded from such bytes."""
