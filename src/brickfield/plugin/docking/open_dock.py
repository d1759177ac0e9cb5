"""Opens the volume view in a napari window."""

from __future__ import annotations

from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.plugin.layers.registry import docks_of, plain
from brickfield.qt import ViewDock

TITLE = "Volume view (Brickfield)"
"""What napari's menu calls the dock, too, so that both mean the same one."""


def open_dock(viewer: Any) -> ViewDock:
    """Return the dock with the volume view, opening one if there is none.

    Raises
    ------
    BrickfieldError
        For a viewer without a window.
    """
    docks = docks_of(viewer)
    for dock in docks:
        if "3D" in dock.frames:
            return dock
    if docks:
        return docks[0]
    window = getattr(viewer, "window", None)
    if window is None:
        msg = (
            "expected a napari viewer with a window; found one without: volume views"
            " need napari.Viewer(), and brickfield.render draws without any"
        )
        raise BrickfieldError(msg)
    from brickfield.plugin.docking.docks import VolumeDock

    dock = VolumeDock(plain(viewer))
    window.add_dock_widget(dock, name=TITLE)
    return dock
