"""Where output voxels lie: the source's own grid, one that holds all, or a part.

Invariant: a grid has the source's voxel size. Its first voxel lies at `origin`, in
voxels of the source's grid; without `fit` and `region` that is 0. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np

from brickfield.errors import OptionError
from brickfield.model import Int3, Vec3
from brickfield.transforms.operations.convention import SNAP, Matrix, translation

MOST_VOXELS = 1 << 40
"""Along an axis of a grid that is made to hold everything."""
Region = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Grid:
    """Output voxels.

    Attributes
    ----------
    shape : tuple of int
        (z, y, x).
    origin : tuple of float
        Where voxel 0 lies, in voxels of the source's grid (z, y, x).
    """

    shape: Int3
    origin: Vec3 = (0.0, 0.0, 0.0)

    def forward(self, matrix: Matrix) -> Matrix:
        """Return the map from source voxels to voxels of this grid."""
        return np.asarray(translation([-o for o in self.origin]) @ matrix)


def fitting_grid(shape: Sequence[int], matrix: Matrix) -> Grid:
    """Make the smallest grid that holds all voxel centres of a moved volume.

    It begins where the moved volume begins, so that a turn by 90 degrees stays a copy
    whatever the lengths of axes.

    Parameters
    ----------
    shape : sequence of int
        Of the source (z, y, x).
    matrix : ndarray, shape (4, 4)
        Forward, in voxels.

    Raises
    ------
    OptionError
        When the grid would be longer than any file.
    """
    ends = [(0.0, n - 1.0) for n in shape]
    corners = np.array([(*p, 1.0) for p in product(*ends)])
    moved = corners @ matrix[:3].T
    low, high = moved.min(axis=0), moved.max(axis=0)
    lengths = [ceil(b - a - SNAP) + 1 for a, b in zip(low, high, strict=True)]
    if max(lengths) > MOST_VOXELS:
        msg = (
            f"expected a matrix that keeps the volume below {MOST_VOXELS} voxels along"
            f" an axis; found {max(lengths)}: leave --fit out"
        )
        raise OptionError(msg)
    z, y, x = lengths
    return Grid((z, y, x), (float(low[0]), float(low[1]), float(low[2])))


def parse_region(text: str, shape: Sequence[int]) -> Region:
    """Read ``Z0:Z1,Y0:Y1,X0:X1`` as voxels of a grid; an end may be left out.

    Parameters
    ----------
    text : str
    shape : sequence of int
        Of the grid (z, y, x).

    Raises
    ------
    OptionError
        When it is no such text, is empty, or lies beyond the grid.
    """
    parts = text.split(",")
    ends = [re.fullmatch(r"\s*(\d*)\s*:\s*(\d*)\s*", part) for part in parts]
    if len(ends) != 3 or not all(ends):
        msg = f"expected a region as Z0:Z1,Y0:Y1,X0:X1, voxels; found {text!r}"
        raise OptionError(msg)
    found = []
    for end, n in zip(ends, shape, strict=True):
        assert end is not None
        start, stop = int(end[1] or 0), int(end[2] or n)
        if not 0 <= start < stop <= n:
            size = " × ".join(map(str, shape))
            msg = (
                f"expected a region with voxels inside the output of {size} voxels;"
                f" found {text}"
            )
            raise OptionError(msg)
        found.append(slice(start, stop))
    z, y, x = found
    return (z, y, x)
