"""Where a slice lies after it was moved by whole voxels.

A position is a world coordinate, not an index: layers of different voxel sizes
share it. Moving by steps lands on voxel centres, so a slice never shows a mixture
of two planes, and it never leaves the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from brickfield.model import ScaleLevel, Vec3


@dataclass(frozen=True, slots=True)
class VoxelRow:
    """Voxels along one axis.

    Attributes
    ----------
    first : float
        World coordinate of the centre of voxel 0.
    step : float
        World units from one centre to the next; may be negative.
    n : int
        Number of voxels.
    """

    first: float
    step: float
    n: int

    @classmethod
    def of_level(cls, level: ScaleLevel, axis: int) -> VoxelRow:
        """Return the voxels of a level along z (0), y (1) or x (2).

        Parameters
        ----------
        level : ScaleLevel
        axis : int
            z (0), y (1) or x (2).
        """
        return cls(
            level.translation_zyx[axis],
            level.voxel_size_zyx[axis],
            level.shape_zyx[axis],
        )

    def index_at(self, position: float) -> int:
        """Return the voxel nearest to a world coordinate, inside the data."""
        if not (isfinite(position) and self.step):
            return 0
        nearest = round((position - self.first) / self.step)
        return min(max(nearest, 0), self.n - 1)

    def centre(self, index: int) -> float:
        """Return the world coordinate of a voxel's centre."""
        return self.first + index * self.step


def next_position(position: float, n_steps: int, row: VoxelRow) -> float:
    """Return the slice position a number of voxels further, at a voxel's centre.

    Steps go towards larger world coordinates when positive. The first step from
    between two centres goes to the next centre, not past it.

    Parameters
    ----------
    position : float
        World coordinate along the axis.
    n_steps : int
        Voxels; negative goes back.
    row : VoxelRow
        The voxels of level 0 along the axis.
    """
    n_steps = n_steps if row.step >= 0 else -n_steps
    index = row.index_at(position)
    place = (position - row.first) / row.step if row.step else 0.0
    beyond = isfinite(place) and abs(place - index) > 1e-3
    if beyond and n_steps and (index > place) == (n_steps > 0):
        n_steps -= 1 if n_steps > 0 else -1
    return row.centre(min(max(index + n_steps, 0), row.n - 1))


def next_plane_point(
    point: Vec3,
    n_steps: float,
    *,
    normal: Vec3,
    voxel_size: Vec3,
    corners: NDArray[np.float64],
) -> Vec3:
    """Return a point of an oblique plane that was moved along its normal.

    A step is one voxel as thick as it is in the direction of the normal; along an
    axis that is the voxel's edge.

    Parameters
    ----------
    point, normal : tuple of float
        World (z, y, x); the normal may have any length but zero.
    n_steps : float
    voxel_size : tuple of float
        World units (z, y, x).
    corners : ndarray, shape (n, 3)
        Corners of the volume; the plane goes on meeting it.
    """
    unit = np.asarray(normal, dtype=np.float64)
    unit = unit / np.linalg.norm(unit)
    thick = 1 / float(np.linalg.norm(unit / np.abs(voxel_size)))
    reach = corners @ unit
    before = float(unit @ np.asarray(point))
    after = min(max(before + n_steps * thick, float(reach.min())), float(reach.max()))
    z, y, x = (np.asarray(point) + (after - before) * unit).tolist()
    return (z, y, x)
