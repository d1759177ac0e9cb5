"""One line with the state of the picture, in terms that a biologist understands.

Invariant: the line speaks at most five times a second, is quiet when everything is
there, and never requires more room than there is. Main thread only.

An :class:`ElidedLabel` is cut where the room ends, and never widens its window. Of a
line made of parts (with a dot between them) the last go first, each as a whole.

:class:`Progress` decides what the line says, from the reports of several views and the
time. Invariant: what is done at once is never announced. Work is told of when it has
taken a third of a second, and silence of storage when reads have been out for five. A
share that was told of some work does not fall before that work is done, or the camera
moves.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

from qtpy.QtCore import QEvent, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.model.requests import ChunkFailure
from brickfield.model.units import counted, duration
from brickfield.qt.reports.failures import FailureList
from brickfield.qt.theme import Theme, button_sheet, strip_sheet
from brickfield.viewer.live import LiveView, ViewReport
from brickfield.viewer.receipts import DOT, UNNAMED, LevelNames, least_true
from brickfield.viewer.receipts import text_status as words

QUIET_S = 0.3
"""Work that takes less is not told of."""
LEAST_ELAPSED_S = 1.0
"""Before that nothing is guessed from the share that is done."""
STALLED_S = 5.0
"""Silence after which it is said that nothing arrives."""


@dataclass(frozen=True)
class Shown:
    """What there is to say.

    Attributes
    ----------
    text : str
        One line.
    percent : float or None
        For a progress bar; None without one.
    error : str
        Why nothing can be drawn, or not what was asked for; "" otherwise.
    failures : tuple of ChunkFailure
    level_names : LevelNames
        What the levels of the failures are called.
    is_busy : bool
        Whether it will change soon by itself.
    fidelity : str
        Of the least true picture; "" without one. See
        :data:`brickfield.viewer.receipts.fidelity.Fidelity`.
    """

    text: str = ""
    percent: float | None = None
    error: str = ""
    failures: tuple[ChunkFailure, ...] = ()
    is_busy: bool = False
    fidelity: str = ""
    level_names: LevelNames = UNNAMED


class Progress:
    """Remembers since when there is work, and when something last arrived."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._moved_at = 0.0
        self._moved: tuple[int, int] | None = None
        self._calm = Shown()
        self._reached = 0.0

    def look(self, reports: Sequence[ViewReport], now: float) -> Shown:
        """Say how it stands.

        Parameters
        ----------
        reports : sequence of ViewReport
            The latest of each view.
        now : float
            Seconds of any clock.
        """
        told = [r.error for r in reports] + [r.notice for r in reports]
        error = next(filter(None, told), "")
        is_broken = any(r.error for r in reports)
        reports = [r for r in reports if _has_data(r) and not r.error]
        failures = tuple(dict.fromkeys(f for r in reports for f in r.failures))
        names = next((r.level_names for r in reports if r.failures), UNNAMED)
        said = Shown(error=error, failures=failures, level_names=names)
        waiting = [r for r in reports if r.fidelity == "improving" or r.is_moving]
        if not waiting:
            self._began = self._moved = None
            self._reached = 0.0
            text = words.status(_coarsest(reports)) if reports else ""
            word = "failed" if is_broken else least_true(r.fidelity for r in reports)
            self._calm = replace(said, text=text, fidelity=word)
            return self._calm
        self._note(waiting, now)
        assert self._began is not None
        if now - self._began < QUIET_S and self._calm.text:
            # The work is not told of, but no picture is called better than it is.
            word = words.resolution(_coarsest(waiting)) or self._calm.text
            return replace(said, text=word, is_busy=True, fidelity="improving")
        busiest = self._going_on(min(waiting, key=lambda r: (r.is_moving, r.percent)))
        text = self._text(self._with_time_left(busiest, now), now)
        percent = None if busiest.is_moving else min(busiest.percent, 99.0)
        return replace(
            said, text=text, percent=percent, is_busy=True, fidelity="improving"
        )

    def _text(self, report: ViewReport, now: float) -> str:
        is_remote = _is_remote(report)
        text = words.status(report, is_remote=is_remote)
        silence = now - self._moved_at
        # Drawing takes its time with nothing left to read: that is no silence.
        is_silent = report.waiting > 0 and report.rate <= 0
        if silence > STALLED_S and is_silent and not report.is_moving:
            who = "the server has sent" if is_remote else "storage has given"
            return f"{who} nothing for {duration(silence)}{words.DOT}{text}"
        return text

    def _going_on(self, report: ViewReport) -> ViewReport:
        """Keep what was reached: a plan that grows is no step back."""
        if report.is_moving:
            self._reached = 0.0
            return report
        self._reached = max(self._reached, min(report.percent, 99.0))
        return replace(report, least_percent=self._reached)

    def _with_time_left(self, report: ViewReport, now: float) -> ViewReport:
        """Guess from the share that is done where the loader knows no rate."""
        assert self._began is not None
        elapsed, share = now - self._began, report.percent / 100
        is_silent = report.waiting and report.rate <= 0
        is_early = elapsed < LEAST_ELAPSED_S or not 0 < share < 1
        if report.seconds_left or is_silent or is_early:
            return report
        return replace(report, seconds_left=elapsed * (1 - share) / share)

    def _note(self, waiting: Sequence[ViewReport], now: float) -> None:
        moved = (
            sum(r.arrived + r.done + r.drawn for r in waiting),
            sum(r.wanted + r.to_draw for r in waiting),
        )
        if self._began is None:
            self._began = now
        if moved != self._moved or any(r.is_moving for r in waiting):
            self._moved, self._moved_at = moved, now


