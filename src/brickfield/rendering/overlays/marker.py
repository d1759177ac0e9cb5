"""A cross-hair: lines along the world's axes through one point.

In a slice view the lines run across the picture, as other slices would cut it; in
a volume they run through the data, and dimmer behind what is shown.
"""

from __future__ import annotations

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.model.camera import CameraState
from brickfield.rendering.overlays.axes import AXIS_COLORS
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import MarkerOptions
from brickfield.rendering.overlays.projection import project_points, project_segments
from brickfield.rendering.overlays.shapes import Strokes, ink


class Marker:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._whole = Strokes(0)
        self._before, self._behind = Strokes(2, "<"), Strokes(1, ">=")
        self.flat.add(*self._whole.objects)
        self.deep.add(*self._behind.objects, *self._before.objects)

    def update(
        self,
        options: MarkerOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Draw lines through the point."""
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
