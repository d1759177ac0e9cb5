"""Blocks of voxels joined into one: mean or mode.

Mean of integers: exact, rounded to the nearest, halves to the even neighbour (no
drift from level to level), for all widths up to 64 bits. Mean of floats: summed
in float64, NaN left out, NaN only where there is nothing else. Mode: the most
frequent value, the smallest of those equally frequent; exact for 64-bit labels.
Voxels at the far edge of an odd length are joined from those that exist.
"""

from __future__ import annotations

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from brickfield.pyramid.options import Method

AnyArray = NDArray[np.generic]
Floats = NDArray[np.float64]


def downsample(data: AnyArray, factors: tuple[int, ...], method: Method) -> AnyArray:
    """Join voxels.

    Parameters
    ----------
    data : ndarray
        Any number of axes; index 0 is the first voxel of a joined one.
    factors : tuple of int
        Voxels joined along every axis.
    method : {"mean", "mode"}

    Returns
    -------
    ndarray
        Shape rounded up, dtype of `data`.
    """
    if max(factors, default=1) == 1:
        return data
    if method == "mean" and data.dtype.kind == "f":
        return _float_mean(data, factors).astype(data.dtype)
    joined = ts.downsample(ts.array(data), list(factors), method)
    return np.asarray(joined.read().result())


def _float_mean(data: AnyArray, factors: tuple[int, ...]) -> Floats:
    values = data.astype(np.float64)
    missing = np.isnan(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        if missing.any():
            values[missing] = 0
            counts = _sums((~missing).astype(np.float64), factors)
        else:
            counts = np.ones((1,) * data.ndim)
            for axis, f in enumerate(factors):
                counts = counts * _edge_counts(data.shape, axis, f)
        return np.asarray(_sums(values, factors) / counts)


def _edge_counts(shape: tuple[int, ...], axis: int, factor: int) -> Floats:
    n = shape[axis]
    counts = np.minimum(factor, n - np.arange(0, n, factor)).astype(np.float64)
    return counts.reshape([-1 if a == axis else 1 for a in range(len(shape))])


def _sums(values: Floats, factors: tuple[int, ...]) -> Floats:
    # The last axis first: it shrinks what the slower, outer axes have to pass.
    for axis in reversed(range(values.ndim)):
        f = factors[axis]
        if f > 1:
            lines = np.moveaxis(values, axis, 0)
            total = lines[::f].copy()
            for i in range(1, min(f, len(lines))):
                part = lines[i::f]
                total[: len(part)] += part
            values = np.moveaxis(total, 0, axis)
    return values
