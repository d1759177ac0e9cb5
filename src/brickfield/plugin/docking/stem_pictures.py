"""How pictures of a scan are shown as layers: their contrast, and what lies on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (0.1, 99.9)


def cursor_size(shape: tuple[int, ...]) -> float:
    """Return how large the cross is over a picture of a scan, positions."""
    return max(1.0, max(shape) / 16)


def path_of(layer: Any) -> Path | None:
    """Return the file that a layer was opened from; None where there is none."""
    source = getattr(layer, "source", None)
    path = getattr(source, "path", None)
    return None if not path else Path(str(path))


def region_of(shapes: Any, scan: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """Return the positions within the last shape that was drawn, ends behind the last.

    Parameters
    ----------
    shapes : sequence of ndarray, shape (n, 2)
        Corners, in positions of the scan.
    scan : tuple of int
        Lines, and positions along a line.

    Returns
    -------
    tuple of int or None
        First row, end of rows, first column, end of columns; None where no
        position's centre lies within.
    """
    if not len(shapes):
        return None
    corners = np.asarray(shapes[-1])[:, -2:]
    first = np.maximum(np.ceil(corners.min(axis=0)), 0).astype(int)
    last = np.minimum(np.floor(corners.max(axis=0)), np.array(scan) - 1).astype(int)
    if (last < first).any():
        return None
    return (int(first[0]), int(last[0]) + 1, int(first[1]), int(last[1]) + 1)


def contrast(image: NDArray[Any]) -> tuple[float, float]:
    """Return contrast limits of an image, any shape: percentiles, never an empty range."""
    low, high = (float(v) for v in np.percentile(image, PERCENTILES))
    if not low < high:
        low, high = float(image.min()), float(image.max())
    return (low, high if high > low else low + 1.0)


def overlap(a: Any, b: Any) -> bool:
    """Tell whether the smaller of two ranges is at least a tenth of the larger."""
    common = min(a[1], b[1]) - max(a[0], b[0])
    return bool(common >= 0.1 * max(a[1] - a[0], b[1] - b[0]))


def set_contrast(layer: Any, limits: tuple[float, float]) -> None:
    """Set contrast limits of a layer, and the ends of its slider."""
    layer.contrast_limits_range = limits
    layer.contrast_limits = limits