def _has_data(report: ViewReport) -> bool:
    return report.is_starting or bool(report.state.layers)


def _coarsest(reports: Sequence[ViewReport]) -> ViewReport:
    """The view that shows the least detail speaks for all."""
    return max(reports, key=lambda r: max(r.levels, default=-1))


def _is_remote(report: ViewReport) -> bool:
    return any(layer.store.source.is_remote for layer in report.state.layers)


class ElidedLabel(QLabel):
    """One line; what does not fit becomes "…" and is whole in the tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._hint = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(0)

    @property
    def whole(self) -> str:
        """The text, uncut."""
        return self._text

    def say(self, text: str, hint: str = "") -> None:
        """Show a text.

        Parameters
        ----------
        text : str
        hint : str
            Added to the tooltip.
        """
        text = " ".join(text.split())
        if (text, hint) != (self._text, self._hint):
            self._text, self._hint = text, hint
            self._fit()

    def _fit(self) -> None:
        room = max(self.contentsRect().width() - 2 * self.margin(), 0)
        shown = self._shortened(room)
        self.setText(shown)
        parts = [self._text if shown != self._text else "", self._hint]
        self.setToolTip("\n".join(part for part in parts if part))

    def _shortened(self, room: int) -> str:
        metrics, parts = self.fontMetrics(), self._text.split(DOT)
        while len(parts) > 1 and metrics.horizontalAdvance(DOT.join(parts)) > room:
            parts.pop()
        text: str = metrics.elidedText(
            DOT.join(parts), Qt.TextElideMode.ElideRight, room
        )
        return text

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Shorten the text to the new width."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Shorten the text after a change of the font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()


BADGES = {
    "improving": ("improving", "#e69f00", "#1a1a1a", "a better picture is on its way"),
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
        Emits when the user wants failed chunks read again.
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
        self._views: dict[LiveView, None] = {}
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
        self._views[view] = None
        view.reported.connect(self._on_report)
        view.fidelity_changed.connect(self._on_fidelity)
        view.client.seen_changed.connect(partial(self._on_seen, weakref.ref(view)))
        if view.layers:
            # What stood here was of the views that were there before.
            self._on_fidelity(view.fidelity)
        self._soon()

    def forget(self, view: LiveView) -> None:
        """Stop reporting this view."""
        if view in self._views:
            del self._views[view]
            view.reported.disconnect(self._on_report, missing_ok=True)
        self._soon()

    def _on_report(self, _report: ViewReport) -> None:
        self._soon()

    def _on_fidelity(self, word: str) -> None:
        """Withdraw at once what is no longer true; what is better may wait."""
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
        """Show a notice for some seconds, instead of the progress.

        Parameters
        ----------
        text : str
        seconds : float
        """
        self._notice, self._notice_ends = text, monotonic() + seconds
        self._show()

    def set_job(self, text: str) -> None:
        """Put before the progress what the work is for; "" takes it away."""
        self._job = text
        self._show()

    # -- what is shown -----------------------------------------------------------

    def _show(self) -> None:
        now = monotonic()
        shown = self._progress.look([v.report_of_now for v in self._views], now)
        self._shown = shown
        has_notice = bool(self._notice) and now < self._notice_ends
        text = self._notice if has_notice else shown.text
        if self._job and not has_notice:
            text = words.DOT.join(part for part in (self._job, shown.text) if part)
        self.text.say(text, self._numbers())
        self.bar.setVisible(shown.percent is not None)
        if shown.percent is not None:
            self.bar.setValue(int(shown.percent))
        self.error.setText(shown.error[:1].upper() + shown.error[1:])
        self.error.setVisible(bool(shown.error))
        self.text.setVisible(bool(text) or not shown.error)
        self._show_fidelity(self._word_of_now(shown.fidelity))
        self._show_failures(shown)
        if (shown.is_busy or has_notice) and self.isVisible():
            # Time alone changes what there is to say.
            self._soon()

    def _word_of_now(self, told: str) -> str:
        """Return the word for what is seen, not for views that nobody sees."""
        seen = [v.fidelity for v in self._views if v.is_shown and v.layers]
        has_layers = any(v.layers for v in self._views)
        if any(v.report.error for v in self._views):
            # Why nothing is drawn stands above; no parts of a picture have failed.
            return ""
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
            self.failures.setText(counted(n, "chunk"))
            self.failures.setToolTip(words.failures(shown.failures, shown.level_names))
        if self.failure_list is not None and self.failure_list.isVisible():
            self.failure_list.show_failures(shown.failures, shown.level_names)

    def _numbers(self) -> str:
        reports = [v.report for v in self._views if v.report.adapter]
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
        for view in self._views:
            view.retry_failed()
        self.retried.emit()
