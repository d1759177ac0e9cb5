"""A small picture of an image, from its coarsest level.

Invariant: at most :data:`MOST_BYTES` of voxels are read for each of at most
:data:`MOST_CHANNELS` channels; of an image without a level as small as that there is
no picture. Any thread; no GPU.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brickfield.model import Channel
from brickfield.store import ChunkedImageStore
from brickfield.viewer.colormaps import channel_color

EDGE = 96
"""Longer edge of a picture, pixels."""
MOST_BYTES = 4 << 20
"""Of voxels read for a channel."""
MOST_CHANNELS = 4
Rgb = NDArray[np.uint8]


def thumbnail(store: ChunkedImageStore, edge: int = EDGE) -> Rgb | None:
    """Draw an image small: channels in their colours, the maximum along z.

    Parameters
    ----------
    store : ChunkedImageStore
    edge : int
        Longer edge, pixels.

    Returns
    -------
    ndarray, shape (height, width, 3), uint8, or None
        sRGB, y down. None where even the coarsest level is too large.

    Raises
    ------
    ChunkReadError
        If it cannot be read.
    """
    shown = _shown_channels(store)
    sums: NDArray[np.float64] | None = None
    for index, channel in shown:
        plane = _plane(store, index, edge)
        if plane is None:
            return None
        if store.info.is_labels:
            return _colored_labels(plane)
        gray = _stretched(plane, channel.window)
        is_plain = len(shown) == 1 and not channel.color
        color = (255, 255, 255) if is_plain else _color(channel, index)
        tinted = gray[..., None] * np.asarray(color, dtype=np.float64)
        sums = tinted if sums is None else sums + tinted
    return None if sums is None else np.clip(sums, 0, 255).astype(np.uint8)


def _shown_channels(store: ChunkedImageStore) -> list[tuple[int, Channel]]:
    pyramid = store.pyramid
    axis = pyramid.channel_axis
    n = 1 if axis is None else pyramid.levels[0].shape[axis]
    known = [*store.channels, *(Channel(str(i)) for i in range(len(store.channels), n))]
    numbered = list(enumerate(known[:n]))
    active = [(i, c) for i, c in numbered if c.is_active]
    return (active or numbered)[:MOST_CHANNELS]


def _plane(
    store: ChunkedImageStore, channel: int, edge: int
) -> NDArray[np.generic] | None:
    """Read one plane, or the maximum of a few, reduced to a number of pixels."""
    level = store.pyramid.n_levels - 1
    about = store.pyramid.levels[level]
    n_z, n_y, n_x = about.shape_zyx
    plane_bytes = n_y * n_x * about.dtype.itemsize
    if plane_bytes > MOST_BYTES:
        return None
    is_whole = plane_bytes * n_z <= MOST_BYTES and not store.info.is_labels
    low, high = (0, n_z) if is_whole else (n_z // 2, n_z // 2 + 1)
    box = ((low, 0, 0), (high, n_y, n_x))
    voxels = store.read(level, box, store.default_selection(channel))
    step = max(1, -(-max(n_y, n_x) // edge))
    # Thinned out first: a maximum over all of it takes longer than reading it.
    thin = voxels[:, ::step, ::step]
    if about.dtype.kind == "c":
        thin = np.abs(thin)
    flat: NDArray[np.generic] = thin.max(axis=0)
    return flat


def _stretched(
    plane: NDArray[np.generic], window: Sequence[float] | None
) -> NDArray[np.float64]:
    values = plane.astype(np.float64)
    good = values[np.isfinite(values)]
    if not good.size:
        return np.zeros(values.shape)
    low, high = np.percentile(good, (1.0, 99.7)) if window is None else window
    if high <= low:
        low, high = float(good.min()), float(good.max())
    if high <= low:
        # All alike: gray says "something is there", black would say nothing is.
        return np.full(values.shape, 0.5)
    stretched = np.clip((np.nan_to_num(values, nan=low) - low) / (high - low), 0, 1)
    return np.asarray(stretched, dtype=np.float64)


def _color(channel: Channel, index: int) -> tuple[int, int, int]:
    color = channel.color
    return (color[0], color[1], color[2]) if color else channel_color(index)


def _colored_labels(plane: NDArray[np.generic]) -> Rgb:
    """Give every object a colour of its own, black where there is none."""
    numbers = plane.astype(np.int64)
    mixed = (numbers * 2654435761) & 0xFFFFFF
    parts = [(mixed >> shift) & 0xFF for shift in (16, 8, 0)]
    colors = np.stack(parts, axis=-1) // 2 + 96
    return np.where(numbers[..., None] != 0, colors, 0).astype(np.uint8)
