"""napari's points, surfaces, shapes, vectors and tracks as values that views draw.

A layer becomes one frozen value in its last three axes; what lies elsewhere on the axes
moved along by sliders is left out, as napari's own 3D canvas does.

:class:`NapariObjectPort` follows one such layer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError
from brickfield.plugin.layers.transforms import n_spatial, world_of
from brickfield.plugin.napari_names import kind_of
from brickfield.rendering import SYMBOLS, Lines, ObjectValue, Points, Shading, Surface

F64 = NDArray[np.float64]
CURVE_POINTS = 64
"""Points that an ellipse is drawn with."""


def is_object(layer: Any) -> bool:
    """Whether a layer is drawn as opaque objects."""
    return kind_of(layer) in _MAKERS and layer.ndim >= 2


def object_value(layer: Any, point: tuple[float, ...]) -> ObjectValue | None:
    """Return what a layer shows at a place of the sliders; None for nothing.

    Parameters
    ----------
    layer : napari layer
        Points, Surface, Shapes, Vectors or Tracks.
    point : tuple of float
        World coordinates of all the viewer's axes.
    """
    return _MAKERS[kind_of(layer)](layer, point)


def _common(layer: Any) -> dict[str, Any]:
    return {
        "world": world_of(layer),
        "opacity": float(layer.opacity),
        "visible": bool(layer.visible),
    }


def _spatial(coordinates: Any, ndim: int) -> F64:
    """Return the last three columns; a flat layer lies at z = 0."""
    rows = np.asarray(coordinates, dtype=np.float64).reshape(-1, ndim)
    k = min(3, ndim)
    return np.hstack([np.zeros((len(rows), 3 - k)), rows[:, ndim - k :]])


def _is_here(
    layer: Any, coordinates: Any, point: tuple[float, ...]
) -> NDArray[np.bool_]:
    """Tell which rows lie at the sliders' place on the other axes."""
    ndim = int(layer.ndim)
    n_other = ndim - n_spatial(layer)
    rows = np.asarray(coordinates, dtype=np.float64).reshape(-1, ndim)
    if not n_other:
        return np.ones(len(rows), dtype=np.bool_)
    world = np.zeros(ndim)
    here = np.asarray(point, dtype=np.float64)[-ndim:]
    world[ndim - len(here) :] = here
    at = np.asarray(layer.world_to_data(world), dtype=np.float64)[:n_other]
    return np.asarray((np.abs(rows[:, :n_other] - np.rint(at)) <= 0.5).all(axis=1))


def _points(layer: Any, point: tuple[float, ...]) -> ObjectValue | None:
    is_seen = _is_here(layer, layer.data, point) & np.asarray(layer.shown, dtype=bool)
    if not is_seen.any():
        return None
    names = [str(s) for s in np.asarray(layer.symbol)[is_seen]]
    sizes = np.asarray(layer.size, dtype=np.float64)[is_seen]
    borders = np.asarray(layer.border_width, dtype=np.float64)[is_seen]
    if not layer.border_width_is_relative:
        borders = borders / np.maximum(sizes, 1e-9)
    scale = float(np.abs(np.asarray(layer.scale)[-n_spatial(layer) :]).mean())
    return Points(
        positions=_spatial(layer.data, layer.ndim)[is_seen],
        sizes=(sizes * scale).astype(np.float32),
        colors=np.asarray(layer.face_color, dtype=np.float32)[is_seen],
        border_colors=np.asarray(layer.border_color, dtype=np.float32)[is_seen],
        border_width=float(np.median(borders)),
        symbols=tuple(_SYMBOLS.get(n, n if n in SYMBOLS else "disc") for n in names),
        **_common(layer),
    )


_SYMBOLS = {"hbar": "cross", "vbar": "cross", "tailed_arrow": "arrow"}


def _surface(layer: Any, point: tuple[float, ...]) -> ObjectValue | None:
    vertices, faces = layer.data[0], layer.data[1]
    is_here = _is_here(layer, vertices, point)
    faces = np.asarray(faces)[is_here[np.asarray(faces)].all(axis=1)]
    if not len(faces):
        return None
    return Surface(
        vertices=_spatial(vertices, layer.ndim),
        faces=faces,
        colors=_vertex_colors(layer, len(vertices)),
        shading=cast("Shading", str(layer.shading)),
        **_common(layer),
    )


def _vertex_colors(layer: Any, n: int) -> NDArray[np.float32]:
    if layer.vertex_colors is not None:
        given = np.asarray(layer.vertex_colors, dtype=np.float32)
        return given.reshape(-1, given.shape[-1])[-n:]
    values = np.asarray(layer.vertex_values, dtype=np.float64)
    values = values.reshape(-1, n)[0] if values.size >= n else np.ones(n)
    low, high = layer.contrast_limits
    at = np.clip((values - low) / ((high - low) or 1.0), 0, 1) ** float(layer.gamma)
    return np.asarray(layer.colormap.map(at), dtype=np.float32)


