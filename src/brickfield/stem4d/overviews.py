"""All overviews of a scan from one pass over its patterns.

What can share work does: patterns are brought into the processor's order once, sums
over detector columns and rows are taken once, and the scan's image and the centre of
mass come from these. Whole numbers are summed exactly. The memory taken is that of
the pass, and of what is asked for: an item with an axis of the detector beside those
of the scan may be written elsewhere as it is computed (`sinks`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import (
    Block,
    Histogram,
    Slices,
    count_values,
    has_exact_counts,
)
from brickfield.errors import OptionError
from brickfield.sources.scans import ScanData, Shape4
from brickfield.stem4d.detectors import Detector
from brickfield.stem4d.passes import PassOptions, scan_pass
from brickfield.stem4d.reductions import fold
from brickfield.stem4d.summing.direct import summed
from brickfield.stem4d.summing.pieces import Patterns, Pieces, native
from brickfield.stem4d.summing.sums import BlockSums, sum_dtype

PATTERNS = ("sum", "mean", "max", "min", "variance")
"""Items of shape (detector y, detector x)."""
PLACED = ("scan", "sum_over_both", "sum_over_x", "sum_over_y", "com", "binned")
"""Items with the scan's axes, of which every block gives its part."""
DERIVED = ("statistics", "histogram", "profile")
ITEMS = (*PLACED, *PATTERNS, *DERIVED)
COMMON = ("scan", "sum", "mean", "max", "min", "variance", "com", *DERIVED)
"""What one pass gives without further memory to speak of."""
BESIDE = ("scan", "sum", "mean", "max", "min", "com", "histogram", "profile")
"""What one pass gives beside others, for little further time or memory."""
MOST_COUNTED = 4096
"""Patterns that a histogram counts, spread evenly over the scan."""
MOST_VALUES = 1 << 25
"""And values, as far as 64 patterns hold no more."""
_PARTS = {
    **{name: {name} for name in ("scan", "sum", "max", "min")},
    "squares": {"variance"},
    "rows": {"com", "sum_over_x"},
    "columns": {"com", "sum_over_y"},
}
"""What is taken of a block to the items that need it."""
_TOP_BIT = 1 << 15
_FIRST_KEY, _LAST_KEY = 0x80, 0xFF7F
"""Of finite floats, by their first 16 bits."""


class Sink(Protocol):
    """Takes the parts of a large item; called on one thread."""

    def write(self, slices: Slices, part: NDArray[Any]) -> None:
        """Write a part of an overview.

        Parameters
        ----------
        slices : Slices
            Rows and columns of the scan.
        part : ndarray, shape (n_y, n_x, …)
        """
        ...


@dataclass(frozen=True, slots=True)
class OverviewOptions:
    """What is computed, and how.

    Attributes
    ----------
    items : tuple of str
        Out of :data:`ITEMS`.
    n_binned : int
        Detector pixels, along each axis, that one of ``"binned"`` sums.
    centre : tuple of float or None
        Row and column of the azimuthal profile; the centre of mass of the mean
        pattern if None.
    """

    items: tuple[str, ...] = COMMON
    n_binned: int = 8
    centre: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        unknown = [i for i in self.items if i not in ITEMS]
        if unknown or not self.items:
            msg = f"expected overviews out of {', '.join(ITEMS)}; found {self.items}"
            raise OptionError(msg)
        if self.n_binned < 1:
            msg = f"expected to bin 1 pixel or more; found {self.n_binned}"
            raise OptionError(msg)


