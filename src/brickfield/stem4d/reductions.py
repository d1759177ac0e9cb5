"""What a block of patterns comes to: sums, extremes, images of detectors.

Patterns are brought into the processor's order piece by piece, in memory that a
thread uses again: a piece stays in the processor's cache while everything that is
asked of it is taken. Whole numbers are summed exactly (uint64, int64 in the end, less
within a block where that is enough); floats in float64.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block, ThreadBuffers
from brickfield.errors import OptionError
from brickfield.sources.scans import FrameScan, ScanData, Shape4
from brickfield.stem4d.detectors import Detector, Weights
from brickfield.stem4d.passes import (
    PassOptions,
    Patterns,
    Region,
    scan_pass,
    sum_dtype,
)

PATTERN_KINDS = ("mean", "sum", "max", "min", "variance")
PIECE_BYTES = 512 << 10
"""Of patterns that are worked on together; with their sums within a core's cache."""
_SMALL_BYTES = 4096
"""Patterns of fewer bytes are summed many at once; others one by one, which is faster."""
_BUFFERS, _COUNTED = ThreadBuffers(), ThreadBuffers()


def native_pieces(patterns: Patterns) -> Iterator[tuple[slice, Patterns]]:
    """Cut patterns into pieces of the processor's byte order, in one piece of memory.

    Parameters
    ----------
    patterns : ndarray, shape (n, rows, columns)

    Yields
    ------
    slice, ndarray
        Which of the patterns, and these; valid until the next is taken.
    """
    native = patterns.dtype.newbyteorder("=")
    each = max(patterns.shape[1] * patterns.shape[2] * native.itemsize, 1)
    step = max(1, PIECE_BYTES // each)
    for start in range(0, len(patterns), step):
        piece = patterns[start : start + step]
        # numpy sums foreign byte order and strided pieces through slower paths; the
        # buffer for the copy is small enough for the processor's cache.
        if piece.dtype != native or not piece.flags.c_contiguous:
            whole = _BUFFERS.take(piece.shape, native)
            np.copyto(whole, piece)
            piece = whole
        yield slice(start, start + len(piece)), piece


def narrow_dtype(dtype: np.dtype[Any], n: int) -> np.dtype[Any]:
    """Return the smallest type that holds the sum of `n` values of a type exactly.

    Parameters
    ----------
    dtype : np.dtype
        Of the values.
    n : int
        Number of values.
    """
    # The sum of 65,536 values of 16 bits fits 32 bits, half the bytes of 64.
    if dtype.kind in "uib" and dtype.itemsize <= 2 and n <= 1 << 16:
        return np.dtype(np.int32 if dtype.kind == "i" else np.uint32)
    return sum_dtype(dtype)


@dataclass
class BlockSums:
    """Sums and extremes of the patterns of one block.

    Attributes
    ----------
    names : collection of str
        What is taken: ``"rows"`` and ``"columns"`` (sums along a detector's rows and
        columns), ``"scan"``, ``"sum"``, ``"squares"``, ``"max"``, ``"min"``.
    found : dict
        By name. ``"rows"``: shape (n, rows); ``"columns"``: (n, columns);
        ``"scan"``: (n,); others: a pattern.
    """

    names: Collection[str]
    found: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, patterns: Patterns, names: Collection[str]) -> BlockSums:
        """Compute all sums and extremes of some patterns.

        Parameters
        ----------
        patterns : ndarray, shape (n, rows, columns)
        names : collection of str
            Which ones.
        """
        n, h, w = patterns.shape
        kind, wide = patterns.dtype.newbyteorder("="), sum_dtype(patterns.dtype)
        squares = np.uint64 if _is_short(kind) else np.float64
        made = {
            "rows": ((n, h), narrow_dtype(kind, w)),
            "columns": ((n, w), narrow_dtype(kind, h)),
            "scan": ((n,), wide),
            "sum": ((h, w), narrow_dtype(kind, n)),
            "squares": ((h, w), np.dtype(squares)),
        }
        found = {k: np.zeros(*v) for k, v in made.items() if k in names}
        sums = cls(names, found)
        for at, piece in native_pieces(patterns):
            sums._add(at, piece)
        if "sum" in found:
            found["sum"] = found["sum"].astype(wide)
        return sums

    def _add(self, at: slice, piece: Patterns) -> None:
        found = self.found
        if "rows" in found or "scan" in found:
            # The sum of a pattern is the sum of its row sums: the voxels are read once.
            rows = piece.sum(axis=2, dtype=narrow_dtype(piece.dtype, piece.shape[2]))
            if "rows" in found:
                found["rows"][at] = rows
            if "scan" in found:
                rows.sum(axis=1, dtype=found["scan"].dtype, out=found["scan"][at])
        if "columns" in found:
            kind = found["columns"].dtype
            piece.sum(axis=1, dtype=kind, out=found["columns"][at])
        if "sum" in found:
            _accumulate(np.add, found["sum"], piece)
        if "squares" in found:
            _add_squares(found["squares"], piece)
        for name, function in (("max", np.maximum), ("min", np.minimum)):
            if name in self.names and name not in found:
                found[name] = piece[0].copy()
            if name in self.names:
                _accumulate(function, found[name], piece)


