"""What every overlay of a view is to the set that draws them."""

from __future__ import annotations

from typing import Any, Protocol

import pygfx as gfx

from brickfield.model import CameraState
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout


class Overlay(Protocol):
    """One overlay's pygfx objects. Render thread only.

    Attributes
    ----------
    flat : gfx.Group
        Laid over everything.
    deep : gfx.Group
        Compared with the depth of what is drawn; may be hidden by it.
    """

    flat: gfx.Group
    deep: gfx.Group

    def update(
        self,
        options: Any,
        camera: CameraState,
        context: OverlayContext,
        layout: Layout,
    ) -> None:
        """Make the objects show one frame.

        Parameters
        ----------
        options : OverlayOptions
            This overlay's.
        camera : CameraState
            With near and far round the scene.
        context : OverlayContext
        layout : Layout
            Places taken so far.
        """
        ...
