"""Reading that waits until those who need the same storage chunks have come together.

A window opens a large level of which others are sampled: contrast limits, napari's
canvas and the view of the dock each need all of it, and come one after the other. What
is read for one reaches the others (:mod:`brickfield.loading.storage.in_passing`) only
if they have asked for it by then, or fits the RAM budget.

Invariant: it ends with the first request that is to begin at once, else by the clock.
"""

from __future__ import annotations

import threading
from time import monotonic
from typing import Protocol


class HoldsBack(Protocol):
    """What reads: the reader.

    Attributes
    ----------
    is_held : bool
        Whether nothing begins to be read; set before anything was.
    """

    is_held: bool

    def wake_workers(self, at_most: int | None = None) -> None:
        """See :meth:`brickfield.loading.reader.Reader.wake_workers`."""
        ...


class Gathering:
    """Puts reading off. From any thread.

    Parameters
    ----------
    reader : HoldsBack
    """

    def __init__(self, reader: HoldsBack) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._began_at = self._before_s = 0.0

    @property
    def is_on(self) -> bool:
        """Whether reading is put off."""
        return self._timer is not None

    @property
    def held_s(self) -> float:
        """Seconds for which reading was put off, in all."""
        with self._lock:
            now_s = monotonic() - self._began_at if self.is_on else 0.0
            return self._before_s + now_s

    def begin(self, most_s: float) -> None:
        """Put off reading; before anything is read.

        Parameters
        ----------
        most_s : float
            Seconds after which reading begins all the same.
        """
        with self._lock:
            if self._timer is not None:
                return
            self._began_at, self._reader.is_held = monotonic(), True
            self._timer = threading.Timer(most_s, self.end)
            self._timer.daemon = True
            self._timer.start()

    def end(self) -> None:
        """Begin to read for all who have come."""
        with self._lock:
            timer, self._timer = self._timer, None
            if timer is None:
                return
            self._before_s += monotonic() - self._began_at
            self._reader.is_held = False
        timer.cancel()
        if timer is not threading.current_thread():
            # It ends at once, and an image that is closed leaves no thread.
            timer.join()
        self._reader.wake_workers()
