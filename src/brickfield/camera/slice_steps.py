"""Where a slice lies after it was moved by whole voxels.

A position is a world coordinate, not an index, since layers of different voxel sizes
share it. A slice never leaves the data.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.model import Vec3


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
