"""Long work that goes on beside the window: what runs, how far it is, and Cancel.

Invariant: one board per process knows all running tasks, whatever began them, and every
dock shows the same strip of it. Workers report progress from any thread, as
often as they like; windows are updated ten times a second at most. A job that was
cancelled stays on the board until it has really ended.

:class:`RunningTask` is the worker's half (any thread), :class:`TaskBoard` and
:class:`TaskStrip` are the window's (main thread only).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cache, partial
from time import monotonic
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QTimer

from brickfield.blockwise import format_bytes
from brickfield.model.units import duration
from brickfield.qt.lifetimes import owned
from brickfield.viewer.receipts import DOT

LOOK_MS = 100
"""Time between two looks at what runs."""
LEAST_ELAPSED_S = 1.0
"""Before that no time is guessed from the share that is done."""


@dataclass(frozen=True)
class Task:
    """How far a piece of long work is.

    Attributes
    ----------
    title : str
        What is done, as "Saving cells".
    done : int
    total : int or None
        None while it is unknown.
    unit : str
        What is counted, plural; "bytes" are written as people write them.
    seconds_left : float or None
        None while it is unknown.
    is_waiting : bool
        Whether it waits for others before it begins.
    is_cancelling : bool
        Whether it was cancelled, and has not ended yet.
    """

    title: str
    done: int = 0
    total: int | None = None
    unit: str = ""
    seconds_left: float | None = None
    is_waiting: bool = False
    is_cancelling: bool = False

    @property
    def share(self) -> float | None:
        """Completed share, 0 to 1; None while it is unknown."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def text(self) -> str:
        """What there is to say beside the title."""
        if self.is_cancelling:
            return "cancelling"
        if self.is_waiting:
            return "waiting"
        parts = [self._counted()]
        if self.seconds_left is not None and self.share != 1.0:
            parts.append(f"{duration(self.seconds_left)} left")
        return DOT.join(part for part in parts if part)

    def _counted(self) -> str:
        if self.total is None:
            return ""
        if self.unit == "bytes":
            return f"{format_bytes(self.done)} of {format_bytes(self.total)}"
        return f"{self.done:,} of {self.total:,} {self.unit}".rstrip()


class RunningTask:
    """One piece of work on the board; for the worker, on any thread.

    Attributes
    ----------
    cancelled : threading.Event
        Set once the task is cancelled; workers look at it, or hand it on.
    can_cancel : bool
    """

    def __init__(self, title: str, unit: str, can_cancel: bool) -> None:
        self._task = Task(title, unit=unit)
        self._lock = threading.Lock()
        self._began = monotonic()
        self._is_over = False
        self.cancelled = threading.Event()
        self.can_cancel = can_cancel

    @property
    def task(self) -> Task:
        """How far it is."""
        with self._lock:
            return replace(self._task, is_cancelling=self.cancelled.is_set())

    @property
    def age_s(self) -> float:
        """Seconds since it was put on the board."""
        return monotonic() - self._began

    @property
    def is_over(self) -> bool:
        """Whether :meth:`end` was called."""
        return self._is_over

    def tell(
        self,
        done: int,
        total: int | None = None,
        _n_bytes: int = 0,
        seconds_left: float | None = None,
    ) -> None:
        """Say how far it is; what takes a progress callable can be given this.

        Parameters
        ----------
        done, total : int
        _n_bytes : int
            Bytes written, which jobs of blocks say; not shown.
        seconds_left : float, optional
            Guessed from the share that is done if not given.
        """
        if seconds_left is None and total and 0 < done < total:
            elapsed = self.age_s
            if elapsed >= LEAST_ELAPSED_S:
                seconds_left = elapsed * (total - done) / done
        with self._lock:
            self._task = replace(
                self._task, done=done, total=total, seconds_left=seconds_left
            )

    def wait(self, is_waiting: bool) -> None:
        """Say whether it waits for others; time left counts from when it begins."""
        self._began = monotonic()
        with self._lock:
            self._task = replace(self._task, is_waiting=is_waiting)

    def rename(self, title: str) -> None:
        """Say otherwise what is done, as the next stage of it begins."""
        with self._lock:
            self._task = replace(self._task, title=title)

    def cancel(self) -> None:
        """Cancel the task; the work ends soon."""
        if self.can_cancel:
            self.cancelled.set()

    def end(self) -> None:
        """Take it off the board; may be called twice."""
        self._is_over = True


class TaskBoard:
    """All long work of the process.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        Work came, went or got further; at most ten times a second.
    """

    changed = Signal()

    def __init__(self) -> None:
        self._running: list[RunningTask] = []
        self._told: list[Task] = []
        self._timer = owned(QTimer(), self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)

    @property
    def running(self) -> tuple[RunningTask, ...]:
        """What runs, oldest first."""
        return tuple(r for r in self._running if not r.is_over)

    def begin(
        self, title: str, *, unit: str = "", can_cancel: bool = True
    ) -> RunningTask:
        """Put a piece of work on the board.

        Parameters
        ----------
        title : str
            What is done, as "Saving cells".
        unit : str
            What will be counted, plural.
        can_cancel : bool
            Whether there is a button for it.

        Returns
        -------
        RunningTask
            Its :meth:`~RunningTask.end` must be called in any case.
        """
        made = RunningTask(title, unit, can_cancel)
        self._running.append(made)
        self._look()
        self._timer.start()
        return made

    def run(
        self,
        title: str,
        job: Callable[[RunningTask], Any],
        *,
        unit: str = "",
        can_cancel: bool = True,
    ) -> Future[Any]:
        """Run a function on a thread of its own while it stands on the board.

        Parameters
        ----------
        title, unit, can_cancel
            As for :meth:`begin`.
        job : callable
            Takes its :class:`RunningTask`.

        Returns
        -------
        Future
            :class:`~brickfield.qt.background.Background` brings its result back to
            the window's thread.
        """
        return self.start(self.begin(title, unit=unit, can_cancel=can_cancel), job)

    def start(
        self, running: RunningTask, job: Callable[[RunningTask], Any]
    ) -> Future[Any]:
        """Run the job of a task on a thread of its own.

        Parameters
        ----------
        running : RunningTask
        job : callable
            Called with the task.
        """
        future: Future[Any] = Future()
        thread = threading.Thread(
            target=_carry_out, args=(future, running, job), name="brickfield-task"
        )
        thread.daemon = True
        thread.start()
        return future

    def cancel_all(self) -> None:
        """Cancel whatever can be cancelled."""
        for running in self.running:
            running.cancel()

    def _look(self) -> None:
        self._running = [r for r in self._running if not r.is_over]
        now = [r.task for r in self._running]
        if not now:
            self._timer.stop()
        if now != self._told:
            self._told = now
            self.changed.emit()


def _carry_out(
    future: Future[Any], running: RunningTask, job: Callable[[RunningTask], Any]
) -> None:
    try:
        result = partial(future.set_result, job(running))
    except BaseException as error:  # noqa: BLE001 - it is the caller's
        result = partial(future.set_exception, error)
    # Off the board before listeners learn of the end.
    running.end()
    result()


@cache
def task_board() -> TaskBoard:
    """Return the board of the process; on the window's thread."""
    return TaskBoard()
