"""One line that says how far the picture is, in a biologist's words.

Invariant: the line speaks at most five times a second, is quiet when everything is
there, and never asks for more room than there is. Main thread only.
"""

from __future__ import annotations

import weakref
from functools import partial
from time import monotonic

from qtpy.QtCore import QSize, Qt, QTimer, Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.reports.elided import ElidedLabel
from brickfield.qt.reports.failures import FailureList
from brickfield.qt.reports.progress import Progress, Shown
from brickfield.qt.theme import Theme, button_sheet, strip_sheet
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.live.live_view import LiveView
from brickfield.viewer.receipts import text_status as words
from brickfield.viewer.receipts.fidelity import least_true

BADGES = {
    "improving": ("improving", "#e69f00", "#1a1a1a", "better is on its way"),
    "final": ("final", "#2fb380", "#10241c", "every pixel is as fine as asked for"),
    "limited": (
        "limited",
        "#56b4e9",
        "#0f2430",
        "nothing finer is possible with this budget or file: parts are coarser",
    ),
    "failed": ("failed parts", "#c2410c", "#ffffff", "parts could not be read"),
}
"""Word, background, colour of the text and meaning of each fidelity."""
PAUSE_MS = 200
"""Least time between two texts."""
NOTICE_S = 6.0
"""How long a notice stays."""


