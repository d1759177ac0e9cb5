"""Names of napari that it does not promise to keep, and what happens without them.

Invariant: what the plugin needs of napari beyond its public interface is looked up
here and nowhere else, and every function has an answer for a napari that lacks the
name: something of the plugin rests, nothing fails.

========================================  =========================================
name                                      without it
========================================  =========================================
modules that read slices                  slices are read whole: they wait, and are
                                          right
``requests`` of napari's slicing thread   the same, on that thread
``_multiscale_data.MultiScaleData``       napari makes its own list of the levels:
                                          a whole layer as an array is the coarsest
``window._qt_window``                     windows count as open, layers read on, and
                                          dialogs have no parent
``_qt_viewer.canvas.native``              removals of layers are not guarded
``layer._type_string``                    the class tells what a layer is
``layer._clear_extent``                   a layer whose image grows is sliced for its
                                          sliders
``layer._source``                         the path that napari notes stays as it is
callbacks of ``layer.events.extent``      a layer's store is closed when it goes
``viewer.scene``                          the camera is the viewer's own
``viewer.canvas``, names of the camera    the cameras are not linked
events of the camera                      what sends none is not followed
========================================  =========================================
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import Any

SLICING = (
    "napari.layers._scalar_field._slice",
    "napari.layers._scalar_field.scalar_field",
)
"""Modules whose functions read slices to be shown."""
_FRAMES = 10
"""How far up the layer is looked for."""


# -- extent ----------------------------------------------------------------------


def tell_extent(layer: Any) -> None:
    """Let the viewer's sliders follow data of a layer that have other lengths now."""
    clear = getattr(layer, "_clear_extent", None)
    if clear is None:
        layer.refresh(thumbnail=False, highlight=False)
    else:
        clear()
    layer.events.data(value=layer.data)


# -- slicing ---------------------------------------------------------------------


def is_slicing(frame: FrameType) -> bool:
    """Whether a frame is napari reading a slice to be shown."""
    return frame.f_globals.get("__name__") in SLICING


def layer_above(frame: FrameType | None) -> Any:
    """Find the layer that is being sliced on this thread; None if it is not told."""
    from napari.layers import Layer

    for _ in range(_FRAMES):
        if frame is None:
            return None
        owner = frame.f_locals.get("self")
        layer = owner if isinstance(owner, Layer) else getattr(owner, "layer", None)
        if isinstance(layer, Layer):
            return layer
        frame = frame.f_back
    return None


def layer_of_request(frame: FrameType | None) -> Any:
    """Find the layer that napari's slicing thread slices; None if it is not told.

    There, a request knows no layer; the slicer holds requests by layer.
    """
    request = None if frame is None else frame.f_locals.get("self")
    for _ in range(_FRAMES):
        if frame is None or request is None:
            return None
        requests = frame.f_locals.get("requests")
        for ref, found in requests.items() if isinstance(requests, dict) else ():
            if found is request:
                return ref() if callable(ref) else None
        frame = frame.f_back
    return None


# -- layers ----------------------------------------------------------------------


def multiscale_base() -> type[Any]:
    """Return the class of napari's lists of levels, or else ``list``."""
    with suppress(ImportError, AttributeError):
        found = import_module("napari.layers._multiscale_data").MultiScaleData
        return found if isinstance(found, type) else list
    return list


def kind_of(layer: Any) -> str:
    """Return ``"image"``, ``"labels"``, ``"points"`` … for a layer of napari."""
    kind = getattr(layer, "_type_string", None)
    if isinstance(kind, str):
        return kind
    bases = [c for c in type(layer).__mro__ if c.__module__.startswith("napari.")]
    return bases[0].__name__.lower() if bases else ""


def note_source_path(layer: Any, path: str) -> None:
    """Change the path that napari records for a layer; there is no public way.

    Parameters
    ----------
    layer : napari.layers.Layer
    path : str
    """
    with suppress(AttributeError, TypeError, ValueError):
        layer._source = layer.source.model_copy(update={"path": path})


def lists_of(layer: Any) -> Iterator[Any]:
    """Find the layer lists that follow a layer, and so have it."""
    from napari.components import LayerList

    events = getattr(getattr(layer, "events", None), "extent", None)
    found = []
    for callback in getattr(events, "callbacks", ()):
        # napari keeps a method as its object, weakly, and its name.
        ref = callback[0] if isinstance(callback, tuple) else None
        owner = ref() if callable(ref) else getattr(callback, "__self__", None)
        if isinstance(owner, LayerList) and layer in owner and owner not in found:
            found.append(owner)
    yield from found


# -- windows and cameras ---------------------------------------------------------


def main_window_of(viewer: Any) -> Any:
    """Return a viewer's window of Qt, the parent of dialogs; None without one."""
    return getattr(getattr(viewer, "window", None), "_qt_window", None)


def canvas_of(viewer: Any) -> Any:
    """Return the widget that a viewer draws on; None without a window."""
    window = main_window_of(viewer)
    canvas = getattr(getattr(window, "_qt_viewer", None), "canvas", None)
    native = getattr(canvas, "native", None)
    return native if hasattr(native, "makeCurrent") else None


def has_window(viewer: Any) -> bool:
    """Whether a viewer's window is still there; one that is not told of counts."""
    window = getattr(viewer, "window", None)
    if window is None or not hasattr(window, "_qt_window"):
        return window is not None
    if window._qt_window is None:
        return False
    try:
        window._qt_window.objectName()
    except RuntimeError:  # Qt has deleted it, napari keeps the rest
        return False
    return True


def is_seen(viewer: Any) -> bool:
    """Whether a viewer has a window that is shown."""
    window = main_window_of(viewer)
    return has_window(viewer) and window is not None and bool(window.isVisible())


def camera_of(viewer: Any) -> Any:
    """Return a viewer's camera; None where it is not told."""
    # Before napari 0.9 the camera was the viewer's own.
    return getattr(getattr(viewer, "scene", viewer), "camera", None)


def overlays_of(viewer: Any) -> dict[str, Any]:
    """Return napari's own overlays of a viewer, by name; fewer where it has not all."""
    canvas = getattr(getattr(viewer, "canvas", None), "overlays", None)
    scene = getattr(getattr(viewer, "scene", None), "overlays", None)
    # Before napari 0.9 they were the viewer's own.
    old = viewer if canvas is None and scene is None else None
    places = {
        "scale_bar": (canvas, "scale_bar"),
        "axes": (scene, "axes"),
        "text_overlay": (canvas, "text"),
    }
    found = {
        name: getattr(old if old is not None else place, name if old else own, None)
        for name, (place, own) in places.items()
    }
    return {name: one for name, one in found.items() if one is not None}


def canvas_size_of(viewer: Any) -> tuple[int, int] | None:
    """Return rows and columns of a viewer's canvas; None where it is not told."""
    size = getattr(getattr(viewer, "canvas", None), "size", None)
    if size is None:
        size = getattr(viewer, "_canvas_size", None)
    if size is None:
        return None
    height, width = size
    return (max(1, int(height)), max(1, int(width)))
