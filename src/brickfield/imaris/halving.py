"""The next level of a block: floor of the mean, or the most frequent label.

Voxels at the far edge of an odd length have no part in the next level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model import Int3
from brickfield.writing import Method
from brickfield.writing import downsample_downsample as downsample

AnyArray = NDArray[Any]
_BATCH_BYTES = 1 << 19
"""Of planes taken at a time, so that what is between stays in the processor's cache."""


def halve(
    data: AnyArray, factors: Int3, *, is_labels: bool = False, loops: Any = None
) -> AnyArray:
    """Join voxels.

    Parameters
    ----------
    data : ndarray, shape (z, y, x), uint8, uint16, uint32 or float32
        Begins at an even index along halved axes.
    factors : tuple of int
        1 or 2 along (z, y, x).
    is_labels : bool
        Take the most frequent value, the smallest of those equally frequent.
    loops : module, optional
        :mod:`~brickfield.imaris.voxel_loops`, for voxels of up to 16 bits.

    Returns
    -------
    ndarray
        Shape rounded down, dtype of `data`. NaN where one of the voxels is NaN.
    """
    shape = tuple(n // f for n, f in zip(data.shape, factors, strict=True))
    data = data[tuple(slice(n * f) for n, f in zip(shape, factors, strict=True))]
    if 0 in shape or max(factors) == 1:
        return data
    out = np.empty(shape, data.dtype)
    if loops is not None and not is_labels:
        loops.halve(np.ascontiguousarray(data), factors, out)
        return out
    step = max(1, _BATCH_BYTES // (data[0].nbytes * factors[0]))
    for z in range(0, shape[0], step):
        planes = data[z * factors[0] : (z + step) * factors[0]]
        method: Method = "mode" if is_labels else "floor"
        out[z : z + step] = downsample(planes, factors, method)
    return out
