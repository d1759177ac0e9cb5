"""Edges of every visible layer's data box.

A box is convex: the volume in it never hides the edges on the side of the eye,
which are therefore drawn whole; it hides those on the far side where something is
shown before them. Where every layer is a projection (mip, average, …), a ray has
no front, and the far edges shine through. In a slice view the box is the outline
along which the plane cuts it.
"""

from __future__ import annotations

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.model.camera import CameraState
from brickfield.model.plane import Plane
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import BoundingBoxOptions
from brickfield.rendering.overlays.projection import project_segments
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


class BoundingBox:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._whole = Strokes(0)
        self._before, self._behind = Strokes(2, "<"), Strokes(1, ">=")
        self.flat.add(*self._whole.objects)
        self.deep.add(*self._behind.objects, *self._before.objects)

    def update(
        self,
        options: BoundingBoxOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Project the edges of all boxes."""
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
