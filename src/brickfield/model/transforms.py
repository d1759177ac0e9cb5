"""Affine transforms in data order (z, y, x)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.model.scales import ScaleLevel


@dataclass(frozen=True, slots=True)
class AffineTransform:
    """A map ``y = linear @ x + shift`` of (z, y, x) points.

    Attributes
    ----------
    rows : tuple of tuple of float
        The upper three rows of the 4x4 matrix, columns (z, y, x, 1).
    """

    rows: tuple[tuple[float, float, float, float], ...] = (
        (1.0, 0.0, 0.0, 0.0),
        (0.0, 1.0, 0.0, 0.0),
        (0.0, 0.0, 1.0, 0.0),
    )

    @classmethod
    def from_matrix(cls, matrix: ArrayLike) -> AffineTransform:
        """Make one from a (3, 4) or (4, 4) matrix, columns (z, y, x, 1)."""
        m = np.asarray(matrix, dtype=np.float64)
        a, b, c = ((float(w), float(x), float(y), float(z)) for w, x, y, z in m[:3])
        return cls((a, b, c))

    @classmethod
    def from_scale(
        cls, scale: ArrayLike, translation: ArrayLike = (0.0, 0.0, 0.0)
    ) -> AffineTransform:
        """Make the transform of a voxel size and a translation.

        Parameters
        ----------
        scale : array-like, shape (3,)
            World units per voxel (z, y, x).
        translation : array-like, shape (3,)
            World coordinates of the origin (z, y, x).
        """
        m = np.eye(4)
        m[:3, :3] = np.diag(np.asarray(scale, dtype=np.float64))
        m[:3, 3] = translation
        return cls.from_matrix(m)

    @classmethod
    def of_level(cls, level: ScaleLevel) -> AffineTransform:
        """Level space to world: voxel size and translation."""
        return cls.from_scale(level.voxel_size_zyx, level.translation_zyx)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The homogeneous matrix, shape (4, 4), (z, y, x, 1)."""
        return np.vstack([np.array(self.rows, dtype=np.float64), [0.0, 0.0, 0.0, 1.0]])

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Length of what one step along each axis (z, y, x) becomes, shape (3,)."""
        lengths: NDArray[np.float64] = np.linalg.norm(self.matrix[:3, :3], axis=0)
        return lengths

    @property
    def inverse(self) -> AffineTransform:
        """The inverse map."""
        return AffineTransform.from_matrix(np.linalg.inv(self.matrix))

    def __matmul__(self, other: AffineTransform) -> AffineTransform:
        """Compose: first `other`, then this."""
        return AffineTransform.from_matrix(self.matrix @ other.matrix)

    def apply(self, points: ArrayLike) -> NDArray[np.float64]:
        """Map points, shape (..., 3), (z, y, x)."""
        m = self.matrix
        return np.asarray(points, dtype=np.float64) @ m[:3, :3].T + m[:3, 3]
