"""A view that is made while an image is being opened, with its programs compiled.

Making a renderer and compiling takes longer than opening an image. So it begins before
there is a window to draw for; the first live view of the process takes what is ready.
Render thread only.
"""

from __future__ import annotations

from collections.abc import Sequence

from brickfield.planning import EXPLORATION
from brickfield.rendering import OffscreenView
from brickfield.store import LayerSnapshot

SIZE = (16, 16)
"""Pixels of what is drawn so that something is compiled; nobody sees it."""
_ready: list[OffscreenView] = []
"""At most one; views share the render thread."""


def prepare_view(
    layers: Sequence[LayerSnapshot] = (), overlays: Sequence[str] = ()
) -> None:
    """Make a view and compile what pictures of such layers need.

    Parameters
    ----------
    layers : sequence of LayerSnapshot
        None of their voxels are read.
    overlays : sequence of str
        Names of what decorates the pictures.
    """
    if not _ready:
        _ready.append(OffscreenView(SIZE, policy=EXPLORATION))
    for name in overlays:
        _ready[0].overlays.set_options(name, visible=True)
    _ready[0].compile(layers)


def take_prepared() -> OffscreenView | None:
    """Hand the view over to who draws with it and closes it; None without one."""
    return _ready.pop() if _ready else None
