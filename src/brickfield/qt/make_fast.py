"""The panel with the target of a pyramid and an estimate of its cost.

Invariant: what will be refused is said before the button can be pressed, with its
remedy; nothing is looked up on the window's thread. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.blockwise import format_bytes
from brickfield.model.units import duration
from brickfield.pyramid import Outlook
from brickfield.qt.background import Background
from brickfield.viewer.receipts import DOT

PAUSE_MS = 300
"""After the last letter, until the place is looked at."""


class MakeFastPanel(QWidget):
    """Where to write, what it takes, and two buttons.

    Parameters
    ----------
    look : callable
        Takes a place and returns its :class:`~brickfield.pyramid.outlook.Outlook`;
        called on another thread.
    measure : callable
        Returns the bytes of the source that come a second; on another thread.
    target : str
        Place that is offered.

    Attributes
    ----------
    asked : Signal
        Emits the target (str): it is to be written.
    place : QLineEdit
    words : QLabel
        What it takes, or why it is not possible.
    """

    asked = Signal(str)

    def __init__(
        self,
        look: Callable[[str], Outlook],
        measure: Callable[[], float],
        target: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._look = look
        self._rate: float | None = None
        self._outlook: Outlook | None = None
        self._background = Background()
        self._make_parts(target)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._look_now)
        self.place.textChanged.connect(self._soon)
        self._soon()
        self._look_now()
        self._background.run(measure, self._on_measured)
        self.destroyed.connect(self._background.close)

    def _make_parts(self, target: str) -> None:
        self.place = QLineEdit(target, self)
        self.place.setToolTip("New OME-Zarr folder with a pyramid of these data")
        self.place.setAccessibleName("Folder to write")
        self.place.setMinimumWidth(60)
        folder = QPushButton("Folder…", self)
        folder.setToolTip("Choose the folder in which it is made")
        folder.clicked.connect(self._choose_folder)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.start = QPushButton("Write it", self)
        self.start.clicked.connect(self._start)
        self.not_now = QPushButton("Not now", self)
        self.not_now.clicked.connect(self.hide)
        first, last = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.place, stretch=1)
        first.addWidget(folder)
        last.addStretch(1)
        for button in (self.start, self.not_now):
            button.setAutoDefault(False)
            last.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 4, 2)
        column.setSpacing(4)
        column.addLayout(first)
        column.addWidget(self.words)
        column.addLayout(last)

    # -- what it takes -----------------------------------------------------------

    def _soon(self) -> None:
        self._outlook = None
        self.start.setEnabled(False)
        self.words.setText("Looking at the place…")
        self._pause.start(PAUSE_MS)

    def _look_now(self) -> None:
        self._pause.stop()
        place = self.place.text().strip()
        if not place:
            self.words.setText("Name a new folder to write to")
            return

        def done(outlook: Outlook | None, error: BaseException | None) -> None:
            if place == self.place.text().strip():
                self._outlook = outlook
                self._show(str(error) if error is not None else "")

        self._background.run(lambda: self._look(place), done)

    def _on_measured(self, rate: float | None, _error: BaseException | None) -> None:
        self._rate = rate
        if self._outlook is not None:
            self._show("")

    def _show(self, problem: str) -> None:
        outlook = self._outlook
        refusal = problem or ("" if outlook is None else outlook.refusal)
        self.start.setEnabled(outlook is not None and not refusal)
        if refusal or outlook is None:
            self.words.setText(refusal)
            return
        self.start.setText("Go on" if outlook.is_resumed else "Write it")
        self.words.setText(foretold(outlook, self._rate))

    # -- actions of the user -----------------------------------------------------

    def _choose_folder(self) -> None:
        before = Path(self.place.text())
        dialog = QFileDialog(self, "Folder for the pyramid", str(before.parent))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(
            lambda folder: self.place.setText(str(Path(folder, before.name)))
        )
        dialog.open()

    def _start(self) -> None:
        if self._outlook is not None and not self._outlook.refusal:
            self.hide()
            self.asked.emit(str(self._outlook.target))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Begin with Enter, leave with Escape; the keys of napari are not for here."""
        if event.key() == Qt.Key.Key_Escape:
            self.hide()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.start.click()
        event.accept()


def foretold(outlook: Outlook, rate: float | None) -> str:
    """Return a text with what writing takes.

    Parameters
    ----------
    outlook : Outlook
    rate : float or None
        Source bytes per second; None while it is unknown.
    """
    parts = [f"at most {format_bytes(outlook.n_bytes)}"]
    if rate is not None:
        seconds = outlook.seconds(rate)
        about = "" if seconds < 1 else "about "
        parts.append(about + duration(seconds))
    parts.append(f"free there {format_bytes(outlook.free_bytes)}")
    text = DOT.join(parts)
    if outlook.is_resumed:
        text = f"An earlier run stopped there; this goes on with it. In all {text}"
    return text
