"""The scan's shape, typed where the file does not say it or is wrong."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QWidget,
)

from brickfield.qt.panels.widgets import NumberBox, quiet
from brickfield.qt.stem.page import Page, words
from brickfield.qt.stem.session import ScanSession


class ShapePage(Page):
    """Lines, positions, frames to skip, and which scan of several.

    Attributes
    ----------
    lines, positions, skip, line_skip : NumberBox
    series : QSlider
        Which scan of a file that holds several; hidden where there is one.
    apply_it, detect : QPushButton
    follow_it : QPushButton
        Shows an acquisition as it is written; pressed while that goes on.
    say : QLabel
        How the shape was found, or why this one cannot be.
    """

    title = "Scan shape"
    tooltip = "How many lines and positions the scan has"

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        about = {
            "lines": "Lines of the scan",
            "positions": "Positions along a line",
            "skip": "Frames in front of the scan",
            "line_skip": "Frames after each line that belong to no position",
        }
        boxes = [NumberBox("{:.0f}".format, n_chars=6) for _ in about]
        for box, text in zip(boxes, about.values(), strict=True):
            box.setToolTip(text)
            box.setAccessibleName(text)
            box.typed.connect(lambda value, box=box: self._typed(box, value))
        self.lines, self.positions, self.skip, self.line_skip = boxes
        self._make_series()
        self.apply_it = QPushButton("Apply", self)
        self.apply_it.setToolTip("Open the file anew with this shape")
        self.apply_it.clicked.connect(self._apply)
        self.detect = QPushButton("Detect", self)
        self.detect.setToolTip("Open the file anew, and find the shape out")
        self.detect.clicked.connect(self._detect)
        self.follow_it = QPushButton("Follow", self)
        self.follow_it.setToolTip(
            "Show frames as they are written. The scan may need more than there are"
        )
        self.follow_it.setCheckable(True)
        self.follow_it.clicked.connect(self._follow_file)
        self.say = words(self)
        self._lay_out()
        session.opened.connect(self._opened)

    def _make_series(self) -> None:
        self.series, self.series_name = QSlider(Qt.Orientation.Horizontal), QLabel(self)
        self.series.setAccessibleName("Which scan of the file")
        self.series.setToolTip("Which scan of the file: a time, a tilt, a dataset")
        # Told when it is let go: every value opens the file anew.
        self.series.setTracking(False)
        self.series.valueChanged.connect(self._choose_series)
        for one in (self.series, self.series_name):
            one.setVisible(False)

    def _choose_series(self, number: int) -> None:
        self.session.reopen(series=number)

    def _follow_series(self, n: int) -> None:
        number = int(self.session.asked.get("series") or 0)
        with quiet(self.series):
            self.series.setRange(0, max(n - 1, 0))
            self.series.setValue(number)
        self.series_name.setText(f"series {number} of {n}, from 0")
        for one in (self.series, self.series_name):
            one.setVisible(n > 1)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("Lines"), 0, 0)
        grid.addWidget(self.lines, 0, 1)
        grid.addWidget(QLabel("Positions"), 0, 2)
        grid.addWidget(self.positions, 0, 3)
        grid.addWidget(QLabel("Skip first"), 1, 0)
        grid.addWidget(self.skip, 1, 1)
        grid.addWidget(QLabel("Per line"), 1, 2)
        grid.addWidget(self.line_skip, 1, 3)
        row = QHBoxLayout()
        row.addWidget(self.follow_it)
        row.addStretch(1)
        row.addWidget(self.detect)
        row.addWidget(self.apply_it)
        grid.addWidget(self.series_name, 2, 0, 1, 4)
        grid.addWidget(self.series, 3, 0, 1, 4)
        grid.addWidget(self.say, 4, 0, 1, 4)
        grid.addLayout(row, 5, 0, 1, 4)

    def _opened(self, _viewer: object) -> None:
        self.follow()

    def follow(self) -> None:
        """Show the open scan's shape."""
        viewer = self.session.viewer
        self.detect.setEnabled(viewer is not None)
        if viewer is None:
            self.apply_it.setEnabled(False)
            self.follow_it.setEnabled(False)
            self.say.setText("Open a scan first.")
            return
        self.follow_it.setEnabled(viewer.can_grow)
        self._follow_series(len(viewer.opened.series))
        grid = viewer.scan.grid
        boxes = (self.lines, self.positions, self.skip, self.line_skip)
        values = (grid.ny, grid.nx, grid.first, grid.line_skip)
        for box, value in zip(boxes, values, strict=True):
            box.follow(value)
        self.apply_it.setEnabled(False)
        self.follow_it.setChecked(self.session.is_following)
        if self.session.is_following:
            n_needed = grid.n_needed
            self.say.setText(f"Following: {n_needed} frames are expected.")
            return
        n, unused = viewer.opened.n_frames, viewer.opened.n_unused
        rest = f", {unused} of them unused" if unused else ""
        reason = viewer.scan.reason
        self.say.setText(f"{n} frames{rest}. {reason[:1].upper()}{reason[1:]}.")

    def _typed(self, box: NumberBox, value: float) -> None:
        box.follow(max(round(value), 0))
        viewer = self.session.viewer
        if viewer is None:
            return
        refusal = self._refusal(viewer.opened.n_frames)
        self.apply_it.setEnabled(not refusal)
        self.say.setText(refusal or "Apply opens the file anew.")

    def _refusal(self, n_frames: int) -> str:
        ny, nx, first, skip = self._values()
        if ny < 1 or nx < 1:
            return "Give one line and one position or more."
        needed = first + ny * (nx + skip) - skip
        if needed > n_frames:
            more = f"{needed} frames are needed, and there are {n_frames}."
            return f"{more} Follow waits for them."
        return ""

    def _values(self) -> tuple[int, int, int, int]:
        boxes = (self.lines, self.positions, self.skip, self.line_skip)
        ny, nx, first, skip = (int(box.value) for box in boxes)
        return ny, nx, first, skip

    def _apply(self) -> None:
        ny, nx, first, skip = self._values()
        self.session.reopen(scan=(ny, nx), skip_frames=first, line_skip=skip)

    def _follow_file(self, is_wanted: bool) -> None:
        if not is_wanted:
            self.session.leave_file()
            return
        ny, nx, first, skip = self._values()
        self.session.reopen(
            scan=(ny, nx),
            skip_frames=first,
            line_skip=skip,
            is_growing=True,
        )

    def _detect(self) -> None:
        self.session.reopen(scan=None, skip_frames=None, line_skip=None)
