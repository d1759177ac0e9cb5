"""A thin row above the picture: every layer with its colours, name and switch.

Click shows or hides a layer; double click shows it alone, and all again. Shown while
there are two layers or more. A chip shows what its layer's port says and writes to
it. Main thread only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QColor, QMouseEvent, QResizeEvent
from qtpy.QtWidgets import QFrame, QScrollArea, QSizePolicy, QToolButton, QWidget

from brickfield.qt.panels.layer_rows import label_colors, swatch
from brickfield.qt.port_watch import Connections
from brickfield.qt.theme import Theme
from brickfield.viewer.live import LayerPort, ScenePort

LEAST = 2
"""Layers that there must be; of one there is nothing to choose."""
MOST_ROWS = 2
"""Rows that are shown at once; more are scrolled to."""
MOST_WIDTH = 150
"""Pixels of a chip; longer names are shortened in their middle."""
GAP = 3
_COLORS = QSize(14, 12)
_MOST_TRIES = 4
_WORDS = re.compile(r"[^\W_]+[\W_]*|[\W_]+")
"""A word of a name with what divides it from the next."""
_FOLLOWED = frozenset({"layers", "name", "visible", "colormap", "curve", "contrast"})


class Chip(QToolButton):
    """One layer.

    Parameters
    ----------
    port : LayerPort

    Attributes
    ----------
    doubled : Signal
        Double click.
    restyled : Signal
        Its words may need more or less room than before.
    is_shortened : bool
        Whether there is no room for all of the name.
    """

    doubled = Signal()
    restyled = Signal()

    def __init__(self, port: LayerPort, parent: QWidget) -> None:
        super().__init__(parent)
        self.port = port
        self.is_shortened = False
        self._name = ""
        self.setCheckable(True)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(_COLORS)

    def follow(self, name: str) -> None:
        """Show what the layer says.

        Parameters
        ----------
        name : str
            Of the layer, without what all layers share where there is no room.
        """
        port = self.port
        table = label_colors() if port.is_labels else port.lut
        self.setIcon(swatch(table, _COLORS))
        self.setChecked(port.visible)
        font = self.font()
        font.setStrikeOut(not port.visible)
        self.setFont(font)
        self._write(name)
        does = "hides" if port.visible else "shows"
        self.setToolTip(
            f"{port.name}\nClick {does} it; double click shows it alone, and all again"
        )
        self.setAccessibleName(port.name)

    def _write(self, name: str) -> None:
        """Shorten the name until the chip is as wide as it may be.

        What a style needs beside the words differs: the chip itself is asked.
        """
        self._name = name
        self.ensurePolished()
        metrics, middle = self.fontMetrics(), Qt.TextElideMode.ElideMiddle
        # Whole at first, not cut to its own width: that is rounded, and may lack a part
        # of a pixel.
        room, text = metrics.horizontalAdvance(name), name
        while True:
            # A lone ampersand would underline what follows.
            self.setText(text.replace("&", "&&"))
            excess = self.sizeHint().width() - MOST_WIDTH
            room -= excess
            if excess <= 0 or room <= 0:
                break
            text = metrics.elidedText(name, middle, room)
        self.is_shortened = text != name

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Write the name anew in another style or font, as of the window around it."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange):
            self._write(self._name)
            self.restyled.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Say so; the first click of it has come before."""
        self.doubled.emit()
        event.accept()


