"""Quality and memory: how sharp, which level, and how much memory that may take.

The two budgets in bytes are read and set through an object like :class:`Budgets`.
"""

from __future__ import annotations

from typing import Protocol

from psygnal import Signal, SignalInstance
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSlider,
)

from brickfield.blockwise import format_bytes, parse_bytes
from brickfield.errors import BrickfieldError
from brickfield.loading import ChunkCache, default_cache
from brickfield.qt.host import Host
from brickfield.qt.panels.panel import Panel
from brickfield.qt.panels.widgets import (
    DoubleClicks,
    NumberBox,
    NumberSlider,
    WheelGuard,
    label,
    quiet,
)
from brickfield.viewer.controls import LEVEL_COLORS, LevelEstimate, estimate_levels
from brickfield.viewer.live import DEFAULT_BUDGET, LiveView
from brickfield.viewer.receipts import (
    UNNAMED,
    LevelNames,
    level_estimate,
    memory,
    quality,
)


class Budgets(Protocol):
    """Where budgets are read and written. Main thread only.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        One of the budgets is another now; no arguments.
    gpu_budget : int
        Bytes of GPU memory for all views of the dock together.
    ram_budget : int
        Bytes of the cache that the process shares.
    """

    changed: SignalInstance

    @property
    def gpu_budget(self) -> int:
        """Bytes of GPU memory for all views together."""
        ...

    @gpu_budget.setter
    def gpu_budget(self, value: int) -> None: ...

    @property
    def ram_budget(self) -> int:
        """Bytes of the shared cache."""
        ...

    @ram_budget.setter
    def ram_budget(self, value: int) -> None: ...

    @property
    def ram_used(self) -> int:
        """Bytes in the shared cache now."""
        ...


class SessionBudgets:
    """Budgets of this dock and this process, kept nowhere else.

    Parameters
    ----------
    host : Host
    cache : ChunkCache, optional
        Default: the one that the process shares.
    """

    changed = Signal()

    def __init__(self, host: Host, cache: ChunkCache | None = None) -> None:
        self._host = host
        self._cache = default_cache() if cache is None else cache

    @property
    def gpu_budget(self) -> int:
        """Bytes of GPU memory for all views together."""
        return self._host.gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int) -> None:
        self._host.gpu_budget = value
        self.changed.emit()

    @property
    def ram_budget(self) -> int:
        """Bytes of the shared cache."""
        return self._cache.budget_bytes

    @ram_budget.setter
    def ram_budget(self, value: int) -> None:
        self._cache.budget_bytes = value
        self.changed.emit()

    @property
    def ram_used(self) -> int:
        """Bytes in the shared cache now."""
        return self._cache.nbytes


