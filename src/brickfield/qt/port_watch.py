"""Tells a widget when anything about a scene's layers changed.

Invariant: a watch keeps neither the widget nor the scene alive, follows layers that
come and go, and calls nothing after :meth:`PortWatch.close`.

:class:`Connections` are those of a widget to signals of objects that outlive it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from weakref import WeakMethod

from psygnal import SignalInstance

from brickfield.viewer.live import LayerPort, ScenePort


class PortWatch:
    """Follows all layers of a scene. Main thread only.

    Parameters
    ----------
    scene : ScenePort
    call : callable
        A bound method, held weakly; takes the name of the attribute that changed,
        ``"layers"`` when layers came or went, ``"active"`` when another is active.
    """

    def __init__(self, scene: ScenePort, call: Callable[[str], None]) -> None:
        self._scene = scene
        self._call = WeakMethod(call)
        self._ports: list[LayerPort] = []
        scene.layers_changed.connect(self._take_layers)
        scene.active_changed.connect(self._take_active)
        self._follow()

    def _take_layers(self) -> None:
        self._follow()
        self._tell("layers")

    def _take_active(self) -> None:
        self._tell("active")

    def _follow(self) -> None:
        ports = list(self._scene.layers)
        for port in self._ports:
            if port not in ports:
                port.changed.disconnect(self._tell, missing_ok=True)
        for port in ports:
            if port not in self._ports:
                port.changed.connect(self._tell)
        self._ports = ports

    def _tell(self, name: str) -> None:
        call = self._call()
        if call is not None:
            call(name)

    def close(self) -> None:
        """Disconnect; may be called twice."""
        self._scene.layers_changed.disconnect(self._take_layers, missing_ok=True)
        self._scene.active_changed.disconnect(self._take_active, missing_ok=True)
        for port in self._ports:
            port.changed.disconnect(self._tell, missing_ok=True)
        self._ports = []


class Connections:
    """Connections that are undone together.

    Holds the widget's methods weakly, so that keeping the connections, to undo them
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
        """Call a bound method at each emission, until the connections are released.

        Parameters
        ----------
        signal : SignalInstance
        method : callable
        """
        signal.connect(method)
        self._made.append((signal, WeakMethod(method)))

    def follow_layers(self, scene: ScenePort, method: Callable[[str], None]) -> None:
        """Call a bound method whenever anything about any layer changed.

        It takes the name of the attribute, ``"layers"`` when layers came or went,
        ``"active"`` when another is the active one.

        Parameters
        ----------
        scene : ScenePort
        method : callable
            Takes the name of the attribute.
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
