"""What a camera can see: six planes and eight corners, world, (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.model.camera import CameraState


@dataclass(frozen=True)
class Frustum:
    """The visible part of the world.

    Attributes
    ----------
    planes : ndarray, shape (n, 4), float64
        Rows (nz, ny, nx, d), pointing inward: a point p is inside when
        ``n . p + d >= 0`` for all planes. Six from a camera; clip planes add more.
    corners : ndarray, shape (2, 4, 3), float64
        Near and far x corner x (z, y, x), world. Corners run lower left, lower
        right, upper right, upper left.
    """

    planes: NDArray[np.float64]
    corners: NDArray[np.float64]

    @classmethod
    def from_camera(cls, camera: CameraState) -> Frustum:
        """Derive it from a camera.

        From its axes, not from the matrix: with a far plane a million times as far
        as the near one, inverting the matrix loses half of all digits.
        """
        eye = np.array(camera.position, dtype=np.float64)
        right, up, back = camera.axes
        aspect = camera.width_over_height
        depths = np.array([camera.near, camera.far])
        if camera.orthographic:
            half, slope = np.full(2, camera.height / 2), 0.0
        else:
            slope = tan(radians(camera.fov) / 2)
            half = depths * slope
        # Left, right, bottom, top: through the eye, or beside it.
        beside = 0.0 if slope else camera.height / 2
        normals = np.stack(
            [
                right - slope * aspect * back,
                -right - slope * aspect * back,
                up - slope * back,
                -up - slope * back,
                -back,
                back,
            ]
        )
        reach = np.array([beside * aspect] * 2 + [beside] * 2 + [-depths[0], depths[1]])
        lengths = np.linalg.norm(normals, axis=1)
        normals /= lengths[:, None]
        planes = np.column_stack([normals, reach / lengths - normals @ eye])
        across = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
        corners = np.empty((2, 4, 3))
        for i in range(2):
            sides = half[i] * across * [aspect, 1.0]
            corners[i] = eye - depths[i] * back + sides @ np.stack([right, up])
        return cls(planes, corners)

    def with_planes(self, planes: NDArray[np.float64]) -> Frustum:
        """Return the frustum cut by further planes, shape (n, 4), rows (nz, ny, nx, d)."""
        return Frustum(np.vstack([self.planes, planes]), self.corners)
