"""A coarse level for data that have none, sampled while it is read.

The level holds every s-th voxel of the coarsest stored level (s may differ along axes),
never a mean. Up to 512 MiB that is exact. Of larger data only every n-th storage chunk
is read, at most 512 for the whole level; a voxel whose storage chunk is left out gets
the value of the nearest voxel of the one that is read, so away from those chunks the
level shows streaks, not data. It is a preview: a finding says so and names the command
that writes a real pyramid.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import ceil, gcd, prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.model import Finding, ImageInfo, ScaleLevel, choose_chunk_shape
from brickfield.sources.arrays.stored import chunk_slices
from brickfield.sources.places import places_of
from brickfield.sources.protocol import (
    ChunkSource,
    StorageChunk,
    StorageChunkCache,
    StoredPart,
)
from brickfield.sources.shared_reads import Index, SharedReads

MIN_VOXELS = 8_000_000
"""Smaller data (about 200**3) need no coarse level."""
MAX_COARSE_VOXELS = 160**3
MAX_EXACT_BYTES = 512 << 20
MAX_EXACT_CHUNKS = 1 << 15
MAX_SAMPLED_CHUNKS = 512
STEP_VOXELS = 64
MAX_STEPS = 8


def with_coarse_level(source: ChunkSource) -> ChunkSource:
    """Add a sampled coarse level to a source whose coarsest level is large.

    The coarsest level is what stands in for everything not loaded yet, so it has to
    fit in a small part of any budget.

    Parameters
    ----------
    source : ChunkSource

    Returns
    -------
    ChunkSource
        The same source when its coarsest level is small; else one with a further
        level sampled from it, which closes the given source when it is closed.
    """
    level = source.info.pyramid.levels[-1]
    if level.n_voxels <= MIN_VOXELS:
        return source
    return SampledSource(source, [*_steps_between(level), _sampling_of(level)])


@dataclass(frozen=True, slots=True)
class AxisSampling:
    """How one axis of the sampled level is thinned out.

    Attributes
    ----------
    axis : int
        Position among the array's axes.
    shape, chunk : int
        Voxels and storage chunk of that level along the axis.
    stride : int
        Fine voxels a coarse one.
    step : int
        One storage chunk out of `step` is read.
    """

    axis: int
    shape: int
    chunk: int
    stride: int
    step: int

    @property
    def first(self) -> int:
        """Fine index of coarse voxel 0, the middle of its voxels."""
        return (self.stride - 1) // 2

    @property
    def n_coarse(self) -> int:
        """Coarse voxels."""
        return (self.shape - 1 - self.first) // self.stride + 1

    @property
    def coarse_chunk(self) -> int:
        """Coarse voxels whose storage chunks no other coarse chunk reads."""
        whole = self.chunk * self.step
        smallest = whole // gcd(whole, self.stride)
        return min(self.n_coarse, smallest * max(1, round(64 / smallest)))

    def runs(self, index: int) -> Iterator[tuple[int, slice, NDArray[np.int64]]]:
        """Iterate over the storage chunks of one coarse chunk; `picked` has shape (n,).

        Yields
        ------
        storage : int
            Index of a storage chunk.
        out : slice
            Coarse voxels that it fills, counted in the coarse chunk.
        picked : ndarray, int64
            Voxel in the storage chunk for each of them.
        """
        start = index * self.coarse_chunk
        stop = min(start + self.coarse_chunk, self.n_coarse)
        fine = np.arange(start, stop) * self.stride + self.first
        last = (self.shape - 1) // self.chunk
        block = fine // self.chunk // self.step
        storage = np.minimum(block * self.step + self.step // 2, last)
        low = storage * self.chunk
        high = np.minimum(low + self.chunk, self.shape) - 1
        picked = np.clip(fine, low, high) - low
        cuts = [0, *(np.flatnonzero(np.diff(storage)) + 1), len(fine)]
        for a, b in pairwise(cuts):
            yield int(storage[a]), slice(int(a), int(b)), picked[a:b]


class SampledSource:
    """A source with one more level; safe in threads as the source below is.

    Parameters
    ----------
    source : ChunkSource
        Its coarsest level is sampled.
    samplings : sequence of sequence of AxisSampling
        For each added level, finest first, one for each spatial axis.
    """

    def __init__(
        self, source: ChunkSource, samplings: Sequence[Sequence[AxisSampling]]
    ) -> None:
        self._source = source
        self._samplings = [tuple(s) for s in samplings]
        info = source.info
        self._n_stored = info.pyramid.n_levels
        self.shared_level = self._n_stored - 1
        self._reads = SharedReads(source, self.shared_level)
        fine = info.pyramid.levels[-1]
        chunk = zip(fine.chunk_shape, fine.spatial_axes, strict=True)
        self._chunk = [n for n, axis in chunk if axis >= 0]
        self._coarse = [_coarse_level(fine, s) for s in self._samplings]
        self.info = replace(
            info,
            pyramid=replace(info.pyramid, levels=(*info.pyramid.levels, *self._coarse)),
            findings=(
                *(f for f in info.findings if f.code != "no-pyramid"),
                _finding(info, self._samplings[-1]),
            ),
        )
        self.source_id = f"{source.source_id}|sampled"
        self.concurrency = source.concurrency
        self.is_remote = source.is_remote

    def read_storage_chunk(self, level: int, index: tuple[int, ...]) -> StorageChunk:
        """Read a storage chunk of a stored level, or sample one of the last.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.

        Raises
        ------
        ChunkReadError
            If no part of it can be read, or one may succeed later.
        """
        if level < self.shared_level:
            return self._source.read_storage_chunk(level, index)
        if level == self.shared_level:
            return self._reads.read_last(index)
        about = self._coarse[level - self._n_stored]
        sampling = self._samplings[level - self._n_stored]
        slices = chunk_slices(index, about.storage_chunk_shape, about.shape)
        empty: float | int = about.fill_value
        data = np.full([s.stop - s.start for s in slices], empty, dtype=about.dtype)
        cost: list[StoredPart] = []
        n_found, failure = 0, None
        for storage, out, picked in self._parts(sampling, index, data.shape):
            try:
                chunk, part = self._reads.read_and_keep(storage)
            except ChunkReadError as error:
                if error.is_transient:
                    self._reads.add_unreported(cost)
                    raise
                failure = error
                if about.dtype.kind == "f":
                    data[out] = np.nan
                continue
            cost += part
            if chunk.data is not None:
                data[out] = chunk.data[np.ix_(*picked)]
                n_found += 1
        if failure is not None and n_found == 0:
            self._reads.add_unreported(cost)
            raise failure
        n_bytes = sum(part.stored_bytes for part in cost)
        return StorageChunk(data if n_found else None, n_bytes, tuple(cost))

    def _parts(
        self, sampling: Sequence[AxisSampling], index: Index, shape: Index
    ) -> Iterator[tuple[Index, tuple[slice, ...], list[NDArray[np.int64]]]]:
        """List the storage chunks of a sampled one, those of one chunk together.

        So chunks of the level below are complete one by one, and few are begun at once.
        """
        runs = [list(s.runs(index[s.axis])) for s in sampling]
        ratios = [
            max(1, n // s.chunk) for n, s in zip(self._chunk, sampling, strict=True)
        ]

        def block(chosen: Sequence[tuple[int, slice, NDArray[np.int64]]]) -> list[int]:
            return [run[0] // n for run, n in zip(chosen, ratios, strict=True)]

        for chosen in sorted(product(*runs), key=block):
            storage = list(index)
            out = [slice(None)] * len(index)
            picked = [np.arange(n, dtype=np.int64) for n in shape]
            for about, (number, where, which) in zip(sampling, chosen, strict=True):
                storage[about.axis] = number
                out[about.axis] = where
                picked[about.axis] = which
            yield tuple(storage), tuple(out), picked

    def share(self, cache: StorageChunkCache | None) -> None:
        """Keep the storage chunks that are sampled for the level that has them."""
        self._reads.cache = cache

    def parts_of(
        self, level: int, index: tuple[int, ...]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """List the stored chunks that one chunk is made of.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        if level < self._n_stored:
            return [(level, index)]
        numbers = [[i] for i in index]
        for sampling in self._samplings[level - self._n_stored]:
            runs = sampling.runs(index[sampling.axis])
            numbers[sampling.axis] = [number for number, _, _ in runs]
        return [(self.shared_level, storage) for storage in product(*numbers)]

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages; see the protocol.

        Parameters
        ----------
        level : int
        index : tuple of int
        """
        if level < self._n_stored:
            return self._source.storage_key(level, index)
        return "/".join([self._coarse[level - self._n_stored].path, *map(str, index)])

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int | None:
        """Bytes of a storage chunk; None for a sampled one.

        Parameters
        ----------
        level : int
        index : tuple of int
        """
        if level >= self._n_stored:
            return None
        return self._source.stored_bytes(level, index)

    def missing_chunks(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which chunks, shape (n, ndim), are missing; None for sampled ones.

        Parameters
        ----------
        level : int
        indices : ndarray, int64
        """
        if level >= self._n_stored:
            return None
        return self._source.missing_chunks(level, indices)

    def places(self) -> tuple[Path | str, ...]:
        """What the source below reads."""
        return places_of(self._source)

    def close(self) -> None:
        """Close the source below."""
        self._source.close()


