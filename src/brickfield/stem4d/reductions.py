"""Images of detectors, and patterns of regions, from one pass over a scan.

Whole numbers are summed exactly (uint64, int64 in the end), floats in float64.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block, ThreadBuffers
from brickfield.errors import OptionError
from brickfield.sources.scans import FrameScan, RowRun, ScanData, Shape4
from brickfield.stem4d.detectors import Detector, Weights
from brickfield.stem4d.passes import PassOptions, scan_pass
from brickfield.stem4d.summing.direct import sum_from_files, summed
from brickfield.stem4d.summing.pieces import Patterns, Pieces, Region
from brickfield.stem4d.summing.sums import BlockSums, column_sums, largest, sum_dtype

PATTERN_KINDS = ("mean", "sum", "max", "min", "variance")
_COUNTED = ThreadBuffers()


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
    _block: Block, patterns: Pieces, weights: Weights, kind: np.dtype[Any]
) -> NDArray[Any]:
    """Sum patterns over pixels, or with weights.

    Parameters
    ----------
    _block : Block
        Not used.
    patterns : Pieces
        Of shape (n_y, n_x, rows, columns).
    weights : ndarray, shape (rows, columns)
        bool, or float64.
    kind : np.dtype
        Data type of the sums.

    Returns
    -------
    ndarray, shape (n y, n x)
    """
    n_y, n_x = patterns.shape[:2]
    is_counted = weights.dtype.kind == "b"
    if is_counted and (direct := sum_from_files(patterns, weights)) is not None:
        return direct.astype(kind, copy=False).reshape(n_y, n_x)
    found = np.zeros(n_y * n_x, kind)
    inner = _box(weights)
    add = _sum_counted if is_counted else _sum_weighted
    for at, piece in patterns:
        found[at] = add(piece[:, *inner], weights[inner], kind)
    return found.reshape(n_y, n_x)


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
    counted = _COUNTED.take(piece.shape, piece.dtype)
    # A product with 0 and 1 is quicker than picking by a mask, and exact for whole
    # numbers; NaN and infinity where nothing counts must not.
    if mask.all():
        np.copyto(counted, piece)
    elif piece.dtype.kind == "f":
        counted[...] = 0
        np.copyto(counted, piece, where=mask)
    else:
        np.multiply(piece, mask.astype(piece.dtype), out=counted)
    lines = column_sums(counted, largest(counted))
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

    def row_runs(self, ys: slice, xs: slice, rows: slice) -> Iterator[RowRun] | None:
        if not isinstance(self.inner, FrameScan):
            return None
        first = self._rows.start
        return self.inner.row_runs(ys, xs, slice(first + rows.start, first + rows.stop))

    def held(self) -> AbstractContextManager[None]:
        held = getattr(self.inner, "held", nullcontext)
        return held()

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
    _block: Block, patterns: Pieces, names: Collection[str]
) -> dict[str, NDArray[Any]]:
    n_y, n_x, h, w = patterns.shape
    sums = BlockSums(names, (n_y * n_x, h, w), patterns.dtype)
    for _ in summed(patterns, sums):
        pass  # each piece has been taken when it comes
    return sums.result()


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
