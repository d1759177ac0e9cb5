"""The camera as one frozen value, in world units and data order (z, y, x).

A camera looks from ``position`` to ``target`` with ``up`` pointing to the first
row of the picture. The triple (right, up, backward) is right-handed in
(x, y, z), so that nothing is ever mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import floor, radians, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.model.scales import Vec3


def physical_size(size: tuple[int, int], pixel_ratio: float) -> tuple[int, int]:
    """Return width and height in physical pixels, at least 1 each.

    Rounds half up, as Qt does for what it puts on the screen; Python's `round` goes
    to the even number, and a picture of another size would be stretched.

    Parameters
    ----------
    size : tuple of int
        Width and height, logical pixels.
    pixel_ratio : float
        Physical pixels per logical one.
    """
    width, height = (max(1, floor(n * pixel_ratio + 0.5)) for n in size)
    return (width, height)


LEAST_LENGTH = 1e-150
"""In place of no length at all, world units; its square is still a number."""


@dataclass(frozen=True)
class CameraState:
    """One moment of a camera.

    Attributes
    ----------
    position, target : tuple of float
        World coordinates (z, y, x).
    up : tuple of float
        World direction (z, y, x) that points up in the picture.
    viewport : tuple of int
        Width and height of the picture, pixels.
    orthographic : bool
    fov : float
        Full vertical angle of view, degrees (perspective).
    height : float
        World units that the picture is high (orthographic).
    aspect : float or None
        World width over world height of the picture; None takes the viewport's,
        which makes square pixels.
    near, far : float
        Distances of the clipping planes from the position, world units. An
        orthographic camera may have a negative near.
    """

    position: Vec3
    target: Vec3
    up: Vec3
    viewport: tuple[int, int]
    orthographic: bool = False
    fov: float = 45.0
    height: float = 1.0
    aspect: float | None = None
    near: float = 0.01
    far: float = 1e6

    @cached_property
    def axes(self) -> NDArray[np.float64]:
        """Right, up and backward as rows, shape (3, 3), unit length, components (z, y, x)."""
        back = np.subtract(self.position, self.target).astype(np.float64)
        length = float(np.linalg.norm(back))
        back = back / length if length > 0 else np.array([-1.0, 0.0, 0.0])
        up = np.array(self.up, dtype=np.float64)
        right = _across(up, back)
        if float(np.linalg.norm(right)) < 1e-9 * float(np.linalg.norm(up)):
            up = np.eye(3)[int(np.argmin(np.abs(back)))]
            right = _across(up, back)
        right /= np.linalg.norm(right)
        return np.stack([right, _across(back, right), back])

    @property
    def forward(self) -> NDArray[np.float64]:
        """Unit vector of sight, shape (3,), (z, y, x)."""
        forward: NDArray[np.float64] = -self.axes[2]
        return forward

    @cached_property
    def view_matrix(self) -> NDArray[np.float64]:
        """World (z, y, x, 1) to view (right, up, backward, 1), shape (4, 4)."""
        m = np.eye(4)
        m[:3, :3] = self.axes
        m[:3, 3] = -self.axes @ np.array(self.position, dtype=np.float64)
        return m

    @cached_property
    def projection_matrix(self) -> NDArray[np.float64]:
        """View to clip space, shape (4, 4), depth 0 (near) to 1 (far)."""
        n, f = self.near, self.far
        m = np.zeros((4, 4))
        if self.orthographic:
            m[0, 0] = 2 / (self.height * self.width_over_height)
            m[1, 1] = 2 / self.height
            m[2, 2] = -1 / (f - n)
            m[2, 3] = -n / (f - n)
            m[3, 3] = 1
        else:
            s = 1 / tan(radians(self.fov) / 2)
            m[0, 0] = s / self.width_over_height
            m[1, 1] = s
            m[2, 2] = -f / (f - n)
            m[2, 3] = -f * n / (f - n)
            m[3, 2] = -1
        return m

    @cached_property
    def world_to_clip(self) -> NDArray[np.float64]:
        """World (z, y, x, 1) to clip (x, y, z, w), shape (4, 4)."""
        return self.projection_matrix @ self.view_matrix

    @property
    def width_over_height(self) -> float:
        """World width over world height of the picture."""
        if self.aspect is not None:
            return self.aspect
        return self.viewport[0] / self.viewport[1]

    @property
    def pixels_per_unit(self) -> float:
        """Pixels a world unit covers: at distance 1 (perspective) or anywhere.

        The larger of the two directions when pixels are not square.
        """
        w, h = self.viewport
        height = self.height if self.orthographic else 2 * tan(radians(self.fov) / 2)
        return max(h, w / self.width_over_height) / height

    def with_depth_range(self, corners: NDArray[np.float64]) -> CameraState:
        """Return the camera with near and far set round world points.

        Parameters
        ----------
        corners : ndarray, shape (n, 3)
            Points (z, y, x) that must not be clipped.
        """
        depth = (corners - np.array(self.position)) @ self.forward
        # Relative to the depth: a length has no smallest value, only a unit.
        rounding = max(1e-9 * float(np.abs(depth).max()), LEAST_LENGTH)
        margin = 1e-3 * max(float(np.ptp(depth)), rounding)
        low, high = float(depth.min()) - margin, float(depth.max()) + margin
        if not self.orthographic:
            high = max(high, rounding)
            low = max(low, high * 1e-5)
        return replace(self, near=low, far=max(high, low + rounding))


def _across(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vector across two others, components (z, y, x), right-handed in x, y, z.

    Of one pair :func:`numpy.cross` takes thirty times as long as the products.
    """
    # The cross product of (z, y, x) triples is minus that of (x, y, z) ones.
    (a0, a1, a2), (b0, b1, b2) = a.tolist(), b.tolist()
    return np.array([a2 * b1 - a1 * b2, a0 * b2 - a2 * b0, a1 * b0 - a0 * b1])