def _steps_between(level: ScaleLevel) -> list[list[AxisSampling]]:
    """Plan levels between a huge one and the preview, each a 64th of the one before.

    Without them a view would have to go from the preview to the full data at once,
    which no budget holds. One chunk of such a level reads about 64 storage chunks:
    the finer ones of what is seen close up are exact, the coarser ones leave storage
    chunks out.
    """
    axes, shape, chunk, size = _axes_of(level)
    samplings: list[list[AxisSampling]] = []
    n_voxels = level.n_voxels // STEP_VOXELS
    while n_voxels > 4 * MAX_COARSE_VOXELS and len(samplings) < MAX_STEPS:
        stride = _thin_out(shape, size, n_voxels)
        step = [max(1, s // 4) for s in stride]
        values = zip(axes, shape, chunk, stride, step, strict=True)
        samplings.append([AxisSampling(*row) for row in values])
        n_voxels //= STEP_VOXELS
    return samplings


def _axes_of(
    level: ScaleLevel,
) -> tuple[list[int], list[int], list[int], list[float]]:
    """Return position, voxels, storage chunk and voxel size of the spatial axes."""
    axes = [p for p in level.spatial_axes if p >= 0]
    shape = [level.shape[a] for a in axes]
    chunk = [min(level.storage_chunk_shape[a], level.shape[a]) for a in axes]
    return axes, shape, chunk, [level.voxel_size[a] for a in axes]


def _sampling_of(level: ScaleLevel) -> list[AxisSampling]:
    axes, shape, chunk, size = _axes_of(level)
    stride = _thin_out(shape, size, MAX_COARSE_VOXELS)
    grid = [ceil(n / c) for n, c in zip(shape, chunk, strict=True)]
    step = [1] * len(axes)
    is_small = level.n_voxels * level.dtype.itemsize <= MAX_EXACT_BYTES
    if not is_small or prod(grid) > MAX_EXACT_CHUNKS:
        extent = [c * v for c, v in zip(chunk, size, strict=True)]
        step = _thin_out(grid, extent, MAX_SAMPLED_CHUNKS)
    values = zip(axes, shape, chunk, stride, step, strict=True)
    return [AxisSampling(*row) for row in values]


def _thin_out(counts: Sequence[int], sizes: Sequence[float], at_most: int) -> list[int]:
    """Powers of two that divide counts down, the smallest steps growing first."""
    factors = [1] * len(counts)
    while prod(ceil(n / f) for n, f in zip(counts, factors, strict=True)) > at_most:
        growing = [i for i, n in enumerate(counts) if factors[i] < n]
        axis = min(growing, key=lambda i: sizes[i] * factors[i])
        factors[axis] = min(2 * factors[axis], counts[axis])
    return factors


def _coarse_level(fine: ScaleLevel, sampling: Sequence[AxisSampling]) -> ScaleLevel:
    shape, chunk = list(fine.shape), list(fine.storage_chunk_shape)
    size, shift = list(fine.voxel_size), list(fine.translation)
    for about in sampling:
        a = about.axis
        shape[a], chunk[a] = about.n_coarse, about.coarse_chunk
        shift[a] += about.first * size[a]
        size[a] *= about.stride
    level = replace(
        fine,
        read_factor=_read_factor(fine, sampling),
        path="sampled-" + "x".join(str(s.stride) for s in sampling),
        shape=tuple(shape),
        storage_chunk_shape=tuple(chunk),
        voxel_size=tuple(size),
        translation=tuple(shift),
    )
    planned = choose_chunk_shape(level.shape_zyx, level.storage_chunk_zyx)
    return level.with_chunk_shape(planned)


def _read_factor(fine: ScaleLevel, sampling: Sequence[AxisSampling]) -> float:
    n_read = prod(fine.shape_zyx) / prod(about.step for about in sampling)
    return max(1.0, n_read / prod(about.n_coarse for about in sampling))


def _finding(info: ImageInfo, sampling: Sequence[AxisSampling]) -> Finding:
    fine = info.pyramid.levels[-1]
    strides = " x ".join(str(s.stride) for s in sampling)
    n_chunks = prod(s.step for s in sampling)
    how = f"every voxel out of {strides}"
    if n_chunks > 1:
        how += f" in one storage chunk out of {n_chunks}, replicated in between"
    found = f"a coarsest level of {fine.shape}"
    if info.pyramid.n_levels == 1:
        found = f"one level of {fine.shape}"
    text = (
        f"expected a pyramid down to a small level; found {found}: a preview is sampled"
        f" while reading ({how}); brickfield pyramid {info.uri} DST writes a real one"
    )
    return Finding("info", "no-pyramid", fine.path, text)
