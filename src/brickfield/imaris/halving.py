"""The next level of a block: floor of the mean, or the most frequent label.

The reference writer sums as float and cuts the fraction off; voxels at the far edge of
an odd length have no part in the next level. Sums of 8- and 16-bit values are exact in
float32, so whole numbers give the same and are faster: neighbours along x are one word
of twice the width, whose halves are added at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model.scales import Int3

AnyArray = NDArray[Any]
_MASKS = {1: (np.uint16, 0xFF, 8), 2: (np.uint32, 0xFFFF, 16)}
_BATCH_BYTES = 1 << 19
"""Of planes taken at a time, so that what is between stays in the cache."""


def halve(data: AnyArray, factors: Int3, *, is_labels: bool = False) -> AnyArray:
    """Join voxels.

    Parameters
    ----------
    data : ndarray, shape (z, y, x), uint8, uint16, uint32 or float32
        Begins at an even index along halved axes.
    factors : tuple of int
        1 or 2 along (z, y, x).
    is_labels : bool
        Take the most frequent value, the smallest of those equally frequent.

    Returns
    -------
    ndarray
        Shape rounded down, dtype of `data`. NaN where one of the voxels is NaN.
    """
    whole = tuple(slice(n // f * f) for n, f in zip(data.shape, factors, strict=True))
    shape = tuple(n // f for n, f in zip(data.shape, factors, strict=True))
    if 0 in shape or max(factors) == 1:
        return data[whole][: shape[0], : shape[1], : shape[2]]
    data = data[whole]
    if is_labels:
        import tensorstore as ts

        joined = ts.downsample(ts.array(data), list(factors), "mode")
        return np.asarray(joined.read().result())
    out = np.empty(shape, data.dtype)
    n_planes = max(1, _BATCH_BYTES // max(1, data[0].nbytes * factors[0]))
    for z in range(0, shape[0], n_planes):
        planes = data[z * factors[0] : (z + n_planes) * factors[0]]
        out[z : z + n_planes] = _means(planes, factors)
    return out


def _means(data: AnyArray, factors: Int3) -> AnyArray:
    kind = data.dtype
    sums = _along_x(data) if factors[2] == 2 else _widened(data)
    if factors[1] == 2:
        sums = sums[:, 0::2] + sums[:, 1::2]
    if factors[0] == 2:
        sums = sums[0::2] + sums[1::2]
    n = factors[0] * factors[1] * factors[2]
    if kind.kind == "f":
        sums *= np.float32(1 / n)
        return sums
    sums >>= sums.dtype.type(n.bit_length() - 1)
    return sums


def _along_x(data: AnyArray) -> AnyArray:
    """Sums of neighbours along x, in a type that holds eight of them."""
    if data.dtype.itemsize in _MASKS and data.dtype.kind == "u":
        kind, mask, bits = _MASKS[data.dtype.itemsize]
        words = np.ascontiguousarray(data).view(kind)
        sums: AnyArray = words & kind(mask)
        sums += words >> kind(bits)
        return sums
    wide = _widened(data)
    return wide[..., 0::2] + wide[..., 1::2]


def _widened(data: AnyArray) -> AnyArray:
    if data.dtype.kind == "f":
        return data
    wider = {1: np.uint16, 2: np.uint32}.get(data.dtype.itemsize, np.uint64)
    return data.astype(wider)
