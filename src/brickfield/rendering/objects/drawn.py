"""One object as a pygfx object, updated in place as far as its size allows.

What hides a volume must have a depth at every pixel that it covers and none
beside, so edges are not smoothed, and what is partly clear is drawn at a share of
its pixels ("dither"): rays then pass through the others, and nothing depends on
the order of drawing. Render thread only.

Coordinates reach the GPU in single precision relative to the object's own centre.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.gpu import to_xyz
from brickfield.rendering.objects.values import (
    Lines,
    ObjectValue,
    Points,
    SceneObject,
    Surface,
)

_MARKERS = {
    "disc": "circle",
    "ring": "ring",
    "square": "square",
    "diamond": "diamond",
    "cross": "plus",
    "x": "cross",
    "star": "asterisk6",
    "triangle_up": "triangle_up",
    "triangle_down": "triangle_down",
    "clobber": "club",
    "arrow": "triangle_right",
}
"""pygfx's names of our symbols."""
_SPACES = {"world": "world", "px": "screen"}
Arrays = dict[str, NDArray[Any]]
Centred = tuple[Arrays, NDArray[np.float64]]


class Drawn:
    """An object value as a pygfx object.

    Parameters
    ----------
    value : Points, Surface or Lines
        Not empty.
    """

    def __init__(self, value: ObjectValue) -> None:
        self.value = value
        self._kind = _kind(value)
        arrays, middle = _arrays(value)
        # Copies: buffers are written to, values never.
        self._geometry = gfx.Geometry(**{k: a.copy() for k, a in arrays.items()})
        self._material = _material(value)
        self.object = _OBJECTS[type(value)](self._geometry, self._material)
        self._place(middle)
        self._look(value)

    def update(self, value: ObjectValue) -> bool:
        """Show another value in the same buffers; tell whether that was possible."""
        if value is self.value:
            return True
        if _kind(value) != self._kind:
            return False
        arrays, middle = _arrays(value)
        held = {name: getattr(self._geometry, name) for name in arrays}
        if any(held[name].data.shape != a.shape for name, a in arrays.items()):
            return False
        for name, array in arrays.items():
            if not np.array_equal(held[name].data, array, equal_nan=True):
                held[name].data[:] = array
                held[name].update_full()
        self._place(middle)
        self._look(value)
        self.value = value
        return True

    def close(self) -> None:
        """Give the buffers back now; pygfx's caches would keep them (pygfx #1283)."""
        for name in ("positions", "colors", "indices", "normals", *_POINT_ARRAYS):
            buffer = getattr(self._geometry, name, None)
            handle = getattr(buffer, "_wgpu_object", None)
            if handle is not None:
                handle.destroy()

    def _place(self, middle: NDArray[np.float64]) -> None:
        self.object.local.position = tuple(to_xyz(middle))

    def _look(self, value: ObjectValue) -> None:
        material = self._material
        alphas = [value.colors[:, 3]]
        if isinstance(value, Points):
            alphas.append(value.border_colors[:, 3])
        elif isinstance(value, Lines):
            material.thickness = value.width
        is_solid = value.opacity >= 1 and all((a >= 1).all() for a in alphas)
        material.alpha_mode = "solid" if is_solid else "dither"
        material.opacity = value.opacity


_OBJECTS: dict[type[SceneObject], Any] = {
    Points: gfx.Points,
    Surface: gfx.Mesh,
    Lines: gfx.Line,
}
_POINT_ARRAYS = ("sizes", "markers", "edge_colors")


def _kind(value: ObjectValue) -> tuple[object, ...]:
    """What the shader's text depends on: other kinds need another object."""
    if isinstance(value, Points):
        return (Points, value.size_unit, round(value.border_width, 6))
    if isinstance(value, Surface):
        return (Surface, value.shading)
    return (Lines, value.width_unit, value.closed)


def _material(value: ObjectValue) -> Any:
    common: dict[str, Any] = {"color_mode": "vertex", "pick_write": False}
    if isinstance(value, Points):
        return gfx.PointsMarkerMaterial(
            size_mode="vertex",
            size_space=_SPACES[value.size_unit],
            marker_mode="vertex",
            edge_mode="inner",
            edge_color_mode="vertex",
            edge_width=_edge_width(value),
            **common,
        )
    if isinstance(value, Lines):
        space = _SPACES[value.width_unit]
        return gfx.LineMaterial(value.width, thickness_space=space, **common)
    if value.shading == "none":
        return gfx.MeshBasicMaterial(side="both", **common)
    is_flat = value.shading == "flat"
    return gfx.MeshPhongMaterial(
        side="both", specular="#000", flat_shading=is_flat, **common
    )


