"""One line above the status with a message and one action.

Invariant: the line takes room only while it has something to say, never widens its
window, and what the user has closed stays closed until there is another message to
say. Main thread only.
"""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from brickfield.qt.reports.status import ElidedLabel
from brickfield.qt.theme import Theme, button_sheet


class Strip(QWidget):
    """A text, a button and a cross.

    Parameters
    ----------
    button : str
        Text of the button.

    Attributes
    ----------
    pressed : Signal
        The button was pressed.
    """

    pressed = Signal()

    def __init__(self, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._closed: set[str] = set()
        self._key = ""
        self.text = ElidedLabel(self)
        self.button = QToolButton(self)
        self.button.setText(button)
        self.button.setProperty("segment", True)
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.clicked.connect(self.pressed)
        self.cross = QToolButton(self)
        self.cross.setText("×")
        self.cross.setToolTip("Hide this line")
        self.cross.setAccessibleName("Hide this line")
        self.cross.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.cross.clicked.connect(self._close)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 0, 4, 0)
        row.setSpacing(4)
        row.addWidget(self.text, stretch=1)
        row.addWidget(self.button)
        row.addWidget(self.cross)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._theme = Theme(self, _sheet)
        self.hide()

    def say(self, text: str, key: str = "") -> None:
        """Say something; "" is nothing.

        Parameters
        ----------
        text : str
        key : str
            What it is about: once closed, nothing more is said about it.
        """
        self._key = key or text
        self.text.say(text)
        self.setVisible(bool(text) and self._key not in self._closed)

    def _close(self) -> None:
        self._closed.add(self._key)
        self.hide()


def _sheet(text: QColor) -> str:
    rgb = f"{text.red()}, {text.green()}, {text.blue()}"
    return f"Strip {{ background: rgba({rgb}, 18); }}" + button_sheet(text)
