"""How an acquisition is going: one line, how full the buffer is, and three buttons.

Invariant: the panel only says what was asked for, by signals; whoever made it acts,
and tells it what to show. Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from brickfield.model.units import counted
from brickfield.qt.controls.file_drops import FileDrops
from brickfield.qt.reports.status import ElidedLabel
from brickfield.qt.reports.task_strip import TaskStrip
from brickfield.qt.reports.tasks import task_board
from brickfield.qt.theme import strip_sheet
from brickfield.viewer.receipts import DOT

NOTHING = "Nothing is followed. Choose a folder that is being written, or try Demo."
DOTS = {"growing": "#3fb950", "complete": "#8b949e", "stopped": "#d29922"}
"""Colours that tell the state; the word beside it does, too."""


@dataclass(frozen=True)
class LiveText:
    """What is said of an acquisition.

    Attributes
    ----------
    name : str
        Of the image; empty while nothing is followed.
    state : {"growing", "complete", "stopped"}
    frames : int or None
    time_points : int
    fps : float
        Frames (or time points) a second; 0 before that is known.
    buffer : float or None
        Share of the writer's buffer that is full; None where it is not known.
    problem : str
        Why it is not followed any longer.
    """

    name: str = ""
    state: str = "growing"
    frames: int | None = None
    time_points: int = 0
    fps: float = 0.0
    buffer: float | None = None
    problem: str = ""

    @property
    def words(self) -> str:
        """The line, without the name."""
        if self.problem:
            return self.problem
        so_far = (
            counted(self.time_points, "time point")
            if self.frames is None
            else f"frame {self.frames:,}"
        )
        unit = "fps" if self.frames is not None else "a second"
        is_known = self.state == "growing" and self.fps > 0
        rate = f"{self.fps:.0f} {unit}" if is_known else ""
        return DOT.join(part for part in (self.state, so_far, rate) if part)


class LivePanel(QWidget):
    """What the dock *Live acquisition* shows.

    Attributes
    ----------
    follow_asked : Signal
        Follow… was pressed.
    demo_asked : Signal
        Demo was pressed.
    stop_asked : Signal
        Stop was pressed.
    newest_toggled : Signal(bool)
        Whether the newest time point shall be shown.
    dropped : Signal(str)
        A folder was dropped on it.
    """

    follow_asked = Signal()
    demo_asked = Signal()
    stop_asked = Signal()
    newest_toggled = Signal(bool)
    dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLabel(self)
        self.dot = QLabel("●", self)
        self.line = ElidedLabel(self)
        self.buffer = QProgressBar(self)
        self.buffer.setRange(0, 100)
        self.buffer.setFixedHeight(4)
        self.buffer.setTextVisible(False)
        self.buffer.setStyleSheet(strip_sheet())
        self.buffer.setAccessibleName("Buffer")
        self.buffer_text = QLabel(self)
        self.buffer_text.setToolTip(
            "Frames in memory that are not on disk yet, of the most there may be"
        )
        self.newest = QCheckBox("Follow the newest time point", self)
        self.newest.setChecked(True)
        self.newest.setToolTip("Show each time point as soon as its first voxels come")
        self.newest.toggled.connect(self.newest_toggled)
        self.follow = self._button(
            "Follow…", "Choose a local OME-Zarr folder that is being written"
        )
        self.demo = self._button("Demo", "Simulate a microscope and follow it")
        self.stop = self._button("Stop", "Stop following; ends a demo, too")
        self.follow.clicked.connect(lambda _=False: self.follow_asked.emit())
        self.demo.clicked.connect(lambda _=False: self.demo_asked.emit())
        self.stop.clicked.connect(lambda _=False: self.stop_asked.emit())
        self.tasks = TaskStrip(task_board(), self)
        self._lay_out()
        self.show_state(LiveText())
        FileDrops(self, self._take_dropped)

    def _take_dropped(self, places: Sequence[str]) -> None:
        self.dropped.emit(places[0])

    def _lay_out(self) -> None:
        first, second, third = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for widget in (self.name, self.dot):
            first.addWidget(widget)
        first.addWidget(self.line, stretch=1)
        second.addWidget(self.buffer_text)
        second.addWidget(self.buffer, stretch=1)
        for button in (self.follow, self.demo, self.stop):
            third.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        for row in (first, second):
            column.addLayout(row)
        column.addWidget(self.newest)
        column.addLayout(third)
        column.addWidget(self.tasks)
        self.setMinimumWidth(300)
        # What stands below in the same column of docks gets the rest of the height.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        button.setAccessibleName(text)
        return button

    def show_state(self, text: LiveText) -> None:
        """Show how an acquisition is going.

        Parameters
        ----------
        text : LiveText
        """
        is_followed = bool(text.name)
        self.name.setText(f"<b>{text.name}</b>" if is_followed else "")
        self.name.setVisible(is_followed)
        self.dot.setVisible(is_followed)
        state = "stopped" if text.problem else text.state
        self.dot.setStyleSheet(f"color: {DOTS[state]}")
        self.line.say(text.words if is_followed else NOTHING)
        self.line.setToolTip(text.problem)
        has_buffer = text.buffer is not None and state == "growing"
        share = round(100 * (text.buffer or 0.0))
        self.buffer.setVisible(has_buffer)
        self.buffer_text.setVisible(has_buffer)
        self.buffer.setValue(share)
        self.buffer_text.setText(f"buffer {share} %")
        self.stop.setEnabled(is_followed and state == "growing")
        self.setAccessibleDescription(f"{text.name} {self.line.whole}")
