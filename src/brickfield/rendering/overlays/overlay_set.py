"""All overlays of one view.

Invariant: an overlay that is not visible costs nothing: it has no objects, and a view
without visible overlays draws no pass for them. Overlays are made when they are first
seen and then updated in place. Options may be set by any thread, since each change
replaces one frozen value; everything else is for the render thread.

:class:`SharpPass` draws overlays at the canvas' own resolution over a picture that has
fewer pixels. While the camera moves on a slow device, a view draws a fraction of the
pixels and lets pygfx enlarge them; text would become unreadable. So it is drawn
separately and laid over the enlarged picture. pygfx has no name for this: its output
pass is told here, in the one place that touches it, to blend instead of to replace.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pygfx as gfx
import wgpu

from brickfield.model import CameraState
from brickfield.rendering.overlays.axes import Axes
from brickfield.rendering.overlays.base import Overlay
from brickfield.rendering.overlays.bounding_box import BoundingBox, Marker
from brickfield.rendering.overlays.colorbar import Colorbar
from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import Layout
from brickfield.rendering.overlays.options import NAMES, OverlayOptions, OverlayState
from brickfield.rendering.overlays.scale_bar import ScaleBar
from brickfield.rendering.overlays.text import FreeText
from brickfield.rendering.overlays.tile_boxes import TileBoxes

_OVER = {
    "operation": wgpu.BlendOperation.add,
    "src_factor": wgpu.BlendFactor.one,
    "dst_factor": wgpu.BlendFactor.one_minus_src_alpha,
}


class SharpPass:
    """A second renderer for the same canvas. Render thread only.

    Parameters
    ----------
    target : canvas
        Not flushed to since its last frame.
    """

    def __init__(self, target: Any) -> None:
        self._renderer = gfx.renderers.WgpuRenderer(
            target, pixel_scale=1, ppaa="none", enable_events=False
        )
        # What was blended over nothing has its colour multiplied by its alpha.
        output = self._renderer._output_pass
        output.load_op = wgpu.LoadOp.load
        output.blend_state = {"alpha": _OVER, "color": _OVER}
        self._is_due = False

    def render(self, scene: gfx.Scene, camera: gfx.Camera) -> None:
        """Draw a scene on a transparent background.

        Parameters
        ----------
        scene : pygfx.Scene
        camera : pygfx.Camera
        """
        self._renderer.render(scene, camera, flush=False)
        self._is_due = True

    def flush(self) -> None:
        """Lay what was drawn over the canvas' picture, if anything was."""
        if self._is_due:
            self._is_due = False
            self._renderer.flush()


_KINDS: dict[str, Callable[[], Overlay]] = {
    # Drawn in this order: lines in the scene first, text last.
    "bounding_box": BoundingBox,
    "tiles": TileBoxes,
    "marker": Marker,
    "axes": Axes,
    "scale_bar": ScaleBar,
    "colorbar": Colorbar,
    "text": FreeText,
}


class OverlaySet:
    """Overlays of one view and their options.

    Parameters
    ----------
    request_render : callable, optional
        Requests a repaint; called without arguments when options change.
    """

    def __init__(self, request_render: Callable[[], None] | None = None) -> None:
        self.request_render = request_render
        self._state = OverlayState()
        self._overlays: dict[str, Overlay] = {}
        self._deep, self._flat = gfx.Scene(), gfx.Scene()
        self._all = gfx.Scene()
        self._camera = gfx.ScreenCoordsCamera()
        self._sharp: SharpPass | None = None

    # -- options -----------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all overlays."""
        return NAMES

    @property
    def state(self) -> OverlayState:
        """All options, as one frozen value; may be replaced."""
        return self._state

    @state.setter
    def state(self, value: OverlayState) -> None:
        if value != self._state:
            self._state = value
            if self.request_render is not None:
                self.request_render()

    def options(self, name: str) -> OverlayOptions:
        """Return one overlay's options.

        Raises
        ------
        OptionError
            For an unknown name; the message lists the known ones.
        """
        return self._state.options(name)

    def set_options(self, name: str, **options: Any) -> None:
        """Change some options of one overlay and request a repaint.

        Raises
        ------
        OptionError
            For an unknown overlay or option, or a value that cannot be used; then
            nothing changes.
        """
        self.state = self._state.with_options(name, **options)

    # -- drawing -----------------------------------------------------------------

    @property
    def is_visible(self) -> bool:
        """Whether there is anything to draw."""
        return self._state.is_visible

    def draw(self, renderer: Any, camera: CameraState, context: OverlayContext) -> None:
        """Draw over what was rendered since the last flush.

        Parameters
        ----------
        renderer : WgpuRenderer
            Its depth tells what hides lines in the scene.
        camera : CameraState
            With near and far as the scene was drawn with.
        context : OverlayContext
        """
        state = self._state
        if not state.is_visible or min(context.size) <= 0:
            return
        layout = Layout(context)
        for order, (name, make) in enumerate(_KINDS.items()):
            options = state.options(name)
            if options.visible and name not in self._overlays:
                self._add(name, make(), order)
            if name in self._overlays:
                overlay = self._overlays[name]
                overlay.flat.visible = overlay.deep.visible = options.visible
                if options.visible:
                    overlay.update(options, camera, context, layout)
        self._render(renderer)

    def _add(self, name: str, overlay: Overlay, order: int) -> None:
        # pygfx sorts by the innermost group alone: what is in the scene comes first.
        overlay.deep.render_order, overlay.flat.render_order = order, order + len(NAMES)
        self._overlays[name] = overlay
        self._flat.add(overlay.flat)
        self._deep.add(overlay.deep)

    def _render(self, renderer: Any) -> None:
        if renderer.pixel_scale == 1:
            self._all.add(self._deep, self._flat)
            renderer.render(self._all, self._camera, flush=False)
            return
        renderer.render(self._deep, self._camera, flush=False)
        if self._sharp is None:
            self._sharp = SharpPass(renderer.target)
        self._sharp.render(self._flat, self._camera)

    def finish(self) -> None:
        """Draw text over a flushed picture of fewer pixels than the canvas has."""
        if self._sharp is not None:
            self._sharp.flush()
