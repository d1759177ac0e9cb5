"""The camera that looks straight at a plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.model import LEAST_LENGTH, CameraState, Plane, vec3


def slice_camera(
    plane: Plane, corners: NDArray[np.float64], viewport: tuple[int, int]
) -> CameraState:
    """Look straight at a plane, all that it cuts of a box in the picture, pixels square.

    A viewport in the proportions of what is seen is filled exactly: with as many
    pixels as there are (cubic) voxels, a pixel is a voxel. A plane beside the box
    is looked at as large as the box.

    Parameters
    ----------
    plane : Plane
    corners : ndarray, shape (n, 3)
        Of the box or boxes, world (z, y, x).
    viewport : tuple of int
        Width and height of the picture, pixels.
    """
    down, right, sight = plane.axes
    seen = _cut(plane, corners) @ plane.axes.T
    low, high = seen.min(axis=0), seen.max(axis=0)
    extent = np.maximum(high - low, LEAST_LENGTH)
    reach = float(np.ptp(corners @ sight)) + float(extent.max())
    width, height = viewport
    rows, columns = (low + high)[:2] / 2
    depth = plane.point @ sight
    centre = rows * down + columns * right + depth * sight
    return CameraState(
        vec3(centre - sight * reach),
        vec3(centre),
        vec3(-down),
        viewport,
        orthographic=True,
        height=float(max(extent[0], extent[1] * height / width)),
    )


def _cut(plane: Plane, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the outline of the corners' hull in a plane, or all of the corners.

    Each corner of the outline lies between two corners on different sides.
    """
    distance = plane.distance(corners)
    before, behind = corners[distance <= 0], corners[distance >= 0]
    if not len(before) or not len(behind):
        return corners
    a = -distance[distance <= 0][:, None, None]
    b = distance[distance >= 0][None, :, None]
    share = a / np.where(a + b > 0, a + b, 1.0)
    points = before[:, None] * (1 - share) + behind[None] * share
    return points.reshape(-1, 3)
