"""One thread on which all views of the process draw.

Invariant: everything that touches the GPU for a live view runs on this thread,
one piece at a time. A window therefore never waits for a driver: software Vulkan
carries a frame out inside the call that submits it (a quarter of a second where
nothing else is wrong with it), and every driver compiles shaders inside a call.

A *drawer* does one short piece of work a :meth:`~Drawer.step` and says when it
wants to be called again. Jobs (:meth:`RenderThread.submit`) go first and are
answered by a future. The thread starts with the first drawer and ends after the
last one; whoever comes later gets a new thread.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from time import monotonic
from typing import Any, Protocol, TypeVar

logger = logging.getLogger(__name__)
_T = TypeVar("_T")
NAME = "brickfield-render"


class Drawer(Protocol):
    """Something that draws in small steps."""

    def step(self) -> float | None:
        """Do a short piece of work.

        Returns
        -------
        float or None
            Seconds after which to call again; None: when somebody wakes it.
        """
        ...

    def fail(self, error: Exception) -> None:
        """Be told that a step raised; the drawer is not called until it is woken."""
        ...


class RenderThread:
    """Runs drawers and jobs in turn. All methods may be called from any thread."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._jobs: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._due: dict[Drawer, float | None] = {}
        self._thread: threading.Thread | None = None
        self._is_closing = False

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    def add(self, drawer: Drawer) -> None:
        """Call a drawer from now on."""
        with self._news:
            self._due[drawer] = monotonic()
            self._start()
            self._news.notify_all()

    def remove(
        self, drawer: Drawer, last: Callable[[], Any] | None = None
    ) -> Future[None]:
        """Call a drawer no more; `last` is run on the thread after its last step."""

        def end() -> None:
            with self._news:
                self._due.pop(drawer, None)
            if last is not None:
                last()

        return self.submit(end)

    def wake(self, drawer: Drawer) -> None:
        """Call a drawer as soon as possible."""
        with self._news:
            if drawer in self._due:
                now, due = monotonic(), self._due[drawer]
                # Not before others that are due already.
                self._due[drawer] = now if due is None else min(due, now)
                self._news.notify_all()

    def submit(self, job: Callable[[], _T]) -> Future[_T]:
        """Run something on the thread, before the drawers' next steps."""
        future: Future[_T] = Future()
        with self._news:
            self._jobs.append((future, job))
            self._start()
            self._news.notify_all()
        return future

    def call(self, job: Callable[[], _T]) -> _T:
        """Run something where it cannot meet a drawer, and wait for it."""
        if self.is_current or not self.is_alive:
            return job()
        return self.submit(job).result()

    def close(self, timeout_s: float = 5.0) -> None:
        """End the thread after its present piece of work."""
        with self._news:
            self._is_closing = True
            self._due.clear()
            self._news.notify_all()
            thread = self._thread
        if thread is not None and not self.is_current:
            thread.join(timeout_s)
        with self._news:
            self._is_closing = False

    # -- the thread --------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None and not self._is_closing:
            self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            job, drawer = self._next()
            if job is not None:
                _carry_out(*job)
            elif drawer is not None:
                self._step(drawer)
            else:
                return

    def _next(
        self,
    ) -> tuple[tuple[Future[Any], Callable[[], Any]] | None, Drawer | None]:
        """Wait for something to do; nothing at all ends the thread."""
        with self._news:
            while True:
                if self._jobs:
                    return self._jobs.popleft(), None
                if self._is_closing or not self._due:
                    # Under the lock, so that whoever comes next starts anew.
                    self._thread = None
                    return None, None
                times = [(t, d) for d, t in self._due.items() if t is not None]
                if not times:
                    self._news.wait()
                    continue
                due, drawer = min(times, key=lambda pair: pair[0])
                now = monotonic()
                if due <= now:
                    # Behind all others that are due, until its step has an answer.
                    self._due[drawer] = None
                    return None, drawer
                self._news.wait(due - now)

    def _step(self, drawer: Drawer) -> None:
        try:
            delay = drawer.step()
        except Exception as error:  # one view's trouble is not the others'
            logger.exception("a view could not be drawn")
            drawer.fail(error)
            delay = None
        if delay is None:
            return
        with self._news:
            # Unless it was woken meanwhile or taken away.
            if drawer in self._due and self._due[drawer] is None:
                self._due[drawer] = monotonic() + delay


def _carry_out(future: Future[Any], job: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        future.set_exception(error)


_shared = RenderThread()
atexit.register(_shared.close)


def render_thread() -> RenderThread:
    """Return the process's render thread."""
    return _shared
