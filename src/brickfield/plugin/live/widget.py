"""What napari calls for the widget *Live acquisition*; light, as all of these are."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from brickfield.plugin.docking.load import load_docks
from brickfield.qt import import_beside


class LiveAcquisition(QWidget):
    """Makes a :class:`~brickfield.plugin.live.dock.LiveDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        load_docks()
        import_beside("brickfield.plugin.live.dock")
        from brickfield.plugin.live.dock import LiveDock

        return LiveDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass
