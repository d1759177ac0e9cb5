"""Layers of napari as sources, and where they lie.

Layers are known by what they have, not by their class, since the core knows no napari.
A file of Imaris states the outer edges of its voxels along z, y and x and nothing else:
a layer's scaling and shift are written, a rotation or shear cannot be and is told, and
layers that lie apart do not become channels of one file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import Axis, Channel, Finding
from brickfield.sources import ChunkSource, from_arrays

F64 = NDArray[np.float64]
Rgb = tuple[int, int, int]
_LEAST_LIGHT = 0.1
TURNED = "layer-turned"
"""Code of the finding of a layer whose rotation or shear is not written."""
INVERTED = "layer-inverted"
"""Code of the finding of a layer whose largest values are drawn black."""


def is_layer(item: Any) -> bool:
    """Tell whether something has what a layer has."""
    # An array of dates raises when it is asked for its buffer, which is called `data`.
    if isinstance(item, np.ndarray):
        return False
    return all(hasattr(item, n) for n in ("data", "multiscale", "scale", "translate"))


def sources_of_layers(
    layers: Sequence[Any],
    level: int,
    regular: Callable[[Any], Any],
    *,
    is_whole: bool = True,
) -> list[ChunkSource]:
    """Make a source of each layer.

    Parameters
    ----------
    layers : sequence
        Layers of images or labels, or what describes them.
    level : int
        Finest level that is written.
    regular : callable
        Brings an array to one with a grid of chunks.
    is_whole : bool
        Whether all of them is written: the room round the tiles of a mosaic is not.

    Raises
    ------
    OptionError
        When the layers do not lie at one place.
    """
    for layer in layers:
        _check_kind(layer)
    places = [_place_of(layer) for layer in layers]
    for layer, place in zip(layers[1:], places[1:], strict=True):
        if len(place.scale) != len(places[0].scale):
            msg = (
                f"expected layers of as many axes; found {len(places[0].scale)} of"
                f" {layers[0].name!r} and {len(place.scale)} of {layer.name!r}: export"
                " each to a file of its own"
            )
            raise OptionError(msg)
        if not place.is_close(places[0]):
            msg = (
                "expected layers of one scale, rotation, position and unit, since the"
                f" channels of a file share them; found {layers[0].name!r} and"
                f" {layer.name!r} apart: export each to a file of its own"
            )
            raise OptionError(msg)
    rooms = _without_room(layers, level) if is_whole else None
    return [
        _source_of_layer(layer, place, level, regular, None if rooms is None else room)
        for layer, place, room in zip(layers, places, rooms or layers, strict=True)
    ]


def _without_room(layers: Sequence[Any], level: int) -> list[Any] | None:
    """Return the layers' images without room round the tiles of mosaics.

    None where they would not end alike then, since channels of a file have one shape.
    """
    found: dict[int, Any] = {}
    for layer in layers:
        first = _levels_of(layer)[0]
        if not hasattr(first, "without_room"):
            return None
        # The channels of an image are layers that hold it together.
        if id(first.hold) not in found:
            found[id(first.hold)] = first.without_room(level)
    ends = {None if f is None else (f.first, f.shape) for f in found.values()}
    if len(ends) != 1 or None in ends:
        return None
    return [found[id(_levels_of(layer)[0].hold)] for layer in layers]


def _levels_of(layer: Any) -> list[Any]:
    return list(layer.data) if layer.multiscale else [layer.data]


def _check_kind(layer: Any) -> None:
    """Refuse layers of points, shapes and the like, whose data are no voxels."""
    data = layer.data[0] if layer.multiscale and len(layer.data) else layer.data
    n_axes = getattr(data, "ndim", None)
    n_scales = len(layer.scale) + bool(getattr(layer, "rgb", False))
    if n_axes != n_scales:
        msg = (
            f"expected layers of images or labels; found {str(layer.name)!r}, whose data"
            " are no voxels: leave it out"
        )
        raise OptionError(msg)


@dataclass(frozen=True, eq=False)
class _Place:
    """From indices of a layer's n axes to its world.

    Attributes
    ----------
    linear : ndarray, shape (n, n)
    shift : ndarray, shape (n,)
    scale : ndarray, shape (n,)
        Voxel sizes along the layer's own axes.
    units : tuple of str
    """

    linear: NDArray[np.float64]
    shift: NDArray[np.float64]
    scale: NDArray[np.float64]
    units: tuple[str, ...]

    def is_close(self, other: _Place) -> bool:
        """Tell whether two layers with equal shapes lie upon each other."""
        if self.linear.shape != other.linear.shape or self.units != other.units:
            return False
        size = float(np.abs(other.scale).max())
        return np.allclose(
            self.linear, other.linear, 1e-6, 1e-9 * size
        ) and np.allclose(self.shift, other.shift, 1e-6, 1e-3 * size)

    @property
    def is_straight(self) -> bool:
        """Whether the layer's axes are those of the world, in their directions."""
        along = np.diagonal(self.linear)
        off = np.abs(self.linear - np.diag(along)).max(initial=0)
        return bool(off <= 1e-9 * np.abs(self.linear).max() and (along > 0).all())


def _place_of(layer: Any) -> _Place:
    """Put together what napari applies: scale, shear, rotation, shift, then the affine."""
    scale = np.asarray(layer.scale, np.float64)
    n = len(scale)
    shift = np.asarray(layer.translate, np.float64)
    linear = _rotation(getattr(layer, "rotate", None), n) @ (
        _shear(getattr(layer, "shear", None), n) * scale
    )
    affine = getattr(layer, "affine", None)
    affine = getattr(affine, "affine_matrix", affine)
    if affine is not None and np.shape(affine) == (n + 1, n + 1):
        whole = np.asarray(affine, np.float64)
        linear, shift = whole[:n, :n] @ linear, whole[:n, :n] @ shift + whole[:n, n]
    units = tuple(str(u) for u in getattr(layer, "units", None) or ())
    return _Place(linear, shift, scale, units)


def _rotation(given: Any, n: int) -> NDArray[np.float64]:
    if given is None:
        return np.eye(n)
    found = np.asarray(given, np.float64)
    if found.ndim == 0:
        angle = np.deg2rad(float(found))
        turn = np.eye(n)
        turn[-2:, -2:] = [
            [np.cos(angle), -np.sin(angle)],
            [np.sin(angle), np.cos(angle)],
        ]
        return turn
    return found if found.shape == (n, n) else np.eye(n)


