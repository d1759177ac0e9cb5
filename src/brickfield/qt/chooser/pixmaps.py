"""Pictures from arrays of colours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPixmap

from brickfield.qt.chooser.reading import Look


def pixmap_of(colors: NDArray[np.uint8]) -> QPixmap:
    """Make a pixmap of an array, shape (height, width, 3), uint8, sRGB."""
    rows = np.ascontiguousarray(colors)
    height, width, _ = rows.shape
    image = QImage(rows.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    # The array's memory is not Qt's.
    return QPixmap.fromImage(image.copy())


def framed(look: Look | None, size: QSize, text: QColor) -> QPixmap:
    """Draw what was seen of an image into a field of one size.

    Parameters
    ----------
    look : Look or None
        None while nothing was seen.
    size : QSize
    text : QColor
        Of the window's text, for what stands in place of a picture.

    Returns
    -------
    QPixmap
    """
    field = QPixmap(size)
    field.fill(Qt.GlobalColor.transparent)
    painter = QPainter(field)
    if look is not None and look.picture is not None:
        picture = pixmap_of(look.picture).scaled(
            size,
            Qt.AspectRatioMode.KeepAspectRatio,
            Qt.TransformationMode.SmoothTransformation,
        )
        x, y = size.width() - picture.width(), size.height() - picture.height()
        painter.drawPixmap(x // 2, y // 2, picture)
    else:
        _draw_stand_in(painter, size, text, is_absent=look is not None)
    painter.end()
    return field


def _draw_stand_in(
    painter: QPainter, size: QSize, text: QColor, *, is_absent: bool
) -> None:
    """A dim field for what is on its way, crossed out where there is nothing."""
    dim, line = QColor(text), QColor(text)
    dim.setAlpha(28)
    line.setAlpha(110)
    width, height = size.width(), size.height()
    painter.fillRect(0, 0, width, height, dim)
    if is_absent:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(line)
        painter.drawLine(3, 3, width - 4, height - 4)
        painter.drawLine(3, height - 4, width - 4, 3)
