"""What was asked for, what is computed for whom, and what is reported: without threads.

Invariant: a request is in one state, and leaves the last of them never again::

    waiting ──▶ (equal result kept?) ──▶ done
       │  └──▶ attached to a computation ──▶ done | failed
       └──────────────┴──────────▶ cancelled

Equal requests share one computation; it has the highest of their priorities, and is
given up when the last of them is cancelled. Consequences: a result is computed once,
whoever asks for it while it is on its way, and nobody's cancelling disturbs another.

Thread rule: callers hold a lock; nothing here waits, computes or calls listeners.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict, deque
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from heapq import heappop, heappush
from threading import Event
from typing import Any

from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.transforms.requests.cache import ResultCache
from brickfield.transforms.requests.workers import VolumeWorker

AnyArray = NDArray[Any]
Emission = tuple[str, tuple[Any, ...]]
"""Name of a signal, and what it says."""
MOST_REMEMBERED = 10_000
"""Requests that are over and still known."""


@dataclass(eq=False)
class Request:
    """One thing that was asked for.

    Attributes
    ----------
    number : int
        Its id; later ones are higher.
    worker : VolumeWorker or None
        None once it is over, so that the volume is let go.
    channel_id, priority : int
    computation : Computation or None
    result : ndarray or None
        Held until it is claimed.
    over : Future
        Done, failed or cancelled once the request is.
    """

    number: int
    worker: VolumeWorker | None
    channel_id: int
    priority: int
    computation: Computation | None = None
    result: AnyArray | None = None
    over: Future[None] = field(default_factory=Future)

    @property
    def is_over(self) -> bool:
        """Whether it is done, failed or cancelled."""
        return self.over.done()


@dataclass(eq=False)
class Computation:
    """What is computed for one or more equal requests.

    Attributes
    ----------
    key : str
    worker : VolumeWorker
    requests : list of Request
        For whom; none once it is given up.
    is_running : bool
    cancel : Event
        Set when no request wants it any more.
    percent : int
        Told last.
    """

    key: str
    worker: VolumeWorker
    requests: list[Request]
    is_running: bool = False
    cancel: Event = field(default_factory=Event)
    percent: int = 0


class RequestBook:
    """Requests, computations and results.

    Parameters
    ----------
    cache : ResultCache

    Attributes
    ----------
    emissions : deque of (str, tuple)
        Signals to be emitted, in order.
    hits, misses, shared, computed : int
        Requests answered by a kept result, by a computation of their own, by one under
        way; computations that ended well.
    """

    def __init__(self, cache: ResultCache) -> None:
        self.cache = cache
        self.emissions: deque[Emission] = deque()
        self.hits = self.misses = self.shared = self.computed = 0
        self._requests: OrderedDict[int, Request] = OrderedDict()
        self._results: weakref.WeakValueDictionary[int, Any] = (
            weakref.WeakValueDictionary()
        )
        self._next = 0
        self._to_look_up: list[tuple[int, int, Request]] = []
        self._to_compute: list[tuple[int, int, Computation]] = []
        self._computations: dict[str, Computation] = {}

    # -- asking ------------------------------------------------------------------

    def add(self, worker: VolumeWorker) -> Request:
        """Take a request."""
        self._next += 1
        request = Request(self._next, worker, worker.channel_id, worker.priority)
        self._requests[request.number] = request
        heappush(self._to_look_up, (-request.priority, request.number, request))
        self._forget_old()
        return request

    def request(self, number: int) -> Request:
        """Return a request by its id.

        Raises
        ------
        OptionError
            When there is none.
        """
        found = self._requests.get(number)
        if found is None:
            msg = f"expected the id of a request; found {number!r}, which is none"
            raise OptionError(msg)
        return found

    def open_requests(self) -> list[Request]:
        """List the requests that are not over."""
        return [r for r in self._requests.values() if not r.is_over]

    def cancel(self, request: Request) -> bool:
        """Cancel a request; tell whether its result was still to come."""
        if request.is_over:
            return False
        computation = request.computation
        if computation is not None:
            computation.requests.remove(request)
            if not computation.requests:
                computation.cancel.set()
                self._computations.pop(computation.key, None)
        self._end(request)
        request.over.cancel()
        self.emissions.append(("transform_cancelled", (request.number,)))
        return True

    # -- working -----------------------------------------------------------------

    def next_to_look_up(self) -> Request | None:
        """Return the request whose key is to be found out next."""
        while self._to_look_up:
            _, _, request = heappop(self._to_look_up)
            if not request.is_over:
                return request
        return None

    def looked_up(self, request: Request, key: str) -> None:
        """Say what a request's result depends on.

        Parameters
        ----------
        request : Request
        key : str
            Equal for equal results alone.
        """
        if request.is_over or request.worker is None:
            return
        kept = self.cache.get(key)
        if kept is not None:
            self.hits += 1
            self._start(request)
            self._finish(request, kept)
            return
        computation = self._computations.get(key)
        if computation is None:
            self.misses += 1
            computation = Computation(key, request.worker, [request])
            self._computations[key] = computation
        else:
            self.shared += 1
            computation.requests.append(request)
            if computation.is_running:
                self._start(request)
        request.computation = computation
        if not computation.is_running:
            # Pushed again for the sake of a higher priority; taken once.
            entry = (-request.priority, request.number, computation)
            heappush(self._to_compute, entry)

    def next_to_compute(self) -> Computation | None:
        """Return the computation to be run next, marked as running."""
        while self._to_compute:
            _, _, computation = heappop(self._to_compute)
            if computation.requests and not computation.is_running:
                computation.is_running = True
                for request in computation.requests:
                    self._start(request)
                return computation
        return None

    def progressed(self, computation: Computation, percent: float) -> None:
        """Say how far a computation is.

        Parameters
        ----------
        computation : Computation
        percent : float
        """
        if int(percent) <= computation.percent:
            return
        computation.percent = int(percent)
        for request in computation.requests:
            values = (request.number, computation.percent)
            self.emissions.append(("transform_progress", values))

    def computed_result(self, computation: Computation, result: AnyArray) -> None:
        """Take a result.

        Parameters
        ----------
        computation : Computation
        result : ndarray, shape (z, y, x)
        """
        self.computed += 1
        self.cache.put(computation.key, result)
        for request in self._close(computation):
            self._finish(request, result)

    def failed(self, computation: Computation, error: Exception) -> None:
        """Take an error in place of a result.

        Parameters
        ----------
        computation : Computation
        error : Exception
        """
        for request in self._close(computation):
            self.fail(request, error)

    def fail(self, request: Request, error: Exception) -> None:
        """Let a request end with an error.

        Parameters
        ----------
        request : Request
        error : Exception
        """
        if request.is_over:
            return
        self._end(request)
        request.over.set_exception(error)
        self.emissions.append(("transform_error", (request.number, str(error))))

    # -- results -----------------------------------------------------------------

    def claim(self, request: Request) -> AnyArray:
        """Return the result of a request that is over, and keep it no longer for it.

        Returns
        -------
        ndarray, shape (z, y, x)

        Raises
        ------
        OptionError
            When it was given out before and is not kept any more.
        """
        held = request.result
        self.release_result(request)
        again: AnyArray | None = held
        if again is None:
            again = self._results.get(request.number)
        if again is None:
            msg = (
                f"expected the result of request {request.number} once; found it given"
                f" out before and not kept any more: submit the request again"
            )
            raise OptionError(msg)
        return again

    def release_result(self, request: Request) -> None:
        """Hold a result only as long as other code does."""
        if request.result is not None:
            self._results[request.number] = request.result
            request.result = None

    # -- ends --------------------------------------------------------------------

    def _start(self, request: Request) -> None:
        values = (request.number, request.channel_id)
        self.emissions.append(("transform_started", values))

    def _finish(self, request: Request, result: AnyArray) -> None:
        self._end(request)
        request.result = result
        request.over.set_result(None)
        values = (request.number, request.channel_id, result)
        self.emissions.append(("transform_completed", values))

    def _close(self, computation: Computation) -> list[Request]:
        if self._computations.get(computation.key) is computation:
            del self._computations[computation.key]
        ended, computation.requests = computation.requests, []
        return ended

    def _end(self, request: Request) -> None:
        request.worker = request.computation = None

    def _forget_old(self) -> None:
        while len(self._requests) > MOST_REMEMBERED:
            oldest = next(iter(self._requests.values()))
            if not oldest.is_over:
                return
            del self._requests[oldest.number]


def wait_for(request: Request, timeout: float | None) -> None:
    """Wait until a request is over; what it failed with is raised.

    Parameters
    ----------
    request : Request
    timeout : float or None
        Seconds.

    Raises
    ------
    CancelledError
    TimeoutError
    """
    try:
        request.over.result(timeout)
    except CancelledError:
        msg = f"request {request.number} was cancelled"
        raise CancelledError(msg) from None
