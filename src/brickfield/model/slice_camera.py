"""The camera that looks straight at a plane."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.model.camera import CameraState
from brickfield.model.plane import Plane, vec3


def slice_camera(
    plane: Plane, corners: NDArray[np.float64], viewport: tuple[int, int]
) -> CameraState:
    """Look straight at a plane from where nothing is cut off, pixels square.

    A viewport in the proportions of what is seen is filled exactly: with as many
    pixels as there are (cubic) voxels, a pixel is a voxel.

    Parameters
    ----------
    plane : Plane
    corners : ndarray, shape (n, 3)
        What shall be in the picture, world (z, y, x).
    viewport : tuple of int
        Width and height of the picture, pixels.
    """
    down, right, sight = plane.axes
    low = np.array([(corners @ axis).min() for axis in plane.axes])
    high = np.array([(corners @ axis).max() for axis in plane.axes])
    extent = np.maximum(high - low, 1e-9)
    width, height = viewport
    rows, columns = (low + high)[:2] / 2
    depth = plane.point @ sight
    centre = rows * down + columns * right + depth * sight
    return CameraState(
        vec3(centre - sight * extent.max()),
        vec3(centre),
        vec3(-down),
        viewport,
        orthographic=True,
        height=float(max(extent[0], extent[1] * height / width)),
    )
