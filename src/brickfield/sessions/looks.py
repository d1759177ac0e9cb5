"""The scene that images make when they are opened: a layer for each channel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brickfield.errors import OptionError
from brickfield.model import Channel, ImageInfo, Pyramid
from brickfield.scene import SceneLayer, SceneSource, SceneSpace, SceneState
from brickfield.sessions.voxels import LayerGrid
from brickfield.sources import ChunkSource
from brickfield.viewer import channel_color, lut

MOST_CHANNELS = 12
"""Images with more get one layer with a slider for the channel."""


def scene_of(sources: Sequence[tuple[str, ChunkSource]]) -> SceneState:
    """Make the scene of images with the looks that opening them gives.

    Parameters
    ----------
    sources : sequence of (str, ChunkSource)
        Address and what was opened there.
    """
    layers = [
        layer
        for uri, source in sources
        for layer in layers_of(uri, source.info, **_as_one(source))
    ]
    units = [
        a.unit for _, s in sources for a in s.info.pyramid.axes if a.kind == "space"
    ]
    return SceneState(
        layers=tuple(layers), space=SceneSpace(unit=next(filter(None, units), ""))
    )


def _as_one(source: ChunkSource) -> dict[str, Any]:
    """Say of all images of a scene as one where they lie, with no room round them."""
    from brickfield.sources.mosaic import MosaicSource, changes_of

    if not isinstance(source, MosaicSource):
        return {}
    return {"margin": 0.0, "tiles": changes_of(source) or None}


def layers_of(uri: str, info: ImageInfo, **named: Any) -> list[SceneLayer]:
    """Return the layers of one image.

    Parameters
    ----------
    uri : str
        What it was opened by.
    info : ImageInfo
    **named
        What else a :class:`~brickfield.scene.SceneSource` says of it.
    """
    axis = info.pyramid.channel_axis
    n = 1 if axis is None else int(info.pyramid.levels[0].shape[axis])
    if n > MOST_CHANNELS:
        return [_layer(SceneSource(uri=uri, **named), info, n=1)]
    return [
        _layer(SceneSource(uri=uri, channel=channel, **named), info, n=n)
        for channel in range(n)
    ]


def _layer(source: SceneSource, info: ImageInfo, *, n: int) -> SceneLayer:
    channel = source.channel
    title = info.image or info.name
    known = channel is not None and channel < len(info.channels)
    about = info.channels[channel or 0] if known else Channel(str(channel or 0))
    is_labels = info.is_labels and info.pyramid.dtype.kind in "biu"
    looks: dict[str, Any] = {}
    if not is_labels:
        color = about.color if about.color and any(about.color) else None
        colormap = "gray"
        if n > 1 or (color is not None and min(color) < 255):
            red, green, blue = color or channel_color(channel or 0)
            colormap = f"#{red:02x}{green:02x}{blue:02x}"
        looks = {
            "contrast": about.window,
            "colormap": colormap,
            "blending": "translucent" if n == 1 else "additive",
            "visible": about.is_active
            or n == 1
            or not any(c.is_active for c in info.channels),
        }
    return SceneLayer(
        name=title if n == 1 else f"{title}: {about.name}",
        source=source,
        kind="labels" if is_labels else "image",
        mode="iso_categorical" if is_labels else "mip",
        transform=matrix_of(info.pyramid, channel),
        **looks,
    )


def matrix_of(pyramid: Pyramid, channel: int | None) -> tuple[tuple[float, ...], ...]:
    """Return the matrix from indices of level 0 to the world, axes as the layer has them.

    Parameters
    ----------
    pyramid : Pyramid
    channel : int or None
        Index on the channel axis; None for all.
    """
    grid, level = LayerGrid.of(pyramid, channel), pyramid.levels[0]
    size = grid.in_layer(grid.shown(level.voxel_size))
    shift = grid.in_layer(grid.shown(level.translation))
    matrix = np.diag([*map(float, size), 1.0])
    matrix[:-1, -1] = shift
    return tuple(tuple(row) for row in matrix.tolist())


def channel_for_others(layer: SceneLayer) -> Channel:
    """Tell other programs a layer's name, colour and window."""
    return Channel(
        layer.name, _color_of(layer.colormap), layer.contrast, is_active=layer.visible
    )


def _color_of(colormap: Any) -> tuple[int, int, int]:
    if isinstance(colormap, str):
        try:
            red, green, blue = lut(colormap)[255, :3].tolist()
        except OptionError:  # a colormap of napari's own
            return (255, 255, 255)
    else:
        red, green, blue = (round(255 * v) for v in colormap[-1][1:4])
    return (red, green, blue)


def bounds_of(
    grids: Mapping[int, tuple[tuple[int, ...], tuple[tuple[float, ...], ...]]],
) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
    """Return the outer edges of the border voxels of all layers, world, z, y, x.

    Parameters
    ----------
    grids : mapping of int to (shape, matrix)
        By layer: voxels, and the matrix from indices to world, homogeneous.
    """
    corners = []
    for shape, matrix in grids.values():
        m = np.asarray(matrix)
        k = min(3, len(shape))
        ends = np.array([(-0.5, n - 0.5) for n in shape[-k:]])
        ix = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1).reshape(-1, k)
        world = ix @ m[-k - 1 : -1, -k - 1 : -1].T + m[-k - 1 : -1, -1]
        flat = np.zeros((len(world), 3 - k))
        if k == 2:
            world = np.vstack([np.hstack([flat + e, world]) for e in (-0.5, 0.5)])
        corners.append(world)
    if not corners:
        return None
    low, high = np.vstack(corners).min(axis=0), np.vstack(corners).max(axis=0)
    z0, y0, x0 = (float(v) for v in low)
    z1, y1, x1 = (float(v) for v in high)
    return (z0, y0, x0), (z1, y1, x1)
