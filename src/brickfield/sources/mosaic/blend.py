"""Voxels of several tiles at one place, made one.

``max`` the largest; ``mean`` the mean; ``feather`` the mean weighted by the distance
to the edge of each tile, so that seams fade; ``first`` the tile that is listed first;
``difference`` how far apart the largest and the smallest are, 0 where only one tile is:
what does not lie as it should, shows. All but ``first`` are the same in whatever order tiles come.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Overlap = Literal["max", "mean", "feather", "first", "difference"]
OVERLAPS: tuple[Overlap, ...] = ("max", "mean", "feather", "first", "difference")
AnyArray = NDArray[np.generic]


class Blender:
    """Collects what tiles give for one box of voxels. One thread.

    Parameters
    ----------
    shape : tuple of int
        Voxels (z, y, x).
    dtype : numpy.dtype
    overlap : {"max", "mean", "feather", "first", "difference"}
    fill : float or int
        Where no tile is.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[np.generic],
        overlap: Overlap,
        fill: float,
    ) -> None:
        self._dtype = dtype
        self._overlap = overlap
        self._fill = fill
        self.is_empty = True
        self._is_sum = overlap in ("mean", "feather")
        self._values: NDArray[Any] = np.zeros(shape, "f8" if self._is_sum else dtype)
        self._weights: NDArray[Any] = np.zeros(shape, "f8" if self._is_sum else "?")
        self._least = self._values.copy() if overlap == "difference" else None

    def add(
        self,
        where: tuple[slice, ...],
        covered: NDArray[np.bool_] | None,
        values: NDArray[Any],
        depth: NDArray[np.float64] | None,
    ) -> None:
        """Take what one tile gives.

        Parameters
        ----------
        where : tuple of slice
            Part of the box, (z, y, x).
        covered : ndarray of bool, shape (z, y, x), or None
            Where the tile is, in that part; None for everywhere.
        values : ndarray, shape (n,)
            Of the covered voxels, of the mosaic's data type.
        depth : ndarray, shape (n,), or None
            Distance to the tile's nearest edge, world units, above 0; for ``feather``.
        """
        self.is_empty = False
        present, weights = self._values[where], self._weights[where]
        if covered is None:
            self._add_whole(where, values.reshape(present.shape), depth)
            return
        if self._is_sum:
            weight = np.ones(len(values)) if depth is None else depth
            present[covered] += values * weight
            weights[covered] += weight
            return
        before, is_there = present[covered], weights[covered]
        # A value that is no number loses against any number.
        both = before if self._overlap == "first" else np.fmax(before, values)
        present[covered] = np.where(is_there, both, values)
        if self._least is not None:
            low = self._least[where]
            least = np.fmin(low[covered], values)
            low[covered] = np.where(is_there, least, values)
        weights[covered] = True

    def _add_whole(
        self,
        where: tuple[slice, ...],
        values: NDArray[Any],
        depth: NDArray[np.float64] | None,
    ) -> None:
        """Take what a tile gives that is everywhere in a part."""
        present, weights = self._values[where], self._weights[where]
        if self._is_sum:
            if depth is not None:
                weight = depth.reshape(present.shape)
                present += values * weight
                weights += weight
            else:
                present += values
                weights += 1.0
            return
        both = present if self._overlap == "first" else np.fmax(present, values)
        np.copyto(present, np.where(weights, both, values))
        if self._least is not None:
            low = self._least[where]
            np.copyto(low, np.where(weights, np.fmin(low, values), values))
        weights[...] = True

    def result(self) -> AnyArray:
        """Return the voxels, shape (z, y, x); the fill value where no tile is."""
        there = self._weights > 0
        if self._least is not None:
            return difference(self._values, self._least)
        if not self._is_sum:
            return np.where(there, self._values, self._dtype.type(self._fill))
        mean = np.divide(
            self._values,
            self._weights,
            out=np.full_like(self._values, self._fill),
            where=there,
        )
        return to_dtype(mean, self._dtype)


def difference(largest: NDArray[Any], least: NDArray[Any]) -> AnyArray:
    """Return how far apart two arrays of one shape are, in their own data type.

    Parameters
    ----------
    largest, least : ndarray
        What is beyond the data type, as between signed numbers, is its largest number.
    """
    if largest.dtype.kind == "b":
        other: AnyArray = largest ^ least
        return other
    apart: NDArray[Any] = largest - least
    if largest.dtype.kind == "i":
        most = np.iinfo(largest.dtype.type).max
        return np.where(apart < 0, most, apart).astype(largest.dtype)
    return apart


def to_dtype(values: NDArray[np.floating], dtype: np.dtype[np.generic]) -> AnyArray:
    """Round half to even and clip where the data type is of whole numbers.

    Parameters
    ----------
    values : ndarray
        Of any shape.
    dtype : numpy.dtype
    """
    if dtype.kind not in "iu":
        return values.astype(dtype)
    limits = np.iinfo(dtype.type)  # type: ignore[type-var]  # whole numbers, as seen
    result: AnyArray = np.clip(np.rint(values), limits.min, limits.max).astype(dtype)
    return result
