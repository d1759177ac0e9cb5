"""What overlays need to know of one frame, as one frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import pow as power
from math import radians, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform, CameraState, Plane
from brickfield.store import LayerSnapshot, MosaicStore

Rgb = tuple[float, float, float]
BRIGHT = 0.18
"""Luminance on which black and white read equally well."""


def luminance(color: Sequence[float]) -> float:
    """Return the light that an sRGB colour (0 to 1) sends out, white's being 1."""
    r, g, b = (power(float(part), 2.2) for part in color[:3])
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@dataclass(frozen=True, eq=False)
class ColorScale:
    """Colours of one channel.

    Attributes
    ----------
    lut : ndarray, shape (256, 4), uint8
        sRGB, straight alpha.
    contrast : tuple of float
        Values of the first and the last colour.
    gamma : float
    name : str
    """

    lut: NDArray[np.uint8]
    contrast: tuple[float, float]
    gamma: float = 1.0
    name: str = ""


@dataclass(frozen=True, eq=False)
class TileBox:
    """One tile of a mosaic.

    Attributes
    ----------
    name : str
    corners : ndarray, shape (8, 3)
        World (z, y, x), the last axis running fastest.
    """

    name: str
    corners: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LayerFrame:
    """One layer of a frame.

    Attributes
    ----------
    corners : ndarray, shape (8, 3)
        Corners of the data box, world (z, y, x), the last axis running fastest.
    world : AffineTransform
        Data space to world.
    visible : bool
    is_surface : bool
        Whether it hides what lies behind it (iso surfaces, labels).
    scales : tuple of ColorScale
        One for each drawn channel; none of labels.
    tiles : tuple of TileBox
        Of a mosaic those that are part of it.
    """

    corners: NDArray[np.float64]
    world: AffineTransform
    visible: bool = True
    is_surface: bool = False
    scales: tuple[ColorScale, ...] = ()
    tiles: tuple[TileBox, ...] = ()


@dataclass(frozen=True, eq=False)
class OverlayContext:
    """One frame, as overlays see it.

    Attributes
    ----------
    size : tuple of float
        Width and height, logical pixels.
    pixel_ratio : float
        Physical pixels a logical one.
    layers : tuple of LayerFrame
    unit : str or None
        Of world coordinates, as the data name it.
    plane : Plane or None
        What a slice view shows.
    background : tuple of float
        sRGB, 0 to 1.
    has_objects : bool
        Whether opaque objects are drawn, which hide what lies behind them.
    """

    size: tuple[float, float]
    pixel_ratio: float = 1.0
    layers: tuple[LayerFrame, ...] = ()
    unit: str | None = None
    plane: Plane | None = None
    background: Rgb = (0.0, 0.0, 0.0)
    has_objects: bool = False

    @property
    def shown(self) -> tuple[LayerFrame, ...]:
        """Visible layers."""
        return tuple(layer for layer in self.layers if layer.visible)

    @property
    def is_bright(self) -> bool:
        """Whether dark ink reads better on the background than white."""
        return luminance(self.background) > BRIGHT

    def snap(self, length: float) -> float:
        """Round a logical length to whole physical pixels."""
        return round(length * self.pixel_ratio) / self.pixel_ratio

    def pixel_width(self, camera: CameraState) -> float:
        """World units that a logical pixel is wide, at the depth of the target."""
        height = camera.height
        if not camera.orthographic:
            distance = float(
                np.subtract(camera.target, camera.position) @ camera.forward
            )
            height = 2 * distance * tan(radians(camera.fov) / 2)
        return height * camera.width_over_height / self.size[0]


def layer_frame(
    layer: LayerSnapshot, corners: NDArray[np.float64], *, has_tiles: bool = False
) -> LayerFrame:
    """Describe a layer.

    Parameters
    ----------
    layer : LayerSnapshot
    corners : ndarray, shape (8, 3)
        As :func:`brickfield.rendering.volume_view.world_corners` gives them.
    has_tiles : bool
        Whether the boxes of tiles are wanted.
    """
    look = layer.appearance
    scales: tuple[ColorScale, ...] = ()
    if not look.is_labels:
        scales = tuple(
            ColorScale(c.lut, c.contrast, c.gamma, _name_of(layer, i))
            for i, c in enumerate(look.channels)
        )
    is_surface = look.is_labels or look.mode == "iso"
    tiles = _tiles_of(layer) if has_tiles else ()
    return LayerFrame(corners, layer.world, layer.visible, is_surface, scales, tiles)


def _tiles_of(layer: LayerSnapshot) -> tuple[TileBox, ...]:
    store = layer.store
    if not isinstance(store, MosaicStore):
        return ()
    # From the world that the tiles' matrices lead to, to that of the scene.
    to_scene = layer.world @ store.info.world.inverse
    found = []
    for place in store.places_shown(layer.selections):
        edges = list(product(*[(-0.5, n - 0.5) for n in place.shape]))
        found.append(
            TileBox(place.name, (to_scene @ place.matrix).apply(np.array(edges)))
        )
    return tuple(found)


def _name_of(layer: LayerSnapshot, i: int) -> str:
    """Name of the i-th drawn channel, else of the image."""
    info = layer.store.info
    axis = layer.store.pyramid.channel_axis
    if axis is not None:
        place = layer.store.pyramid.other_axes.index(axis)
        channel = layer.selections[i][place]
        if channel < len(info.channels) and info.channels[channel].name:
            return info.channels[channel].name
    return info.name


def unit_of(layers: Sequence[LayerSnapshot]) -> str | None:
    """Return the first unit that a layer's data name."""
    units = (layer.store.pyramid.unit for layer in layers)
    return next((unit for unit in units if unit), None)