def _accumulate(function: np.ufunc, total: NDArray[Any], piece: Patterns) -> None:
    """Fold patterns into one of the same or a wider type."""
    # For small patterns the cost of a call outweighs that of the sums.
    if total.nbytes <= _SMALL_BYTES:
        folded = function.reduce(piece, axis=0, dtype=total.dtype)
        function(total, folded, out=total)
        return
    for pattern in piece:
        function(total, pattern, out=total)


def _is_short(dtype: np.dtype[Any]) -> bool:
    return dtype.kind in "ub" and dtype.itemsize <= 2


def _add_squares(total: NDArray[Any], piece: Patterns) -> None:
    """Add the squares of patterns to uint64, exactly, or to float64."""
    # The square of a 16-bit value fits 32 bits.
    wide = np.uint32 if total.dtype == np.uint64 else np.float64
    for pattern in piece:
        numbers = pattern.astype(wide)
        np.multiply(numbers, numbers, out=numbers)
        np.add(total, numbers, out=total)


def virtual_image(
    data: ScanData, detector: Detector, options: PassOptions | None = None
) -> NDArray[Any]:
    """Sum each pattern over a detector.

    Parameters
    ----------
    data : ScanData
    detector : Detector
        Which pixels are summed, and with which weights.
    options : PassOptions, optional

    Returns
    -------
    ndarray, shape (scan y, scan x)
        uint64 or int64 for whole numbers, float64 for floats and weights.
    """
    weights = detector.mask(data.shape[2:])
    kind = np.dtype(np.float64)
    if weights.dtype.kind == "b":
        kind = sum_dtype(data.dtype)
    start = np.zeros(data.shape[:2], kind)
    if not weights.any():
        return start
    rows = _box(weights)[0]
    function = partial(sum_over, weights=weights[rows], kind=kind)
    return scan_pass(_Rows(data, rows), function, _placed, start, options).require()


def sum_over(
    _block: Block, patterns: Patterns, weights: Weights, kind: np.dtype[Any]
) -> NDArray[Any]:
    """Sum patterns over pixels, or with weights.

    Parameters
    ----------
    _block : Block
        Not used.
    patterns : ndarray, shape (n_y, n_x, rows, columns)
    weights : ndarray, shape (rows, columns)
        bool, or float64.
    kind : np.dtype
        Data type of the sums.

    Returns
    -------
    ndarray, shape (n y, n x)
    """
    frames = patterns.reshape(-1, *patterns.shape[2:])
    found = np.zeros(len(frames), kind)
    if weights.any():
        is_counted = weights.dtype.kind == "b"
        add = _sum_counted if is_counted else _sum_weighted
        inner = _box(weights)
        for at, piece in native_pieces(frames[:, *inner]):
            found[at] = add(piece, weights[inner], kind)
    return found.reshape(patterns.shape[:2])


