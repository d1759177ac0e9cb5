"""Buttons, name, note, recent sessions and what is offline.

Invariant: the panel only emits what the user requests; its owner acts,
and sets what it shows. Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QButtonGroup,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from brickfield.model.units import counted
from brickfield.qt.controls.file_drops import FileDrops
from brickfield.qt.reports.strip import Strip
from brickfield.qt.reports.task_strip import TaskStrip
from brickfield.qt.reports.tasks import task_board

_PATH = Qt.ItemDataRole.UserRole
_NOTE_LINES = 3
_RECENT_LINES = 12


@dataclass(frozen=True)
class RecentSession:
    """One line of the list.

    Attributes
    ----------
    path : Path
    text : str
        Name, when it was saved, how many layers.
    is_there : bool
    picture : ndarray or None, shape (h, w, 3), uint8
    """

    path: Path
    text: str
    is_there: bool = True
    picture: NDArray[np.uint8] | None = None


class SessionsPanel(QWidget):
    """What the dock *Sessions* shows.

    Attributes
    ----------
    save_asked : Signal
        Save session was pressed.
    load_asked : Signal
        Load session was pressed.
    data_asked : Signal
        Load test data was pressed.
    benchmark_asked : Signal
    recent_chosen : Signal(str)
        A session of the list was chosen.
    find_asked : Signal
        Find… was pressed.
    pack_asked : Signal
        Pack… was pressed.
    dropped : Signal(str)
        A file or folder was dropped on it.
    """

    save_asked = Signal()
    load_asked = Signal()
    data_asked = Signal()
    benchmark_asked = Signal()
    recent_chosen = Signal(str)
    find_asked = Signal()
    pack_asked = Signal()
    dropped = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.save = self._button("Save session", "Save everything in this window")
        self.load = self._button("Load session", "Open a session, or a picture's scene")
        self.test_data = self._button("Load test data", "Open .zarr, .tif or .npy data")
        self.benchmark = self._button("Benchmark", "Measure how fast this machine is")
        self.pack = self._button(
            "Pack…", "Write the open session with all its voxels: one folder to hand on"
        )
        self.pack.setEnabled(False)
        for button, signal in (
            (self.save, self.save_asked),
            (self.load, self.load_asked),
            (self.test_data, self.data_asked),
            (self.pack, self.pack_asked),
            (self.benchmark, self.benchmark_asked),
        ):
            button.clicked.connect(lambda _=False, s=signal: s.emit())
        self.offline = Strip("Find…", self)
        self.offline.button.setToolTip(
            "Choose where the data are now; all that moved with them are found, too"
        )
        self.offline.pressed.connect(self.find_asked)
        self.tasks = TaskStrip(task_board(), self)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addLayout(self._buttons())
        column.addLayout(self._form())
        column.addWidget(QLabel("Recent sessions", self))
        column.addWidget(self._recent())
        column.addWidget(self.offline)
        column.addWidget(self.tasks)
        column.addStretch(1)
        FileDrops(self, self._take_dropped)

    def _take_dropped(self, places: Sequence[str]) -> None:
        self.dropped.emit(places[0])

    # -- what was chosen ---------------------------------------------------------

    @property
    def session_name(self) -> str:
        """The name that was typed."""
        return str(self.name.text()).strip()

    @property
    def note_text(self) -> str:
        """The note that was typed."""
        return str(self.note.toPlainText()).strip()

    @property
    def mode(self) -> str:
        """``"reference"`` or ``"embed"``."""
        return "embed" if self.with_voxels.isChecked() else "reference"

    # -- what is shown -----------------------------------------------------------

    def show_recent(self, sessions: Sequence[RecentSession]) -> None:
        """Fill the list of recent sessions; what is gone cannot be chosen."""
        self.recent.clear()
        for one in sessions:
            text = one.text if one.is_there else f"{one.text} (not there any more)"
            item = QListWidgetItem(text)
            item.setData(_PATH, str(one.path))
            item.setToolTip(str(one.path))
            if one.picture is not None:
                item.setIcon(_icon(one.picture))
            if not one.is_there:
                item.setFlags(Qt.ItemFlag.NoItemFlags)
            self.recent.addItem(item)

    def show_offline(self, names: Sequence[str], n_layers: int | None = None) -> None:
        """Name the data of layers that are drawn from previews.

        Parameters
        ----------
        names : sequence of str
            Of files or folders that are not there.
        n_layers : int, optional
            Layers that show them; one for each name by default.
        """
        if not names:
            self.offline.say("")
            return
        layers = counted(len(names) if n_layers is None else n_layers, "layer")
        self.offline.say(f"{layers} offline, preview shown: {', '.join(names)}")

    def show_session(self, name: str, note: str, mode: str = "reference") -> None:
        """Show the name and note of a session that was loaded.

        Parameters
        ----------
        name, note : str
        mode : {"reference", "embed"}
        """
        self.name.setText(name)
        self.note.setPlainText(note)
        (self.with_voxels if mode == "embed" else self.reference).setChecked(True)

    # -- parts -------------------------------------------------------------------

    def _button(self, text: str, hint: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(hint)
        button.setAccessibleName(text)
        return button

    def _buttons(self) -> QVBoxLayout:
        rows = QVBoxLayout()
        for pair in ((self.save, self.load), (self.test_data, self.benchmark)):
            row = QHBoxLayout()
            for button in pair:
                row.addWidget(button)
            rows.addLayout(row)
        return rows

    def _form(self) -> QFormLayout:
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("embryo 7, day 3")
        self.name.setToolTip("Name of the session; the folder is proposed after it")
        self.note = QTextEdit(self)
        self.note.setAcceptRichText(False)
        for field in (self.name, self.note):
            field.setAcceptDrops(
                False
            )  # a session that is dropped there is opened, too
        self.note.setPlaceholderText("What is to be seen, and why")
        self.note.setToolTip("A note, kept with the session")
        self.note.setTabChangesFocus(True)
        height = self.note.fontMetrics().lineSpacing() * (_NOTE_LINES + 1)
        self.note.setFixedHeight(height)
        self.reference = QRadioButton("reference", self)
        self.reference.setToolTip("Name the data where they are: done in a moment")
        self.with_voxels = QRadioButton("with voxels", self)
        self.with_voxels.setToolTip("Copy all voxels: one folder to hand on")
        self.reference.setChecked(True)
        modes = QButtonGroup(self)
        row = QHBoxLayout()
        for button in (self.reference, self.with_voxels):
            modes.addButton(button)
            row.addWidget(button)
        row.addStretch(1)
        row.addWidget(self.pack)
        form = QFormLayout()
        form.addRow("Name", self.name)
        form.addRow("Note", self.note)
        form.addRow("Data", row)
        return form

    def _recent(self) -> QListWidget:
        self.recent = QListWidget(self)
        self.recent.setAccessibleName("Recent sessions")
        self.recent.setToolTip("Double-click opens a session")
        self.recent.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred
        )
        line = self.recent.fontMetrics().lineSpacing()
        self.recent.setIconSize(QSize(2 * line, 2 * line))
        self.recent.setMinimumHeight(2 * line)
        self.recent.setMaximumHeight(_RECENT_LINES * line)
        self.recent.itemActivated.connect(
            lambda item: self.recent_chosen.emit(str(item.data(_PATH)))
        )
        return self.recent


def _icon(picture: NDArray[np.uint8]) -> QIcon:
    """Make an icon of a picture, shape (h, w, 3), uint8."""
    pixels = np.ascontiguousarray(picture)
    height, width = pixels.shape[:2]
    kind = QImage.Format.Format_RGB888
    # The array goes, so the icon has a copy.
    image = QImage(pixels.data, width, height, 3 * width, kind).copy()
    return QIcon(QPixmap.fromImage(image))
