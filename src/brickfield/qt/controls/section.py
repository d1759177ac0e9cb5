"""A panel below its title, closed until it is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from brickfield.qt.icons import text_color
from brickfield.qt.theme import Theme

MARGINS = (18, 2, 8, 6)
"""Room round a panel: left, top, right, bottom."""


class Section(QWidget):
    """A panel below its title, which opens and closes it.

    Parameters
    ----------
    title, tooltip : str
    make : callable
        Makes the panel, once: when it is first opened or asked for. A widget with
        ``set_open(is_open)``.
    margins : tuple of int
        Room round the panel: left, top, right, bottom.

    Attributes
    ----------
    toggled : Signal
        Emits whether it is open now.
    """

    toggled = Signal(bool)

    def __init__(
        self,
        title: str,
        tooltip: str,
        make: Callable[[], Any],
        parent: QWidget | None = None,
        *,
        margins: tuple[int, int, int, int] = MARGINS,
    ) -> None:
        super().__init__(parent)
        self._make, self._margins = make, margins
        self._panel: Any = None
        self.header = QPushButton(title, self)
        self.header.setCheckable(True)
        self.header.setToolTip(tooltip)
        self.header.setIconSize(QSize(10, 10))
        self.header.toggled.connect(self._toggle)
        self._room = QVBoxLayout(self)
        self._room.setContentsMargins(0, 0, 0, 0)
        self._room.setSpacing(2)
        self._room.addWidget(self.header)
        self._theme = Theme(self.header, _header_sheet)
        self._theme.refresh()
        self.header.installEventFilter(self)
        self._draw_arrow()

    @property
    def is_made(self) -> bool:
        """Whether there is a panel by now."""
        return self._panel is not None

    @property
    def panel(self) -> Any:
        """The panel; made if it is not."""
        if self._panel is None:
            self._panel = panel = self._make()
            panel.setContentsMargins(*self._margins)
            panel.hide()
            self._room.addWidget(panel)
        return self._panel

    @property
    def is_open(self) -> bool:
        """Whether the panel can be seen."""
        return bool(self.header.isChecked())

    @is_open.setter
    def is_open(self, value: bool) -> None:
        self.header.setChecked(value)

    def _toggle(self, is_open: bool) -> None:
        self._draw_arrow()
        self.panel.set_open(is_open)
        self.panel.setVisible(is_open)
        self.toggled.emit(is_open)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Redraw the arrow when the theme changes.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._draw_arrow()
        return False

    def _draw_arrow(self) -> None:
        self.header.setIcon(_arrow(text_color(self), is_down=self.is_open))


def _header_sheet(text: QColor) -> str:
    rgb = f"{text.red()}, {text.green()}, {text.blue()}"
    return (
        "QPushButton { text-align: left; border: none; padding: 2px 4px;"
        f" background: rgba({rgb}, 18); color: rgb({rgb}); }}"
        f"QPushButton:hover {{ background: rgba({rgb}, 45); }}"
    )


def _arrow(color: QColor, *, is_down: bool) -> QIcon:
    """Draw the arrow before a title."""
    pixmap = QPixmap(20, 20)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(color, 2.6))
    points = [(3, 7), (10, 14), (17, 7)] if is_down else [(7, 3), (14, 10), (7, 17)]
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in points]))
    painter.end()
    return QIcon(pixmap)
