"""A panel of a dock, and the layer that its controls act on."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QWidget

from brickfield.qt.host import Host
from brickfield.qt.port_watch import Connections
from brickfield.viewer.live import LayerPort, ScenePort


class Panel(QWidget):
    """A panel. It is made when it is first opened, and follows nothing while closed.

    Parameters
    ----------
    host : Host

    Attributes
    ----------
    title : str
    tooltip : str
    connections : Connections
        Connections that end with the dock.
    """

    title = ""
    tooltip = ""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self.host = host
        self.scene = host.scene
        self.connections = Connections()
        self.is_open = False

    @classmethod
    def is_useful_in(cls, _host: Host) -> bool:
        """Whether there is anything to do with the panel; else it is not offered.

        Asked before there is a panel, whenever views or axes come or go.
        """
        return True

    def set_open(self, value: bool) -> None:
        """Take note of whether anybody can see the panel."""
        self.is_open = value
        if value:
            self.follow()

    def follow(self) -> None:
        """Show what there is now; for subclasses."""

    def when_open(self) -> None:
        """Show what there is now, if anybody can see it."""
        if self.is_open:
            self.follow()


def active_layer(
    scene: ScenePort, is_wanted: Callable[[LayerPort], bool] = lambda _: True
) -> LayerPort | None:
    """Return the layer that controls act on: the active one, else the last.

    Parameters
    ----------
    scene : ScenePort
    is_wanted : callable
        Which layers count.
    """
    wanted = [port for port in scene.layers if is_wanted(port)]
    if scene.active in wanted:
        return scene.active
    return wanted[-1] if wanted else None
