"""What stays coarse of a mosaic while a hand moves tiles.

Making all fine chunks of a large tile anew takes seconds, a coarse level of it a few
hundredths of one. So where tiles are moved the picture is no finer, for as long as they
are moved, than a level of few chunks; everywhere else it stays as it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.model import Pyramid

F64 = NDArray[np.float64]
MOST_CHUNKS = 12
"""Of the region that is made anew for each step of a move."""


class StaysCoarse:
    """Tells which chunks are not refined for now. Immutable; any thread.

    Parameters
    ----------
    pyramid : Pyramid
        Of the mosaic.
    box : ndarray, shape (2, 3)
        Round where the tiles are and were: edges (z, y, x), world.

    Attributes
    ----------
    level : int
        The finest that is shown in the box.
    """

    def __init__(self, pyramid: Pyramid, box: F64) -> None:
        self.box = box
        self._edges = [
            np.array(lv.voxel_size_zyx) * lv.chunk_shape for lv in pyramid.levels
        ]
        self._origins = [
            np.array(lv.translation_zyx) - 0.5 * np.array(lv.voxel_size_zyx)
            for lv in pyramid.levels
        ]
        counts = [self._count(level) for level in range(pyramid.n_levels)]
        few = [level for level, n in enumerate(counts) if n <= MOST_CHUNKS]
        self.level = few[0] if few else pyramid.n_levels - 1

    def _count(self, level: int) -> float:
        ends = (self.box - self._origins[level]) / self._edges[level]
        size = np.ceil(ends[1]) - np.floor(ends[0])
        return float(np.maximum(size, 1).prod())

    def with_box(self, pyramid: Pyramid, box: F64) -> StaysCoarse:
        """Return what stays coarse when tiles have come to another box, too.

        Parameters
        ----------
        pyramid : Pyramid
        box : ndarray, shape (2, 3)
        """
        low = np.minimum(self.box[0], box[0])
        return StaysCoarse(pyramid, np.array([low, np.maximum(self.box[1], box[1])]))

    def __call__(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of chunks whether they stay as coarse as they are.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, 3), int64
            Grid indices (z, y, x).

        Returns
        -------
        ndarray, shape (n,), bool
        """
        if level > self.level:
            return np.zeros(len(indices), np.bool_)
        return self.meets(level, indices)

    def meets(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell of chunks whether they meet the box.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, 3), int64
            Grid indices (z, y, x).

        Returns
        -------
        ndarray, shape (n,), bool
        """
        low = self._origins[level] + indices * self._edges[level]
        high = low + self._edges[level]
        is_below = (low < self.box[1]).all(axis=1)
        meets: NDArray[np.bool_] = is_below & (high > self.box[0]).all(axis=1)
        return meets
