"""A main thread for tests without a window: functions delivered in turns."""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, Queue
from time import monotonic


class Turns:
    """Collects what is delivered to the main thread and runs it when asked.

    Calling it is allowed on any thread, as of a window's deliverer.
    """

    def __init__(self) -> None:
        self._queue: Queue[Callable[[], None]] = Queue()

    def __call__(self, function: Callable[[], None]) -> None:
        """Run a function in a later turn."""
        self._queue.put(function)

    def run_until(self, is_true: Callable[[], bool], timeout_s: float = 30.0) -> bool:
        """Run what is delivered until a condition holds; tell whether it does.

        Parameters
        ----------
        is_true : callable
        timeout_s : float
            Seconds.
        """
        end = monotonic() + timeout_s
        while not is_true():
            left = end - monotonic()
            if left <= 0:
                return False
            try:
                self._queue.get(timeout=min(left, 0.2))()
            except Empty:
                continue
        return True

    def run(self) -> int:
        """Run what has been delivered so far; return how many functions."""
        n = 0
        while True:
            try:
                function = self._queue.get_nowait()
            except Empty:
                return n
            function()
            n += 1
