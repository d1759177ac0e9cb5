"""Turns in a camera's own frame, where handedness cannot go wrong.

A camera's axes (right, up, backward) are a right-handed frame, whatever the order
in which their components are written. Every matrix here acts on that frame:
``turned(camera, matrix)`` turns the *scene* by it as the viewer sees it, and the
camera the other way. The frame is orthonormal again after every turn, so drift
cannot build up.
"""

from __future__ import annotations

from dataclasses import replace
from math import cos, isfinite, sin

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.model import CameraState, Vec3

Matrix = NDArray[np.float64]


def vec(values: ArrayLike) -> Vec3:
    """Return three numbers as a tuple of floats."""
    a, b, c = np.asarray(values, dtype=np.float64).tolist()
    return (a, b, c)


def about(axis: ArrayLike, angle: float) -> Matrix:
    """Return the right-handed rotation about an axis, shape (3, 3).

    Parameters
    ----------
    axis : array-like, shape (3,)
        Components along right, up and backward; any length but zero.
    angle : float
        Radians.
    """
    x, y, z = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    matrix: Matrix = np.eye(3) + sin(angle) * cross + (1 - cos(angle)) * cross @ cross
    return matrix


def between(start: ArrayLike, end: ArrayLike) -> Matrix:
    """Return the shortest rotation from one unit direction to another, (3, 3).

    Parameters
    ----------
    start : array-like, shape (3,)
        Unit length.
    end : array-like, shape (3,)
        Unit length.

    Returns
    -------
    ndarray, shape (3, 3)
        Applied from the left to column vectors.
    """
    a = np.asarray(start, dtype=np.float64)
    b = np.asarray(end, dtype=np.float64)
    axis = np.cross(a, b)
    length = float(np.linalg.norm(axis))
    if length < 1e-15:
        return np.eye(3)
    return about(axis, float(np.arctan2(length, a @ b)))


def distance(camera: CameraState) -> float:
    """Return how far the target is from the eye, world units."""
    return float(np.linalg.norm(np.subtract(camera.position, camera.target)))


def turned(
    camera: CameraState, matrix: Matrix, *, round_eye: bool = False
) -> CameraState:
    """Return the camera to which the scene looks turned.

    Parameters
    ----------
    camera : CameraState
    matrix : ndarray, shape (3, 3)
        Turn of the scene, along the camera's right, up and backward.
    round_eye : bool
        The eye stays and the target moves, instead of the other way round.
    """
    _, up, back = matrix @ camera.axes
    reach = distance(camera) * back
    if round_eye:
        return settled(
            camera, replace(camera, target=vec(camera.position - reach), up=vec(up))
        )
    return settled(
        camera, replace(camera, position=vec(camera.target + reach), up=vec(up))
    )


def settled(before: CameraState, after: CameraState) -> CameraState:
    """Return `after`, or `before` if a number of `after` is not usable.

    A mouse event with a broken number must not lose the view.

    Parameters
    ----------
    before, after : CameraState
    """
    numbers = (*after.position, *after.target, *after.up, after.fov, after.height)
    usable = all(map(isfinite, numbers)) and after.height > 0
    return after if usable and distance(after) > 0 else before


def part_way(start: Matrix, end: Matrix, share: float) -> Matrix:
    """Return the frame a share of the way from one to another, the shortest way round.

    Parameters
    ----------
    start, end : ndarray, shape (3, 3)
        Axes of two cameras (:attr:`CameraState.axes`).
    share : float
        0 is the start, 1 the end; speed is even.
    """
    turn = end @ start.T
    axis = np.array(
        [turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]
    )
    sine, cosine = float(np.linalg.norm(axis)) / 2, (float(np.trace(turn)) - 1) / 2
    if cosine > 0 and sine < 1e-12:
        return end if share >= 0.5 else start
    if cosine < 0:
        # Near half a turn that axis vanishes; this one does not, but for its sign.
        outer = ((turn + turn.T) / 2 - cosine * np.eye(3)) / (1 - cosine)
        along = outer[int(np.argmax(np.diag(outer)))]
        axis = along if along @ axis >= 0 else -along
    matrix: Matrix = about(axis, share * float(np.arctan2(sine, cosine))) @ start
    return matrix
