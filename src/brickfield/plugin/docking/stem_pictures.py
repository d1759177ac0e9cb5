"""How pictures of a scan are shown as layers: their contrast, and what lies on them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.plugin.layers.make import level_of

PERCENTILES = (0.1, 99.9)
GAP = 1.06
"""From one picture to the next, in lengths of the scan."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Where positions of a scan lie in the world of napari's layers.

    Attributes
    ----------
    origin : tuple of float
        World y, x of the first position.
    step : tuple of float
        From one position to the next along y and x, world.
    units : tuple
        Units of y and x, as napari takes them.
    """

    origin: tuple[float, float] = (0.0, 0.0)
    step: tuple[float, float] = (1.0, 1.0)
    units: tuple[Any, Any] = ("pixel", "pixel")

    def place(
        self, at: tuple[int, int], shape: tuple[int, ...], scan: tuple[int, ...]
    ) -> dict[str, Any]:
        """Return where a picture lies, as high or wide as the scan is long.

        Parameters
        ----------
        at : tuple of int
            Row and column of the picture among the others.
        shape : tuple of int
            Of the picture.
        scan : tuple of int
            Lines, and positions along a line.

        Returns
        -------
        dict
            Scale, translation and units, as layers take them.
        """
        length = max(n * d for n, d in zip(scan, self.step, strict=True))
        own = self.step if shape == scan else (length / max(shape),) * 2
        # Corners of pictures meet, not centres of their first pixels.
        first = [
            o + n * length * GAP + (s - d) / 2
            for o, n, s, d in zip(self.origin, at, own, self.step, strict=True)
        ]
        return {"scale": own, "translate": tuple(first), "units": self.units}


def ground_of(layers: Iterable[Any], path: Path) -> Ground:
    """Return the world of the layer of a scan, where its pictures are those of the scan.

    Where there is none, or a layer whose pictures are the patterns, positions lie one
    pixel from each other: lengths of both kinds cannot be on one scale.

    Parameters
    ----------
    layers : iterable of napari.layers.Layer
    path : Path
        Of the scan.
    """
    for layer in layers:
        if layer.ndim == 4 and path_of(layer) == path and not shows_patterns(layer):
            (y, x), (dy, dx) = layer.translate[-2:], layer.scale[-2:]
            units = tuple(layer.units[-2:])
            return Ground((float(y), float(x)), (abs(float(dy)), abs(float(dx))), units)
    return Ground()


def shows_patterns(layer: Any) -> bool:
    """Tell whether the first sliders of a layer choose the position of a scan.

    Parameters
    ----------
    layer : napari.layers.Layer
        With four axes.
    """
    level = level_of(layer)
    return level is None or level.stored_axes[:2] == (0, 1)


def lying_on(picture: Any) -> dict[str, Any]:
    """Return the place of what lies on a picture, pixel on pixel.

    Parameters
    ----------
    picture : napari.layers.Image
    """
    return {name: getattr(picture, name) for name in ("scale", "translate", "units")}


def put_layer(layer: Any, name: str, place: Mapping[str, Any]) -> None:
    """Name a layer and lay it somewhere, as far as that is another name or place.

    Parameters
    ----------
    layer : napari.layers.Layer
    name : str
    place : mapping
        As :meth:`Ground.place` returns it.
    """
    # napari draws everything anew for each of these, also if nothing changes.
    if layer.name != name:
        layer.name = name
    for what, values in place.items():
        before = getattr(layer, what)
        is_same = (
            [str(v) for v in before] == [str(v) for v in values]
            if what == "units"
            else np.array_equal(before, values)
        )
        if not is_same:
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
    """Return the positions within the last shape that was drawn, ends one past the last.

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
