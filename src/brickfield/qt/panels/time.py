"""Time: a slider for each further axis, and playing along one of them."""

from __future__ import annotations

from math import isfinite

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.model.units import unit_symbol
from brickfield.qt.host import Host
from brickfield.qt.icons import text_color
from brickfield.qt.panels.panel import Panel
from brickfield.qt.panels.player import RATES, USUAL_RATE, Player
from brickfield.qt.panels.widgets import (
    DoubleClicks,
    NumberBox,
    WheelGuard,
    label,
    quiet,
)
from brickfield.qt.theme import ACCENT, Theme
from brickfield.viewer.live import SliderAxis

STRIP_HEIGHT = 5


class TimePanel(Panel):
    """Moves the sliders of the scene.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    player : Player
    rows : list of AxisRow
        One for each slider of the scene.
    """

    title = "Time"
    tooltip = "Step and play through time and further axes (space plays and pauses)"

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self.player = Player(host, self.connections, self)
        self.rows: list[AxisRow] = []
        self._make()
        self.player.changed.connect(self.when_open)
        self.connections.bind(self.scene.axes_changed, self._follow_axes)
        self.connections.bind(self.scene.layers_changed, self._follow_axes)
        self._follow_axes()

    def _make(self) -> None:
        self.rate = NumberBox(
            lambda v: f"{v:g} fps",
            tooltip="Steps a second; what cannot be drawn in time is skipped",
            n_chars=7,
        )
        self.rate.typed.connect(self._set_rate)
        self.loop = QCheckBox("Loop", self)
        self.loop.setToolTip("Go on from the start after the last step")
        self.loop.toggled.connect(self._set_loop)
        self.count = QLabel(self)
        self.count.setToolTip(
            "Moments at which the picture of the step before was not drawn yet, so"
            " that it stayed a little longer"
        )
        self._rows = QVBoxLayout()
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        tail = QHBoxLayout()
        tail.setSpacing(6)
        rate = label("Rate", f"{self.rate.toolTip()}\nDouble click: reset")
        DoubleClicks(rate, lambda: self._set_rate(USUAL_RATE))
        for widget in (rate, self.rate, self.loop, self.count):
            tail.addWidget(widget)
        tail.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._rows)
        layout.addLayout(tail)

    # -- following ---------------------------------------------------------------

    @classmethod
    def is_useful_in(cls, host: Host) -> bool:
        """Whether there is anything to step through."""
        return bool(host.scene.axes)

    def _follow_axes(self) -> None:
        names = [(a.index, a.name, a.n_steps) for a in self.scene.axes]
        if names != [row.identity for row in self.rows]:
            for row in self.rows:
                self._rows.removeWidget(row)
                row.hide()
                row.deleteLater()
            self.rows = [AxisRow(axis, self) for axis in self.scene.axes]
            for row in self.rows:
                self._rows.addWidget(row)
                row.show()
        self.when_open()

    def set_open(self, value: bool) -> None:
        """Have the views report what is loaded while the panel is visible."""
        super().set_open(value)
        self.player.is_watching = value
        self.player.follow()

    def follow(self) -> None:
        """Show what there is now."""
        player, played = self.player, self.player.axis
        for row, axis in zip(self.rows, self.scene.axes, strict=False):
            is_played = played is not None and axis.index == played.index
            row.follow(axis, is_playing=player.is_playing and is_played)
            row.show_at_hand(player.at_hand if is_played else ())
        self.rate.follow(player.rate)
        with quiet(self.loop):
            self.loop.setChecked(player.is_looping)
        n = player.n_dropped
        self.count.setText(f"{n} dropped" if n else "")

    # -- mouse and keys ---------------------------------------------------------

    def toggle(self) -> None:
        """Play or pause."""
        self.player.toggle()

    def _set_rate(self, value: float) -> None:
        low, high = RATES
        self.player.rate = min(max(value, low), high)

    def _set_loop(self, value: bool) -> None:
        self.player.is_looping = value


