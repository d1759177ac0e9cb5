"""Converts the open scan to EMD while everything else goes on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError
from brickfield.qt.reports.tasks import RunningTask
from brickfield.qt.stem.estimate import about, conversion_seconds
from brickfield.qt.stem.fft_page import start_transform
from brickfield.qt.stem.page import Page, narrow, words
from brickfield.qt.stem.session import ScanSession
from brickfield.qt.stem.slots import Show, SlotRequest
from brickfield.sources.io import may_write
from brickfield.stem4d import ConvertOptions, FFTOptions, ScanViewer, convert_scan

COMPRESSIONS = ("none", "gzip", "lz4")


class ConvertPage(Page):
    """Target, compression and overviews of a conversion.

    Attributes
    ----------
    target : QLineEdit
    compression : QComboBox
    overviews, opens : QCheckBox
    say : QLabel
        Its size and the room there is, or why it cannot be written.
    start : QPushButton
    """

    title = "Convert to EMD"
    tooltip = "Write the scan as an EMD file, with overviews"

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.target = QLineEdit(self)
        self.target.setAccessibleName("File to write")
        self.target.setToolTip("The EMD file to write; the source is only read")
        self.target.textChanged.connect(self._estimate)
        self.browse = QToolButton(self)
        self.browse.setText("…")
        self.browse.setAccessibleName("Choose the file to write")
        self.browse.clicked.connect(self._browse)
        self.compression = QComboBox(self)
        self.compression.addItems(COMPRESSIONS)
        self.compression.setAccessibleName("Compression")
        self.compression.currentIndexChanged.connect(self._estimate)
        self.compression.setToolTip(
            "none: fastest. gzip: every program reads it. lz4: small and fast; other"
            " programs need hdf5plugin"
        )
        self.overviews = QCheckBox("Overviews", self)
        self.overviews.setToolTip("Compute and store overviews in the same pass")
        self.overviews.setChecked(True)
        self.opens = QCheckBox("Then open it", self)
        self.opens.setChecked(True)
        self.then_fft = QCheckBox("Then the FFT", self)
        self.then_fft.setToolTip("Compute the transform that was asked for, in it")
        self.then_fft.setVisible(False)
        self._known: dict[tuple[str, str, str], float] = {}
        self._transform: FFTOptions | None = None
        self._expected: tuple[Path, FFTOptions] | None = None
        session.opened.connect(self._opened)
        self.say = words(self)
        self.start = QPushButton("Convert", self)
        self.start.clicked.connect(self._convert)
        self._lay_out()

    def _lay_out(self) -> None:
        first, second = QHBoxLayout(), QHBoxLayout()
        narrow(self.compression)
        first.addWidget(self.target, stretch=1)
        first.addWidget(self.browse)
        second.addWidget(self.compression, stretch=1)
        second.addWidget(self.overviews)
        third = QHBoxLayout()
        third.addWidget(self.opens)
        third.addWidget(self.then_fft)
        third.addStretch(1)
        third.addWidget(self.start)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.say)
        column.addLayout(third)

    def then_transform(self, options: FFTOptions) -> None:
        """Offer a transform of the converted file, once it is there."""
        self._transform = options
        self.then_fft.setVisible(True)
        self.then_fft.setChecked(True)

    def follow(self) -> None:
        """Propose a file beside the scan."""
        viewer = self.session.viewer
        if viewer is not None:
            beside = viewer.path.with_suffix(".emd")
            if beside == viewer.path:
                beside = viewer.path.with_name(f"{viewer.path.stem}-copy.emd")
            if not may_write(beside.parent):
                beside = Path.cwd() / beside.name
            self.target.setText(str(beside))
        self._estimate()

    def _estimate(self) -> None:
        viewer = self.session.viewer
        refusal = "Open a scan first." if viewer is None else self._refusal(viewer)
        self.start.setEnabled(not refusal and not self.session.slot("convert").is_busy)
        if refusal or viewer is None:
            self.say.setText(refusal)
            return
        need, free = self._need(viewer), self._free()
        text = f"{format_bytes(need)} uncompressed · free there {format_bytes(free)}"
        self.say.setText(text)
        if self.is_open:
            self._estimate_time(viewer, text)

    def _estimate_time(self, viewer: ScanViewer, text: str) -> None:
        """Say how long it takes, once that is found out on a thread."""
        folder = Path(self.target.text().strip()).parent
        compression = self.compression.currentText()
        asked = (str(viewer.path), str(folder), compression)
        known = self._known.get(asked)
        if known is not None:
            self.say.setText(f"{about(known)} · {text}")
            return

        def job(_task: RunningTask, _show: Show) -> float | None:
            try:
                return conversion_seconds(viewer, folder, compression)
            except (BrickfieldError, OSError):
                return None  # the conversion itself will say what is wrong

        def done(seconds: float | None) -> None:
            if seconds is None:
                return
            self._known[asked] = seconds
            if self.say.text() == text:
                self.say.setText(f"{about(seconds)} · {text}")

        self.session.slot("estimate").submit(SlotRequest("Estimating", job, done))

    def _refusal(self, viewer: ScanViewer) -> str:
        where = Path(self.target.text().strip())
        if where.suffix.lower() not in (".emd", ".h5", ".hdf5"):
            return "Choose a file that ends in .emd, .h5 or .hdf5."
        if not where.parent.is_dir():
            return f"There is no folder {where.parent}: choose another."
        if where.exists():
            return f"{where.name} is there already: choose another name."
        if not may_write(where.parent):
            return f"{where.parent} may not be written to: choose another folder."
        need, free = self._need(viewer), self._free()
        if need > free and self.compression.currentText() == "none":
            return (
                f"{format_bytes(need)} are needed and {format_bytes(free)} are free:"
                " choose a compression or another disk."
            )
        return ""

    @staticmethod
    def _need(viewer: ScanViewer) -> int:
        n = viewer.dtype.itemsize
        for length in viewer.shape:
            n *= length
        return n

    def _free(self) -> int:
        return shutil.disk_usage(Path(self.target.text().strip()).parent).free

    def _browse(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Convert to EMD", self.target.text(), "EMD (*.emd *.h5 *.hdf5)"
        )
        if path:
            self.target.setText(path)

    def _convert(self) -> None:
        viewer = self.session.viewer
        if viewer is None or self._refusal(viewer):
            self._estimate()
            return
        source, where = viewer.path, self.target.text().strip()
        compression = self.compression.currentText()
        overviews = self.overviews.isChecked()
        options = ConvertOptions(opening=viewer.opening)

        def job(task: RunningTask, _show: Show) -> Any:
            return convert_scan(
                source,
                where,
                compression,
                overviews,
                progress=task.tell,
                cancel=task.cancelled,
                options=options,
            )

        self.start.setEnabled(False)
        title = f"Converting {source.name}"
        self.session.slot("convert").submit(
            SlotRequest(title, job, self._done, on_end=self._ended)
        )

    def _done(self, result: Any) -> None:
        if not result.is_complete:
            return
        wanted = self._transform if self.then_fft.isChecked() else None
        self._transform = None
        self.then_fft.setVisible(False)
        self._expected = None if wanted is None else (Path(result.path), wanted)
        if self.opens.isChecked() or wanted is not None:
            self.session.open(result.path)

    def _opened(self, viewer: ScanViewer) -> None:
        """Begin the transform of a scan that was converted for it."""
        expected, self._expected = self._expected, None
        if expected is not None and viewer.path == expected[0]:
            start_transform(self.session, expected[1], lambda: None)

    def _ended(self) -> None:
        self._estimate()
        where = Path(self.target.text().strip())
        part = where.with_name(f".{where.name}.part")
        if part.exists():
            self.say.setText(f"{self.say.text()} · interrupted: Convert goes on")
