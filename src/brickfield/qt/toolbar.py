"""The row of controls above the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from brickfield.qt.layouts import LAYOUTS
from brickfield.qt.view_frame import ViewFrame

if TYPE_CHECKING:
    from brickfield.qt.dock import ViewDock


class DockToolbar(QWidget):
    """Mode, fit, layout.

    Parameters
    ----------
    dock : ViewDock
    """

    def __init__(self, dock: ViewDock) -> None:
        super().__init__(dock)
        self._dock = dock
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self.mode = QComboBox(self)
        self.mode.addItems(
            [
                "mip",
                "minip",
                "average",
                "attenuated_mip",
                "iso",
                "translucent",
                "additive",
            ]
        )
        self.mode.setToolTip("How a ray becomes a pixel; for all image layers")
        self.mode.textActivated.connect(self._choose_mode)
        layout.addWidget(self.mode)
        self.fit = QToolButton(self)
        self.fit.setText("Fit")
        self.fit.setToolTip("Show everything (F)")
        self.fit.clicked.connect(self._fit)
        layout.addWidget(self.fit)
        self.layouts = QComboBox(self)
        self.layouts.addItems(list(LAYOUTS))
        self.layouts.textActivated.connect(dock.set_layout)
        layout.addWidget(self.layouts)
        layout.addStretch(1)

    def watch(self, frame: ViewFrame) -> None:
        """Act on this view too."""

    def follow_layout(self, name: str) -> None:
        """Show which layout there is."""
        self.layouts.setCurrentText(name)

    def _choose_mode(self, mode: str) -> None:
        self._dock.main_view.mode = mode

    def _fit(self) -> None:
        for view in self._dock.views:
            view.fit()
