"""Icons, drawn as lines on a field of 20 by 20, in the colour of the text around.

Invariant: an icon is a picture of a drawing at every size that a screen may need
for, so that it is crisp there and legible on dark and light windows alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QWidget

FIELD = 20.0
"""Edge of the field that icons are drawn on."""
SIZES = (16, 18, 24, 32, 36, 48)
"""Edges of the pictures, pixels."""
FAINT_SIZES = (18, 36)
"""Likewise, of those that cannot be pressed."""
FAINT = 0.35
"""Opacity of what cannot be pressed."""
RECORDING = QColor("#e5484d")
"""The one colour that is the same in all themes: red of a running recording."""

Drawing = Callable[[QPainter, QColor], None]


def icon(name: str, color: QColor) -> QIcon:
    """Return an icon in a colour.

    Parameters
    ----------
    name : str
        One of :data:`NAMES`.
    color : QColor
    """
    return _made(name, color.rgba())


def text_color(widget: QWidget) -> QColor:
    """Return the colour of text on a widget, whatever gave it its style."""
    widget.ensurePolished()
    return widget.palette().color(widget.foregroundRole())


@lru_cache(maxsize=256)
def _made(name: str, rgba: int) -> QIcon:
    draw = _DRAWINGS[name]
    color = QColor.fromRgba(rgba)
    faint = QColor(color)
    faint.setAlphaF(FAINT * color.alphaF())
    made = QIcon()
    for size in SIZES:
        made.addPixmap(_pixmap(draw, color, size), QIcon.Mode.Normal)
    for size in FAINT_SIZES:
        made.addPixmap(_pixmap(draw, faint, size), QIcon.Mode.Disabled)
    return made


def _pixmap(draw: Drawing, color: QColor, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / FIELD, size / FIELD)
    pen = QPen(color, 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    draw(painter, color)
    painter.end()
    return pixmap


# -- strokes ---------------------------------------------------------------------


def _line(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolyline(QPolygonF([QPointF(*p) for p in points]))


def _loop(painter: QPainter, *points: tuple[float, float]) -> None:
    painter.drawPolygon(QPolygonF([QPointF(*p) for p in points]))


def _circle(painter: QPainter, x: float, y: float, radius: float) -> None:
    painter.drawEllipse(QPointF(x, y), radius, radius)


def _arc(painter: QPainter, box: QRectF, start: float, span: float) -> None:
    path = QPainterPath()
    path.arcMoveTo(box, start)
    path.arcTo(box, start, span)
    painter.drawPath(path)


def _filled(painter: QPainter, color: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)


# -- drawings --------------------------------------------------------------------


def _fit(painter: QPainter, _color: QColor) -> None:
    for x, dx in ((3.0, 4.0), (17.0, -4.0)):
        for y, dy in ((3.0, 4.0), (17.0, -4.0)):
            _line(painter, (x + dx, y), (x, y), (x, y + dy))
    painter.drawRoundedRect(QRectF(7, 7, 6, 6), 1, 1)


def _cube(painter: QPainter, _color: QColor) -> None:
    _loop(painter, (10, 2.5), (16.5, 6), (16.5, 14), (10, 17.5), (3.5, 14), (3.5, 6))
    _line(painter, (3.5, 6), (10, 9.5), (16.5, 6))
    _line(painter, (10, 9.5), (10, 17.5))


def _parallel(painter: QPainter, _color: QColor) -> None:
    painter.drawRect(QRectF(3, 7, 10, 10))
    _line(painter, (3, 7), (7, 3), (17, 3), (13, 7))
    _line(painter, (17, 3), (17, 13), (13, 17))


def _perspective(painter: QPainter, _color: QColor) -> None:
    painter.drawRect(QRectF(2.5, 6.5, 11, 11))
    _line(painter, (2.5, 6.5), (9, 3), (15.5, 3), (13.5, 6.5))
    _line(painter, (15.5, 3), (15.5, 10), (13.5, 17.5))


def _clip(painter: QPainter, color: QColor) -> None:
    _line(painter, (12, 3.5), (4, 3.5), (4, 16.5), (12, 16.5))
    pen = painter.pen()
    faint = QColor(color)
    faint.setAlphaF(0.5 * color.alphaF())
    painter.setPen(QPen(faint, 1.4, Qt.PenStyle.DotLine))
    _line(painter, (14, 3.5), (17.5, 3.5), (17.5, 16.5), (14, 16.5))
    painter.setPen(pen)
    _line(painter, (12, 1.5), (12, 18.5))


def _overlays(painter: QPainter, _color: QColor) -> None:
    _loop(painter, (10, 2.5), (17.5, 6.5), (10, 10.5), (2.5, 6.5))
    _line(painter, (2.5, 10), (10, 14), (17.5, 10))
    _line(painter, (2.5, 13.5), (10, 17.5), (17.5, 13.5))


def _camera(painter: QPainter, _color: QColor) -> None:
    path = QPainterPath()
    path.addRoundedRect(QRectF(2, 5.5, 16, 11.5), 1.8, 1.8)
    painter.drawPath(path)
    _line(painter, (6.5, 5.5), (8, 3), (12, 3), (13.5, 5.5))
    _circle(painter, 10, 11.2, 3.2)


def _record(painter: QPainter, color: QColor) -> None:
    _circle(painter, 10, 10, 7)
    _filled(painter, color)
    _circle(painter, 10, 10, 3.6)


def _recording(painter: QPainter, color: QColor) -> None:
    red = QColor(RECORDING)
    red.setAlphaF(color.alphaF())
    painter.setPen(QPen(red, 1.6))
    _circle(painter, 10, 10, 7)
    _filled(painter, red)
    _circle(painter, 10, 10, 4.2)


def _more(painter: QPainter, color: QColor) -> None:
    _filled(painter, color)
    for x in (4.0, 10.0, 16.0):
        _circle(painter, x, 10, 1.6)


def _orbit(painter: QPainter, color: QColor) -> None:
    _arc(painter, QRectF(2, 6.5, 16, 7), -250, 320)
    _line(painter, (4.4, 3.9), (4.4, 7.4), (7.8, 7.4))
    _filled(painter, color)
    _circle(painter, 10, 10, 1.8)


def _trackball(painter: QPainter, _color: QColor) -> None:
    _circle(painter, 10, 10, 7.2)
    painter.drawEllipse(QRectF(6.8, 2.8, 6.4, 14.4))
    _line(painter, (2.8, 10), (17.2, 10))


def _fly(painter: QPainter, _color: QColor) -> None:
    _loop(painter, (17.5, 2.5), (12.2, 17.5), (9.2, 10.8), (2.5, 7.8))
    _line(painter, (17.5, 2.5), (9.2, 10.8))


def _link(painter: QPainter, _color: QColor) -> None:
    painter.translate(10, 10)
    painter.rotate(-45)
    painter.drawRoundedRect(QRectF(-9, -3, 9.5, 6), 3, 3)
    painter.drawRoundedRect(QRectF(-0.5, -3, 9.5, 6), 3, 3)


def _levels(painter: QPainter, color: QColor) -> None:
    painter.drawRect(QRectF(3, 3, 14, 14))
    _line(painter, (10, 3), (10, 17))
    _line(painter, (10, 10), (17, 10))
    _line(painter, (13.5, 10), (13.5, 17))
    _filled(painter, color)
    painter.drawRect(QRectF(3, 3, 7, 14))


def _help(painter: QPainter, color: QColor) -> None:
    _circle(painter, 10, 10, 7.5)
    path = QPainterPath(QPointF(7.6, 8))
    path.cubicTo(7.6, 4.6, 12.4, 4.6, 12.4, 8)
    path.cubicTo(12.4, 9.8, 10, 9.8, 10, 11.8)
    painter.drawPath(path)
    _filled(painter, color)
    _circle(painter, 10, 14.4, 1.05)


def _warning(painter: QPainter, color: QColor) -> None:
    _loop(painter, (10, 2.8), (18, 16.8), (2, 16.8))
    _line(painter, (10, 8), (10, 11.8))
    _filled(painter, color)
    _circle(painter, 10, 14.3, 1.05)


def _retry(painter: QPainter, _color: QColor) -> None:
    _arc(painter, QRectF(3.5, 3.5, 13, 13), 60, 290)
    _line(painter, (16.8, 2.8), (16.2, 7.2), (11.8, 6.8))


def _undo(painter: QPainter, _color: QColor) -> None:
    _line(painter, (7, 3.5), (3, 7.5), (7, 11.5))
    _line(painter, (3, 7.5), (11.5, 7.5))
    _arc(painter, QRectF(7, 7.5, 9, 9), 90, -180)
    _line(painter, (11.5, 16.5), (6, 16.5))


def _redo(painter: QPainter, _color: QColor) -> None:
    _line(painter, (13, 3.5), (17, 7.5), (13, 11.5))
    _line(painter, (17, 7.5), (8.5, 7.5))
    _arc(painter, QRectF(4, 7.5, 9, 9), 90, 180)
    _line(painter, (8.5, 16.5), (14, 16.5))


def _copy(painter: QPainter, _color: QColor) -> None:
    painter.drawRoundedRect(QRectF(7, 7, 10, 10.5), 1.5, 1.5)
    _line(painter, (4.5, 13), (3, 13), (3, 3), (13, 3), (13, 4.5))


def _save(painter: QPainter, _color: QColor) -> None:
    _line(painter, (10, 3), (10, 12.5))
    _line(painter, (6, 9), (10, 13), (14, 9))
    _line(painter, (3, 13), (3, 17), (17, 17), (17, 13))


def _play(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    _loop(painter, (6.5, 4.5), (15, 10), (6.5, 15.5))


def _pause(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    painter.drawRect(QRectF(5.5, 4.5, 2.6, 11))
    painter.drawRect(QRectF(12, 4.5, 2.6, 11))


def _stop(painter: QPainter, color: QColor) -> None:
    painter.setBrush(color)
    painter.drawRoundedRect(QRectF(5, 5, 10, 10), 1, 1)


def _add(painter: QPainter, _color: QColor) -> None:
    _line(painter, (10, 4), (10, 16))
    _line(painter, (4, 10), (16, 10))


def _remove(painter: QPainter, _color: QColor) -> None:
    _line(painter, (3.5, 5.5), (16.5, 5.5))
    _line(painter, (7.5, 5.2), (7.5, 3), (12.5, 3), (12.5, 5.2))
    _line(painter, (5, 5.5), (5.8, 17), (14.2, 17), (15, 5.5))
    _line(painter, (8.4, 8.5), (8.4, 14))
    _line(painter, (11.6, 8.5), (11.6, 14))


def _close(painter: QPainter, _color: QColor) -> None:
    _line(painter, (5, 5), (15, 15))
    _line(painter, (15, 5), (5, 15))


def _views(painter: QPainter, _color: QColor) -> None:
    for x in (3.0, 11.0):
        for y in (3.0, 11.0):
            painter.drawRoundedRect(QRectF(x, y, 6, 6), 1, 1)


def _plane(painter: QPainter, _color: QColor) -> None:
    _loop(painter, (2.5, 12), (12, 16.5), (17.5, 8), (8, 3.5))
    _line(painter, (10, 10), (10, 1.5))


def _volume_plane(painter: QPainter, _color: QColor) -> None:
    _loop(painter, (10, 2), (17, 5.8), (17, 14.2), (10, 18), (3, 14.2), (3, 5.8))
    _loop(painter, (3, 13), (8, 16.9), (17, 7), (12, 3.1))


def _film(painter: QPainter, _color: QColor) -> None:
    painter.drawRoundedRect(QRectF(2.5, 4, 15, 12), 1.2, 1.2)
    _line(painter, (6, 4), (6, 16))
    _line(painter, (14, 4), (14, 16))
    _line(painter, (6, 10), (14, 10))


_DRAWINGS: dict[str, Drawing] = {
    "add": _add,
    "camera": _camera,
    "clip": _clip,
    "plane": _plane,
    "volume_plane": _volume_plane,
    "close": _close,
    "copy": _copy,
    "cube": _cube,
    "film": _film,
    "fit": _fit,
    "fly": _fly,
    "help": _help,
    "levels": _levels,
    "link": _link,
    "more": _more,
    "orbit": _orbit,
    "overlays": _overlays,
    "parallel": _parallel,
    "pause": _pause,
    "perspective": _perspective,
    "play": _play,
    "record": _record,
    "recording": _recording,
    "remove": _remove,
    "redo": _redo,
    "retry": _retry,
    "save": _save,
    "stop": _stop,
    "trackball": _trackball,
    "undo": _undo,
    "views": _views,
    "warning": _warning,
}
NAMES = tuple(_DRAWINGS)
"""Icons that there are."""
