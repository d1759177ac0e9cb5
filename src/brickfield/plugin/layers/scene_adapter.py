"""A napari viewer as a scene: its layer list, its sliders, its cross-hair.

Invariant: every ``Image`` and ``Labels`` layer of the viewer that the engine can
draw has exactly one port here, in the order of the layer list; ports come and go
with the layers. Sliders and the cross-hair are napari's own (``viewer.dims``).
One scene for each viewer, whatever number of views looks at it. Main thread only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from psygnal import Signal

from brickfield.errors import BrickfieldError, OptionError
from brickfield.model import MAX_LEVELS, Selection, Vec3
from brickfield.plugin.layers.describe import layer_data_of
from brickfield.plugin.layers.layer_adapter import NapariLayerPort
from brickfield.plugin.layers.objects import NapariObjectPort, is_object
from brickfield.plugin.layers.transforms import n_spatial
from brickfield.plugin.napari_names import kind_of
from brickfield.plugin.window_thread import close_when_unused
from brickfield.rendering import ObjectValue
from brickfield.store import ChunkedImageStore, LazyLevel, open_store
from brickfield.viewer.live import LayerPort, SliderAxis

logger = logging.getLogger(__name__)

_UNITS = {"pixel": "", "micrometer": "µm", "nanometer": "nm", "millimeter": "mm"}


class NapariScene:
    """Layers, sliders and cross-hair of one napari viewer.

    Parameters
    ----------
    viewer : napari.components.ViewerModel

    Attributes
    ----------
    refused : dict
        Layer name to the reason why a volume view cannot draw it.
    """

    layers_changed = Signal()
    active_changed = Signal()
    axes_changed = Signal()
    cross_hair_changed = Signal()
    objects_changed = Signal()

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.refused: dict[str, str] = {}
        self._ports: dict[Any, NapariLayerPort] = {}
        self._objects: dict[Any, NapariObjectPort] = {}
        self._own: dict[Any, tuple[ChunkedImageStore, Any]] = {}
        self._cross_hair: Vec3 | None = None
        self._connect()
        self._on_layers()

    def _connect(self) -> None:
        layers = self.viewer.layers
        for name in ("inserted", "removed", "reordered"):
            getattr(layers.events, name).connect(self._on_layers)
        layers.selection.events.active.connect(self._on_active)
        dims = self.viewer.dims.events
        for name in ("point", "ndim", "order", "range"):
            getattr(dims, name).connect(self._on_dims)

    def close(self) -> None:
        """Disconnect from all napari events and close what was opened here."""
        layers = self.viewer.layers
        for name in ("inserted", "removed", "reordered"):
            getattr(layers.events, name).disconnect(self._on_layers)
        layers.selection.events.active.disconnect(self._on_active)
        dims = self.viewer.dims.events
        for name in ("point", "ndim", "order", "range"):
            getattr(dims, name).disconnect(self._on_dims)
        for layer in list(self._ports):
            self._drop(layer)
        for port in self._objects.values():
            port.close()
        self._objects = {}

    # -- layers ------------------------------------------------------------------

    @property
    def layers(self) -> Sequence[NapariLayerPort]:
        """Drawn layers, first to last."""
        return tuple(self._ports.values())

    @property
    def active(self) -> NapariLayerPort | None:
        """The layer that is selected alone, if it is drawn."""
        return self._ports.get(self.viewer.layers.selection.active)

    def port_of(self, layer: Any) -> NapariLayerPort | None:
        """Return the port of a napari layer; None if it is not drawn."""
        return self._ports.get(layer)

    def _on_layers(self, _event: Any = None) -> None:
        self._update_layers()
        self._update_objects()

    @property
    def objects(self) -> dict[Hashable, ObjectValue]:
        """Points, surfaces and lines that are drawn, by a key that stays the same."""
        values = ((id(layer), port.value) for layer, port in self._objects.items())
        return {key: value for key, value in values if value is not None}

    def _update_objects(self) -> None:
        wanted = [layer for layer in self.viewer.layers if is_object(layer)]
        if set(wanted) == set(self._objects):
            return
        for layer in set(self._objects) - set(wanted):
            self._objects.pop(layer).close()
        point = tuple(self.viewer.dims.point)
        for layer in wanted:
            if layer not in self._objects:
                changed = self.objects_changed.emit
                self._objects[layer] = NapariObjectPort(layer, point, changed)
        self.objects_changed.emit()

    def _update_layers(self) -> None:
        names = {layer.name for layer in self.viewer.layers}
        self.refused = {n: why for n, why in self.refused.items() if n in names}
        before, old = list(self._ports), dict(self._ports)
        wanted = [layer for layer in self.viewer.layers if is_volume(layer)]
        for layer in set(old) - set(wanted):
            self._drop(layer)
        ports = {}
        for layer in wanted:
            port = old.get(layer) or self._make_port(layer)
            if port is not None:
                ports[layer] = port
        self._ports = ports
        if list(ports) != before:
            self.layers_changed.emit()
            self.active_changed.emit()

    def _make_port(self, layer: Any) -> NapariLayerPort | None:
        try:
            store, select = self._data_of(layer)
            if store.pyramid.n_levels > MAX_LEVELS:
                msg = (
                    f"expected at most {MAX_LEVELS} levels; found"
                    f" {store.pyramid.n_levels}: leave some out"
                )
                raise OptionError(msg)
            port = NapariLayerPort(layer, store, select, tuple(self.viewer.dims.point))
        except Exception as error:  # noqa: BLE001 - napari goes on adding the layer
            self._close_own(layer)
            self._refuse(layer, error)
            return None
        port.changed.connect(lambda name, layer=layer: self._on_port(layer, name))
        return port

    def _refuse(self, layer: Any, error: Exception) -> None:
        """Note why a layer is not drawn, and say it once."""
        is_foreseen = isinstance(error, (BrickfieldError, TypeError, ValueError))
        reason = str(error) if is_foreseen else f"{type(error).__name__}: {error}"
        if self.refused.get(layer.name) != reason:
            self.refused[layer.name] = reason
            logger.warning("%s is not drawn in 3D: %s", layer.name, reason)

    def _data_of(
        self, layer: Any
    ) -> tuple[ChunkedImageStore, Callable[[tuple[int, ...]], Selection]]:
        """Return a layer's store and the way from slider indices to selections."""
        level = layer.data[0] if layer.multiscale else layer.data
        if isinstance(level, LazyLevel) and level.is_whole:
            return level.store, level.selection_at
        arrays = list(layer.data) if layer.multiscale else layer.data
        is_rgb = bool(getattr(layer, "rgb", False))
        store = (
            open_store(arrays, axes=_rgb_axes(layer)) if is_rgb else open_store(arrays)
        )
        close_when_unused(store)
        self._own[layer] = (store, level)
        return store, tuple

    def _drop(self, layer: Any) -> None:
        port = self._ports.pop(layer, None)
        if port is not None:
            port.close()
        self._close_own(layer)

    def _close_own(self, layer: Any) -> None:
        store, _ = self._own.pop(layer, (None, None))
        if store is not None:
            store.close(wait=False)
            # A name of its own: no voxels of others are found under it in the cache.
            store.forget()

    def _on_port(self, layer: Any, name: str) -> None:
        if name != "data" or layer not in self._ports:
            return
        level = layer.data[0] if layer.multiscale else layer.data
        if layer in self._own and self._own[layer][1] is level:
            # The same array, painted on.
            self._ports[layer].refresh_data()
            return
        if self._ports[layer].shows(level):
            return  # The same image, which has grown.
        self._drop(layer)
        self._update_layers()

    def add_store(
        self,
        store: ChunkedImageStore,
        name: str,
        contrast: tuple[float, float] | None = None,
    ) -> None:
        """Show a store as layers, one for each channel; the active layer stays.

        Parameters
        ----------
        store : ChunkedImageStore
            Closed with its layers.
        name : str
        contrast : tuple of float, optional
            Values drawn as the first and the last colour; default from the data.
        """
        from napari.layers import Layer

        close_when_unused(store)
        active = self.viewer.layers.selection.active
        for levels, look, kind in layer_data_of(store, limits=contrast):
            look["name"] = str(look["name"]).replace(store.info.name, name, 1)
            self.viewer.add_layer(Layer.create(levels, look, kind))
        self.viewer.layers.selection.active = active

    def remove_store(self, store: ChunkedImageStore) -> None:
        """Take the layers of a store out."""
        for layer in [x for x in self._ports if self._ports[x].data.store is store]:
            self.viewer.layers.remove(layer)

    # -- the active layer --------------------------------------------------------

    def activate(self, layer: LayerPort) -> None:
        """Select one layer alone."""
        layers = {port: owner for owner, port in self._ports.items()}
        if layer in layers:
            self.viewer.layers.selection.active = layers[layer]

    def _on_active(self, _event: Any = None) -> None:
        self.active_changed.emit()

    # -- sliders -----------------------------------------------------------------

    @property
    def _n_drawn(self) -> int:
        """How many of the viewer's last axes are drawn; flat series have two."""
        # While layers go, the viewer may have fewer axes than those that are left.
        most = min(3, int(self.viewer.dims.ndim))
        return min(most, max(map(n_spatial, self._ports), default=most))

    @property
    def unit(self) -> str:
        """Unit of world coordinates; "" when not known or not one."""
        found = set()
        for layer in self._ports:
            units = getattr(layer, "units", None)
            found.add(str(units[-1]) if units else "")
        if len(found) != 1:
            return ""
        (unit,) = found
        return _UNITS.get(unit, unit)

    @property
    def axes(self) -> Sequence[SliderAxis]:
        """Axes with more than one step that are not drawn."""
        dims = self.viewer.dims
        axes = []
        for axis in range(dims.ndim - self._n_drawn):
            n_steps = int(dims.nsteps[axis])
            if n_steps > 1:
                label = str(dims.axis_labels[axis])
                axes.append(
                    SliderAxis(
                        index=axis,
                        name=label,
                        is_time=label.lower() in ("t", "time"),
                        n_steps=n_steps,
                        position=int(dims.current_step[axis]),
                        step=float(dims.range[axis].step),
                    )
                )
        return axes

    def move_slider(self, axis: int, position: int) -> None:
        """Move a slider to a step.

        Parameters
        ----------
        axis : int
            Of napari's ``dims``.
        position : int
            Step.
        """
        self.viewer.dims.set_current_step(axis, position)

    def _on_dims(self, _event: Any = None) -> None:
        point = tuple(self.viewer.dims.point)
        for port in self._ports.values():
            port.move_to(point)
        for shown in self._objects.values():
            shown.move_to(point)
        self.axes_changed.emit()
        here = self.cross_hair
        if here != self._cross_hair:
            self._cross_hair = here
            self.cross_hair_changed.emit()

    # -- the cross-hair ----------------------------------------------------------

    @property
    def cross_hair(self) -> Vec3:
        """Napari's position on the last three axes (z, y, x), world."""
        n = self._n_drawn
        point = [*[0.0] * (3 - n), *self.viewer.dims.point[-n:]]
        return (float(point[0]), float(point[1]), float(point[2]))

    def move_cross_hair(self, point: Vec3) -> None:
        """Move napari's sliders of the last three axes, within their ranges."""
        dims = self.viewer.dims
        n = self._n_drawn
        axes = list(range(dims.ndim - n, dims.ndim))
        ends = [(dims.range[a].start, dims.range[a].stop) for a in axes]
        values = [
            float(np.clip(v, *e)) for v, e in zip(point[3 - n :], ends, strict=True)
        ]
        dims.set_point(axes, values)


def is_volume(layer: Any) -> bool:
    """Whether a layer holds voxels that volume views draw."""
    return kind_of(layer) in ("image", "labels") and layer.ndim >= 2


def _rgb_axes(layer: Any) -> str:
    """Name the axes of an RGB image, whose colours lie along the last one."""
    spatial = "zyx"[-min(3, int(layer.ndim)) :]
    return "tuvw"[: max(0, int(layer.ndim) - 3)] + spatial + "c"
