"""The FFT explorer: compute, go on with, and look at transforms of a scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from brickfield.blockwise import format_bytes
from brickfield.qt.reports.tasks import RunningTask
from brickfield.qt.stem.page import Page, narrow, words
from brickfield.qt.stem.session import FFT, ScanSession
from brickfield.qt.stem.slots import Show, Wish
from brickfield.stem4d import (
    ChunkedFFTProcessor,
    FFTOptions,
    LazyFFTAccessor,
    share_done,
)

LIVE = "of the pattern"
MODES = {LIVE: "", "each pattern": "detector", "along the scan": "scan", "4D": "4d"}
PARTS = ("log", "amplitude", "phase", "real", "imag")
NO_PLACE = "A stored FFT needs an EMD file: convert this scan first."


class FFTPage(Page):
    """Mode, part and Compute.

    Attributes
    ----------
    mode, part : QComboBox
    half : QCheckBox
    compute, show_it : QPushButton
    say : QLabel
        The size of what would be computed, or what is there.
    """

    title = "FFT explorer"

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
        self.half = QCheckBox("half spectrum", self)
        self.half.setToolTip("Half the disk space; the other half follows from it")
        self.compute = QPushButton("Compute", self)
        self.show_it = QPushButton("Show", self)
        self.show_it.setToolTip("Show the transform at the cursor, beside the others")
        self.show_it.setCheckable(True)
        self.say = words(self)
        self.mode.currentIndexChanged.connect(self.follow)
        self.part.currentIndexChanged.connect(self.show_spectrum)
        self.half.toggled.connect(self.follow)
        self.compute.clicked.connect(self._compute)
        self.show_it.toggled.connect(self.show_spectrum)
        session.cursor_moved.connect(self._moved)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("FFT"), 0, 0)
        grid.addWidget(self.mode, 0, 1, 1, 2)
        grid.addWidget(self.half, 1, 0, 1, 2)
        grid.addWidget(self.compute, 1, 2)
        grid.addWidget(QLabel("as"), 2, 0)
        grid.addWidget(self.part, 2, 1)
        grid.addWidget(self.show_it, 2, 2)
        grid.addWidget(self.say, 3, 0, 1, 3)
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
        self.half.setVisible(options is not None)
        self.half.setEnabled(options is not None and options.mode != "scan")
        self.compute.setVisible(options is not None)
        self.compute.setEnabled(False)
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

            self.session.slot("fft state").want(
                Wish("Looking for transforms", job, self._tell)
            )

    def _tell(self, state: tuple[str, str]) -> None:
        button, text = state
        self.compute.setText(button or "Compute")
        self.compute.setEnabled(bool(button) and not self.session.slot("fft").is_busy)
        self.say.setText(text)
        if not button and text != NO_PLACE:
            self.show_spectrum()

    def _compute(self) -> None:
        viewer, options = self.session.viewer, self.options
        if viewer is None or options is None:
            return

        def job(task: RunningTask, _show: Show) -> Any:
            processor = ChunkedFFTProcessor(viewer.cache, options)
            return processor.compute_and_store_fft(task.tell, task.cancelled)

        self.compute.setEnabled(False)
        title = f"FFT of {self.session.name}"
        self.session.slot("fft").want(
            Wish(title, job, lambda _: None, on_end=self.follow)
        )

    def _moved(self, *_: int) -> None:
        self.show_spectrum()

    def show_spectrum(self) -> None:
        """Show the transform at the cursor, if that is wanted."""
        viewer, at = self.session.viewer, self.session.cursor
        mode, part = MODES[self.mode.currentText()], self.part.currentText()
        if viewer is None or not self.show_it.isChecked():
            return

        def job(_task: RunningTask, _show: Show) -> Any:
            if not mode:
                values = np.fft.fftshift(np.fft.fft2(viewer.frame(*at)))
                return part_of(values, part)
            with LazyFFTAccessor(viewer.cache, mode) as stored:
                return part_of(np.fft.fftshift(stored[at]), part)

        def done(image: Any) -> None:
            if viewer is self.session.viewer:
                self.session.pictured.emit(FFT, image, True)

        self.session.slot(FFT + " shown").want(Wish("Reading the FFT", job, done))


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


def _state(viewer: Any, options: FFTOptions) -> tuple[str, str]:
    """Return the word on the button, empty where there is none, and a sentence."""
    cache = viewer.cache
    if cache.find(options.item, **options.params()) is not None:
        return "", "Kept with the scan."
    if cache.target is None:
        return "", NO_PLACE
    size = format_bytes(ChunkedFFTProcessor(cache, options).plan().n_bytes)
    done = share_done(cache, options)
    if done is not None:
        return "Resume", f"{size}, {100 * done:.0f} % done before."
    return "Compute", f"Takes {size}, in {cache.target.name}."
