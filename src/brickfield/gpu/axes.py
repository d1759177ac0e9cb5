"""Conversions between data order (z, y, x) and GPU order (x, y, z).

Everything above :mod:`brickfield.gpu` is in data order. Textures, shaders and
pygfx expect (x, y, z), widths before heights. Only the functions here turn one
into the other, so that a swapped axis has one place to hide.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_FLIP = np.array(
    [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=np.float64
)


def to_xyz(values_zyx: ArrayLike) -> NDArray[np.float64]:
    """Reverse the last axis of values of shape (..., 3): (z, y, x) to (x, y, z)."""
    return np.asarray(values_zyx, dtype=np.float64)[..., ::-1]


def matrix_to_xyz(matrix_zyx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert a map of (z, y, x, 1) points, shape (4, 4), into one of (x, y, z, 1)."""
    return _FLIP @ matrix_zyx @ _FLIP
