"""What a window needs of the layers that it shows, independent of their owner.

The owner of the display state (in napari, the napari layer) stands behind these
protocols. A window reads values and writes values; the owner decides, and says
through the signals what the result is, whatever changed it. So there is one
copy of every value, and no loop.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from psygnal import SignalInstance

from brickfield.model import Selection, Vec3
from brickfield.rendering import ObjectValue
from brickfield.store import ChunkedImageStore, ChunkedLayer

Box = tuple[Vec3, Vec3]
"""Lower and upper corner (z, y, x), world units."""
Curve = tuple[tuple[float, float], ...]
"""Points (position in the contrast window, opacity), both 0 to 1, ascending."""


class LayerPort(Protocol):
    """One drawn layer. Main thread only. Setting an attribute writes to the owner.

    Attributes
    ----------
    changed : psygnal.SignalInstance
        Emits the name of the attribute that changed.
    data : ChunkedLayer
        Store, appearance and versions; read only.
    name : str
    is_labels : bool
        Whether voxels are object numbers: contrast, gamma, colours do not apply.
    visible : bool
    opacity : float
        0 to 1.
    contrast : tuple of float
        Values drawn as the first and the last colour.
    contrast_range : tuple of float
        Ends that a slider should offer.
    gamma : float
    mode : str
        One of the modes of :mod:`brickfield.model.appearance` that the owner knows.
    modes : tuple of str
        Modes the owner knows.
    attenuation : float
    iso_threshold : float
        In data values.
    interpolation : {"linear", "nearest"}
        Between voxels of a volume.
    slice_interpolation : {"linear", "nearest"}
        Between voxels of a slice.
    blending : str
    lut : ndarray, shape (256, 4), uint8
        Colours as drawn; read only. Change them with `colormap` and `opacity_curve`.
    colormap : str
        Name; setting an unknown name raises OptionError.
    opacity_curve : tuple of (float, float)
        Opacity over the contrast window (the alpha of the colours); ((0, 1), (1, 1))
        is none.
    clip_box : tuple or None
        What stays visible; None without a box.
    thumbnail : ndarray, shape (h, w, 4), uint8, or None
        A small picture that the owner has of it, sRGB; read only.
    """

    changed: SignalInstance
    name: str
    visible: bool
    opacity: float
    contrast: tuple[float, float]
    contrast_range: tuple[float, float]
    gamma: float
    mode: str
    attenuation: float
    iso_threshold: float
    interpolation: str
    slice_interpolation: str
    blending: str
    colormap: str
    opacity_curve: Curve
    clip_box: Box | None

    @property
    def data(self) -> ChunkedLayer:
        """Store, appearance and versions."""
        ...

    @property
    def is_labels(self) -> bool:
        """Whether voxels are object numbers."""
        ...

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes the owner knows."""
        ...

    @property
    def lut(self) -> NDArray[np.uint8]:
        """Colours as drawn, shape (256, 4), uint8."""
        ...

    @property
    def thumbnail(self) -> NDArray[np.uint8] | None:
        """A small picture of the layer, shape (h, w, 4), uint8, or None."""
        ...

    def selections_along(self, axis: int) -> tuple[Selection, ...]:
        """Return the selection at every step of a slider (:attr:`SliderAxis.index`).

        The other sliders stay. Empty when the layer does not change along it.
        """
        ...


@dataclass(frozen=True, slots=True)
class SliderAxis:
    """A non-spatial axis that a slider moves along.

    Attributes
    ----------
    index : int
        The owner's number of the axis.
    name : str
    is_time : bool
    n_steps : int
    position : int
        Present step.
    step : float
        World units a step.
    unit : str
    """

    index: int
    name: str
    is_time: bool
    n_steps: int
    position: int
    step: float = 1.0
    unit: str = ""


class ScenePort(Protocol):
    """All layers of one window. Main thread only.

    Attributes
    ----------
    layers_changed : psygnal.SignalInstance
        Layers came, went or changed places; no arguments.
    active_changed : psygnal.SignalInstance
        Another layer is the active one; no arguments.
    axes_changed : psygnal.SignalInstance
        A slider moved or there are others; no arguments.
    cross_hair_changed : psygnal.SignalInstance
        The point that slice views share moved; no arguments.
    objects_changed : psygnal.SignalInstance
        Points, surfaces or lines changed; no arguments.
    """

    layers_changed: SignalInstance
    active_changed: SignalInstance
    axes_changed: SignalInstance
    cross_hair_changed: SignalInstance
    objects_changed: SignalInstance

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
        ...

    def remove_store(self, store: ChunkedImageStore) -> None:
        """Take the layers of a store out."""
        ...

    @property
    def objects(self) -> Mapping[Hashable, ObjectValue]:
        """Opaque objects beside the layers, by a key that stays the same."""
        ...

    @property
    def layers(self) -> Sequence[LayerPort]:
        """Layers, drawn first to last."""
        ...

    @property
    def active(self) -> LayerPort | None:
        """The layer that controls act on."""
        ...

    @property
    def unit(self) -> str:
        """Unit of world coordinates, for people ("µm"); "" when not known."""
        ...

    @property
    def axes(self) -> Sequence[SliderAxis]:
        """Axes with more than one step that are not drawn."""
        ...

    @property
    def cross_hair(self) -> Vec3:
        """Point that slice views go through (z, y, x), world."""
        ...

    def activate(self, layer: LayerPort) -> None:
        """Make one of the layers the one that controls act on."""
        ...

    def move_cross_hair(self, point: Vec3) -> None:
        """Move the point that slice views go through."""
        ...

    def move_slider(self, axis: int, position: int) -> None:
        """Move a slider to a step.

        Parameters
        ----------
        axis : int
            Its :attr:`SliderAxis.index`.
        position : int
            The step.
        """
        ...
