"""How often values occur: counted exactly, and drawn.

A bin of whole numbers holds equally many of them as every other, so that no comb
appears that is not in the data: one value per bin where there are few, else a whole
number of values. NaN and infinite values are counted apart and never change the
range. Counts of what is loaded are honest about how much that is
(:attr:`Histogram.share`). Nothing here reads; see
:mod:`brickfield.viewer.controls.histogram_jobs`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.store import contrast_of

MOST_SINGLE = 1024
"""Most different integers for which each has a bin of its own."""
USUAL_BINS = 256
USUAL_PERCENT = (0.1, 99.9)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Counts between edges.

    Attributes
    ----------
    edges : ndarray, shape (n + 1,), float64
        Ascending. A bin holds its lower edge, the last one its upper edge too.
    counts : ndarray, shape (n,), int64
    low, high : float
        Least and largest value.
    is_whole : bool
        Whether values are whole numbers; edges then lie half a value beside them.
    n_nan, n_infinite : int
        Values that are in no bin.
    share : float
        Part of the voxels that was looked at, 0 to 1.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    low: float = 0.0
    high: float = 1.0
    is_whole: bool = False
    n_nan: int = 0
    n_infinite: int = 0
    share: float = 1.0

    @property
    def n_values(self) -> int:
        """Finite values."""
        return int(self.counts.sum())

    @classmethod
    def empty(
        cls, n_nan: int = 0, n_infinite: int = 0, share: float = 1.0
    ) -> Histogram:
        """Return the histogram of no values.

        Parameters
        ----------
        n_nan : int
            Values that are not a number.
        n_infinite : int
            Infinite values.
        share : float
            Of all voxels that were looked at, 0 to 1.
        """
        edges, counts = np.array([0.0, 1.0]), np.zeros(1, np.int64)
        return cls(edges, counts, n_nan=n_nan, n_infinite=n_infinite, share=share)


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal bins, to be filled block by block.

    Attributes
    ----------
    low : int or float
        Lower edge; for whole numbers the first value itself.
    width : int or float
        Values or units a bin.
    n : int
    is_whole : bool
    """

    low: float
    width: float
    n: int
    is_whole: bool

    @classmethod
    def over(cls, low: float, high: float, *, bins: int = USUAL_BINS) -> Bins:
        """Choose bins for values from `low` to `high`; of whole width if both are int.

        Parameters
        ----------
        low, high : float
        bins : int
            For floats, and for more different integers than there are single bins.

        Raises
        ------
        OptionError
            If there is no bin.
        """
        if bins < 1:
            msg = f"expected one bin or more; found {bins}"
            raise OptionError(msg)
        if isinstance(low, int) and isinstance(high, int):
            n_values = high - low + 1
            width = 1 if n_values <= MOST_SINGLE else -(-n_values // bins)
            return cls(low, width, -(-n_values // width), is_whole=True)
        # In halves, for the span of all floats is no float.
        unit = (high / 2 - low / 2) / bins * 2
        if not unit > 0 or low + unit == low:
            unit = max(abs(low), 1.0) / bins
            low -= unit * bins / 2
        return cls(low, unit, bins, is_whole=False)

    @property
    def edges(self) -> NDArray[np.float64]:
        """Edges, shape (n + 1,)."""
        steps = np.arange(self.n + 1, dtype=np.float64)
        start = float(self.low) - 0.5 * self.is_whole
        # In halves, as above; multiplying by two is exact.
        most = np.finfo(np.float64).max / 2
        halves = np.clip(start / 2 + steps * (float(self.width) / 2), -most, most)
        edges: NDArray[np.float64] = halves * 2
        return edges

    def filled(
        self, counts: NDArray[np.int64], low: float, high: float, **rest: Any
    ) -> Histogram:
        """Return the histogram of counts.

        Parameters
        ----------
        counts : ndarray, shape (n,), int64
        low : float
            Smallest value.
        high : float
            Largest value.
        **rest
        """
        return Histogram(
            self.edges, counts, float(low), float(high), self.is_whole, **rest
        )

    def count(self, values: NDArray[np.generic]) -> NDArray[np.int64]:
        """Count finite values within the bins, shape (n,)."""
        if self.n == 1:
            # Its width may be more than the type holds.
            return np.array([values.size], np.int64)
        if self.is_whole:
            # Differences wrap into the unsigned type exactly; floats would round.
            kind = np.dtype(f"u{values.dtype.itemsize}")
            start = np.array(self.low, values.dtype).view(kind)
            places = (values.view(kind) - start) // np.array(self.width, kind)
        else:
            v = values.astype(np.float64)
            places = np.clip((v / 2 - self.low / 2) / (self.width / 2), 0, self.n - 1)
        counts = np.bincount(places.astype(np.intp).ravel(), minlength=self.n)
        return counts.astype(np.int64)


def plain(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return values that can be counted: shape (n,), no bool, no complex numbers."""
    values = np.ascontiguousarray(values).ravel()
    if values.dtype.kind == "b":
        return values.view(np.uint8)
    if values.dtype.kind == "c":
        return np.asarray(np.abs(values))
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def histogram_of(
    values: NDArray[np.generic], *, bins: int = USUAL_BINS, share: float = 1.0
) -> Histogram:
    """Count values in memory, any shape.

    Parameters
    ----------
    values : ndarray
        Numbers of any type; of complex ones the absolute value.
    bins : int
        For floats and for more than 1024 different whole numbers.
    share : float
        What part of all voxels these are.
    """
    flat = plain(values)
    n_nan = n_infinite = 0
    if flat.dtype.kind == "f":
        n_nan = int(np.isnan(flat).sum())
        finite = flat[np.isfinite(flat)]
        n_infinite = flat.size - finite.size - n_nan
        flat = finite
    if not flat.size:
        return Histogram.empty(n_nan, n_infinite, share)
    low, high = flat.min().item(), flat.max().item()
    spread = Bins.over(low, high, bins=bins)
    return spread.filled(
        spread.count(flat), low, high, n_nan=n_nan, n_infinite=n_infinite, share=share
    )


def percentiles(
    histogram: Histogram, low: float = 0.1, high: float = 99.9
) -> tuple[float, float]:
    """Return the values at two percentiles.

    Exact where a bin holds one value; within a wider bin counted along its width.
    (nan, nan) without values.

    Parameters
    ----------
    histogram : Histogram
    low : float
        Percent of the values that lie below the first result.
    high : float
        Percent of the values that lie below the second result.
    """
    running = np.cumsum(histogram.counts)
    total = int(running[-1])
    if not total:
        return float("nan"), float("nan")
    found = []
    for percent in (low, high):
        rank = min(max(percent / 100, 0.0), 1.0) * (total - 1)
        i = int(np.searchsorted(running, rank, side="right"))
        before = int(running[i - 1]) if i else 0
        left, right = histogram.edges[i : i + 2]
        inside = (rank - before + 0.5) / int(histogram.counts[i])
        value = float(left + (right - left) * min(inside, 1.0))
        value = float(round(value - 1e-9)) if histogram.is_whole else value
        found.append(min(max(value, histogram.low), histogram.high))
    return found[0], found[1]


def auto_contrast(
    of: Histogram | NDArray[np.generic], percent: tuple[float, float] = USUAL_PERCENT
) -> tuple[float, float]:
    """Choose contrast limits, low below high, for a histogram or values of any shape.

    Parameters
    ----------
    of : Histogram or ndarray
    percent : tuple of float
        Percentiles that become the first and the last colour. Where these are
        equal (nearly all voxels have one value), the whole range is taken, and
        for one value alone the range from zero to it.
    """
    if not isinstance(of, Histogram):
        return contrast_of(of, (percent[0] / 100, percent[1] / 100))
    if not of.n_values:
        return 0.0, 1.0
    low, high = percentiles(of, *percent)
    if not low < high:
        low, high = of.low, of.high
    if not low < high:
        low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if low < high else (low, low + 1.0)


def columns(
    histogram: Histogram, low: float, high: float, n: int
) -> NDArray[np.float64]:
    """Spread counts over the columns of a picture.

    Parameters
    ----------
    histogram : Histogram
    low, high : float
        Values at the left edge of the first and the right edge of the last column.
    n : int
        Number of columns.

    Returns
    -------
    ndarray, shape (n,), float64
        Counts; a bin that reaches over several columns is shared out among them,
        so that nothing is counted twice.
    """
    running = np.concatenate([[0.0], np.cumsum(histogram.counts, dtype=np.float64)])
    at = np.interp(np.linspace(low, high, n + 1), histogram.edges, running)
    return np.diff(at)


def heights(
    counts: NDArray[np.generic], *, is_logarithmic: bool = True
) -> NDArray[np.float64]:
    """Return heights from 0 to 1 for drawing; a single voxel can still be seen.

    With a logarithm the tallest is 1 and every tenth part as much is the same step
    lower; else heights are counts.

    Parameters
    ----------
    counts : ndarray, any shape
    is_logarithmic : bool
        Heights grow with the logarithm.

    Returns
    -------
    ndarray, same shape
    """
    values = np.asarray(counts, dtype=np.float64)
    if is_logarithmic:
        values = np.log1p(values)
    top = float(values.max(initial=0.0))
    return values / top if top > 0 else values
