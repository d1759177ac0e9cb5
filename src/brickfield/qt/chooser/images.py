"""A list of images with pictures, sizes and axes.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QWidget

from brickfield.qt.chooser.pixmaps import framed
from brickfield.qt.chooser.reading import ImageReading, Look
from brickfield.qt.icons import text_color
from brickfield.sources.images import ImageEntry

ICON = QSize(56, 56)
_NAME = Qt.ItemDataRole.UserRole


class ImageList(QListWidget):
    """One line per image: picture, name, size and axes.

    Attributes
    ----------
    opened : Signal
        An image was double-clicked, or Enter was pressed.
    """

    opened = Signal()

    def __init__(self, reading: ImageReading, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._reading = reading
        self._rows: dict[str, QListWidgetItem] = {}
        self.setIconSize(ICON)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setUniformItemSizes(True)
        self.setWordWrap(False)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setAccessibleName("Images")
        reading.looked.connect(self._on_looked)
        self.itemDoubleClicked.connect(lambda _item: self.opened.emit())

    def show_entries(
        self, entries: Sequence[ImageEntry], looks: dict[str, Look] | None = None
    ) -> None:
        """List these and no others, and read their pictures.

        Parameters
        ----------
        entries : sequence of ImageEntry
        looks : dict, optional
            What was seen of some of them already, by name.
        """
        known = looks or {}
        names = [entry.name for entry in entries]
        if names == list(self._rows):
            return
        self.clear()
        self._rows = {}
        for entry in entries:
            item = QListWidgetItem(f"{entry.name}\n{described(entry)}", self)
            item.setData(_NAME, entry.name)
            item.setToolTip(item.text())
            self._rows[entry.name] = item
            self._show(entry.name, known.get(entry.name))
        for entry in reversed([e for e in entries if e.name not in known]):
            self._reading.want_image(entry)
        if self.count():
            self.setCurrentRow(0)

    @property
    def chosen(self) -> list[str]:
        """Names of the chosen images, in their order."""
        return [n for n, item in self._rows.items() if item.isSelected()]

    def choose(self, name: str) -> None:
        """Choose an image alone."""
        item = self._rows.get(name)
        if item is not None:
            self.setCurrentItem(item)

    def _on_looked(self, name: str, look: Look) -> None:
        if name in self._rows:
            self._show(name, look)

    def _show(self, name: str, look: Look | None) -> None:
        item = self._rows[name]
        look = look or self._reading.look_at(name)
        picture = framed(look, ICON, text_color(self))
        icon = QIcon(picture)
        # Qt would tint the picture of what is chosen.
        icon.addPixmap(picture, QIcon.Mode.Selected)
        item.setIcon(icon)
        if look is not None and look.why:
            item.setToolTip(f"{item.text()}\n{look.why}")

    def keyPressEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Open with Enter."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit()
            return
        super().keyPressEvent(event)


def described(entry: ImageEntry) -> str:
    """Say what an image is: size, axes and kind, as far as known."""
    parts = []
    if entry.shape is not None:
        parts.append(" × ".join(map(str, entry.shape)))  # for people
    if entry.axes is not None:
        parts.append(" ".join(entry.axes))
    if entry.kind == "labels":
        parts.append("labels")
    return " · ".join(parts) or "size not read yet"
