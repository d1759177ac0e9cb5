"""Notifications about an image that was just opened."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer

from brickfield.model import ImageInfo
from brickfield.model.units import counted
from brickfield.plugin.names import run_command
from brickfield.plugin.window_thread import is_window_thread
from brickfield.store import ChunkedImageStore

logger = logging.getLogger(__name__)
NOTICE_S, WARNING_S = 6.0, 15.0
"""How long a dock's line of status says something."""
coming_docks: weakref.WeakSet[Any] = weakref.WeakSet()
"""Viewers whose dock opens by itself once their layers are read."""
_CHOICES = ("well", "field", "series", "label")


def tell_of(store: ChunkedImageStore, options: dict[str, Any]) -> None:
    """Notify the user of further images in a file and of findings.

    Parameters
    ----------
    store : ChunkedImageStore
    options : dict
        What the file was opened with.
    """
    info = store.info
    if text := others_in(info, options):
        _tell_of_others(text)
    for finding in info.findings:
        logger.info("%s: %s", info.uri, finding.text)
    odd = [f.text for f in info.findings if f.severity != "info"]
    if odd:
        more = (
            f" (and {len(odd) - 1} more: brickfield info lists them)" if odd[1:] else ""
        )
        _warn(f"{info.name}: {odd[0]}{more}")


def _warn(text: str) -> None:
    """Say it where it can be read whole: in the dock, if one can be seen."""
    import napari
    from napari.utils.notifications import show_warning

    viewer = napari.current_viewer() if is_window_thread() else None
    if viewer is None or not _said_in_docks(viewer, text, WARNING_S):
        show_warning(text)


def _tell_of_others(text: str) -> None:
    """Say it, unless a dock does; in a window with a button to choose."""
    from napari.utils.notifications import show_info

    if not is_window_thread():
        show_info(text)
        return

    def tell() -> None:
        import napari

        viewer = napari.current_viewer()
        if viewer is None:
            show_info(text)
            return
        # A dock, also one that is about to open, has a line of its own for this.
        if viewer in coming_docks:
            return
        from brickfield.plugin.layers.registry import docks_of

        if not docks_of(viewer):
            _offer(text, lambda: run_command("show_other_images", viewer))

    # The dock may be opened next.
    QTimer.singleShot(0, tell)


def say(viewer: Any, text: str) -> None:
    """Notify the user that something is done: in the dock's status line if it is visible.

    On a narrow canvas napari's own notices are cut at the left.

    Parameters
    ----------
    viewer : napari.Viewer
    text : str
    """
    from napari.utils.notifications import show_info

    if not _said_in_docks(viewer, text, NOTICE_S):
        show_info(text)


def _said_in_docks(viewer: Any, text: str, seconds: float) -> bool:
    from brickfield.plugin.layers.registry import docks_of

    docks = [dock for dock in docks_of(viewer) if dock.isVisible()]
    for dock in docks:
        dock.status.say(text, seconds)
    return bool(docks)


def _offer(text: str, choose: Callable[[], object]) -> None:
    from napari.utils import notifications

    class Offer(notifications.Notification):
        @property
        def source(self) -> str:
            """The source of a notification: napari would show the name of a Python object."""
            return "Brickfield"

    offer = Offer(text, "info", actions=[("Choose…", lambda _notification: choose())])
    notifications.notification_manager.dispatch(offer)


def others_in(info: ImageInfo, options: dict[str, Any]) -> str:
    """Describe what was opened of several images; "" where it was chosen or is alone.

    Parameters
    ----------
    info : ImageInfo
    options : dict
        What the file was opened with.
    """
    if any(options.get(name) is not None for name in _CHOICES):
        return ""
    return what_is_shown(info, options)


def what_is_shown(info: ImageInfo, options: dict[str, Any]) -> str:
    """Describe what a store holds and what of it is shown; "" for a single image.

    Parameters
    ----------
    info : ImageInfo
    options : dict
        What the file was opened with.
    """
    if info.n_images > 1:
        return f"{info.n_images} images as one; each opens alone, too"
    shown = shown_image(info, options)
    if len(info.wells) > 1 or (info.wells and len(info.series) > 1):
        return f"Plate of {counted(len(info.wells), 'well')}: {shown} is shown"
    if len(info.series) > 1:
        return f"{len(info.series)} images in this file: {shown} is shown"
    return ""


def shown_image(info: ImageInfo, options: dict[str, Any]) -> str:
    """Return the name of the image that was opened.

    Parameters
    ----------
    info : ImageInfo
    options : dict
        What the file was opened with.
    """
    if info.image or info.n_images > 1:
        return info.image
    series = options.get("series")
    if series is None:
        # Some formats open the largest, not the first.
        named = [name for name in info.series if name.strip("/") == info.name]
        return (named or [*info.series, info.name])[0]
    is_place = isinstance(series, int) and series < len(info.series)
    return info.series[int(series)] if is_place else str(series)
