"""The window with the table of keys and gestures; it blocks nothing."""

from __future__ import annotations

from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

from brickfield.qt.controls.keys import as_html


class HelpWindow(QDialog):
    """What keys and mouse do, beside the dock.

    Attributes
    ----------
    table : QTextBrowser
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys and mouse in the volume view")
        self.resize(560, 560)
        self.table = QTextBrowser(self)
        self.table.setHtml(as_html())
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 6, 6, 6)
        column.addWidget(self.table)

    def bring_up(self) -> None:
        """Show the window, on top."""
        self.show()
        self.raise_()
        self.activateWindow()
