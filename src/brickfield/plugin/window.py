"""A napari window with images in the volume dock, for the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from brickfield.plugin.docking.chooser import open_chooser, options_of, stored
from brickfield.plugin.layers.notifications import others_in
from brickfield.plugin.live.follower import open_live
from brickfield.plugin.scenes.scene_document import set_state
from brickfield.plugin.views import open_views, open_volume, view_of
from brickfield.scene import SceneState
from brickfield.viewer.live import LiveView

SIZE = (1280, 800)
"""Width and height of the window in a picture of it."""
LAYOUT_S = 0.5
"""Time in which a window finds its layout."""


def open_window(
    uris: Sequence[str], *, layout: str = "3D", live: bool = False, **options: Any
) -> Any:
    """Open napari with images in the volume dock.

    Parameters
    ----------
    uris : sequence of str
        Files, folders or URLs.
    layout : str
        As for :func:`brickfield.open_views`.
    live : bool
        Follow the images while they are written.
    **options
        As for :func:`brickfield.open_store`; for every image.

    Returns
    -------
    napari.Viewer
        Shown; call ``napari.run()``.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
        No window is left open then.
    """
    import napari

    viewer = napari.Viewer()
    try:
        for uri in uris:
            if live:
                open_live(uri, viewer, **options)
            else:
                open_volume(uri, viewer, **options)
        open_views(viewer, layout)
        if "image" not in options and not options.get("apart"):
            _offer_others(viewer)
    except Exception:
        viewer.close()
        raise
    return viewer


def open_scene_window(state: SceneState, *, layout: str | None = None) -> Any:
    """Open napari with a scene in the volume dock.

    Parameters
    ----------
    state : SceneState
    layout : str, optional
        As for :func:`brickfield.open_views`; default the scene's.

    Returns
    -------
    napari.Viewer

    Raises
    ------
    SceneStateError
        No window is left open then.
    """
    import napari

    viewer = napari.Viewer()
    try:
        set_state(viewer, state)
        if layout is not None:
            open_views(viewer, layout)
    except Exception:
        viewer.close()
        raise
    return viewer


def open_session_window(
    session: Path, *, layout: str | None = None
) -> list[dict[str, str]]:
    """Open napari with a session in the volume dock.

    Parameters
    ----------
    session : Path
        Folder.
    layout : str, optional
        As for :func:`brickfield.open_views`; default the session's.

    Returns
    -------
    list of dict
        ``code`` and ``message`` of what is not as it was saved.

    Raises
    ------
    BrickfieldError
        No window is left open then.
    """
    import napari

    from brickfield.plugin.sessions.in_viewer import restore

    viewer = napari.Viewer()
    try:
        findings = restore(viewer, session)
        if layout is not None:
            open_views(viewer, layout)
    except Exception:
        viewer.close()
        raise
    return findings


def _offer_others(viewer: Any) -> None:
    """Open the window with the other images of a file, where nothing was chosen."""
    for layer in viewer.layers:
        store = stored(layer)
        if store is not None and others_in(store.info, options_of(layer)):
            open_chooser(viewer, layer)


def run() -> None:
    """Hand over to the person at the window until it is closed."""
    import napari

    napari.run()


def take_pictures(
    viewer: Any, window_png: Path, volume_png: Path, *, timeout_s: float = 120.0
) -> dict[str, Any]:
    """Wait until the volume view is complete, and write both pictures.

    Parameters
    ----------
    viewer : napari.Viewer
        Closed afterwards.
    window_png, volume_png : Path
        The whole window and the volume view alone.
    timeout_s : float
        Seconds after which they are taken as they are.

    Returns
    -------
    dict
        The receipt of the volume view.
    """
    viewer.window.resize(*SIZE)
    view = view_of(viewer)
    try:
        _wait(view, timeout_s)
        viewer.window.screenshot(
            str(window_png), size=None, flash=False, canvas_only=False
        )
        view.screenshot(volume_png, timeout=timeout_s)
        receipt: dict[str, Any] = view.receipt.as_dict()
    finally:
        viewer.close()
    return receipt


def _wait(view: LiveView, timeout_s: float) -> None:
    end = monotonic() + timeout_s
    # Docks take their final size only in the event loop.
    _turn_until(lambda: monotonic() > end - timeout_s + LAYOUT_S)
    _turn_until(lambda: view.is_settled or monotonic() > end)
    # The status line says so a moment later.
    since = monotonic()
    _turn_until(lambda: monotonic() > since + LAYOUT_S)


def _turn_until(is_true: Callable[[], bool]) -> None:
    """Run the event loop until something is true."""
    from qtpy.QtCore import QEventLoop, QTimer

    loop, timer = QEventLoop(), QTimer()
    timer.timeout.connect(lambda: loop.quit() if is_true() else None)
    timer.start(20)
    loop.exec()
    timer.stop()
