"""Two overlays of lines: the boxes of layers, and a cross-hair.

:class:`BoundingBox` draws the edges of every visible layer's data box. A box is convex:
the volume in it never hides the edges on the side of the eye, which are therefore drawn
whole; it hides those on the far side where something is shown before them. Where every
layer is a projection (mip, average, …), a ray has no front, and the far edges shine
through. In a slice view the box is the outline along which the plane cuts it.

:class:`Marker` draws lines along the world's axes through one point. In a slice view
they run across the picture, as other slices would cut it; in a volume they run through
the data, and dimmer behind what is shown.
"""

from __future__ import annotations

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.model import CameraState, Plane
from brickfield.rendering.overlays.axes import AXIS_COLORS
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import BoundingBoxOptions, MarkerOptions
from brickfield.rendering.overlays.projection import project_points, project_segments
from brickfield.rendering.overlays.shapes import WHITE, Strokes, ink

EDGES = np.array(
    [(i, i | bit) for bit in (4, 2, 1) for i in range(8) if not i & bit],
    dtype=np.int64,
)
"""Corners at both ends of the twelve edges; bits of a corner are its (z, y, x)."""
FACES = np.array(
    [
        [i for i in range(8) if bool(i & bit) == high]
        for bit in (4, 2, 1)
        for high in (0, 1)
    ]
)
"""Corners of the six faces: low and high z, y, x."""


class _Lines:
    """Lines that nothing hides, and lines that are dimmer behind what is shown."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._whole = Strokes(0)
        self._before, self._behind = Strokes(2, "<"), Strokes(1, ">=")
        self.flat.add(*self._whole.objects)
        self.deep.add(*self._behind.objects, *self._before.objects)


class BoundingBox(_Lines):
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def update(
        self,
        options: BoundingBoxOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Project the edges of all boxes.

        Parameters
        ----------
        options : BoundingBoxOptions
        camera : CameraState
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Not used.
        """
        boxes = [layer.corners for layer in context.shown]
        color = WHITE if options.color == "auto" else ink(context, options.color)
        if context.plane is not None:
            parts = [cut_edges(box, context.plane) for box in boxes]
            whole, tested = _joined(parts), _joined([])
        else:
            whole, tested = _sorted_edges(boxes, camera, context)
        lines, _ = project_segments(whole, camera, context.size)
        self._whole.draw(lines, color, options.width)
        lines, _ = project_segments(tested, camera, context.size)
        self._before.draw(lines, color, options.width)
        hides = context.has_objects or any(x.is_surface for x in context.shown)
        opacity = 0.0 if hides else options.hidden_opacity
        self._behind.draw(lines, color, options.width, opacity)