def _box(weights: Weights) -> tuple[slice, slice]:
    """Return the rectangle round the pixels that count; no other is touched."""
    rows, columns = (np.flatnonzero(weights.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _sum_weighted(
    piece: Patterns, weights: Weights, kind: np.dtype[Any]
) -> NDArray[Any]:
    total = np.zeros(len(piece), kind)
    for row in np.flatnonzero(weights.any(axis=1)).tolist():
        total += piece[:, row].astype(kind) @ weights[row]
    return total


def _sum_counted(
    piece: Patterns, mask: NDArray[np.bool_], kind: np.dtype[Any]
) -> NDArray[Any]:
    if not mask.all():
        counted = _COUNTED.take(piece.shape, piece.dtype)
        if piece.dtype.kind == "f":
            # What is no number elsewhere must not count.
            np.copyto(counted, piece)
            counted[:, ~mask] = 0
        else:
            # A product with 0 and 1 is quicker than picking by a mask, and exact for
            # integers.
            np.multiply(piece, mask.astype(piece.dtype), out=counted)
        piece = counted
    lines = piece.sum(axis=2, dtype=narrow_dtype(piece.dtype, piece.shape[2]))
    return np.asarray(lines.sum(axis=1, dtype=kind))


class _Rows:
    """Some rows of the patterns of a scan; no others are read where that is simple."""

    def __init__(self, inner: ScanData, rows: slice) -> None:
        self.inner, self._rows = inner, rows
        ny, nx, _, w = inner.shape
        self.shape: Shape4 = (ny, nx, rows.stop - rows.start, w)
        self.dtype, self.block = inner.dtype, inner.block
        self.stored_frame_bytes = inner.stored_frame_bytes

    def view(self, ys: slice, xs: slice, buffers: ThreadBuffers) -> NDArray[Any]:
        if isinstance(self.inner, FrameScan):
            return self.inner.view_rows(ys, xs, self._rows, buffers)
        return self.inner.view(ys, xs, buffers)[:, :, self._rows]

    def places(self) -> tuple[Path, ...]:
        return self.inner.places()

    def close(self) -> None:
        self.inner.close()


def _placed(image: NDArray[Any], block: Block, part: NDArray[Any]) -> NDArray[Any]:
    image[block.slices] = part
    return image


def pattern_of(
    data: ScanData,
    region: Region | None = None,
    kind: str = "mean",
    options: PassOptions | None = None,
) -> NDArray[Any]:
    """Reduce the patterns of a region of the scan to one.

    Parameters
    ----------
    data : ScanData
    region : tuple of slice, optional
        Scan rows and columns; all if None.
    kind : {"mean", "sum", "max", "min", "variance"}
    options : PassOptions, optional

    Returns
    -------
    ndarray, shape (detector y, detector x)
        Mean and variance float64, sums as :func:`virtual_image`, max and min as
        stored.

    Raises
    ------
    OptionError
        If the kind is not known.
    """
    if kind not in PATTERN_KINDS:
        msg = (
            f"expected a pattern of the kind {', '.join(PATTERN_KINDS)}; found {kind!r}"
        )
        raise OptionError(msg)
    ys, xs = region or (slice(0, data.shape[0]), slice(0, data.shape[1]))
    n = (ys.stop - ys.start) * (xs.stop - xs.start)
    names = {"mean": ("sum",), "variance": ("sum", "squares")}.get(kind, (kind,))
    start: dict[str, Any] = {}
    found = scan_pass(
        data, partial(_block_sums, names=names), _folded, start, options, (ys, xs)
    ).require()
    if kind in found:
        return np.asarray(found[kind])
    mean: NDArray[np.float64] = found["sum"] / n
    if kind == "mean":
        return mean
    # Rounding can give a tiny negative variance where all values are equal.
    return np.asarray(np.maximum(found["squares"] / n - mean * mean, 0))


def _block_sums(
    _block: Block, patterns: Patterns, names: Collection[str]
) -> dict[str, NDArray[Any]]:
    return BlockSums.of(patterns.reshape(-1, *patterns.shape[2:]), names).found


def _folded(
    state: dict[str, Any], _block: Block, found: dict[str, Any]
) -> dict[str, Any]:
    for name, part in found.items():
        state[name] = fold(name, state[name], part) if name in state else part
    return state


def fold(name: str, old: NDArray[Any], part: NDArray[Any]) -> NDArray[Any]:
    """Combine sums, or extremes, of two blocks of the same shape; the first is changed.

    Parameters
    ----------
    name : str
        Which sum or extreme.
    old : ndarray, any shape
    part : ndarray, same shape
    """
    functions = {"max": np.maximum, "min": np.minimum}
    function: Any = functions.get(name, np.add)
    return np.asarray(function(old, part, out=old))
