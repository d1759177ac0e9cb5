"""How pictures of a scan are shown as layers: their contrast, and what lies on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (0.1, 99.9)
GAP = 1.06
"""From one picture to the next, in lengths of the scan."""


def place_of(
    at: tuple[int, int], shape: tuple[int, ...], length: int
) -> dict[str, Any]:
    """Return scale and translation of a picture, each as high as the scan is long.

    Parameters
    ----------
    at : tuple of int
        Row and column of the picture among the others.
    shape : tuple of int
        Of the picture.
    length : int
        Longer side of the scan, positions.
    """
    step = length / max(shape)
    # Corners of pictures meet, not centres of their first pixels.
    start = (step - 1) / 2
    y, x = (n * length * GAP + start for n in at)
    return {"scale": (step, step), "translate": (y, x)}


def put_layer(layer: Any, name: str, place: Mapping[str, Any]) -> None:
    """Name a layer and lay it somewhere, as far as that is another name or place.

    Parameters
    ----------
    layer : napari.layers.Layer
    name : str
    place : mapping
        As :func:`place_of` returns it.
    """
    # napari draws everything anew for each of these, also if nothing changes.
    if layer.name != name:
        layer.name = name
    for what, values in place.items():
        if not np.array_equal(getattr(layer, what), values):
            setattr(layer, what, values)


def named_after(layers: Iterable[Any], name: str, roles: Sequence[str]) -> list[Any]:
    """Return the layers that are named after a scan.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
    name : str
        Of the scan.
    roles : sequence of str
        What follows its name.
    """
    named = {f"{name} {role}" for role in roles}
    # napari numbers a name that is there twice.
    return [x for x in layers if re.sub(r" \[\d+\]$", "", x.name) in named]


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


def contrast(image: NDArray[Any], *, is_part: bool = False) -> tuple[float, float]:
    """Return contrast limits of an image: percentiles, never an empty range.

    Parameters
    ----------
    image : ndarray, any shape
    is_part : bool
        Whether something is not known yet: 0 does not count then.
    """
    if is_part and image.any():
        image = image[image != 0]
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
