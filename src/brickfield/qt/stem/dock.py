"""The dock for scans of diffraction patterns.

From top to bottom: what is open and how its shape was found; what is shown of the
scan and of the patterns; the virtual detector; pages; running work. The pictures
themselves are shown by the owner of the dock, which follows :attr:`StemDock.session`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.controls.file_drops import FileDrops
from brickfield.qt.controls.section import Section
from brickfield.qt.panels.widgets import quiet
from brickfield.qt.reports.task_strip import TaskStrip
from brickfield.qt.reports.tasks import task_board
from brickfield.qt.stem.cache_page import CachePage
from brickfield.qt.stem.com_page import ComPage
from brickfield.qt.stem.convert_page import ConvertPage
from brickfield.qt.stem.corrections_page import CorrectionsPage
from brickfield.qt.stem.detector_bar import DetectorBar
from brickfield.qt.stem.fft_page import FFTPage
from brickfield.qt.stem.page import Page, narrow, words
from brickfield.qt.stem.saved import put_hands, state_of
from brickfield.qt.stem.session import (
    PATTERN,
    PATTERN_SOURCES,
    REAL_SPACE,
    VIRTUAL,
    ScanSession,
)
from brickfield.qt.stem.shape_page import ShapePage
from brickfield.qt.stem.shapes import bright_disc, dark_field
from brickfield.stem4d import Detector, FFTOptions, ScanViewer

FILES = "Scans (*.mib *.emd *.h5 *.hdf5 *.hdf *.nxs *.xml *.raw);;All files (*)"
PAGES = (ShapePage, ComPage, CorrectionsPage, FFTPage, ConvertPage, CachePage)
SURE, LIKELY = 0.9, 0.5
LEAST_WIDTH = 300
MARGINS = (0, 2, 0, 6)
"""Room round a page: left, top, right, bottom."""
INTRO = "Open a scan (.mib, .emd, .h5, EMPAD), or choose a layer that shows one."


class _KeepWidth(QObject):
    """Keeps a scroll area as wide as what it scrolls has to be."""

    def __init__(self, inner: QWidget, scroll: QScrollArea) -> None:
        super().__init__(scroll)
        self._scroll = scroll
        inner.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at an event and let it pass."""
        if event.type() == QEvent.Type.LayoutRequest and isinstance(watched, QWidget):
            bar = self._scroll.verticalScrollBar().sizeHint().width()
            least = watched.minimumSizeHint().width() + bar
            self._scroll.setMinimumWidth(max(least, LEAST_WIDTH))
        return False


