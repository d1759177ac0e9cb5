"""Drags along a line of the world that is seen in a picture.

What a handle moves goes along one direction alone, and the handle stays under the
cursor as far as that line allows. A line that is seen end on cannot be dragged along.
Pure functions; directions and points are (z, y, x), world, pixels are the camera's.
"""

from __future__ import annotations

from math import isfinite

import numpy as np
from numpy.typing import NDArray

from brickfield.model import CameraState

__all__ = [
    "Pixel",
    "clip_w",
    "gone_along",
    "pixel_at",
    "to_camera",
    "way_of",
]

Pixel = tuple[float, float]
Vector = NDArray[np.float64]
END_ON = 0.985
"""Cosine between line and sight beyond which nothing can be dragged along it."""


def pixel_at(camera: CameraState, point: Vector) -> Vector:
    """Project a world point to the picture.

    Parameters
    ----------
    camera : CameraState
    point : ndarray, shape (3,)
        World (z, y, x).

    Returns
    -------
    ndarray, shape (2,)
        Column and row, pixels.
    """
    x, y, _, w = camera.world_to_clip @ np.append(point, 1.0)
    width, height = camera.viewport
    return np.array([(x / w + 1) / 2 * width, (1 - y / w) / 2 * height])


def clip_w(camera: CameraState, vector: Vector, *, is_point: bool = True) -> float:
    """Return the clip coordinate w: above 0 in front of the camera.

    Parameters
    ----------
    camera : CameraState
    vector : ndarray, shape (3,)
        Point or direction (z, y, x), world.
    is_point : bool
        Whether the camera's position counts; a direction has none.
    """
    row = camera.world_to_clip[3]
    return float(row[:3] @ vector + row[3] * is_point)


def to_camera(camera: CameraState, point: Vector) -> Vector:
    """Return the vector from a point to the eye; for parallel rays, their direction.

    Parameters
    ----------
    camera : CameraState
    point : ndarray, shape (3,)
        World (z, y, x).

    Returns
    -------
    ndarray, shape (3,)
        World (z, y, x).
    """
    if camera.orthographic:
        return -camera.forward
    return np.array(camera.position) - point


def way_of(
    camera: CameraState, point: Vector, direction: Vector
) -> tuple[Vector, Vector] | None:
    """Return how a line runs in the picture.

    Parameters
    ----------
    camera : CameraState
    point, direction : ndarray, shape (3,)
        The direction has length 1.

    Returns
    -------
    tuple of ndarray or None
        Unit direction in the picture and pixel of the point, each shape (2,); None
        for a line that is seen end on or begins behind the camera.
    """
    back = to_camera(camera, point)
    distance = float(np.linalg.norm(back))
    if clip_w(camera, point) <= 0 or distance == 0:
        return None
    if abs(float(back @ direction)) / distance > END_ON:
        return None
    # A short step, so that perspective does not bend the direction.
    step = 1e-3 * distance
    at = pixel_at(camera, point)
    way = pixel_at(camera, point + step * direction) - at
    length = float(np.linalg.norm(way))
    if not (isfinite(length) and length > 0):
        return None
    return way / length, at


def gone_along(
    camera: CameraState, point: Vector, direction: Vector, move_px: Pixel
) -> float | None:
    """Return how far a drag moves a point along a direction, world units.

    Parameters
    ----------
    camera : CameraState
    point, direction : ndarray, shape (3,)
        Where the drag began; the direction has length 1.
    move_px : tuple of float
        Columns and rows from where the drag began.

    Returns
    -------
    float or None
        None for a drag that means nothing.
    """
    found = way_of(camera, point, direction)
    if found is None or not (isfinite(move_px[0]) and isfinite(move_px[1])):
        return None
    way, at = found
    goal = float(way @ at + way @ np.array(move_px))
    # Along the line, a point's place on the screen (measured along the drag's
    # direction) is a fraction of two linear functions of the way gone.
    w0, w1 = clip_w(camera, point), clip_w(camera, direction, is_point=False)
    s0 = float(way @ at) * w0
    s1 = float(way @ pixel_at(camera, point + direction)) * (w0 + w1) - s0
    below = s1 - goal * w1
    if abs(below) < 1e-12 * max(abs(s1), abs(goal * w1), 1e-300):
        return None
    gone = (goal * w0 - s0) / below
    if not isfinite(gone) or w0 + gone * w1 <= 0:
        return None
    return gone
