"""The widgets of napari's plugin menu.

napari makes them with the viewer as ``napari_viewer``. The parameter has no
annotation: a quoted one keeps napari from handing the viewer over.
"""

from __future__ import annotations

from typing import Any

from brickfield.plugin.registry import add_dock, plain, scene_of
from brickfield.qt.dock import ViewDock


class VolumeDock(ViewDock):
    """The volume view of a napari viewer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, *, layout: str = "3D") -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        viewer: Any = plain(napari_viewer)
        super().__init__(scene_of(viewer), layout=layout)
        add_dock(viewer, self)


class OrthogonalDock(VolumeDock):
    """The volume and three slices of a napari viewer, side by side."""

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        super().__init__(napari_viewer, layout="2x2")
