"""What scripts and napari's console call: one function for each task.

All of these run on the main thread of a process with a napari viewer, and are
reached as ``brickfield.open_volume`` and so on. Importing this module loads next to
nothing: when an image is opened, the graphics come first, and the rest beside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from brickfield.errors import OptionError
from brickfield.plugin.docking.load import load_docks, load_reading, will_be_drawn
from brickfield.plugin.warm import compile_ahead, warm_up
from brickfield.qt import take_a_turn
from brickfield.viewer import loading

if TYPE_CHECKING:
    from napari.layers import Layer

    from brickfield.store import ChunkedImageStore
    from brickfield.viewer.live import LiveView


def open_volume(uri_or_arrays: Any, viewer: Any = None, **options: Any) -> list[Layer]:
    """Open an image in napari, with the volume view beside it.

    Parameters
    ----------
    uri_or_arrays : str, Path, array or list of arrays
        As for :func:`brickfield.open_store`.
    viewer : napari.Viewer, optional
        Default: the current one, or a new one.
    **options
        As for :func:`brickfield.open_store`: `series`, `well`, `label`, `scale`, …;
        `image` names one image of the store (``"A/1/0"``), or is a list of names;
        `apart` opens each image of a scene, a project or a collection as layers of its
        own (at most 50), not as one.

    Returns
    -------
    list of napari.layers.Layer
        One for each channel; label images too.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
        In one sentence; no layer is added then.
    """
    with loading():
        return _open_volume(uri_or_arrays, viewer, options)


def _open_volume(
    uri_or_arrays: Any, viewer: Any, options: dict[str, Any]
) -> list[Layer]:
    warm_up()
    load_reading()
    from brickfield.plugin.layers.make import open_layers

    # Compiled while napari makes layers and the docks are loaded: the render thread
    # waits for a driver then.
    layers = open_layers(
        uri_or_arrays,
        on_found=compile_ahead,
        is_drawn_soon=_is_drawn_soon(viewer),
        **options,
    )
    load_docks()
    from brickfield.plugin.docking.open_dock import open_dock
    from brickfield.plugin.napari_names import has_window

    viewer = _viewer(viewer)
    for layer in layers:
        viewer.add_layer(layer)
    # napari's share and ours are a tenth of a second each.
    take_a_turn()
    if has_window(viewer) or getattr(viewer, "window", None) is None:
        open_dock(viewer)
    return layers


def view_of(viewer: Any) -> LiveView:
    """Return the volume view of a napari viewer, opening it if there is none."""
    load_docks()
    from brickfield.plugin.docking.open_dock import open_dock

    return open_dock(viewer).main_view


def views_of(viewer: Any) -> list[LiveView]:
    """List the views of a napari viewer, the volume view first."""
    load_docks()
    from brickfield.plugin.layers.registry import docks_of

    views = [view for dock in docks_of(viewer) for view in dock.views]
    views.sort(key=lambda view: view.slice is not None)
    return views


def open_views(viewer: Any, layout: str = "2x2") -> list[LiveView]:
    """Show several views of the same layers in the dock.

    Parameters
    ----------
    viewer : napari.Viewer
    layout : str
        "2x2" (xy, yz, xz and 3D), "3D", "xy", "xz", "yz", "plane" (oblique) or
        "3D+plane" (the volume and the oblique plane side by side).

    Returns
    -------
    list of LiveView
        The views of the dock, the volume view first.

    Raises
    ------
    OptionError
        For an unknown layout.
    """
    load_docks()
    from brickfield.plugin.docking.open_dock import open_dock
    from brickfield.qt import cells_of

    cells_of(layout)
    dock = open_dock(viewer)
    dock.set_layout(layout)
    return dock.views


def store_of(layer: Any) -> ChunkedImageStore:
    """Return the store behind a napari layer.

    Raises
    ------
    OptionError
        If the layer is not one that brickfield opened or draws.
    """
    load_reading()
    from brickfield.plugin.layers.make import store_behind

    store = store_behind(layer)
    if store is None:
        msg = (
            "expected a layer that brickfield opened; found"
            f" {getattr(layer, 'name', layer)!r}: open it with brickfield.open_volume"
        )
        raise OptionError(msg)
    return store


def _is_drawn_soon(viewer: Any) -> bool:
    """Whether the dock will draw what is opened; without a viewer one is made."""
    if viewer is None:
        import napari

        viewer = napari.current_viewer()
    return viewer is None or will_be_drawn(viewer)


def _viewer(viewer: Any) -> Any:
    if viewer is not None:
        return viewer
    import napari

    return napari.current_viewer() or napari.Viewer()
