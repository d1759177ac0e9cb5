"""Opens the volume dock after files were dropped on napari, or its menu opened them.

Samples, too.

Only in a visible window, and only if the preference says so: a
script that calls ``viewer.open`` in a hidden window gets layers and nothing else.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.plugin.settings import settings
from brickfield.plugin.warm import warm_up
from brickfield.plugin.window_thread import is_window_thread

TURN_MS = 10
"""From the layers to their dock."""


@contextmanager
def opening_dock() -> Iterator[None]:
    """Open the dock once the layers that are read in the block stand in the window.

    Not if the block raises. The first dock of a process is loaded on a thread: that
    takes the window's own thread more than a second. The graphics begin with the block.
    """
    viewer = _viewer_to_open_in()
    if viewer is None:
        yield
        return
    warm_up()
    from brickfield.plugin.docking.load import call_with_docks
    from brickfield.plugin.layers.notifications import coming_docks

    coming_docks.add(viewer)
    try:
        yield
    except BaseException:
        coming_docks.discard(viewer)
        raise
    whose = weakref.ref(viewer)
    # In a turn of its own: the window answers between the layers and their dock.
    call_with_docks(lambda: QTimer.singleShot(TURN_MS, lambda: _open_dock(whose())))


def _viewer_to_open_in() -> Any:
    """Return the viewer that somebody sits before; None where no dock shall open."""
    if not is_window_thread() or not settings().open_dock:
        return None
    import napari

    viewer = napari.current_viewer()
    return viewer if viewer is not None and _is_seen(viewer) else None


def _is_seen(viewer: Any) -> bool:
    from brickfield.plugin.napari_names import has_window, main_window_of

    window = main_window_of(viewer)
    return has_window(viewer) and window is not None and bool(window.isVisible())


def _open_dock(viewer: Any) -> None:
    if viewer is None:
        return
    from brickfield.plugin.docking.open_dock import open_dock
    from brickfield.plugin.layers.notifications import coming_docks
    from brickfield.plugin.layers.registry import docks_of

    try:
        if _is_seen(viewer) and len(viewer.layers) and not docks_of(viewer):
            open_dock(viewer)
    finally:
        coming_docks.discard(viewer)