QUALITIES = (8.0, 4.0, 2.0, 1.0, 0.5)
"""Pixels a voxel at the slider's places, from draft to exact."""
USUAL = 1.0
LIMITS_PX = (0.1, 64.0)
GIB = 1 << 30
GPU_ENDS, RAM_ENDS = (GIB // 8, 32 * GIB), (GIB // 8, 64 * GIB)
LEAST_BYTES, MOST_BYTES = 1 << 24, 1 << 44
MOST_LEGEND = 8


class QualityPanel(Panel):
    """Writes to the views of the dock and to the budgets.

    Parameters
    ----------
    host : Host
    budgets : Budgets
    """

    title = "Quality and memory"
    tooltip = "How sharp the picture is, and how much memory it may take"

    def __init__(self, host: Host, budgets: Budgets) -> None:
        super().__init__(host)
        self._budgets = budgets
        self._views: list[LiveView] = []
        self._estimates: tuple[LevelEstimate, ...] = ()
        self._names = UNNAMED
        self._make_quality()
        self._make_level()
        self._make_budgets()
        self._lay_out()
        self.connections.follow_layers(self.scene, self._on_layers)
        self.connections.bind(host.views_changed, self._follow_views)
        self.connections.bind(budgets.changed, self.when_open)
        self._follow_views()

    def _make_quality(self) -> None:
        self.quality = QSlider(Qt.Orientation.Horizontal, self)
        self.quality.setRange(0, len(QUALITIES) - 1)
        self.quality.setPageStep(1)
        self.quality.setTickPosition(QSlider.TickPosition.NoTicks)
        self.quality.setMinimumWidth(50)
        WheelGuard(self.quality)
        tip = (
            "How large a voxel may be on the screen, pixels: 1 is sharp, more is"
            " quicker and takes less memory"
        )
        self.quality.setToolTip(f"{tip}\nDouble click: reset")
        self.quality.valueChanged.connect(self._slide)
        DoubleClicks(self.quality, lambda: self._set_quality(USUAL))
        self.pixels = NumberBox(lambda v: f"{v:.3g} px", tooltip=tip, n_chars=6)
        self.pixels.typed.connect(self._set_quality)
        self.name = QLabel(self)

    def _make_level(self) -> None:
        self.level = QComboBox(self)
        self.level.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.level.setMinimumContentsLength(12)
        WheelGuard(self.level)
        self.level.setToolTip(
            "Resolution that is shown everywhere; automatic takes the coarsest that is"
            " sharp enough, for each place"
        )
        self.level.activated.connect(self._choose_level)
        self.level.highlighted.connect(self._say_estimate)
        self.warning = QLabel(self)
        self.warning.setWordWrap(True)
        self.warning.hide()
        self.colors = QCheckBox("Colour by resolution", self)
        self.colors.setToolTip(
            "Show with colours how fine the data are that are drawn where"
        )
        self.colors.toggled.connect(self._color)
        self.legend = QLabel(self)
        self.legend.setTextFormat(Qt.TextFormat.RichText)

    def _make_budgets(self) -> None:
        self.gpu = _Budget(
            GPU_ENDS, DEFAULT_BUDGET, "Most memory for textures, all views of the dock"
        )
        self.gpu.box.moved.connect(self._set_gpu)
        self.ram = _Budget(
            RAM_ENDS, DEFAULT_BUDGET, "Most memory for decoded data, all views"
        )
        self.ram.box.moved.connect(self._set_ram)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setColumnStretch(1, 1)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        row = QHBoxLayout()
        row.addWidget(self.name)
        row.addWidget(self.quality, stretch=1)
        row.addWidget(self.pixels)
        colors = QHBoxLayout()
        colors.addWidget(self.colors)
        colors.addWidget(self.legend)
        colors.addStretch(1)
        grid.addWidget(label("Quality", self.quality.toolTip()), 0, 0)
        grid.addLayout(row, 0, 1)
        grid.addWidget(label("Resolution", self.level.toolTip()), 1, 0)
        grid.addWidget(self.level, 1, 1)
        grid.addWidget(self.warning, 2, 0, 1, 2)
        grid.addLayout(colors, 3, 0, 1, 2)
        for i, (name, part) in enumerate((("GPU", self.gpu), ("RAM", self.ram))):
            grid.addWidget(label(name, part.tooltip), 4 + 2 * i, 0)
            grid.addWidget(part.bar, 4 + 2 * i, 1)
            grid.addWidget(part.box, 5 + 2 * i, 1)

    # -- following ---------------------------------------------------------------

    def _follow_views(self) -> None:
        for view in self._views:
            if view not in self.host.views:
                self.connections.unbind(view.options_changed, view.reported)
        for view in self.host.views:
            if view in self._views:
                continue
            self.connections.bind(view.options_changed, self.when_open)
            self.connections.bind(view.reported, self._on_report)
        self._views = self.host.views
        self.when_open()

    def _on_layers(self, name: str) -> None:
        if name in ("layers", "visible", "data"):
            self.when_open()

    def _on_report(self, _report: object) -> None:
        if self.is_open:
            self._follow_memory()

    def follow(self) -> None:
        """Show what there is now."""
        view = self.host.main_view
        drawn = [port.data for port in self.scene.layers if port.visible]
        self._names = LevelNames.of(layer.store.pyramid for layer in drawn)
        self._estimates = estimate_levels(drawn)
        nearest = min(QUALITIES, key=lambda px: abs(px / view.quality - 1))
        with quiet(self.quality, self.colors):
            self.quality.setValue(QUALITIES.index(nearest))
            self.colors.setChecked(view.show_levels)
        self.pixels.follow(view.quality)
        self.name.setText(quality(view.quality))
        self._follow_levels(view.forced_level)
        self.legend.setVisible(view.show_levels)
        self.legend.setText(_legend(self._names))
        self._follow_memory()

    def _follow_levels(self, forced: int | None) -> None:
        texts = ["automatic"] + [
            f"{self._names.numbered(e.level)}: {_shape(e)}, {format_bytes(e.n_bytes)}"
            for e in self._estimates
        ]
        if forced is not None and forced >= len(self._estimates):
            texts.append(f"level {forced} (no layer has it)")
        chosen = 0 if forced is None else min(forced + 1, len(texts) - 1)
        with quiet(self.level):
            if texts != [self.level.itemText(i) for i in range(self.level.count())]:
                self.level.clear()
                self.level.addItems(texts)
                fits = [e.n_bytes <= self._budgets.gpu_budget for e in self._estimates]
                for i, is_fitting in enumerate(fits):
                    tip = "z × y × x voxels, and at most so much GPU memory"
                    hint = "" if is_fitting else "\nMore than the GPU budget allows"
                    role = Qt.ItemDataRole.ToolTipRole
                    self.level.setItemData(i + 1, tip + hint, role)
            self.level.setCurrentIndex(chosen)
        self._say_estimate(chosen)

    def _say_estimate(self, index: int) -> None:
        """Say what a level takes: the one that is shown or thought of."""
        level, budget = index - 1, self._budgets.gpu_budget
        is_known = 0 <= level < len(self._estimates)
        self.warning.setVisible(is_known)
        if not is_known:
            return
        n_bytes = self._estimates[level].n_bytes
        sign = "⚠ " if n_bytes > budget else ""
        what = self._names.resolution(level)
        self.warning.setText(sign + level_estimate(what, n_bytes, budget))

    def _follow_memory(self) -> None:
        used = sum(view.report.gpu_bytes for view in self._views)
        self.gpu.follow(used, self._budgets.gpu_budget)
        self.ram.follow(self._budgets.ram_used, self._budgets.ram_budget)

    # -- mouse and keys ---------------------------------------------------------

    def _slide(self, place: int) -> None:
        self._set_quality(QUALITIES[place])

    def _set_quality(self, pixels: float) -> None:
        low, high = LIMITS_PX
        for view in self.host.views:
            view.quality = min(max(pixels, low), high)
        self.when_open()

    def _choose_level(self, index: int) -> None:
        for view in self.host.views:
            view.forced_level = None if index == 0 else index - 1

    def _color(self, value: bool) -> None:
        for view in self.host.views:
            view.show_levels = value

    def _set_gpu(self, value: float) -> None:
        self._budgets.gpu_budget = round(value)
        self._follow_memory()

    def _set_ram(self, value: float) -> None:
        self._budgets.ram_budget = round(value)
        self._follow_memory()


class _Budget:
    """A bar that shows what is used of a budget, and the budget."""

    def __init__(self, ends: tuple[int, int], usual: int, tooltip: str) -> None:
        self.tooltip = tooltip
        self.tooltip = tooltip
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setToolTip("In use now, of the budget")
        self.bar.setMinimumWidth(80)
        self.bar.setFixedHeight(18)
        # Less memory throws data away: not at every step of a drag.
        self.box = NumberSlider(*ends, usual, is_logarithmic=True, is_patient=True)
        self.box.limits = (LEAST_BYTES, MOST_BYTES)
        self.box.set_tooltip(f"{tooltip}. Type for example 2 GiB or 800 MB")
        self.box.box.write = format_bytes
        self.box.box.read = _read_bytes
        self.box.box.set_width(9)
        self.box.to_step = _round_bytes

    def follow(self, used: int, budget: int) -> None:
        """Show both."""
        share = min(used / budget, 1.0) if budget else 1.0
        self.bar.setValue(round(1000 * share))
        self.bar.setFormat(memory(used, budget))
        self.box.follow(budget)


def _read_bytes(text: str) -> float | None:
    """Read a size; a number alone counts GiB."""
    try:
        return parse_bytes(f"{float(text)} GiB")
    except (ValueError, OverflowError):
        pass
    try:
        return parse_bytes(text)
    except BrickfieldError:
        return None


def _round_bytes(value: float) -> float:
    """Round to a sixty-fourth of a GiB, or an eighth above one."""
    unit = GIB // 64 if value < GIB else GIB // 8
    return round(value / unit) * unit


def _shape(estimate: LevelEstimate) -> str:
    return "×".join(map(str, estimate.shape_zyx))


def _legend(names: LevelNames) -> str:
    return " ".join(
        f'<span style="color:{LEVEL_COLORS[i % len(LEVEL_COLORS)]}">■</span>'
        f"&nbsp;{names.share(i)}"
        for i in range(min(len(names.factors), MOST_LEGEND))
    )
