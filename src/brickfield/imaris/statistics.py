"""Histograms of one level of a time point and channel, by the reference's rules.

8 bit: 256 counts, from 0 to 255. 16 bit: every value is counted in one pass; the range
is from 0 to the largest value, but at least to 256, and value v of n + 1 possible ones
falls into bin v·1024 // (n + 1). 32 bit and float: the range is that of the values,
known after the first pass; a second pass over the chunks that were written counts into
1024 bins of equal width, the last one with its upper edge. 256 bins are the sums of
neighbours. Padding is never counted, nor NaN and infinity.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers

AnyArray = NDArray[Any]
Counts = NDArray[np.uint64]
FINE = 1024
COARSE = 256
LEAST_MAX = 256
"""Of a 16-bit range."""
_PROBE = 1021
_PIECE = 1 << 18
"""Values counted at a time: they are widened to 8 bytes each on the way."""


@dataclass(frozen=True, slots=True)
class ImarisHistogram:
    """Counts as they are stored.

    Attributes
    ----------
    span : (float, float)
        ``HistogramMin`` and ``HistogramMax``.
    counts : ndarray, uint64
    """

    span: tuple[float, float]
    counts: Counts


class LevelStatistics:
    """What is counted of one level. Methods may be called from any thread.

    Parameters
    ----------
    dtype : numpy.dtype
        uint8, uint16, uint32 or float32.
    """

    def __init__(self, dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._lock = threading.Lock()
        n = {1: 256, 2: 1 << 16}.get(dtype.itemsize, FINE)
        self._counts = np.zeros(n, np.uint64)
        self._tables = ThreadBuffers()
        self._low: float | None = None
        self._high: float | None = None

    @property
    def is_exact(self) -> bool:
        """Whether one pass is enough, since every value has a count of its own."""
        return self.dtype.itemsize < 4

    @property
    def span(self) -> tuple[float, float]:
        """Smallest and largest value; 0 and 0 when there is none."""
        if self.is_exact:
            there = np.flatnonzero(self._counts)
            return (float(there[0]), float(there[-1])) if there.size else (0.0, 0.0)
        return (self._low or 0.0, self._high or 0.0)

    def add(self, data: AnyArray, loops: Any = None) -> None:
        """Take in a block: count it, or widen the range by it.

        Parameters
        ----------
        data : ndarray
        loops : module, optional
            :mod:`~brickfield.imaris.voxel_loops`, to count with.
        """
        if self.is_exact:
            found = self._counted(data.reshape(-1), loops)
            with self._lock:
                self._counts[: len(found)] += found
            return
        values = _finite(data)
        if values.size:
            low, high = float(values.min()), float(values.max())
            with self._lock:
                self._low = low if self._low is None else min(low, self._low)
                self._high = high if self._high is None else max(high, self._high)

    def _counted(self, flat: AnyArray, loops: Any) -> Counts:
        if loops is not None:
            tables = self._tables.take((loops.N_TABLES, len(self._counts)), np.uint32)
            tables[...] = 0
            loops.count(flat, tables)
            return np.asarray(tables.sum(axis=0, dtype=np.uint64))
        found = np.zeros(0, np.uint64)
        for start in range(0, flat.size, _PIECE):
            piece = flat[start : start + _PIECE]
            # Only as far as the largest value: most images use few of all values.
            if _is_constant(piece):
                n = int(piece[0]) + 1
                counts = np.zeros(max(n, len(found)), np.uint64)
                counts[n - 1] = piece.size
            else:
                counts = np.bincount(piece, minlength=len(found)).astype(np.uint64)
            counts[: len(found)] += found
            found = counts
        return found

    def count(self, data: AnyArray) -> None:
        """Take a block in a second time, now that the range is known."""
        low, high = self.span
        values = _finite(data).astype(np.float64)
        # Of one value alone: a width that 1024 bins can be told apart in.
        top = high if high > low else low + max(1.0, abs(low))
        found = np.histogram(values, FINE, (low, top))[0].astype(np.uint64)
        with self._lock:
            self._counts += found

    def histograms(self) -> dict[str, ImarisHistogram]:
        """Return what is stored: the suffix of the name to the histogram."""
        if self.dtype.itemsize == 1:
            return {"": ImarisHistogram((0.0, 255.0), self._counts)}
        if self.dtype.itemsize == 2:
            there = np.flatnonzero(self._counts)
            top = max(int(there[-1]) if there.size else 0, LEAST_MAX)
            counts = self._counts[: top + 1]
            fine = resampled(counts, FINE) if len(counts) > FINE else counts
            span = (0.0, float(top))
        else:
            fine, span = self._counts, self.span
        return {
            "": ImarisHistogram(span, resampled(fine, COARSE)),
            "1024": ImarisHistogram(span, fine),
        }

    def quantiles(self, low: float, high: float) -> tuple[float, float]:
        """Return the values below which given shares of all values lie.

        Parameters
        ----------
        low : float
            Share, 0 to 1.
        high : float
            Share, 0 to 1.
        """
        running = np.cumsum(self._counts)
        if not running[-1]:
            return self.span
        first, last = self.span
        edges = [np.searchsorted(running, q * float(running[-1])) for q in (low, high)]
        if self.is_exact:
            return (float(edges[0]), float(edges[1]))
        step = (last - first) / FINE
        return (first + float(edges[0]) * step, first + (float(edges[1]) + 1) * step)


def resampled(counts: Counts, n_bins: int) -> Counts:
    """Sum counts into fewer bins: number i of n goes to i·bins // n.

    Parameters
    ----------
    counts : ndarray, shape (n,), uint64
    n_bins : int
        Of the result.
    """
    target = np.arange(len(counts), dtype=np.int64) * n_bins // len(counts)
    found: Counts = np.zeros(n_bins, np.uint64)
    np.add.at(found, target, counts)
    return found


def _finite(data: AnyArray) -> AnyArray:
    if data.dtype.kind != "f":
        return data
    keep = np.isfinite(data)
    return data if keep.all() else data[keep]


def _is_constant(values: AnyArray) -> bool:
    """Whether all values are the same, as where nothing was recorded.

    numpy takes five times as long as usual to count those, each increment waiting for
    the one before, and holds the interpreter's lock meanwhile.
    """
    # A few values tell nearly always that they differ.
    return not (values[::_PROBE] != values[0]).any() and values.min() == values.max()
