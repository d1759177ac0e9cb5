"""Directions of the world's axes, in a corner; they turn with the camera.

Colours are three of Okabe and Ito's, which most colour-blind people tell apart and
which differ in brightness; the letters say the same without colour.
"""

from __future__ import annotations

import numpy as np
import pygfx as gfx

from brickfield.model import CameraState
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import AxesOptions
from brickfield.rendering.overlays.shapes import Label, Rgba, Strokes

AXIS_NAMES = "zyx"
AXIS_COLORS: tuple[Rgba, Rgba, Rgba] = (
    (86 / 255, 180 / 255, 233 / 255, 1.0),
    (240 / 255, 228 / 255, 66 / 255, 1.0),
    (230 / 255, 110 / 255, 30 / 255, 1.0),
)
"""Sky blue, yellow and vermilion (a little brighter, for dark grounds): z, y and x."""
_SHORT = 0.12
"""Arms shorter than this share point at the eye; a letter there would mislead."""
_WIDTH = 2.0


class Axes:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._arms = Strokes(0)
        self._letters = [Label(1 + i, outline=0.3) for i in range(3)]
        self.flat.add(*self._arms.objects, *(label.object for label in self._letters))

    def update(
        self,
        options: AxesOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Turn the arms to the camera.

        Parameters
        ----------
        options : AxesOptions
        camera : CameraState
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Places of the corners.
        """
        length = min(options.length, 0.2 * min(context.size))
        reach = length + 0.9 * options.font_size
        left, bottom = layout.place(options.corner, 2 * reach, 2 * reach)
        centre = np.array([left + reach, bottom + reach, 0.0])
        # Column i of the camera's axes: right, up and backward parts of axis i.
        parts = camera.axes.T
        seen = np.hypot(parts[:, 0], parts[:, 1]) > _SHORT
        # What points away is drawn first.
        order = [i for i in np.argsort(parts[:, 2]) if seen[i]]
        flat = parts * (1, 1, 0)
        lines = np.array([[centre, centre + length * flat[i]] for i in order])
        colors = np.array([AXIS_COLORS[i] for i in order])
        self._arms.draw(lines.reshape(-1, 2, 3), colors, _WIDTH)
        for i, label in enumerate(self._letters):
            label.object.visible = bool(seen[i])
            label.object.render_order = 1 + order.index(i) if seen[i] else 0
            label.write(AXIS_NAMES[i], options.font_size, AXIS_COLORS[i])
            beyond = flat[i] / max(float(np.hypot(*flat[i, :2])), 1e-9)
            x, y, _ = centre + length * flat[i] + 0.55 * options.font_size * beyond
            width, height = label.size
            label.place(x - width / 2, y - height / 2, context)
