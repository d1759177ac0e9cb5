"""A hand on a window: mouse and keys as events of the platform, not of a widget.

Events are given to the native window, so that they reach whatever lies on top there,
menus and dialogs included. By default Qt's own test functions put them into the queue
of the platform; where xdotool is wanted, the X server makes them.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any

from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
PLAIN = Qt.KeyboardModifier.NoModifier
_X_BUTTONS = {LEFT: "1", RIGHT: "3"}
_X_KEYS = {
    Qt.Key.Key_Return: "Return",
    Qt.Key.Key_Escape: "Escape",
    Qt.Key.Key_Z: "z",
    Qt.Key.Key_C: "c",
    Qt.Key.Key_F: "f",
    Qt.Key.Key_2: "2",
    Qt.Key.Key_A: "a",
}
_X_HELD = {
    Qt.KeyboardModifier.ControlModifier: "ctrl",
    Qt.KeyboardModifier.ShiftModifier: "shift",
}
STEPS = 12
"""Moves of a drag."""


class Hand:
    """Clicks, drags and types.

    Parameters
    ----------
    turn : callable
        Lets the event loop run for some seconds; called between two events.
    is_x : bool
        Whether events come from xdotool.
    """

    def __init__(self, turn: Callable[[float], object], *, is_x: bool = False) -> None:
        self._turn = turn
        self._is_x = is_x

    # -- the mouse ---------------------------------------------------------------

    def move(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Put the cursor on a place of a widget; its middle by default."""
        place = widget.rect().center() if at is None else at
        if self._is_x:
            spot = widget.mapToGlobal(place)
            _x("mousemove", str(spot.x()), str(spot.y()))
        else:
            QTest.mouseMove(*_on_window(widget, place))
        self._turn(0.02)

    def press(
        self, widget: QWidget, at: QPoint | None = None, button: Any = LEFT
    ) -> None:
        """Press a button of the mouse."""
        self._button(widget, at, button, is_down=True)

    def release(
        self, widget: QWidget, at: QPoint | None = None, button: Any = LEFT
    ) -> None:
        """Let a button of the mouse go."""
        self._button(widget, at, button, is_down=False)

    def _button(
        self, widget: QWidget, at: QPoint | None, button: Any, *, is_down: bool
    ) -> None:
        place = widget.rect().center() if at is None else at
        if self._is_x:
            _x("mousedown" if is_down else "mouseup", _X_BUTTONS[button])
        else:
            act = QTest.mousePress if is_down else QTest.mouseRelease
            window, spot = _on_window(widget, place)
            act(window, button, PLAIN, spot)
        self._turn(0.02)

    def click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click with the left button."""
        self.move(widget, at)
        self.press(widget, at)
        self.release(widget, at)
        self._turn(0.05)

    def double_click(self, widget: QWidget, at: QPoint | None = None) -> None:
        """Click twice."""
        if self._is_x:
            self.click(widget, at)
            self.click(widget, at)
            return
        window, spot = _on_window(widget, widget.rect().center() if at is None else at)
        QTest.mouseDClick(window, LEFT, PLAIN, spot)
        self._turn(0.05)

    def drag(
        self, widget: QWidget, start: QPoint, by: tuple[int, int], button: Any = LEFT
    ) -> None:
        """Press, move in small steps, and let go."""
        self.move(widget, start)
        self.press(widget, start, button)
        end = start
        for i in range(1, STEPS + 1):
            end = start + QPoint(by[0] * i // STEPS, by[1] * i // STEPS)
            self.move(widget, end)
        self.release(widget, end, button)
        self._turn(0.05)

    def wheel(self, widget: QWidget, notches: int) -> None:
        """Turn the wheel over the middle of a widget."""
        self.move(widget)
        if self._is_x:
            for _ in range(abs(notches)):
                _x("click", "4" if notches > 0 else "5")
            return
        place = widget.rect().center()
        event = QWheelEvent(
            QPointF(place),
            QPointF(widget.mapToGlobal(place)),
            QPoint(),
            QPoint(0, 120 * notches),
            Qt.MouseButton.NoButton,
            PLAIN,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)
        self._turn(0.05)

    # -- the keyboard ------------------------------------------------------------

    def key(self, widget: QWidget, key: Any, held: Any = PLAIN) -> None:
        """Press a key while a widget's window has the keyboard."""
        if self._is_x:
            parts = [word for one, word in _X_HELD.items() if held & one]
            _x("key", "+".join([*parts, _X_KEYS[key]]))
        else:
            QTest.keyClick(widget.window().windowHandle(), key, held)
        self._turn(0.05)

    def write(self, widget: QWidget, text: str) -> None:
        """Put a text in place of that of a field, and press Enter."""
        self.double_click(widget)
        self.key(widget, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        if self._is_x:
            _x("type", text)
        else:
            # A window knows no keys for some signs; its field does.
            QTest.keyClicks(widget, text)
        self.key(widget, Qt.Key.Key_Return)


def _on_window(widget: QWidget, place: QPoint) -> tuple[Any, QPoint]:
    window = widget.window()
    return window.windowHandle(), widget.mapTo(window, place)


def _x(*words: str) -> None:
    subprocess.run(["xdotool", *words], check=True)


def turn_until(is_true: Callable[[], bool], seconds: float) -> bool:
    """Let the event loop run until something is true; tell whether it is."""
    end = monotonic() + seconds
    while not is_true():
        if monotonic() > end:
            return is_true()
        QApplication.processEvents()
        sleep(0.002)
    return True
