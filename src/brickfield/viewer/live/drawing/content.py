"""Where in a scene there is anything to see under the present contrast.

Read off chunks of the coarsest level that are in memory; nothing is loaded for it.
A voxel counts when it is drawn in another colour than the lowest value, and a label
when it is not 0. Render thread only.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from brickfield.model import pack_keys
from brickfield.model.requests import ChunkState
from brickfield.rendering import LayerRenderer, VolumeView

SHADES = 255
"""Steps of a contrast window that a picture can show."""
MOST_CHUNKS = 512
"""Levels of more chunks are no overview."""


def content_points(view: VolumeView) -> NDArray[np.float64] | None:
    """Return outer corners of all voxels at the rim of what can be seen.

    Returns
    -------
    ndarray, shape (n, 3), (z, y, x), world, or None
        None where the coarsest level of a layer is not loaded, or nothing can be
        seen.
    """
    found = []
    for renderer in view.manager.renderers:
        if not renderer.layer.visible:
            continue
        points = _points_of(renderer)
        if points is None:
            return None
        found.append(points)
    points = np.concatenate(found) if found else np.empty((0, 3))
    for axis in range(3):
        points = _ends_of_lines(points, axis)
    return points if len(points) else None


def _points_of(renderer: LayerRenderer) -> NDArray[np.float64] | None:
    pyramid = renderer.bricks.pyramid
    level = pyramid.n_levels - 1
    shape, chunk = pyramid.shapes_zyx[level], pyramid.chunk_shapes[level]
    counts = -(-shape // chunk)
    if int(np.prod(counts)) > MOST_CHUNKS:
        return None
    is_seen = np.zeros(shape, dtype=np.bool_)
    for selection, low in zip(renderer.shown, _lowest(renderer), strict=True):
        for index in product(*(range(int(n)) for n in counts)):
            key = int(pack_keys(level, np.array(index)))
            loaded = renderer.layer.loader.peek(selection, key)
            if loaded is None:
                return None
            if loaded.state is ChunkState.FAILED:
                continue
            start = np.array(index) * chunk
            stop = np.minimum(start + chunk, shape)
            box = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
            values = loaded.minimum if loaded.data is None else loaded.data
            if loaded.data is not None:
                values = loaded.data[
                    tuple(slice(0, b - a) for a, b in zip(start, stop, strict=True))
                ]
            with np.errstate(invalid="ignore"):
                is_seen[box] |= np.asarray(values) > low
    corners = _rim(is_seen)
    data = (corners * pyramid.downscale[level]) + pyramid.offset[level]
    low_end, high_end = pyramid.data_bounds
    world = renderer.layer.world.apply(np.clip(data, low_end, high_end))
    return _within(world, renderer.layer.appearance.clip_box)


def _lowest(renderer: LayerRenderer) -> list[float]:
    """Return the largest value of each shown channel that is drawn as the lowest."""
    look = renderer.layer.appearance
    if look.is_labels:
        return [0.0] * len(renderer.shown)
    windows = [channel.contrast for channel in look.channels]
    windows += windows[-1:] * (len(renderer.shown) - len(windows))
    return [low + (high - low) / SHADES for low, high in windows[: len(renderer.shown)]]


def _rim(is_seen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return corners of the first and last seen voxel of each row along x."""
    rows = np.argwhere(is_seen.any(axis=2))
    if not len(rows):
        return np.empty((0, 3))
    lines = is_seen[rows[:, 0], rows[:, 1]]
    first = lines.argmax(axis=1) - 0.5
    last = lines.shape[1] - lines[:, ::-1].argmax(axis=1) - 0.5
    found = [
        np.column_stack([rows[:, 0] + dz, rows[:, 1] + dy, x])
        for dz, dy in product((-0.5, 0.5), repeat=2)
        for x in (first, last)
    ]
    return np.concatenate(found).astype(np.float64)


def _ends_of_lines(points: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Leave out points that lie between two others on a line along an axis.

    Whatever shows the two shows them, too. A camera is fitted to the rest at every
    step of a window that is resized, on the window's thread.
    """
    others = [a for a in range(3) if a != axis]
    ordered = points[np.lexsort((points[:, axis], *points[:, others].T))]
    is_new = (ordered[1:, others] != ordered[:-1, others]).any(axis=1)
    is_end = np.ones(len(points), dtype=np.bool_)
    is_end[1:-1] = is_new[:-1] | is_new[1:]
    kept: NDArray[np.float64] = ordered[is_end]
    return kept


def _within(
    points: NDArray[np.float64],
    box: tuple[tuple[float, ...], tuple[float, ...]] | None,
) -> NDArray[np.float64]:
    if box is None or not len(points):
        return points
    low, high = np.array(box[0]), np.array(box[1])
    kept: NDArray[np.float64] = np.clip(points, low, high)
    is_in = ((points >= low) & (points <= high)).all(axis=1)
    return kept if is_in.any() else points
