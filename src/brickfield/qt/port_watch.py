"""Tells a widget when anything about a scene's layers changed.

Invariant: a watch keeps neither the widget nor the scene alive, follows layers
that come and go, and after :meth:`PortWatch.close` calls nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakMethod

from brickfield.viewer.live.ports import LayerPort, ScenePort


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
        """Listen no more; may be called twice."""
        self._scene.layers_changed.disconnect(self._take_layers, missing_ok=True)
        self._scene.active_changed.disconnect(self._take_active, missing_ok=True)
        for port in self._ports:
            port.changed.disconnect(self._tell, missing_ok=True)
        self._ports = []
