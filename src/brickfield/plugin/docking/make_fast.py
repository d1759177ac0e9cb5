"""“Make this fast”: a pyramid of data that have none, and the layers on it.

Invariant: nothing of the source is touched. Writing goes on beside the window and
stands in the strip of tasks; when it is whole the layers that showed the source show
the pyramid, under their names, with their looks, at their places, and the cameras
stay. A run that was stopped is gone on with under the same target. Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject

from brickfield.model.secrets import hide_secrets
from brickfield.model.units import counted
from brickfield.plugin.docking.chooser import options_of, stored, take_look
from brickfield.plugin.layers.describe import KEY, LayerData, layer_data_of
from brickfield.plugin.layers.holding import watch
from brickfield.plugin.layers.make import store_behind
from brickfield.plugin.napari_names import has_window
from brickfield.plugin.settings import settings
from brickfield.plugin.window_thread import close_when_unused
from brickfield.pyramid import Outlook, look_ahead
from brickfield.qt import (
    Background,
    MakeFastPanel,
    PortWatch,
    RunningTask,
    Strip,
    task_board,
)
from brickfield.store import ChunkedImageStore, open_store

if TYPE_CHECKING:
    from brickfield.pyramid import PyramidResult

NO_PYRAMID = "no-pyramid"
"""Code of the finding that tells of a sampled overview."""
SAMPLE_BYTES = 8 << 20
"""Read to find out how fast the source is."""
_SUFFIXES = (".ome.zarr", ".zarr", ".ome.tif", ".ome.tiff")


def lacks_pyramid(store: ChunkedImageStore) -> bool:
    """Tell whether a pyramid would make a store's overview faster."""
    return any(finding.code == NO_PYRAMID for finding in store.findings)


def target_for(address: str, name: str, opened: str) -> str:
    """Offer a place for a pyramid: beside a local source, else at home.

    Parameters
    ----------
    address : str
        What the source was opened by.
    name : str
        Of the file, with its suffix.
    opened : str
        Which of its images, "" for the only one.
    """
    for suffix in (*_SUFFIXES, Path(name).suffix):
        if suffix and name.lower().endswith(suffix):
            name = name[: -len(suffix)]
            break
    inside = "".join(c if c.isalnum() else "-" for c in opened.strip("/"))
    stem = "-".join(part for part in (name, inside) if part)
    is_local = "://" not in address
    folder = Path(address).absolute().parent if is_local else Path.home()
    file_name = f"{stem}.ome.zarr"
    if (folder / file_name) == Path(address).absolute():
        file_name = f"{stem}-pyramid.ome.zarr"
    return str(folder / file_name)


