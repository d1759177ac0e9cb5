"""Other images of a file that is open: the line in the dock, the menu, the window.

Invariant: nothing is read on the window's thread. One window for a file and viewer;
it ends with its viewer's window. Images that are opened instead of others take their
places in the layer list and, where they are as many, their looks. Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Qt

from brickfield.model.secrets import hide_secrets
from brickfield.plugin.layers.describe import KEY, LayerData
from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.make import open_layer_data, store_behind
from brickfield.plugin.layers.notifications import shown_image, what_is_shown
from brickfield.plugin.layers.registry import is_drawn_soon, plain
from brickfield.plugin.napari_names import has_window, main_window_of
from brickfield.plugin.settings import settings
from brickfield.plugin.window_thread import in_background
from brickfield.qt import ImageChooser, PortWatch, Strip
from brickfield.store import ChunkedImageStore

if TYPE_CHECKING:
    import napari

READING = ("treat_403_as_missing", "follow_links")
LOOKS = (
    "contrast_limits_range",
    "contrast_limits",
    "gamma",
    "colormap",
    "opacity",
    "blending",
    "rendering",
    "iso_threshold",
    "attenuation",
    "visible",
)
"""What an image takes from the one that it replaces."""

_windows: weakref.WeakKeyDictionary[Any, dict[str, ImageChooser]] = (
    weakref.WeakKeyDictionary()
)


# -- which images ------------------------------------------------------------------


def stored(layer: Any) -> ChunkedImageStore | None:
    """Return the store of a layer that was opened from a file or address."""
    store = store_behind(layer)
    return store if store is not None and store.address is not None else None


def options_of(layer: Any) -> dict[str, Any]:
    """Return what a layer's store was opened with."""
    told = layer.metadata.get(KEY, {}) if isinstance(layer.metadata, dict) else {}
    found = told.get("options", {}) if isinstance(told, dict) else {}
    return dict(found) if isinstance(found, dict) else {}


def layer_with_others(viewer: Any) -> Any:
    """Return the layer whose file has further images: the active one, if it has."""
    active = viewer.layers.selection.active
    others = [layer for layer in reversed(viewer.layers) if layer is not active]
    for layer in [*([] if active is None else [active]), *others]:
        store = stored(layer)
        if store is not None and what_is_shown(store.info, options_of(layer)):
            return layer
    return None


# -- commands ----------------------------------------------------------------------


def show_other_images(viewer: napari.Viewer) -> None:
    """Show what else is in the file of the active layer."""
    from napari.utils.notifications import show_info

    viewer = plain(viewer)
    layer = layer_with_others(viewer) or viewer.layers.selection.active
    if layer is None or stored(layer) is None:
        show_info("Choose a layer that was opened from a file first")
        return
    open_chooser(viewer, layer)


def open_chooser(viewer: Any, layer: Any) -> ImageChooser | None:
    """Open the window with the images of a layer's file, or bring it up.

    Parameters
    ----------
    viewer : napari.Viewer
    layer : napari.layers.Layer

    Returns
    -------
    ImageChooser or None
        None for a layer that was not opened from a file, or without a window.
    """
    viewer, store = plain(viewer), stored(layer)
    if store is None or store.address is None or not has_window(viewer):
        return None
    address, windows = store.address, _windows.setdefault(viewer, {})
    chooser = windows.get(address)
    if chooser is None:
        options = options_of(layer)
        reading = {k: options[k] for k in READING if options.get(k)}
        title = hide_secrets(address).rstrip("/").rpartition("/")[2]
        chooser = ImageChooser(
            address,
            title,
            reading=reading,
            shown=shown_image(store.info, options),
            parent=main_window_of(viewer),
        )
        chooser.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        windows[address] = chooser
        opener = _Opener(viewer, address, reading, chooser)
        chooser.add_asked.connect(opener.add)
        chooser.replace_asked.connect(opener.replace)
        chooser.finished.connect(opener.end)
        chooser.destroyed.connect(opener.end)
    chooser.bring_up()
    return chooser


