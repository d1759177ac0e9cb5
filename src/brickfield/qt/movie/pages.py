"""What a movie shows: once round, or from one key frame to the next.

A page makes the frames; playing and recording need nothing else of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from qtpy.QtCore import QSignalBlocker, QSize, Signal
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.camera import WORLD_UP, KeyFrame, frames, of_cameras, turntable
from brickfield.errors import OptionError
from brickfield.model import CameraState, Vec3
from brickfield.qt.theme import Theme, button_sheet

AXES: dict[str, tuple[str, Vec3 | None]] = {
    "up": ("as seen", None),
    "y": ("y", WORLD_UP),
    "z": ("z", (-1.0, 0.0, 0.0)),
    "x": ("x", (0.0, 0.0, -1.0)),
}
"""Axes of a turntable: name, and direction; None is up in the picture."""
LIST_HEIGHT = 76


class Page(Protocol):
    """Makes the frames of a movie."""

    @property
    def fps(self) -> float:
        """Frames a second."""
        ...

    def frames(self, here: KeyFrame) -> tuple[KeyFrame, ...]:
        """Return all frames; `here` is what the view shows now.

        Raises
        ------
        OptionError
            If there is no movie to be made; the message says what is missing.
        """
        ...


def _spin(low: int, high: int, value: int, hint: str) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    spin.setToolTip(hint)
    return spin


def _seconds(value: float, hint: str, low: float = 0.1) -> QDoubleSpinBox:
    spin = QDoubleSpinBox()
    spin.setRange(low, 3600)
    spin.setDecimals(1)
    spin.setSingleStep(0.5)
    spin.setValue(value)
    spin.setSuffix(" s")
    spin.setToolTip(hint)
    return spin


class TurntablePage(QWidget):
    """Once round what is looked at.

    Attributes
    ----------
    n_frames, seconds, axis
        Options of the user.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.n_frames = _spin(2, 100_000, 200, "Pictures for one turn")
        self.seconds = _seconds(8.0, "How long one turn takes")
        self.axis = QComboBox()
        self.axis.setToolTip(
            "What it turns about, through what is looked at: up in the picture, or an"
            " axis of the data"
        )
        for key, (name, _) in AXES.items():
            self.axis.addItem(name, key)
        self.speed = QLabel()
        self.speed.setToolTip("Frames a second")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(4)
        grid.addWidget(QLabel("Frames"), 0, 0)
        grid.addWidget(self.n_frames, 0, 1)
        grid.addWidget(QLabel("in"), 0, 2)
        grid.addWidget(self.seconds, 0, 3)
        grid.addWidget(QLabel("Axis"), 1, 0)
        grid.addWidget(self.axis, 1, 1)
        grid.addWidget(self.speed, 1, 3)
        for column in (1, 3):
            grid.setColumnStretch(column, 1)
        for spin in (self.n_frames, self.seconds):
            spin.valueChanged.connect(self._show_speed)
        self._show_speed()

    def _show_speed(self) -> None:
        self.speed.setText(f"{self.fps:.3g} fps")

    @property
    def fps(self) -> float:
        """Frames a second."""
        return float(self.n_frames.value() / self.seconds.value())

    def frames(self, here: KeyFrame) -> tuple[KeyFrame, ...]:
        """Return one turn; the frame after the last would be the first again."""
        _, axis = AXES[self.axis.currentData()]
        camera = here.camera
        if axis is None:
            _, up, _ = camera.axes
            axis = (float(up[0]), float(up[1]), float(up[2]))
        return tuple(
            of_cameras(turntable(camera, self.n_frames.value(), axis=axis), here)
        )


