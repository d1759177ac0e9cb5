"""Histograms of an image: of what is loaded, of the coarsest level, or of every voxel.

Functions that wait or take long are for a worker thread; none touches a layer or a
window. Chunks that cannot be read are left out, and the histogram says how much
was counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import (
    BlockGrid,
    Extrema,
    Slices,
    block_shape,
    count_values,
    has_exact_counts,
    map_blocks,
)
from brickfield.errors import BudgetError, ChunkReadError
from brickfield.loading import Box, LevelLayout, read_box
from brickfield.model import Selection
from brickfield.store import MOST_VOXELS, ChunkedImageStore, level_values, sample
from brickfield.viewer.controls.histogram import (
    USUAL_BINS,
    Bins,
    Histogram,
    histogram_of,
    plain,
)

BLOCK_BYTES = 1 << 26
"""A block of an exact count; two are held at once."""
Progress = Callable[[int, int], None]
"""Told how many blocks are done, of how many."""


def coarsest_histogram(
    store: ChunkedImageStore,
    selection: Selection | None = None,
    *,
    bins: int = USUAL_BINS,
) -> Histogram:
    """Count the coarsest level, and load it if it is not in memory.

    Waits, some seconds at most; for a worker thread. A level of more than 16
    million voxels is sampled.

    Parameters
    ----------
    store : ChunkedImageStore
    selection : Selection, optional
        Index on every non-spatial axis; default the first.
    bins : int
        For floats, and for many different integers.
    """
    selection = store.default_selection() if selection is None else selection
    level = store.pyramid.n_levels - 1
    about, layout = store.pyramid.levels[level], LevelLayout.of(store.pyramid, level)

    def read(box: Box) -> NDArray[np.generic]:
        budget = store.ram_budget
        return read_box(store.source, layout, box, selection, budget_bytes=budget)

    if about.n_voxels <= MOST_VOXELS:
        values = level_values(store.manager, level, selection)
    else:
        values = sample(about, read)
    return histogram_of(values, bins=bins, share=min(1.0, values.size / about.n_voxels))


def exact_histogram(
    store: ChunkedImageStore,
    level: int = 0,
    selection: Selection | None = None,
    *,
    bins: int = USUAL_BINS,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Histogram | None:
    """Count every voxel of a level, block by block, in bounded memory.

    One pass for integers of at most 16 bits, two for anything else. Past the
    cache, so that what is on screen stays in it. For a worker thread.

    Parameters
    ----------
    store : ChunkedImageStore
    level : int
    selection : tuple of int, optional
        Index on every non-spatial axis; default all 0.
    bins : int
        For floats and for more than 1024 different whole numbers.
    on_progress : callable, optional
        Called on this thread after each block.
    cancelled : callable, optional
        Asked after each block.

    Returns
    -------
    Histogram or None
        None if cancelled. :attr:`Histogram.share` is below 1 where voxels could
        not be read.

    Raises
    ------
    OptionError
        If there is no such level or selection.
    """
    # Asked for one voxel, the store checks level and selection.
    first = store.read(level, ((0, 0, 0), (0, 0, 0)), selection)
    run = _Run(store, level, selection, on_progress, cancelled)
    dtype = plain(first).dtype
    if has_exact_counts(dtype):
        return run.narrow(dtype, bins)
    return run.wide(bins)


@dataclass
class _Run:
    store: ChunkedImageStore
    level: int
    selection: Selection | None
    on_progress: Progress | None
    cancelled: Callable[[], bool] | None
    n_done: int = 0
    n_passes: int = 1

    @property
    def n_voxels(self) -> int:
        return self.store.pyramid.levels[self.level].n_voxels

    def grid(self) -> BlockGrid:
        about = self.store.pyramid.levels[self.level]
        shape, unit = about.shape_zyx, about.storage_chunk_zyx
        try:
            block = block_shape(shape, about.dtype, BLOCK_BYTES, align=unit)
        except BudgetError:
            block = unit
        return BlockGrid(shape, block)

    def parts(self) -> Iterator[NDArray[np.generic]]:
        """Yield the voxels of every block; ends early when cancelled."""
        grid = self.grid()
        total = len(grid) * self.n_passes

        def read(slices: Slices) -> NDArray[np.generic]:
            try:
                return self.store.read(self.level, slices, self.selection)
            except ChunkReadError:
                return np.empty(0, self.store.pyramid.levels[self.level].dtype)

        for _, values in map_blocks(read, grid, plain):
            yield values
            self.n_done += 1
            if self.on_progress is not None:
                self.on_progress(self.n_done, total)
            if self.has_ended():
                return

    def has_ended(self) -> bool:
        return self.cancelled is not None and self.cancelled()

    def narrow(self, dtype: np.dtype[Any], bins: int) -> Histogram | None:
        every = count_values(np.empty(0, dtype)).counts
        for values in self.parts():
            every += count_values(values).counts
        if self.has_ended():
            return None
        present = np.flatnonzero(every)
        if not present.size:
            return Histogram.empty(share=0.0)
        first, last = int(present[0]), int(present[-1])
        least = int(np.iinfo(dtype).min)
        spread = Bins.over(least + first, least + last, bins=bins)
        starts = np.arange(0, last - first + 1, spread.width)
        counts = np.add.reduceat(every[first : last + 1], starts.astype(np.intp))
        share = int(every.sum()) / self.n_voxels
        return spread.filled(counts, least + first, least + last, share=share)

    def wide(self, bins: int) -> Histogram | None:
        self.n_passes = 2
        span = Extrema()
        for values in self.parts():
            span = span.merge(Extrema.of(_finite(values)))
        if self.has_ended():
            return None
        if span.low is None or span.high is None:
            return Histogram.empty(share=0.0)
        spread = Bins.over(span.low, span.high, bins=bins)
        counts = np.zeros(spread.n, np.int64)
        n_nan = n_finite = n_seen = 0
        for values in self.parts():
            finite = _finite(values)
            counts += spread.count(finite)
            n_seen, n_finite = n_seen + values.size, n_finite + finite.size
            if values.dtype.kind == "f":
                n_nan += int(np.isnan(values).sum())
        if self.has_ended():
            return None
        return spread.filled(
            counts,
            span.low,
            span.high,
            n_nan=n_nan,
            n_infinite=n_seen - n_finite - n_nan,
            share=n_seen / self.n_voxels,
        )


def _finite(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values