class StemDock(QWidget):
    """Header, choices, detector, pages and running work of one scan.

    Attributes
    ----------
    session : ScanSession
    detector_chosen : Signal
        Emits a detector that was chosen here, not by :meth:`set_detector`.
    layer_wanted : Signal
        Emits when the user wants the scan of the chosen layer.
    """

    detector_chosen = Signal(object)
    layer_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = ScanSession()
        self.setMinimumWidth(LEAST_WIDTH)
        policy = QSizePolicy.Policy
        self.setSizePolicy(policy.Preferred, policy.Expanding)
        self._make_head()
        self._make_choices()
        self.detector_bar = DetectorBar(self)
        self.detector_bar.chosen.connect(self._choose_detector)
        self.detector_bar.preset.connect(self.use_preset)
        self.detector_bar.refused.connect(self.problem)
        self.state = words(self)
        self._lay_out()
        self._wants_detector = False
        self.session.opened.connect(self._opened)
        self.session.failed.connect(self.problem)
        self.session.pictured.connect(self._pictured)
        self._follow_enabled()
        FileDrops(self, self.open_dropped)
        # A function without the dock: Qt calls it when the dock is gone already.
        self.destroyed.connect(partial(_close, self.session))

    def _make_head(self) -> None:
        self.open_button = QPushButton("Open…", self)
        self.open_button.setToolTip("Open a scan from a file")
        self.open_button.clicked.connect(self._browse)
        self.layer_button = QPushButton("From layer", self)
        self.layer_button.setToolTip("Open the scan that the selected layer shows")
        self.layer_button.clicked.connect(self.layer_wanted)
        self.header = words(self)
        self.header.setText(INTRO)

    def _make_choices(self) -> None:
        self.real_space, self.pattern = QComboBox(self), QComboBox(self)
        narrow(self.real_space, self.pattern)
        self.real_space.addItems(list(REAL_SPACE))
        self.real_space.setAccessibleName("Real space")
        self.real_space.activated.connect(self._choose_real_space)
        self.pattern.addItems(PATTERN_SOURCES)
        self.pattern.setAccessibleName("Pattern")
        self.pattern.setToolTip(
            "At the cursor, of the region that is drawn on the scan, or of all positions"
        )
        self.pattern.activated.connect(self._choose_pattern)
        self.log = QCheckBox("Log", self)
        self.log.setToolTip("Show patterns as log(1 + value)")
        self.log.toggled.connect(self.session.set_log)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.open_button)
        head.addWidget(self.layer_button)
        head.addStretch(1)
        grid = QGridLayout()
        grid.addWidget(QLabel("Real space"), 0, 0)
        grid.addWidget(self.real_space, 0, 1, 1, 2)
        grid.addWidget(QLabel("Pattern"), 1, 0)
        grid.addWidget(self.pattern, 1, 1)
        grid.addWidget(self.log, 1, 2)
        grid.setColumnStretch(1, 1)
        inner = QWidget(self)
        body = QVBoxLayout(inner)
        body.setContentsMargins(4, 4, 4, 4)
        body.setSpacing(5)
        body.addLayout(head)
        body.addWidget(self.header)
        body.addLayout(grid)
        body.addWidget(self.detector_bar)
        body.addWidget(self.state)
        self.pages: dict[str, Any] = {}
        self.sections: dict[str, Section] = {}
        for kind in PAGES:
            body.addWidget(self._section(kind(self.session, inner)))
        self.pages[FFTPage.title].conversion_wanted.connect(self._convert_first)
        body.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(inner)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._keep_width = _KeepWidth(inner, scroll)
        self.strip = TaskStrip(task_board(), self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll, stretch=1)
        column.addWidget(self.strip)

    def _section(self, page: Page) -> Section:
        made = Section(page.title, page.tooltip, lambda: page, self, margins=MARGINS)
        self.pages[page.title], self.sections[page.title] = made.panel, made
        return made

    def _convert_first(self, options: FFTOptions) -> None:
        """Open the page of conversions; the transform follows the conversion."""
        self.sections[ConvertPage.title].is_open = True
        self.pages[ConvertPage.title].then_transform(options)

    # -- actions of the user -------------------------------------------------------

    def _browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open a scan", "", FILES)
        if path:
            self.session.open(path)

    def open_dropped(self, places: Sequence[str]) -> None:
        """Open the first of the files that were dropped on the dock.

        Parameters
        ----------
        places : sequence of str
        """
        self.session.open(places[0])

    def _choose_real_space(self) -> None:
        self.session.show_real_space(self.real_space.currentText())

    def _choose_pattern(self) -> None:
        source = self.pattern.currentText()
        if source == "of region" and self.session.region is None:
            self.state.setText("Draw a rectangle in the region layer on the scan.")
        self.session.pattern_source = source
        self.session.show_pattern()

    def _choose_detector(self, detector: Detector) -> None:
        self.set_detector(detector)
        self.detector_chosen.emit(detector)

    def set_detector(self, detector: Detector) -> None:
        """Show a detector's numbers and compute its image."""
        self.detector_bar.follow(detector)
        self.session.set_detector(detector)

    def use_preset(self, name: str) -> None:
        """Fit a detector to the pattern that is shown.

        Parameters
        ----------
        name : {"BF", "ADF"}
        """
        pattern = self.session.last_pattern
        if pattern is None:
            return
        disc = bright_disc(pattern)
        self._choose_detector(disc if name == "BF" else dark_field(disc, pattern.shape))

    # -- what the session says -----------------------------------------------------

    def _opened(self, viewer: ScanViewer) -> None:
        kept = kept_words(viewer, self.session.kept_in)
        self.header.setText(f"{header_of(viewer)} · {kept}")
        self.header.setToolTip(f"{viewer.path}\n{viewer.scan.reason}")
        self.state.setText("")
        self.detector_bar.open(viewer.shape[2:], viewer.calibration[2])
        with quiet(self.real_space, self.pattern):
            self.real_space.setCurrentIndex(0)
            self.pattern.setCurrentIndex(0)
        self._wants_detector = True
        self._follow_enabled()
        for page in self.pages.values():
            if page.is_open:
                page.follow()

    def _follow_enabled(self) -> None:
        is_open = self.session.viewer is not None
        for one in (self.real_space, self.pattern, self.log, self.detector_bar):
            one.setEnabled(is_open)

    def _pictured(self, role: str, _image: Any, is_whole: bool) -> None:
        if role == PATTERN:
            self.pattern.setCurrentText(self.session.pattern_source)
            if self._wants_detector:
                self._wants_detector = False
                self.use_preset("BF")
        if role == VIRTUAL:
            quick = self.session.quick
            shown = "preview" if quick is None else f"{quick.n} × {quick.n} px binned"
            self.state.setText(f"Virtual image: {'exact' if is_whole else shown}")

    def saved_state(self) -> dict[str, Any]:
        """Return the scan, its cursor, detector and region as plain values."""
        return state_of(self.session)

    def put_hands(self, saved: Mapping[str, Any]) -> Detector | None:
        """Take cursor, region and pattern as they were saved; return the detector.

        Parameters
        ----------
        saved : mapping
            As :meth:`saved_state` gives it.
        """
        return put_hands(self.session, saved)

    def problem(self, text: str) -> None:
        """Say what went wrong."""
        self.state.setText(text)

    def shutdown(self) -> None:
        """End all work and give files back; may be called twice."""
        self.session.close()


def _close(session: ScanSession, *_: object) -> None:
    session.close()


def kept_words(viewer: ScanViewer, place: Path | None) -> str:
    """Say where results are kept.

    Parameters
    ----------
    viewer : ScanViewer
    place : Path or None
        The file they go to.
    """
    if place is None:
        return "results are not kept"
    is_own = place == viewer.path
    return f"results are kept in {'it' if is_own else place.name}"


def header_of(viewer: ScanViewer) -> str:
    """Return one line: name, shape, data type, how the scan's shape was found."""
    found = viewer.scan
    shape = " × ".join(map(str, viewer.shape))
    sure = "sure" if found.confidence >= SURE else "likely"
    if found.confidence < LIKELY:
        sure = "a guess: check it"
    return f"{viewer.path.name} · {shape} {viewer.dtype} · scan from {found.found_from} ({sure})"
