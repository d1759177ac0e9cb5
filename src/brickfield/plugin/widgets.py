"""What napari calls for the widgets of the plugin menu.

Invariant: this module is light. The docks themselves are loaded on a thread when the
first one is made, while napari's window goes on.

napari's menu takes subclasses of QWidget alone, and looks for the name
``napari_viewer`` in their ``__init__``. So these are such classes, though what they make
is another's: as it is none of theirs, Python does not call ``__init__``.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from brickfield.plugin.docking.load import load_docks
from brickfield.qt import import_beside


class VolumeView(QWidget):
    """Makes a :class:`~brickfield.plugin.docking.docks.VolumeDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        load_docks()
        from brickfield.plugin.docking.docks import VolumeDock

        return VolumeDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass


class OrthogonalViews(QWidget):
    """Makes an :class:`~brickfield.plugin.docking.docks.OrthogonalDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        load_docks()
        from brickfield.plugin.docking.docks import OrthogonalDock

        return OrthogonalDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass


class Benchmark(QWidget):
    """Makes a :class:`~brickfield.plugin.docking.benchmark_dock.BenchmarkDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        load_docks()
        import_beside("brickfield.plugin.docking.benchmark_dock")
        from brickfield.plugin.docking.benchmark_dock import BenchmarkDock

        return BenchmarkDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass


class Stem4D(QWidget):
    """Makes a :class:`~brickfield.plugin.docking.stem_dock.Stem4DDock`."""

    def __new__(cls, napari_viewer: Any) -> Any:
        """Return the dock."""
        import_beside("brickfield.plugin.docking.stem_dock")
        from brickfield.plugin.docking.stem_dock import Stem4DDock

        return Stem4DDock(napari_viewer)

    def __init__(self, napari_viewer) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        pass
