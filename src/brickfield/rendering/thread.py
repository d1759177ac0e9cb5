"""One thread on which all views of the process draw.

Invariant: everything that touches the GPU for a live view runs on this thread,
one piece at a time. A window therefore never waits for a driver: software Vulkan
carries a frame out inside the call that submits it (a quarter of a second where
nothing else is wrong with it), and every driver compiles shaders inside a call.

A *drawer* does one short piece of work a :meth:`~Drawer.step` and says when it
has to be called again. Jobs (:meth:`RenderThread.submit`) go first and are
answered by a future. The thread starts with the first drawer and ends after the
last one; a later drawer gets a new thread. Work beside it
(:meth:`RenderThread.call`) takes its turn, too, so that never two threads are at
the GPU at once.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeVar

from brickfield.errors import BrickfieldError

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
            Seconds after which to call again; None: when it is woken.
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
        # Reentrant, since a job may call `call` itself.
        self._work = threading.RLock()
        """Held during each piece of work."""
        self._worker: int | None = None
        self.has_device = False
        """Whether a drawer has had its graphics device; set by drawers."""

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        thread = self._thread
        return thread is not None and thread.is_alive()

    @property
    def is_current(self) -> bool:
        """Whether the caller is doing a piece of this thread's work."""
        return self._worker == threading.get_ident()

    def add(self, drawer: Drawer) -> None:
        """Call a drawer from now on."""
        with self._news:
            self._due[drawer] = monotonic()
            self._start()
            self._news.notify_all()

    def remove(
        self, drawer: Drawer, last: Callable[[], Any] | None = None
    ) -> Future[None]:
        """Stop calling a drawer.

        Parameters
        ----------
        drawer : Drawer
        last : callable, optional
            Run on the thread after the drawer's last step.

        Returns
        -------
        Future
            Done after `last`.
        """

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
        """Run something on the thread, before the drawers' next steps.

        Returns
        -------
        Future
            Cancelled when the program is ending.
        """
        future: Future[_T] = Future()
        with self._news:
            self._start()
            if self._thread is None:
                # At the end of the program: nobody will answer, so whoever waits must
                # not hang.
                future.cancel()
                return future
            self._jobs.append((future, job))
            self._news.notify_all()
        return future

    def call(self, job: Callable[[], _T]) -> _T:
        """Run something where it cannot meet a drawer, and wait for it.

        Beside drawers it runs on their thread, else on the caller's. Keep it short:
        views do nothing meanwhile.
        """
        # Already on the thread: waiting for it would wait for itself.
        if self.is_current:
            return job()
        if self.is_alive:
            return self.submit(job).result()
        # A drawer that is added just now waits for it.
        return self._at_work(job)

    def _at_work(self, job: Callable[[], _T]) -> _T:
        """Do a piece of work while no other is done."""
        with self._work:
            before, self._worker = self._worker, threading.get_ident()
            try:
                return job()
            finally:
                self._worker = before

    def close(self, timeout_s: float = 5.0, *, is_for_good: bool = False) -> None:
        """End the thread after its present piece of work.

        Parameters
        ----------
        timeout_s : float
            How long that is waited for.
        is_for_good : bool
            Whether no other thread may be started afterwards.
        """
        with self._news:
            self._is_closing = True
            self._due.clear()
            self._news.notify_all()
            thread = self._thread
        if thread is not None and not self.is_current:
            thread.join(timeout_s)
        with self._news:
            self._is_closing = is_for_good

    # -- the thread --------------------------------------------------------------

    def _start(self) -> None:
        if self._thread is None and not self._is_closing:
            # A daemon, because a driver may never return; `atexit` ends it in the
            # regular way.
            self._thread = threading.Thread(target=self._run, name=NAME, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            job, drawer = self._next()
            if job is not None:
                self._at_work(partial(_carry_out, *job))
            elif drawer is not None:
                self._at_work(partial(self._step, drawer))
            else:
                return
            # What a piece of work left must not be kept until the next one.
            del job, drawer

    def _next(
        self,
    ) -> tuple[tuple[Future[Any], Callable[[], Any]] | None, Drawer | None]:
        """Wait for something to do; nothing at all ends the thread."""
        with self._news:
            while True:
                if self._jobs:
                    return self._jobs.popleft(), None
                if self._is_closing or not self._due:
                    # Under the lock, so that the next drawer starts a new thread.
                    self._thread = None
                    return None, None
                # None waits to be woken, so it has no time of its own.
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
        except Exception as error:  # noqa: BLE001 - one view's trouble, not the others'
            _tell_failure(drawer, error)
            delay = None
        if delay is None:
            return
        with self._news:
            # Unless it was woken meanwhile or taken away.
            if drawer in self._due and self._due[drawer] is None:
                self._due[drawer] = monotonic() + delay


def _tell_failure(drawer: Drawer, error: Exception) -> None:
    if isinstance(error, BrickfieldError):
        # Foreseen, and a sentence for the window; no traceback for the terminal.
        logger.info("a view could not be drawn: %s", error)
    else:
        logger.error("a view could not be drawn", exc_info=error)
    try:
        drawer.fail(error)
    except Exception:  # the thread is shared by all views
        logger.exception("a view could not take down what it had drawn")


def _carry_out(future: Future[Any], job: Callable[[], Any]) -> None:
    # The caller gave up before it was begun.
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(job())
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        future.set_exception(error)


_shared = RenderThread()
atexit.register(partial(_shared.close, is_for_good=True))


def render_thread() -> RenderThread:
    """Return the process's render thread."""
    return _shared
