"""Connections of a widget to signals of those who outlive it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from psygnal import SignalInstance

from brickfield.qt.port_watch import PortWatch
from brickfield.viewer.live.ports import ScenePort


class Bonds:
    """Connections that are undone together.

    Holds the widget's methods weakly, so that whoever keeps the bonds, to undo them
    when Qt deletes the widget, does not keep the widget.

    Attributes
    ----------
    is_released : bool
        Whether the end has come.
    """

    def __init__(self) -> None:
        self._made: list[tuple[SignalInstance, WeakMethod[Any]]] = []
        self._watches: list[PortWatch] = []
        self.is_released = False

    def bind(self, signal: SignalInstance, method: Callable[..., Any]) -> None:
        """Call a bound method at each emission, until the bonds are released."""
        signal.connect(method)
        self._made.append((signal, WeakMethod(method)))

    def follow_layers(self, scene: ScenePort, method: Callable[[str], None]) -> None:
        """Call a bound method whenever anything about any layer changed.

        It takes the name of the attribute, ``"layers"`` when layers came or went,
        ``"active"`` when another is the active one.
        """
        self._watches.append(PortWatch(scene, method))

    def unbind(self, *signals: SignalInstance) -> None:
        """Undo all connections to some signals."""
        gone = [pair for pair in self._made if pair[0] in signals]
        self._made = [pair for pair in self._made if pair[0] not in signals]
        for signal, reference in gone:
            method = reference()
            if method is not None:
                signal.disconnect(method, missing_ok=True)

    def release(self) -> None:
        """Undo all; may be called twice."""
        self.is_released = True
        self.unbind(*[signal for signal, _ in self._made])
        while self._watches:
            self._watches.pop().close()
