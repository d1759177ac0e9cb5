"""The strip at the bottom of a dock: a line for each piece of long work.

Invariant: it takes no room while nothing runs, one line for each of at most three
jobs, and is never wider than the dock. What is over within a moment is not shown.
Main thread only.
"""

from __future__ import annotations

from qtpy.QtCore import QSize, QTimer
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.reports.status import ElidedLabel
from brickfield.qt.reports.tasks import RunningTask, TaskBoard
from brickfield.qt.theme import Theme, button_sheet, strip_sheet
from brickfield.viewer.receipts import DOT

MOST = 3
"""Lines that are shown; of more work the number is said."""
QUIET_S = 0.3
"""Work that takes less is not shown."""


class TaskLine(QWidget):
    """One piece of work: title, what is done of all, time left, Cancel.

    Attributes
    ----------
    text : ElidedLabel
    bar : QProgressBar
    cancel : QToolButton
    """

    def __init__(self, running: RunningTask, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.running = running
        self.text = ElidedLabel(self)
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(3)
        self.bar.setStyleSheet(strip_sheet())
        self.cancel = QToolButton(self)
        self.cancel.setIconSize(QSize(14, 14))
        self.cancel.clicked.connect(self._cancel)
        self._theme = Theme(self, button_sheet)
        self._theme.set_icon(self.cancel, "close")
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.text)
        column.addWidget(self.bar)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 4, 0)
        row.setSpacing(4)
        row.addLayout(column, stretch=1)
        row.addWidget(self.cancel)
        self.show_state()

    def show_state(self) -> None:
        """Show how far the work is now."""
        task = self.running.task
        self.text.say(DOT.join(part for part in (task.title, task.text) if part))
        self.setAccessibleName(task.title)
        self.setAccessibleDescription(task.text)
        self.bar.setAccessibleName(f"Progress of {task.title}")
        is_known = task.share is not None and not task.is_waiting
        # A range of nothing moves to and fro: something happens.
        self.bar.setRange(0, 1000 if is_known or task.is_waiting else 0)
        self.bar.setValue(round(1000 * (task.share or 0.0)))
        self.cancel.setVisible(self.running.can_cancel)
        self.cancel.setEnabled(not task.is_cancelling)
        self.cancel.setToolTip(f"Cancel: {task.title}")
        self.cancel.setAccessibleName(f"Cancel {task.title}")

    def _cancel(self) -> None:
        self.running.cancel()
        self.show_state()


class TaskStrip(QWidget):
    """What a board of tasks holds, as lines.

    Parameters
    ----------
    board : TaskBoard

    Attributes
    ----------
    more : QLabel
        How many pieces of work have no line.
    """

    def __init__(self, board: TaskBoard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._board = board
        self._lines: dict[RunningTask, TaskLine] = {}
        self.setAccessibleName("Running tasks")
        self.more = QLabel(self)
        self.more.setIndent(6)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self.more)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._show)
        board.changed.connect(self._follow)
        self._show()

    @property
    def lines(self) -> list[TaskLine]:
        """Lines on show, top to bottom."""
        return list(self._lines.values())

    def _follow(self) -> None:
        try:
            self._show()
        except RuntimeError:  # Qt's half is gone already
            self._board.changed.disconnect(self._follow, missing_ok=True)

    def _show(self) -> None:
        running = self._board.running
        old = [r for r in running if r.age_s >= QUIET_S or r in self._lines]
        if len(old) < len(running):
            self._soon.start(round(1000 * QUIET_S))
        shown = old[:MOST]
        for gone in [r for r in self._lines if r not in shown]:
            line = self._lines.pop(gone)
            self._column.removeWidget(line)
            line.hide()
            line.deleteLater()
        for i, one in enumerate(shown):
            if one not in self._lines:
                self._lines[one] = TaskLine(one, self)
                self._column.insertWidget(i, self._lines[one])
            self._lines[one].show_state()
        n_more = len(old) - len(shown)
        self.more.setText(f"and {n_more} more")
        self.more.setVisible(n_more > 0)
        self.setVisible(bool(shown))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height of the lines; the dock says how wide."""
        return QSize(0, super().sizeHint().height())
