"""A scene whose owner is memory: for windows without a viewer around them.

Layers are real :class:`ChunkedLayer` values over real stores, so that views can
draw them; what a window writes lands in plain attributes here, becomes a new frozen
appearance, and is told through the signals, as any owner does.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, Generic, TypeVar, overload

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, Selection, Vec3
from brickfield.model.appearance import (
    BLENDINGS,
    INTERPOLATIONS,
    MODES,
    Appearance,
    ChannelAppearance,
)
from brickfield.rendering import ObjectValue
from brickfield.store import ChunkedImageStore, ChunkedLayer, open_store
from brickfield.viewer import lut
from brickfield.viewer.controls import OPAQUE, with_curve
from brickfield.viewer.live import Box, Curve, LayerPort, SliderAxis

T = TypeVar("T")
LABEL_MODES = ("iso", "translucent")


class _Value(Generic[T]):
    """An attribute of a port: another value becomes the look and is told."""

    def __init__(self, default: T) -> None:
        self._default = default
        self._name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, port: None, owner: type) -> _Value[T]: ...
    @overload
    def __get__(self, port: MemoryLayerPort, owner: type) -> T: ...
    def __get__(self, port: MemoryLayerPort | None, owner: type) -> T | _Value[T]:
        if port is None:
            return self
        value: T = port.values.get(self._name, self._default)
        return value

    def __set__(self, port: MemoryLayerPort, value: T) -> None:
        port.take(self._name, value)


class MemoryLayerPort:
    """One layer without another owner. Main thread only.

    Parameters
    ----------
    store : ChunkedImageStore
        Not closed with the port.
    name : str
    colormap : str
    world : AffineTransform, optional
        As of :class:`ChunkedLayer`.

    Attributes
    ----------
    values : dict
        What was written, by attribute.
    writes : list of tuple
        Each attribute and value that was written, in order.
    """

    changed = Signal(str)

    name = _Value("")
    visible = _Value(default=True)
    opacity = _Value(1.0)
    contrast = _Value((0.0, 1.0))
    contrast_range = _Value((0.0, 1.0))
    gamma = _Value(1.0)
    mode = _Value("mip")
    attenuation = _Value(0.05)
    iso_threshold = _Value(0.5)
    interpolation = _Value("linear")
    slice_interpolation = _Value("linear")
    blending = _Value("translucent")
    colormap = _Value("gray")
    opacity_curve = _Value[Curve](OPAQUE)
    clip_box = _Value[Box | None](None)

    def __init__(
        self,
        store: ChunkedImageStore,
        name: str = "image",
        *,
        colormap: str = "gray",
        world: AffineTransform | None = None,
    ) -> None:
        self._is_labels = store.info.is_labels
        self._data = ChunkedLayer(
            store,
            Appearance(is_labels=self._is_labels) if self._is_labels else None,
            world=world,
        )
        low, high = self._data.appearance.channels[0].contrast
        self._sliders: tuple[int, ...] = ()
        self.writes: list[tuple[str, Any]] = []
        self.values: dict[str, Any] = {
            "name": name,
            "colormap": colormap,
            "contrast": (float(low), float(high)),
            "contrast_range": (float(low), float(high)),
            "iso_threshold": (low + high) / 2,
            "mode": "iso" if self._is_labels else "mip",
        }
        self._look()

    @property
    def data(self) -> ChunkedLayer:
        """Store, appearance and versions."""
        return self._data

    @property
    def is_labels(self) -> bool:
        """Whether voxels are object numbers."""
        return self._is_labels

    @property
    def thumbnail(self) -> NDArray[np.uint8] | None:
        """A small picture of it, shape (h, w, 4), uint8; only where a test has set one."""
        found: NDArray[np.uint8] | None = self.values.get("thumbnail")
        return found

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that can be drawn."""
        return LABEL_MODES if self._is_labels else MODES

    @property
    def lut(self) -> NDArray[np.uint8]:
        """Colours as drawn, shape (256, 4), uint8."""
        return self._data.appearance.channels[0].lut

    def move_to(self, sliders: Sequence[int]) -> None:
        """Follow the scene's sliders: positions, one for each."""
        self._sliders = tuple(sliders)
        selection = self._selection(self._sliders)
        if self._data.selections != (selection,):
            self._data.selections = [selection]

    def _selection(self, sliders: Sequence[int]) -> Selection:
        pyramid = self._data.store.pyramid
        n = len(pyramid.other_axes)
        ends = [pyramid.levels[0].shape[a] - 1 for a in pyramid.other_axes]
        here = sliders[len(sliders) - n :]
        return tuple(min(p, e) for p, e in zip(here, ends, strict=True))

    def selections_along(self, axis: int) -> tuple[Selection, ...]:
        """Return the selection at every step of one of the scene's sliders."""
        pyramid = self._data.store.pyramid
        own = axis - (len(self._sliders) - len(pyramid.other_axes))
        if own < 0:
            return ()
        n_steps = pyramid.levels[0].shape[pyramid.other_axes[own]]
        before, after = self._sliders[:axis], self._sliders[axis + 1 :]
        return tuple(self._selection((*before, i, *after)) for i in range(n_steps))

    def take(self, name: str, value: Any) -> None:
        """Set a value, if it differs and can be used, and emit the change.

        Parameters
        ----------
        name : str
            Of the attribute.
        value

        Raises
        ------
        OptionError
            For a value that cannot be used; nothing has changed then.
        """
        self._check(name, value)
        self.writes.append((name, value))
        if getattr(self, name) == value:
            return
        self.values[name] = value
        self._look()
        if name == "contrast":
            (low, high), ends = value, self.contrast_range
            self.contrast_range = (min(low, ends[0]), max(high, ends[1]))
        self.changed.emit(name)

    def _check(self, name: str, value: Any) -> None:
        known = {
            "mode": self.modes,
            "interpolation": INTERPOLATIONS,
            "slice_interpolation": INTERPOLATIONS,
            "blending": BLENDINGS,
        }.get(name)
        if known is not None and value not in known:
            msg = f"expected {name} out of {', '.join(known)}; found {value!r}"
            raise OptionError(msg)
        if name == "contrast" and not value[0] < value[1]:
            msg = f"expected contrast limits with the lower below the upper; found {value}"
            raise OptionError(msg)
        if name == "colormap":
            lut(value)

    def _look(self) -> None:
        channel = ChannelAppearance(
            contrast=self.contrast,
            gamma=self.gamma,
            opacity=self.opacity,
            lut=with_curve(lut(self.colormap), self.opacity_curve),
            iso_threshold=self.iso_threshold,
        )
        self._data.appearance = Appearance(
            mode=self.mode,  # type: ignore[arg-type]  # checked
            channels=(channel,),
            interpolation=self.interpolation,  # type: ignore[arg-type]  # checked
            slice_interpolation=self.slice_interpolation,  # type: ignore[arg-type]  # checked
            blending=self.blending,  # type: ignore[arg-type]  # checked
            attenuation=self.attenuation,
            is_labels=self._is_labels,
            clip_box=self.clip_box,
        )
        if self._data.visible != self.visible:
            self._data.visible = self.visible


