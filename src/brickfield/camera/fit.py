"""Turns what a user says about a camera into a camera for one volume and picture."""

from __future__ import annotations

from math import cos, radians, sin, tan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.camera.spec import (
    CameraSpec,
    FitCamera,
    LookAtCamera,
    OrbitCamera,
    OrthoCamera,
)
from brickfield.model import LEAST_LENGTH, CameraState, Vec3

MARGIN = 1.04
"""How much larger than the volume the picture is, in perspective."""
_FORWARD: dict[str, Vec3] = {"z": (1, 0, 0), "y": (0, -1, 0), "x": (0, 0, 1)}
_UP: dict[str, Vec3] = {"z": (0, -1, 0), "y": (-1, 0, 0), "x": (-1, 0, 0)}
_ROWS_COLUMNS = {"z": (1, 2), "y": (0, 2), "x": (0, 1)}


def fit_camera(
    spec: CameraSpec,
    corners: NDArray[np.float64],
    viewport: tuple[int, int],
    shape_zyx: tuple[int, int, int],
) -> CameraState:
    """Make the camera that a specification means.

    Parameters
    ----------
    spec : CameraSpec
    corners : ndarray, shape (8, 3)
        Corners of the volume, world (z, y, x).
    viewport : tuple of int
        Width and height of the picture, pixels.
    shape_zyx : tuple of int
        Voxels of level 0; decides when one pixel is exactly one voxel.
    """
    if isinstance(spec, FitCamera):
        # A flat image is looked at from the front, a volume from beside.
        flat = min(shape_zyx) == 1
        spec = OrbitCamera(0.0, 0.0) if flat else OrbitCamera(-30.0, 22.0)
    if isinstance(spec, OrthoCamera):
        return _ortho(spec, corners, viewport, shape_zyx)
    if isinstance(spec, OrbitCamera):
        return orbit_camera(corners, viewport, spec)
    return _look_at(spec, corners, viewport)


def orbit_camera(
    corners: NDArray[np.float64],
    viewport: tuple[int, int],
    spec: OrbitCamera,
    *,
    fov: float = 35.0,
) -> CameraState:
    """Look at the centre of a volume from an angle, with all of it in the picture.

    Parameters
    ----------
    corners : ndarray, shape (n, 3)
        Corners of the volume (z, y, x), world.
    viewport : tuple of int
        Width and height, pixels.
    spec : OrbitCamera
        Azimuth and elevation, degrees, and zoom.
    fov : float
        Full vertical angle of view, degrees.
    """
    az, el = radians(spec.azimuth), radians(spec.elevation)
    forward = np.array([cos(el) * cos(az), sin(el), -cos(el) * sin(az)])
    up = np.array([sin(el) * cos(az), -cos(el), -sin(el) * sin(az)])
    centre = (corners.min(axis=0) + corners.max(axis=0)) / 2
    camera = CameraState(
        _vec(centre - forward), _vec(centre), _vec(up), viewport, fov=fov
    )
    distance = fitting_distance(camera, corners - centre) / spec.zoom
    position = centre - forward * distance
    return CameraState(_vec(position), _vec(centre), _vec(up), viewport, fov=fov)


def fitting_distance(camera: CameraState, offsets: NDArray[np.float64]) -> float:
    """Return how far a perspective camera must be to see all of some points.

    Parameters
    ----------
    camera : CameraState
        Gives the direction, the angle of view and the picture's shape.
    offsets : ndarray, shape (n, 3)
        Points (z, y, x) from the one that is looked at, world units.
    """
    right, upward, back = camera.axes
    half = tan(radians(camera.fov) / 2)
    across = np.abs(offsets @ right) / (half * camera.width_over_height)
    along = np.abs(offsets @ upward) / half
    distance = float((np.maximum(across, along) + offsets @ back).max())
    return max(distance * MARGIN, LEAST_LENGTH)


def _ortho(
    spec: OrthoCamera,
    corners: NDArray[np.float64],
    viewport: tuple[int, int],
    shape_zyx: tuple[int, int, int],
) -> CameraState:
    low, high = corners.min(axis=0), corners.max(axis=0)
    centre, extent = (low + high) / 2, high - low
    rows, columns = _ROWS_COLUMNS[spec.axis]
    width, height = viewport
    aspect = None
    if (width, height) == (shape_zyx[columns], shape_zyx[rows]):
        # One pixel per voxel, also where voxels are not square.
        world_height = float(extent[rows])
        aspect = float(extent[columns] / extent[rows])
    else:
        world_height = float(max(extent[rows], extent[columns] * height / width))
    forward = np.array(_FORWARD[spec.axis], dtype=np.float64)
    position = centre - forward * float(extent.max())
    return CameraState(
        _vec(position),
        _vec(centre),
        _UP[spec.axis],
        viewport,
        orthographic=True,
        height=world_height,
        aspect=aspect,
    )


def _look_at(
    spec: LookAtCamera, corners: NDArray[np.float64], viewport: tuple[int, int]
) -> CameraState:
    height = spec.height
    if height is None:
        camera = CameraState(spec.position, spec.target, spec.up, viewport)
        offsets = corners - np.array(spec.target)
        across = np.abs(offsets @ camera.axes[0]).max() / camera.width_over_height
        height = 2 * float(max(across, np.abs(offsets @ camera.axes[1]).max()))
    return CameraState(
        spec.position,
        spec.target,
        spec.up,
        viewport,
        orthographic=spec.orthographic,
        fov=spec.fov,
        height=height,
    )


def _vec(values: ArrayLike) -> Vec3:
    z, y, x = (float(v) for v in np.asarray(values))
    return (z, y, x)
