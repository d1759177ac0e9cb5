"""One napari layer as a volume view sees it.

Invariant: the napari layer owns the display state. A change of it, whatever made
it, becomes a new frozen appearance of the :class:`ChunkedLayer` behind it; setting
an attribute here writes to the napari layer and nothing else. So there is one copy
of every value, and no loop.

Main thread only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.errors import OptionError
from brickfield.model import Selection
from brickfield.model.appearance import MODES, Appearance, ChannelAppearance
from brickfield.model.changes import ChunkChange
from brickfield.plugin.layers.appearance import (
    appearance_of,
    colors_name,
    lut_of,
    set_curve,
)
from brickfield.plugin.layers.transforms import (
    box_as_planes,
    n_spatial,
    shape_of,
    slider_indices,
    world_of,
)
from brickfield.plugin.slicing.growth import follow_grid, lengthen
from brickfield.plugin.window_thread import logs_errors
from brickfield.store import ChunkedImageStore, ChunkedLayer
from brickfield.viewer.live import Box, Curve

_LOOKS = {
    "contrast_limits": "contrast",
    "contrast_limits_range": "contrast_range",
    "gamma": "gamma",
    "colormap": "colormap",
    "opacity": "opacity",
    "blending": "blending",
    "rendering": "mode",
    "attenuation": "attenuation",
    "iso_threshold": "iso_threshold",
    "interpolation3d": "interpolation",
    "interpolation2d": "slice_interpolation",
    "depiction": "depiction",
    "selected_label": "selected_label",
    "show_selected_label": "selected_label",
    "iso_gradient_mode": "mode",
}
"""Events of napari layers, and what they are called here."""
_PLACES = ("scale", "translate", "rotate", "shear", "affine")
LABEL_MODES = ("iso", "translucent")


class NapariLayerPort:
    """A napari ``Image`` or ``Labels`` layer, drawn by volume views.

    Parameters
    ----------
    layer : napari.layers.Image or napari.layers.Labels
    store : ChunkedImageStore
        Its data; not closed with the port.
    selection : callable
        ``(indices on the axes not drawn) -> selection`` of the store.
    point : tuple of float
        The viewer's position on all axes, world.
    """

    changed = Signal(str)

    def __init__(
        self,
        layer: Any,
        store: ChunkedImageStore,
        selection: Any,
        point: tuple[float, ...],
    ) -> None:
        self.layer = layer
        self._select = selection
        self._is_rgb = bool(getattr(layer, "rgb", False))
        self._point = point
        self._ndim = int(layer.ndim)
        self._box: tuple[Box, tuple[Any, ...]] | None = None
        self._is_clipping = False
        self._curve: Curve | None = None
        self._data = ChunkedLayer(
            store,
            appearance=Appearance(
                channels=(ChannelAppearance(),) * (3 if self._is_rgb else 1),
                is_labels=self.is_labels,
            ),
            selections=self._selections(slider_indices(layer, point)),
            world=world_of(layer),
            visible=bool(layer.visible),
            # napari's layer says where the voxels are, also when a mosaic has grown.
            follows_grid=False,
        )
        self._look()
        self._connect()

    # -- from napari -------------------------------------------------------------

    def _connect(self) -> None:
        events = self.layer.events
        for name in _LOOKS:
            if name in events.emitters:
                events.emitters[name].connect(self._on_look)
        for name in _PLACES:
            events.emitters[name].connect(self._on_place)
        events.visible.connect(self._on_visible)
        events.name.connect(self._on_name)
        self.layer.experimental_clipping_planes.events.connect(self._on_planes)
        plane = getattr(self.layer, "plane", None)
        if plane is not None:
            plane.events.connect(self._on_planes)
        # napari's painting tools write into the array itself.
        for name in ("data", "paint", "labels_update", "set_data"):
            if name in events.emitters and name != "set_data":
                events.emitters[name].connect(self._on_data)
        self._data.store.reloaded.connect(self.layer.refresh)
        self._data.store.changed.connect(self._on_changed)
        self._data.store.grown.connect(self._on_grown)
        self._data.store.laid_out.connect(self._on_laid_out)

    def close(self) -> None:
        """Disconnect from all signals."""
        self._data.store.reloaded.disconnect(self.layer.refresh, missing_ok=True)
        self._data.store.changed.disconnect(self._on_changed, missing_ok=True)
        self._data.store.grown.disconnect(self._on_grown, missing_ok=True)
        self._data.store.laid_out.disconnect(self._on_laid_out, missing_ok=True)
        events = self.layer.events
        for name in (*_LOOKS, *_PLACES, "visible", "name", "data"):
            if name in events.emitters:
                for callback in (
                    self._on_look,
                    self._on_place,
                    self._on_visible,
                    self._on_name,
                    self._on_data,
                ):
                    events.emitters[name].disconnect(callback)
        self.layer.experimental_clipping_planes.events.disconnect(self._on_planes)
        if getattr(self.layer, "plane", None) is not None:
            self.layer.plane.events.disconnect(self._on_planes)

    def _on_changed(self, change: ChunkChange) -> None:
        if any(change.covers(selection) for selection in self._data.selections):
            self.layer.refresh(extent=False)

    def _on_grown(self) -> None:
        lengthen(self.layer)

    @logs_errors
    def _on_laid_out(self) -> None:
        follow_grid(self.layer)
        self._data.take_grid(world_of(self.layer))
        self._on_place(None)

    def _look(self) -> None:
        self._data.appearance = appearance_of(self.layer, self._data.world)

    @logs_errors
    def _on_look(self, event: Any) -> None:
        self._look()
        self.changed.emit(_LOOKS.get(event.type, event.type))

    @logs_errors
    def _on_place(self, event: Any) -> None:
        self._data.world = world_of(self.layer)
        # Clipping planes are bound to the data.
        self._look()
        self.move_to(self._point)
        self.changed.emit("world")

    @logs_errors
    def _on_planes(self, event: Any = None) -> None:
        if self._is_clipping:
            return
        self._look()
        self.changed.emit("clip_box")

    def _on_visible(self, event: Any) -> None:
        self._data.visible = bool(self.layer.visible)
        self.changed.emit("visible")

    def _on_name(self, event: Any) -> None:
        self.changed.emit("name")

    def _on_data(self, event: Any) -> None:
        self.changed.emit("data")

    @logs_errors
    def move_to(self, point: tuple[float, ...]) -> None:
        """Follow the viewer's sliders."""
        self._point = point
        if int(self.layer.ndim) != self._ndim:
            return  # Its data were replaced; a port of the new ones comes.
        selections = self._selections(slider_indices(self.layer, point))
        if selections != tuple(self._data.selections):
            self._data.selections = selections

    def _selections(self, indices: tuple[int, ...]) -> tuple[Selection, ...]:
        """Return what is drawn at a place of the sliders; red, green and blue apart."""
        one = self._select(indices)
        return tuple((*one, c) for c in range(3)) if self._is_rgb else (one,)

    def shows(self, level: Any) -> bool:
        """Tell whether an array is the one that it was made for."""
        return getattr(self._select, "__self__", None) is level

    def selections_along(self, axis: int) -> tuple[Selection, ...]:
        """Return the selection at every step of one of the viewer's sliders."""
        layer = self.layer
        own = axis - (len(self._point) - int(layer.ndim))
        if not 0 <= own < int(layer.ndim) - n_spatial(layer):
            return ()
        here = list(slider_indices(layer, self._point))
        found = []
        for i in range(shape_of(layer)[own]):
            here[own] = i
            found.append(self._selections(tuple(here))[0])
        return tuple(found)

    # -- what a window reads and writes ------------------------------------------

    @property
    def data(self) -> ChunkedLayer:
        """Store, appearance and versions."""
        return self._data

    @property
    def is_labels(self) -> bool:
        """Whether voxels are object numbers."""
        return hasattr(self.layer, "show_selected_label")

    @property
    def thumbnail(self) -> NDArray[np.uint8] | None:
        """Napari's small picture of its own slice, shape (h, w, 4), uint8."""
        found = np.asarray(self.layer.thumbnail)
        is_picture = found.ndim == 3 and found.shape[-1] == 4
        return found.astype(np.uint8, copy=False) if is_picture else None

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes the layer knows."""
        return LABEL_MODES if self.is_labels else MODES

    @property
    def lut(self) -> NDArray[np.uint8]:
        """Colours as drawn, shape (256, 4), uint8."""
        return self._data.appearance.channels[0].lut

    @property
    def name(self) -> str:
        """Name, as in the layer list."""
        return str(self.layer.name)

    @name.setter
    def name(self, value: str) -> None:
        self.layer.name = value

    @property
    def visible(self) -> bool:
        """Whether it is drawn."""
        return bool(self.layer.visible)

    @visible.setter
    def visible(self, value: bool) -> None:
        self.layer.visible = value

    @property
    def opacity(self) -> float:
        """Opacity, 0 to 1."""
        return float(self.layer.opacity)

    @opacity.setter
    def opacity(self, value: float) -> None:
        self.layer.opacity = value

    @property
    def contrast(self) -> tuple[float, float]:
        """Values drawn as the first and the last colour."""
        if self.is_labels or self._is_rgb:
            return self._data.appearance.channels[0].contrast
        low, high = self.layer.contrast_limits
        return (float(low), float(high))

    @contrast.setter
    def contrast(self, value: tuple[float, float]) -> None:
        low, high = value
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            msg = f"expected contrast limits with the lower below the upper; found {value}"
            raise OptionError(msg)
        ends = self.layer.contrast_limits_range
        if low < ends[0] or high > ends[1]:
            self.layer.contrast_limits_range = (min(low, ends[0]), max(high, ends[1]))
        self.layer.contrast_limits = (low, high)

    @property
    def contrast_range(self) -> tuple[float, float]:
        """Ends that a slider should offer."""
        if self.is_labels:
            return (0.0, 1.0)
        low, high = self.layer.contrast_limits_range
        return (float(low), float(high))

    @contrast_range.setter
    def contrast_range(self, value: tuple[float, float]) -> None:
        self.layer.contrast_limits_range = value

    @property
    def gamma(self) -> float:
        """Exponent after contrast."""
        return float(getattr(self.layer, "gamma", 1.0))

    @gamma.setter
    def gamma(self, value: float) -> None:
        self.layer.gamma = value

    @property
    def mode(self) -> str:
        """How it is projected."""
        mode = str(self.layer.rendering)
        return "iso" if mode == "iso_categorical" else mode

    @mode.setter
    def mode(self, value: str) -> None:
        if value not in self.modes:
            msg = f"expected a mode out of {', '.join(self.modes)}; found {value!r}"
            raise OptionError(msg)
        named = "iso_categorical" if self.is_labels and value == "iso" else value
        self.layer.rendering = named

    @property
    def attenuation(self) -> float:
        """Of ``attenuated_mip``."""
        return float(getattr(self.layer, "attenuation", 0.05))

    @attenuation.setter
    def attenuation(self, value: float) -> None:
        self.layer.attenuation = value

    @property
    def iso_threshold(self) -> float:
        """Value of the surface in mode iso."""
        return float(getattr(self.layer, "iso_threshold", 0.5))

    @iso_threshold.setter
    def iso_threshold(self, value: float) -> None:
        self.layer.iso_threshold = value

    @property
    def interpolation(self) -> str:
        """Between voxels of a volume, either linear or nearest."""
        return self._data.appearance.interpolation

    @interpolation.setter
    def interpolation(self, value: str) -> None:
        self.layer.interpolation3d = value

    @property
    def slice_interpolation(self) -> str:
        """Between voxels of a slice, either linear or nearest."""
        look = self._data.appearance
        return look.slice_interpolation or look.interpolation

    @slice_interpolation.setter
    def slice_interpolation(self, value: str) -> None:
        self.layer.interpolation2d = value

    @property
    def blending(self) -> str:
        """How it is laid over the layers below, by napari's names."""
        return str(self.layer.blending)

    @blending.setter
    def blending(self, value: str) -> None:
        self.layer.blending = value

    @property
    def colormap(self) -> str:
        """Name of the colours."""
        return colors_name(self.layer)

    @colormap.setter
    def colormap(self, value: str) -> None:
        from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

        from brickfield.viewer import lut

        if value in AVAILABLE_COLORMAPS:
            self.layer.colormap = value
        else:
            self.layer.colormap = Colormap(lut(value) / 255, name=value)

    @property
    def opacity_curve(self) -> Curve:
        """Opacity over the contrast window: the alpha of the colours."""
        from brickfield.viewer.controls import curve_of

        return curve_of(lut_of(self.layer), self._curve)

    @opacity_curve.setter
    def opacity_curve(self, value: Curve) -> None:
        # The alpha of 256 colours does not tell the points from which it was made.
        self._curve = value
        set_curve(self.layer, value)

    @property
    def clip_box(self) -> Box | None:
        """What stays visible, world; None without a box (or with other planes)."""
        if self._box is None:
            return None
        box, planes = self._box
        return box if planes == self._planes_now() else None

    @clip_box.setter
    def clip_box(self, value: Box | None) -> None:
        planes = [] if value is None else box_as_planes(*value, self._data.world)
        # Six planes tell of themselves 25 times: they are looked at once, at the end.
        self._is_clipping = True
        try:
            self.layer.experimental_clipping_planes = planes
        finally:
            self._is_clipping = False
        self._box = None if value is None else (value, self._planes_now())
        self._on_planes()

    def _planes_now(self) -> tuple[Any, ...]:
        return tuple(
            (tuple(p.position), tuple(p.normal), bool(p.enabled))
            for p in self.layer.experimental_clipping_planes
        )

    def refresh_data(self) -> None:
        """Read the voxels again, because they changed."""
        self._data.refresh()
