"""The threads that carry requests out; there are some only while there is work.

Invariant: everything of the book is read and changed under its lock, and nothing is
computed while it is held. One thread reads volumes through to find out what their
results depend on, so that no request waits for a computation to learn that its result
is kept; the others compute.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError

from brickfield.errors import BrickfieldError, OptionError, UnforeseenDataError
from brickfield.transforms.operations.trilinear import load_libraries
from brickfield.transforms.requests.book import Computation, RequestBook
from brickfield.transforms.requests.workers import content_key

ENDING_S = 10.0
"""Longest wait for a thread to end."""


class RequestThreads:
    """Carries out what stands in a book.

    Parameters
    ----------
    book : RequestBook
    lock : threading.Lock
        Of the book.
    max_workers : int
        Computations at the same time.
    wake : callable
        Called, from any thread, when there is something to tell.
    """

    def __init__(
        self,
        book: RequestBook,
        lock: threading.Lock,
        max_workers: int,
        wake: Callable[[], None],
    ) -> None:
        self._book = book
        self._lock = lock
        self._max_workers = max_workers
        self._wake = wake
        self._n_computing = 0
        self._is_looking = False
        self._running: set[threading.Thread] = set()

    @property
    def n_running(self) -> int:
        """How many threads there are now."""
        return len(self._running)

    def start(self) -> None:
        """Begin with what was added to the book; the lock is held."""
        if not self._is_looking:
            self._is_looking = True
            self._begin(self._look_up)

    def join(self) -> None:
        """Wait for all threads but this one; the lock is not held."""
        with self._lock:
            threads = [t for t in self._running if t is not threading.current_thread()]
        for thread in threads:
            thread.join(ENDING_S)

    def _begin(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="brickfield-transform", daemon=True)
        self._running.add(thread)
        thread.start()

    def _look_up(self) -> None:
        """Find out keys, one request after another, until there are none."""
        while True:
            with self._lock:
                request = self._book.next_to_look_up()
                if request is None or request.worker is None:
                    self._is_looking = False
                    self._running.discard(threading.current_thread())
                    return
                worker = request.worker
            try:
                key = content_key(worker)
            except Exception as error:  # noqa: BLE001 -- it becomes the request's end
                with self._lock:
                    self._book.fail(request, _of_our_family(error))
            else:
                with self._lock:
                    self._book.looked_up(request, key)
                    if self._n_computing < self._max_workers:
                        self._n_computing += 1
                        self._begin(self._compute)
            del request, worker
            self._wake()

    def _compute(self) -> None:
        """Compute, one thing after another, until there is nothing."""
        # Not within the first computation, which could not be cancelled meanwhile.
        load_libraries()
        while True:
            with self._lock:
                computation = self._book.next_to_compute()
                if computation is None:
                    self._n_computing -= 1
                    self._running.discard(threading.current_thread())
                    return
            self._wake()
            self._carry_out(computation)
            del computation
            self._wake()

    def _carry_out(self, computation: Computation) -> None:
        def step(percent: float) -> None:
            if computation.cancel.is_set():
                raise CancelledError
            with self._lock:
                before = computation.percent
                self._book.progressed(computation, percent)
                is_told = computation.percent > before
            if is_told:
                self._wake()

        try:
            result = computation.worker.run(step)
        except CancelledError:
            return
        except Exception as error:  # noqa: BLE001 -- it becomes the requests' end
            with self._lock:
                self._book.failed(computation, _of_our_family(error))
        else:
            with self._lock:
                self._book.computed_result(computation, result)


def _of_our_family(error: Exception) -> Exception:
    """Return an error of our own family, its cause chained."""
    if isinstance(error, BrickfieldError):
        return error
    if isinstance(error, MemoryError):
        msg = "expected memory for the result; found too little: use a coarser level"
        found: Exception = OptionError(msg)
    else:
        msg = (
            f"expected a volume that can be read; found {type(error).__name__}: {error}"
        )
        found = UnforeseenDataError(msg)
    found.__cause__ = error
    return found
