"""The FFT explorer: compute, go on with, and look at transforms of a scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError
from brickfield.qt.panels.widgets import NumberBox
from brickfield.qt.reports.tasks import RunningTask
from brickfield.qt.stem.estimate import about, transform_seconds
from brickfield.qt.stem.page import Page, narrow, words
from brickfield.qt.stem.session import FFT, VIRTUAL, ScanSession
from brickfield.qt.stem.slots import Show, SlotRequest, Told
from brickfield.stem4d import (
    ChunkedFFTProcessor,
    FFTOptions,
    LazyFFTAccessor,
    share_done,
)

SMALL_PX = 128
"""Side of the small picture, pixels."""
LIVE = "of the pattern"
MODES = {LIVE: "", "each pattern": "detector", "along the scan": "scan", "4D": "4d"}
PARTS = ("log", "amplitude", "phase", "real", "imag")
OVER = ("over the detector", "over the scan")
NO_PLACE = "A stored FFT needs an EMD file: convert this scan first."
READ_ONLY = "This file's folder may not be written to: convert it to another one."
NOWHERE = (NO_PLACE, READ_ONLY)
"""Why a transform cannot be stored; a conversion helps."""


class FFTPage(Page):
    """Mode, part and Compute.

    Attributes
    ----------
    mode, part : QComboBox
    half : QCheckBox
    compute, show_it : QPushButton
    conversion_wanted : Signal
        Emits the options of a transform that needs an EMD file first.
    frequency : list of NumberBox
        Row and column of the frequency that is looked at, from 0 in the middle: of
        the scan, or of the detector.
    over : QComboBox
        Which frequencies the picture shows.
    say : QLabel
        The size of what would be computed and its time, or what is there.
    small : QLabel
        The transform of the virtual image, as that changes.
    """

    title = "FFT explorer"
    tooltip = "Transforms of a scan that is larger than memory"
    conversion_wanted = Signal(object)

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.mode, self.part = QComboBox(self), QComboBox(self)
        self.mode.addItems(list(MODES))
        self.mode.setAccessibleName("Transform")
        self.mode.setToolTip(
            "of the pattern: computed as you look. Others are stored with the scan"
        )
        narrow(self.mode, self.part)
        self.part.addItems(PARTS)
        self.part.setAccessibleName("Part of the spectrum")
        self.half = QCheckBox("Half spectrum", self)
        self.half.setToolTip("Half the disk space; the other half follows from it")
        self.compute = QPushButton("Compute", self)
        self.show_it = QPushButton("Show", self)
        self.show_it.setToolTip("Show the transform at the cursor, beside the others")
        self.show_it.setCheckable(True)
        self.say = words(self)
        self._make_small()
        self._has_place, self._is_kept = True, False
        self.mode.currentIndexChanged.connect(self.follow)
        self.part.currentIndexChanged.connect(self.show_spectrum)
        self.half.toggled.connect(self.follow)
        self.compute.clicked.connect(self._compute)
        self.show_it.toggled.connect(self.show_spectrum)
        session.cursor_moved.connect(self._moved)
        self._make_frequency()
        self._lay_out()

    def _make_small(self) -> None:
        self.small, self.small_name = (
            QLabel(self),
            QLabel("FFT of the\nvirtual image", self),
        )
        self.small.setFixedSize(SMALL_PX, SMALL_PX)
        self.small.setAccessibleName("FFT of the virtual image")
        self.small.setToolTip(
            "log(1 + amplitude) of the virtual image's transform, frequency 0 in the"
            " middle; it follows the detector"
        )
        self._virtual: Any = None
        for one in (self.small, self.small_name):
            one.setVisible(False)
        self.session.pictured.connect(self._pictured)
        self.session.opened.connect(self._forget_virtual)

    def _forget_virtual(self, _viewer: object) -> None:
        self._virtual = None
        for one in (self.small, self.small_name):
            one.setVisible(False)

    def _pictured(self, role: str, image: Any, _is_whole: bool) -> None:
        if role == VIRTUAL:
            self._virtual = image
            if self.is_open:
                self._show_small()

    def _show_small(self) -> None:
        """Transform the virtual image on a thread, and show it in the page."""
        image = self._virtual
        if image is None:
            return

        def job(_task: RunningTask, _show: Show) -> Any:
            return small_spectrum(np.asarray(image), SMALL_PX)

        self.session.slot("fft of virtual").submit(
            SlotRequest("FFT of the virtual image", job, self._paint_small)
        )

    def _paint_small(self, grey: Any) -> None:
        rows, columns = grey.shape
        picture = QImage(
            grey.tobytes(), columns, rows, columns, QImage.Format.Format_Grayscale8
        )
        keep = Qt.AspectRatioMode.KeepAspectRatio
        pixmap = QPixmap.fromImage(picture.copy()).scaled(SMALL_PX, SMALL_PX, keep)
        self.small.setPixmap(pixmap)
        for one in (self.small, self.small_name):
            one.setVisible(True)

    def _make_frequency(self) -> None:
        self.over = QComboBox(self)
        self.over.addItems(OVER)
        self.over.setToolTip("Frequencies that the picture shows, at one of the other")
        self.over.setAccessibleName("Frequencies of the picture")
        narrow(self.over)
        self.over.activated.connect(self.show_spectrum)
        self.at = QLabel(self)
        self.frequency = [NumberBox("{:.0f}".format, n_chars=4) for _ in range(2)]
        for box, name in zip(self.frequency, ("Row", "Column"), strict=True):
            box.setToolTip(f"{name} of the frequency, 0 in the middle of the spectrum")
            box.setAccessibleName(f"{name} of the frequency")
            box.typed.connect(lambda value, box=box: self._typed(box, value))

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("FFT"), 0, 0)
        grid.addWidget(self.mode, 0, 1, 1, 2)
        grid.addWidget(self.half, 1, 0, 1, 2)
        grid.addWidget(self.compute, 1, 2)
        grid.addWidget(QLabel("As"), 2, 0)
        grid.addWidget(self.part, 2, 1)
        grid.addWidget(self.show_it, 2, 2)
        grid.addWidget(self.over, 3, 0, 1, 3)
        row = QHBoxLayout()
        row.addWidget(self.at)
        for box in self.frequency:
            row.addWidget(box)
        row.addStretch(1)
        grid.addLayout(row, 4, 0, 1, 3)
        grid.addWidget(self.say, 5, 0, 1, 3)
        live = QHBoxLayout()
        live.addWidget(self.small)
        live.addWidget(self.small_name)
        live.addStretch(1)
        grid.addLayout(live, 6, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    @property
    def options(self) -> FFTOptions | None:
        """What would be computed; None for what is computed as one looks."""
        mode = MODES[self.mode.currentText()]
        half = self.half.isChecked() and mode != "scan"
        return FFTOptions(mode, half) if mode else None

    def follow(self) -> None:
        """Say what is there of the chosen transform, and what it would take."""
        viewer, options = self.session.viewer, self.options
        self._show_small()
        has_cursor = options is not None and options.mode != "detector"
        for one in (self.over, self.at, *self.frequency):
            one.setVisible(has_cursor)
        self.half.setVisible(options is not None)
        self.half.setEnabled(options is not None and options.mode != "scan")
        self.compute.setVisible(options is not None)
        self.compute.setEnabled(False)
        self._is_kept = False  # not before that is looked up
        if viewer is None:
            self.say.setText("Open a scan first.")
        elif options is None:
            self.say.setText("The pattern at the cursor, transformed as you look.")
            self.show_spectrum()
        else:
            self.say.setText("Looking…")
            wanted = options

            def job(_task: RunningTask, _show: Show) -> Any:
                return _state(viewer, wanted)

            self.session.slot("fft state").submit(
                SlotRequest("Looking for transforms", job, self._tell)
            )

    def _tell(self, state: tuple[str, str]) -> None:
        button, text = state
        self._has_place = text not in NOWHERE
        if not self._has_place:
            button = "Convert…"
        self.compute.setText(button or "Compute")
        self.compute.setEnabled(bool(button) and not self.session.slot("fft").is_busy)
        self.say.setText(text)
        self._is_kept = not button
        if self._is_kept:
            self.show_spectrum()

    def _compute(self) -> None:
        viewer, options = self.session.viewer, self.options
        if viewer is None or options is None:
            return

        if not self._has_place:
            self.conversion_wanted.emit(options)
            return
        self.compute.setEnabled(False)
        start_transform(self.session, options, self.follow)

    def _typed(self, box: NumberBox, value: float) -> None:
        box.follow(round(value))
        self.show_spectrum()

    def _moved(self, *_: int) -> None:
        self.show_spectrum()

    def show_spectrum(self) -> None:
        """Show the transform at the cursor, if that is wanted."""
        viewer, at = self.session.viewer, self.session.cursor
        mode, part = MODES[self.mode.currentText()], self.part.currentText()
        over = self.over.currentText()
        shifted = tuple(round(box.value) for box in self.frequency)
        self.at.setText("at scan" if over == OVER[0] else "at detector")
        if viewer is None or not self.show_it.isChecked():
            return
        if mode and not self._is_kept:
            return  # the page says what there is to compute

        def job(_task: RunningTask, _show: Show) -> Any:
            if not mode:
                values = np.fft.fftshift(np.fft.fft2(viewer.frame(*at)))
                return part_of(values, part)
            with LazyFFTAccessor(viewer.cache, mode) as stored:
                if mode == "detector":
                    return part_of(np.fft.fftshift(stored[at]), part)
                return part_of(plane_of(stored, mode, over, shifted), part)

        def done(image: Any) -> None:
            if viewer is self.session.viewer:
                self.session.pictured.emit(FFT, image, True)

        self.session.slot(FFT + " shown").submit(
            SlotRequest("Reading the FFT", job, done)
        )


def start_transform(
    session: ScanSession, options: FFTOptions, on_end: Callable[[], object]
) -> None:
    """Compute a transform of the open scan, in the background, and keep it with it.

    Parameters
    ----------
    session : ScanSession
    options : FFTOptions
    on_end : callable
        Called with nothing when it ended in any way.
    """
    viewer = session.viewer
    if viewer is None:
        return
    cache = viewer.cache

    def job(task: RunningTask, _show: Show) -> Any:
        processor = ChunkedFFTProcessor(cache, options)
        told = Told(task)
        return processor.compute_and_store_fft(
            told.progress, task.cancelled, told.on_wait
        )

    title = f"FFT of {session.name}"
    session.slot("fft").submit(SlotRequest(title, job, lambda _: None, on_end=on_end))


def plane_of(stored: Any, mode: str, over: str, at: tuple[int, ...]) -> Any:
    """Return the frequencies of two axes at one of the other two.

    Parameters
    ----------
    stored : LazyFFTAccessor
        Of the mode ``"4d"`` or ``"scan"``.
    mode : str
    over : str
        One of :data:`OVER`.
    at : tuple of int
        Row and column of the frequency that is kept, 0 in the middle; one beyond the
        ends is taken for that at the end.

    Returns
    -------
    ndarray, shape (rows, columns), complex
        The frequency 0 is in the middle; of the mode ``"scan"`` detector pixels stand
        as they are.
    """
    is_detector = over == OVER[0]
    lengths = stored.shape[:2] if is_detector else stored.shape[2:]
    has_zero = is_detector or mode == "4d"
    picked = [
        min(max(value, -(n // 2)), (n - 1) // 2) % n
        if has_zero
        else min(max(value, 0), n - 1)
        for value, n in zip(at, lengths, strict=True)
    ]
    if is_detector:
        plane = stored[picked[0], picked[1]]
        return plane if mode == "scan" else np.fft.fftshift(plane)
    return np.fft.fftshift(stored[:, :, picked[0], picked[1]])


def part_of(values: Any, part: str) -> Any:
    """Return a real part of complex values.

    Parameters
    ----------
    values : ndarray, complex
    part : {"log", "amplitude", "phase", "real", "imag"}
        ``"log"`` is the logarithm of 1 + the amplitude.

    Returns
    -------
    ndarray, float32
    """
    functions: dict[str, Callable[[Any], Any]] = {
        "log": lambda v: np.log1p(np.abs(v)),
        "amplitude": np.abs,
        "phase": np.angle,
        "real": np.real,
        "imag": np.imag,
    }
    return functions[part](values).astype(np.float32)


def small_spectrum(image: Any, most: int) -> Any:
    """Return the logarithm of an image's spectrum as grey values.

    Parameters
    ----------
    image : ndarray, shape (rows, columns)
        What is no number counts as 0.
    most : int
        Longest side of the result, pixels; longer ones are cut to low frequencies.

    Returns
    -------
    ndarray, shape (rows, columns), uint8
        Frequency 0, of the mean, in the middle, and left out.
    """
    values = np.nan_to_num(image.astype(np.float32), posinf=0, neginf=0)
    spectrum = np.fft.fftshift(np.fft.fft2(values - values.mean()))
    amount = np.log1p(np.abs(spectrum))
    for axis, n in enumerate(amount.shape):
        first = max(0, n // 2 - most // 2)
        amount = amount.take(range(first, min(n, first + most)), axis=axis)
    low, high = float(amount.min()), float(amount.max())
    share = np.clip((amount - low) / max(high - low, 1e-12), 0, 1)
    return np.ascontiguousarray(np.round(share * 255).astype(np.uint8))


def _state(viewer: Any, options: FFTOptions) -> tuple[str, str]:
    """Return the word on the button, empty where there is none, and a sentence."""
    cache = viewer.cache
    if cache.find(options.item, **options.params()) is not None:
        return "", "Kept with the scan."
    if cache.target is None:
        return "", READ_ONLY if viewer.opened.dataset else NO_PLACE
    plan = ChunkedFFTProcessor(cache, options).plan()
    size = format_bytes(plan.n_bytes)
    done = share_done(cache, options)
    if done is not None:
        return "Resume", f"{size}, {100 * done:.0f} % done before."
    n_bytes = plan.n_bytes * (2 if plan.has_second_pass else 1)
    try:
        seconds = transform_seconds(viewer, cache.target.parent, n_bytes)
    except (BrickfieldError, OSError):
        return "Compute", f"Takes {size}, in {cache.target.name}."
    return "Compute", f"{size}, {about(seconds)}, in {cache.target.name}."
