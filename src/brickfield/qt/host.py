"""What panels, controls and movies need of the dock that they stand in.

They know these protocols alone, so that the dock can be put together of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from psygnal import SignalInstance
from qtpy.QtWidgets import QVBoxLayout

from brickfield.qt.reports.status import StatusLine
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.viewer.live import LiveView, ScenePort, SlicePlane


class Host(Protocol):
    """A dock with views of one scene (:class:`brickfield.qt.dock.ViewDock`).

    Attributes
    ----------
    views_changed : psygnal.SignalInstance
        Views came or went.
    gpu_budget : int
        Bytes of GPU memory for all views together.
    """

    scene: ScenePort
    views_changed: SignalInstance
    gpu_budget: int

    @property
    def frames(self) -> dict[str, ViewFrame]:
        """Frames of the views, by kind of view."""
        ...

    @property
    def views(self) -> list[LiveView]:
        """Views that are shown, the volume view first."""
        ...

    @property
    def main_view(self) -> LiveView:
        """The volume view, or the first one without it."""
        ...


class DockHost(Host, Protocol):
    """A dock as the controls see it: also a widget, their parent.

    Attributes
    ----------
    body : QVBoxLayout
        Rows of the dock, from top to bottom.
    status : StatusLine
        The last row but those that come and go.
    """

    body: QVBoxLayout
    status: StatusLine

    def set_layout(self, name: str) -> None:
        """Show other views."""
        ...

    def lend_budget(self, n_bytes: int) -> None:
        """Keep bytes of the budget back from the views; 0 gives them all back."""
        ...

    def call_when_closed(self, function: Callable[[], object]) -> None:
        """Call a function after the views were taken down; it keeps no dock alive."""
        ...


def oblique_of(host: Host) -> SlicePlane | None:
    """Return the oblique plane that a dock shows; None without one."""
    planes = (view.slice for view in host.views)
    return next((plane for plane in planes if plane and plane.is_oblique), None)
