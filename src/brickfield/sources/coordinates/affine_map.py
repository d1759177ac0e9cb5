"""Affine maps between coordinate systems of any number of axes.

A map from n to m axes is an array of shape (m, n + 1), float64: it acts on column
vectors (p_0, …, p_n-1, 1), and the row of each axis that it leads to gives one
coordinate. Axes keep the order of their coordinate systems.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

F64 = NDArray[np.float64]
MOST_SINGULAR = 1e12
"""Condition number from which on a matrix cannot be undone in double precision."""


def identity(n_axes: int) -> F64:
    """Return the map that changes nothing, shape (n, n + 1)."""
    return np.eye(n_axes, n_axes + 1)


def scaled(factors: Sequence[float]) -> F64:
    """Return the map that multiplies each axis by a number, shape (n, n + 1)."""
    result = identity(len(factors))
    np.fill_diagonal(result, factors)
    return result


def shifted(offsets: Sequence[float]) -> F64:
    """Return the map that adds a number on each axis, shape (n, n + 1)."""
    result = identity(len(offsets))
    result[:, -1] = offsets
    return result


def then(first: F64, outer: F64) -> F64:
    """Compose two affine maps: `first`, then `outer`.

    Parameters
    ----------
    first : ndarray, shape (k, n + 1), float64
    outer : ndarray, shape (m, k + 1), float64

    Returns
    -------
    ndarray, shape (m, n + 1)
    """
    result: F64 = outer[:, :-1] @ first
    result[:, -1] += outer[:, -1]
    return result


def inverse(matrix: F64) -> F64 | None:
    """Return the map back, or None if there is none.

    Parameters
    ----------
    matrix : ndarray, shape (m, n + 1)
        Has a way back only if it is square (m = n), finite and not singular.
    """
    linear = matrix[:, :-1]
    if linear.shape[0] != linear.shape[1] or not np.isfinite(matrix).all():
        return None
    # A matrix is judged after its axes have been brought to one size: millimetres
    # beside nanometres are no fault.
    sizes = np.linalg.norm(linear, axis=0)
    if not sizes.all() or np.linalg.cond(linear / sizes) > MOST_SINGULAR:
        return None
    back = np.linalg.inv(linear)
    result: F64 = np.column_stack([back, -back @ matrix[:, -1]])
    return result


def apply(matrix: F64, points: ArrayLike) -> F64:
    """Map points.

    Parameters
    ----------
    matrix : ndarray, shape (m, n + 1)
    points : array-like, shape (..., n)

    Returns
    -------
    ndarray, shape (..., m), float64
    """
    at = np.asarray(points, dtype=np.float64)
    result: F64 = at @ matrix[:, :-1].T + matrix[:, -1]
    return result


def is_box(matrix: F64) -> bool:
    """Whether a map only stretches axes and shifts: square, diagonal, above zero."""
    linear = matrix[:, :-1]
    if linear.shape[0] != linear.shape[1]:
        return False
    diagonal = np.diag(linear)
    return bool((diagonal > 0).all()) and not (linear - np.diag(diagonal)).any()
