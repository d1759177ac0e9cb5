"""Light and depth, in one row: what of it matters in the active layer's mode."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QWidget

from brickfield.model.appearance import BY_DEPTH_MODES
from brickfield.qt.host import Host
from brickfield.qt.panels.widgets import quiet

LIT_MODES = (*BY_DEPTH_MODES, "translucent")
"""Modes in which the row is of use."""


class LightRow(QWidget):
    """Writes to all views of the dock.

    Parameters
    ----------
    host : Host
    parent : QWidget
    """

    def __init__(self, host: Host, parent: QWidget) -> None:
        super().__init__(parent)
        self._host = host
        self.setToolTip("How volumes are lit, in all views of the dock; not slices")
        self.raking = QCheckBox("Raking", self)
        self.raking.setToolTip(
            "Light from the upper left besides the light from the eye: shows relief"
        )
        self.shading = QCheckBox("Shading", self)
        self.shading.setToolTip(
            "Shade where values change, as if there were surfaces; slower"
        )
        self.depth = QCheckBox("Depth as colour", self)
        self.depth.setToolTip(
            "Yellow is near, blue is far; brightness tells the value, and the layer's"
            " own colours go"
        )
        self.raking.toggled.connect(self._set_raking)
        self.shading.toggled.connect(self._set_shading)
        self.depth.toggled.connect(self._set_depth)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for box in (self.shading, self.raking, self.depth):
            row.addWidget(box)
        row.addStretch(1)

    def follow(self, mode: str) -> None:
        """Show what the views have, as far as it matters in a mode."""
        lighting = self._host.main_view.lighting
        with quiet(self.raking, self.shading, self.depth):
            self.raking.setChecked(lighting.light == "raking")
            self.shading.setChecked(lighting.shading)
            self.depth.setChecked(lighting.depth_colour)
        is_lit = mode == "iso" or (mode == "translucent" and lighting.shading)
        self.raking.setVisible(is_lit)
        self.shading.setVisible(mode == "translucent")
        self.depth.setVisible(mode in BY_DEPTH_MODES)

    def _set_raking(self, value: bool) -> None:
        for view in self._host.views:
            view.light = "raking" if value else "headlight"

    def _set_shading(self, value: bool) -> None:
        for view in self._host.views:
            view.shading = value

    def _set_depth(self, value: bool) -> None:
        for view in self._host.views:
            view.depth_colour = value
