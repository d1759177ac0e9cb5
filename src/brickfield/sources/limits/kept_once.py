"""What is read once and kept in bounded memory: indices of shards, whole objects.

Threads that ask for the same key at the same time wait for one read; those that ask
for others are not held up by it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class KeptOnce(Generic[Key, Value]):
    """Values by key, the least recently used dropped first. Any thread may call it.

    Parameters
    ----------
    read : callable
        Key to the value, the bytes read for it, and the requests sent for it.
    n_bytes_of : callable
        Memory that a value takes.
    most_bytes : int
        Memory of all that is kept; the newest is kept whatever it takes.
    """

    def __init__(
        self,
        read: Callable[[Key], tuple[Value, int, int]],
        n_bytes_of: Callable[[Value], int],
        most_bytes: int,
    ) -> None:
        self._read = read
        self._n_bytes_of = n_bytes_of
        self._most = most_bytes
        self._lock = threading.Lock()
        self._reading: dict[Key, threading.Lock] = {}
        self._kept: OrderedDict[Key, Value] = OrderedDict()

    def get(self, key: Key) -> tuple[Value, int, int]:
        """Return a value, with the bytes and requests that it cost now: 0 when kept.

        What the read raises is raised here, and nothing is kept then.

        Parameters
        ----------
        key : Key
        """
        with self._lock:
            own = self._reading.setdefault(key, threading.Lock())
        with own:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key], 0, 0
            value, n_bytes, n_requests = self._read(key)
            with self._lock:
                self._kept[key] = value
                while len(self._kept) > 1 and self._n_bytes() > self._most:
                    self._kept.popitem(last=False)
                self._reading.pop(key, None)
        return value, n_bytes, n_requests

    def _n_bytes(self) -> int:
        return sum(self._n_bytes_of(value) for value in self._kept.values())
