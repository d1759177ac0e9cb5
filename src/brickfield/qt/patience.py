"""What a window does while a script waits for one of its views.

Invariant: the event loop turns, so other windows and views go on. What the hand does
on the view that is waited for is dropped: its picture is of the moment of the call,
and keys pressed on it go nowhere else. Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from brickfield.qt.turning import can_turn, turn_until

_KINDS = QEvent.Type
BLOCKED = frozenset(
    {
        _KINDS.KeyPress,
        _KINDS.KeyRelease,
        _KINDS.ShortcutOverride,
        _KINDS.Shortcut,
        _KINDS.MouseButtonPress,
        _KINDS.MouseButtonRelease,
        _KINDS.MouseButtonDblClick,
        _KINDS.MouseMove,
        _KINDS.Wheel,
        _KINDS.ContextMenu,
        _KINDS.NativeGesture,
        _KINDS.TouchBegin,
        _KINDS.TouchUpdate,
        _KINDS.TouchEnd,
    }
)
"""Kinds of events that a hand makes."""


def patience_of(widget: QWidget) -> Callable[[Future[Any], float], bool]:
    """Return a way to wait for something of a view that a widget shows.

    It does not keep the widget alive.

    Parameters
    ----------
    widget : QWidget
        Gets no input meanwhile, nor do the widgets in it.

    Returns
    -------
    callable
        Takes a future and seconds, waits, and tells whether it could: not so where
        there is no event loop.
    """
    ref = weakref.ref(widget)

    def wait(future: Future[Any], timeout_s: float) -> bool:
        if not can_turn():
            return False
        with _without_input(ref()):
            turn_until(future, timeout_s)
        return True

    return wait


@contextmanager
def _without_input(widget: QWidget | None) -> Iterator[None]:
    if widget is None:
        yield
        return
    guard = _Guard()
    watched: list[QObject] = []
    with suppress(RuntimeError):  # Qt has deleted it already
        watched = [widget, *widget.findChildren(QWidget)]
        for one in watched:
            one.installEventFilter(guard)
    try:
        yield
    finally:
        for one in watched:
            with suppress(RuntimeError):
                one.removeEventFilter(guard)


class _Guard(QObject):
    """Takes a hand's events, so that they go no further."""

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Say of an event whether it is dropped."""
        if event.type() not in BLOCKED:
            return False
        # Taken: not handed on to the window around, nor looked up as a shortcut.
        event.accept()
        return True
