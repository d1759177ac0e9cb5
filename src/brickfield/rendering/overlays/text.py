"""A label of the user's own, in a corner."""

from __future__ import annotations

import pygfx as gfx

from brickfield.model import CameraState
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import TextOptions
from brickfield.rendering.overlays.shapes import Label, Rectangle, ink, plate

_PAD = 6.0


class FreeText:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._plate, self._label = Rectangle(0), Label(1)
        self.flat.add(self._plate.object, self._label.object)

    def update(
        self,
        options: TextOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Show the text on its background.

        Parameters
        ----------
        options : TextOptions
        camera : CameraState
            Not used.
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Places of the corners.
        """
        self.flat.visible = bool(options.text.strip())
        if not self.flat.visible:
            return
        color = ink(context, options.color)
        self._label.write(options.text, options.font_size, color)
        width, height = (
            s + 2 * p for s, p in zip(self._label.size, (_PAD, 2), strict=True)
        )
        left, bottom = layout.place(options.corner, width, height)
        self._plate.place(left, bottom, width, height).paint(plate(color))
        self._label.place(left + _PAD, bottom + 2, context)