def _shear(given: Any, n: int) -> NDArray[np.float64]:
    """Return a matrix; napari writes one with ones on its diagonal as a vector."""
    found = np.eye(n) if given is None else np.asarray(given, np.float64)
    if found.shape == (n * (n - 1) // 2,):
        matrix = np.eye(n)
        matrix[np.triu_indices(n, 1)] = found
        return matrix
    return found if found.shape == (n, n) else np.eye(n)


def _source_of_layer(
    layer: Any, place: _Place, level: int, regular: Callable[[Any], Any], room: Any
) -> ChunkSource:
    is_labels = hasattr(layer, "selected_label")
    levels = _levels_of(layer)[: None if level else 1]
    shift = place.shift.copy()
    if room is not None:
        levels = [one.on_store(room.store) for one in levels]
        n = min(3, len(shift))
        shift += place.linear[:, -n:] @ np.array(room.first[-n:], np.float64)
    size = np.diagonal(place.linear) if place.is_straight else np.abs(place.scale)
    sizes, shifts = _geometry(levels, size, shift)
    axes = _axes_of_layer(layer, levels[0])
    if axes is not None and axes[-1].kind == "channel":
        sizes, shifts = _with_last(sizes, 1.0), _with_last(shifts, 0.0)
    source = from_arrays(
        [regular(a) for a in levels] if len(levels) > 1 else regular(levels[0]),
        axes=axes,
        scale=sizes.tolist(),
        translation=shifts.tolist(),
        name=str(layer.name),
        is_labels=is_labels,
    )
    if len(source.info.channels) == 1 and not is_labels:
        shown = Channel(str(layer.name), _color_of_layer(layer), _window_of(layer))
        source.info = replace(source.info, channels=(shown,))
    told = _findings_on(layer, place)
    if room is not None:
        told.append(room.finding)
    source.info = replace(source.info, findings=(*source.info.findings, *told))
    return source


def _findings_on(layer: Any, place: _Place) -> list[Finding]:
    """Tell what of a layer an Imaris file cannot say."""
    found = []
    if not hasattr(layer, "selected_label") and _is_inverted(layer):
        text = (
            f"the layer {str(layer.name)!r} draws its largest values black, which an Imaris file"
            " cannot say: they are shown in the lightest colour of its colormap"
        )
        found.append(Finding("warning", INVERTED, "layer", text))
    if not place.is_straight:
        text = (
            f"the layer {str(layer.name)!r} is rotated, mirrored or sheared in napari, which an"
            " Imaris file cannot say: its voxels were written along their own axes"
        )
        found.append(Finding("warning", TURNED, "layer", text))
    return found


def _geometry(levels: Sequence[Any], size: F64, shift: F64) -> tuple[F64, F64]:
    """Return voxel size and place of each level that says them; else those of level 0.

    A pyramid says how its levels lie; of arrays it follows from their shapes.
    """
    pyramid = getattr(levels[0], "pyramid", None)
    numbers = [getattr(one, "level", None) for one in levels]
    if pyramid is None or numbers[0] != 0 or None in numbers:
        return size, shift
    n = levels[0].n_spatial
    sizes = np.repeat(size[None], len(levels), axis=0)
    shifts = np.repeat(shift[None], len(levels), axis=0)
    shifts[:, -n:] += pyramid.offset[numbers, -n:] * size[-n:]
    sizes[:, -n:] *= pyramid.downscale[numbers, -n:]
    return sizes, shifts


def _with_last(values: F64, last: float) -> F64:
    ends = np.full((*values.shape[:-1], 1), last)
    return np.concatenate([values, ends], axis=-1)


def _axes_of_layer(layer: Any, data: Any) -> list[Axis] | None:
    """Return a layer's axes, never a channel axis; None leaves the guess."""
    n = len(layer.scale)
    units: list[str | None] = [str(u) for u in getattr(layer, "units", None) or ()]
    units = [None if u == "pixel" else u for u in units]
    if len(units) != n:
        units = [None] * n
    is_rgb = bool(getattr(layer, "rgb", False))
    names = getattr(data, "axis_names", None)
    if names is None or len(names) != n:
        if not 2 <= n <= 4:
            return None
        names = ["t", "z", "y", "x"][-n:]
    axes = [
        Axis(str(name), "space" if name in ("z", "y", "x") else "time", unit)
        if name in ("t", "z", "y", "x")
        else Axis(str(name), "other", unit)
        for name, unit in zip(names, units, strict=True)
    ]
    return [*axes, Axis("c", "channel")] if is_rgb else axes


def _color_of_layer(layer: Any) -> Rgb | None:
    """Return the colour of the largest value; the lightest of a map that ends in black."""
    colors = getattr(getattr(layer, "colormap", None), "colors", None)
    if colors is None or not len(colors):
        return None
    shown = colors[-1]
    if _is_dark(shown):
        shown = max(colors, key=lambda color: sum(map(float, color[:3])))
    r, g, b = (round(float(v) * 255) for v in shown[:3])
    return (r, g, b)


def _is_inverted(layer: Any) -> bool:
    colors = getattr(getattr(layer, "colormap", None), "colors", None)
    return colors is not None and len(colors) > 1 and _is_dark(colors[-1])


def _is_dark(color: Any) -> bool:
    """Whether a channel of that colour would not be seen in Imaris, whose ground is black."""
    return max(map(float, color[:3])) < _LEAST_LIGHT


def _window_of(layer: Any) -> tuple[float, float] | None:
    limits = getattr(layer, "contrast_limits", None)
    if limits is None:
        return None
    low, high = (float(v) for v in limits)
    return (low, high) if low < high else None
