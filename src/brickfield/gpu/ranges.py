"""Bounds of a brick's samples, packed into the 32 bits of a page-table row.

Rounding is outward: the packed range always contains every sample, so that a
brick is skipped only when it provably cannot matter.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.formats import TextureFormat


def pack_range(padded: NDArray[np.generic], fmt: TextureFormat) -> tuple[int, bool]:
    """Pack the range of a padded brick.

    Parameters
    ----------
    padded : ndarray, shape (z, y, x)
        Voxels in the stored type, border included.
    fmt : TextureFormat

    Returns
    -------
    word : int
        Low half minimum, high half maximum (2 x unorm16 or 2 x float16).
    is_finite : bool
        Whether every voxel is a finite number.
    """
    if fmt.is_integer:
        return 0, True
    low, high = float(padded.min()), float(padded.max())
    is_finite = bool(np.isfinite(low) and np.isfinite(high))
    if not is_finite:
        numbers = padded[~np.isnan(padded)]
        if not numbers.size:
            # Empty: no sample can win, lowest bound above the highest.
            return _pack_half(float("inf"), float("-inf")), False
        low, high = float(numbers.min()), float(numbers.max())
    low, high = fmt.to_sample(low), fmt.to_sample(high)
    if fmt.name.endswith("unorm"):
        # Integers of 8 and 16 bits: whole numbers but for rounding, so exact bounds.
        return round(low * 65535) | round(high * 65535) << 16, is_finite
    return _pack_half(low, high), is_finite


def _pack_half(low: float, high: float) -> int:
    with np.errstate(over="ignore"):
        bottom, top = np.float16(low), np.float16(high)
    if float(bottom) > low:
        bottom = np.nextafter(bottom, np.float16(-np.inf))
    if float(top) < high:
        top = np.nextafter(top, np.float16(np.inf))
    return int(bottom.view(np.uint16)) | int(top.view(np.uint16)) << 16


def pack_constant(value: float, fmt: TextureFormat) -> int:
    """Pack the one value of a constant brick: float32 bits, or the label itself."""
    if fmt.is_integer:
        return int(value) & 0xFFFFFFFF
    return int(np.float32(fmt.to_sample(value)).view(np.uint32))
