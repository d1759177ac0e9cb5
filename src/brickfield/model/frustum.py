"""What a camera can see: six planes and eight corners, world, (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass

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
        """Derive it from a camera."""
        m = camera.world_to_clip
        x, y, z, w = m
        planes = np.stack([w + x, w - x, w + y, w - y, z, w - z])
        planes = planes / np.linalg.norm(planes[:, :3], axis=1, keepdims=True)
        ndc = np.array(
            [
                [cx, cy, cz, 1.0]
                for cz in (0.0, 1.0)
                for cx, cy in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
        )
        world = ndc @ np.linalg.inv(m).T
        corners = (world[:, :3] / world[:, 3:]).reshape(2, 4, 3)
        return cls(planes, corners)

    def with_planes(self, planes: NDArray[np.float64]) -> Frustum:
        """Return the frustum cut by further planes, rows (nz, ny, nx, d)."""
        return Frustum(np.vstack([self.planes, planes]), self.corners)
