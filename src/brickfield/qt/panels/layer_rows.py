"""One row per layer: whether it can be seen, its colours, its name, its opacity.

The topmost layer is on top, as in napari's list. A row shows what its layer's port says
and writes to it.

Its small pictures show the layer's colours, and whether it can be seen.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QEvent, QObject, QPointF, QSize, Qt
from qtpy.QtGui import (
    QColor,
    QFont,
    QIcon,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPixmap,
)
from qtpy.QtWidgets import (
    QHBoxLayout,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.icons import text_color
from brickfield.qt.panels.widgets import NumberSlider
from brickfield.qt.theme import Theme
from brickfield.viewer import COMMON, lut
from brickfield.viewer.controls import OPAQUE
from brickfield.viewer.live import LayerPort, ScenePort

SWATCH = QSize(30, 12)


def swatch(table: NDArray[np.uint8], size: QSize = SWATCH) -> QIcon:
    """Paint a colour table from left to right.

    Parameters
    ----------
    table : ndarray, shape (256, 4), uint8
    size : QSize
        Logical pixels.
    """
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
    """Return a colour table, shape (256, 4), uint8, for layers whose colours stand for objects."""
    hues = [QColor.fromHsvF(i / n, 0.65, 0.9) for i in range(n)]
    table = np.array([(c.red(), c.green(), c.blue(), 255) for c in hues], np.uint8)
    found: NDArray[np.uint8] = table[np.arange(256) * n // 256]
    return found


def eye(color: QColor, *, is_open: bool) -> QIcon:
    """Paint an eye, open or crossed out.

    Parameters
    ----------
    color : QColor
    is_open : bool
        Whether the layer is visible.
    """
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


def set_colormap(port: LayerPort, name: str) -> None:
    """Set the colormap of a layer; its opacity curve stays.

    Parameters
    ----------
    port : LayerPort
    name : str
    """
    curve = port.opacity_curve
    port.colormap = name
    if curve != OPAQUE:
        port.opacity_curve = curve


class LayerRow(QWidget):
    """One layer.

    Parameters
    ----------
    port : LayerPort
    scene : ScenePort
    """

    def __init__(
        self, port: LayerPort, scene: ScenePort, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.port = port
        self._scene = scene
        self._full_name = ""
        self.eye = QToolButton(self)
        self.eye.setAutoRaise(True)
        self.eye.setIconSize(QSize(18, 18))
        self.eye.clicked.connect(self._toggle)
        self.swatch = QToolButton(self)
        self.swatch.setAutoRaise(True)
        self.swatch.setIconSize(SWATCH)
        self.swatch.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.name = QPushButton(self)
        self.name.setFlat(True)
        self.name.setMinimumWidth(40)
        policy = self.name.sizePolicy()
        policy.setHorizontalPolicy(policy.Policy.Ignored)
        self.name.setSizePolicy(policy)
        self.name.clicked.connect(self._activate)
        self.name.installEventFilter(self)
        self._theme = Theme(self, _sheet)
        self.opacity = NumberSlider(0.0, 1.0, 1.0, parent=self)
        self.opacity.box.write = "{:.2f}".format
        self.opacity.box.set_width(4)
        self.opacity.set_tooltip("Opacity of the layer, 0 to 1")
        self.opacity.setMaximumWidth(140)
        self.opacity.moved.connect(self._set_opacity)
        if not port.is_labels:
            self._add_menu()
        self._lay_out()

    def _add_menu(self) -> None:
        menu = QMenu(self.swatch)
        for name in COMMON:
            action = menu.addAction(colormap_icon(name), name)
            action.triggered.connect(partial(self._choose_colors, name))
        self.swatch.setMenu(menu)

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(self.eye)
        layout.addWidget(self.swatch)
        layout.addWidget(self.name, stretch=1)
        layout.addWidget(self.opacity, stretch=1)

    def follow(self, *, is_active: bool) -> None:
        """Show what the layer says."""
        port = self.port
        is_seen = port.visible
        self._draw_eye()
        self.eye.setToolTip("Hide the layer" if is_seen else "Show the layer")
        self.swatch.setIcon(swatch(label_colors() if port.is_labels else port.lut))
        colors = "one for each object" if port.is_labels else port.colormap
        self.swatch.setToolTip(f"Colours: {colors}")
        self._full_name = port.name
        self.name.setToolTip(f"{port.name}\nClick: the controls below act on it")
        font = QFont(self.name.font())
        font.setBold(is_active)
        self.name.setFont(font)
        self._elide()
        self.opacity.follow(port.opacity)

    def _draw_eye(self) -> None:
        self.eye.setIcon(eye(text_color(self), is_open=self.port.visible))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Redraw the eye after a change of the theme."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._draw_eye()

    def _elide(self) -> None:
        room = max(self.name.width() - 10, 10)
        middle = Qt.TextElideMode.ElideMiddle
        text = self.name.fontMetrics().elidedText(self._full_name, middle, room)
        # A lone ampersand would underline what follows.
        self.name.setText(text.replace("&", "&&"))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Shorten the name to the available width.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        if watched is self.name and event.type() == QEvent.Type.Resize:
            self._elide()
        return False

    # -- mouse and keys ---------------------------------------------------------

    def _toggle(self) -> None:
        self.port.visible = not self.port.visible

    def _activate(self) -> None:
        self._scene.activate(self.port)

    def _choose_colors(self, name: str, *_: object) -> None:
        set_colormap(self.port, name)

    def _set_opacity(self, value: float) -> None:
        self.port.opacity = value


def _sheet(text: QColor) -> str:
    rgb = f"{text.red()}, {text.green()}, {text.blue()}"
    return (
        "QToolButton { border: none; padding: 1px; background: transparent; }"
        "QToolButton::menu-indicator { image: none; width: 0; }"
        "QPushButton { text-align: left; border: none; padding: 1px 2px;"
        " background: transparent; }"
        f"QToolButton:hover, QPushButton:hover {{ background: rgba({rgb}, 40); }}"
    )


class LayerRows(QWidget):
    """Rows of all layers of a scene.

    Attributes
    ----------
    rows : list of LayerRow
        The topmost layer first.
    """

    def __init__(self, scene: ScenePort, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = scene
        self.rows: list[LayerRow] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)

    def follow(self, active: LayerPort | None) -> None:
        """Show all layers as they are now."""
        ports = list(reversed(self._scene.layers))
        kept = {row.port: row for row in self.rows}
        if ports != [row.port for row in self.rows]:
            for port, row in kept.items():
                self._layout.removeWidget(row)
                if port not in ports:
                    row.hide()
                    row.deleteLater()
            self.rows = [kept.get(p) or LayerRow(p, self._scene, self) for p in ports]
            for row in self.rows:
                self._layout.addWidget(row)
                row.show()
        for row in self.rows:
            row.follow(is_active=row.port is active)
