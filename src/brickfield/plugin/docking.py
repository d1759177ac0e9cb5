"""Opens the volume view in a napari window."""

from __future__ import annotations

from typing import Any

from brickfield.errors import BrickfieldError
from brickfield.plugin.registry import docks_of
from brickfield.qt.dock import ViewDock

PLUGIN = "napari-brickfield"
WIDGET = "Volume view"


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
    window.add_plugin_dock_widget(PLUGIN, WIDGET)
    return docks_of(viewer)[-1]
