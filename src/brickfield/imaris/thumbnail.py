"""The small picture that Imaris and file browsers show of a file.

256 × 256 pixels of red, green, blue and opacity, one byte each and side by side: the
maximum along z of the first time point, taken from the coarsest level that has 256
voxels along both x and y, with the channels' colours and windows, added up. Pixels are
as wide as they are high in space; what the image leaves free is black. Each pixel shows
the voxel at its centre, so that only those voxels are kept during a pass.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.model import Int3, Vec3

AnyArray = NDArray[Any]
EDGE = 256


def thumbnail_level(shapes: Sequence[Int3]) -> int:
    """Return the coarsest level of at least 256 voxels along x and y, else 0."""
    large = [i for i, (_, y, x) in enumerate(shapes) if min(y, x) >= EDGE]
    return large[-1] if large else 0


class Projection:
    """Maximum along z of one channel at the pixels' centres. From any thread.

    Parameters
    ----------
    shape : tuple of int
        Voxels (z, y, x) of the level that is shown.
    extent : tuple of float
        Of the image (z, y, x), in units of length.
    """

    def __init__(self, shape: Int3, extent: Vec3) -> None:
        height, width = _size(extent)
        self._rows = _centres(height, shape[1])
        self._columns = _centres(width, shape[2])
        self._lock = threading.Lock()
        self.values = np.full((height, width), np.nan)

    def add(self, data: AnyArray, start: Sequence[int]) -> None:
        """Take in a block.

        Parameters
        ----------
        data : ndarray, shape (z, y, x)
        start : sequence of int
            Its first voxel in the level.
        """
        rows = slice(*np.searchsorted(self._rows, (start[1], start[1] + data.shape[1])))
        columns = slice(
            *np.searchsorted(self._columns, (start[2], start[2] + data.shape[2]))
        )
        # Of an image with fewer voxels than the picture has pixels several pixels show
        # one voxel, which is looked at once.
        y, as_row = np.unique(self._rows[rows], return_inverse=True)
        x, as_column = np.unique(self._columns[columns], return_inverse=True)
        if not (len(y) and len(x)):
            return
        # All of the tile, in one go over its memory: picking out the voxels first takes
        # six times as long.
        highest = np.fmax.reduce(data)
        found = highest[np.ix_(y - start[1], x - start[2])]
        found = found[np.ix_(as_row, as_column)].astype(np.float64)
        with self._lock:
            here = self.values[rows, columns]
            np.fmax(here, found, out=here)


def compose(
    projections: Sequence[NDArray[np.float64]],
    colors: Sequence[tuple[int, int, int]],
    windows: Sequence[tuple[float, float]],
) -> NDArray[np.uint8]:
    """Draw the picture.

    Parameters
    ----------
    projections : sequence of ndarray, shape (h, w)
        One a channel, all of one shape, at most 256 pixels.
    colors : sequence of tuple
        Red, green, blue, 0 to 255.
    windows : sequence of tuple
        Values drawn as black and as the whole colour.

    Returns
    -------
    ndarray, shape (256, 1024), uint8
    """
    height, width = projections[0].shape
    light = np.zeros((height, width, 3))
    for values, color, (low, high) in zip(projections, colors, windows, strict=True):
        share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
        light += np.nan_to_num(share)[..., None] * np.asarray(color, np.float64)
    out = np.zeros((EDGE, EDGE, 4), np.uint8)
    out[..., 3] = 255
    top, left = (EDGE - height) // 2, (EDGE - width) // 2
    picture = np.rint(np.minimum(light, 255)).astype(np.uint8)
    out[top : top + height, left : left + width, :3] = picture
    return out.reshape(EDGE, EDGE * 4)


def _size(extent: Vec3) -> tuple[int, int]:
    """Pixels (height, width): the longer side has 256."""
    longest = max(extent[1], extent[2])
    height, width = (
        min(EDGE, max(1, round(EDGE * e / longest))) for e in (extent[1], extent[2])
    )
    return height, width


def _centres(n_pixels: int, n_voxels: int) -> NDArray[np.int64]:
    centres = (np.arange(n_pixels) + 0.5) * n_voxels / n_pixels
    return np.minimum(centres.astype(np.int64), n_voxels - 1)