class AxisRow(QWidget):
    """One slider of the scene with its step; a strip below it shows what is loaded."""

    def __init__(self, axis: SliderAxis, panel: TimePanel) -> None:
        super().__init__(panel)
        self.identity = (axis.index, axis.name, axis.n_steps)
        self._panel = panel
        self._axis = axis
        self.name = label(axis.name, "Name of the axis")
        self.play = QToolButton(self)
        self.play.setAutoRaise(True)
        self.play.setIconSize(QSize(16, 16))
        self.play.setToolTip("Play or pause (space)")
        self.play.clicked.connect(lambda: panel.player.toggle(axis.index))
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, axis.n_steps - 1)
        self.slider.setMinimumWidth(50)
        WheelGuard(self.slider)
        self.slider.setToolTip(f"Step along {axis.name}\nDouble click: first step")
        self.slider.valueChanged.connect(self._move)
        DoubleClicks(self.slider, lambda: self.slider.setValue(0))
        self.step = NumberBox(
            "{:.0f}".format,
            tooltip=f"Step, 0 to {axis.n_steps - 1}",
            n_chars=max(2, len(str(axis.n_steps - 1))),
        )
        self.step.typed.connect(self._typed)
        self.place = label("", "Of all steps, and where that is in the world")
        self.strip = QLabel(self)
        self.strip.setFixedHeight(STRIP_HEIGHT)
        self.strip.setScaledContents(True)
        # A pixmap's own size must not become the size that the widget requires.
        self.strip.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.strip.setToolTip("Steps that are at hand and can be shown at once")
        self._shown: tuple[bool, ...] = ()
        self._is_playing: bool | None = None
        self._theme = Theme(self)
        self._lay_out()

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(1)
        grid.setColumnStretch(2, 1)
        for column, widget in enumerate(
            (self.name, self.play, self.slider, self.step, self.place)
        ):
            grid.addWidget(widget, 0, column)
        grid.addWidget(self.strip, 1, 2)

    def follow(self, axis: SliderAxis, *, is_playing: bool) -> None:
        """Show the position of the slider and whether it is playing.

        Parameters
        ----------
        axis : SliderAxis
        is_playing : bool
        """
        self._axis = axis
        with quiet(self.slider):
            self.slider.setValue(axis.position)
        self.step.follow(axis.position)
        self.place.setText(place_of(axis))
        if is_playing is not self._is_playing:
            self._is_playing = is_playing
            self._theme.set_icon(self.play, "pause" if is_playing else "play")

    def show_at_hand(self, steps: tuple[bool, ...]) -> None:
        """Draw which steps are loaded; nothing while that is not known."""
        if steps == self._shown:
            return
        self._shown = steps
        self._draw_strip()

    def _draw_strip(self) -> None:
        steps = self._shown
        self.strip.setPixmap(_strip(steps, text_color(self)))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Redraw the strip after a change of the theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._draw_strip()

    def _move(self, position: int) -> None:
        self._panel.scene.move_slider(self._axis.index, position)

    def _typed(self, value: float) -> None:
        self._move(round(min(max(value, 0), self._axis.n_steps - 1)))


def place_of(axis: SliderAxis) -> str:
    """Say of how many steps, and where that is: / 59 · 12.5 s."""
    text = f"/ {axis.n_steps - 1}"
    symbol = unit_symbol(axis.unit)
    if symbol and isfinite(axis.step):
        return f"{text} · {axis.position * axis.step:.4g} {symbol}"
    return text


def _strip(steps: tuple[bool, ...], text: QColor) -> QPixmap:
    """Paint some pixels a step; the label stretches them."""
    if not steps:
        return QPixmap()
    # Enough that stretching does not blur one step into the next.
    width = max(1, 800 // len(steps))
    # As high as the label: Qt makes nothing of one row when it shortens it.
    height = STRIP_HEIGHT
    pixmap = QPixmap(width * len(steps), height)
    faint = QColor(text)
    faint.setAlphaF(0.15)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    for i, is_there in enumerate(steps):
        color = QColor(ACCENT) if is_there else faint
        painter.fillRect(i * width, 0, width, height, color)
    painter.end()
    return pixmap
