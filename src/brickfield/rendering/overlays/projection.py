"""World lines as lines on the screen, in double precision.

Lines are projected and clipped here and not in a shader: single precision would
make them tremble in worlds of a million voxels, and what crosses the plane of the
eye has no place on a screen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.model import CameraState

_BORDER = 1.2
"""How far beyond the picture lines are kept, so that their ends stay out of it."""
_BIAS = 3e-4
"""Share of the depth range that a line is drawn nearer, to lie on surfaces."""


def project_points(
    points: ArrayLike, camera: CameraState, size: tuple[float, float]
) -> NDArray[np.float64]:
    """Return where world points are seen.

    Parameters
    ----------
    points : array_like, shape (n, 3)
        World (z, y, x).
    camera : CameraState
        With near and far round the scene.
    size : tuple of float
        Logical pixels.

    Returns
    -------
    ndarray, shape (n, 3)
        Logical pixels from the left and from the bottom, and depth, 0 to 1 between
        near and far. NaN where a point lies behind the eye.
    """
    clip = _to_clip(np.asarray(points, dtype=np.float64), camera)
    with np.errstate(divide="ignore", invalid="ignore"):
        ndc = clip[:, :3] / np.where(clip[:, 3:] > 0, clip[:, 3:], np.nan)
    return _to_pixels(ndc, size)


def project_segments(
    segments: NDArray[np.float64],
    camera: CameraState,
    size: tuple[float, float],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Project and clip line segments.

    Parameters
    ----------
    segments : ndarray, shape (n, 2, 3)
        Both ends, world (z, y, x).
    camera, size
        As for :func:`project_points`.

    Returns
    -------
    lines : ndarray, shape (m, 2, 3)
        Logical pixels and depth; a hair nearer than in truth.
    index : ndarray, shape (m,)
        Which segment each line is a part of.
    """
    a = _to_clip(segments[:, 0], camera)
    b = _to_clip(segments[:, 1], camera)
    low, high = np.zeros(len(a)), np.ones(len(a))
    for plane in _planes():
        da, db = a @ plane, b @ plane
        with np.errstate(divide="ignore", invalid="ignore"):
            cut = da / (da - db)
        low = np.where((da < 0) & (db >= 0), np.maximum(low, cut), low)
        high = np.where((da >= 0) & (db < 0), np.minimum(high, cut), high)
        high = np.where((da < 0) & (db < 0), -1.0, high)
    index = np.flatnonzero(low < high)
    a, b = a[index], b[index]
    ends = [a + t[index, None] * (b - a) for t in (low, high)]
    ndc = np.stack([end[:, :3] / end[:, 3:] for end in ends], axis=1)
    lines = _to_pixels(ndc.reshape(-1, 3), size).reshape(-1, 2, 3)
    # Just before the far plane, where an empty picture's depth is.
    lines[..., 2] = np.clip(nearer(lines[..., 2], camera), 0.0, 1 - 1e-6)
    return lines, index


def nearer(
    depth: NDArray[np.float64], camera: CameraState, share: float = _BIAS
) -> NDArray[np.float64]:
    """Move depths towards the eye.

    Parameters
    ----------
    depth : ndarray, any shape
        Clip depth, 0 (near) to 1 (far).
    camera : CameraState
    share : float
        Of the range from near to far.

    Returns
    -------
    ndarray, same shape
    """
    near, far = camera.near, camera.far
    step = share * (far - near)
    if camera.orthographic:
        return depth - share
    z = near * far / (far - depth * (far - near))
    z = np.maximum(z - step, near)
    moved: NDArray[np.float64] = far / (far - near) * (1 - near / z)
    return moved


def _planes() -> NDArray[np.float64]:
    """What has a product of 0 or more with all rows is in the (widened) picture."""
    rows = [[0.0, 0.0, 0.0, 1.0]]
    for axis in (0, 1):
        for sign in (1.0, -1.0):
            row = [0.0, 0.0, 0.0, _BORDER]
            row[axis] = sign
            rows.append(row)
    # Nearer than near by a rounding error is still in the picture.
    rows.append([0.0, 0.0, 1.0, 1e-6])
    return np.array(rows)


def _to_clip(points: NDArray[np.float64], camera: CameraState) -> NDArray[np.float64]:
    # From the eye first: what is subtracted early keeps its digits.
    view = (points - np.array(camera.position)) @ camera.axes.T
    flat = np.hstack([view, np.ones((len(view), 1))])
    clip: NDArray[np.float64] = flat @ camera.projection_matrix.T
    return clip


def _to_pixels(
    ndc: NDArray[np.float64], size: tuple[float, float]
) -> NDArray[np.float64]:
    out = ndc.copy()
    out[:, 0] = (ndc[:, 0] + 1) / 2 * size[0]
    out[:, 1] = (ndc[:, 1] + 1) / 2 * size[1]
    return out
