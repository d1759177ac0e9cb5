"""Which scene and which docks belong to which napari viewer.

One scene a viewer, made when it is asked for first and closed with the viewer; any
number of docks. Nothing here keeps a viewer alive. Main thread only.
"""

from __future__ import annotations

import weakref
from typing import Any

from brickfield.plugin.scene import NapariScene
from brickfield.qt.dock import ViewDock

_scenes: weakref.WeakKeyDictionary[Any, NapariScene] = weakref.WeakKeyDictionary()
_docks: weakref.WeakKeyDictionary[Any, weakref.WeakSet[ViewDock]] = (
    weakref.WeakKeyDictionary()
)


def plain(viewer: Any) -> Any:
    """Return the viewer itself where a plugin was handed a proxy of it."""
    return getattr(viewer, "__wrapped__", viewer)


def scene_of(viewer: Any) -> NapariScene:
    """Return the scene of a viewer, making it if there is none."""
    viewer = plain(viewer)
    scene = _scenes.get(viewer)
    if scene is None:
        scene = _scenes[viewer] = NapariScene(viewer)
    return scene


def add_dock(viewer: Any, dock: ViewDock) -> None:
    """Note that a dock shows a viewer's scene."""
    _docks.setdefault(plain(viewer), weakref.WeakSet()).add(dock)


def docks_of(viewer: Any) -> list[ViewDock]:
    """Return the docks of a viewer that still show something."""
    found = list(_docks.get(plain(viewer), ()))
    return [dock for dock in found if not dock.is_closed]
