"""Images as they are shown before all of them is known, or on another scale."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def filled(image: NDArray[Any]) -> NDArray[Any]:
    """Fill lines of a preview that nothing is known of from those next to them.

    Parameters
    ----------
    image : ndarray, shape (scan y, scan x)
        0 where nothing was read yet.

    Returns
    -------
    ndarray, shape (scan y, scan x)
        A copy.
    """
    known = np.flatnonzero(image.any(axis=1))
    if not len(known):
        return image.copy()
    rows = np.arange(len(image))
    nearest = known[np.abs(rows[:, None] - known[None, :]).argmin(axis=1)]
    return np.asarray(image[nearest])


def logarithm(pattern: NDArray[Any]) -> NDArray[np.float32]:
    """Return log(1 + pattern), same shape; values below 0 count as 0."""
    return np.asarray(np.log1p(np.maximum(pattern, 0), dtype=np.float32))
