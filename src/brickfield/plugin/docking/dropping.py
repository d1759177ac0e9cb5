"""Opens the volume dock after files were dropped on napari, or its menu opened them.

Samples, too.

Only where somebody sits before a window, and only if the preference says so: a
script that calls ``viewer.open`` in a hidden window gets layers and nothing else.
"""

from __future__ import annotations

import weakref
from typing import Any

from brickfield.plugin.settings import settings
from brickfield.plugin.window_thread import is_window_thread


def open_dock_soon() -> None:
    """Open the dock once the layers that are being read stand in the window.

    The first dock of a process is loaded on a thread: that takes the window's own
    thread more than a second.
    """
    if not is_window_thread() or not settings().open_dock:
        return
    import napari

    viewer = napari.current_viewer()
    if viewer is None or not _is_seen(viewer):
        return
    from brickfield.plugin.docking.load import call_with_docks

    whose = weakref.ref(viewer)
    call_with_docks(lambda: _open_dock(whose()))


def _is_seen(viewer: Any) -> bool:
    from brickfield.plugin.napari_names import has_window, main_window_of

    window = main_window_of(viewer)
    return has_window(viewer) and window is not None and bool(window.isVisible())


def _open_dock(viewer: Any) -> None:
    if viewer is None or not _is_seen(viewer) or not len(viewer.layers):
        return
    from brickfield.plugin.docking.open_dock import open_dock
    from brickfield.plugin.layers.registry import docks_of

    if not docks_of(viewer):
        open_dock(viewer)
