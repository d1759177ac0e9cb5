"""The row of a virtual detector: its kind, its numbers, and two presets."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)
from qtpy.QtWidgets import QWidget as Widget

from brickfield.errors import BrickfieldError
from brickfield.qt.panels.widgets import NumberBox, quiet
from brickfield.qt.stem.page import narrow
from brickfield.qt.stem.shapes import KINDS, LEAST_PX, mask_of, middle_of, of_kind
from brickfield.sources.scans import AxisCalibration
from brickfield.stem4d import Annulus, Detector, Disc, Mask, Rectangle, Wedge

FIELDS = {
    "disc": ("cy", "cx", "r"),
    "annulus": ("cy", "cx", "r0", "r1"),
    "wedge": ("cy", "cx", "r0", "r1", "a0", "a1"),
    "mask": (),
    "rectangle": ("y0", "y1", "x0", "x1"),
}
MADE_OF = {
    "disc": Disc,
    "annulus": Annulus,
    "wedge": Wedge,
    "rectangle": Rectangle,
}
N_BOXES = 6
MASKS = "Masks (*.npy)"
LABELS = {
    "disc": ("centre", "", "r"),
    "annulus": ("centre", "", "r", "to"),
    "wedge": ("centre", "", "r", "to", "from", "to"),
    "mask": (),
    "rectangle": ("rows", "to", "columns", "to"),
}
TOOLTIPS = {
    "cy": "Row of the centre, detector pixels",
    "cx": "Column of the centre, detector pixels",
    "r": "Radius, detector pixels",
    "r0": "Inner radius, detector pixels",
    "r1": "Outer radius, detector pixels",
    "a0": "First angle, degrees: 0 along columns, turning towards rows",
    "a1": "Last angle, degrees",
    "y0": "First row",
    "y1": "Last row",
    "x0": "First column",
    "x1": "Last column",
}


class DetectorBar(Widget):
    """Kind and numbers of a detector.

    Attributes
    ----------
    chosen : Signal
        Emits a detector that the user chose.
    preset : Signal
        Emits ``"BF"`` or ``"ADF"``.
    refused : Signal
        Emits a sentence on a mask that cannot be used.
    kind : QComboBox
    boxes : list of NumberBox
        Of the six numbers that a detector has at most.
    step : QLabel
        Radii in the unit of the pattern's calibration.
    """

    chosen = Signal(object)
    preset = Signal(str)
    refused = Signal(str)

    def __init__(self, parent: Widget | None = None) -> None:
        super().__init__(parent)
        self.detector: Detector | None = None
        self.shape = (1, 1)
        self.kind = QComboBox(self)
        narrow(self.kind)
        self.kind.addItems(KINDS)
        self.kind.setToolTip("Shape of the virtual detector")
        self.kind.setAccessibleName("Detector")
        self.kind.activated.connect(self._change_kind)
        self.calibration: AxisCalibration | None = None
        self.labels = [QLabel(self) for _ in range(N_BOXES)]
        self.units = [QLabel("px", self), QLabel("px", self), QLabel("°", self)]
        self.boxes = [NumberBox("{:.1f}".format, n_chars=5) for _ in range(N_BOXES)]
        self.step = QLabel(self)
        self.load = QPushButton("Load…", self)
        self.load.setToolTip(
            "Take a mask, or weights, from a .npy file. Or paint in the mask's layer"
        )
        self.load.clicked.connect(self._load_mask)
        for i, box in enumerate(self.boxes):
            box.typed.connect(lambda value, i=i: self._typed(i, value))
        self.presets = {}
        for name, text in (("BF", "Bright field"), ("ADF", "Annular dark field")):
            button = QPushButton(name, self)
            button.setToolTip(f"{text}: fitted to the pattern that is shown")
            button.setMaximumWidth(48)
            button.clicked.connect(lambda _=False, name=name: self.preset.emit(name))
            self.presets[name] = button
        self._lay_out()
        self.follow(Disc(0, 0, 1))

    def _lay_out(self) -> None:
        first = QHBoxLayout()
        first.addWidget(QLabel("Detector"))
        first.addWidget(self.kind, stretch=1)
        for button in self.presets.values():
            first.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addLayout(first)
        # Two numbers per row: four beside each other are wider than a narrow dock.
        for i, unit in enumerate(self.units):
            row = QHBoxLayout()
            pair = slice(2 * i, 2 * i + 2)
            for one, box in zip(self.labels[pair], self.boxes[pair], strict=True):
                row.addWidget(one)
                row.addWidget(box)
            row.addWidget(unit)
            row.addStretch(1)
            column.addLayout(row)
        # A mask has no numbers: its button has their place.
        row = QHBoxLayout()
        row.addWidget(self.load)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.step)

    def open(self, shape: tuple[int, int], calibration: AxisCalibration) -> None:
        """Take a scan.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns of its patterns.
        calibration : AxisCalibration
            Of a detector axis.
        """
        self.shape, self.calibration = shape, calibration
        self._tell_step()

    def _tell_step(self) -> None:
        """Say radii in the unit of the calibration, where there is one."""
        axis, one = self.calibration, self.detector
        radii = [getattr(one, n) for n in ("r", "r0", "r1") if hasattr(one, n)]
        is_known = axis is not None and axis.unit != "px" and bool(radii)
        self.step.setVisible(is_known)
        if axis is not None and is_known:
            sizes = " to ".join(f"{r * abs(axis.size):.3g}" for r in radii)
            self.step.setText(f"radius {sizes} {axis.unit}")

    def follow(self, detector: Detector) -> None:
        """Show a detector."""
        if detector.kind not in FIELDS:
            return
        before = None if self.detector is None else self.detector.kind
        is_other = {before, self.kind.currentText()} != {detector.kind}
        self.detector = detector
        # A drag changes numbers alone, thirty times a second.
        if is_other:
            self._lay_out_kind(detector)
        for name, box in zip(FIELDS[detector.kind], self.boxes, strict=False):
            box.follow(getattr(detector, name))
        self._tell_step()

    def _lay_out_kind(self, detector: Detector) -> None:
        """Show the boxes and words of a kind."""
        with quiet(self.kind):
            self.kind.setCurrentText(detector.kind)
        self.load.setVisible(detector.kind == "mask")
        names, texts = FIELDS[detector.kind], LABELS[detector.kind]
        for i, (one, box) in enumerate(zip(self.labels, self.boxes, strict=True)):
            is_used = i < len(names)
            box.setVisible(is_used)
            one.setVisible(is_used and bool(texts[i]))
            if i % 2 == 0:
                self.units[i // 2].setVisible(is_used)
            if is_used:
                one.setText(texts[i])
                box.setToolTip(TOOLTIPS[names[i]])
                box.setAccessibleName(TOOLTIPS[names[i]])

    def _typed(self, i: int, value: float) -> None:
        old = self.detector
        if old is None:
            return
        values = {n: getattr(old, n) for n in FIELDS[old.kind]}
        name = FIELDS[old.kind][i]
        values[name] = max(value, LEAST_PX) if name == "r" else value
        if isinstance(old, Annulus | Wedge):
            values["r0"] = max(values["r0"], 0.0)
            values["r1"] = max(values["r1"], values["r0"])
        self._choose(MADE_OF[old.kind](**values))

    def _change_kind(self) -> None:
        old, kind = self.detector, self.kind.currentText()
        if old is None:
            return
        if old.kind == kind:
            return
        if kind == "mask":
            # The pixels of the detector before are what painting begins with.
            self._choose(mask_of(old, self.shape))
        else:
            h, w = self.shape
            middle = Disc((h - 1) / 2, (w - 1) / 2, max(min(h, w) / 8, LEAST_PX))
            like = middle if isinstance(old, Mask) else middle_of(old)
            self._choose(of_kind(kind, like, self.shape))

    def _load_mask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Mask of a detector", "", MASKS)
        if path:
            self.use_mask(path)

    def use_mask(self, path: str) -> None:
        """Take a mask, or weights, of the shape of a pattern from a ``.npy`` file."""
        import numpy as np

        try:
            mask = Mask.of(np.load(path, allow_pickle=False))
            mask.mask(self.shape)
        except (BrickfieldError, OSError, ValueError, EOFError) as error:
            self.refused.emit(str(error))
            if self.detector is not None:
                self.follow(self.detector)
            return
        self._choose(mask)

    def _choose(self, detector: Detector) -> None:
        self.follow(detector)
        self.chosen.emit(detector)
