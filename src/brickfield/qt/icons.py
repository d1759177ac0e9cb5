"""Icons in the colour of the text around them, from the SVG files in ``drawings``.

A file is drawn on a field of 20 by 20, with lines of ``currentColor``. Invariant: an
icon is rendered at every size that a screen may need, so that it is crisp there and
legible on dark and light windows alike.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from qtpy.QtCore import QByteArray, QRectF, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QWidget

SIZES = (16, 18, 24, 32, 36, 48)
"""Edges of the pictures, pixels."""
FAINT_SIZES = (18, 36)
"""Likewise, of those that cannot be pressed."""
FAINT = 0.35
"""Opacity of what cannot be pressed."""

_FOLDER = Path(__file__).with_name("drawings")


def names() -> tuple[str, ...]:
    """Return the names of all icons, in alphabetical order."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.svg")))


def icon(name: str, color: QColor) -> QIcon:
    """Return an icon in a colour.

    Parameters
    ----------
    name : str
        One of :func:`names`.
    color : QColor

    Raises
    ------
    KeyError
        If there is no such icon.
    """
    return _made(name, color.rgba())


def text_color(widget: QWidget) -> QColor:
    """Return the colour of text on a widget, whatever gave it its style."""
    widget.ensurePolished()
    return widget.palette().color(widget.foregroundRole())


@lru_cache(maxsize=256)
def _made(name: str, rgba: int) -> QIcon:
    color = QColor.fromRgba(rgba)
    # Qt's SVG knows no `currentColor` from outside, so it is written into the text.
    renderer = QSvgRenderer(
        QByteArray(_drawing(name).replace("currentColor", color.name()).encode())
    )
    made = QIcon()
    for size in SIZES:
        made.addPixmap(_pixmap(renderer, color.alphaF(), size), QIcon.Mode.Normal)
    for size in FAINT_SIZES:
        faint = _pixmap(renderer, FAINT * color.alphaF(), size)
        made.addPixmap(faint, QIcon.Mode.Disabled)
    return made


@cache
def _drawing(name: str) -> str:
    try:
        return (_FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise KeyError(name) from None


def _pixmap(renderer: QSvgRenderer, opacity: float, size: int) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(opacity)
    renderer.render(painter, QRectF(0, 0, size, size))
    painter.end()
    return pixmap
