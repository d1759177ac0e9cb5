"""Places, directions and sizes as Neuroglancer writes them, and ours.

Neuroglancer counts positions in steps of its ``dimensions`` (a length and a unit for
each axis) and draws up to three of them, the first to the right, the second down and
the third away, before an orientation turns them. The orientation is a quaternion
(x, y, z, w) in the space of lengths: its matrix has as columns what points right,
down and away in the picture. Zoom is counted in *canonical voxels*, the shortest step
of the drawn axes: their number for a pixel of a slice, or for the height of a volume.

Ours are world coordinates (z, y, x). A rotation is here a matrix whose columns are
right, down and away, components (x, y, z).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import radians, sqrt, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.model import CameraState, Vec3

F64 = NDArray[np.float64]
Quaternion = tuple[float, float, float, float]
"""x, y, z, w; of unit length."""
IDENTITY: Quaternion = (0.0, 0.0, 0.0, 1.0)
_PREFIXES = {
    "": 0, "k": 3, "M": 6, "G": 9, "h": 2, "d": -1, "c": -2, "m": -3,
    "u": -6, "µ": -6, "μ": -6, "n": -9, "p": -12, "f": -15, "a": -18,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Turn:
    """A way to look: what points right, down and away, unit vectors (z, y, x)."""

    right: Vec3
    down: Vec3
    away: Vec3

    @classmethod
    def of_camera(cls, camera: CameraState) -> Turn:
        """Return the way that a camera looks."""
        right, up, back = camera.axes
        return cls(_vec(right), _vec(-up), _vec(-back))

    @classmethod
    def of_matrix(cls, matrix: F64) -> Turn:
        """Take the columns of a rotation, components (x, y, z)."""
        return cls(*(_vec(column[::-1]) for column in matrix.T))

    @property
    def matrix(self) -> F64:
        """Columns right, down, away; components (x, y, z); shape (3, 3)."""
        return np.array([self.right, self.down, self.away])[:, ::-1].T


def quaternion_of(matrix: F64) -> Quaternion:
    """Return the quaternion of a rotation matrix, w at least 0.

    Parameters
    ----------
    matrix : ndarray, shape (3, 3)
        A proper rotation.
    """
    m = matrix
    # The largest of the four is found without a loss of digits; the others follow.
    squares = np.array(
        [
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
            1 + m[0, 0] + m[1, 1] + m[2, 2],
        ]
    )
    i = int(np.argmax(squares))
    whole = np.array(
        [
            [squares[0], m[1, 0] + m[0, 1], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[1, 0] + m[0, 1], squares[1], m[2, 1] + m[1, 2], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[2, 1] + m[1, 2], squares[2], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], squares[3]],
        ]
    )[i]
    found = whole / (2 * sqrt(squares[i]))
    if found[3] < 0:
        found = -found
    x, y, z, w = (float(v) + 0.0 for v in found)
    return (x, y, z, w)


def matrix_of(quaternion: Quaternion) -> F64:
    """Return the rotation matrix of a quaternion of any length but zero."""
    x, y, z, w = np.array(quaternion) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def height_at_target(camera: CameraState) -> float:
    """Return how many world units the picture is high where the camera looks to."""
    if camera.orthographic:
        return camera.height
    away = float(np.linalg.norm(np.subtract(camera.position, camera.target)))
    return 2 * away * tan(radians(camera.fov) / 2)


def looking(
    camera: CameraState, turn: Turn, height: float, target: Vec3
) -> tuple[Vec3, Vec3]:
    """Return position and up of a camera that looks another way.

    Parameters
    ----------
    camera : CameraState
        Its angle of view (perspective) or distance (parallel rays) is kept.
    turn : Turn
    height : float
        World units that the picture shall be high at the target.
    target : tuple of float
        World (z, y, x).
    """
    away = float(np.linalg.norm(np.subtract(camera.position, camera.target)))
    if not camera.orthographic:
        away = height / 2 / tan(radians(camera.fov) / 2)
    position = np.array(target) - away * np.array(turn.away)
    return _vec(position), _vec(-np.array(turn.down))


def si_unit(text: str) -> tuple[float, str] | None:
    """Split a unit as ``"nm"`` into a factor and its base unit, ``(1e-9, "m")``.

    Returns
    -------
    tuple or None
        The base is "m", "s" or "" (no unit); None for anything else.
    """
    if text == "":
        return (1.0, "")
    prefix, base = text[:-1], text[-1]
    if base not in ("m", "s") or prefix not in _PREFIXES:
        return None
    return (float(f"1e{_PREFIXES[prefix]}"), base)


def _vec(values: F64) -> Vec3:
    z, y, x = (float(v) + 0.0 for v in values)
    return (z, y, x)
