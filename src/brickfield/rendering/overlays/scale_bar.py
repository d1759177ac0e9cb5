"""A bar of a round length, with the length as text.

The bar is 10 to 25 % of the picture wide, and its ends lie on whole pixels: what
is measured on it is right to one pixel. In perspective a length on the screen
depends on depth; the bar's holds at the depth of the camera's target, which is
the point that the camera turns round.
"""

from __future__ import annotations

from math import isfinite

import pygfx as gfx

from brickfield.model import CameraState
from brickfield.model.units import round_length
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import ScaleBarOptions
from brickfield.rendering.overlays.shapes import Label, Rectangle, ink, plate

MOST = 0.25
"""Widest bar, as a share of the picture's width."""
_PAD = 6.0


class ScaleBar:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._plate, self._bar, self._label = Rectangle(0), Rectangle(1), Label(2)
        for shape in (self._plate, self._bar, self._label):
            self.flat.add(shape.object)

    def update(
        self,
        options: ScaleBarOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Show the length that fits the zoom.

        Parameters
        ----------
        options : ScaleBarOptions
        camera : CameraState
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Places of the corners.
        """
        pixel = context.pixel_width(camera)
        self.flat.visible = isfinite(pixel) and pixel > 0
        if not self.flat.visible:
            return
        length = round_length(MOST * context.size[0] * pixel)
        color = ink(context, options.color)
        unit = options.unit or context.unit
        self._label.write(length.label(unit), options.font_size, color)
        bar = max(context.snap(length.value / pixel), 1 / context.pixel_ratio)
        thick = max(context.snap(options.font_size / 4), 1 / context.pixel_ratio)
        text_width, text_height = self._label.size
        width = max(bar, text_width) + 2 * _PAD
        height = text_height + thick + 2 + _PAD
        left, bottom = layout.place(options.corner, width, height)
        self._plate.place(left, bottom, width, height).paint(plate(color))
        bar_left = context.snap(left + (width - bar) / 2)
        bar_bottom = context.snap(bottom + _PAD)
        self._bar.place(bar_left, bar_bottom, bar, thick).paint(color)
        text_left = left + (width - text_width) / 2
        self._label.place(text_left, bar_bottom + thick + 1, context)
