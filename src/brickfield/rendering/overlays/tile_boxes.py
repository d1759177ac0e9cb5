"""Boxes and names of the tiles of mosaics.

Beyond :data:`MOST_BOXES` tiles the first ones are drawn; names of more than
:data:`MOST_NAMES` would cover the picture and are left out.
"""

from __future__ import annotations

import numpy as np
import pygfx as gfx
from numpy.typing import NDArray

from brickfield.model import CameraState
from brickfield.rendering.overlays.bounding_box import EDGES, cut_edges
from brickfield.rendering.overlays.context import OverlayContext, TileBox
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import TilesOptions
from brickfield.rendering.overlays.projection import project_points, project_segments
from brickfield.rendering.overlays.shapes import WHITE, Label, Strokes, ink

MOST_BOXES = 200
MOST_NAMES = 60


class TileBoxes:
    """See :class:`brickfield.rendering.overlays.base.Overlay`."""

    def __init__(self) -> None:
        self.flat, self.deep = gfx.Group(), gfx.Group()
        self._lines = Strokes(0)
        self._labels: list[Label] = []
        self.flat.add(*self._lines.objects)

    def update(
        self,
        options: TilesOptions,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Project the edges of all boxes, and place the names in their middles.

        Parameters
        ----------
        options : TilesOptions
        camera : CameraState
        context : OverlayContext
            Size, background and layers of the picture.
        layout : Layout
            Not used.
        """
        tiles = _distinct(context)[:MOST_BOXES]
        parts = [np.empty((0, 2, 3))]
        for tile in tiles:
            cut = (
                None
                if context.plane is None
                else cut_edges(tile.corners, context.plane)
            )
            parts.append(tile.corners[EDGES] if cut is None else cut)
        color = WHITE if options.color == "auto" else ink(context, options.color)
        lines, _ = project_segments(np.concatenate(parts), camera, context.size)
        self._lines.draw(lines, color, options.width, options.opacity)
        named = [
            (tile, part)
            for tile, part in zip(tiles, parts[1:], strict=True)
            if len(part)  # a plane may miss it
        ]
        if not options.names or len(named) > MOST_NAMES:
            named = []
        self._name(named, options, camera, context)

    def _name(
        self,
        named: list[tuple[TileBox, NDArray[np.float64]]],
        options: TilesOptions,
        camera: CameraState,
        context: OverlayContext,
    ) -> None:
        while len(self._labels) < len(named):
            self._labels.append(Label(1, outline=0.25))
            self.flat.add(self._labels[-1].object)
        for label in self._labels[len(named) :]:
            label.object.visible = False
        for label, (tile, part) in zip(self._labels, named, strict=False):
            middle = part.reshape(-1, 3).mean(axis=0)
            ((x, y, _),) = project_points(middle[None], camera, context.size)
            label.object.visible = bool(np.isfinite([x, y]).all())
            if label.object.visible:
                label.write(tile.name, options.font_size, WHITE)
                width, height = label.size
                label.place(x - width / 2, y - height / 2, context)


def _distinct(context: OverlayContext) -> list[TileBox]:
    """Return the tiles of visible layers, those of several channels once."""
    found = {(t.name, t.corners.tobytes()): t for x in context.shown for t in x.tiles}
    return list(found.values())
