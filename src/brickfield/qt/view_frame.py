"""One view in a window: its picture, its name and what lies under the cursor."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from brickfield.qt.picture import PictureWidget
from brickfield.viewer.live_view import LiveView


class ViewFrame(QWidget):
    """A picture with a line of text over its lower edge.

    Parameters
    ----------
    view : LiveView
    """

    def __init__(self, view: LiveView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = view
        self.picture = PictureWidget(view, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.picture)
        self.readout = QLabel(self.picture)
        self.readout.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.readout.setStyleSheet(
            "background: rgba(0, 0, 0, 150); color: #f0f0f0; padding: 1px 6px;"
            "border-radius: 3px;"
        )
        self.readout.move(6, 6)
        self.readout.hide()

    def say(self, text: str) -> None:
        """Show a line over the picture; "" takes it away."""
        self.readout.setText(text)
        self.readout.adjustSize()
        self.readout.setVisible(bool(text))