def _edge_width(value: Points) -> float:
    # pygfx knows one width for all points: that of a point of middling size.
    size = float(np.median(value.sizes)) if len(value.sizes) else 0.0
    return value.border_width * size


def _arrays(value: ObjectValue) -> Centred:
    """Arrays of the geometry, and the middle that its positions are relative to."""
    if isinstance(value, Points):
        return _point_arrays(value)
    if isinstance(value, Surface):
        return _surface_arrays(value)
    return _line_arrays(value)


def _centred(points: NDArray[np.float64], value: SceneObject) -> Centred:
    world = value.world.apply(points)
    finite = world[np.isfinite(world).all(axis=1)]
    middle = (finite.min(axis=0) + finite.max(axis=0)) / 2
    xyz = np.ascontiguousarray(to_xyz(world - middle), dtype=np.float32)
    return {"positions": xyz}, middle


def _point_arrays(value: Points) -> Centred:
    arrays, middle = _centred(value.positions, value)
    # Without a border pygfx still paints what lies exactly on the edge.
    edges = value.border_colors if value.border_width else value.colors
    ids = [int(gfx.MarkerInt[_MARKERS[s]]) for s in value.symbols]
    markers = np.broadcast_to(np.array(ids, np.int32), (len(value.positions),))
    arrays |= {
        "sizes": value.sizes,
        "colors": value.colors,
        "markers": np.ascontiguousarray(markers),
        "edge_colors": edges,
    }
    return arrays, middle


def _surface_arrays(value: Surface) -> Centred:
    arrays, middle = _centred(value.vertices, value)
    # pygfx takes colours of meshes as light, those of points and lines as displayed.
    arrays |= {"indices": value.faces, "colors": as_light(value.colors)}
    if value.shading != "none":
        arrays["normals"] = vertex_normals(arrays["positions"], value.faces)
    return arrays, middle


def as_light(colors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Convert displayed (sRGB) colours, shape (n, 4), to linear ones; alpha stays."""
    shown = colors[:, :3].astype(np.float64)
    light = np.where(shown <= 0.04045, shown / 12.92, ((shown + 0.055) / 1.055) ** 2.4)
    return np.hstack([light, colors[:, 3:]]).astype(np.float32)


def vertex_normals(
    vertices: NDArray[np.float32], faces: NDArray[np.uint32]
) -> NDArray[np.float32]:
    """Return unit normals of vertices: of their faces, larger ones counting more.

    Parameters
    ----------
    vertices : ndarray, shape (n, 3)
    faces : ndarray, shape (m, 3)

    Returns
    -------
    ndarray, shape (n, 3), float32
        Any direction where a vertex has no face with an area.
    """
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    of_faces = np.cross(b - a, c - a)
    normals = np.stack(
        [
            np.bincount(
                faces.ravel(), np.repeat(of_faces[:, k], 3), minlength=len(vertices)
            )
            for k in range(3)
        ],
        axis=1,
    )
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.divide(normals, lengths, where=lengths > 0, out=normals)
    normals[lengths[:, 0] == 0] = (0.0, 0.0, 1.0)
    unit: NDArray[np.float32] = normals.astype(np.float32)
    return unit


def _line_arrays(value: Lines) -> Centred:
    # Paths stand in one buffer, with a gap that is no number after each.
    gap = np.full((1, 3), np.nan)
    clear = np.zeros((1, 4), np.float32)
    points: list[NDArray[Any]] = []
    colors: list[NDArray[Any]] = []
    start = 0
    for path in value.paths:
        own = value.colors[start : start + len(path)]
        start += len(path)
        again = slice(0, 1 if value.closed and len(path) > 2 else 0)
        points += [path, path[again], gap]
        colors += [own, own[again], clear]
    arrays, middle = _centred(np.concatenate(points), value)
    arrays["colors"] = np.concatenate(colors).astype(np.float32)
    return arrays, middle
