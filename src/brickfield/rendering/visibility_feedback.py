"""Occlusion feedback: chunks that no ray reached need not be refined.

In modes in which the front can hide the back, the GPU marks each chunk that a
ray arrives at. A chunk counts as *hidden* when neither it, nor anything finer
drawn in it, nor the drawn chunk round it was reached. Hidden chunks stay coarse
and their slots go to what is seen. They are still drawn, so that nothing is
missing when the camera moves; once a ray reaches one it is refined again.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import Name, PageTable
from brickfield.model import INDEX_BITS, Pyramid, pack_keys


class OcclusionFeedback:
    """The chunks that rays reached in the last frame; immutable. Any thread.

    Parameters
    ----------
    pyramid : Pyramid
    table : PageTable
        Knows which coarser chunks lie over a chunk.
    reached : iterable of name
        Drawn chunks that rays arrived at, in any of the drawn channels.
    """

    def __init__(
        self, pyramid: Pyramid, table: PageTable, reached: Iterable[Name]
    ) -> None:
        self._pyramid = pyramid
        drawn = {key for _, key in reached}
        above: set[int] = set()
        front = set(drawn)
        while front:
            # Also every chunk above a reached one: refining it led to what is seen.
            front = {p for key in front for p in table.parents_of(key)} - above
            above |= front
        self._drawn = np.array(sorted(drawn), dtype=np.int64)
        self._known = np.array(sorted(drawn | above), dtype=np.int64)

    @property
    def keys(self) -> NDArray[np.int64]:
        """Keys of the reached chunks, shape (n,), int64, ascending."""
        return self._drawn

    def hidden(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which chunks of a level no ray reaches.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, 3), int64

        Returns
        -------
        ndarray, shape (n,), bool
        """
        is_reached = np.isin(pack_keys(level, indices), self._known)
        scale, offset = self._pyramid.downscale, self._pyramid.offset
        chunks, grids = self._pyramid.chunk_shapes, self._pyramid.grids_zyx
        centre = ((indices + 0.5) * chunks[level] - 0.5) * scale[level] + offset[level]
        for over in np.unique(self._drawn >> (3 * INDEX_BITS)).tolist():
            # A chunk below a reached coarser one was not drawn yet; rays may well
            # arrive there.
            if over > level:
                at = ((centre - offset[over]) / scale[over] + 0.5) // chunks[over]
                cells = np.clip(at, 0, grids[over] - 1).astype(np.int64)
                is_reached |= np.isin(pack_keys(over, cells), self._drawn)
        return ~is_reached
