"""Long work in napari's own activity bar, for windows without a dock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from qtpy.QtGui import QMovie
from qtpy.QtWidgets import QApplication, QLabel, QMainWindow

from brickfield.qt import RunningTask, task_board

CALM_PERCENT = 15
"""Of the speed of an animation in the status bar: about five pictures a second."""


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
    with progress(total=1000, desc=running.task.title) as bar, calm_animations():

        def follow() -> None:
            share = running.task.share
            if share is not None:
                bar.update(round(1000 * share) - bar.n)

        board.changed.connect(follow)
        try:
            yield
        finally:
            board.changed.disconnect(follow)


@contextmanager
def calm_animations() -> Iterator[None]:
    """Slow down animations in the status bars of all windows.

    napari turns a small wheel there while it shows a progress bar, 33 pictures a
    second. For each of them Qt puts the whole window together again, with OpenGL;
    without a graphics card that takes 25 ms, and the window does little else.
    """
    movies = _movies()
    before = [movie.speed() for movie in movies]
    for movie in movies:
        movie.setSpeed(CALM_PERCENT)
    try:
        yield
    finally:
        for movie, speed in zip(movies, before, strict=True):
            movie.setSpeed(speed)


def _movies() -> list[QMovie]:
    windows = (w for w in QApplication.topLevelWidgets() if isinstance(w, QMainWindow))
    labels = (x for w in windows for x in w.statusBar().findChildren(QLabel))
    return [movie for label in labels if (movie := label.movie()) is not None]
