"""The right OpenGL context while napari takes a layer out.

When a layer goes, napari 0.9.2 has its OpenGL objects deleted at once, in whatever
context is current (``napari._vispy.canvas.VispyCanvas._clean_and_update_scenegraph``,
napari/napari#8122). Qt leaves another one current than the canvas's, and on Mesa the
process dies at the next drawing: two images, one removed, a third added are enough.
So the canvas's context is made current for that moment.
"""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any

from brickfield.plugin.napari_names import canvas_of

_guarded: weakref.WeakSet[Any] = weakref.WeakSet()


def guard_removals(viewer: Any) -> None:
    """Make the current GL context valid when layers are removed; may be called repeatedly."""
    if viewer is None or viewer in _guarded or canvas_of(viewer) is None:
        return
    _guarded.add(viewer)
    whose = weakref.ref(viewer)

    def before(_event: Any) -> None:
        canvas = canvas_of(whose())
        if canvas is not None:
            # Qt may have deleted it: the viewer outlives its window.
            with suppress(RuntimeError):
                canvas.makeCurrent()

    def after(_event: Any) -> None:
        canvas = canvas_of(whose())
        if canvas is not None:
            with suppress(RuntimeError):
                canvas.doneCurrent()

    # napari's list holds its callbacks as they are; these hold no viewer.
    viewer.layers.events.removing.connect(before)
    viewer.layers.events.removed.connect(after, position="last")
