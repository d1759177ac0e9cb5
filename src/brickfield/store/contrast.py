"""Contrast limits from a look at the coarsest level."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count, product
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.loading import Box, ChunkManager
from brickfield.model import ScaleLevel, Selection, pack_keys
from brickfield.model.requests import ChunkedDataRequest, ChunkState
from brickfield.store.indexing import Region

MOST_VOXELS = 1 << 24
"""Levels up to this size are looked at whole."""
DENSE_FROM = 0.25
"""Share of the contrast window above which a value counts as filled."""
PATIENCE_S = 8.0
"""A store that answers more slowly is judged by what has come by then."""
_numbers = count()
SHARES = (1 / 2, 1 / 6, 5 / 6)
"""Places along each axis where a larger level is looked at."""


class ContrastLook(NamedTuple):
    """What a look at the voxels of a level has told.

    Attributes
    ----------
    window : tuple
        Contrast limits, low < high.
    is_dense : bool
        Whether the voxels fill the window, as solids do.
    is_constant : bool
        Whether all voxels are equal, or none could be read.
    """

    window: tuple[float, float]
    is_dense: bool
    is_constant: bool


def look_at(
    manager: ChunkManager,
    level: int,
    selection: Selection,
    read: Callable[[int, Region, Selection], NDArray[np.generic]],
) -> ContrastLook:
    """Look at the voxels of a level: at all, or at some of a large one.

    Parameters
    ----------
    manager : ChunkManager
    level : int
    selection : tuple of int
        Index on every non-spatial axis.
    read : callable
        Returns the voxels of a box (first voxel, end) of a level; raises
        ChunkReadError where it cannot.
    """
    about = manager.source.info.pyramid.levels[level]

    def read_box(box: Box) -> NDArray[np.generic]:
        (z, y, x), (n, h, w) = box
        return read(level, ((z, y, x), (z + n, y + h, x + w)), selection)

    if about.n_voxels <= MOST_VOXELS:
        values = level_values(manager, level, selection)
    else:
        values = sample(about, read_box)
    window = contrast_of(values)
    return ContrastLook(window, is_dense(values, window), is_constant(values))


def sample_boxes(level: ScaleLevel) -> list[Box]:
    """Choose boxes to look at: the level, or storage chunks spread over it."""
    shape = level.shape_zyx
    if level.n_voxels <= MOST_VOXELS:
        return [((0, 0, 0), shape)]
    units = level.storage_chunk_zyx
    boxes: dict[Box, None] = {}
    n_voxels = 0
    for shares in product(SHARES, repeat=3):
        z, y, x = (
            int(n * f) // u * u for n, f, u in zip(shape, shares, units, strict=True)
        )
        d, h, w = (
            min(u, n - o) for u, n, o in zip(units, shape, (z, y, x), strict=True)
        )
        box: Box = ((z, y, x), (d, h, w))
        if boxes and n_voxels + d * h * w > MOST_VOXELS:
            break
        if box not in boxes:
            boxes[box] = None
            n_voxels += d * h * w
    return list(boxes)


def sample(
    level: ScaleLevel, read: Callable[[Box], NDArray[np.generic]]
) -> NDArray[np.generic]:
    """Read the sample of a level; what cannot be read is left out.

    Parameters
    ----------
    level : ScaleLevel
    read : callable
        Returns the voxels of a box (z, y, x); raises ChunkReadError where it cannot.

    Returns
    -------
    ndarray, shape (n,)
        Values; empty when nothing could be read.
    """
    parts = []
    for box in sample_boxes(level):
        try:
            parts.append(read(box).ravel())
        except ChunkReadError:
            continue
    return (
        np.concatenate(parts) if parts else np.empty(0, level.dtype.newbyteorder("="))
    )


def level_values(
    manager: ChunkManager, level: int, selection: Selection
) -> NDArray[np.generic]:
    """Load a whole level through the cache, where its first picture finds it.

    Parameters
    ----------
    manager : ChunkManager
    level : int
    selection : Selection
        Index on every non-spatial axis.

    Returns
    -------
    ndarray, shape (n,)
        Values, the fill value for chunks that are not stored; empty when nothing
        could be read.
    """
    about = manager.source.info.pyramid.levels[level]
    indices = np.indices(about.grid_zyx).reshape(3, -1).T
    keys = pack_keys(level, indices)
    zeros = np.zeros(len(keys))
    visual_id = f"contrast-{next(_numbers)}"
    request = ChunkedDataRequest(
        visual_id, selection, keys, zeros.astype("f4"), zeros.astype("u1")
    )
    parts: list[NDArray[np.generic]] = []
    manager.request_chunks(request, visual_id)
    n_taken = 0
    end = perf_counter() + PATIENCE_S
    while n_taken < len(keys) and perf_counter() < end:
        manager.wait(visual_id, timeout=max(0.0, end - perf_counter()))
        taken = manager.take_ready(visual_id)
        if not taken:
            # Too slow, or the image was closed.
            break
        for chunk in taken:
            n_taken += 1
            if chunk.data is not None:
                parts.append(chunk.known_voxels())
            elif chunk.state is ChunkState.MISSING:
                n_voxels = int(np.prod(about.chunk_shape))
                parts.append(np.full(n_voxels, about.fill_value).astype(about.dtype))
    manager.release(visual_id)
    native = about.dtype.newbyteorder("=")
    return np.concatenate(parts) if parts else np.empty(0, native)


def contrast_of(
    values: NDArray[np.generic], shares: tuple[float, float] = (0.001, 0.999)
) -> tuple[float, float]:
    """Choose contrast limits for values of any shape.

    Parameters
    ----------
    values : ndarray
    shares : tuple of float
        Shares of the values, 0 to 1, that lie below the limits.

    Returns
    -------
    low, high : int or float
        About these quantiles, low < high; whole numbers for integers.
    """
    if values.dtype.kind == "b":
        return 0, 1
    if values.dtype.kind == "c":
        values = np.abs(values)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)].astype(np.float64)
    if not values.size:
        return (0, 1) if values.dtype.kind in "iu" else (0.0, 1.0)
    # Values of the data themselves: interpolation would lose large integers.
    ranks = [round(share * (values.size - 1)) for share in shares]
    low, high = np.partition(values, ranks)[ranks].tolist()
    if low == high:
        low, high = values.min().item(), values.max().item()
    if low == high:
        zero = type(low)(0)
        low, high = min(low, zero), max(high, zero)
    return (low, high) if low < high else (low, low + 1)


def is_constant(values: NDArray[np.generic]) -> bool:
    """Tell whether values are all equal; so are none at all.

    Parameters
    ----------
    values : ndarray, any shape
    """
    return not values.size or bool((values == values.flat[0]).all())


def is_dense(values: NDArray[np.generic], window: tuple[float, float]) -> bool:
    """Tell whether more than half of the values are well inside a window.

    Such data (electron microscopy, a CT of a solid) have no dark surroundings: a
    maximum along rays shows nothing of them.

    Parameters
    ----------
    values : ndarray, any shape
    window : tuple of float
        Contrast limits, low and high.
    """
    if values.dtype.kind not in "iuf" or not values.size:
        return False
    low, high = window
    limit = low + DENSE_FROM * (high - low)
    return bool(np.count_nonzero(np.greater(values, limit)) > 0.5 * values.size)
