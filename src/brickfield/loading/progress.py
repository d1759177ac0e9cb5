"""Progress of loading, reported to visuals and other listeners.

A *session* is what one visual waits for at present. The tracker counts what
reaches its end and tells registered callbacks and psygnal listeners. It is
thread-safe: reports come from reading threads, and callbacks run on the thread
that reports, one at a time, so a callback must not wait for another thread. A
callback that raises is logged once and stops no other.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from psygnal import Signal

from brickfield.model import ChunkId
from brickfield.model.requests import LoadingStatus

logger = logging.getLogger(__name__)
Clock = Callable[[], float]
Callback = Callable[[LoadingStatus], None]
_MOST_EVENTS = 256
"""That a rate is counted from."""
_LEAST_S = 0.25
"""Least time that a rate is counted over: what came in a moment tells of no rate."""


class RateMeter:
    """Amounts a second over the last few seconds. Not thread-safe.

    Parameters
    ----------
    span_s : float
        Seconds that count.
    clock : callable
        Seconds, growing.
    """

    def __init__(self, span_s: float = 3.0, clock: Clock = time.monotonic) -> None:
        self._span = span_s
        self._clock = clock
        self._events: deque[tuple[float, float]] = deque()
        self._sum = 0.0
        self._since = clock()

    def add(self, amount: float) -> None:
        """Count something now; after a pause longer than the span, start over."""
        now = self._clock()
        if not self._events or now - self._events[-1][0] > self._span:
            self._events.clear()
            self._sum = 0.0
            self._since = now
        if self._events and now - self._events[-1][0] < self._span / _MOST_EVENTS:
            # Thousands of chunks come in a span: what comes at once is one event.
            then, before = self._events.pop()
            self._events.append((then, before + amount))
        else:
            self._events.append((now, amount))
        self._sum += amount
        self._expire(now)

    def _expire(self, now: float) -> None:
        while self._events and now - self._events[0][0] > self._span:
            self._since, amount = self._events.popleft()
            self._sum -= amount

    @property
    def rate(self) -> float:
        """Amount a second, 0 when nothing was counted lately."""
        now = self._clock()
        self._expire(now)
        elapsed = min(max(now - self._since, _LEAST_S), self._span)
        return self._sum / elapsed if self._events else 0.0


@dataclass
class Session:
    """What one visual waits for."""

    status: LoadingStatus = field(default_factory=LoadingStatus)
    scale: int = 0
    bytes_rate: RateMeter = field(default_factory=RateMeter)
    chunk_rate: RateMeter = field(default_factory=RateMeter)

    def current(self) -> LoadingStatus:
        """Return the status with rate and time left as of now."""
        chunks = self.chunk_rate.rate
        waiting = self.status.waiting
        left = 0.0 if waiting == 0 else (waiting / chunks if chunks > 0 else None)
        return replace(self.status, rate=self.bytes_rate.rate, seconds_left=left)


class LoadingProgressTracker:
    """Reports the progress of loading to visuals and other listeners. Thread-safe.

    Attributes
    ----------
    progress : psygnal.SignalInstance
        Emits (visual_id, LoadingStatus) at every change.
    finished : psygnal.SignalInstance
        Emits (visual_id, LoadingStatus) when nothing is on its way any more.
    """

    progress = Signal(str, object)
    finished = Signal(str, object)

    def __init__(self, *, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._emitting = threading.RLock()
        self._sessions: dict[str, Session] = {}
        self._callbacks: dict[str, list[Callback]] = {}
        self._blamed: list[object] = []

    # -- listeners ---------------------------------------------------------------

    def register_visual(self, visual_id: str, callback: Callback) -> Callable[[], None]:
        """Call back with the status of a visual at every change of it.

        Parameters
        ----------
        visual_id : str
        callback : callable
            Takes a :class:`LoadingStatus`. Called on a reading thread.

        Returns
        -------
        callable
            Ends the registration.
        """
        with self._lock:
            self._callbacks.setdefault(visual_id, []).append(callback)

        def end() -> None:
            with self._lock:
                callbacks = self._callbacks.get(visual_id, [])
                if callback in callbacks:
                    callbacks.remove(callback)

        return end

    def forget_visual(self, visual_id: str) -> None:
        """Forget a visual, its session and its callbacks."""
        with self._lock:
            self._sessions.pop(visual_id, None)
            self._callbacks.pop(visual_id, None)

    # -- what happens ------------------------------------------------------------

    def start_loading_session(
        self, visual_id: str, total_chunks: int, current_scale: int
    ) -> None:
        """Start counting from zero.

        Parameters
        ----------
        visual_id : str
        total_chunks : int
            Chunks that the visual waits for.
        current_scale : int
            Finest level among them.
        """
        with self._lock:
            session = Session(
                LoadingStatus(wanted=total_chunks),
                current_scale,
                RateMeter(clock=self._clock),
                RateMeter(clock=self._clock),
            )
            self._sessions[visual_id] = session
        self._emit_update(visual_id)

    def report_chunk_loaded(
        self, visual_id: str, chunk_id: ChunkId, success: bool
    ) -> None:
        """Count one chunk that arrived or failed permanently.

        Parameters
        ----------
        visual_id : str
        chunk_id : ChunkId
            For the log.
        success : bool
        """
        if not success:
            logger.info("%s: %s could not be loaded", visual_id, chunk_id)
        self.report(
            visual_id, LoadingStatus(loaded=int(success), failed=int(not success))
        )

    def report(self, visual_id: str, change: LoadingStatus) -> None:
        """Count several chunks at once.

        Parameters
        ----------
        visual_id : str
        change : LoadingStatus
            What is added to ``loaded``, ``missing``, ``failed``, ``cancelled`` and
            ``bytes_loaded``.
        """
        with self._lock:
            session = self._sessions.get(visual_id)
            if session is None:
                return
            old = session.status
            session.status = replace(
                old,
                loaded=old.loaded + change.loaded,
                missing=old.missing + change.missing,
                failed=old.failed + change.failed,
                cancelled=old.cancelled + change.cancelled,
                bytes_loaded=old.bytes_loaded + change.bytes_loaded,
            )
            session.bytes_rate.add(change.bytes_loaded)
            session.chunk_rate.add(change.done)
        self._emit_update(visual_id)

    def update(self, visual_id: str, read_status: Callable[[], LoadingStatus]) -> None:
        """Replace the counts by those of another counter.

        Parameters
        ----------
        visual_id : str
        read_status : callable
            Returns the counts of now. It is called in here, so that of two threads
            that report at once the later one also reads later.
        """
        with self._lock:
            session = self._sessions.get(visual_id)
            if session is None:
                return
            old, new = session.status, read_status()
            session.status = new
            session.bytes_rate.add(max(0, new.bytes_loaded - old.bytes_loaded))
            session.chunk_rate.add(max(0, new.done - old.done))
        self._emit_update(visual_id)

    # -- what is told ------------------------------------------------------------

    def status(self, visual_id: str) -> LoadingStatus:
        """Return the status of a visual; an empty one if it never began."""
        with self._lock:
            session = self._sessions.get(visual_id)
            return LoadingStatus() if session is None else session.current()

    def current_scale(self, visual_id: str) -> int | None:
        """Return the finest level being loaded; None without a session."""
        with self._lock:
            session = self._sessions.get(visual_id)
            return None if session is None else session.scale

    def _emit_update(self, visual_id: str) -> None:
        # One at a time, each with the counts of now: no listener sees an older
        # status after a newer one.
        with self._emitting:
            with self._lock:
                session = self._sessions.get(visual_id)
                if session is None:
                    return
                status = session.current()
                callbacks = list(self._callbacks.get(visual_id, ()))
            for callback in callbacks:
                self._call(callback, partial(callback, status))
            self._call("progress", partial(self.progress.emit, visual_id, status))
            if status.is_complete:
                self._call("finished", partial(self.finished.emit, visual_id, status))

    def _call(self, whom: object, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception:  # a listener's code: loading must go on
            with self._lock:
                is_known = whom in self._blamed
                if not is_known:
                    self._blamed.append(whom)
            if not is_known:
                logger.exception("a listener to loading progress failed: %s", whom)