class ChannelChips(QScrollArea):
    """Chips of all layers of a scene.

    Parameters
    ----------
    scene : ScenePort

    Attributes
    ----------
    chips : list of Chip
        In the order of the layers, the first channel first.
    """

    def __init__(self, scene: ScenePort, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = scene
        self._before: list[LayerPort] = []
        self.chips: list[Chip] = []
        self._is_naming = self._is_restyled = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.inner = QWidget(self)
        self.setWidget(self.inner)
        self._theme = Theme(self.inner, _sheet)
        self._connections = Connections()
        self._connections.follow_layers(scene, self._on_layers)
        self._follow()

    def release(self) -> Callable[[], None]:
        """Return what ends the connections; keeps no widget alive."""
        return self._connections.release

    def _on_layers(self, name: str) -> None:
        if name in _FOLLOWED:
            self._follow()

    def _follow(self) -> None:
        ports = list(self._scene.layers)
        if ports != [chip.port for chip in self.chips]:
            for chip in self.chips:
                chip.hide()
                chip.deleteLater()
            self.chips = [self._make(port) for port in ports]
        self.setVisible(len(ports) >= LEAST)
        self._name_chips()

    def _name_chips(self) -> None:
        """Write whole names where there is room, else the parts that differ.

        Asked again by chips in another style: the style of a window may come after the
        names, and what was too long before may have room then.
        """
        self._is_restyled = True
        if self._is_naming:
            return
        self._is_naming = True
        try:
            # Asking a chip for its size gives it the style that waits for it: what was
            # written in the former one is written again, but not for ever.
            for _ in range(_MOST_TRIES):
                if not self._is_restyled:
                    break
                self._is_restyled = False
                names = [chip.port.name for chip in self.chips]
                self._write(names)
                if any(chip.is_shortened for chip in self.chips):
                    self._write(telling_parts(names))
        finally:
            self._is_naming = False
        self._arrange()

    def _write(self, names: Sequence[str]) -> None:
        for chip, name in zip(self.chips, names, strict=True):
            chip.follow(name)

    def _make(self, port: LayerPort) -> Chip:
        chip = Chip(port, self.inner)
        chip.clicked.connect(partial(self._toggle, port))
        chip.doubled.connect(partial(self._show_alone, port))
        chip.restyled.connect(self._name_chips)
        chip.show()
        return chip

    # -- mouse and keys ---------------------------------------------------------

    def _toggle(self, port: LayerPort, *_: object) -> None:
        self._before = [one for one in self._scene.layers if one.visible]
        port.visible = not port.visible

    def _show_alone(self, port: LayerPort) -> None:
        # Before the first click of the two.
        is_alone = self._before == [port]
        for one in self._scene.layers:
            wanted = is_alone or one is port
            if one.visible != wanted:
                one.visible = wanted

    # -- places ------------------------------------------------------------------

    def _arrange(self) -> None:
        """Arrange chips in as many rows as the width requires."""
        width = max(self.width(), 1)
        x = y = height = 0
        for chip in self.chips:
            size = chip.sizeHint()
            size.setWidth(min(size.width(), MOST_WIDTH, width))
            if x and x + size.width() > width:
                x, y = 0, y + height + 1
            chip.setGeometry(x, y, size.width(), size.height())
            x, height = x + size.width() + GAP, max(height, size.height())
        most, bars = MOST_ROWS * (height + 1), Qt.ScrollBarPolicy
        is_more = y + height > most
        self.setVerticalScrollBarPolicy(
            bars.ScrollBarAsNeeded if is_more else bars.ScrollBarAlwaysOff
        )
        self.inner.resize(width, y + height)
        self.setFixedHeight(most if is_more else max(y + height, 1))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Arrange the chips again."""
        super().resizeEvent(event)
        self._arrange()


def telling_parts(names: Sequence[str]) -> list[str]:
    """Leave out of names, at both ends, the words that all of them share.

    Parameters
    ----------
    names : sequence of str

    Returns
    -------
    list of str
        "…" stands for what was left out; a name that is the same as another stays so.
    """
    words = [_WORDS.findall(name) for name in names]
    least = min(map(len, words), default=0)
    if len(set(names)) < 2 or least < 2:
        return list(names)
    n_first = 0
    while n_first < least - 1 and len({one[n_first] for one in words}) == 1:
        n_first += 1
    n_last = 0
    while n_last < least - 1 - n_first and len({o[-1 - n_last] for o in words}) == 1:
        n_last += 1
    found = []
    for one in words:
        kept = "".join(one[n_first : len(one) - n_last]).strip()
        found.append("…" * bool(n_first) + kept + "…" * bool(n_last))
    return found


def _sheet(text: QColor) -> str:
    rgb = f"{text.red()}, {text.green()}, {text.blue()}"
    return (
        "QToolButton { border: none; border-radius: 3px; padding: 1px 4px;"
        f" background: transparent; color: rgba({rgb}, 150); }}"
        f"QToolButton:checked {{ background: rgba({rgb}, 30); color: rgb({rgb}); }}"
        f"QToolButton:hover {{ background: rgba({rgb}, 55); }}"
    )
