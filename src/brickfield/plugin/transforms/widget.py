"""What napari calls for the widget *Transforms*; light, as all of these are."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from brickfield.qt import import_beside


class Transforms(QWidget):
    """Makes a :class:`~brickfield.plugin.transforms.dock.TransformsDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        import_beside("brickfield.plugin.transforms.dock")
        from brickfield.plugin.transforms.dock import TransformsDock

        return TransformsDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass
