"""The row of a virtual detector: its kind, centre and radii, and two presets."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout
from qtpy.QtWidgets import QWidget as Widget

from brickfield.qt.panels.parts import NumberBox, quiet
from brickfield.qt.stem.page import narrow
from brickfield.qt.stem.shapes import KINDS, LEAST_PX, middle_of, of_kind
from brickfield.stem4d import Annulus, Detector, Disc, Rectangle

FIELDS = {
    "disc": ("cy", "cx", "r"),
    "annulus": ("cy", "cx", "r0", "r1"),
    "rectangle": ("y0", "y1", "x0", "x1"),
}
LABELS = {
    "disc": ("centre", "", "r"),
    "annulus": ("centre", "", "r", "to"),
    "rectangle": ("rows", "to", "columns", "to"),
}
TOOLTIPS = {
    "cy": "Row of the centre, detector pixels",
    "cx": "Column of the centre, detector pixels",
    "r": "Radius, detector pixels",
    "r0": "Inner radius, detector pixels",
    "r1": "Outer radius, detector pixels",
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
    kind : QComboBox
    boxes : list of NumberBox
        Of the four numbers that a detector has at most.
    """

    chosen = Signal(object)
    preset = Signal(str)

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
        self.labels = [QLabel(self) for _ in range(4)]
        self.boxes = [NumberBox("{:.1f}".format, n_chars=5) for _ in range(4)]
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
        # Two numbers a row: four beside each other are wider than a narrow dock.
        for pair in (slice(0, 2), slice(2, 4)):
            row = QHBoxLayout()
            for one, box in zip(self.labels[pair], self.boxes[pair], strict=True):
                row.addWidget(one)
                row.addWidget(box)
            row.addWidget(QLabel("px"))
            row.addStretch(1)
            column.addLayout(row)

    def follow(self, detector: Detector) -> None:
        """Show a detector."""
        if detector.kind not in FIELDS:
            return
        self.detector = detector
        with quiet(self.kind):
            self.kind.setCurrentText(detector.kind)
        names, texts = FIELDS[detector.kind], LABELS[detector.kind]
        for i, (one, box) in enumerate(zip(self.labels, self.boxes, strict=True)):
            is_used = i < len(names)
            box.setVisible(is_used)
            one.setVisible(is_used and bool(texts[i]))
            if is_used:
                one.setText(texts[i])
                box.setToolTip(TOOLTIPS[names[i]])
                box.setAccessibleName(TOOLTIPS[names[i]])
                box.follow(getattr(detector, names[i]))

    def _typed(self, i: int, value: float) -> None:
        old = self.detector
        if old is None:
            return
        values = {n: getattr(old, n) for n in FIELDS[old.kind]}
        name = FIELDS[old.kind][i]
        values[name] = max(value, LEAST_PX) if name == "r" else value
        if isinstance(old, Annulus):
            values["r0"] = max(values["r0"], 0.0)
            values["r1"] = max(values["r1"], values["r0"])
        kinds = {"disc": Disc, "annulus": Annulus, "rectangle": Rectangle}
        self._choose(kinds[old.kind](**values))

    def _change_kind(self) -> None:
        if self.detector is not None and self.detector.kind != self.kind.currentText():
            like = middle_of(self.detector)
            self._choose(of_kind(self.kind.currentText(), like, self.shape))

    def _choose(self, detector: Detector) -> None:
        self.follow(detector)
        self.chosen.emit(detector)
