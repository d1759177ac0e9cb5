"""The window with the options of an Imaris export and an estimate of its cost.

Invariant: what will be refused is said before Export can be pressed, with its remedy;
nothing is read on the window's thread. Closing the window while a file is written does
not stop that. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from qtpy.QtCore import Qt, QTimer, QUrl, Signal
from qtpy.QtGui import QColor, QDesktopServices, QIcon, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from brickfield.blockwise import format_bytes
from brickfield.imaris import ImarisOutlook
from brickfield.model.units import counted, duration
from brickfield.qt.background import Background
from brickfield.qt.icons import text_color
from brickfield.qt.reports.tasks import RunningTask
from brickfield.viewer.receipts import DOT

PAUSE_MS = 300
"""After the last change, until what it takes is looked at."""
NAME_PX = 120
"""Width of a channel's name."""
PER_ROW = 4
MOST_ROWS = 6
"""Of channels, until they are scrolled."""
REGIONS = ("whole", "box", "now")
_VALUES = {
    "as they are": "auto",
    "uint8, scaled by contrast": "uint8",
    "uint16": "uint16",
    "float32": "float32",
}


@dataclass(frozen=True)
class ImarisOffer:
    """What there is to choose from.

    Attributes
    ----------
    target : str
        File that is offered.
    channels : tuple of (str, str)
        Name and colour ("#rrggbb") of each.
    left_out : frozenset of int
        Channels that are not chosen unless the user does.
    n_times : int
    levels : tuple of str
        Of the source, as "6 × 30 × 40".
    has_box : bool
        Whether the view is cut by a clip box.
    """

    target: str
    channels: tuple[tuple[str, str], ...]
    n_times: int = 1
    levels: tuple[str, ...] = ("",)
    has_box: bool = False
    left_out: frozenset[int] = frozenset()


@dataclass(frozen=True)
class ImarisChoice:
    """The user's options of an export.

    Attributes
    ----------
    target : str
    channels : tuple of int
    times : (int, int)
        First and last time point.
    level : int
    region : {"whole", "box", "now"}
        All, the clip box of the view, or the time point on show.
    dtype, compression : str
    shuffle, overwrite : bool
    """

    target: str
    channels: tuple[int, ...]
    times: tuple[int, int]
    level: int
    region: str
    dtype: str
    compression: str
    shuffle: bool
    overwrite: bool


