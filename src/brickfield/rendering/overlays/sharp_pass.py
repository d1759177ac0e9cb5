"""Draws overlays at the canvas' own resolution over a picture that has fewer pixels.

While the camera moves on a slow device, a view draws a fraction of the pixels and
lets pygfx enlarge them; words would become unreadable. So they are drawn apart and
laid over the enlarged picture. pygfx has no name for this: its output pass is told
here, in the one place that touches it, to blend instead of to replace.
"""

from __future__ import annotations

from typing import Any

import pygfx as gfx
import wgpu

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
        """Draw a scene on nothing."""
        self._renderer.render(scene, camera, flush=False)
        self._is_due = True

    def flush(self) -> None:
        """Lay what was drawn over the canvas' picture, if anything was."""
        if self._is_due:
            self._is_due = False
            self._renderer.flush()
