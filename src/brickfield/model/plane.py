"""A plane in the world, as one frozen value: what a slice view shows.

A plane belongs to a view, never to a layer. It is given by a point and a normal in
world units, order (z, y, x). Which way round it is looked at does not depend on the
sign of the normal but on the axis that the normal is nearest to, so that a slice is
never mirrored: across z it has rows y and columns x, across y rows z and columns x,
across x rows z and columns y, the first voxel in the upper left corner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError
from brickfield.model.scales import Vec3
from brickfield.model.transforms import AffineTransform

SIGHT: tuple[Vec3, Vec3, Vec3] = ((1, 0, 0), (0, -1, 0), (0, 0, 1))
"""Direction in which one looks at a slice across z, y, x."""
UP: tuple[Vec3, Vec3, Vec3] = ((0, -1, 0), (-1, 0, 0), (-1, 0, 0))
"""Direction of the picture's upper edge there."""
_ALONG_AXIS = 1e-9


@dataclass(frozen=True)
class Plane:
    """A plane through a point.

    Attributes
    ----------
    point : tuple of float
        World (z, y, x).
    normal : tuple of float
        World direction (z, y, x); kept with length 1.

    Raises
    ------
    OptionError
        If a number is not finite or the normal has no length.
    """

    point: Vec3
    normal: Vec3

    def __post_init__(self) -> None:
        point = np.asarray(self.point, dtype=np.float64)
        normal = np.asarray(self.normal, dtype=np.float64)
        if point.shape != (3,) or not np.isfinite(point).all():
            msg = f"expected three numbers (z, y, x) as a plane's point; found {point}"
            raise OptionError(msg)
        size = float(np.linalg.norm(normal)) if normal.shape == (3,) else 0.0
        if not 0 < size < np.inf:
            msg = (
                "expected a direction (z, y, x) with a length as a plane's normal;"
                f" found {normal}"
            )
            raise OptionError(msg)
        object.__setattr__(self, "point", vec3(point))
        object.__setattr__(self, "normal", vec3(normal / size))

    @classmethod
    def across(cls, axis: int, position: float) -> Plane:
        """Return the plane across an axis at a world coordinate.

        Parameters
        ----------
        axis : int
            z (0), y (1) or x (2).
        position : float
            World coordinate along that axis.
        """
        point, normal = np.zeros(3), np.zeros(3)
        point[axis], normal[axis] = position, 1.0
        return cls(vec3(point), vec3(normal))

    @property
    def axis(self) -> int | None:
        """The axis that it lies across, None for an oblique plane."""
        is_one = np.abs(np.abs(self.normal) - 1) < _ALONG_AXIS
        return int(np.argmax(is_one)) if is_one.any() else None

    @property
    def row(self) -> NDArray[np.float64]:
        """Its equation (nz, ny, nx, d), shape (4,): the distance of p is ``n . p + d``."""
        normal = np.array(self.normal)
        return np.append(normal, -normal @ np.array(self.point))

    def distance(self, points: ArrayLike) -> NDArray[np.float64]:
        """Return signed distances of points, shape (..., 3) to (...)."""
        row = self.row
        return np.asarray(np.asarray(points, dtype=np.float64) @ row[:3] + row[3])

    def nearest(self, point: ArrayLike) -> Vec3:
        """Return the point of the plane that is nearest to another one."""
        p = np.asarray(point, dtype=np.float64)
        return vec3(p - self.distance(p) * np.array(self.normal))

    def met_by(self, origin: ArrayLike, direction: ArrayLike) -> Vec3:
        """Return where a line meets the plane; if it never does, the nearest point.

        Parameters
        ----------
        origin : array-like, shape (3,)
            A point of the line (z, y, x), world.
        direction : array-like, shape (3,)
            Of the line (z, y, x), any length.
        """
        start = np.asarray(origin, dtype=np.float64)
        along = np.asarray(direction, dtype=np.float64)
        slope = float(along @ np.array(self.normal))
        if abs(slope) <= _ALONG_AXIS * float(np.linalg.norm(along)):
            return self.nearest(start)
        return vec3(start - along * (self.distance(start) / slope))

    def moved(self, distance: float) -> Plane:
        """Return the plane that lies this far on in the direction of its normal."""
        shifted = np.array(self.point) + distance * np.array(self.normal)
        return replace(self, point=vec3(shifted))

    @cached_property
    def axes(self) -> NDArray[np.float64]:
        """Down, right and sight: rows and columns of its picture, and into it.

        Returns
        -------
        ndarray, shape (3, 3)
            Unit vectors, components (z, y, x).
        """
        normal = np.array(self.normal)
        main = int(np.argmax(np.abs(normal)))
        sight = normal * (np.sign(normal @ np.array(SIGHT[main])) or 1.0)
        down = -np.array(UP[main], dtype=np.float64)
        down -= (down @ sight) * sight
        down /= np.linalg.norm(down)
        # As a camera's, which looks along the sight with up to the first row.
        return np.stack([down, np.cross(sight, down), sight]) + 0.0

    def in_data(self, world: AffineTransform) -> NDArray[np.float64]:
        """Return its equation, shape (4,), for points (z, y, x) of a layer's data space.

        The values of the equation are still distances in the world.
        """
        row: NDArray[np.float64] = self.row @ world.matrix
        return row


def vec3(values: ArrayLike) -> Vec3:
    """Return three numbers as a tuple of float."""
    z, y, x = (float(v) for v in np.asarray(values))
    return (z, y, x)
