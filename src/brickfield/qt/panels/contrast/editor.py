"""The histogram of a layer, with grips for contrast, gamma, opacity and threshold.

A label that shows a picture painted for its size; events come in through a filter.
It keeps nothing of the layer: what it shows is handed in, and what a hand does is
told. Main thread only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QLabel, QMenu, QSizePolicy, QWidget

from brickfield.qt.icons import text_color
from brickfield.qt.theme import ACCENT
from brickfield.viewer.controls import (
    OPAQUE,
    RAMP,
    Histogram,
    columns,
    heights,
    removed,
)
from brickfield.viewer.controls import dragged_curve_point as dragged
from brickfield.viewer.controls.transfer_plot import (
    BAR,
    TOP,
    Grip,
    Look,
    Plot,
    bar_entries,
    curve_line,
    gamma_line,
    grip_at,
    grips,
    whole_range,
    with_point,
)

HEIGHT = 118
CURVE = QColor("#e69f00")
THRESHOLD = QColor("#e5484d")
WHEEL = 1.0015
"""Zoom a unit of wheel travel."""
_TIP = (
    "How often values occur (logarithmic heights).\n"
    "Drag the lines: contrast; the bar below: both; the dot: gamma.\n"
    "Double click a grip: reset. Wheel: zoom. Right click: more."
)
_CURVE_TIP = "\nOrange: opacity. Double click: add a point; right click: remove it."


class HistogramEditor(QLabel):
    """Shows and edits how values of one layer become colours.

    Attributes
    ----------
    chosen : Signal
        Emits the name of a port's attribute (``contrast``, ``gamma``,
        ``opacity_curve`` or ``iso_threshold``) and the value that a hand gave it.
    held : Signal
        Emits whether a hand holds a grip (bool): what it does meanwhile is one act.
    reset : Signal
        Emits the name of an attribute that is to be as usual again.
    plot : Plot
    """

    chosen = Signal(str, object)
    held = Signal(bool)
    reset = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        # A pixmap's own size must not become the size that the widget requires.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(120)
        self.setMouseTracking(True)
        self._histogram: Histogram | None = None
        self._look = Look((0.0, 1.0))
        self._lut = np.zeros((256, 4), np.uint8)
        self._ends = (0.0, 1.0)
        self._is_zoomed = False
        self._grip: Grip | None = None
        self._drag: tuple[Grip, tuple[float, float], Look] | None = None
        self.is_logarithmic = True
        self.plot = Plot(200.0, HEIGHT, 0.0, 1.0)
        self.installEventFilter(self)

    # -- what is shown -----------------------------------------------------------

    def show_layer(
        self, look: Look, histogram: Histogram | None, lut: NDArray[np.uint8]
    ) -> None:
        """Show how a layer looks now.

        Parameters
        ----------
        look : Look
        histogram : Histogram or None
            None while it is not known.
        lut : ndarray, shape (256, 4), uint8
        """
        self._look, self._histogram, self._lut = look, histogram, lut
        self.setToolTip(_TIP + (_CURVE_TIP if look.curve is not None else ""))
        has_values = histogram is not None and histogram.n_values > 0
        seen = (histogram.low, histogram.high) if histogram and has_values else None
        ends = whole_range(look.contrast, seen)
        if self._drag is None:
            # While a hand drags, nothing moves below it.
            self._ends = ends
            self._is_zoomed = self._is_zoomed and self._holds(ends)
        self._repaint()

    def _holds(self, ends: tuple[float, float]) -> bool:
        return ends[0] <= self.plot.low and self.plot.high <= ends[1]

    def show_all(self) -> None:
        """Show the whole range of values."""
        self._is_zoomed = False
        self._repaint()

    def _repaint(self) -> None:
        low, high = self._ends
        if self._is_zoomed or self._drag is not None:
            low, high = self.plot.low, self.plot.high
        self.plot = Plot(self.width(), self.height(), low, high)
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint(painter, text_color(self))
        painter.end()
        self.setPixmap(pixmap)

    def _paint(self, painter: QPainter, text: QColor) -> None:
        plot, look = self.plot, self._look
        field = QRectF(0, 0, plot.width, plot.bottom)
        painter.fillRect(field, _faint(text, 0.07))
        painter.setClipRect(field)
        self._paint_counts(painter, text)
        low, high = (plot.x(v) for v in look.contrast)
        shade = _faint(self.palette().color(self.backgroundRole()), 0.55)
        painter.fillRect(QRectF(0, 0, max(low, 0), plot.bottom), shade)
        painter.fillRect(QRectF(high, 0, max(plot.width - high, 0), plot.bottom), shade)
        painter.setPen(QPen(_faint(text, 0.75), 1.2, Qt.PenStyle.DotLine))
        _line(painter, gamma_line(plot, look))
        painter.setPen(QPen(CURVE, 1.8))
        _line(painter, curve_line(plot, look))
        painter.setClipping(False)
        self._paint_bar(painter)
        self._paint_grips(painter, text)

    def _paint_counts(self, painter: QPainter, text: QColor) -> None:
        histogram, plot = self._histogram, self.plot
        if histogram is None or not histogram.n_values:
            painter.setPen(_faint(text, 0.7))
            words = "Counting…" if histogram is None else "No values"
            middle = QRectF(0, 0, plot.width, plot.bottom)
            painter.drawText(middle, Qt.AlignmentFlag.AlignCenter, words)
            return
        n = max(8, round(plot.width))
        ends = plot.value(0.0), plot.value(plot.width)
        counts = columns(histogram, *ends, n)
        tops = heights(counts, is_logarithmic=self.is_logarithmic)
        path = QPainterPath(QPointF(0, plot.bottom))
        for x, top in zip(np.linspace(0, plot.width, n), tops, strict=True):
            path.lineTo(QPointF(float(x), plot.y(0.96 * float(top))))
        path.lineTo(QPointF(plot.width, plot.bottom))
        painter.fillPath(path, _faint(text, 0.42))

    def _paint_bar(self, painter: QPainter) -> None:
        plot = self.plot
        n = max(8, round(plot.width))
        whole = Plot(plot.width, plot.height, plot.value(0.0), plot.value(plot.width))
        colors = self._lut[bar_entries(whole, self._look, n)].copy()
        colors[:, 3] = 255
        image = QImage(colors.data, n, 1, 4 * n, QImage.Format.Format_RGBA8888)
        painter.drawImage(QRectF(0, plot.height - BAR, plot.width, BAR), image)

    def _paint_grips(self, painter: QPainter, text: QColor) -> None:
        plot, held = self.plot, self._drag[0] if self._drag else self._grip
        for kind, value in zip(("low", "high"), self._look.contrast, strict=True):
            is_held = held is not None and held.kind in (kind, "window")
            painter.setPen(QPen(text, 2.4 if is_held else 1.4))
            x = plot.x(value)
            painter.drawLine(QPointF(x, 0), QPointF(x, plot.height))
            painter.setBrush(text)
            dx = 5 if kind == "low" else -5
            corner = [(x, plot.bottom), (x + dx, plot.bottom), (x, plot.bottom - 8)]
            painter.drawPolygon(QPolygonF([QPointF(*p) for p in corner]))
        if self._look.threshold is not None:
            painter.setPen(QPen(THRESHOLD, 1.6, Qt.PenStyle.DashLine))
            x = plot.x(self._look.threshold)
            painter.drawLine(QPointF(x, TOP), QPointF(x, plot.bottom))
        colors = {"gamma": QColor(ACCENT), "threshold": THRESHOLD, "point": CURVE}
        for grip, x, y in grips(plot, self._look):
            painter.setBrush(colors[grip.kind])
            painter.setPen(QPen(text if grip == held else QColor("white"), 1.4))
            radius = 5.0 if grip == held else 4.0
            if grip.kind == "point":
                side = 2 * radius - 1
                painter.drawRect(QRectF(x - side / 2, y - side / 2, side, side))
            else:
                painter.drawEllipse(QPointF(x, y), radius, radius)

    # -- mouse and keys ---------------------------------------------------------

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Handle the mouse on the grips.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        kinds = QEvent.Type
        handlers = {
            kinds.MouseButtonPress: self._press,
            kinds.MouseMove: self._move,
            kinds.MouseButtonRelease: self._release,
            kinds.MouseButtonDblClick: self._double_click,
            kinds.Wheel: self._wheel,
            kinds.Leave: self._leave,
            kinds.ContextMenu: self._open_menu,
        }
        handler = handlers.get(event.type())
        if handler is not None:
            return handler(event)
        if event.type() in (kinds.Resize, kinds.PaletteChange, kinds.StyleChange):
            self._repaint()
        return False

    def _press(self, event: Any) -> bool:
        at = _place(event)
        grip = grip_at(self.plot, self._look, *at)
        if event.button() == Qt.MouseButton.LeftButton and grip is not None:
            self._drag = (grip, at, self._look)
            self.held.emit(True)
            self._repaint()
        return True

    def _move(self, event: Any) -> bool:
        at = _place(event)
        if self._drag is None:
            self._hover(grip_at(self.plot, self._look, *at))
            return True
        grip, start, look = self._drag
        self._tell(dragged(self.plot, look, grip, start, at))
        return True

    def _hover(self, grip: Grip | None) -> None:
        if grip == self._grip:
            return
        self._grip = grip
        shapes = {
            None: Qt.CursorShape.ArrowCursor,
            "gamma": Qt.CursorShape.SizeVerCursor,
            "point": Qt.CursorShape.SizeAllCursor,
        }
        usual = Qt.CursorShape.SizeHorCursor
        self.setCursor(shapes.get(grip.kind if grip else None, usual))
        self._repaint()

    def _tell(self, look: Look) -> None:
        """Tell of what is another value now."""
        old = self._look
        for name, before, now in (
            ("contrast", old.contrast, look.contrast),
            ("gamma", old.gamma, look.gamma),
            ("opacity_curve", old.curve, look.curve),
            ("iso_threshold", old.threshold, look.threshold),
        ):
            if now != before and now is not None:
                self.chosen.emit(name, now)

    def _release(self, _event: Any) -> bool:
        if self._drag is not None:
            self._drag = None
            self.held.emit(False)
            # The range may have waited for the mouse to be released.
            self.show_layer(self._look, self._histogram, self._lut)
        return True

    def _leave(self, _event: Any) -> bool:
        self._hover(None)
        return False

    def _double_click(self, event: Any) -> bool:
        if self._drag is not None:
            self._drag = None
            self.held.emit(False)
        at = _place(event)
        grip = grip_at(self.plot, self._look, *at)
        if event.button() != Qt.MouseButton.LeftButton:
            return True
        if grip is None and self._look.curve is not None and at[1] < self.plot.bottom:
            self._tell(with_point(self.plot, self._look, *at))
        elif grip is None:
            self.show_all()
        elif grip.kind != "point":
            names = {"gamma": "gamma", "threshold": "iso_threshold"}
            self.reset.emit(names.get(grip.kind, "contrast"))
        return True

    def _wheel(self, event: Any) -> bool:
        factor = WHEEL ** (event.angleDelta().y() or event.angleDelta().x())
        self.plot = self.plot.zoomed(factor, event.position().x(), self._ends)
        self._is_zoomed = (self.plot.low, self.plot.high) != self._ends
        self._repaint()
        return True

    def _open_menu(self, event: Any) -> bool:
        at = (float(event.pos().x()), float(event.pos().y()))
        grip = grip_at(self.plot, self._look, *at)
        curve = self._look.curve
        if grip is not None and grip.kind == "point" and curve is not None:
            self.chosen.emit("opacity_curve", removed(curve, grip.index))
            return True
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(event.globalPos())
        return True

    def menu(self) -> QMenu:
        """Return what a right click offers."""
        menu = QMenu(self)
        menu.addAction("Show all values").triggered.connect(self.show_all)
        window = menu.addAction("Show the contrast window")
        window.triggered.connect(self._show_window)
        logarithmic = menu.addAction("Logarithmic heights")
        logarithmic.setCheckable(True)
        logarithmic.setChecked(self.is_logarithmic)
        logarithmic.toggled.connect(self._set_logarithmic)
        if self._look.curve is not None:
            menu.addSeparator()
            for words, curve in (
                ("Opacity: ramp", RAMP),
                ("Opacity: all opaque", OPAQUE),
            ):
                action = menu.addAction(words)
                action.triggered.connect(
                    lambda *_, curve=curve: self.chosen.emit("opacity_curve", curve)
                )
        return menu

    def _show_window(self) -> None:
        low, high = self._look.contrast
        room = 0.08 * (high - low)
        ends = (max(low - room, self._ends[0]), min(high + room, self._ends[1]))
        self.plot = Plot(self.width(), self.height(), *ends)
        self._is_zoomed = True
        self._repaint()

    def _set_logarithmic(self, value: bool) -> None:
        self.is_logarithmic = value
        self._repaint()


def _place(event: Any) -> tuple[float, float]:
    return (float(event.position().x()), float(event.position().y()))


def _faint(color: QColor, share: float) -> QColor:
    faint = QColor(color)
    faint.setAlphaF(share)
    return faint


def _line(painter: QPainter, points: NDArray[np.float64]) -> None:
    if len(points):
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points.tolist()]))
