"""Kinds of work of which only the newest matters.

Invariant: a slot runs one job at a time. A newer request cancels what runs, once that
has shown its preview, and begins when it has ended; requests between are forgotten. So
a drag shows pictures all the while, and never piles up work. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from brickfield.qt.background import Background
from brickfield.qt.reports.tasks import RunningTask, TaskBoard

Show = Callable[[Any], None]


@dataclass(frozen=True)
class SlotRequest:
    """A piece of work.

    Attributes
    ----------
    title : str
        For the strip of tasks.
    job : callable
        On a thread: takes its task, and a function that shows a preview, which may
        be called on any thread.
    on_done : callable
        Takes what the job returned, on the window's thread.
    on_preview : callable or None
        Takes previews, on the window's thread.
    on_end : callable or None
        Called with nothing when it ended in any way.
    """

    title: str
    job: Callable[[RunningTask, Show], Any]
    on_done: Callable[[Any], object]
    on_preview: Callable[[Any], object] | None = None
    on_end: Callable[[], object] | None = None


class Told:
    """Says on the board how far work is, or that another process does it just now.

    Parameters
    ----------
    task : RunningTask
    """

    def __init__(self, task: RunningTask) -> None:
        self._task, self._title = task, task.task.title
        self._is_renamed = False

    def on_wait(self, owner: object) -> None:
        """Say who computes; on any thread."""
        self._is_renamed = True
        self._task.rename(f"{self._title}: computed by another process ({owner})")

    def progress(self, *counts: Any) -> None:
        """Take what a progress callable is told; on any thread."""
        if self._is_renamed:
            self._is_renamed = False
            self._task.rename(self._title)
        self._task.tell(*counts)


class Slot:
    """Work of one kind, the newest request first and alone.

    Parameters
    ----------
    board : TaskBoard
    background : Background
        Brings answers back; closed by its owner.
    on_failed : callable
        Takes a sentence that says what went wrong.
    """

    def __init__(
        self,
        board: TaskBoard,
        background: Background,
        on_failed: Callable[[str], object],
    ) -> None:
        self._board, self._background = board, background
        self._on_failed = on_failed
        self._running: RunningTask | None = None
        self._next: SlotRequest | None = None
        self._awaits_preview = False
        self.future: Future[Any] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._running is not None

    def submit(self, request: SlotRequest) -> None:
        """Do this, and nothing older."""
        if self._running is None:
            self._begin(request)
            return
        self._next = request
        if not self._awaits_preview:
            self._running.cancel()

    def cancel(self) -> None:
        """Cancel all requests."""
        self._next = None
        if self._running is not None:
            self._running.cancel()

    def _begin(self, request: SlotRequest) -> None:
        running = self._board.begin(request.title, unit="bytes")
        self._running, self._next = running, None
        self._awaits_preview = request.on_preview is not None
        show = partial(self._preview_soon, running, request)
        self.future = self._board.start(running, lambda task: request.job(task, show))
        self._background.follow(self.future, partial(self._ended, running, request))

    def _preview_soon(
        self, running: RunningTask, request: SlotRequest, value: Any
    ) -> None:
        """Any thread."""
        self._background.deliver(lambda: self._preview(running, request, value))

    def _preview(self, running: RunningTask, request: SlotRequest, value: Any) -> None:
        if running is not self._running:
            return
        self._awaits_preview = False
        if request.on_preview is not None and not running.cancelled.is_set():
            request.on_preview(value)
        if self._next is not None:
            running.cancel()

    def _ended(
        self,
        running: RunningTask,
        request: SlotRequest,
        result: Any,
        error: BaseException | None,
    ) -> None:
        self._running = None
        following = self._next
        if following is not None:
            self._begin(following)
        # A cancelled job ends with an error that needs no report.
        if error is None:
            request.on_done(result)
        elif not running.cancelled.is_set():
            self._on_failed(str(error) or type(error).__name__)
        if request.on_end is not None:
            request.on_end()
