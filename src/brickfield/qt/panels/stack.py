"""The panels under one another, each closed until it is wanted.

Which are open is remembered by whoever owns the mapping that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from qtpy.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import (
    QBoxLayout,
    QFrame,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.icons import text_color
from brickfield.qt.panels.host import Panel
from brickfield.qt.theme import Theme

SHARE = 0.42
"""Of the dock's height that is the pictures'; open panels scroll beyond that."""
MARGINS = (18, 2, 8, 6)
"""Room round a panel: left, top, right, bottom."""


class Section(QWidget):
    """A panel below its title, which opens and closes it.

    Parameters
    ----------
    panel : Panel

    Attributes
    ----------
    toggled : Signal
        Emits whether it is open now.
    """

    toggled = Signal(bool)

    def __init__(self, panel: Panel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.panel = panel
        self.header = QPushButton(panel.title, self)
        self.header.setCheckable(True)
        self.header.setToolTip(panel.tooltip)
        self.header.setIconSize(QSize(10, 10))
        self.header.toggled.connect(self._toggle)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.header)
        layout.addWidget(panel)
        panel.setContentsMargins(*MARGINS)
        panel.hide()
        panel.usefulness.connect(self.setVisible)
        self.setVisible(panel.is_useful)
        self._theme = Theme(self.header, _header_sheet)
        self._theme.refresh()
        self.header.installEventFilter(self)
        self._draw_arrow()

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
        """Draw the arrow anew in another theme."""
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.PaletteChange):
            self._draw_arrow()
        return False

    def _draw_arrow(self) -> None:
        self.header.setIcon(_arrow(text_color(self), is_down=self.is_open))


class PanelStack(QScrollArea):
    """All panels of a dock.

    Parameters
    ----------
    memory : mutable mapping, optional
        Title in lower case to whether that panel is open. Read once, written
        whenever a person opens or closes one.
    """

    def __init__(
        self,
        memory: MutableMapping[str, Any] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._memory: MutableMapping[str, Any] = {} if memory is None else memory
        self._ends: list[Callable[[], object]] = []
        self.sections: dict[str, Section] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._inner = QWidget(self)
        self._layout = QVBoxLayout(self._inner)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)
        self._layout.addStretch(1)
        self.setWidget(self._inner)
        self._inner.installEventFilter(self)
        self._heights = _Heights(self)
        if parent is not None:
            parent.installEventFilter(self._heights)

    def add(self, panel: Panel) -> None:
        """Add a panel below the others."""
        section = Section(panel, self._inner)
        name = panel.title.lower()
        self.sections[name] = section
        self._layout.insertWidget(self._layout.count() - 1, section)
        section.is_open = self._memory.get(name) is True
        section.toggled.connect(lambda is_open: self._remember(name, is_open))

    def _remember(self, name: str, is_open: bool) -> None:
        self._memory[name] = is_open
        self.updateGeometry()

    def section_of(self, panel: Panel) -> Section:
        """Return the section that a panel stands in."""
        return self.sections[panel.title.lower()]

    def open(self, panel: Panel, *, is_open: bool = True) -> None:
        """Open a panel, so that it can be seen, or close it."""
        section = self.section_of(panel)
        section.is_open = is_open
        if is_open:
            self.ensureWidgetVisible(section)

    def call_when_released(self, function: Callable[[], object]) -> None:
        """Call a function, that keeps no widget alive, at the end."""
        self._ends.append(function)

    def releases(self) -> list[Callable[[], object]]:
        """Return what ends the panels' connections; keeps no widget alive."""
        bonds = [s.panel.bonds for s in self.sections.values()]
        return [b.release for b in bonds] + self._ends

    # -- size --------------------------------------------------------------------

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height of what is open, or a good part of the dock."""
        inner, parent = self._inner, self.parentWidget()
        # Text that is broken into lines is as high as the width makes it; and a
        # style sheet may pad the area by some pixels.
        wanted = inner.sizeHint().height()
        if inner.hasHeightForWidth():
            wanted = inner.heightForWidth(self.width())
        wanted += 4
        most = wanted if parent is None else self._room(parent)
        return QSize(inner.sizeHint().width(), min(wanted, max(most, 100)))

    def _room(self, parent: QWidget) -> int:
        """Return the height that the pictures and the dock's other rows leave."""
        room: int = round((1 - SHARE) * parent.height())
        layout = parent.layout()
        for i in range(layout.count() if isinstance(layout, QBoxLayout) else 0):
            row = layout.itemAt(i).widget()
            if row not in (None, self) and not layout.stretch(i) and row.isVisible():
                room -= row.height() + layout.spacing()
        return room

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the titles."""
        return QSize(100, 60)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Grow and shrink with what is open."""
        if watched is self._inner and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))


class _Heights(QObject):
    """Tells a stack when the dock round it has another height."""

    def __init__(self, stack: PanelStack) -> None:
        super().__init__(stack)
        self._stack = stack

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at an event and let it pass."""
        if event.type() == QEvent.Type.Resize:
            self._stack.updateGeometry()
        return False


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