def _sorted_edges(
    boxes: list[NDArray[np.float64]], camera: CameraState, context: OverlayContext
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges that nothing can hide, and all others."""
    edges = [box[EDGES] for box in boxes]
    if len(boxes) != 1 or context.has_objects:
        return _joined([]), _joined(edges)
    near = near_edges(boxes[0], camera)
    return edges[0][near], edges[0][~near]


def _joined(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([np.empty((0, 2, 3)), *parts])


def near_edges(corners: NDArray[np.float64], camera: CameraState) -> NDArray[np.bool_]:
    """Tell which edges of a box lie on a face that is turned to the eye.

    Parameters
    ----------
    corners : ndarray, shape (8, 3)
    camera : CameraState

    Returns
    -------
    ndarray, shape (12,)
        One for each of :data:`EDGES`.
    """
    centre = corners.mean(axis=0)
    # The normals of a sheared box are not its edges: they are the rows of the inverse.
    edges = np.array([corners[4], corners[2], corners[1]]) - corners[0]
    normals = np.linalg.pinv(edges).T
    outward = np.stack([-normals, normals], axis=1).reshape(6, 3)
    middle = corners[FACES].mean(axis=1)
    outward *= np.sign(((middle - centre) * outward).sum(axis=1, keepdims=True))
    sight = (
        np.broadcast_to(camera.forward, (6, 3))
        if camera.orthographic
        else middle - np.array(camera.position)
    )
    is_near = (outward * sight).sum(axis=1) < 0
    on_near = np.zeros(8, dtype=np.int64)
    for bit, face in enumerate(FACES):
        if is_near[bit]:
            on_near[face] |= 1 << bit
    near: NDArray[np.bool_] = (on_near[EDGES[:, 0]] & on_near[EDGES[:, 1]]) != 0
    return near


def cut_edges(corners: NDArray[np.float64], plane: Plane) -> NDArray[np.float64]:
    """Return the outline along which a plane cuts a box.

    Parameters
    ----------
    corners : ndarray, shape (8, 3)
    plane : Plane

    Returns
    -------
    ndarray, shape (n, 2, 3)
        Segments, at most one a face; none where the plane misses the box.
    """
    height = plane.distance(corners)
    segments = []
    for face in FACES:
        edges = [e for e in EDGES if e[0] in face and e[1] in face]
        cuts = []
        for a, b in edges:
            if (height[a] < 0) != (height[b] < 0):
                t = height[a] / (height[a] - height[b])
                cuts.append(corners[a] + t * (corners[b] - corners[a]))
        if len(cuts) == 2:
            segments.append(cuts)
    return np.array(segments).reshape(-1, 2, 3)


class Marker(_Lines):
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def update(
        self,
        options: MarkerOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Draw lines through the point.

        Parameters
        ----------
        options : MarkerOptions
        camera : CameraState
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Not used.
        """
        self.flat.visible = self.deep.visible = options.position is not None
        if options.position is None:
            return
        point = np.array(options.position)
        colors = np.array(AXIS_COLORS)
        if options.color != "auto":
            colors[:] = ink(context, options.color)
        nothing = np.empty((0, 2, 3))
        if context.plane is not None:
            lines, axes = _across(point, camera, context.size, options.gap)
            self._whole.draw(lines, colors[axes], options.width)
            self._before.draw(nothing, (1, 1, 1, 1), 1)
            self._behind.draw(nothing, (1, 1, 1, 1), 1)
            return
        segments = _through(point, context, options.gap, camera)
        lines, index = project_segments(segments, camera, context.size)
        # What points at the eye would cover the very point.
        seen = np.hypot(*(lines[:, 1] - lines[:, 0])[:, :2].T) > max(options.gap, 1.0)
        lines, tints = lines[seen], colors[index[seen] // 2]
        self._whole.draw(nothing, (1, 1, 1, 1), 1)
        self._before.draw(lines, tints, options.width)
        self._behind.draw(lines, tints, options.width, options.hidden_opacity)


def _across(
    point: NDArray[np.float64],
    camera: CameraState,
    size: tuple[float, float],
    gap: float,
) -> tuple[NDArray[np.float64], list[int]]:
    """Lines across a slice view, and the axis of each."""
    (at,) = project_points(point[None], camera, size)
    lines, axes = [], []
    if np.isfinite(at).all():
        at[2] = 0.0
        far = 2.0 * (abs(at).max() + max(size))
        for axis, (right, up, _) in enumerate(camera.axes.T):
            length = float(np.hypot(right, up))
            if length > 0.12:
                way = np.array([right, up, 0.0]) / length
                for sign in (1, -1):
                    lines.append([at + sign * gap * way, at + sign * far * way])
                    axes.append(axis)
    return np.array(lines).reshape(-1, 2, 3), axes


def _through(
    point: NDArray[np.float64],
    context: OverlayContext,
    gap: float,
    camera: CameraState,
) -> NDArray[np.float64]:
    """Six arms from the point to the ends of the data, shape (6, 2, 3)."""
    corners = [layer.corners for layer in context.shown]
    around = np.concatenate([point[None], *corners])
    ends = np.stack([around.min(axis=0), around.max(axis=0)])
    free = gap * _pixel_at(point, context, camera)
    arms = []
    for axis in range(3):
        for end, sign in ((0, -1.0), (1, 1.0)):
            inner, outer = point.copy(), point.copy()
            inner[axis] += sign * free
            outer[axis] = ends[end, axis]
            # Shorter than the gap: nothing is left of it.
            if sign * (outer[axis] - inner[axis]) < 0:
                inner[axis] = outer[axis]
            arms.append([inner, outer])
    return np.array(arms)


def _pixel_at(
    point: NDArray[np.float64], context: OverlayContext, camera: CameraState
) -> float:
    """World units a logical pixel at a point."""
    pixel = context.pixel_width(camera)
    if camera.orthographic:
        return pixel
    eye = np.array(camera.position)
    to_target = float((np.array(camera.target) - eye) @ camera.forward)
    return pixel * max(float((point - eye) @ camera.forward), 0.0) / to_target
