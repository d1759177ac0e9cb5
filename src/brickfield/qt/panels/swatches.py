"""Small pictures: colours of a layer, and whether it can be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QImage, QPainter, QPainterPath, QPen, QPixmap

from brickfield.viewer.colormaps import lut

SWATCH = QSize(30, 12)


def swatch(table: NDArray[np.uint8], size: QSize = SWATCH) -> QIcon:
    """Paint a table of colours, shape (256, 4), uint8, from left to right."""
    n = size.width()
    places = np.rint(np.linspace(0, 255, n)).astype(np.int64)
    colors = table[places].copy()
    colors[:, 3] = 255
    image = QImage(colors.data, n, 1, 4 * n, QImage.Format.Format_RGBA8888)
    # The pixmap is a copy: the array may go.
    return QIcon(QPixmap.fromImage(image).scaled(size))


def colormap_icon(name: str) -> QIcon:
    """Paint a colormap by its name."""
    return swatch(lut(name))


def label_colors(n: int = 6) -> NDArray[np.uint8]:
    """Return a table for layers whose colours stand for objects."""
    hues = [QColor.fromHsvF(i / n, 0.65, 0.9) for i in range(n)]
    table = np.array([(c.red(), c.green(), c.blue(), 255) for c in hues], np.uint8)
    found: NDArray[np.uint8] = table[np.arange(256) * n // 256]
    return found


def eye(color: QColor, *, is_open: bool) -> QIcon:
    """Paint an eye, open or crossed out."""
    side = 40
    pixmap = QPixmap(side, side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side / 20, side / 20)
    shown = QColor(color)
    shown.setAlphaF(1.0 if is_open else 0.45)
    painter.setPen(QPen(shown, 1.6))
    path = QPainterPath(QPointF(2, 10))
    path.cubicTo(6, 3.5, 14, 3.5, 18, 10)
    path.cubicTo(14, 16.5, 6, 16.5, 2, 10)
    painter.drawPath(path)
    painter.setBrush(shown)
    painter.drawEllipse(QPointF(10, 10), 2.6, 2.6)
    if not is_open:
        painter.drawLine(QPointF(3, 17), QPointF(17, 3))
    painter.end()
    return QIcon(pixmap)
