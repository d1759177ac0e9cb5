"""The dock *Benchmark*: the machine, and the layer that is selected.

Invariant: a layer is only looked at when the dock is shown or a run begins; what is
measured then is its store, on a thread. Main thread only.
"""

from __future__ import annotations

import weakref
from typing import Any

from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QWidget

from brickfield.plugin.docking.settling import SharedHeight
from brickfield.plugin.layers.registry import plain, scene_of
from brickfield.qt.benchmark import BenchmarkPanel


def subject_of(viewer: Any) -> tuple[str, Any] | None:
    """Return name and store of the layer that is selected, or of the only one.

    Parameters
    ----------
    viewer : napari.Viewer or None
    """
    if viewer is None:
        return None
    scene = scene_of(viewer)
    found = scene.active
    if found is None and len(scene.layers) == 1:
        found = scene.layers[0]
    return None if found is None else (found.name, found.data.store)


class BenchmarkDock(BenchmarkPanel):
    """The panel in a napari window.

    Parameters
    ----------
    napari_viewer : napari.Viewer
    """

    def __init__(self, napari_viewer, parent: QWidget | None = None) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        viewer = weakref.ref(plain(napari_viewer))
        super().__init__(lambda: subject_of(viewer()), parent)
        SharedHeight(self)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Find out what is selected."""
        super().showEvent(event)
        if not self.is_running:
            self.look()