@dataclass(frozen=True)
class _Wanted:
    """What a block has to give; derived from the items, picklable."""

    shape: Shape4
    sums: np.dtype[Any]
    n_binned: int
    every: int
    names: frozenset[str]

    @classmethod
    def of(cls, data: ScanData, options: OverviewOptions) -> _Wanted:
        items = set(options.items)
        if "statistics" in items:
            # What an item is made from is computed with it, in the same pass.
            items |= {"sum", "max", "min", "variance"}
        if items & {"mean", "variance", "profile"}:
            items.add("sum")
        if "sum_over_both" in items:
            items.add("scan")
        n = data.shape[0] * data.shape[1]
        pixels = data.shape[2] * data.shape[3]
        counted = min(MOST_COUNTED, max(64, MOST_VALUES // pixels))
        every = max(1, -(-n // counted))
        kept = items - {"mean", "profile", "statistics", "sum_over_both"}
        kind = sum_dtype(data.dtype)
        return cls(data.shape, kind, options.n_binned, every, frozenset(kept))

    def __call__(self, block: Block, patterns: Pieces) -> dict[str, Any]:
        """Reduce the patterns of one block; shape (n y, n x, rows, columns)."""
        names = self.names
        n_y, n_x, h, w = patterns.shape
        taken = {part for part, items in _PARTS.items() if names & items}
        sums = BlockSums(taken, (n_y * n_x, h, w), patterns.dtype)
        counted = _Counted(self._chosen(block) if "histogram" in names else None)
        binned = []
        # Everything is taken of a piece while it is in the processor's cache.
        for at, piece in summed(patterns, sums):
            counted.add(at, piece)
            if "binned" in names:
                binned.append(bin_pixels(native(piece), self.n_binned))
        found = self._named(sums.result(), (n_y, n_x))
        if binned:
            joined = np.concatenate(binned)
            found["binned"] = joined.reshape(n_y, n_x, *joined.shape[1:])
        if "histogram" in names:
            found["histogram"] = counted.found
        return found

    def _named(
        self, sums: Mapping[str, NDArray[Any]], shape: tuple[int, int]
    ) -> dict[str, Any]:
        """Return what the sums of a block come to, by the names of items."""
        names = self.names
        found: dict[str, Any] = {n: v for n, v in sums.items() if n in PATTERNS}
        if "scan" in names:
            found["scan"] = sums["scan"].reshape(shape)
        if "variance" in names:
            found["variance"] = sums["squares"]
        for name, axis in (("sum_over_x", "rows"), ("sum_over_y", "columns")):
            if name in names:
                found[name] = sums[axis].reshape(*shape, -1).astype(self.sums)
        if "com" in names:
            centre = centre_of_sums(sums["rows"], sums["columns"])
            found["com"] = centre.reshape(2, *shape)
        return found

    def _chosen(self, block: Block) -> NDArray[np.bool_]:
        ys, xs = np.ogrid[block.slices]
        # Chosen by position in the scan, so blocks of any size count the same patterns.
        chosen: NDArray[np.bool_] = (ys * self.shape[1] + xs) % self.every == 0
        return chosen.ravel()


class _Counted:
    """The contrast of chosen patterns of a block; of none if `chosen` is None."""

    def __init__(self, chosen: NDArray[np.bool_] | None) -> None:
        self._chosen = chosen
        self.found: Histogram | None = None

    def add(self, at: slice, piece: Patterns) -> None:
        if self._chosen is None or not self._chosen[at].any():
            return
        chosen = self._chosen[at]
        new = count_contrast(native(piece[chosen]))
        self.found = new if self.found is None else self.found.merge(new)


class OverviewComputer:
    """Computes overviews of a scan, as many as are asked for in one pass.

    Parameters
    ----------
    data : ScanData
    options : PassOptions, optional
        Budget, threads, progress, cancel and preview of the pass.
    """

    def __init__(self, data: ScanData, options: PassOptions | None = None) -> None:
        self.data = data
        self.options = options or PassOptions()

    def compute(
        self,
        wanted: OverviewOptions | None = None,
        sinks: Mapping[str, Sink] | None = None,
    ) -> dict[str, Any]:
        """Go over all patterns once.

        Parameters
        ----------
        wanted : OverviewOptions, optional
        sinks : mapping, optional
            From names out of :data:`PLACED` to sinks of their parts; they are not held
            in memory, and not returned.

        Returns
        -------
        dict
            Items by name. ``"scan"`` and ``"sum_over_both"``: shape (scan y, scan
            x), exact sums. ``"sum_over_x"``, ``"sum_over_y"``: (scan y, scan x,
            rows or columns). ``"com"``: (2, scan y, scan x) float64, rows and
            columns, pixels; NaN where a pattern sums to 0. ``"binned"``: (scan y,
            scan x, rows, columns), squares of pixels summed. ``"sum"``, ``"max"``,
            ``"min"``: a pattern; ``"mean"``, ``"variance"``: float64.
            ``"statistics"``: dict of min, max, mean, std, sum and n.
            ``"histogram"``: :class:`~brickfield.blockwise.reduce.Histogram`.
            ``"profile"``: mean over each ring one pixel wide, shape (n,).

        Raises
        ------
        ChunkReadError
            If patterns cannot be read, or the pass was cancelled.
        """
        wanted = wanted or OverviewOptions()
        task = _Wanted.of(self.data, wanted)
        state = _State(self.data, task, dict(sinks or {}))
        preview = self.options.preview
        how = self.options
        if preview is not None:
            shown = preview
            # The preview sees finished overviews, not the sums that they come from.
            how = replace(how, preview=lambda s: shown(s.finished(wanted)))
        scan_pass(self.data, task, _State.merge, state, how).require()
        return state.finished(wanted)


@dataclass
class _State:
    """What blocks gave so far; on the calling thread alone."""

    data: ScanData
    task: _Wanted
    sinks: dict[str, Sink]
    arrays: dict[str, Any] = field(default_factory=dict)
    n_seen: int = 0

    @staticmethod
    def merge(state: _State, block: Block, parts: dict[str, Any]) -> _State:
        state.n_seen += block.n_voxels
        for name, part in parts.items():
            if name in state.sinks:
                state.sinks[name].write(block.slices, part)
            elif name in PLACED:
                state._place(name, block, part)
            elif part is not None:
                old = state.arrays.get(name)
                state.arrays[name] = part if old is None else _joined(name, old, part)
        return state

    def _place(self, name: str, block: Block, part: NDArray[Any]) -> None:
        lead = (slice(None),) if name == "com" else ()
        if name not in self.arrays:
            ny, nx = self.data.shape[:2]
            shape = (2, ny, nx) if name == "com" else (ny, nx, *part.shape[2:])
            self.arrays[name] = np.zeros(shape, part.dtype)
        self.arrays[name][*lead, *block.slices] = part

    def finished(self, wanted: OverviewOptions) -> dict[str, Any]:
        """Return the items that were asked for, of the positions seen so far."""
        found = dict(self.arrays)
        n = max(self.n_seen, 1)
        if "scan" in found:
            found["sum_over_both"] = found["scan"]
        if "sum" in found:
            found["mean"] = found["sum"] / n
        if "variance" in found:
            mean = found["mean"]
            found["variance"] = np.maximum(found["variance"] / n - mean * mean, 0)
        if "statistics" in wanted.items:
            found["statistics"] = _statistics(found)
        if "profile" in wanted.items:
            found["profile"] = azimuthal_profile(found["mean"], wanted.centre)
        return {name: found[name] for name in wanted.items if name in found}


def _joined(name: str, old: Any, part: Any) -> Any:
    if name == "histogram":
        return old.merge(part)
    return fold(name, old, part)


def _statistics(found: Mapping[str, Any]) -> dict[str, float]:
    mean = float(found["mean"].mean())
    # The spread within pixels, and that between them.
    spread = float(found["variance"].mean() + found["mean"].var())
    return {
        "min": found["min"].min().item(),
        "max": found["max"].max().item(),
        "mean": mean,
        "std": float(np.sqrt(spread)),
        "sum": found["sum"].sum().item(),
    }


def bin_pixels(patterns: Patterns, n: int) -> NDArray[Any]:
    """Sum squares of n × n pixels; those at the far edges may be of fewer pixels.

    Parameters
    ----------
    patterns : ndarray, shape (…, rows, columns)
    n : int

    Returns
    -------
    ndarray, shape (…, ceil(rows / n), ceil(columns / n))
        float32 for floats, uint32 for unsigned types of at most 16 bits, else the
        type in which sums are exact.
    """
    kind = binned_dtype(patterns.dtype)
    return _every(_every(patterns, n, -2, kind), n, -1, kind)


def _every(
    values: NDArray[Any], n: int, axis: int, kind: np.dtype[Any]
) -> NDArray[Any]:
    """Sum n values that follow one another; whole rows at a time, which is fast."""
    moved = np.moveaxis(values, axis, 0)
    total = moved[::n].astype(kind)
    for first in range(1, min(n, len(moved))):
        part = moved[first::n]
        np.add(total[: len(part)], part, out=total[: len(part)])
    return np.moveaxis(total, 0, axis)


class BinnedScan:
    """A scan with detector pixels summed in squares, all of it in memory.

    Small enough for an image of any detector within a frame of the screen.

    Parameters
    ----------
    values : ndarray, shape (scan y, scan x, rows, columns)
        As :func:`bin_pixels` returns it.
    n : int
        Pixels that were summed along each axis.
    shape : tuple of int
        Rows and columns of whole patterns.
    """

    MOST_BYTES = 64 << 20

    def __init__(self, values: NDArray[Any], n: int, shape: tuple[int, int]) -> None:
        self.n, self._shape = n, shape
        self._lead = values.shape[:2]
        flat = values.reshape(values.shape[0] * values.shape[1], -1)
        self._values = np.asarray(flat, np.float32)
        self._counts = bin_pixels(np.ones(shape, np.float32), n)

    @classmethod
    def n_for(cls, shape: Shape4) -> int | None:
        """Return how many pixels to sum so that a scan fits; None if none are enough."""
        ny, nx, h, w = shape
        for n in (2, 4, 8, 16, 32, 64):
            if ny * nx * -(-h // n) * -(-w // n) * 4 <= cls.MOST_BYTES:
                return n
        return None

    def virtual(self, detector: Detector) -> NDArray[np.float32]:
        """Return about the image of a detector, shape (scan y, scan x).

        A square counts by the mean of the weights of its pixels.
        """
        weights = detector.mask(self._shape).astype(np.float32)
        means = bin_pixels(weights, self.n) / self._counts
        return np.asarray(self._values @ means.ravel()).reshape(self._lead)


def binned_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type that :func:`bin_pixels` gives."""
    if dtype.kind == "f":
        return np.dtype(np.float32)
    if dtype.kind in "ub" and dtype.itemsize <= 2:
        return np.dtype(np.uint32)
    return sum_dtype(dtype)


def centre_of_sums(rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.float64]:
    """Return centres of mass from sums over columns and over rows.

    Parameters
    ----------
    rows : ndarray, shape (n y, n x, detector rows)
    columns : ndarray, shape (n y, n x, detector columns)

    Returns
    -------
    ndarray, shape (2, n y, n x)
        Row and column, pixels; NaN where a pattern sums to 0.
    """
    mass = rows.sum(axis=-1, dtype=np.float64)
    # Not as a matrix product: its threads would wait for those of the pass.
    moments = np.stack(
        [
            np.einsum("...i,i->...", s, np.arange(s.shape[-1]), dtype=np.float64)
            for s in (rows, columns)
        ]
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        centre: NDArray[np.float64] = np.where(mass == 0, np.nan, moments / mass)
    return centre


def count_contrast(values: NDArray[Any]) -> Histogram:
    """Count values, any shape, in bins that do not depend on their range.

    Whole numbers of at most 16 bits are counted one by one. Bins of others are the
    values that begin with the same 16 bits as a float32: 1 % wide or less, from the
    smallest to the largest number.
    """
    if has_exact_counts(values.dtype):
        return count_values(values)
    numbers = values.astype(np.float32).ravel()
    words = numbers[np.isfinite(numbers)].view(np.uint32) >> 16
    is_negative = words >= _TOP_BIT
    # Numbers that rise with the value: the bits of negative floats fall.
    keys = np.where(is_negative, 0xFFFF - words, words + _TOP_BIT).astype(np.intp)
    counts = np.bincount(keys, minlength=1 << 16)[_FIRST_KEY : _LAST_KEY + 1]
    return Histogram(_float_edges(), counts.astype(np.int64))


def _float_edges() -> NDArray[np.float64]:
    keys = np.arange(_FIRST_KEY, _LAST_KEY + 1, dtype=np.int64)
    is_negative = keys < _TOP_BIT
    words = np.where(is_negative, 0xFFFF - keys, keys - _TOP_BIT)
    bits = (words << 16 | np.where(is_negative, 0xFFFF, 0)).astype(np.uint32)
    most = np.finfo(np.float32).max
    return np.append(bits.view(np.float32), most).astype(np.float64)


def azimuthal_profile(
    pattern: NDArray[Any], centre: Sequence[float] | None = None
) -> NDArray[np.float64]:
    """Return the mean of a pattern over rings of one pixel's width.

    Parameters
    ----------
    pattern : ndarray, shape (rows, columns)
    centre : sequence of float, optional
        Row and column; the pattern's centre of mass if not given.

    Returns
    -------
    ndarray, shape (n,)
        Item r holds pixels at distances from r - 0.5 up to r + 0.5; NaN where a
        ring holds none.
    """
    numbers = pattern.astype(np.float64)
    rows, columns = numbers.shape
    if centre is None:
        found = centre_of_sums(
            numbers.sum(axis=1)[None, None], numbers.sum(axis=0)[None, None]
        )[:, 0, 0]
        middle = ((rows - 1) / 2, (columns - 1) / 2)
        centre = middle if np.isnan(found).any() else (found[0], found[1])
    y, x = np.ogrid[:rows, :columns]
    radius = np.hypot(y - centre[0], x - centre[1])
    ring = np.floor(radius + 0.5).astype(np.intp).ravel()
    n = np.bincount(ring)
    total = np.bincount(ring, numbers.ravel())
    with np.errstate(invalid="ignore"):
        profile: NDArray[np.float64] = np.where(
            n == 0, np.nan, total / np.maximum(n, 1)
        )
    return profile
