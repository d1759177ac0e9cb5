"""Something of the data before the renderer has its first picture.

Invariant: a stand-in is never mistaken for the picture: it says over itself what it
is and what is waited for. Main thread only.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRectF, Qt
from qtpy.QtGui import QColor, QFont, QImage, QPainter, QPixmap

from brickfield.viewer.live import LayerPort

SHARE = 0.7
"""Of the picture's shorter side, for the thumbnails."""


def thumbnail_of(ports: Iterable[LayerPort]) -> NDArray[np.uint8] | None:
    """Lay the thumbnails of visible layers over each other.

    Returns
    -------
    ndarray, shape (h, w, 4), uint8, or None
        The brightest of each pixel; None where no thumbnail shows anything.
    """
    shown = [port.thumbnail for port in ports if port.visible]
    found = [t for t in shown if t is not None and t[..., :3].any()]
    found = [t for t in found if t.shape == found[0].shape]
    if not found:
        return None
    both: NDArray[np.uint8] = np.max(found, axis=0)
    both[..., 3] = 255
    return both


def stand_in(
    thumbnail: NDArray[np.uint8] | None,
    caption: str,
    size: tuple[int, int],
    pixel_ratio: float,
    font: QFont,
) -> QPixmap:
    """Draw a thumbnail with a caption below it.

    Parameters
    ----------
    thumbnail : ndarray, shape (h, w, 4), uint8, or None
    caption : str
    size : tuple of int
        Width and height, physical pixels.
    pixel_ratio : float
    font : QFont
    """
    pixmap = QPixmap(*size)
    pixmap.setDevicePixelRatio(pixel_ratio)
    pixmap.fill(QColor("black"))
    width, height = (n / pixel_ratio for n in size)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    edge = SHARE * min(width, height)
    top = (height - edge) / 2
    if thumbnail is not None:
        pixels = np.ascontiguousarray(thumbnail)
        h, w = pixels.shape[:2]
        image = QImage(pixels.data, w, h, 4 * w, QImage.Format.Format_RGBA8888)
        painter.drawImage(QRectF((width - edge) / 2, top, edge, edge), image)
    painter.setFont(font)
    painter.setPen(QColor("#e8e8e8"))
    line = painter.fontMetrics().height()
    low = top + edge + 4 if thumbnail is not None else (height - 3 * line) / 2
    room = QRectF(8, min(low, height - 3 * line), width - 16, 3 * line)
    flags = int(Qt.AlignmentFlag.AlignHCenter) | int(Qt.TextFlag.TextWordWrap)
    painter.drawText(room, flags, caption)
    painter.end()
    return pixmap
