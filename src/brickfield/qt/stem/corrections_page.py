"""Corrections of the detector: chosen here, applied as patterns are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QWidget,
)

from brickfield.qt.stem.page import Page, words
from brickfield.qt.stem.session import ScanSession

FILES = "Arrays and scans (*.npy *.tif *.tiff *.mib *.emd *.h5);;All files (*)"
NAMES = {"dead": "dead pixels", "dark": "dark", "gain": "gain"}


class CorrectionsPage(Page):
    """What is corrected, and from which files.

    Attributes
    ----------
    auto : QCheckBox
        Find dead and hot pixels.
    cross : QCheckBox
        Interpolate the cross between two by two chips.
    buttons : dict
        ``"dead"``, ``"dark"``, ``"gain"`` to the button that chooses its file.
    apply_it : QPushButton
    say : QLabel
        What is applied now.
    """

    title = "Corrections"
    tooltip = "Dead pixels, dark and gain of the detector"

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.files: dict[str, str | None] = dict.fromkeys(NAMES)
        self.auto = QCheckBox("Find dead and hot pixels", self)
        self.auto.setToolTip("Found in up to 512 patterns; replaced by a median")
        self.cross = QCheckBox("Cross between chips", self)
        self.cross.setToolTip("Interpolate the rows and columns between 2 × 2 chips")
        self.buttons = {}
        for name, text in NAMES.items():
            button = QPushButton(self)
            button.setToolTip(f"Choose the file of the {text}; again: none")
            button.clicked.connect(lambda _=False, name=name: self._choose(name))
            self.buttons[name] = button
        self.apply_it = QPushButton("Apply", self)
        self.apply_it.setToolTip("Open the file anew with these corrections")
        self.apply_it.clicked.connect(self._apply)
        self.say = words(self)
        self._lay_out()
        session.opened.connect(self._opened)
        self._name_buttons()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(self.auto, 0, 0)
        grid.addWidget(self.cross, 1, 0)
        row = QHBoxLayout()
        for button in self.buttons.values():
            button.setMinimumWidth(40)
            row.addWidget(button, stretch=1)
        grid.addLayout(row, 2, 0)
        grid.addWidget(self.say, 3, 0)
        last = QHBoxLayout()
        last.addStretch(1)
        last.addWidget(self.apply_it)
        grid.addLayout(last, 4, 0)

    def _opened(self, _viewer: object) -> None:
        self.follow()

    def follow(self) -> None:
        """Show what is applied to the open scan."""
        viewer = self.session.viewer
        self.apply_it.setEnabled(viewer is not None)
        if viewer is None:
            self.say.setText("Open a scan first.")
            return
        asked = self.session.asked
        self.auto.setChecked(asked.get("dead") == "auto")
        self.cross.setChecked(asked.get("cross") is not None)
        for name in NAMES:
            given = asked.get(name)
            self.files[name] = None if given in (None, "auto") else str(given)
        self._name_buttons()
        self.say.setText(f"Applied: {applied(viewer.opened.corrections)}.")

    def _name_buttons(self) -> None:
        for name, button in self.buttons.items():
            path = self.files[name]
            label = "dead" if name == "dead" else NAMES[name]
            button.setText(f"{label}…" if path is None else f"{label} ✓")
            button.setAccessibleName(f"File of the {NAMES[name]}")

    def _choose(self, name: str) -> None:
        if self.files[name] is not None:
            self.use(name, None)
            return
        title = f"File of the {NAMES[name]}"
        path, _ = QFileDialog.getOpenFileName(self, title, "", FILES)
        if path:
            self.use(name, path)

    def use(self, name: str, path: str | None) -> None:
        """Take a file for a correction; Apply applies it.

        Parameters
        ----------
        name : {"dead", "dark", "gain"}
        path : str or None
            None for no such correction.
        """
        self.files[name] = path
        if name == "dead" and path is not None:
            self.auto.setChecked(False)
        self._name_buttons()
        self.say.setText(
            f"{NAMES[name]}: {'none' if path is None else Path(path).name}. Apply opens"
            " the file anew."
        )

    def _apply(self) -> None:
        changes: dict[str, Any] = dict(self.files)
        if self.auto.isChecked():
            changes["dead"] = "auto"
        changes["cross"] = "auto" if self.cross.isChecked() else None
        self.session.reopen(**changes)


def applied(corrections: Any) -> str:
    """Say in a few words what is corrected."""
    if not corrections:
        return "nothing"
    rest = dict(corrections)
    dead = rest.pop("dead", None)
    found = [] if dead is None else [f"{dead['pixels']} dead pixels ({dead['from']})"]
    return ", ".join([*found, *rest])