class StatusLine(QWidget):
    """Progress of the view that has most to do; quiet when all is there.

    Attributes
    ----------
    retried : Signal
        Somebody asked for what could not be read.
    fidelity : QLabel
        How true the picture is: one word on one colour.
    text : ElidedLabel
    bar : QProgressBar
        A thin strip above the text.
    error : QLabel
        Why nothing can be drawn.
    failures : QToolButton
        How many chunks could not be read; opens :attr:`failure_list`.
    """

    retried = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reports: dict[LiveView, ViewReport] = {}
        self._progress = Progress()
        self._shown = Shown()
        self._notice = ""
        self._notice_ends = 0.0
        self._job = ""
        self._badge = ""
        self.failure_list: FailureList | None = None
        self._make_parts()
        self._arrange()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._show)

    def _make_parts(self) -> None:
        self.bar = QProgressBar(self)
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(3)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        # The text must not jump when the strip comes and goes.
        policy.setRetainSizeWhenHidden(True)
        self.bar.setSizePolicy(policy)
        self.bar.setStyleSheet(strip_sheet())
        self.bar.hide()
        self.error = QLabel(self)
        self.error.setWordWrap(True)
        self.error.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.error.hide()
        self.fidelity = QLabel(self)
        self.fidelity.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.fidelity.hide()
        self.text = ElidedLabel(self)
        self.failures = QToolButton(self)
        self.failures.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.failures.setToolTip("List what could not be read")
        self.failures.clicked.connect(self.open_failures)
        self.retry = QToolButton(self)
        self.retry.setToolTip("Read the chunks that could not be read once more")
        self.retry.clicked.connect(self._retry)
        self._theme = Theme(self, button_sheet)
        self._theme.set_icon(self.failures, "warning")
        self._theme.set_icon(self.retry, "retry")
        for button in (self.failures, self.retry):
            button.setIconSize(QSize(14, 14))
            button.hide()

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 4, 0)
        row.setSpacing(4)
        row.addWidget(self.fidelity)
        row.addWidget(self.text, stretch=1)
        row.addWidget(self.failures)
        row.addWidget(self.retry)
        # As high with the buttons as without them.
        row.addSpacing(0)
        self.text.setMinimumHeight(self.fontMetrics().height() + 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.error)
        column.addLayout(row)

    # -- views -------------------------------------------------------------------

    def watch(self, view: LiveView) -> None:
        """Tell of this view too."""
        self._reports[view] = view.report
        # Held weakly, which a lambda is not.
        view.reported.connect(partial(self._take, view))
        view.fidelity_changed.connect(self._on_fidelity)
        view.seen_changed.connect(partial(self._on_seen, weakref.ref(view)))
        if view.layers:
            # What stood here was of the views that were there before.
            self._on_fidelity(view.fidelity)
        self._soon()

    def forget(self, view: LiveView) -> None:
        """Tell of this view no more."""
        self._reports.pop(view, None)
        self._soon()

    def _take(self, view: LiveView, report: ViewReport) -> None:
        if view in self._reports:
            self._reports[view] = report
            self._soon()

    def _on_fidelity(self, word: str) -> None:
        """Take back at once what is not true any more; what is better may wait."""
        if word == "improving" and self._badge and not self.fidelity.isHidden():
            self._show_fidelity(word)
        self._soon()

    def _on_seen(self, whose: weakref.ref[LiveView]) -> None:
        """A picture that comes in may be less true than those that were there."""
        view = whose()
        if view is not None and view.is_shown and view.layers:
            self._on_fidelity(view.fidelity)
        self._soon()

    def _soon(self) -> None:
        if not self._pause.isActive():
            self._pause.start(PAUSE_MS)

    # -- what others have to say -------------------------------------------------

    def say(self, text: str, seconds: float = NOTICE_S) -> None:
        """Show a notice for a while, instead of the progress."""
        self._notice, self._notice_ends = text, monotonic() + seconds
        self._show()

    def set_job(self, text: str) -> None:
        """Say before the progress what it is waited for; "" is nothing any more."""
        self._job = text
        self._show()

    # -- what is shown -----------------------------------------------------------

    def _show(self) -> None:
        now = monotonic()
        shown = self._progress.look(list(self._reports.values()), now)
        self._shown = shown
        has_notice = bool(self._notice) and now < self._notice_ends
        text = self._notice if has_notice else shown.text
        if self._job and not has_notice:
            text = words.DOT.join(part for part in (self._job, shown.text) if part)
        self.text.say(text, self._numbers())
        self.bar.setVisible(shown.percent is not None)
        if shown.percent is not None:
            self.bar.setValue(int(shown.percent))
        self.error.setText(shown.error)
        self.error.setVisible(bool(shown.error))
        self.text.setVisible(bool(text) or not shown.error)
        self._show_fidelity(self._word_of_now(shown.fidelity))
        self._show_failures(shown)
        if (shown.is_busy or has_notice) and self.isVisible():
            # Time alone changes what there is to say.
            self._soon()

    def _word_of_now(self, told: str) -> str:
        """Return the word for what is seen: reports may be of a picture before."""
        seen = [v.fidelity for v in self._reports if v.is_shown and v.layers]
        has_layers = any(v.layers for v in self._reports)
        return least_true([told, *seen]) if told and has_layers else ""

    def _show_fidelity(self, word: str) -> None:
        self.fidelity.setVisible(bool(word))
        if not word or word == self._badge:
            return
        self._badge = word
        text, background, color, meaning = BADGES[word]
        self.fidelity.setText(text)
        self.fidelity.setToolTip(f"{text}: {meaning}")
        self.fidelity.setAccessibleName(f"Fidelity: {text}")
        self.fidelity.setStyleSheet(
            f"background: {background}; color: {color}; border: none;"
            " border-radius: 3px; padding: 1px 5px;"
        )

    def _show_failures(self, shown: Shown) -> None:
        n = len(shown.failures)
        for button in (self.failures, self.retry):
            button.setVisible(n > 0)
        if n:
            self.failures.setText("1 chunk" if n == 1 else f"{n} chunks")
            self.failures.setToolTip(words.failures(shown.failures, shown.level_names))
        if self.failure_list is not None and self.failure_list.isVisible():
            self.failure_list.show_failures(shown.failures, shown.level_names)

    def _numbers(self) -> str:
        reports = [r for r in self._reports.values() if r.adapter]
        if not reports:
            return ""
        used = sum(r.gpu_bytes for r in reports)
        budget = sum(r.gpu_budget for r in reports)
        return "\n".join(
            [
                f"GPU memory {words.memory(used, budget)}",
                f"{max(r.frame_ms for r in reports):.0f} ms for a picture",
                reports[0].adapter,
            ]
        )

    # -- failures ----------------------------------------------------------------

    def open_failures(self) -> None:
        """List what could not be read, in a window of its own."""
        if self.failure_list is None:
            self.failure_list = FailureList(self)
            self.failure_list.retry_asked.connect(self._retry)
        shown = self._shown
        self.failure_list.show_failures(shown.failures, shown.level_names)
        self.failure_list.bring_up()

    def _retry(self) -> None:
        for view in self._reports:
            view.retry_failed()
        self.retried.emit()
