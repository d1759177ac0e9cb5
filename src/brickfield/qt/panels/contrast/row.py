"""The contrast window in numbers, automatic contrast, and what was counted for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from brickfield.qt.panels.widgets import NumberBox
from brickfield.qt.theme import Theme
from brickfield.viewer.controls import USUAL_PERCENT, Histogram


class ContrastRow(QWidget):
    """Two ends that can be typed, and a button for automatic ones.

    Attributes
    ----------
    chosen : Signal
        Emits the contrast limits, a tuple, that the user typed.
    auto_wanted, exact_wanted, cancelled : Signal
        Automatic contrast, a count of every voxel, or no more of that.
    percent : tuple of float
        Percentiles of automatic contrast.
    """

    chosen = Signal(object)
    auto_wanted = Signal()
    exact_wanted = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.percent = USUAL_PERCENT
        self.ends = (NumberBox(parent=self), NumberBox(parent=self))
        for side, (box, word) in enumerate(
            zip(self.ends, ("first", "last"), strict=True)
        ):
            box.setToolTip(f"Value drawn as the {word} colour")
            box.typed.connect(partial(self._type_end, side))
        self.auto = QPushButton("Auto", self)
        self.auto.setToolTip("Contrast from percentiles of the values")
        self.auto.clicked.connect(self.auto_wanted)
        self.more = QToolButton(self)
        self.more.setToolTip("Which percentiles, and which voxels are counted")
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._theme = Theme(self)
        self._theme.set_icon(self.more, "more")
        self.more.setMenu(self._menu())
        self.note = QLabel(self)
        self.note.setToolTip("Which values the histogram counts")
        # Its text must not make the panel wider.
        self.note.setMinimumWidth(1)
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setToolTip("Stop counting every voxel")
        self.cancel.clicked.connect(self.cancelled)
        self.cancel.hide()
        self._lay_out()

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        holder = QWidget(menu)
        row = QHBoxLayout(holder)
        row.setContentsMargins(8, 4, 8, 4)
        row.addWidget(QLabel("Auto: percentiles", holder))
        self.percents = (
            NumberBox("{:g} %".format, n_chars=6, parent=holder),
            NumberBox("{:g} %".format, n_chars=6, parent=holder),
        )
        for side, box in enumerate(self.percents):
            box.setToolTip("So many percent of the values lie below this end")
            box.follow(self.percent[side])
            box.typed.connect(partial(self._type_percent, side))
            row.addWidget(box)
        action = QWidgetAction(menu)
        action.setDefaultWidget(holder)
        menu.addAction(action)
        self.exact = menu.addAction("Count every voxel")
        self.exact.setToolTip(
            "Reads all data at full resolution in the background; may take long"
        )
        self.exact.triggered.connect(self.exact_wanted)
        return menu

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(4, 1)
        for column, widget in ((0, self.ends[0]), (2, self.auto), (3, self.more)):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.ends[1], 0, 5)
        notes = QHBoxLayout()
        notes.addWidget(self.note, stretch=1)
        notes.addWidget(self.cancel)
        grid.addLayout(notes, 1, 0, 1, 6)

    # -- following ---------------------------------------------------------------

    def follow(
        self, contrast: tuple[float, float], write: Callable[[float], str]
    ) -> None:
        """Show the contrast window.

        Parameters
        ----------
        contrast : tuple of float
            Limits.
        write : callable
            Returns the text of a number.
        """
        for box, value in zip(self.ends, contrast, strict=True):
            box.write = write
            box.follow(value)

    def say(self, text: str, *, progress: float | None = None) -> None:
        """Show what was counted, or the progress of counting.

        Parameters
        ----------
        text : str
        progress : float, optional
            0 to 1; None when nothing is being counted.
        """
        self.cancel.setVisible(progress is not None)
        if progress is not None:
            text = f"Counting every voxel: {100 * progress:.0f} %"
        self.note.setText(text)

    # -- mouse and keys ---------------------------------------------------------

    def _type_end(self, side: int, value: float) -> None:
        low, high = (box.value for box in self.ends)
        # Beyond the other end, that one gives way.
        room = max(abs(value) * 1e-3, high - low)
        if side == 0:
            self.chosen.emit((value, high if value < high else value + room))
        else:
            self.chosen.emit((low if low < value else value - room, value))

    def _type_percent(self, side: int, value: float) -> None:
        percent = list(self.percent)
        percent[side] = min(max(value, 0.0), 100.0)
        if percent[0] < percent[1]:
            self.percent = (percent[0], percent[1])
        for box, now in zip(self.percents, self.percent, strict=True):
            box.follow(now)
        self.auto_wanted.emit()


def note_of(histogram: Histogram | None, resolution: str, problem: str = "") -> str:
    """Say which values a histogram counts.

    Parameters
    ----------
    histogram : Histogram or None
    resolution : str
        Name of the level whose voxels were counted.
    problem : str
        What is said without a histogram.
    """
    if histogram is None:
        return problem
    parts = [f"{_rounded(histogram.n_values)} values at {resolution}"]
    if histogram.share < 0.9995:
        parts.append(f"{100 * histogram.share:.0f} % of them")
    if histogram.n_nan:
        parts.append(f"{_rounded(histogram.n_nan)} are not a number")
    if histogram.n_infinite:
        parts.append(f"{_rounded(histogram.n_infinite)} infinite")
    return " · ".join(parts)


def _rounded(n: int) -> str:
    for size, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if n >= size:
            return f"{n / size:.3g} {name}"
    return str(n)
