"""A row of controls that never requires more room than there is.

Invariant: every control can be reached at every width. What does not fit is
replaced by a smaller stand-in if it has one, else it goes to the end's menu; what
was added with the highest rank goes first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

SPACING = 1


@dataclass(frozen=True, eq=False)
class _Item:
    widget: QWidget
    rank: int
    stand_in: QWidget | None


class OverflowRow(QWidget):
    """Widgets side by side, as many as fit.

    Parameters
    ----------
    end : QWidget
        What stays at the right end; its menu should offer :attr:`left_out`.
    """

    def __init__(self, end: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._items: list[_Item] = []
        self._end = end
        self._left_out: list[QWidget] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(SPACING)
        # The row itself says how narrow it may be, not what is in it now.
        self._row.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)
        self._row.addStretch(1)
        self._row.addWidget(end)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def add(
        self, widget: QWidget, *, rank: int = 0, stand_in: QWidget | None = None
    ) -> None:
        """Put a widget after the others.

        Parameters
        ----------
        widget : QWidget
        rank : int
            Widgets with the highest rank are left out first; 0 always stays.
        stand_in : QWidget, optional
            A smaller widget for the same, shown before anything is left out.
        """
        for one in (widget, stand_in):
            if one is not None:
                self._row.insertWidget(
                    self._row.count() - 2, one, 0, Qt.AlignmentFlag.AlignVCenter
                )
        if stand_in is not None:
            stand_in.hide()
        self._items.append(_Item(widget, rank, stand_in))
        self.arrange()

    @property
    def left_out(self) -> list[QWidget]:
        """Widgets that did not fit, left to right."""
        return list(self._left_out)

    def arrange(self) -> None:
        """Update which controls are shown."""
        room = self.width() - _width(self._end) - SPACING
        shown = {item: item.widget for item in self._items}
        for item in self._items:
            if item.stand_in is not None and _needed(shown.values()) > room:
                shown[item] = item.stand_in
        by_rank = sorted(
            enumerate(self._items), key=lambda pair: (pair[1].rank, pair[0])
        )
        for _, item in reversed(by_rank):
            if item.rank == 0 or _needed(shown.values()) <= room:
                break
            del shown[item]
        self._left_out = [i.widget for i in self._items if i not in shown]
        for item in self._items:
            for one in (item.widget, item.stand_in):
                if one is not None:
                    one.setVisible(one is shown.get(item))
        if self.isVisible():
            # Before the row is painted next; else widgets that are new to it lie
            # where they were left.
            self._row.activate()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Show as much as fits, now that themes have had their say."""
        super().showEvent(event)
        self.arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Show as much as fits."""
        super().resizeEvent(event)
        self.arrange()

    def event(self, event: QEvent) -> bool:
        """Look again when a widget has become wider or narrower."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.arrange()
        return bool(super().event(event))

    def _size(self, widgets: list[QWidget]) -> QSize:
        heights = [w.sizeHint().height() for w in (*widgets, self._end)]
        return QSize(
            _needed(widgets) + _width(self._end) + SPACING, max(heights, default=0)
        )

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the room for everything."""
        return self._size([item.widget for item in self._items])

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the room for what always stays."""
        kept = [item for item in self._items if item.rank == 0]
        return self._size([item.stand_in or item.widget for item in kept])


def _width(widget: QWidget) -> int:
    """Return what a widget needs: its least width if it has one, else its hint."""
    # A hint from before the theme came is another.
    for one in (widget, *widget.findChildren(QWidget)):
        one.ensurePolished()
    return int(widget.minimumWidth() or widget.sizeHint().width())


def _needed(widgets: Iterable[QWidget]) -> int:
    return sum(_width(w) + SPACING for w in widgets)
