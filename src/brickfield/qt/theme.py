"""Controls that look right on whatever window they stand in, dark or light.

Colours are taken from the palette that the window's style sheet has given to a
widget, and again when it changes. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QAction, QColor
from qtpy.QtWidgets import QWidget

from brickfield.qt.icons import icon, text_color

ACCENT = "#4c6ef5"
"""Background of what is switched on; white reads on it."""


class Theme(QObject):
    """Gives icons and a style sheet to what stands on a widget.

    Parameters
    ----------
    widget : QWidget
        The style sheet is set on it. The text's colour where it stands is the
        icons', too.
    sheet : callable, optional
        Makes the style sheet from the text's colour.
    """

    def __init__(
        self, widget: QWidget, sheet: Callable[[QColor], str] | None = None
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._sheet = sheet
        self._color: QColor | None = None
        self._icons: dict[QAction | QWidget, str] = {}
        # A palette does not reach a widget with a style sheet of its own.
        for one in (widget, widget.parentWidget()):
            if one is not None:
                one.installEventFilter(self)

    def set_icon(self, owner: QAction | QWidget, name: str) -> None:
        """Give an action or a button an icon that follows the theme.

        Parameters
        ----------
        owner : QAction or QWidget
        name : str
            Of the icon.
        """
        self._icons[owner] = name
        if self._color is not None:
            owner.setIcon(icon(name, self._color))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Refresh the icons when the theme changes; no event is held back.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        kinds = QEvent.Type
        if event.type() in (kinds.PaletteChange, kinds.StyleChange, kinds.Show):
            self.refresh()
        return False

    def refresh(self) -> None:
        """Take the colours of now."""
        # The widget's own text may have its colour from the sheet set here.
        color = text_color(self._widget.parentWidget() or self._widget)
        if color == self._color:
            return
        self._color = color
        for owner, name in self._icons.items():
            owner.setIcon(icon(name, color))
        if self._sheet is not None:
            self._widget.setStyleSheet(self._sheet(color))


def button_sheet(text: QColor) -> str:
    """Return a style sheet for flat buttons in a row."""
    rgb = f"{text.red()}, {text.green()}, {text.blue()}"
    return (
        "QToolButton { border: none; border-radius: 3px; padding: 3px 2px; }"
        f"QToolButton:hover {{ background: rgba({rgb}, 40); }}"
        f"QToolButton:pressed {{ background: rgba({rgb}, 70); }}"
        f"QToolButton:checked {{ background: rgba({rgb}, 45);"
        f" border-bottom: 2px solid {ACCENT}; }}"
        f"QToolButton:disabled {{ color: rgba({rgb}, 90); }}"
        f"QToolButton[segment=true] {{ background: rgba({rgb}, 20);"
        " border-radius: 0; padding: 3px 5px; }"
        f"QToolButton[segment=true]:hover {{ background: rgba({rgb}, 50); }}"
        f"QToolButton[segment=true]:checked {{ background: {ACCENT}; color: white;"
        " border: none; }"
        "QToolButton::menu-indicator { image: none; width: 0; }"
    )


def strip_sheet() -> str:
    """Return a style sheet for a progress bar that is a thin strip."""
    return (
        "QProgressBar { border: none; background: transparent; }"
        f"QProgressBar::chunk {{ background: {ACCENT}; width: 1px; }}"
    )
