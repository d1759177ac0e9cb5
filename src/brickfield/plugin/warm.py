"""Getting the graphics ready while an image is still being opened."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from brickfield.plugin.window_thread import is_window_thread
from brickfield.rendering import render_thread
from brickfield.viewer import loading

if TYPE_CHECKING:
    from brickfield.plugin.layers.describe import LayerData
    from brickfield.store import ChunkedLayer

logger = logging.getLogger(__name__)
_is_begun = threading.Event()
_is_late_begun = threading.Event()
_has_layers = threading.Event()
FIRST_OVERLAYS = ("scale_bar", "axes")
"""What the dock's volume view shows over its pictures, but for the first one."""
OVERLAYS_AFTER_S = 0.5
"""Time after the device is there in which an image on a disk is opened.

An overlay takes a quarter of a second, which the first picture would wait for.
"""


def warm_up() -> None:
    """Load the graphics libraries and find the device, on the render thread.

    Returns at once. What is ready already costs nothing; what goes wrong is said by
    the first view that needs it.
    """
    if is_window_thread() and not render_thread().has_device:
        _is_begun.set()
        render_thread().submit(_logged(_prepare))


def compile_ahead(found: Sequence[LayerData]) -> None:
    """Compile what the first picture of an image needs, on the render thread.

    Returns at once. Before napari has made layers of it, which takes some tenths of a
    second; a process that has drawn before compiles with its next picture, and one
    that draws nothing (:func:`warm_up`) not at all.

    Parameters
    ----------
    found : sequence of LayerData
        What an image was opened as.
    """
    if not _is_begun.is_set() or not is_window_thread() or render_thread().has_device:
        return
    from brickfield.store import LayerSnapshot

    _has_layers.set()
    drawn = [LayerSnapshot.of(x) for x in map(_drawn, found) if x is not None]
    render_thread().submit(_logged(lambda: _prepare(drawn)))


def _drawn(data: LayerData) -> ChunkedLayer | None:
    """Return what will be drawn of an image that was opened."""
    from brickfield.plugin.layers.appearance import first_appearance
    from brickfield.store import ChunkedLayer, LazyLevel

    levels, look, kind = data
    level = levels if kind == "labels" and not look["multiscale"] else levels[0]
    is_ours = isinstance(level, LazyLevel) and level.is_whole
    if not is_ours or not look.get("visible", True):
        return None
    first = first_appearance(look, is_labels=kind == "labels")
    return ChunkedLayer(level.store, first, [level.store.default_selection(0)])


def _prepare(layers: Sequence[Any] = ()) -> None:
    from brickfield.gpu import get_device

    get_device()
    from brickfield.viewer.live import prepare_view

    # A view that has come first has programs and a renderer of its own.
    if not render_thread().has_device:
        prepare_view(layers)
    if not layers and not _has_layers.is_set():
        timer = threading.Timer(OVERLAYS_AFTER_S, _prepare_overlays, [FIRST_OVERLAYS])
        timer.daemon = True
        timer.start()


def _prepare_overlays(names: Sequence[str]) -> None:
    """Compile for overlays, one job each, as long as no layers are there to draw."""
    from brickfield.viewer.live import prepare_view

    def prepare() -> None:
        if render_thread().has_device or _has_layers.is_set():
            return
        prepare_view((), names[:1])
        _prepare_overlays(names[1:])

    if names and not _has_layers.is_set():
        render_thread().submit(_logged(prepare))


def _logged(job: Callable[[], None]) -> Callable[[], None]:
    """Return a job that raises nothing: the first view that needs it says the same."""

    def run() -> None:
        try:
            with loading():
                job()
        except Exception:
            logger.debug("the graphics are not ready", exc_info=True)

    return run


def load_later() -> None:
    """Load on a thread what napari needs once its canvas is turned to 3D.

    Its camera loads scipy (half a second) when it is first asked which way it looks.
    Nothing of a dock needs it, so the first picture goes before.
    """
    if not _is_late_begun.is_set():
        _is_late_begun.set()
        threading.Thread(target=_load_late, name="brickfield-later").start()


def _load_late() -> None:
    with loading():
        import scipy.spatial.transform  # noqa: F401 - so that napari need not
