"""What the voxels of a brick lie between, for the page table.

Bounds of a brick's samples are packed into the 32 bits of a page-table row. Rounding is
outward: the packed range always contains every sample, so that a brick is skipped only
when it provably cannot matter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.formats import TextureFormat
from brickfield.model import Int3

Bounds = tuple[np.generic, np.generic]
"""Least and greatest voxel as numpy gives them: NaN if there is any."""


def bounds_of(padded: NDArray[np.generic]) -> Bounds:
    """Return the smallest and the largest voxel of a brick, shape (z, y, x), in its own type."""
    return padded.min(), padded.max()


def pack_range(
    padded: NDArray[np.generic], fmt: TextureFormat, bounds: Bounds | None = None
) -> tuple[int, bool]:
    """Pack the range of a padded brick.

    Parameters
    ----------
    padded : ndarray, shape (z, y, x)
        Voxels in the stored type, border included.
    fmt : TextureFormat
    bounds : tuple, optional
        :func:`bounds_of` the brick, where it is known.

    Returns
    -------
    word : int
        Low half minimum, high half maximum (2 x unorm16, or the upper halves of
        2 x float32). For labels the high half tells whether there is any.
    is_finite : bool
        Whether every voxel is a finite number on the GPU.
    """
    found = range_of(padded, fmt, bounds)
    return pack_bounds(found.low, found.high, fmt), found.is_finite


class Range(NamedTuple):
    """What the voxels of a brick lie between.

    Attributes
    ----------
    low, high : number
        Least and greatest, without NaN; infinity and its negative if all are NaN.
    is_finite : bool
        Whether every voxel is a finite number on the GPU.
    """

    low: Any
    high: Any
    is_finite: bool


def range_of(
    voxels: NDArray[np.generic], fmt: TextureFormat, bounds: Bounds | None = None
) -> Range:
    """Measure voxels in the stored type; see :func:`pack_range`."""
    low, high = bounds or bounds_of(voxels)
    if fmt.is_integer:
        return Range(low, high, True)
    samples = [fmt.to_sample(float(low)), fmt.to_sample(float(high))]
    with np.errstate(over="ignore"):
        is_finite = bool(np.isfinite(np.array(samples, np.float32)).all())
    if not is_finite:
        # NaN never wins a comparison in the shader; infinities do, so they stay in the
        # bounds.
        numbers = voxels[~np.isnan(voxels)]
        if not numbers.size:
            # Empty: no sample can win, lowest bound above the highest.
            return Range(float("inf"), float("-inf"), False)
        low, high = bounds_of(numbers)
    return Range(low, high, is_finite)


def pack_bounds(low: Any, high: Any, fmt: TextureFormat) -> int:
    """Pack two bounds as :func:`pack_range` does.

    Parameters
    ----------
    low, high : number
        In the units of the data.
    fmt : TextureFormat
    """
    if fmt.is_integer:
        return 0xFFFF0000 if low or high else 0
    # In the values that the shader samples: unorm formats give 0 to 1.
    bottom, top = fmt.to_sample(float(low)), fmt.to_sample(float(high))
    if fmt.name.endswith("unorm"):
        # Integers of 8 and 16 bits: whole numbers but for rounding, so exact bounds.
        return round(bottom * 65535) | round(top * 65535) << 16
    return _pack_half(bottom, top)


def empty_octants(
    padded: NDArray[np.generic],
    brick: Int3,
    border: Int3,
    fmt: TextureFormat,
    bounds: Bounds | None = None,
) -> int:
    """Tell which eighths of a brick hold nothing but its lowest value.

    Parameters
    ----------
    padded : ndarray, shape (z, y, x)
        Voxels in the stored type, border included.
    brick, border : tuple of int
        Own voxels of a whole brick and lent voxels on each side, (z, y, x).
    fmt : TextureFormat
        For labels the background counts instead of the lowest value.
    bounds : tuple, optional
        :func:`bounds_of` the brick, where it is known.

    Returns
    -------
    int
        Bit x + 2 y + 4 z set for an empty octant, the voxels that linear
        sampling in it can touch included; 0 when nothing would be gained.
    """
    lowest, highest = bounds or bounds_of(padded)
    # All alike: the range says so already, and bricks are skipped by it as a whole.
    if lowest == highest:
        return 0
    if fmt.is_integer:
        # Labels are never mixed; only background is empty.
        lowest = padded.dtype.type(0)
    bits = 0
    for octant in range(8):
        box = []
        for axis in range(3):
            # Of a whole brick, not of one that is cut at the edge: the shader divides
            # slots.
            half = brick[axis] // 2
            is_upper = octant >> (2 - axis) & 1
            # One voxel beyond the middle: linear samples on this side of it read
            # across.
            start = half - 1 + border[axis] if is_upper else 0
            end = None if is_upper else half + border[axis] + 1
            box.append(slice(max(start, 0), end))
        if _is_all(padded[tuple(box)], lowest):
            bits |= 1 << octant
    return 0 if bits == 0xFF else bits


def _is_all(voxels: NDArray[np.generic], value: np.generic) -> bool:
    """Tell whether all voxels have a value; one, then a plane of them, tell most not.

    Comparisons with NaN are false: what holds one is not empty.
    """
    if not voxels.size:
        return True
    z, y, x = (n // 2 for n in voxels.shape)
    return bool(
        voxels[z, y, x] == value
        and (voxels[z] == value).all()
        and (voxels == value).all()
    )


def _pack_half(low: float, high: float) -> int:
    """Pack two bounds as the upper halves of float32: any magnitude, 8 bits."""
    with np.errstate(over="ignore"):
        bottom, top = np.float32(low), np.float32(high)
    words = []
    for value, bound, outward in ((bottom, low, -np.inf), (top, high, np.inf)):
        if (float(value) - bound) * outward < 0:
            # float32 rounded inwards: the bound must stay outside of every voxel.
            value = np.nextafter(value, np.float32(outward))
        word = int(value.view(np.uint32))
        # Cutting bits moves towards zero; add a unit where that is inward.
        if word & 0xFFFF and (word >> 31 == 1) == (outward < 0):
            word += 0x10000
        words.append(word >> 16)
    return words[0] | words[1] << 16


def pack_constant(value: float, fmt: TextureFormat) -> int:
    """Pack the one value of a constant brick: float32 bits, or the label itself.

    Parameters
    ----------
    value : float
        In the units of the data.
    fmt : TextureFormat
        Of the texture.
    """
    if fmt.is_integer:
        return fmt.label_word(int(value))
    with np.errstate(over="ignore"):
        return int(np.float32(fmt.to_sample(value)).view(np.uint32))
