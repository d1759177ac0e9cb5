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
from brickfield.plugin.window_thread import is_window_thread

TURN_MS = 10
"""From the layers to their dock."""


@contextmanager
def opening_dock() -> Iterator[bool]:
    """Open the dock once the layers that are read in the block stand in the window.

    Not if the block raises. The first dock of a process is loaded on a thread: that
    takes the window's own thread more than a second.

    Yields
    ------
    bool
        Whether a view will draw the layers, of the dock or of one that is there.
    """
    viewer = _viewer_to_open_in()
    if viewer is None:
        yield False
        return
    from brickfield.plugin.docking.load import call_with_docks, will_be_drawn
    from brickfield.plugin.layers.notifications import coming_docks

    coming_docks.add(viewer)
    try:
        yield will_be_drawn(viewer)
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

    from brickfield.plugin.napari_names import is_seen

    viewer = napari.current_viewer()
    return viewer if viewer is not None and is_seen(viewer) else None


def _open_dock(viewer: Any) -> None:
    if viewer is None:
        return
    from brickfield.plugin.docking.open_dock import open_dock
    from brickfield.plugin.layers.notifications import coming_docks
    from brickfield.plugin.layers.registry import docks_of
    from brickfield.plugin.napari_names import is_seen

    try:
        if is_seen(viewer) and len(viewer.layers) and not docks_of(viewer):
            open_dock(viewer)
    finally:
        coming_docks.discard(viewer)
