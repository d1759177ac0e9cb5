"""Centres of mass of the patterns, and what follows from how they move."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from brickfield.qt.panels.widgets import NumberBox
from brickfield.qt.stem.page import Page, narrow, words
from brickfield.qt.stem.session import COM, ScanSession

KINDS: dict[str, tuple[str, int | None]] = {
    "rows": ("com", 0),
    "columns": ("com", 1),
    "DPC magnitude": ("dpc", 0),
    "DPC angle": ("dpc", 1),
    "divergence": ("divergence", None),
    "iCOM": ("icom", None),
}
"""What is shown: kind, and which of two images."""
UNITS = {"rows": "px", "columns": "px", "DPC magnitude": "px", "DPC angle": "rad"}


class ComPage(Page):
    """Kind, pixels that count, and how the shifts are turned.

    Attributes
    ----------
    kind : QComboBox
    within, descan, is_auto, flip : QCheckBox
    rotation : NumberBox
        Degrees, where the angle is not found.
    show_it : QPushButton
    say : QLabel
    """

    title = "Centre of mass, DPC, iCOM"
    tooltip = "Centres of mass of the patterns, and what follows from how they move"

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.kind = QComboBox(self)
        self.kind.addItems(list(KINDS))
        self.kind.setAccessibleName("What is shown of the centres of mass")
        narrow(self.kind)
        self.within = QCheckBox("Within the detector", self)
        self.within.setToolTip("Only pixels of the virtual detector count; else all")
        self.descan = QCheckBox("Descan", self)
        self.descan.setToolTip("Subtract a plane from the centres first")
        self.is_auto = QCheckBox("Find rotation", self)
        self.is_auto.setToolTip(
            "Turn and mirror the shifts so that the least of their curl is left"
        )
        self.rotation = NumberBox("{:g}°".format, n_chars=6)
        self.rotation.setToolTip("Turn the shifts, degrees, columns towards rows")
        self.rotation.setAccessibleName("Rotation, degrees")
        self.flip = QCheckBox("Flip", self)
        self.flip.setToolTip("Mirror the rows of the shifts first")
        self.show_it = QPushButton("Show", self)
        self.say = words(self)
        self._lay_out()
        self.show_it.clicked.connect(self.show_image)
        self.kind.activated.connect(self._again)
        self.is_auto.toggled.connect(self._follow_auto)
        self.rotation.typed.connect(self._turned)
        session.pictured.connect(self._pictured)
        self._is_shown = False

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("Show"), 0, 0)
        grid.addWidget(self.kind, 0, 1)
        grid.addWidget(self.show_it, 0, 2)
        grid.addWidget(self.within, 1, 0, 1, 2)
        grid.addWidget(self.descan, 1, 2)
        grid.addWidget(self.is_auto, 2, 0, 1, 2)
        grid.addWidget(self.flip, 2, 2)
        grid.addWidget(QLabel("Turn"), 3, 0)
        grid.addWidget(self.rotation, 3, 1)
        grid.addWidget(self.say, 4, 0, 1, 3)
        grid.setColumnStretch(1, 1)

    def follow(self) -> None:
        """Say what there is to show."""
        is_open = self.session.viewer is not None
        self.show_it.setEnabled(is_open)
        if not is_open:
            self.say.setText("Open a scan first.")
        elif not self._is_shown:
            self.say.setText("All patterns are read once.")

    def _follow_auto(self, is_auto: bool) -> None:
        self.rotation.setEnabled(not is_auto)
        self.flip.setEnabled(not is_auto)

    def _turned(self, degrees: float) -> None:
        self.rotation.follow(degrees)
        self._again()

    def _again(self) -> None:
        if self._is_shown:
            self.show_image()

    def show_image(self) -> None:
        """Compute and show what is chosen."""
        kind, part = KINDS[self.kind.currentText()]
        turning: dict[str, Any] = {"descan": self.descan.isChecked()}
        if self.is_auto.isChecked():
            turning["rotation"] = "auto"
        else:
            turning["rotation"] = self.rotation.value or None
            turning["is_flipped"] = self.flip.isChecked() or None
        if self.within.isChecked():
            turning["detector"] = self.session.detector
        self._is_shown = True
        self.say.setText("Reading…")
        self.session.show_com(kind, part, **turning)

    def _pictured(self, role: str, image: Any, _is_whole: bool) -> None:
        if role == COM:
            unit = UNITS.get(self.kind.currentText(), "")
            low, high = float(image.min()), float(image.max())
            self.say.setText(f"From {low:.3g} to {high:.3g} {unit}".rstrip())