class KeyFramePage(QWidget):
    """From one key frame to the next.

    Attributes
    ----------
    keys : list of KeyFrame
        In order; see :meth:`set_keys`.
    gone_to : Signal
        Emits a KeyFrame that is to be shown.
    by_name : dict of str to QAction
        ``add``, ``replace``, ``remove``, ``up``, ``down``.
    """

    gone_to = Signal(object)
    changed = Signal()

    def __init__(
        self, here: Callable[[], KeyFrame | None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._here = here
        self._keys: list[KeyFrame] = []
        self.list = QListWidget(self)
        self.list.setFixedHeight(LIST_HEIGHT)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.list.setToolTip("A double click shows a key frame")
        self.list.itemDoubleClicked.connect(self._go_to)
        self.list.currentRowChanged.connect(self._show_selected)
        self.seconds = _seconds(2.0, "From this key frame to the next", low=0.0)
        self.seconds.valueChanged.connect(self._set_seconds)
        self.rate = _spin(1, 120, 25, "Frames a second")
        self.rate.setSuffix(" fps")
        self._make_buttons()
        self._arrange()
        self._show()

    def _make_buttons(self) -> None:
        self._theme = Theme(self, button_sheet)
        self.by_name: dict[str, QAction] = {}
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(1)
        for name, icon, text, hint, call in (
            ("add", "add", "", "Add what the view shows now", self.add),
            (
                "replace",
                "retry",
                "",
                "Take what the view shows now instead",
                self._swap,
            ),
            ("remove", "remove", "", "Remove this key frame", self._remove),
            ("up", "", "↑", "Earlier", lambda: self._shift(-1)),
            ("down", "", "↓", "Later", lambda: self._shift(1)),
        ):
            action = QAction(text or name.capitalize(), self)
            action.setToolTip(hint)
            action.triggered.connect(lambda _=False, call=call: call())
            if icon:
                self._theme.set_icon(action, icon)
            button = QToolButton(self)
            button.setDefaultAction(action)
            button.setIconSize(QSize(16, 16))
            self._buttons.addWidget(button)
            self.by_name[name] = action

    def _arrange(self) -> None:
        self._buttons.addStretch(1)
        self._buttons.addWidget(self.rate)
        times = QHBoxLayout()
        times.setSpacing(6)
        times.addWidget(QLabel("To the next"))
        times.addWidget(self.seconds, stretch=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.list)
        column.addLayout(self._buttons)
        column.addLayout(times)

    # -- key frames --------------------------------------------------------------

    @property
    def keys(self) -> list[KeyFrame]:
        """All key frames, in order."""
        return list(self._keys)

    def set_keys(self, keys: list[KeyFrame], select: int = -1) -> None:
        """Replace the key frames.

        Parameters
        ----------
        keys : list of KeyFrame
        select : int
            The one to select; -1 for the last.
        """
        self._keys = list(keys)
        self._show(select if select >= 0 else len(keys) - 1)
        self.changed.emit()

    def add(self) -> None:
        """Add what the view shows now, after the selected one."""
        here = self._here()
        if here is not None:
            row = self.list.currentRow() + 1 if self._keys else 0
            here = replace(here, seconds=self.seconds.value() if self._keys else 2.0)
            self.set_keys([*self._keys[:row], here, *self._keys[row:]], row)

    def _swap(self) -> None:
        row, here = self.list.currentRow(), self._here()
        if here is not None and row >= 0:
            keys = list(self._keys)
            keys[row] = replace(here, seconds=keys[row].seconds)
            self.set_keys(keys, row)

    def _remove(self) -> None:
        row = self.list.currentRow()
        if row >= 0:
            rest = self._keys[:row] + self._keys[row + 1 :]
            self.set_keys(rest, min(row, len(rest) - 1))

    def _shift(self, by: int) -> None:
        row = self.list.currentRow()
        if row >= 0 and 0 <= row + by < len(self._keys):
            keys = list(self._keys)
            keys.insert(row + by, keys.pop(row))
            self.set_keys(keys, row + by)

    def _set_seconds(self, value: float) -> None:
        row = self.list.currentRow()
        if row >= 0 and self._keys[row].seconds != value:
            self._keys[row] = replace(self._keys[row], seconds=value)
            for i in range(len(self._keys)):
                self.list.item(i).setText(self._line(i))
            self.changed.emit()

    # -- what is shown -----------------------------------------------------------

    def _line(self, row: int) -> str:
        key = self._keys[row]
        at = sum(k.seconds for k in self._keys[:row])
        is_last = row == len(self._keys) - 1 and row > 0
        rest = "" if is_last else f", {key.seconds:.1f} s to the next"
        return f"{row + 1}   at {at:.1f} s{rest}"

    def _show(self, select: int = -1) -> None:
        with QSignalBlocker(self.list):
            self.list.clear()
            for row in range(len(self._keys)):
                self.list.addItem(QListWidgetItem(self._line(row)))
            self.list.setCurrentRow(select)
        self._show_selected(select)

    def _show_selected(self, row: int) -> None:
        for name in ("replace", "remove", "up", "down"):
            self.by_name[name].setEnabled(row >= 0)
        self.seconds.setEnabled(row >= 0)
        if row >= 0:
            with QSignalBlocker(self.seconds):
                self.seconds.setValue(self._keys[row].seconds)

    def _go_to(self, item: QListWidgetItem) -> None:
        self.gone_to.emit(self._keys[self.list.row(item)])

    # -- the movie ---------------------------------------------------------------

    @property
    def fps(self) -> float:
        """Frames a second."""
        return float(self.rate.value())

    def frames(self, here: KeyFrame) -> tuple[KeyFrame, ...]:
        """Return every frame from the first key frame to the last.

        Raises
        ------
        OptionError
            If there are fewer than two key frames.
        """
        if len(self._keys) < 2:
            msg = (
                "expected two key frames or more; found"
                f" {len(self._keys)}: move the camera and press +"
            )
            raise OptionError(msg)
        return tuple(frames(self._keys, fps=self.fps))


def cameras(found: tuple[KeyFrame, ...]) -> list[CameraState]:
    """Return the cameras of frames."""
    return [frame.camera for frame in found]
