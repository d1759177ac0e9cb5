"""Clip: a box that cuts layers off, by three range sliders and knobs in the picture.

The layers own the box. Without one the sliders show the whole of the data, and the
first change of theirs makes a box. Flat data have no row for z.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout
from superqt import QDoubleRangeSlider

from brickfield.model import Vec3
from brickfield.model.units import unit_symbol
from brickfield.qt.host import Host
from brickfield.qt.panels.overlays.clip_overlay import ClipOverlay
from brickfield.qt.panels.panel import Panel, active_layer
from brickfield.qt.panels.widgets import (
    DoubleClicks,
    NumberBox,
    WheelGuard,
    label,
    number_format,
    quiet,
)
from brickfield.viewer.controls import Face, moved, within
from brickfield.viewer.live import Box, LayerPort, are_flat, corners_of, history_of

AXES = "zyx"


class ClipPanel(Panel):
    """Writes the clip box of all layers, or of the active one.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    overlays : dict of str to ClipOverlay
        The box over each picture, by kind of view, while the panel is open.
    """

    title = "Clip"
    tooltip = "Cut away what lies outside a box (C)"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.overlays: dict[str, ClipOverlay] = {}
        self._last: Box | None = None
        self._make()
        self._lay_out()
        self.connections.follow_layers(self.scene, self._on_layers)
        self.connections.bind(host.views_changed, self._follow_views)

    def _make(self) -> None:
        self.is_on = QCheckBox("Clip box", self)
        self.is_on.setToolTip(
            "Cut the layers off outside the box; replaces clipping planes set elsewhere"
        )
        self.is_on.toggled.connect(self._switch)
        self.all_layers = QCheckBox("All layers", self)
        self.all_layers.setChecked(True)
        self.all_layers.setToolTip("Cut all layers; else the active one alone")
        self.all_layers.toggled.connect(self.when_open)
        self.reset = QPushButton("Reset", self)
        self.reset.setToolTip("Show everything again and take the box away")
        self.reset.clicked.connect(self._reset)
        self.sliders: list[QDoubleRangeSlider] = []
        self.boxes: list[tuple[NumberBox, NumberBox]] = []
        for axis, name in enumerate(AXES):
            slider = QDoubleRangeSlider(Qt.Orientation.Horizontal, self)
            slider.setMinimumWidth(50)
            WheelGuard(slider)
            slider.setToolTip(f"What is kept along {name}\nDouble click: all of it")
            slider.valueChanged.connect(partial(self._slide, axis))
            slider.sliderPressed.connect(partial(self._hold, True))
            slider.sliderReleased.connect(partial(self._hold, False))
            DoubleClicks(slider, partial(self._reset_axis, axis))
            ends = (self._end(axis, is_upper=False), self._end(axis, is_upper=True))
            self.sliders.append(slider)
            self.boxes.append(ends)

    def _end(self, axis: int, *, is_upper: bool) -> NumberBox:
        word = "Upper" if is_upper else "Lower"
        box = NumberBox(tooltip=f"{word} end along {AXES[axis]}, world units")
        box.typed.connect(partial(self._type, Face(axis, is_upper)))
        return box

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget in (self.is_on, self.all_layers):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(self.reset)
        grid = QGridLayout()
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(2, 1)
        self._units = []
        self._rows = []
        for i, name in enumerate(AXES):
            unit = label("", "Unit of world coordinates")
            self._units.append(unit)
            low, high = self.boxes[i]
            row = (label(name, f"Along {name}"), low, self.sliders[i], high, unit)
            self._rows.append(row)
            for column, widget in enumerate(row):
                grid.addWidget(widget, i, column)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addLayout(grid)

    # -- what there is -----------------------------------------------------------

    @property
    def targets(self) -> list[LayerPort]:
        """Layers that are written to."""
        if self.all_layers.isChecked():
            return list(self.scene.layers)
        port = active_layer(self.scene)
        return [] if port is None else [port]

    @property
    def bounds(self) -> Box | None:
        """The box round all layers, world; None without layers."""
        if not self.scene.layers:
            return None
        corners = np.concatenate([corners_of(p.data) for p in self.scene.layers])
        return _vec(corners.min(axis=0)), _vec(corners.max(axis=0))

    @property
    def owned(self) -> Box | None:
        """The box of the active layer, or of the first that has one."""
        targets, active = self.targets, active_layer(self.scene)
        first = [active] if active in targets and active is not None else []
        boxes = [port.clip_box for port in [*first, *targets]]
        return next((box for box in boxes if box is not None), None)

    @property
    def box(self) -> tuple[Box, Box] | None:
        """The box that is shown, and its bounds; None without layers."""
        bounds = self.bounds
        if bounds is None:
            return None
        box = self.owned
        return (bounds if box is None else within(box, bounds)), bounds

    def _shown(self) -> tuple[Box, Box] | None:
        """Return the box in the pictures: none while it is off."""
        return None if self.owned is None else self.box

    # -- following ---------------------------------------------------------------

    def _on_layers(self, name: str) -> None:
        if name in ("clip_box", "layers", "active", "world", "data"):
            self.when_open()
            for overlay in self.overlays.values():
                overlay.redraw()

    def follow(self) -> None:
        """Show the box of now."""
        found = self.box
        for widget in (*self.sliders, self.is_on, self.reset):
            widget.setEnabled(found is not None)
        is_flat = are_flat(port.data for port in self.scene.layers)
        for widget in self._rows[0]:
            widget.setVisible(not is_flat)
        if found is None:
            return
        box, bounds = found
        with quiet(self.is_on, *self.sliders):
            self.is_on.setChecked(self.owned is not None)
            for axis, slider in enumerate(self.sliders):
                ends = (bounds[0][axis], bounds[1][axis])
                span = ends[1] - ends[0]
                slider.setRange(*ends)
                slider.setSingleStep(span / 200 or 1.0)
                slider.setPageStep(span / 20 or 1.0)
                slider.setValue((box[0][axis], box[1][axis]))
                write = number_format("f", span)
                for side, entry in enumerate(self.boxes[axis]):
                    entry.write = write
                    entry.follow(box[side][axis])
                self._units[axis].setText(unit_symbol(self.scene.unit))

    # -- mouse and keys ---------------------------------------------------------

    def _write(self, box: Box | None) -> None:
        with history_of(self.scene).one_act():
            for port in self.targets:
                if port.clip_box != box:
                    port.clip_box = box

    def _hold(self, is_held: bool) -> None:
        """Record everything until the mouse is released as one act, however long it rests."""
        history = history_of(self.scene)
        if is_held:
            history.begin_act()
        else:
            history.end_act()

    def _slide(self, axis: int, ends: tuple[float, float]) -> None:
        found = self.box
        if found is None:
            return
        box, bounds = found
        for side in (False, True):
            if ends[side] != box[side][axis]:
                box = moved(box, Face(axis, side), ends[side], bounds)
        self._write(box)

    def _type(self, face: Face, value: float) -> None:
        found = self.box
        if found is not None:
            self._write(moved(found[0], face, value, found[1]))

    def _reset_axis(self, axis: int) -> None:
        found = self.box
        if found is not None and self.owned is not None:
            box, bounds = found
            for side in (False, True):
                box = moved(box, Face(axis, side), bounds[side][axis], bounds)
            self._write(box)

    def _switch(self, is_on: bool) -> None:
        found = self.box
        if found is None:
            return
        if is_on:
            self._write(self._last or found[0])
        else:
            self._last = self.owned
            self._write(None)

    def _reset(self) -> None:
        self._last = None
        self._write(None)

    # -- in the pictures ---------------------------------------------------------

    def set_open(self, value: bool) -> None:
        """Show the box with its knobs in the pictures while the panel is open."""
        super().set_open(value)
        self._follow_views()

    def _follow_views(self) -> None:
        frames = self.host.frames if self.is_open else {}
        for kind in [k for k in self.overlays if k not in frames]:
            overlay = self.overlays.pop(kind)
            if kind in self.host.frames:
                overlay.close()
        for kind, frame in frames.items():
            if kind not in self.overlays:
                self.overlays[kind] = ClipOverlay(frame, self._shown, self._write)


def _vec(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Vec3:
    z, y, x = (float(v) for v in values)
    return (z, y, x)
