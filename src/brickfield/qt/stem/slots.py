"""Kinds of work of which only the newest matters.

Invariant: a slot runs one job at a time. A newer wish cancels what runs, once that
has shown its preview, and begins when it has ended; wishes between are forgotten. So
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
class Wish:
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


class Slot:
    """Work of one kind, the newest wish first and alone.

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
        self._next: Wish | None = None
        self._awaits_preview = False
        self.future: Future[Any] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._running is not None

    def want(self, wish: Wish) -> None:
        """Do this, and nothing older."""
        if self._running is None:
            self._begin(wish)
            return
        self._next = wish
        if not self._awaits_preview:
            self._running.cancel()

    def cancel(self) -> None:
        """Cancel all requests."""
        self._next = None
        if self._running is not None:
            self._running.cancel()

    def _begin(self, wish: Wish) -> None:
        running = self._board.begin(wish.title, unit="bytes")
        self._running, self._next = running, None
        self._awaits_preview = wish.on_preview is not None
        show = partial(self._preview_soon, running, wish)
        self.future = self._board.start(running, lambda task: wish.job(task, show))
        self._background.follow(self.future, partial(self._ended, running, wish))

    def _preview_soon(self, running: RunningTask, wish: Wish, value: Any) -> None:
        """Any thread."""
        self._background.deliver(lambda: self._preview(running, wish, value))

    def _preview(self, running: RunningTask, wish: Wish, value: Any) -> None:
        if running is not self._running:
            return
        self._awaits_preview = False
        if wish.on_preview is not None and not running.cancelled.is_set():
            wish.on_preview(value)
        if self._next is not None:
            running.cancel()

    def _ended(
        self,
        running: RunningTask,
        wish: Wish,
        result: Any,
        error: BaseException | None,
    ) -> None:
        self._running = None
        following = self._next
        if following is not None:
            self._begin(following)
        # A cancelled job ends with an error that needs no report.
        if error is None:
            wish.on_done(result)
        elif not running.cancelled.is_set():
            self._on_failed(str(error) or type(error).__name__)
        if wish.on_end is not None:
            wish.on_end()
