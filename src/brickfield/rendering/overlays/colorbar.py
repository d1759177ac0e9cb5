"""Colours of one layer, with the values at both ends and its name.

Values grow evenly along a bar, so a gamma other than 1 shows in the colours.
Colours that are partly clear lie on the view's background, as in the picture. Of
several channels, each has its bar.
"""

from __future__ import annotations

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.model import CameraState
from brickfield.model.units import short_number
from brickfield.rendering.overlays.context import ColorScale, OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import ColorbarOptions
from brickfield.rendering.overlays.shapes import Label, Rectangle, ink, plate

MOST_BARS = 4
_PAD = 6.0
_ROWS = 256


class Colorbar:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._bars: list[_Bar] = []

    def update(
        self,
        options: ColorbarOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Show the colours of the chosen layer.

        Parameters
        ----------
        options : ColorbarOptions
        camera : CameraState
            Not used.
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Places of the corners.
        """
        scales = chosen_scales(options, context)
        while len(self._bars) < len(scales):
            bar = _Bar()
            self._bars.append(bar)
            self.flat.add(*bar.objects)
        for bar in self._bars[len(scales) :]:
            bar.hide()
        # Of the picture's height, all bars together take at most this share.
        share = 0.45 if len(scales) == 1 else 0.8
        for bar, scale in zip(self._bars, scales, strict=False):
            room = share * context.size[1] / len(scales)
            if len(scales) > 1:
                room -= 3 * options.font_size
            length = context.snap(min(options.length, max(room, 8.0)))
            bar.show(scale, options, context)
            bar.place(options, context, layout, length)


class _Bar:
    """Objects of one bar."""

    def __init__(self) -> None:
        self._texture = gfx.Texture(np.zeros((_ROWS, 1, 4), np.uint8), dim=2)
        self._shown: NDArray[np.uint8] | None = None
        self._plate, self._name_plate = Rectangle(0), Rectangle(0)
        self._frame = Rectangle(1)
        self._bar = Rectangle(2, self._texture)
        self._name, self._high, self._low = (Label(3) for _ in range(3))
        self.objects = [
            shape.object
            for shape in (self._plate, self._name_plate, self._frame, self._bar)
        ] + [label.object for label in (self._name, self._high, self._low)]

    def hide(self) -> None:
        """Show nothing."""
        for thing in self.objects:
            thing.visible = False

    def show(
        self, scale: ColorScale, options: ColorbarOptions, context: OverlayContext
    ) -> None:
        """Set colours and labels."""
        for thing in self.objects:
            thing.visible = True
        rows = bar_colors(scale, context.background)
        if self._shown is None or not np.array_equal(rows, self._shown):
            self._shown = rows
            self._texture.data[:, 0] = rows
            self._texture.update_full()
        low, high = (short_number(v) for v in scale.contrast)
        color = ink(context)
        for label, text in ((self._high, high), (self._low, low)):
            label.write(text, options.font_size, color)
        name = options.title or scale.name or " "
        self._name.write(
            shortened(name, options.font_size, context.size[0]),
            options.font_size,
            color,
        )
        self._frame.paint(color)
        for back in (self._plate, self._name_plate):
            back.paint(plate(color))

    def place(
        self,
        options: ColorbarOptions,
        context: OverlayContext,
        layout: Layout,
        length: float,
    ) -> None:
        """Put everything into the corner; the bar is `length` long."""
        snap, rim = context.snap, max(context.snap(1.0), 1 / context.pixel_ratio)
        name_width, line = self._name.size
        thick = snap(options.font_size)
        numbers = max(self._high.size[0], self._low.size[0])
        narrow = snap(thick + 3 * _PAD + numbers)
        width = max(narrow, snap(name_width + 2 * _PAD))
        height = length + 1.5 * line + _PAD
        left, bottom = layout.place(options.corner, width, height)
        foot = snap(bottom + _PAD)
        is_right = options.corner.endswith("right")
        # A long name must not make the plate behind the bar hide the data.
        low = snap(bottom + height - line)
        for back, y, w, h in (
            (self._plate, bottom, narrow, low - bottom),
            (self._name_plate, low, name_width + 2 * _PAD, line),
        ):
            back.place(snap(left + width - w) if is_right else left, y, w, h)
        bar = snap(left + width - _PAD - thick if is_right else left + _PAD)
        self._bar.place(bar, foot, thick, length)
        self._frame.place(bar - rim, foot - rim, thick + 2 * rim, length + 2 * rim)
        # The upper number is centred on the bar's end, the lower stands on its foot.
        for label, y in ((self._low, foot - line / 6), (self._high, foot + length)):
            x = bar - _PAD - label.size[0] if is_right else bar + thick + _PAD
            label.place(x, y - line / 2 if label is self._high else y, context)
        x = left + width - _PAD - name_width if is_right else left + _PAD
        self._name.place(x, low, context)


def shortened(name: str, font_size: float, width: float) -> str:
    """Shorten a name that would take more than about a third of a picture's width.

    Parameters
    ----------
    name : str
    font_size : float
        Logical pixels.
    width : float
        Of the picture, logical pixels.
    """
    most = max(int(0.35 * width / (0.55 * font_size)), 8)
    name = name.splitlines()[0] if name else name
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def chosen_scales(
    options: ColorbarOptions, context: OverlayContext
) -> tuple[ColorScale, ...]:
    """Return the colours that the options ask for; none without any to show.

    Parameters
    ----------
    options : ColorbarOptions
    context : OverlayContext
        Gives the layers.
    """
    if options.layer is None:
        images = [layer for layer in context.shown if layer.scales][-1:]
    else:
        images = [
            layer
            for layer in context.layers[options.layer : options.layer + 1]
            if layer.visible
        ]
    scales = images[0].scales if images else ()
    if options.channel is not None:
        return scales[options.channel : options.channel + 1]
    return scales[:MOST_BARS]


def bar_colors(
    scale: ColorScale, background: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """Return the bar's colours from the lowest value to the highest.

    Parameters
    ----------
    scale : ColorScale
    background : tuple of float
        Red, green and blue, 0 to 1, where colours are not opaque.

    Returns
    -------
    ndarray, shape (256, 4), uint8
        Opaque, sRGB.
    """
    values = np.linspace(0.0, 1.0, _ROWS) ** scale.gamma
    rows = scale.lut[np.rint(values * (len(scale.lut) - 1)).astype(np.int64)]
    alpha = rows[:, 3:] / 255
    mixed = alpha * rows[:, :3] + (1 - alpha) * 255 * np.array(background)
    out = np.full((_ROWS, 4), 255, np.uint8)
    out[:, :3] = np.rint(mixed)
    return out