class MemoryScene:
    """Layers in memory, with sliders for their axes beside z, y and x.

    Layers with fewer of these axes follow the last ones, as numpy broadcasts.
    Main thread only.

    Parameters
    ----------
    unit : str
        Of world coordinates, for people.
    """

    layers_changed = Signal()
    active_changed = Signal()
    axes_changed = Signal()
    cross_hair_changed = Signal()
    objects_changed = Signal()

    def __init__(self, unit: str = "") -> None:
        self.unit = unit
        self.moves: list[tuple[int, int]] = []
        """Slider and position of each move, in order."""
        self._layers: list[MemoryLayerPort] = []
        self._active: MemoryLayerPort | None = None
        self._positions: list[int] = []
        self._cross_hair: Vec3 = (0.0, 0.0, 0.0)

    # -- layers ------------------------------------------------------------------

    @property
    def objects(self) -> dict[Hashable, ObjectValue]:
        """Opaque objects beside the layers; none."""
        return {}

    @property
    def layers(self) -> Sequence[MemoryLayerPort]:
        """Layers, drawn first to last."""
        return tuple(self._layers)

    @property
    def active(self) -> MemoryLayerPort | None:
        """The layer that controls act on."""
        return self._active

    @active.setter
    def active(self, port: MemoryLayerPort | None) -> None:
        self._active = port
        self.active_changed.emit()

    def activate(self, layer: LayerPort) -> None:
        """Make one of the layers the one that controls act on."""
        self.active = next((p for p in self._layers if p is layer), self._active)

    def add(self, arrays: Any, name: str = "image", **options: Any) -> MemoryLayerPort:
        """Add arrays as a layer and make it the active one.

        Parameters
        ----------
        arrays : array or list of arrays
            As for :func:`brickfield.open_store`, or a ChunkedImageStore.
        name : str
        **options
            `colormap` and `world` of the port; the rest goes to ``open_store``.
        """
        own = {k: options.pop(k) for k in ("colormap", "world") if k in options}
        is_store = isinstance(arrays, ChunkedImageStore)
        store = arrays if is_store else open_store(arrays, **options)
        port = MemoryLayerPort(store, name, **own)
        self._layers.append(port)
        n_new = len(store.pyramid.other_axes) - len(self._positions)
        self._positions = [0] * n_new + self._positions
        self._active = port
        self._select()
        self.layers_changed.emit()
        self.active_changed.emit()
        if n_new > 0:
            self.axes_changed.emit()
        return port

    def add_store(
        self,
        store: ChunkedImageStore,
        name: str,
        contrast: tuple[float, float] | None = None,
    ) -> None:
        """Show the first channel of a store as a layer; the active layer stays.

        Parameters
        ----------
        store : ChunkedImageStore
        name : str
        contrast : tuple of float, optional
        """
        active = self._active
        port = self.add(store, name)
        if contrast is not None:
            port.contrast = contrast
        self.active = active

    def remove_store(self, store: ChunkedImageStore) -> None:
        """Take the layers of a store out, and close it."""
        for port in [p for p in self._layers if p.data.store is store]:
            self.remove(port)
        store.close()

    def remove(self, port: MemoryLayerPort) -> None:
        """Take a layer out."""
        self._layers.remove(port)
        if self._active is port:
            self._active = self._layers[-1] if self._layers else None
        self.layers_changed.emit()
        self.active_changed.emit()
        self.axes_changed.emit()

    def close(self) -> None:
        """Take all layers out and close their stores."""
        stores = [port.data.store for port in self._layers]
        for port in list(self._layers):
            self.remove(port)
        for store in stores:
            store.close()

    # -- sliders -----------------------------------------------------------------

    @property
    def axes(self) -> Sequence[SliderAxis]:
        """Axes with more than one step that are not drawn."""
        most = max(
            (port.data.store.pyramid for port in self._layers),
            key=lambda pyramid: len(pyramid.other_axes),
            default=None,
        )
        if most is None:
            return ()
        level = most.levels[0]
        return tuple(
            SliderAxis(
                index=i,
                name=most.axes[a].name,
                is_time=most.axes[a].kind == "time",
                n_steps=level.shape[a],
                position=self._positions[i],
                step=level.voxel_size[a],
                unit=most.axes[a].unit or "",
            )
            for i, a in enumerate(most.other_axes)
            if level.shape[a] > 1
        )

    def move_slider(self, axis: int, position: int) -> None:
        """Move a slider to a step.

        Parameters
        ----------
        axis : int
            Number of the slider.
        position : int
            Step.
        """
        self.moves.append((axis, position))
        if self._positions[axis] == position:
            return
        self._positions[axis] = position
        self._select()
        self.axes_changed.emit()

    def _select(self) -> None:
        for port in self._layers:
            port.move_to(self._positions)

    # -- the cross-hair ----------------------------------------------------------

    @property
    def cross_hair(self) -> Vec3:
        """Point that slice views go through (z, y, x), world."""
        return self._cross_hair

    def move_cross_hair(self, point: Vec3) -> None:
        """Move the point that slice views go through."""
        if point != self._cross_hair:
            self._cross_hair = point
            self.cross_hair_changed.emit()
