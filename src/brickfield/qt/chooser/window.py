"""The window in which images of one file are chosen; it blocks nothing.

Invariant: what the buttons will open is said beside them, by name and number, before
they are pressed. Closing the window ends all reading for it. Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtGui import QCloseEvent, QKeyEvent
from qtpy.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from brickfield.model.units import counted
from brickfield.qt.chooser.images import ImageList
from brickfield.qt.chooser.plate import PlateTable
from brickfield.qt.chooser.reading import ImageReading, Look
from brickfield.qt.reports.status import ElidedLabel
from brickfield.sources.images import Catalogue, ImageEntry

LARGEST_WIDTH = 840
"""Width that the window takes by itself, pixels."""
SAID_MS = 8000
"""How long it is said what came of a wish."""
MOST_AT_ONCE = 24
"""Images that are opened together; each has a layer or more."""


class ImageChooser(QDialog):
    """Wells of a plate with pictures, or a list of images.

    Parameters
    ----------
    uri : str
        What was opened.
    title : str
        What to call it.
    reading : dict, optional
        How it is read, as for :class:`~brickfield.sources.images.catalogue.Catalogue`.
    shown : str
        Name of the image that is shown; it is chosen first.

    Attributes
    ----------
    add_asked, replace_asked : Signal
        Emit the names (list of str) of images to open beside, or in place of, the
        images of this file that are shown.
    plate : PlateTable or None
        None while, or where, there is none.
    images : ImageList
        All images, or the fields of the well under the cursor.
    """

    add_asked = Signal(list)
    replace_asked = Signal(list)

    def __init__(
        self,
        uri: str,
        title: str,
        *,
        reading: dict[str, Any] | None = None,
        shown: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Images of {title}")
        self.setMinimumWidth(300)
        self.resize(520, 600)
        self._shown = shown
        self._n_wells = 0
        self.plate: PlateTable | None = None
        self.reading = ImageReading(uri, reading or {}, self)
        self.headline = QLabel("Reading the list of images…", self)
        self.headline.setWordWrap(True)
        self.images = ImageList(self.reading, self)
        self.splitter = QSplitter(Qt.Orientation.Vertical, self)
        self.splitter.addWidget(self.images)
        self.splitter.setChildrenCollapsible(False)
        self.summary = ElidedLabel(self)
        self._said = QTimer(self)
        self._said.setSingleShot(True)
        self._said.timeout.connect(self._show_choice)
        self._make_buttons()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(self.headline)
        column.addWidget(self.splitter, stretch=1)
        column.addWidget(self.summary)
        column.addLayout(self._buttons)
        self.images.itemSelectionChanged.connect(self._show_choice)
        self.images.opened.connect(self._add)
        self.reading.listed.connect(self._on_listed)
        self.reading.looked.connect(self._on_looked)
        self.reading.failed.connect(self._on_failed)
        self._show_choice()
        self.reading.start()

    def _make_buttons(self) -> None:
        self.add = QPushButton("Add", self)
        self.add.setToolTip("Open as further layers (Enter)")
        self.add.clicked.connect(self._add)
        self.replace = QPushButton("Show instead", self)
        self.replace.setToolTip("Open in place of what is shown of this file")
        self.replace.clicked.connect(self._replace)
        close = QPushButton("Close", self)
        close.clicked.connect(self.close)
        self._buttons = QHBoxLayout()
        for button in (self.add, self.replace, close):
            # Enter belongs to the list; a button has it only when it has the focus.
            button.setAutoDefault(False)
            self._buttons.addWidget(button)

    # -- what there is -----------------------------------------------------------

    def _on_listed(self, catalogue: Catalogue, entries: Sequence[ImageEntry]) -> None:
        plate = catalogue.plate
        if plate is None:
            self.headline.setText(counted(len(entries), "image"))
            self.images.show_entries(entries)
            self.images.choose(self._shown)
            self.images.setFocus()
            return
        self._n_wells, n = len(plate.wells), len(plate.columns)
        self.plate = PlateTable(plate, self.reading, self)
        self.plate.wells_changed.connect(self._follow_well)
        self.plate.opened.connect(self._add)
        self.splitter.insertWidget(0, self.plate)
        self.splitter.setStretchFactor(0, 3)
        self.splitter.setStretchFactor(1, 1)
        self.resize(min(LARGEST_WIDTH, max(self.width(), 80 + 30 * n)), self.height())
        self.splitter.setSizes([3 * self.height() // 4, self.height() // 4])
        well = self._shown.rpartition("/")[0] or plate.wells[0].path
        self.plate.choose(well)
        self.plate.setFocus()
        self._say_progress()

    def _on_looked(self, name: str, _look: Look) -> None:
        if self.plate is None:
            return
        if name == self.plate.current:
            self._follow_well()
        self._say_progress()

    def _on_failed(self, sentence: str) -> None:
        self.headline.setText(sentence)

    def _say_progress(self) -> None:
        assert self.plate is not None
        text = f"Plate of {counted(self._n_wells, 'well')}"
        seen = self.plate.looks()
        n_absent = sum(not look.entries for look in seen)
        if n_absent:
            text += f" · {n_absent} of them without data"
        if self.reading.n_waiting:
            text += f" · {len(seen)} read"
        self.headline.setText(text)

    def _follow_well(self) -> None:
        """List the fields of the well under the cursor."""
        assert self.plate is not None
        well = self.plate.current
        look = self.reading.look_at(well) if well else None
        if look is None:
            if well:
                self.reading.want_well(well)
            self._show_choice()
            return
        first = look.entries[0].name if look.entries else ""
        self.images.show_entries(look.entries, {first: look} if first else {})
        self._show_choice()

    # -- what is chosen ----------------------------------------------------------

    @property
    def chosen(self) -> list[str]:
        """Names of what the buttons open."""
        fields = self.images.chosen
        if self.plate is None:
            return fields
        wells, current = self.plate.chosen, self.plate.current
        inside = [f.removeprefix(f"{current}/") for f in fields]
        # A well that was not read yet opens its first field.
        return [f"{well}/{f}" if f else well for well in wells for f in inside or [""]]

    def _show_choice(self) -> None:
        names = self.chosen
        n = len(names)
        text = f"Chosen: {', '.join(names)}" if n else "Choose one or more"
        if n > 1:
            text = f"Chosen: {n} images, {', '.join(names)}"
        if n > MOST_AT_ONCE:
            text = f"{n} images are chosen; at most {MOST_AT_ONCE} open at once"
        # What came of the last wish is read before the choice is told again: fields
        # of a well that arrive now change the choice without an action of the user.
        if not self._said.isActive():
            self.summary.say(text)
        for button in (self.add, self.replace):
            button.setEnabled(0 < n <= MOST_AT_ONCE)

    def _add(self) -> None:
        if self.add.isEnabled():
            self.add_asked.emit(self.chosen)

    def _replace(self) -> None:
        if self.replace.isEnabled():
            self.replace_asked.emit(self.chosen)

    def say(self, sentence: str) -> None:
        """Say what came of it, for a while."""
        self.summary.say(sentence)
        self._said.start(SAID_MS)

    # -- the window --------------------------------------------------------------

    def bring_up(self) -> None:
        """Show the window, on top."""
        self.show()
        self.raise_()
        self.activateWindow()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Close with Escape; Enter is for the lists."""
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Read nothing more."""
        self.reading.close()
        super().closeEvent(event)
