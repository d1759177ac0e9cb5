"""A line of text that is cut where the room ends, and never widens its window.

Of a line made of parts (with a dot between them) the last go first, each as a whole.
"""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from brickfield.viewer.receipts.text_status import DOT


class ElidedLabel(QLabel):
    """One line; what does not fit becomes "…" and is whole in the tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = ""
        self._hint = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(0)

    @property
    def whole(self) -> str:
        """The text, uncut."""
        return self._text

    def say(self, text: str, hint: str = "") -> None:
        """Show a text; the hint is added to the tooltip."""
        text = " ".join(text.split())
        if (text, hint) != (self._text, self._hint):
            self._text, self._hint = text, hint
            self._fit()

    def _fit(self) -> None:
        room = max(self.contentsRect().width() - 2 * self.margin(), 0)
        shown = self._shortened(room)
        self.setText(shown)
        parts = [self._text if shown != self._text else "", self._hint]
        self.setToolTip("\n".join(part for part in parts if part))

    def _shortened(self, room: int) -> str:
        metrics, parts = self.fontMetrics(), self._text.split(DOT)
        while len(parts) > 1 and metrics.horizontalAdvance(DOT.join(parts)) > room:
            parts.pop()
        text: str = metrics.elidedText(
            DOT.join(parts), Qt.TextElideMode.ElideRight, room
        )
        return text

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Cut anew."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Cut anew for another font."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()
