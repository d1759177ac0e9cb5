"""A pool of threads that reads are handed to.

Invariant: at most ``max_workers`` threads run, none is a daemon, and after
:meth:`AsynchronousDataSlicer.shutdown` none is left. Delayed calls wait in one
thread that lives only while there is something to wait for, so that a pause
before a retry blocks no worker. An idle pool holds no threads. Pools that are open when the program ends are shut
then, so that it does not first read all that was wanted.
"""

from __future__ import annotations

import heapq
import logging
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from itertools import count
from typing import Any

from brickfield.sources.io import at_end

logger = logging.getLogger(__name__)


class AsynchronousDataSlicer:
    """Runs functions in background threads. May be used from any thread.

    Parameters
    ----------
    max_workers : int
        Functions that run at once.
    name : str
        Beginning of the threads' names.
    """

    def __init__(self, max_workers: int = 4, *, name: str = "brickfield-read") -> None:
        self.max_workers = max(1, int(max_workers))
        self._name = name
        self._executor: ThreadPoolExecutor | None = None
        self._resting: ThreadPoolExecutor | None = None
        self._condition = threading.Condition()
        self._delayed: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._timer: threading.Thread | None = None
        self._is_waiting = False
        self._is_shut = False
        _pools.add(self)

    def submit(
        self,
        fn: Callable[..., Any],
        *args: Any,
        callback: Callable[[Future[Any]], None] | None = None,
    ) -> Future[Any]:
        """Run a function soon.

        Parameters
        ----------
        fn : callable
        *args
            What it is called with.
        callback : callable, optional
            Called with the future when the function has ended, on the thread
            that ran it, also when it was cancelled.

        Returns
        -------
        concurrent.futures.Future
            Already cancelled after :meth:`shutdown`.
        """
        future = self._submit(fn, *args)
        if future is None:
            # Shut down, or the interpreter is ending: a late retry must not raise.
            future = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
        if callback is not None:
            future.add_done_callback(callback)
        return future

    def _submit(self, fn: Callable[..., Any], *args: Any) -> Future[Any] | None:
        while True:
            with self._condition:
                if self._is_shut:
                    return None
                if self._executor is None:
                    self._executor = ThreadPoolExecutor(
                        self.max_workers, thread_name_prefix=self._name
                    )
                executor = self._executor
            try:
                return executor.submit(fn, *args)
            except RuntimeError:
                # Where it was only put to rest meanwhile, another takes its place.
                if executor is self._executor:
                    return None

    def rest(self) -> None:
        """Let the threads end after what they have to do; new work has new ones."""
        with self._condition:
            if self._executor is None:
                return
            self._resting, self._executor = self._executor, None
        self._resting.shutdown(wait=False)

    def call_later(self, delay_s: float, fn: Callable[[], None]) -> None:
        """Submit a function after a pause; it is dropped if the pool is shut down first.

        Parameters
        ----------
        delay_s : float
            Seconds.
        fn : callable
        """
        with self._condition:
            if self._is_shut:
                return
            due = time.monotonic() + delay_s
            heapq.heappush(self._delayed, (due, next(self._numbers), fn))
            if not self._is_waiting:
                self._is_waiting = True
                self._timer = threading.Thread(
                    target=self._wait, name=f"{self._name}-pause", daemon=False
                )
                self._timer.start()
            self._condition.notify_all()

    def _wait(self) -> None:
        with self._condition:
            while self._delayed and not self._is_shut:
                left = self._delayed[0][0] - time.monotonic()
                if left > 0:
                    self._condition.wait(left)
                    continue
                _, _, fn = heapq.heappop(self._delayed)
                self.submit(fn, callback=_log_error)
            self._is_waiting = False

    def shutdown(self, *, wait: bool = True) -> None:
        """Take nothing more, drop what has not begun, end all threads.

        Parameters
        ----------
        wait : bool
            Whether to return only when what is running has ended.
        """
        with self._condition:
            self._is_shut = True
            self._delayed.clear()
            timer = self._timer
            executors = (self._executor, self._resting)
            self._condition.notify_all()
        for executor in executors:
            if executor is not None:
                executor.shutdown(wait=wait, cancel_futures=True)
        if wait and timer is not None:
            timer.join()


_pools: weakref.WeakSet[AsynchronousDataSlicer] = weakref.WeakSet()


@at_end
def _shut_all() -> None:
    for pool in list(_pools):
        pool.shutdown(wait=False)


def _log_error(future: Future[Any]) -> None:
    try:
        error = future.exception()
    except CancelledError:
        return
    if error is not None:
        logger.error("a delayed call failed", exc_info=error)
