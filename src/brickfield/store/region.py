"""A box of voxels as a user names it."""

from __future__ import annotations

from collections.abc import Sequence

from brickfield.errors import OptionError
from brickfield.loading.storage_layout import Box
from brickfield.model.scales import Int3

Region = tuple[Int3, Int3] | Sequence[slice]


def box_of(region: Region | None, shape: Int3) -> Box:
    """Read a region; return origin and shape, voxels.

    Raises
    ------
    OptionError
        If it does not lie within the level.
    """
    if region is None:
        return (0, 0, 0), shape
    low: tuple[int, ...]
    high: tuple[int, ...]
    first = region[0]
    if isinstance(first, slice):
        slices = [s for s in region if isinstance(s, slice)]
        ends = [s.indices(n) for s, n in zip(slices, shape, strict=True)]
        low, high = tuple(e[0] for e in ends), tuple(e[1] for e in ends)
    else:
        low, high = (tuple(int(i) for i in corner) for corner in region)  # type: ignore[union-attr]
    if not all(0 <= a <= b <= n for a, b, n in zip(low, high, shape, strict=True)):
        msg = f"expected a box within (0, 0, 0) and {shape}; found {low} to {high}"
        raise OptionError(msg)
    z, y, x = low
    d, h, w = (b - a for a, b in zip(low, high, strict=True))
    return (z, y, x), (d, h, w)
