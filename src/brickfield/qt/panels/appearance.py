"""Appearance: all layers in rows, and how the active one's values become colours.

Only controls that matter for the layer and its mode are shown.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from brickfield.errors import BrickfieldError
from brickfield.qt.controls.modes import MODE_WORDS
from brickfield.qt.deliver import Deliverer
from brickfield.qt.host import Host
from brickfield.qt.panels.contrast.editor import HistogramEditor
from brickfield.qt.panels.contrast.histograms import Histograms
from brickfield.qt.panels.contrast.row import ContrastRow, note_of
from brickfield.qt.panels.layer_rows import (
    SWATCH,
    LayerRows,
    colormap_icon,
    set_colormap,
    swatch,
)
from brickfield.qt.panels.light import LIT_MODES, LightRow
from brickfield.qt.panels.panel import Panel, active_layer
from brickfield.qt.panels.widgets import (
    NumberSlider,
    WheelGuard,
    label,
    number_format,
    quiet,
)
from brickfield.viewer import COMMON
from brickfield.viewer.controls import OPAQUE, Histogram, auto_contrast
from brickfield.viewer.controls.transfer_plot import GAMMA_ENDS, Look
from brickfield.viewer.live import LayerPort, LiveView, history_of
from brickfield.viewer.receipts import LevelNames

SETTLE_MS = 250
"""How long a slider must stand still before its step is counted."""
CURVED = ("translucent", "additive")
"""Modes in which the opacity of colours counts."""
VOXELS = {
    "linear": ("smooth (linear)", "Between voxels, values change gradually"),
    "nearest": ("blocks (nearest)", "Every voxel is a block of one value"),
}
_TIP_ROLE = Qt.ItemDataRole.ToolTipRole


class AppearancePanel(Panel):
    """Writes to the ports of the layers.

    Parameters
    ----------
    host : Host
    deliver : Deliverer

    Attributes
    ----------
    rows : LayerRows
    editor : HistogramEditor
    contrast : ContrastRow
    histograms : Histograms
    """

    title = "Appearance"
    tooltip = "Layers, contrast, colours, opacity and mode"

    def __init__(self, host: Host, deliver: Deliverer) -> None:
        super().__init__(host)
        self._views: list[LiveView] = []
        self.histograms = Histograms(deliver, self)
        self.histograms.changed.connect(self.when_open)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.timeout.connect(self._count)
        self._make_plot()
        self._make_combos()
        self._make_sliders()
        self._lay_out()
        self.connections.follow_layers(self.scene, self._on_layers)
        self.connections.bind(self.scene.axes_changed, self._on_axes)

    # -- what there is -----------------------------------------------------------

    def _make_plot(self) -> None:
        self.rows = LayerRows(self.scene, self)
        self.editor = HistogramEditor(self)
        self.editor.chosen.connect(self._choose)
        self.editor.reset.connect(self._reset)
        self.editor.held.connect(self._hold)
        self.contrast = ContrastRow(self)
        self.contrast.chosen.connect(partial(self._choose, "contrast"))
        self.contrast.auto_wanted.connect(partial(self._reset, "contrast"))
        self.contrast.exact_wanted.connect(self._count_exactly)
        self.contrast.cancelled.connect(self.histograms.cancel)

    def _make_combos(self) -> None:
        self.colormap = _combo("Colours of values, first to last", self)
        self.colormap.setIconSize(SWATCH)
        for name in COMMON:
            self.colormap.addItem(colormap_icon(name), name)
        self.colormap.activated.connect(self._choose_colormap)
        self.mode = _combo("How a ray becomes a pixel, for this layer", self)
        self.mode.activated.connect(self._choose_mode)
        self.voxels = _voxels_combo("in volumes", self)
        self.voxels.activated.connect(partial(self._choose_voxels, "interpolation"))
        self.slice_voxels = _voxels_combo("in slices", self)
        choose = partial(self._choose_voxels, "slice_interpolation")
        self.slice_voxels.activated.connect(choose)

    def _make_sliders(self) -> None:
        self.gamma = NumberSlider(0.2, 5.0, 1.0, is_logarithmic=True, parent=self)
        self.gamma.limits = GAMMA_ENDS
        self.gamma.box.write = "{:.2f}".format
        self.gamma.set_tooltip(
            "Exponent after contrast: below 1 shows more of the dark"
        )
        self.gamma.moved.connect(partial(self._choose, "gamma"))
        self.threshold = NumberSlider(0.0, 1.0, parent=self)
        self.threshold.set_tooltip("Value of the surface that is drawn")
        self.threshold.moved.connect(partial(self._choose, "iso_threshold"))
        self.threshold.reset.connect(partial(self._reset, "iso_threshold"))
        self.attenuation = NumberSlider(
            0.001, 1.0, 0.05, is_logarithmic=True, parent=self
        )
        self.attenuation.limits = (1e-6, 100.0)
        self.attenuation.box.write = "{:.3g}".format
        self.attenuation.set_tooltip(
            "How strongly bright voxels dim what lies behind them, per voxel"
        )
        self.attenuation.moved.connect(partial(self._choose, "attenuation"))

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        self._named: list[tuple[QLabel, QWidget]] = []
        self.light = LightRow(self.host, self)
        self.connections.bind(self.host.views_changed, self._follow_views)
        self._follow_views()
        for i, (name, widget) in enumerate(
            (
                ("Gamma", self.gamma),
                ("Colours", self.colormap),
                ("Mode", self.mode),
                ("Surface at", self.threshold),
                ("Attenuation", self.attenuation),
                ("Voxels", self.voxels),
                ("Slices", self.slice_voxels),
                ("Light", self.light),
            )
        ):
            named = label(name, widget.toolTip())
            grid.addWidget(named, i, 0)
            grid.addWidget(widget, i, 1)
            self._named.append((named, widget))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for part in (self.rows, self.editor, self.contrast):
            layout.addWidget(part)
        layout.addLayout(grid)

    # -- following ---------------------------------------------------------------

    @property
    def port(self) -> LayerPort | None:
        """The layer that the controls act on."""
        return active_layer(self.scene)

    def _on_layers(self, name: str) -> None:
        if self.is_open and name in ("layers", "active", "data"):
            self._settle.start(0)
        self.when_open()

    def _follow_views(self) -> None:
        for view in self._views:
            if view not in self.host.views:
                self.connections.unbind(view.options_changed)
        for view in self.host.views:
            if view not in self._views:
                self.connections.bind(view.options_changed, self.when_open)
        self._views = self.host.views
        self.when_open()

    def _on_axes(self) -> None:
        if self.is_open:
            self._settle.start(SETTLE_MS)
            self.follow()

    def set_open(self, value: bool) -> None:
        """Count the shown layers once the panel is visible."""
        super().set_open(value)
        if value:
            self._settle.start(0)
        else:
            self.histograms.cancel()

    def _count(self) -> None:
        port = self.port
        if self.is_open and port is not None and not port.is_labels:
            self.histograms.ask(port)

    def follow(self) -> None:
        """Show what the layers say."""
        port = self.port
        self.rows.follow(port)
        shown = self._shown(port)
        for part in (self.editor, self.contrast):
            part.setVisible(part in shown)
        for named, widget in self._named:
            named.setVisible(widget in shown)
            widget.setVisible(widget in shown)
        if port is not None:
            self._follow_mode(port)
        if port is not None and not port.is_labels:
            self._follow_values(port)
            self._follow_colormap(port)
            self._follow_note(port)

    def _shown(self, port: LayerPort | None) -> set[QWidget]:
        if port is None:
            return set()
        kinds = {view.kind for view in self.host.views}
        shown: set[QWidget] = {self.mode, self.voxels} if "3D" in kinds else set()
        if port.is_labels:
            return shown - {self.voxels}
        shown |= {self.editor, self.contrast, self.gamma, self.colormap}
        if kinds - {"3D"}:
            shown.add(self.slice_voxels)
        return shown | self._shown_of_mode(port) if "3D" in kinds else shown

    def _shown_of_mode(self, port: LayerPort) -> set[QWidget]:
        """Return what else there is to choose of how rays become pixels."""
        shown: set[QWidget] = set()
        if port.mode in LIT_MODES:
            shown.add(self.light)
        if port.mode == "iso":
            shown.add(self.threshold)
        if port.mode == "attenuated_mip":
            shown.add(self.attenuation)
        return shown

    def _follow_mode(self, port: LayerPort) -> None:
        with quiet(self.mode):
            known = [self.mode.itemData(i) for i in range(self.mode.count())]
            if known != list(port.modes):
                self.mode.clear()
                for i, name in enumerate(port.modes):
                    text, tip = MODE_WORDS.get(name, (name, ""))
                    self.mode.addItem(text, name)
                    self.mode.setItemData(i, tip, _TIP_ROLE)
            self.mode.setCurrentIndex(self.mode.findData(port.mode))

    def _follow_values(self, port: LayerPort) -> None:
        histogram = self.histograms.of(port)
        self.editor.show_layer(look_of(port), histogram, port.lut)
        low, high = span_of(port, histogram)
        write = number_format(port.data.store.pyramid.dtype.kind, high - low)
        self.contrast.follow(port.contrast, write)
        self.gamma.follow(port.gamma)
        self.attenuation.follow(port.attenuation)
        self.threshold.set_ends(low, high)
        self.threshold.limits = (-float("inf"), float("inf"))
        self.threshold.box.write = write
        self.threshold.follow(port.iso_threshold)
        self.light.follow(port.mode)
        with quiet(self.voxels, self.slice_voxels):
            self.voxels.setCurrentIndex(self.voxels.findData(port.interpolation))
            combo = self.slice_voxels
            combo.setCurrentIndex(combo.findData(port.slice_interpolation))

    def _follow_colormap(self, port: LayerPort) -> None:
        combo, name = self.colormap, port.colormap
        with quiet(combo):
            while combo.count() > len(COMMON):
                combo.removeItem(len(COMMON))
            if name not in COMMON:
                combo.addItem(swatch(port.lut), name)
            combo.setCurrentIndex(combo.findText(name))

    def _follow_note(self, port: LayerPort) -> None:
        counts = self.histograms
        pyramid = port.data.store.pyramid
        level = 0 if counts.is_exact(port) else pyramid.n_levels - 1
        counted = LevelNames.of([pyramid]).resolution(level)
        text = note_of(counts.of(port), counted, counts.problem)
        self.contrast.say(text, progress=counts.progress)

    # -- mouse and keys ---------------------------------------------------------

    def _choose(self, name: str, value: Any) -> None:
        port = self.port
        if port is None:
            return
        try:
            setattr(port, name, value)
        except BrickfieldError as error:
            # The owner has kept what it had.
            self.follow()
            self.contrast.say(str(error))

    def _hold(self, is_held: bool) -> None:
        """Record everything until the mouse is released as one act, however long it rests."""
        history = history_of(self.scene)
        if is_held:
            history.begin_act()
        else:
            history.end_act()

    def _reset(self, name: str) -> None:
        port = self.port
        if port is None:
            return
        histogram = self.histograms.of(port)
        if name == "gamma":
            self._choose(name, 1.0)
        elif name == "iso_threshold":
            self._choose(name, sum(port.contrast) / 2)
        elif histogram is None:
            self.histograms.ask(port)
        else:
            percent = self.contrast.percent
            self._choose("contrast", auto_contrast(histogram, percent))

    def _count_exactly(self) -> None:
        if self.port is not None:
            self.histograms.ask_exact(self.port)

    def _choose_colormap(self, index: int) -> None:
        if self.port is not None and index < len(COMMON):
            set_colormap(self.port, COMMON[index])

    def _choose_mode(self, index: int) -> None:
        self._choose("mode", self.mode.itemData(index))

    def _choose_voxels(self, name: str, index: int) -> None:
        self._choose(name, self.voxels.itemData(index))


def look_of(port: LayerPort) -> Look:
    """Return what the plot shows of a layer."""
    curve = port.opacity_curve
    is_curved = port.mode in CURVED or curve != OPAQUE
    return Look(
        port.contrast,
        port.gamma,
        curve if is_curved else None,
        port.iso_threshold if port.mode == "iso" else None,
        is_whole=port.data.store.pyramid.dtype.kind in "biu",
    )


def span_of(port: LayerPort, histogram: Histogram | None) -> tuple[float, float]:
    """Return the range of a layer's values, as far as it is known.

    Parameters
    ----------
    port : LayerPort
    histogram : Histogram or None
        None where nothing was counted yet.
    """
    low, high = port.contrast
    if histogram is not None and histogram.n_values:
        low, high = min(low, histogram.low), max(high, histogram.high)
    return low, high


def _combo(tooltip: str, parent: QWidget) -> QComboBox:
    combo = QComboBox(parent)
    combo.setToolTip(tooltip)
    policy = QComboBox.SizeAdjustPolicy
    combo.setSizeAdjustPolicy(policy.AdjustToMinimumContentsLengthWithIcon)
    combo.setMinimumContentsLength(8)
    WheelGuard(combo)
    return combo


def _voxels_combo(where: str, parent: QWidget) -> QComboBox:
    combo = _combo(f"How values between voxels are found {where}", parent)
    for i, (name, (text, tip)) in enumerate(VOXELS.items()):
        combo.addItem(text, name)
        combo.setItemData(i, tip, _TIP_ROLE)
    return combo
