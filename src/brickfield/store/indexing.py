"""Indices as numpy understands them, spelled out.

:func:`box_of` reads a box of voxels as a user names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.loading import Box
from brickfield.model import Int3


def expanded(index: Any, ndim: int) -> list[Any]:
    """Spell an index out: one item per axis, besides None; masks become indices.

    Parameters
    ----------
    index
        What stands in the brackets of ``array[…]``.
    ndim : int
        Axes of the array.

    Raises
    ------
    IndexError
        If there are more items than axes, or more than one ellipsis.
    """
    items: list[Any] = []
    for item in index if isinstance(index, tuple) else (index,):
        if item is None or item is Ellipsis or isinstance(item, slice):
            items.append(item)
        elif _is_int(item):
            items.append(int(item))
        else:
            array = np.asarray(item)
            items += list(np.nonzero(array)) if array.dtype == bool else [array]
    n_used = sum(i is not None and i is not Ellipsis for i in items)
    if n_used > ndim:
        msg = f"expected at most {ndim} indices, one per axis; found {n_used}"
        raise IndexError(msg)
    if not any(i is Ellipsis for i in items):
        items.append(Ellipsis)
    at = next(k for k, i in enumerate(items) if i is Ellipsis)
    items[at : at + 1] = [slice(None)] * (ndim - n_used)
    if any(i is Ellipsis for i in items):
        msg = "expected one ellipsis at most; found several"
        raise IndexError(msg)
    return items


def _is_int(item: Any) -> bool:
    if isinstance(item, bool | np.bool_ | np.ndarray):
        return False
    return isinstance(item, SupportsIndex)


def checked_indices(item: Any, n: int) -> NDArray[np.int64]:
    """Return the indices of an axis as non-negative integers, shape of `item`.

    Parameters
    ----------
    item : int or array-like
        As given by the caller.
    n : int
        Length of the axis.

    Raises
    ------
    IndexError
        If one is no integer or outside of the axis.
    """
    array = np.asarray(item)
    if array.size and array.dtype.kind not in "iu":
        msg = f"expected integers, slices or masks as indices; found {array.dtype}"
        raise IndexError(msg)
    at: NDArray[np.int64] = array.astype(np.int64)
    if at.size and (int(at.min()) < -n or int(at.max()) >= n):
        msg = f"expected indices from {-n} to {n - 1}; found {at.min()} to {at.max()}"
        raise IndexError(msg)
    return np.where(at < 0, at + n, at)


Region = tuple[Int3, Int3] | Sequence[slice]


def box_of(region: Region | None, shape: Int3) -> Box:
    """Read a region; return origin and shape, voxels.

    Parameters
    ----------
    region : Region or None
        One slice per axis (z, y, x), or lower and upper corner; None for all.
    shape : Int3
        Of the level (z, y, x), voxels.

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
