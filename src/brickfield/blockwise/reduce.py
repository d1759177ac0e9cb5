"""Exact statistics and projections of arrays larger than memory.

A partial result of one block merges with that of another, in any grouping, into
the result of both; so blocks can be read by several threads and by several
machines. Nothing depends on a range that runs while blocks arrive: bins of
different ranges cannot be added. Integers of at most 16 bits are counted value
by value; a histogram of anything else takes two passes, one for the range. NaN
is no data and counts nowhere. All of it goes through
:func:`brickfield.blockwise.gathering.gather`: values are merged in block order, so they
do not depend on the number of workers.

:class:`Extrema`, :class:`Histogram` and :class:`Projection` are the values, and
:meth:`Extrema.of`, :func:`count_values` and :meth:`Projection.reduce` the functions
that make them of the voxels of a block. A pass of its own joins several at once:

>>> import numpy as np
>>> from brickfield.blockwise.blocks import BlockGrid
>>> from brickfield.blockwise.executors import InlineExecutor
>>> from brickfield.blockwise.gathering import gather
>>> from brickfield.blockwise.reduce import Extrema, count_values
>>> data = np.arange(24, dtype=np.uint8).reshape(4, 6)
>>> def both(block):
...     voxels = data[block.slices]
...     return Extrema.of(voxels), count_values(voxels)
>>> def join(state, block, value):
...     return (
...         value if state is None else tuple(a.merge(b) for a, b in zip(state, value))
...     )
>>> found = gather(BlockGrid((4, 6), (2, 6)), both, join, None, InlineExecutor())
>>> extrema, histogram = found.require()
>>> extrema.high, int(histogram.counts.sum())
(23, 24)
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise.blocks import Block, BlockGrid, Slices
from brickfield.blockwise.executors import ThreadExecutor
from brickfield.blockwise.gathering import GatherOptions, map_values

AnyArray = NDArray[Any]
Read = Callable[[Slices], AnyArray]
"""Gives the voxels of a region; may be called from any thread."""
T = TypeVar("T")


def map_blocks(
    read: Read, grid: BlockGrid, function: Callable[[AnyArray], T], *, workers: int = 1
) -> Generator[tuple[Block, T], None, None]:
    """Read every block and apply a function, in block order.

    At most ``workers + 1`` results are held at a time.

    Parameters
    ----------
    read : callable
        Region to voxels.
    grid : BlockGrid
    function : callable
        Voxels of one block to a small result.
    workers : int
        Threads.

    Yields
    ------
    Block, result

    Raises
    ------
    ChunkReadError
        When a block cannot be read, naming it.
    """
    executor = ThreadExecutor(workers)
    options = GatherOptions(most_ahead=workers + 1)
    work = map_values(grid, _Applied(read, function), executor, options)
    try:
        yield from work
    finally:
        work.close()
        executor.close()


@dataclass(frozen=True)
class _Applied(Generic[T]):
    """A function of voxels as one of blocks."""

    read: Read
    function: Callable[[AnyArray], T]

    def __call__(self, block: Block) -> T:
        return self.function(self.read(block.slices))


@dataclass(frozen=True, slots=True)
class Extrema:
    """Smallest and largest value, their number and sum.

    Attributes
    ----------
    low, high : int, float or None
        None when there is no value.
    n_values : int
        Values that are not NaN.
    total : int or float
        Their sum: exact for integers of any size, in float64 otherwise.
    """

    low: float | int | None = None
    high: float | int | None = None
    n_values: int = 0
    total: float | int = 0

    @classmethod
    def of(cls, data: AnyArray) -> Extrema:
        """Take one block."""
        if data.dtype.kind == "f":
            data = data[~np.isnan(data)]
        if data.size == 0:
            return cls()
        low, high = data.min().item(), data.max().item()
        return cls(low, high, data.size, _exact_sum(data))

    def merge(self, other: Extrema) -> Extrema:
        """Join two partial results."""
        if self.low is None or self.high is None:
            return other
        if other.low is None or other.high is None:
            return self
        return Extrema(
            min(self.low, other.low),
            max(self.high, other.high),
            self.n_values + other.n_values,
            self.total + other.total,
        )


def _exact_sum(data: AnyArray) -> int | float:
    if data.dtype.kind == "f":
        return float(np.sum(data, dtype=np.float64))
    if data.dtype.itemsize < 8:
        return int(np.sum(data, dtype=np.int64))
    # Halves of 32 bits: a block of 2**31 of them cannot overflow 64 bits.
    high = int(np.sum(data >> np.array(32, data.dtype), dtype=np.int64))
    low = int(np.sum(data & np.array(0xFFFFFFFF, data.dtype), dtype=np.uint64))
    return (high << 32) + low


def extrema(read: Read, grid: BlockGrid, *, workers: int = 1) -> Extrema:
    """Find smallest, largest, number and sum of all values.

    Parameters
    ----------
    read : Read
        Returns the values of a region.
    grid : BlockGrid
        The blocks, which together are the array.
    workers : int
        Threads that read at once.
    """
    result = Extrema()
    for _, part in map_blocks(read, grid, Extrema.of, workers=workers):
        result = result.merge(part)
    return result


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts between edges.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,), float64
        The last bin holds its upper edge. One bin a value, edges half a value
        beside it, for integers of at most 16 bits.
    counts : ndarray, shape (n,), int64
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]

    def merge(self, other: Histogram) -> Histogram:
        """Join two partial results of equal edges."""
        return Histogram(self.edges, self.counts + other.counts)

    def quantile(self, q: float) -> float:
        """Return the centre of the bin that holds the q-th share of the values."""
        running = np.cumsum(self.counts)
        if running[-1] == 0:
            return float("nan")
        i = int(np.searchsorted(running, q * running[-1]))
        # The first bin with a value, where q is 0: empty bins before it are no
        # quantile.
        i = min(max(i, int(np.flatnonzero(self.counts)[0])), len(self.counts) - 1)
        return float(self.edges[i] + self.edges[i + 1]) / 2


def has_exact_counts(dtype: np.dtype[np.generic]) -> bool:
    """Tell whether values of this type are counted one by one."""
    return dtype.kind in "uib" and dtype.itemsize <= 2


def count_values(data: AnyArray) -> Histogram:
    """Count every value of an 8- or 16-bit integer block (256 or 65536 counts)."""
    if data.dtype.kind == "b":
        data = data.view(np.uint8)
    info = np.iinfo(data.dtype)
    n = info.max - info.min + 1
    flat = data.astype(np.intp).ravel() - info.min
    edges = np.arange(info.min, info.max + 2, dtype=np.float64) - 0.5
    return Histogram(edges, np.bincount(flat, minlength=n).astype(np.int64))


@dataclass(frozen=True, slots=True)
class _FixedRange:
    low: int | float
    high: int | float
    bins: int

    def __call__(self, data: AnyArray) -> Histogram:
        if data.dtype.kind == "f":
            data = data[np.isfinite(data)]
            values = np.clip(data.astype(np.float64), self.low, self.high) - self.low
        else:
            # Differences wrap into the unsigned type exactly; floats would round.
            kind = np.dtype(f"u{data.dtype.itemsize}")
            start = np.array(self.low, data.dtype).view(kind)
            values = (data.view(kind) - start).astype(np.float64)
        span = float(self.high - self.low)
        counts, edges = np.histogram(values, self.bins, (0.0, span or 1.0))
        return Histogram(edges + float(self.low), counts.astype(np.int64))


def histogram(
    read: Read, grid: BlockGrid, *, bins: int = 256, workers: int = 1
) -> Histogram:
    """Count the values of an array exactly.

    Parameters
    ----------
    read : callable
        Region to voxels.
    grid : BlockGrid
    bins : int
        Bins between the smallest and the largest value; not used for integers
        of at most 16 bits, whose values are counted one by one in one pass.
    workers : int
        Threads.

    Returns
    -------
    Histogram
        Without NaN and infinite values.
    """
    dtype = _dtype_of(read, grid)
    function: Callable[[AnyArray], Histogram] = count_values
    if not has_exact_counts(dtype):
        # Two passes: bins over a range that is not known yet cannot be added up.
        span = Extrema()
        for _, part in map_blocks(read, grid, _finite_extrema, workers=workers):
            span = span.merge(part)
        low, high = (0, 1) if span.low is None else (span.low, span.high)
        function = _FixedRange(low, low if high is None else high, bins)
    result = function(np.empty(0, dtype))
    for _, counted in map_blocks(read, grid, function, workers=workers):
        result = result.merge(counted)
    return result


def _finite_extrema(data: AnyArray) -> Extrema:
    return Extrema.of(data[np.isfinite(data)] if data.dtype.kind == "f" else data)


def _dtype_of(read: Read, grid: BlockGrid) -> np.dtype[np.generic]:
    return read(tuple(slice(0, min(1, n)) for n in grid.shape)).dtype


class Projection:
    """Maximum or sum along one axis, built from blocks.

    Holds one array without that axis. Maxima keep the type; sums are int64,
    uint64 or float64 and wrap like numpy's when 64 bits do not hold them. Thread
    rule: one thread adds; partial projections of others are merged.

    Parameters
    ----------
    shape : tuple of int
        Of the projected array.
    axis : int
    kind : {"max", "sum"}
    """

    def __init__(
        self, shape: tuple[int, ...], axis: int, kind: Literal["max", "sum"] = "max"
    ) -> None:
        self.axis = axis % len(shape)
        self.kind = kind
        self._shape = (*shape[: self.axis], *shape[self.axis + 1 :])
        self._seen = np.zeros(self._shape, np.bool_)
        self._values: AnyArray | None = None

    @property
    def values(self) -> AnyArray | None:
        """The projection, shape without `axis`; None before the first block."""
        return self._values

    def reduce(self, data: AnyArray) -> AnyArray:
        """Project one block along the axis, without adding it."""
        is_float = data.dtype.kind == "f"
        if self.kind == "max":
            function = np.fmax if is_float else np.maximum
            reduced: AnyArray = function.reduce(data, axis=self.axis)
            return reduced
        if is_float:
            return np.asarray(np.nansum(data, axis=self.axis, dtype=np.float64))
        kind = np.uint64 if data.dtype.kind == "u" else np.int64
        return np.asarray(np.sum(data, axis=self.axis, dtype=kind))

    def add(self, block: Block, tile: AnyArray) -> None:
        """Add a reduced block (see :meth:`reduce`).

        Parameters
        ----------
        block : Block
            Where it is in the array.
        tile : ndarray, shape of the block without `axis`
            The reduced values.
        """
        place = (*block.slices[: self.axis], *block.slices[self.axis + 1 :])
        self._join(place, tile, np.ones(tile.shape, np.bool_))

    def merge(self, other: Projection) -> None:
        """Take in another partial projection of the same array."""
        if other._values is not None:
            place = tuple(slice(0, n) for n in self._shape)
            self._join(place, other._values, other._seen)

    def _join(self, place: Slices, tile: AnyArray, is_new: NDArray[np.bool_]) -> None:
        if self._values is None:
            self._values = np.zeros(self._shape, tile.dtype)
        here, seen = self._values[place], self._seen[place]
        if self.kind == "sum":
            both = np.add(here, tile)
        elif tile.dtype.kind == "f":
            both = np.fmax(here, tile)
        else:
            both = np.maximum(here, tile)
        joined = np.where(is_new & seen, both, np.where(is_new, tile, here))
        self._values[place] = joined
        self._seen[place] |= is_new


def project(
    read: Read,
    grid: BlockGrid,
    axis: int,
    *,
    kind: Literal["max", "sum"] = "max",
    workers: int = 1,
) -> AnyArray:
    """Project an array along one axis.

    Parameters
    ----------
    read : callable
        Region to voxels.
    grid : BlockGrid
    axis : int
    kind : {"max", "sum"}
        Maximum intensity projection, or sum; NaN is ignored.
    workers : int
        Threads.

    Returns
    -------
    ndarray
        Shape of the array without `axis`.
    """
    result = Projection(grid.shape, axis, kind)
    for block, tile in map_blocks(read, grid, result.reduce, workers=workers):
        result.add(block, tile)
    if result.values is None:
        return result.reduce(read(tuple(slice(0, n) for n in grid.shape)))
    return result.values
