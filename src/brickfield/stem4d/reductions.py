"""Images and patterns from a scan: sums over detectors, patterns of regions.

Whole numbers are summed exactly (uint64, int64); floats in float64.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block
from brickfield.errors import OptionError
from brickfield.sources import ScanData
from brickfield.stem4d.detectors import Detector, Weights
from brickfield.stem4d.passes import (
    PassOptions,
    Patterns,
    Region,
    scan_pass,
    sum_dtype,
)

PATTERN_KINDS = ("mean", "sum", "max", "min", "variance")


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
    function = partial(sum_over, weights=weights, kind=kind)
    return _image(data, function, kind, options)


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
    if weights.dtype.kind == "b":
        return _sum_counted(patterns, weights, kind)
    total = np.zeros(patterns.shape[:2], kind)
    for row in np.flatnonzero(weights.any(axis=1)).tolist():
        total += patterns[:, :, row].astype(kind) @ weights[row]
    return total


def _sum_counted(
    patterns: Patterns, mask: NDArray[np.bool_], kind: np.dtype[Any]
) -> NDArray[Any]:
    """Sum over pixels that count; only the rectangle round them is touched."""
    if not mask.any():
        return np.zeros(patterns.shape[:2], kind)
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    inner = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    mask = mask[inner]
    native = patterns.dtype.newbyteorder("=")
    # A copy in the machine's order is summed faster than what was read.
    part = np.array(patterns[:, :, *inner], native)
    if not mask.all():
        if native.kind == "f":
            part[:, :, ~mask] = 0  # what is no number elsewhere must not count
        else:
            part *= mask.astype(native)
    return np.asarray(part.reshape(*part.shape[:2], -1).sum(axis=-1, dtype=kind))


def _image(
    data: ScanData, function: Any, kind: np.dtype[Any], options: PassOptions | None
) -> NDArray[Any]:
    def place(image: NDArray[Any], block: Block, part: NDArray[Any]) -> NDArray[Any]:
        image[block.slices] = part
        return image

    start = np.zeros(data.shape[:2], kind)
    return scan_pass(data, function, place, start, options).require()


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
    if kind in ("max", "min"):
        extreme = np.maximum if kind == "max" else np.minimum
        found = scan_pass(
            data, partial(_extreme, kind=kind), partial(_join, extreme), None, options,
            (ys, xs),
        ).require()  # fmt: skip
        return np.asarray(found)
    total, squares = scan_pass(
        data,
        partial(_sums, kind=sum_dtype(data.dtype), has_squares=kind == "variance"),
        _add,
        (np.zeros(data.shape[2:], sum_dtype(data.dtype)), np.zeros(data.shape[2:])),
        options,
        (ys, xs),
    ).require()
    if kind == "sum":
        return total
    mean: NDArray[np.float64] = total / n
    return mean if kind == "mean" else np.maximum(squares / n - mean * mean, 0)


def _extreme(_block: Block, patterns: Patterns, kind: str) -> NDArray[Any]:
    native = patterns.astype(patterns.dtype.newbyteorder("="))
    return np.asarray(
        native.max(axis=(0, 1)) if kind == "max" else native.min(axis=(0, 1))
    )


def _join(extreme: Any, state: Any, _block: Block, value: NDArray[Any]) -> Any:
    return value if state is None else extreme(state, value)


def _sums(
    _block: Block, patterns: Patterns, kind: np.dtype[Any], has_squares: bool
) -> tuple[NDArray[Any], Any]:
    total = np.asarray(patterns.sum(axis=(0, 1), dtype=kind))
    if not has_squares:
        return total, 0.0
    squares = np.zeros(patterns.shape[2:])
    for line in patterns:
        for pattern in line:
            squares += pattern.astype(np.float64) ** 2
    return total, squares


def _add(state: Any, _block: Block, value: Any) -> Any:
    state[0][...] += value[0]
    state[1][...] += value[1]
    return state
