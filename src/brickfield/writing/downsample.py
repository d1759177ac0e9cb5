"""Blocks of voxels joined into one: mean, mode, or the floor of the mean.

Mean of integers: exact, rounded to the nearest, halves to the even neighbour (no
drift from level to level), for all widths up to 64 bits. Mean of floats: summed
in float64, NaN left out, NaN only where there is nothing else. Mode: the most
frequent value, the smallest of those equally frequent; exact for 64-bit labels.
Voxels at the far edge of an odd length are joined from those that exist.

Floor: as the reference writer of Imaris files makes its levels
(https://github.com/imaris/ImarisWriter). Integers are the mean rounded down, floats
the mean itself, of sums in float32; NaN makes NaN. The factor of an axis is 1 or 2, and
a last voxel without a partner is left out, since the format halves lengths downwards.
Integers of up to 32 bits are summed exactly. The reference sums all types in float32,
which holds whole numbers to 2**24: larger 32-bit values would change where they are all
the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorstore as ts
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.writing.options import Method

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
    method : {"mean", "mode", "floor"}

    Returns
    -------
    ndarray
        Shape rounded up ("floor": down), dtype of `data`.

    Raises
    ------
    OptionError
        When "floor" is given factors above 2.
    """
    if max(factors, default=1) == 1:
        return data
    if method == "floor":
        return _floor_mean(data, factors)
    if method == "mean" and data.dtype.kind == "f":
        return _float_mean(data, factors).astype(data.dtype)
    joined = ts.downsample(ts.array(data), list(factors), method)
    return np.asarray(joined.read().result())


def _floor_mean(data: AnyArray, factors: tuple[int, ...]) -> AnyArray:
    if not set(factors) <= {1, 2}:
        msg = f"expected factors of 1 or 2 for the floor of the mean; found {factors}"
        raise OptionError(msg)
    dtype, n_halved = data.dtype, factors.count(2)
    values = data.view(np.uint8) if dtype.kind == "b" else data
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 4:
        # Sums of 8 take 3 bits more.
        narrow = values.dtype
        wide = np.dtype(f"{narrow.kind}{2 * narrow.itemsize}")
        if wide.kind == "u" and factors[-1] == 2 and values.shape[-1] > 1:
            values, factors = _neighbours(values), (*factors[:-1], 1)
        total = _pair_sums(values, factors, wide)
        np.right_shift(total, n_halved, out=total)
        return np.asarray(total.astype(narrow).view(dtype))
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _pair_sums(values, factors, np.dtype(np.float32))
        mean *= np.float32(0.5**n_halved)
        if dtype.kind == "f":
            return np.asarray(mean.astype(dtype))
        info = np.iinfo(dtype)  # type: ignore[type-var]
        whole = np.floor(mean).astype(np.float64)
    # The mean of largest values is rounded up to one that the type does not have.
    whole = np.minimum(whole, np.nextafter(float(info.max) + 1, 0))
    return np.asarray(whole.astype(dtype))


def _neighbours(values: AnyArray) -> AnyArray:
    """Sum unsigned neighbours along the last axis, in a type twice as wide.

    Two of them are one word, whose halves are added at once; a last one is left out.
    """
    n = values.shape[-1] // 2 * 2
    bits = 8 * values.dtype.itemsize
    words = np.ascontiguousarray(values[..., :n]).view(f"u{bits // 4}")
    sums: NDArray[Any] = words & words.dtype.type((1 << bits) - 1)
    sums += words >> words.dtype.type(bits)
    return sums


def _pair_sums(
    values: AnyArray, factors: tuple[int, ...], wide: np.dtype[np.generic]
) -> NDArray[Any]:
    total: NDArray[Any] = values
    # The first axis first: neighbours along it are whole runs of memory.
    for axis, factor in enumerate(factors):
        if factor == 2:
            n = total.shape[axis] // 2 * 2
            lines = np.moveaxis(total, axis, 0)
            pair = np.add(lines[0:n:2], lines[1:n:2], dtype=wide)
            total = np.moveaxis(pair, 0, axis)
    return np.ascontiguousarray(total)


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