class _Opener(QObject):
    """Opens what is chosen in one window."""

    def __init__(
        self, viewer: Any, address: str, reading: dict[str, Any], chooser: ImageChooser
    ) -> None:
        super().__init__(chooser)
        self._viewer = weakref.ref(viewer)
        self._address = address
        self._reading = reading
        self._chooser = weakref.ref(chooser)

    def add(self, names: Sequence[str]) -> None:
        """Open images as further layers."""
        self._open(names, is_instead=False)

    def replace(self, names: Sequence[str]) -> None:
        """Open images in place of those of the same file."""
        self._open(names, is_instead=True)

    def end(self, *_: object) -> None:
        """Forget the window."""
        viewer = self._viewer()
        if viewer is not None:
            _windows.get(viewer, {}).pop(self._address, None)

    def _open(self, names: Sequence[str], *, is_instead: bool) -> None:
        address, reading = self._address, self._reading
        self._say(f"Opening {', '.join(names)}…")
        settings()  # read on this thread, so that the other thread has them

        reading = reading | {"is_drawn_soon": is_drawn_soon(self._viewer())}

        def job() -> list[LayerData]:
            return open_layer_data(address, image=list(names), **reading)

        def done(found: Any, error: BaseException | None) -> None:
            viewer = self._viewer()
            if viewer is None or not has_window(viewer):
                return
            if error is not None:
                self._say(hide_secrets(str(error)))
                return
            show(viewer, found, self._address if is_instead else None)
            self._say(f"Opened {', '.join(names)}")

        in_background(job, done)

    def _say(self, sentence: str) -> None:
        chooser = self._chooser()
        if chooser is not None:
            try:
                chooser.say(sentence)
            except RuntimeError:  # closed meanwhile
                return


def show(viewer: Any, found: Sequence[LayerData], instead_of: str | None) -> None:
    """Put opened images into a viewer.

    Parameters
    ----------
    viewer : napari.Viewer
    found : sequence of LayerData
    instead_of : str or None
        Address whose layers they replace.
    """
    from napari.layers import Layer

    layers = [Layer.create(*data) for data in found]
    old = [] if instead_of is None else layers_of(viewer, instead_of)
    at = viewer.layers.index(old[0]) if old else len(viewer.layers)
    if [type(layer) for layer in layers] == [type(layer) for layer in old]:
        for layer, before in zip(layers, old, strict=True):
            take_look(layer, before)
    watch(viewer.layers)
    for i, layer in enumerate(layers):
        viewer.layers.insert(at + i, layer)
    for layer in old:
        viewer.layers.remove(layer)
    if layers:
        viewer.layers.selection.active = layers[-1]


def layers_of(viewer: Any, address: str) -> list[Any]:
    """List the layers of a viewer that show images of one file.

    Parameters
    ----------
    viewer : napari.Viewer
    address : str
        What the file was opened by.
    """
    stores = ((layer, stored(layer)) for layer in viewer.layers)
    return [layer for layer, s in stores if s is not None and s.address == address]


def take_look(layer: Any, before: Any) -> None:
    """Give a layer the appearance of another one of its kind.

    Parameters
    ----------
    layer : napari.layers.Layer
    before : napari.layers.Layer
    """
    for name in LOOKS:
        if hasattr(before, name) and hasattr(layer, name):
            setattr(layer, name, getattr(before, name))


# -- the dock ----------------------------------------------------------------------


class OtherImages(QObject):
    """The line in a dock that tells of further images of a file.

    Parameters
    ----------
    dock : ViewDock
        The line stands above its status.
    viewer : napari.Viewer
    """

    def __init__(self, dock: Any, viewer: Any) -> None:
        super().__init__(dock)
        self._viewer = weakref.ref(viewer)
        self.strip = Strip("Choose…", dock)
        self.strip.pressed.connect(self.open)
        dock.body.insertWidget(dock.body.indexOf(dock.status), self.strip)
        dock.toolbar.add_action(
            "images",
            "Other images of this file…",
            "Choose wells, series or label images of the file that is shown",
            self.open,
        )
        self._watch = PortWatch(dock.scene, self._on_port)
        dock.call_when_closed(self._watch.close)
        self._show()

    def open(self) -> None:
        """Open the window, or say that there is nothing to choose."""
        viewer = self._viewer()
        if viewer is not None:
            show_other_images(viewer)

    def _on_port(self, name: str) -> None:
        if name in ("layers", "active", "name"):
            self._show()

    def _show(self) -> None:
        viewer = self._viewer()
        layer = None if viewer is None else layer_with_others(viewer)
        store = None if layer is None else stored(layer)
        if store is None:
            self.strip.say("")
            return
        text = what_is_shown(store.info, options_of(layer))
        self.strip.say(text, store.address or "")
