"""Reading an exact box of voxels at once, past queue and cache.

Invariant: what is returned is complete, or an error is raised; each storage chunk
under the box is read once, `source.concurrency` at a time. For jobs that need all
voxels of a region (export, statistics), not for drawing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from math import prod

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.loading.retry import ReadFailure, RetryRules
from brickfield.loading.storage_layout import Box, FlatIndex, LevelLayout
from brickfield.model import Selection
from brickfield.sources import ChunkSource
from brickfield.sources.limits import read_bytes, within


def read_box(
    source: ChunkSource,
    layout: LevelLayout,
    box: Box,
    selection: Selection,
    *,
    retry: RetryRules | None = None,
    budget_bytes: int | None = None,
) -> NDArray[np.generic]:
    """Read a box of one level and selection.

    Parameters
    ----------
    source : ChunkSource
    layout : LevelLayout
    box : tuple of tuple of int
        Origin and shape (z, y, x), voxels, within the level.
    selection : tuple of int
    retry : RetryRules, optional
    budget_bytes : int, optional
        What the storage chunks that are read at once may take, beside the box.

    Returns
    -------
    ndarray, shape as the box, native byte order
        The fill value where nothing is stored.

    Raises
    ------
    ChunkReadError
        If a storage chunk cannot be read.
    """
    rules = retry or RetryRules()
    level = source.info.pyramid.levels[layout.level]
    out = np.empty(box[1], dtype=level.dtype.newbyteorder("="))
    flats = layout.needs_of_box(box, selection) if out.size else []
    known = source.missing_chunks(
        layout.level, layout.indices_of(np.array(flats, dtype=np.int64))
    )
    missing = set() if known is None else set(np.array(flats)[known].tolist())

    def copy(flat: FlatIndex) -> None:
        data = None
        if flat not in missing:
            with within(budget_bytes):
                data = _read(source, layout, flat, rules)
        part, start = layout.piece(flat, *box)
        target = tuple(
            slice(t, t + s.stop - s.start) for t, s in zip(start, part, strict=True)
        )
        if data is None:
            out[target] = level.fill_value
        else:
            out[target] = layout.view_zyx(data, flat, selection)[part]

    n_threads = source.concurrency
    if budget_bytes is not None:
        each = read_bytes(prod(layout.storage) * level.dtype.itemsize)
        n_threads = max(1, min(n_threads, budget_bytes // max(1, each)))
    _for_each(copy, flats, n_threads)
    return out


def _for_each(
    fn: Callable[[FlatIndex], None], flats: Iterable[FlatIndex], n_threads: int
) -> None:
    work = list(flats)
    if len(work) <= 1:
        for flat in work:
            fn(flat)
        return
    with ThreadPoolExecutor(max(1, n_threads), "brickfield-box") as pool:
        futures = [pool.submit(fn, flat) for flat in work]
        try:
            for future in futures:
                future.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _as_chunk_error(
    error: Exception, source: ChunkSource, level: int, index: tuple[int, ...]
) -> ChunkReadError:
    """Return what a source raised as a failure of the chunk."""
    if isinstance(error, ChunkReadError):
        return error
    key = source.storage_key(level, index)
    made = ChunkReadError(ReadFailure.from_exception(error, key).reason, key=key)
    made.__cause__ = error
    return made


def _read(
    source: ChunkSource, layout: LevelLayout, flat: FlatIndex, rules: RetryRules
) -> NDArray[np.generic] | None:
    index = layout.index_of(flat)
    n_tries = 0
    while True:
        n_tries += 1
        try:
            return source.read_storage_chunk(layout.level, index).data
        except Exception as found:  # noqa: BLE001 - a source of any library
            error = _as_chunk_error(found, source, layout.level, index)
            key = source.storage_key(layout.level, index)
            pause = rules.pause_after(ReadFailure.from_exception(error, key), n_tries)
            if pause is None:
                raise error from error.__cause__
            time.sleep(pause)
