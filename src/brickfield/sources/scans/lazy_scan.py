"""A scan indexed as an array is, read where it is indexed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.sources.scans.frame_stack import ScanData, Shape4


class LazyScan:
    """The four axes of a scan, read where they are indexed.

    Parameters
    ----------
    data : ScanData

    Attributes
    ----------
    shape : tuple of int
        (scan y, scan x, detector y, detector x).
    dtype : numpy.dtype
    ndim : int
    """

    ndim = 4

    def __init__(self, data: ScanData) -> None:
        self._data = data
        self._buffers = ThreadBuffers()
        self.shape: Shape4 = data.shape
        self.dtype = data.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> NDArray[Any]:
        """Read a part: whole numbers and slices of step 1 or more on each axis."""
        parts = _full(index)
        scan = [_range(p, n) for p, n in zip(parts[:2], self.shape[:2], strict=True)]
        inner = tuple(parts[2:])
        lines = [self._line(y, scan[1], inner) for y in scan[0]]
        rest = np.empty(self.shape[2:], np.bool_)[inner].shape
        whole = np.empty((len(scan[0]), len(scan[1]), *rest), self.dtype)
        for target, line in zip(whole, lines, strict=True):
            target[...] = line
        picked = tuple(slice(None) if isinstance(p, slice) else 0 for p in parts[:2])
        return np.asarray(whole[picked])

    def _line(self, y: int, xs: range, inner: tuple[Any, ...]) -> NDArray[Any]:
        if not xs:
            return np.empty((0, *self.shape[2:]), self.dtype)[:, *inner]
        columns = slice(xs.start, xs[-1] + 1)
        read = self._data.view(slice(y, y + 1), columns, self._buffers)[0]
        return np.array(read[:: xs.step][:, *inner], self.dtype)


def _full(index: Any) -> list[Any]:
    parts = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (5 - len(parts))
    parts += [slice(None)] * (4 - len(parts))
    is_usable = all(
        isinstance(p, int | np.integer) or (isinstance(p, slice) and (p.step or 1) > 0)
        for p in parts
    )
    if len(parts) != 4 or not is_usable:
        msg = (
            "expected whole numbers or slices forward on at most four axes of a scan;"
            f" found {index!r}"
        )
        raise IndexError(msg)
    return parts


def _range(part: Any, n: int) -> range:
    if isinstance(part, slice):
        return range(n)[part]
    number = range(n)[int(part)]  # raises IndexError beyond the axis
    return range(number, number + 1)
