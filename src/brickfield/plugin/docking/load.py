"""What opening and docks need, loaded on a thread while napari's window goes on.

Invariant: this module is light.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.plugin.napari_names import is_seen
from brickfield.qt import run_beside, run_beside_then
from brickfield.viewer import loading

# Not whether the module is known: a thread may still be loading it.
_is_loaded = threading.Event()
_can_read = threading.Event()


def load_reading() -> None:
    """Load what opening data needs, if it is not, while the window goes on.

    The sessions' document, which tells a session from other data, brings pydantic
    models with it; for the preferences napari reads the manifests of all plugins.
    """
    if not _can_read.is_set():
        run_beside(_load_reading)


def _load_reading() -> None:
    with loading():
        import brickfield.plugin.layers.make  # noqa: F401 - that is the point
        from brickfield.plugin.settings import settings
        from brickfield.sessions import is_session  # noqa: F401 - so is this

        settings()
    _can_read.set()


def load_docks() -> None:
    """Load what the docks need, if it is not, while the window goes on."""
    if not _is_loaded.is_set():
        run_beside(_load)


def will_be_drawn(viewer: Any) -> bool:
    """Whether a view will draw new layers; loads nothing.

    Parameters
    ----------
    viewer : napari.Viewer
    """
    if not _is_loaded.is_set():
        return is_seen(viewer)
    from brickfield.plugin.layers.registry import is_drawn_soon

    return is_drawn_soon(viewer)


def call_with_docks(then: Callable[[], None]) -> None:
    """Call a function later, once what the docks need is loaded; return at once.

    Parameters
    ----------
    then : callable
        Runs on the window's thread, from its event loop.
    """
    if _is_loaded.is_set():
        QTimer.singleShot(0, then)
    else:
        run_beside_then(_load, then)


def _load() -> None:
    """Load what docks are made of, and what napari loads when they first ask it.

    napari reads its preferences; the colormaps' catalogue is searched once.
    """
    with loading():
        import brickfield.plugin.docking.docks  # noqa: F401 - that is the point
        from brickfield.plugin.settings import settings
        from brickfield.sources import from_arrays  # noqa: F401 - for layers there
        from brickfield.viewer import lut

        settings()
        lut("viridis")
    _is_loaded.set()
