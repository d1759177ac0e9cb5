"""Which scene and which docks belong to which napari viewer.

At most one scene per viewer at a time, whatever number of docks shows it; it is closed
with the last of them. Nothing here keeps a viewer or a scene alive: a scene that no
dock shows goes with whoever asked for it. Main thread only.
"""

from __future__ import annotations

import weakref
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.plugin.layers.gl_context import guard_removals
from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.plugin.napari_names import has_window, is_seen
from brickfield.plugin.slicing.lazy import drop_feed
from brickfield.qt import ViewDock

# Weak at both ends: a scene holds its viewer, so it must not be held by the table.
_scenes: weakref.WeakKeyDictionary[Any, weakref.ref[NapariScene]] = (
    weakref.WeakKeyDictionary()
)
_docks: weakref.WeakKeyDictionary[Any, weakref.WeakSet[ViewDock]] = (
    weakref.WeakKeyDictionary()
)


def plain(viewer: Any) -> Any:
    """Return the viewer itself where a plugin was handed a proxy of it."""
    return getattr(viewer, "__wrapped__", viewer)


def scene_of(viewer: Any) -> NapariScene:
    """Return the scene of a viewer, making it if there is none."""
    viewer = plain(viewer)
    known = _scenes.get(viewer)
    scene = None if known is None else known()
    if scene is None:
        guard_removals(viewer)
        watch(viewer.layers)
        scene = NapariScene(viewer)
        _scenes[viewer] = weakref.ref(scene)
    return scene


def add_dock(viewer: Any, dock: ViewDock) -> None:
    """Register a dock that shows a viewer's scene, until the dock is closed.

    Parameters
    ----------
    viewer : napari.Viewer
    dock : ViewDock
    """
    viewer = plain(viewer)
    _docks.setdefault(viewer, weakref.WeakSet()).add(dock)
    whose, which = weakref.ref(viewer), weakref.ref(dock)
    dock.call_when_closed(lambda: _forget(whose(), which()))


def _forget(viewer: Any, dock: ViewDock | None) -> None:
    docks = None if viewer is None else _docks.get(viewer)
    if docks is None:
        return
    if dock is not None:
        docks.discard(dock)
    if not docks and viewer in _scenes:
        # The window is gone; the next dock starts over.
        scene = _scenes.pop(viewer)()
        if scene is not None:
            scene.close()
        ref = weakref.ref(viewer)
        # Not before Qt has taken down what it is taking down.
        QTimer.singleShot(0, lambda: _let_go_without_window(ref()))


def _let_go_without_window(viewer: Any) -> None:
    """Read nothing more for layers whose window was closed, even if they are kept."""
    if viewer is None or has_window(viewer):
        return
    for layer in viewer.layers:
        drop_feed(layer)


def docks_of(viewer: Any) -> list[ViewDock]:
    """Return the docks of a viewer that still show something."""
    found = list(_docks.get(plain(viewer), ()))
    return [dock for dock in found if not dock.is_closed]


def is_drawn_soon(viewer: Any) -> bool:
    """Whether a view will draw new layers: of a dock in a shown window, or one to come."""
    if not is_seen(viewer):
        return False
    docks = docks_of(viewer)
    return not docks or any(dock.isVisible() for dock in docks)