def _shapes(layer: Any, point: tuple[float, ...]) -> ObjectValue | None:
    paths, colors, widths = [], [], []
    edges = np.asarray(layer.edge_color, dtype=np.float32)
    for corners, kind, color, width in zip(
        layer.data, layer.shape_type, edges, layer.edge_width, strict=True
    ):
        if _is_here(layer, corners, point).all():
            paths.append(_outline(_spatial(corners, layer.ndim), str(kind)))
            colors.append(color)
            widths.append(float(width))
    if not paths:
        return None
    scale = float(np.abs(np.asarray(layer.scale)[-n_spatial(layer) :]).mean())
    return Lines(
        paths=tuple(paths),
        colors=np.array(colors),
        width=max(float(np.median(widths)) * scale, 1e-6),
        width_unit="world",
        **_common(layer),
    )


def _outline(corners: F64, kind: str) -> F64:
    if kind == "ellipse" and len(corners) == 4:
        centre = corners.mean(axis=0)
        one, two = (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
        angle = np.linspace(0, 2 * np.pi, CURVE_POINTS + 1)[:, None]
        return np.asarray(centre + np.cos(angle) * one + np.sin(angle) * two)
    if kind in ("path", "line"):
        return corners
    return np.vstack([corners, corners[:1]])


def _vectors(layer: Any, point: tuple[float, ...]) -> ObjectValue | None:
    data = np.asarray(layer.data, dtype=np.float64)
    is_here = _is_here(layer, data[:, 0], point)
    if not is_here.any():
        return None
    starts = _spatial(data[is_here, 0], layer.ndim)
    ways = _spatial(data[is_here, 1], layer.ndim) * float(layer.length)
    return Lines(
        paths=tuple(np.stack([a, a + b]) for a, b in zip(starts, ways, strict=True)),
        colors=np.asarray(layer.edge_color, dtype=np.float32)[is_here],
        width=max(float(layer.edge_width), 1e-6),
        width_unit="world",
        **_common(layer),
    )


def _tracks(layer: Any, point: tuple[float, ...]) -> ObjectValue | None:
    rows = np.asarray(layer.data, dtype=np.float64)
    if not len(rows):
        return None
    # Columns are ID, time, (z,) y, x; all of a track's way is drawn.
    places = _spatial(rows[:, 2:], rows.shape[1] - 2)
    colors = np.asarray(layer.track_colors, dtype=np.float32)
    ends = np.flatnonzero(np.diff(rows[:, 0])) + 1
    paths = [p for p in np.split(places, ends) if len(p) > 1]
    tints = [c for c in np.split(colors, ends) if len(c) > 1]
    if not paths:
        return None
    return Lines(
        paths=tuple(paths),
        colors=np.concatenate(tints),
        width=float(layer.tail_width),
        width_unit="px",
        **_common(layer),
    )


_MAKERS: dict[str, Callable[[Any, tuple[float, ...]], ObjectValue | None]] = {
    "points": _points,
    "surface": _surface,
    "shapes": _shapes,
    "vectors": _vectors,
    "tracks": _tracks,
}


logger = logging.getLogger(__name__)

_EVENTS = (
    "data", "size", "face_color", "border_color", "edge_color", "border_width",
    "edge_width", "symbol", "shown", "opacity", "visible", "scale", "translate",
    "rotate", "shear", "affine", "colormap", "contrast_limits", "gamma", "shading",
    "vertex_colors", "length", "color_by", "tail_width", "features", "set_data",
)  # fmt: skip
"""Events after which a layer may look otherwise; those that it has are listened to."""


class NapariObjectPort:
    """Keeps the value of a layer, and makes it again when something changed.

    Parameters
    ----------
    layer : napari layer
    point : tuple of float
        The viewer's position on all axes, world.
    changed : callable
        Called without arguments when the value has to be asked for again.
    """

    def __init__(
        self, layer: Any, point: tuple[float, ...], changed: Callable[[], None]
    ) -> None:
        self.layer = layer
        self._point = point
        self._changed = changed
        self._value: ObjectValue | None = None
        self._is_stale = True
        for name in _EVENTS:
            if name in layer.events.emitters:
                layer.events.emitters[name].connect(self._on_change)

    @property
    def value(self) -> ObjectValue | None:
        """What is shown; None for nothing."""
        if self._is_stale:
            self._is_stale = False
            try:
                self._value = object_value(self.layer, self._point)
            except (BrickfieldError, ValueError, TypeError) as error:
                logger.warning("%s is not drawn in 3D: %s", self.layer.name, error)
                self._value = None
        return self._value

    def _on_change(self, _event: Any = None) -> None:
        self._is_stale = True
        self._changed()

    def move_to(self, point: tuple[float, ...]) -> None:
        """Follow the viewer's sliders."""
        n_other = int(self.layer.ndim) - min(3, int(self.layer.ndim))
        is_other = point[: len(point) - 3] != self._point[: len(self._point) - 3]
        self._point = point
        if n_other and is_other:
            self._on_change()

    def close(self) -> None:
        """Disconnect from all signals."""
        for name in _EVENTS:
            if name in self.layer.events.emitters:
                self.layer.events.emitters[name].disconnect(self._on_change)
