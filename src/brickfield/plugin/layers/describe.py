"""The layers of a store, described for napari: levels, place, colours, contrast.

Invariant: a layer says in its metadata (:data:`KEY`) what it was opened from, so that a
scene document can open it again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model import (
    OTHER_LABELS,
    AffineTransform,
    Channel,
    ImageInfo,
)
from brickfield.plugin.layers.auto_contrast import (
    Limits,
    limits_of,
    mode_of,
)
from brickfield.plugin.slicing.lazy import answer
from brickfield.store import ChunkedImageStore, LazyLevel, StoreHold
from brickfield.viewer import channel_color

LayerData = tuple[Any, dict[str, Any], str]
"""Levels, what napari's layer is made with, and "image" or "labels"."""
MOST_CHANNELS = 12
"""Images with more get one layer with a slider for the channel."""
KEY = "brickfield"
"""Of what a layer's metadata say about where it is from."""


def layer_data_of(
    store: ChunkedImageStore,
    options: dict[str, Any] | None = None,
    reopen: Callable[[], ChunkedImageStore] | None = None,
    wait_s: float | None = None,
    limits: tuple[float, float] | None = None,
) -> list[LayerData]:
    """Describe the layers of a store, one for each channel.

    Parameters
    ----------
    store : ChunkedImageStore
    options : dict, optional
        What it was opened with, for the layers' metadata.
    reopen : callable, optional
        Opens the store again, once its layers had left napari and come back.
    wait_s : float, optional
        How long contrast limits are waited for; later ones are set on the layers.
    limits : tuple of float, optional
        Contrast limits of all channels, which are not looked for then.
    """
    hold = StoreHold(store, reopen)
    info = store.info
    is_labels = info.is_labels and info.pyramid.dtype.kind in "biu"
    channels = channels_of(info)
    found: Sequence[Limits | None]
    if is_labels:
        found = [None] * len(channels)
    elif limits is not None:
        found = [Limits(limits)] * len(channels)
    else:
        found = limits_of(store, channels, wait_s)
    return [
        _one_layer(hold, store.info, (channel, limit), is_labels, options or {})
        for channel, limit in zip(channels, found, strict=True)
    ]


def channels_of(info: ImageInfo) -> list[int | None]:
    """List the channels that get a layer each; None for all in one layer."""
    axis = info.pyramid.channel_axis
    n = 1 if axis is None else int(info.pyramid.levels[0].shape[axis])
    return [None] if n > MOST_CHANNELS else list(range(n))


def title_of(info: ImageInfo) -> str:
    """Return what an image is called in the list of layers."""
    return info.image or info.name


def _one_layer(
    hold: StoreHold,
    info: ImageInfo,
    shown: tuple[int | None, Limits | None],
    is_labels: bool,
    options: dict[str, Any],
) -> LayerData:
    channel, limits = shown
    # napari would view a mask's voxels as bytes, which nothing lazy can do.
    dtype = "u1" if is_labels and info.pyramid.dtype.kind == "b" else None
    levels = [
        LazyLevel(hold, i, channel, dtype=dtype, reading=answer)
        for i in range(info.pyramid.n_levels)
    ]
    is_one = len(channels_of(info)) == 1
    origin = {"uri": info.uri, "channel": channel, "options": options}
    look = {
        "name": title_of(info)
        if is_one
        else f"{title_of(info)}: {_channel(info, channel).name}",
        "metadata": {KEY: origin},
        "multiscale": True,
        **_place(levels[0], info),
    }
    if is_labels:
        return _as_labels(levels, look | _look_of_labels(info))
    assert limits is not None
    # Needs napari itself, which importing this module must not load.
    from brickfield.plugin.layers.levels import LazyLevels

    look |= _look_of_image(info, channel, is_one=is_one)
    look["rendering"] = mode_of(hold.store, channels_of(info))
    look["contrast_limits"] = limits.window
    return LazyLevels(levels), look, "image"


def _look_of_labels(info: ImageInfo) -> dict[str, Any]:
    """Return colours and features that the store gives labels; napari's else."""
    look: dict[str, Any] = {}
    if info.label_colors:
        from napari.utils.colormaps import DirectLabelColormap

        table: dict[int | None, Any] = {
            label: np.array(rgba) / 255 for label, rgba in info.label_colors
        }
        table[None] = np.array(OTHER_LABELS) / 255
        table.setdefault(0, np.zeros(4))
        look["colormap"] = DirectLabelColormap(color_dict=table)
    if info.label_properties:
        names = dict.fromkeys(k for _, kept in info.label_properties for k, _ in kept)
        look["features"] = {
            "index": [label for label, _ in info.label_properties],
            **{
                n: [dict(kept).get(n) for _, kept in info.label_properties]
                for n in names
            },
        }
    return look


def _as_labels(levels: list[LazyLevel], look: dict[str, Any]) -> LayerData:
    """Keep to what napari takes for levels of labels: ever smaller ones, or one."""
    smaller = levels[:1]
    for level in levels[1:]:
        if level.size < smaller[-1].size:
            smaller.append(level)
    if len(smaller) == 1:
        return smaller[0], {**look, "multiscale": False}, "labels"
    return smaller, look, "labels"


def _channel(info: ImageInfo, channel: int | None) -> Channel:
    known = info.channels
    at = channel or 0
    return known[at] if at < len(known) else Channel(str(at))


def _look_of_image(
    info: ImageInfo, channel: int | None, *, is_one: bool
) -> dict[str, Any]:
    about = _channel(info, channel)
    color = about.color if about.color and any(about.color) else None
    if is_one and (color is None or min(color) == 255):
        colormap = "gray"
    else:
        red, green, blue = color or channel_color(channel or 0)
        colormap = f"#{red:02x}{green:02x}{blue:02x}"
    is_any_active = any(c.is_active for c in info.channels)
    return {
        "colormap": colormap,
        "blending": "translucent" if is_one else "additive",
        # Three or four voxels along the last axis are no colours.
        "rgb": False,
        "visible": about.is_active or is_one or not is_any_active,
    }


def _place(level: LazyLevel, info: ImageInfo) -> dict[str, Any]:
    pyramid = level.pyramid
    about = pyramid.levels[0]
    stored = level.stored_axes
    place = {
        "scale": [about.voxel_size[a] if a >= 0 else 1.0 for a in stored],
        "translate": [about.translation[a] if a >= 0 else 0.0 for a in stored],
        "units": [_unit(pyramid.axes[a].unit if a >= 0 else None) for a in stored],
        "axis_labels": level.axis_names,
    }
    if info.placement is not None:
        place["affine"] = _affine(info.placement, len(stored), level.n_spatial)
    return place


def _affine(
    placement: AffineTransform, n_axes: int, n_spatial: int
) -> NDArray[np.float64]:
    """Spread what turns an image in space over all axes of a layer."""
    k = n_spatial + 1
    result = np.eye(n_axes + 1)
    matrix = placement.matrix
    result[-k:, -k:] = matrix[-k:, -k:]
    return result


def _unit(name: str | None) -> str:
    """Return a unit that napari understands: one word that pint knows."""
    import pint

    if not name or not name.isalpha():
        return "pixel"
    try:
        return str(pint.Unit(name))
    except pint.errors.PintError:
        return "pixel"


# -- from a layer back ------------------------------------------------------------
