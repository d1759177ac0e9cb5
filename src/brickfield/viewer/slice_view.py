"""Makes live views of every kind."""

from __future__ import annotations

from collections.abc import Callable

from brickfield.viewer.live_view import LiveView
from brickfield.viewer.ports import ScenePort


def make_view(
    kind: str, scene: ScenePort, deliver: Callable[[Callable[[], None]], None]
) -> LiveView:
    """Make a view of a scene.

    Parameters
    ----------
    kind : str
        One of :data:`brickfield.viewer.live_view.KINDS`.
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread.
    """
    return LiveView(kind, scene, deliver)