class ImarisDialog(QDialog):
    """What is exported, what it takes, and how far it is.

    Parameters
    ----------
    offer : ImarisOffer
    look : callable
        Takes an :class:`ImarisChoice`, returns an
        :class:`~brickfield.imaris.ImarisOutlook`; called on another thread.

    Attributes
    ----------
    asked : Signal
        Emits the choice (ImarisChoice): it is to be written.
    open_asked : Signal
        Emits the file (str) that is to be opened.
    words : QLabel
        What it takes, why it is not possible, or the result.
    """

    asked = Signal(object)
    open_asked = Signal(str)

    def __init__(
        self,
        offer: ImarisOffer,
        look: Callable[[ImarisChoice], ImarisOutlook],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export to Imaris")
        self.setMinimumWidth(460)
        self._look = look
        self._background = Background()
        # napari's window takes the dialog with it without closing it.
        self.destroyed.connect(self._background.close)
        self._running: RunningTask | None = None
        self._written = ""
        self._column = QVBoxLayout(self)
        self._make_place(offer)
        self._make_extent(offer)
        self._make_region(offer)
        self._make_values()
        self._make_end()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._look_now)
        self._clock = QTimer(self)
        self._clock.setInterval(200)
        self._clock.timeout.connect(self._show_progress)
        self._follow_changes()
        self._soon()

    # -- parts -------------------------------------------------------------------

    def _row(self, *parts: QWidget | str) -> None:
        row = QHBoxLayout()
        for part in parts:
            row.addWidget(QLabel(part, self) if isinstance(part, str) else part)
        row.addStretch(1)
        self._column.addLayout(row)

    def _make_place(self, offer: ImarisOffer) -> None:
        self.place = QLineEdit(offer.target, self)
        self.place.setAccessibleName("File to write")
        self.place.setToolTip("File to write, NAME.ims")
        folder = QPushButton("File…", self)
        folder.clicked.connect(self._choose_file)
        row = QHBoxLayout()
        row.addWidget(self.place, stretch=1)
        row.addWidget(folder)
        self._column.addLayout(row)
        self.overwrite = QCheckBox("Replace the file that is there", self)
        self._row(self.overwrite)

    def _make_extent(self, offer: ImarisOffer) -> None:
        self.channels = [self._channel_box(*channel) for channel in offer.channels]
        for number in offer.left_out:
            self.channels[number].setChecked(False)
        self._column.addWidget(self._channel_table())
        last = offer.n_times - 1
        self.first, self.last = QSpinBox(self), QSpinBox(self)
        for spin, name in ((self.first, "First"), (self.last, "Last")):
            spin.setRange(0, last)
            spin.setEnabled(last > 0)
            spin.setAccessibleName(f"{name} time point")
        self.last.setValue(last)
        self.level = QComboBox(self)
        for number, shape in enumerate(offer.levels):
            self.level.addItem(f"{number}: {shape}" if shape else str(number))
        self.level.setToolTip("Level of the source that becomes the finest of the file")
        self._row("Time", self.first, "…", self.last, "Level", self.level)

    def _channel_box(self, name: str, color: str) -> QCheckBox:
        # Shortened in its middle: channels often differ at the end of their names.
        middle = Qt.TextElideMode.ElideMiddle
        text = self.fontMetrics().elidedText(name, middle, NAME_PX)
        box = QCheckBox(text.replace("&", "&&"), self)
        box.setToolTip(name)
        box.setAccessibleName(name)
        patch = QPixmap(10, 10)
        patch.fill(QColor(color))
        box.setIcon(QIcon(patch))
        box.setChecked(True)
        return box

    def _channel_table(self) -> QWidget:
        table = QWidget(self)
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("Channels", table), 0, 0)
        for number, box in enumerate(self.channels):
            row, column = divmod(number, PER_ROW)
            grid.addWidget(box, row, column + 1)
        grid.setColumnStretch(PER_ROW + 1, 1)
        n_rows = -(-len(self.channels) // PER_ROW)
        if n_rows <= MOST_ROWS:
            return table
        area = QScrollArea(self)
        area.setWidget(table)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        height = table.sizeHint().height() * MOST_ROWS // n_rows
        area.setFixedHeight(height)
        bar = area.verticalScrollBar().sizeHint().width()
        # The theme of napari, which comes later, makes boxes a little wider.
        area.setMinimumWidth(table.sizeHint().width() + bar + 8 * PER_ROW)
        return area

    def _make_region(self, offer: ImarisOffer) -> None:
        texts = ("whole", "clip box of the view", "this time point")
        self.regions = [QRadioButton(text, self) for text in texts]
        self.regions[0].setChecked(True)
        self.regions[1].setEnabled(offer.has_box)
        if not offer.has_box:
            self.regions[1].setToolTip("Turn on a clip box in the panel Clip first")
        self.regions[2].setEnabled(offer.n_times > 1)
        self._row("Region", *self.regions)

    def _make_values(self) -> None:
        self.values, self.compression = QComboBox(self), QComboBox(self)
        self.values.addItems(list(_VALUES))
        self.compression.addItems(["gzip", "lz4", "none"])
        self.compression.setToolTip("lz4 needs Imaris 9.6 or later")
        self.shuffle = QCheckBox("Shuffle", self)
        self.shuffle.setToolTip("Smaller and faster, for Imaris 9.6 or later")
        self._row("Values", self.values, "Compression", self.compression, self.shuffle)

    def _make_end(self) -> None:
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        # A refusal has more lines than the foretelling; the window must not jump.
        self.words.setMinimumHeight(4 * self.fontMetrics().lineSpacing())
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.words.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction
        )
        self.words.linkActivated.connect(self._on_link)
        self.bar = QProgressBar(self)
        self.bar.hide()
        self._column.addWidget(self.words)
        self._column.addWidget(self.bar)
        self._column.addStretch(1)
        self.cancel = QPushButton("Cancel", self)
        self.cancel.clicked.connect(self._cancel)
        self.start = QPushButton("Export", self)
        self.start.setDefault(True)
        self.start.clicked.connect(self._start)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.cancel)
        row.addWidget(self.start)
        self._column.addLayout(row)

    def _follow_changes(self) -> None:
        self.place.textChanged.connect(self._soon)
        for box in (*self.channels, *self.regions, self.shuffle, self.overwrite):
            box.toggled.connect(self._soon)
        for spin in (self.first, self.last):
            spin.valueChanged.connect(self._soon)
        for combo in (self.level, self.values, self.compression):
            combo.currentIndexChanged.connect(self._soon)

    # -- what it takes -----------------------------------------------------------

    @property
    def choice(self) -> ImarisChoice:
        """What is chosen now."""
        region = next(
            name
            for name, button in zip(REGIONS, self.regions, strict=True)
            if button.isChecked()
        )
        return ImarisChoice(
            target=self.place.text().strip(),
            channels=tuple(i for i, b in enumerate(self.channels) if b.isChecked()),
            times=(self.first.value(), self.last.value()),
            level=self.level.currentIndex(),
            region=region,
            dtype=_VALUES[self.values.currentText()],
            compression=self.compression.currentText(),
            shuffle=self.shuffle.isChecked(),
            overwrite=self.overwrite.isChecked(),
        )

    def _soon(self, *_: object) -> None:
        if self._running is not None:
            return
        self.start.setEnabled(False)
        self.words.setText("Looking at a few blocks…")
        self._pause.start(PAUSE_MS)

    def _look_now(self) -> None:
        choice = self.choice
        problem = self._problem(choice)
        if problem:
            self.words.setText(problem)
            return

        def done(outlook: ImarisOutlook, error: BaseException | None) -> None:
            if choice == self.choice and self._running is None:
                refusal = str(error) if error is not None else outlook.refusal
                self.start.setEnabled(not refusal)
                self.words.setText(refusal or foretold(outlook))

        self._background.run(lambda: self._look(choice), done)

    def _problem(self, choice: ImarisChoice) -> str:
        if not choice.target:
            return "Name a file that ends in .ims"
        if not choice.channels:
            return "Choose at least one channel"
        if choice.times[0] > choice.times[1]:
            return "The first time point comes after the last one: change one of them"
        return ""

    # -- writing -----------------------------------------------------------------

    def follow(self, running: RunningTask) -> None:
        """Show how far the work is until :meth:`tell` is called."""
        self._running = running
        self.start.setEnabled(False)
        self.cancel.setText("Stop")
        self.bar.show()
        self._clock.start()
        self._show_progress()

    def tell(self, written: str, problem: str = "") -> None:
        """Say what came of it.

        Parameters
        ----------
        written : str
            File that was written and read back; empty if there is none.
        problem : str
            Why there is none.
        """
        self._running, self._written = None, written
        self._clock.stop()
        self.bar.hide()
        self.cancel.setText("Close")
        self.words.setText(problem)
        if written:
            name = Path(written).name.replace("&", "&amp;").replace("<", "&lt;")
            # Qt's own blue cannot be read on dark windows.
            style = f"style='color: {text_color(self.words).name()}'"
            self.words.setText(
                f"Written and read back: {name}{DOT}<a {style} href='open'>open it</a>"
                f"{DOT}<a {style} href='folder'>show folder</a>"
            )

    def _show_progress(self) -> None:
        if self._running is None:
            return
        task = self._running.task
        self.bar.setRange(0, 0 if task.share is None else 1000)
        self.bar.setValue(round(1000 * (task.share or 0.0)))
        self.words.setText(DOT.join(t for t in (task.title, task.text) if t))

    # -- actions of the user -----------------------------------------------------

    def _start(self) -> None:
        if self.start.isEnabled():
            self.asked.emit(self.choice)

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()
        else:
            self.close()

    def _on_link(self, link: str) -> None:
        if link == "open":
            self.open_asked.emit(self._written)
        else:
            folder = str(Path(self._written).absolute().parent)
            QDesktopServices.openUrl(QUrl.fromLocalFile(folder))

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Imaris file", self.place.text())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter("Imaris (*.ims)")
        dialog.setDefaultSuffix("ims")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_file)
        dialog.open()

    def _take_file(self, path: str) -> None:
        # The system's window has asked whether it may be replaced.
        self.overwrite.setChecked(Path(path).exists())
        self.place.setText(path)

    def done(self, result: int) -> None:
        """Close; nothing is looked at any more."""
        self._background.close()
        self._pause.stop()
        self._clock.stop()
        super().done(result)


def foretold(outlook: ImarisOutlook) -> str:
    """Return a text with what an export takes."""
    kept = "as they are" if outlook.is_same else "changed to it"
    seconds = "1 s" if outlook.seconds < 1 else duration(outlook.seconds)
    levels = counted(outlook.n_levels, "level")
    first = DOT.join(
        (
            f"{format_bytes(outlook.n_source_bytes)} → about"
            f" {format_bytes(outlook.n_bytes)}, {levels}",
            f"free here {format_bytes(outlook.free_bytes)}",
            f"about {seconds}",
        )
    )
    scratch = "not needed"
    if outlook.scratch_bytes:
        scratch = f"up to {format_bytes(outlook.scratch_bytes)} beside the file"
    lines = [first, f"Values {outlook.dtype}, {kept}{DOT}Scratch folder: {scratch}"]
    return "\n".join([*lines, *(f"Note: {note}" for note in outlook.notes)])
