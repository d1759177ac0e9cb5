"""Single voxels joined with those that are there: latest, maximum, mean or sum."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Joiner:
    """Joins values into voxels of one image.

    The mean of all values that came in this mode needs their sum and number: 12 bytes
    of memory for each voxel of a piece that was averaged into.
    """

    def __init__(self) -> None:
        self._sums: dict[tuple[int, ...], NDArray[np.float64]] = {}
        self._counts: dict[tuple[int, ...], NDArray[np.uint32]] = {}

    def join(
        self,
        voxels: NDArray[Any],
        start: tuple[int, ...],
        at: NDArray[np.int64],
        values: NDArray[Any],
        mode: str,
    ) -> None:
        """Join values into a piece of an image.

        Parameters
        ----------
        voxels : ndarray, shape (z, y, x)
            Changed.
        start : tuple of int
            Its first voxel; the same piece has always the same.
        at : ndarray, shape (n, 3), int64
            Voxels of the image, within the piece.
        values : ndarray, shape (n,)
        mode : {"latest", "maximum", "average", "additive"}
        """
        z, y, x = (at - np.asarray(start)).T
        where = (z, y, x)
        if mode == "latest":
            # Of several for one voxel the last stays.
            voxels[where] = as_type(values, voxels.dtype)
        elif mode == "maximum":
            np.maximum.at(voxels, where, as_type(values, voxels.dtype))
        elif mode == "additive":
            self._add(voxels, where, values)
        else:
            self._average(voxels, start, where, values)

    @staticmethod
    def _add(voxels: NDArray[Any], where: Any, values: NDArray[Any]) -> None:
        flat = np.ravel_multi_index(where, voxels.shape)
        places, which = np.unique(flat, return_inverse=True)
        total = np.zeros(len(places))
        np.add.at(total, which.ravel(), values.astype(np.float64))
        there = np.unravel_index(places, voxels.shape)
        total += voxels[there].astype(np.float64)
        voxels[there] = as_type(total, voxels.dtype)

    def _average(
        self,
        voxels: NDArray[Any],
        start: tuple[int, ...],
        where: Any,
        values: NDArray[Any],
    ) -> None:
        if start not in self._sums:
            self._sums[start] = np.zeros(voxels.shape)
            self._counts[start] = np.zeros(voxels.shape, np.uint32)
        sums, counts = self._sums[start], self._counts[start]
        np.add.at(sums, where, values.astype(np.float64))
        np.add.at(counts, where, 1)
        voxels[where] = as_type(sums[where] / counts[where], voxels.dtype)


def as_type(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Convert values; of integers rounded half to even and clipped.

    Parameters
    ----------
    values : ndarray, any shape
    dtype : numpy.dtype

    Returns
    -------
    ndarray, shape of `values`
    """
    if dtype.kind not in "iu":
        return values.astype(dtype)
    info = np.iinfo(dtype)
    if values.dtype.kind == "f":
        values = np.rint(values)
        low, high = float(info.min), float(info.max)
        if dtype.itemsize == 8:
            high = np.nextafter(high, 0.0)  # as a float the limit is one too many
        return np.asarray(np.clip(values, low, high).astype(dtype))
    own = np.iinfo(values.dtype) if values.dtype.kind in "iu" else None
    if own is None:
        return values.astype(dtype)
    low, high = max(info.min, own.min), min(info.max, own.max)
    return np.asarray(np.clip(values, low, high).astype(dtype))
