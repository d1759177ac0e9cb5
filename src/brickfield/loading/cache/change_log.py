"""Changes of stored voxels, for all that keep copies of them.

Every keeper of voxels remembers the number of the change that it has seen last and asks
for those since, on its own thread and when it has time.
"""

from __future__ import annotations

import threading
from collections import deque

from brickfield.model.changes import ChunkChange

MOST_CHANGES = 1024
"""Changes that are remembered; a reader that missed more forgets everything."""


class ChangeLog:
    """The latest changes of one image, numbered from 1. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._changes: deque[ChunkChange] = deque(maxlen=MOST_CHANGES)
        self._version = 0

    @property
    def version(self) -> int:
        """How many changes there were."""
        return self._version

    def add(self, change: ChunkChange) -> int:
        """Note a change; return its number."""
        with self._lock:
            self._changes.append(change)
            self._version += 1
            return self._version

    def since(self, version: int) -> tuple[int, list[ChunkChange] | None]:
        """Return the number of the latest change, and those after another one.

        Returns
        -------
        version : int
        changes : list of ChunkChange or None
            None when some of them are no longer remembered.
        """
        with self._lock:
            n = self._version - version
            if n > len(self._changes):
                return self._version, None
            return self._version, list(self._changes)[len(self._changes) - n :]
