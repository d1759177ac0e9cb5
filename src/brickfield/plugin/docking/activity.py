"""Long work in napari's own activity bar, for windows without a dock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from brickfield.qt import RunningTask, task_board


@contextmanager
def on_board(title: str, *, unit: str, can_cancel: bool) -> Iterator[RunningTask]:
    """Have a piece of work on the board and in the activity bar while it goes on.

    Parameters
    ----------
    title, unit, can_cancel
        As for :meth:`~brickfield.qt.reports.tasks.TaskBoard.begin`.
    """
    running = task_board().begin(title, unit=unit, can_cancel=can_cancel)
    try:
        with in_activity_bar(running):
            yield running
    finally:
        running.end()


@contextmanager
def in_activity_bar(running: RunningTask) -> Iterator[None]:
    """Show a task of the board in napari's activity bar, too; on the window's thread.

    Parameters
    ----------
    running : RunningTask
    """
    from napari.utils import progress

    board = task_board()
    with progress(total=1000, desc=running.task.title) as bar:

        def follow() -> None:
            share = running.task.share
            if share is not None:
                bar.update(round(1000 * share) - bar.n)

        board.changed.connect(follow)
        try:
            yield
        finally:
            board.changed.disconnect(follow)
