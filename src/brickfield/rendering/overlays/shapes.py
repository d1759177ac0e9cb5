"""The few shapes that overlays are made of, in logical pixels from the bottom left.

Each is made once and updated in place: pygfx keeps what was replaced alive for a
while (pygfx #1283). All are drawn without writing depth or picking, so what lies
under an overlay can still be picked. Render thread only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pygfx as gfx
from numpy.typing import ArrayLike, NDArray

from brickfield.rendering.overlays.context import BRIGHT, OverlayContext, luminance
from brickfield.rendering.overlays.options import OptionColor

Rgba = tuple[float, float, float, float]
WHITE: Rgba = (1.0, 1.0, 1.0, 1.0)
BLACK: Rgba = (0.0, 0.0, 0.0, 1.0)
# Blending is of light, so a dark plate must be denser than a bright one: each gives
# its ink a contrast of at least 4.5 to 1 over anything.
DARK_PLATE: Rgba = (0.0, 0.0, 0.0, 0.84)
BRIGHT_PLATE: Rgba = (1.0, 1.0, 1.0, 0.5)
_FLAT: dict[str, Any] = {
    "alpha_mode": "blend",
    "depth_test": False,
    "depth_write": False,
    "pick_write": False,
}


def ink(context: OverlayContext, color: OptionColor = "auto") -> Rgba:
    """Return the colour of text and bars, red, green, blue and alpha, 0 to 1.

    Parameters
    ----------
    context : OverlayContext
        Tells whether the background is bright.
    color : OptionColor
        "auto", or red, green and blue, 0 to 255.
    """
    if isinstance(color, str):
        return BLACK if context.is_bright else WHITE
    r, g, b = (part / 255 for part in color)
    return (r, g, b, 1.0)


def plate(of: Rgba) -> Rgba:
    """Return the colour of the plate on which an ink reads well."""
    return DARK_PLATE if luminance(of) > BRIGHT else BRIGHT_PLATE


class Rectangle:
    """A filled rectangle.

    Parameters
    ----------
    order : int
        Higher is drawn later.
    texture : gfx.Texture, optional
        Fills it, row 0 at the bottom; else one colour does.
    """

    def __init__(self, order: int, texture: gfx.Texture | None = None) -> None:
        corners = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
        geometry = gfx.Geometry(
            positions=corners,
            indices=np.array([[0, 1, 2], [0, 2, 3]], np.uint32),
            texcoords=corners[:, :2].copy(),
        )
        self.material = gfx.MeshBasicMaterial(**_FLAT)
        if texture is not None:
            self.material.map = gfx.TextureMap(texture, filter="nearest", wrap="clamp")
        self.object = gfx.Mesh(geometry, self.material, render_order=order)

    def place(
        self, left: float, bottom: float, width: float, height: float
    ) -> Rectangle:
        """Set position and size, logical pixels.

        Parameters
        ----------
        left, bottom, width, height : float
        """
        self.object.local.position = (left, bottom, 0)
        self.object.local.scale = (width, height, 1)
        return self

    def paint(self, color: Rgba) -> Rectangle:
        """Fill it with a colour."""
        if tuple(self.material.color) != color:
            self.material.color = color
        return self


class Label:
    """A piece of text.

    Parameters
    ----------
    order : int
        Higher is drawn later.
    outline : float
        Width of a rim of the opposite brightness, as pygfx counts it, 0 to 0.5.
    """

    def __init__(self, order: int, outline: float = 0.0) -> None:
        material = gfx.TextMaterial(aa=True, outline_thickness=outline, **_FLAT)
        self.object = gfx.Text(
            text="", material=material, anchor="bottom-left", render_order=order
        )
        self._content: tuple[str, float] = ("", 0.0)
        self.size = (0.0, 0.0)
        """Width and height, logical pixels."""

    def write(self, text: str, font_size: float, color: Rgba) -> Label:
        """Set text, size and colour.

        Parameters
        ----------
        text : str
        font_size : float
            Logical pixels.
        color : Rgba
            Red, green, blue and alpha, 0 to 1.
        """
        material = self.object.material
        if tuple(material.color) != color:
            material.color = color
            is_bright = plate(color) == DARK_PLATE
            material.outline_color = BLACK if is_bright else WHITE
        if self._content != (text, font_size):
            self._content = (text, font_size)
            self.object.font_size = font_size
            self.object.set_text(text)
            self.size = _measured(self.object)
        return self

    def place(self, left: float, bottom: float, context: OverlayContext) -> Label:
        """Move the lower left corner to a place, on whole physical pixels.

        Parameters
        ----------
        left : float
            Logical pixels.
        bottom : float
            Logical pixels.
        context : OverlayContext
            Tells the pixel ratio.
        """
        at = (context.snap(left), context.snap(bottom), 0)
        self.object.local.position = at
        return self


def _measured(text: gfx.Text) -> tuple[float, float]:
    """Lay text out now; pygfx would do it when it draws, too late to place it."""
    text._update_object()
    box = text.get_bounding_box()
    if box is None:
        return (0.0, 0.0)
    width, height, _ = (float(v) for v in box[1] - box[0])
    return (width, height)


class Strokes:
    """Line segments with a rim, to be seen on any ground.

    Parameters
    ----------
    order : int
        Higher is drawn later.
    depth_compare : str or None
        "<" draws what is before everything drawn so far, ">=" what is behind, None
        all of it.
    """

    def __init__(self, order: int, depth_compare: str | None = None) -> None:
        flat = _FLAT | {"aa": True}
        if depth_compare is not None:
            flat |= {"depth_test": True, "depth_compare": depth_compare}
        self._rim = gfx.LineSegmentMaterial(color=BLACK, **flat)
        self._core = gfx.LineSegmentMaterial(color_mode="vertex", **flat)
        self._geometry = gfx.Geometry(
            positions=np.zeros((2, 3), np.float32), colors=np.ones((2, 4), np.float32)
        )
        self.objects = (
            gfx.Line(self._geometry, self._rim, render_order=order),
            gfx.Line(self._geometry, self._core, render_order=order + 0.5),
        )

    def draw(
        self,
        lines: NDArray[np.float64],
        colors: ArrayLike,
        width: float,
        opacity: float = 1.0,
    ) -> None:
        """Set the segments.

        Parameters
        ----------
        lines : ndarray, shape (n, 2, 3)
            Logical pixels and depth.
        colors : array_like, shape (4,) or (n, 4)
            sRGB and alpha, 0 to 1.
        width : float
            Logical pixels.
        opacity : float
        """
        n = 2 * len(lines)
        for line in self.objects:
            line.visible = n > 0 and opacity > 0
        if not self.objects[0].visible:
            return
        self._reserve(n)
        positions, tints = self._geometry.positions, self._geometry.colors
        positions.data[:n] = lines.reshape(-1, 3)
        per_line = np.broadcast_to(np.asarray(colors, np.float32), (len(lines), 4))
        tints.data[:n] = np.repeat(per_line, 2, axis=0)
        for buffer in (positions, tints):
            buffer.update_range(0, n)
        positions.draw_range = (0, n)
        self._core.thickness, self._rim.thickness = width, width + 2.0
        self._core.opacity, self._rim.opacity = opacity, 0.85 * opacity

    def _reserve(self, n: int) -> None:
        held: int = self._geometry.positions.nitems
        if n > held:
            n = max(n, 2 * held)
            self._geometry.positions = gfx.Buffer(np.zeros((n, 3), np.float32))
            self._geometry.colors = gfx.Buffer(np.ones((n, 4), np.float32))
