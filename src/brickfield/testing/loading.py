"""Asking for chunks and taking them, and what numpy says they hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from brickfield.loading import ChunkManager
from brickfield.model import ChunkId, ChunkKey, Selection, pack_keys
from brickfield.model.requests import Category, ChunkedDataRequest, LoadedChunk
from brickfield.testing.sources import MemorySource


def all_keys(source: Any, level: int = 0) -> NDArray[np.int64]:
    """Return the keys of all chunks of a level, in C order.

    Parameters
    ----------
    source
    level : int

    Returns
    -------
    ndarray, shape (n,), int64
    """
    grid = source.info.pyramid.grids_zyx[level]
    return pack_keys(level, np.indices(grid).reshape(3, -1).T)


def ask(
    keys: Any,
    selection: Selection = (),
    *,
    visual_id: str = "a",
    category: Category = Category.VISIBLE,
) -> ChunkedDataRequest:
    """Return a request for keys, wanted in the given order.

    Parameters
    ----------
    keys : array-like, shape (n,)
        Packed keys, most wanted first.
    selection : Selection
        Index on every non-spatial axis.
    visual_id : str
        Id of the visual that requests.
    category : Category
        Of all of them.
    """
    keys = np.asarray(keys, dtype=np.int64)
    return ChunkedDataRequest(
        visual_id,
        selection,
        keys,
        np.arange(len(keys), dtype=np.float32),
        np.full(len(keys), category, np.uint8),
    )


def numbers(shape: tuple[int, ...], dtype: DTypeLike = np.uint16) -> NDArray[Any]:
    """Return voxels that are all different, as far as the type allows.

    Parameters
    ----------
    shape : tuple of int
        Voxels.
    dtype : DTypeLike
        Of the result.

    Returns
    -------
    ndarray, shape `shape`
    """
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def voxels_of(
    source: MemorySource, key: ChunkKey, selection: Selection = ()
) -> NDArray[Any]:
    """Return a chunk's voxels (z, y, x) by plain slicing.

    Parameters
    ----------
    source : MemorySource
    key : ChunkKey
        Packed level and grid index.
    selection : Selection
        Index on every non-spatial axis.

    Returns
    -------
    ndarray, shape (z, y, x)
    """
    pyramid, name = source.info.pyramid, ChunkId.from_key(key)
    array = source.arrays[name.scale_level]
    level = pyramid.levels[name.scale_level]
    picks = [slice(None)] * array.ndim
    for axis, position in zip(pyramid.other_axes, selection, strict=True):
        picks[axis] = slice(position, position + 1)
    for k, axis in enumerate(level.spatial_axes):
        if axis >= 0:
            start = name.index[k] * level.chunk_shape[k]
            picks[axis] = slice(start, start + level.chunk_shape[k])
    present = [a for a in level.spatial_axes if a >= 0]
    n_others = len(pyramid.other_axes)
    part = array[tuple(picks)].transpose(*pyramid.other_axes, *present)
    part = part.reshape(part.shape[n_others:])
    for k, axis in enumerate(level.spatial_axes):
        if axis < 0:
            part = np.expand_dims(part, k)
    return part


def take_all(
    manager: ChunkManager, visual_id: str = "a", timeout: float = 20.0
) -> list[LoadedChunk]:
    """Take chunks until every wanted chunk has ended, as a render thread does.

    Parameters
    ----------
    manager : ChunkManager
    visual_id : str
        Whose chunks.
    timeout : float
        Seconds.

    Raises
    ------
    AssertionError
        If nothing comes although something is wanted.
    """
    taken: list[LoadedChunk] = []
    while True:
        is_over = manager.wait(visual_id, timeout)
        batch = manager.take_ready(visual_id)
        taken += batch
        if is_over and not batch:
            return taken
        if not batch and not is_over:
            msg = f"loading stands still: {manager.status(visual_id)}"
            raise AssertionError(msg)
