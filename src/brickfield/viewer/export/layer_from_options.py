"""Makes a layer from a store and a user's options."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import OTHER_LABELS, Pyramid, Selection, Vec3
from brickfield.model.appearance import (
    MAX_CHANNELS,
    Appearance,
    ChannelAppearance,
    color_lut,
    gray_lut,
)
from brickfield.store import ChunkedImageStore, ChunkedLayer
from brickfield.viewer.colormaps import channel_color, lut
from brickfield.viewer.export.options import RenderOptions

_T = TypeVar("_T")


def unknown_windows(
    store: ChunkedImageStore, options: RenderOptions
) -> list[Selection]:
    """List the selections of drawn channels whose contrast the voxels have to tell.

    Parameters
    ----------
    store : ChunkedImageStore
    options : RenderOptions
    """
    if options.contrast:
        return []
    is_labels = options.labels or store.info.is_labels
    channels = drawn_channels(store, options)[: 1 if is_labels else None]
    return [
        selection_for(store.pyramid, options, channel)
        for channel in channels
        if channel >= len(store.channels) or store.channels[channel].window is None
    ]


def make_layer(store: ChunkedImageStore, options: RenderOptions) -> ChunkedLayer:
    """Make the layer that the options describe.

    Parameters
    ----------
    store : ChunkedImageStore
    options : RenderOptions

    Raises
    ------
    OptionError
        For a channel, time or position that the data do not have.
    """
    channels = drawn_channels(store, options)
    selections = [selection_for(store.pyramid, options, c) for c in channels]
    is_labels = options.labels or store.info.is_labels
    if is_labels and store.pyramid.dtype.kind not in "biu":
        msg = (
            "expected integer voxels to draw as labels; found"
            f" {store.pyramid.dtype}: leave --labels out"
        )
        raise OptionError(msg)
    if is_labels:
        selections = selections[:1]
        channels = channels[:1]
    looks = tuple(
        channel_look(store, options, i, channel, selections[i], n=len(channels))
        for i, channel in enumerate(channels)
    )
    appearance = Appearance(
        mode=options.mode,
        channels=looks,
        interpolation="nearest" if is_labels else options.interpolation,
        is_labels=is_labels,
        clip_box=clip_box(options),
        show_levels=options.show_levels,
        lighting=options.lighting,
        **_colors_of_file(store, is_labels=is_labels),
    )
    return ChunkedLayer(store, appearance=appearance, selections=selections)


def _colors_of_file(store: ChunkedImageStore, *, is_labels: bool) -> dict[str, Any]:
    """Return the colours that a file gives its labels, as an appearance has them."""
    given = dict(store.info.label_colors)
    if not (is_labels and given):
        return {}
    rest = np.array([(0, 0, 0, 0), OTHER_LABELS], dtype=np.uint8)
    return {"label_colors": rest, "label_overrides": given}


def drawn_channels(store: ChunkedImageStore, options: RenderOptions) -> list[int]:
    """Return the indices of the channels to draw, at most 32.

    Parameters
    ----------
    store : ChunkedImageStore
    options : RenderOptions

    Raises
    ------
    OptionError
        If a channel does not exist, or is named in two ways.
    """
    axis = store.pyramid.channel_axis
    n = 1 if axis is None else store.pyramid.levels[0].shape[axis]
    for channel in options.channel:
        if channel >= n:
            msg = f"expected a channel from 0 to {n - 1}; found {channel}"
            raise OptionError(msg)
    positions = dict(options.position)
    if axis is not None and store.pyramid.axes[axis].name in positions:
        # Another way to say --channel; selection_for checks the index.
        chosen = (positions[store.pyramid.axes[axis].name],)
        if options.channel not in ((), chosen):
            msg = (
                f"expected one of --channel and --position for channels, not both; found"
                f" channels {', '.join(map(str, options.channel))}"
            )
            raise OptionError(msg)
        return list(chosen)
    return list(options.channel or range(n))[:MAX_CHANNELS]


def selection_for(pyramid: Pyramid, options: RenderOptions, channel: int) -> Selection:
    """Return the index on every non-spatial axis for one channel.

    Parameters
    ----------
    pyramid : Pyramid
    options : RenderOptions
    channel : int
        Index on the channel axis.

    Raises
    ------
    OptionError
        If an axis or an index does not exist.
    """
    positions = dict(options.position)
    names = [pyramid.axes[a].name for a in pyramid.other_axes]
    for name in positions:
        if name not in names:
            msg = (
                f"expected --position on one of the axes {', '.join(names) or '(none)'};"
                f" found {name!r}"
            )
            raise OptionError(msg)
    selection = []
    for axis, name in zip(pyramid.other_axes, names, strict=True):
        index = positions.get(name, 0)
        if axis == pyramid.channel_axis:
            index = channel
        elif axis == pyramid.time_axis and name not in positions:
            index = options.time
        n = pyramid.levels[0].shape[axis]
        if index >= n:
            msg = f"expected an index from 0 to {n - 1} on axis {name}; found {index}"
            raise OptionError(msg)
        selection.append(index)
    if options.time and pyramid.time_axis is None:
        msg = f"expected --time 0 for data without a time axis; found {options.time}"
        raise OptionError(msg)
    return tuple(selection)


def channel_look(
    store: ChunkedImageStore,
    options: RenderOptions,
    i: int,
    channel: int,
    selection: Selection,
    *,
    n: int,
) -> ChannelAppearance:
    """Choose contrast and colours of one drawn channel.

    Parameters
    ----------
    store : ChunkedImageStore
    options : RenderOptions
    i : int
        Position among the drawn channels.
    channel : int
        Index on the channel axis.
    selection : Selection
        Index on every non-spatial axis.
    n : int
        Number of drawn channels.
    """
    known = store.channels[channel] if channel < len(store.channels) else None
    if options.contrast:
        contrast = _of(options.contrast, i, n, "contrast")
    elif known is not None and known.window is not None:
        contrast = known.window
    else:
        contrast = store.estimate_contrast(selection, patience_s=options.timeout)
    threshold = options.iso_threshold
    if threshold is None:
        threshold = (contrast[0] + contrast[1]) / 2
    return ChannelAppearance(
        contrast=contrast,
        gamma=options.gamma,
        lut=_colors(options, i, n, known.color if known else None),
        iso_threshold=threshold,
    )


def _colors(
    options: RenderOptions, i: int, n: int, color: tuple[int, int, int] | None
) -> NDArray[np.uint8]:
    if options.colormap:
        return lut(_of(options.colormap, i, n, "colormap"))
    if color is not None and any(color):
        return color_lut(color)
    return gray_lut() if n == 1 else color_lut(channel_color(i))


def _of(values: tuple[_T, ...], i: int, n: int, name: str) -> _T:
    if len(values) not in (1, n):
        msg = (
            f"expected one {name}, or one for each of the {n} drawn channels; found"
            f" {len(values)}"
        )
        raise OptionError(msg)
    return values[i if len(values) > 1 else 0]


def clip_box(options: RenderOptions) -> tuple[Vec3, Vec3] | None:
    """Return the corners (z, y, x) that stay visible, None without clipping."""
    if not options.clip:
        return None
    ends = {axis: (low, high) for axis, low, high in options.clip}
    open_ends = (-np.inf, np.inf)
    z, y, x = (ends.get(axis, open_ends) for axis in "zyx")
    return (z[0], y[0], x[0]), (z[1], y[1], x[1])