def measured_rate(store: ChunkedImageStore) -> float:
    """Read a little from the middle of a store, and return its bytes a second."""
    level = store.pyramid.levels[0]
    wanted = SAMPLE_BYTES // level.dtype.itemsize
    sides = [min(n, max(1, round(wanted ** (1 / 3)))) for n in level.shape_zyx]
    low = [(n - s) // 2 for n, s in zip(level.shape_zyx, sides, strict=True)]
    high = [a + s for a, s in zip(low, sides, strict=True)]
    began = monotonic()
    voxels = store.read(0, (tuple(low), tuple(high)))
    return float(voxels.nbytes / max(monotonic() - began, 1e-3))


# -- the dock ----------------------------------------------------------------------


class MakeFast(QObject):
    """The line in a dock that offers a pyramid, and the work behind it.

    Parameters
    ----------
    dock : ViewDock
    viewer : napari.Viewer

    Attributes
    ----------
    strip : Strip
    panel : MakeFastPanel or None
        Made when the button is pressed.
    """

    def __init__(self, dock: Any, viewer: Any) -> None:
        super().__init__(dock)
        self._dock = weakref.ref(dock)
        self._viewer = weakref.ref(viewer)
        self._background = Background()
        self._running: set[str] = set()
        self.panel: MakeFastPanel | None = None
        self.strip = Strip("Make this fast…", dock)
        self.strip.button.setToolTip("Write a pyramid of these data, and show that")
        self.strip.pressed.connect(self.ask)
        dock.body.insertWidget(dock.body.indexOf(dock.status), self.strip)
        self._watch = PortWatch(dock.scene, self._on_port)
        dock.call_when_closed(self._watch.close)
        dock.call_when_closed(self._background.close)
        self._show()

    @property
    def is_busy(self) -> bool:
        """Whether a pyramid is being written for this dock."""
        return bool(self._running)

    def _on_port(self, name: str) -> None:
        if name in ("layers", "active", "data"):
            self._show()

    def _layer(self) -> Any:
        """Return the layer that lacks a pyramid most visibly: the active, or any."""
        viewer = self._viewer()
        if viewer is None:
            return None
        active = viewer.layers.selection.active
        for layer in [active, *viewer.layers]:
            store = None if layer is None else stored(layer)
            is_free = store is not None and store.address not in self._running
            if store is not None and is_free and lacks_pyramid(store):
                return layer
        return None

    def _show(self) -> None:
        layer = self._layer()
        store = None if layer is None else stored(layer)
        if layer is None or store is None:
            self.strip.say("")
            return
        n_stored = store.pyramid.n_levels - 1
        lack = "No pyramid" if n_stored == 1 else "No small level"
        self.strip.say(f"{lack}: overviews are slow", store.address or "")

    # -- asking ------------------------------------------------------------------

    def ask(self) -> None:
        """Let the user choose where the pyramid goes."""
        layer, dock = self._layer(), self._dock()
        store = None if layer is None else stored(layer)
        if store is None or dock is None or store.address is None:
            return
        options = options_of(layer)
        chosen = [
            str(options[k])
            for k in ("series", "well", "field", "label")
            if k in options
        ]
        name = hide_secrets(store.address).rstrip("/").rpartition("/")[2]
        target = target_for(store.address, name, "-".join(chosen))
        if self.panel is not None:
            self.panel.deleteLater()

        def look(place: str) -> Outlook:
            return look_ahead(store.source, place)

        self.panel = MakeFastPanel(look, lambda: measured_rate(store), target, dock)
        self.panel.asked.connect(lambda where: self.write(layer, where))
        dock.body.insertWidget(dock.body.indexOf(self.strip) + 1, self.panel)
        self.panel.show()
        self.panel.place.setFocus()

    # -- writing -----------------------------------------------------------------

    def write(self, layer: Any, target: str) -> None:
        """Write a pyramid of a layer's data, and then show it.

        Parameters
        ----------
        layer : napari.layers.Layer
        target : str
        """
        store = stored(layer)
        if store is None or store.address is None:
            return
        address, options = store.address, options_of(layer)
        is_labels = store.info.is_labels
        whose = weakref.ref(store)
        settings()  # read on this thread, so that the other thread has them

        def job(running: RunningTask) -> tuple[PyramidResult, list[LayerData]]:
            from brickfield.pyramid import write_pyramid

            result = write_pyramid(
                address,
                target,
                opening=options,
                method="mode" if is_labels else None,
                progress=running.tell,
                cancel=running.cancelled,
            )
            # Looks at contrasts too, which the window shall not wait for.
            found = pyramid_data(target) if result.is_complete else []
            return result, found

        def done(found: Any, error: BaseException | None) -> None:
            self._running.discard(address)
            self._on_written(found, error, whose())
            self._show()

        self._running.add(address)
        self._show()
        title = f"Writing {Path(target).name}"
        self._background.follow(task_board().run(title, job, unit="blocks"), done)

    def _on_written(
        self, found: Any, error: BaseException | None, old: ChunkedImageStore | None
    ) -> None:
        if error is not None:
            self._say(hide_secrets(str(error)))
            return
        result, data = found
        if not data:
            n = len(result.failures)
            what = f"{counted(n, 'block')} could not be read" if n else "Stopped"
            self._say(
                f"{what}: nothing changes; Make this fast goes on where it stopped"
            )
            return
        viewer = self._viewer()
        if old is not None and viewer is not None and has_window(viewer):
            show_pyramid(viewer, old, data)
            self._say(f"Shown from {Path(result.path).name} now")

    def _say(self, sentence: str) -> None:
        dock = self._dock()
        if dock is not None and not dock.is_closed:
            dock.status.say(sentence, 12.0)


# -- in place ----------------------------------------------------------------------


def pyramid_data(address: str) -> list[LayerData]:
    """Open a pyramid as napari's layer data; any thread."""

    def opened() -> ChunkedImageStore:
        store = open_store(address)
        close_when_unused(store)
        return store

    return layer_data_of(opened(), {}, opened)


def show_pyramid(
    viewer: Any, old: ChunkedImageStore, found: Sequence[LayerData]
) -> None:
    """Let the layers of one store show another one of the same image.

    Parameters
    ----------
    viewer : napari.Viewer
    old : ChunkedImageStore
    found : sequence of LayerData
        Of the same image, perhaps with its axes in another order.
    """
    by_channel = {_channel(data): data for data in found}
    watch(viewer.layers)
    for layer in [x for x in viewer.layers if store_behind(x) is old]:
        told = layer.metadata.get(KEY, {})
        data = by_channel.get(told.get("channel"))
        if data is None:
            continue
        if _fits(layer, data):
            # First where the data are from: listeners may need it.
            layer.metadata[KEY] = data[1]["metadata"][KEY]
            layer.data = data[0]
        else:
            _put_in_place(viewer, layer, data)


def _channel(data: LayerData) -> int | None:
    channel = data[1]["metadata"][KEY]["channel"]
    return None if channel is None else int(channel)


def _fits(layer: Any, data: LayerData) -> bool:
    """Tell whether a layer can take levels, as they are, in place of its own."""
    levels, look, _kind = data
    is_alike = bool(layer.multiscale) == bool(look["multiscale"])
    first = levels[0] if look["multiscale"] else levels
    own = layer.data[0] if layer.multiscale else layer.data
    return is_alike and _facts(first) == _facts(own)


def _facts(level: Any) -> tuple[Sequence[int], Sequence[str]]:
    return tuple(level.shape), tuple(level.axis_names)


def _put_in_place(viewer: Any, layer: Any, data: LayerData) -> None:
    """Replace a layer that cannot take the data by one that looks alike."""
    from napari.layers import Layer

    fresh = Layer.create(*data)
    fresh.name = layer.name
    if fresh.ndim == layer.ndim and tuple(fresh.axis_labels) == tuple(
        layer.axis_labels
    ):
        fresh.scale, fresh.translate = layer.scale, layer.translate
        fresh.affine = layer.affine
    take_look(fresh, layer)
    at, was_active = viewer.layers.index(layer), viewer.layers.selection.active is layer
    name = layer.name
    viewer.layers.insert(at, fresh)
    viewer.layers.remove(layer)
    fresh.name = name
    if was_active:
        viewer.layers.selection.active = fresh
