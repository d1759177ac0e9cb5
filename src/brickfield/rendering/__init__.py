"""Views that own the GPU: they draw layers and know nothing of files."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.rendering.banded_draw import Drawing as Drawing
    from brickfield.rendering.frame_uniforms import FrameOptions as FrameOptions
    from brickfield.rendering.layer_renderer import LayerRenderer as LayerRenderer
    from brickfield.rendering.manager import DEFAULT_GPU_BUDGET as DEFAULT_GPU_BUDGET
    from brickfield.rendering.manager import UPLOAD_SLICE_S as UPLOAD_SLICE_S
    from brickfield.rendering.objects.object_set import ObjectSet as ObjectSet
    from brickfield.rendering.objects.values import SYMBOLS as SYMBOLS
    from brickfield.rendering.objects.values import Lines as Lines
    from brickfield.rendering.objects.values import ObjectValue as ObjectValue
    from brickfield.rendering.objects.values import Points as Points
    from brickfield.rendering.objects.values import Shading as Shading
    from brickfield.rendering.objects.values import Surface as Surface
    from brickfield.rendering.offscreen import OffscreenView as OffscreenView
    from brickfield.rendering.offscreen import draw_small as draw_small
    from brickfield.rendering.offscreen import picture_by as picture_by
    from brickfield.rendering.offscreen import scale_for as scale_for
    from brickfield.rendering.picking import pick as pick
    from brickfield.rendering.requests import target_rows as target_rows
    from brickfield.rendering.thread import RenderThread as RenderThread
    from brickfield.rendering.thread import render_thread as render_thread
    from brickfield.rendering.volume_view import VolumeView as VolumeView
    from brickfield.rendering.volume_view import level_corners as level_corners
    from brickfield.rendering.volume_view import world_corners as world_corners

__all__ = [
    "DEFAULT_GPU_BUDGET",
    "SYMBOLS",  # Shapes of points, by napari's names.
    "UPLOAD_SLICE_S",  # A step may take longer than the ones before it: 4 ms is what a frame can spare.
    "Drawing",  # One frame on its way into a renderer's target.
    "FrameOptions",  # What a frame shows besides the layer's own look.
    "LayerRenderer",  # Draws one layer in one view and owns everything of it on the GPU.
    "Lines",  # Paths, each a row of points joined by straight lines.
    "ObjectSet",  # Keeps a scene up to date with values.
    "ObjectValue",
    "OffscreenView",  # A :class:`VolumeView` of a fixed size.
    "Points",  # Markers that face the eye.
    "RenderThread",  # Runs drawers and jobs in turn. All methods may be called from any thread.
    "Shading",
    "Surface",  # Triangles, seen and lit from both sides.
    "VolumeView",  # Draws layers on a canvas, sharper from frame to frame.
    "draw_small",  # Draw a view's current picture with the fewest pixels.
    "level_corners",  # Return the corners of the box of one level's voxels.
    "pick",  # Tell what lies under a pixel; None beside every volume.
    "picture_by",  # Draw a view's current picture before a deadline.
    "render_thread",  # Return the process's render thread.
    "scale_for",  # Return the share of pixels along each edge that can be drawn before `end`.
    "target_rows",  # Tell which chunks of a plan are as good as was asked for, shape (n,), bool.
    "world_corners",  # Return the corners of a layer's data box, shape (8, 3), (z, y, x), world.
]

_HOME = {
    "DEFAULT_GPU_BUDGET": "manager",
    "Drawing": "banded_draw",
    "FrameOptions": "frame_uniforms",
    "LayerRenderer": "layer_renderer",
    "Lines": "objects.values",
    "ObjectSet": "objects.object_set",
    "ObjectValue": "objects.values",
    "OffscreenView": "offscreen",
    "Points": "objects.values",
    "RenderThread": "thread",
    "SYMBOLS": "objects.values",
    "Shading": "objects.values",
    "Surface": "objects.values",
    "UPLOAD_SLICE_S": "manager",
    "VolumeView": "volume_view",
    "draw_small": "offscreen",
    "level_corners": "volume_view",
    "pick": "picking",
    "picture_by": "offscreen",
    "render_thread": "thread",
    "scale_for": "offscreen",
    "target_rows": "requests",
    "world_corners": "volume_view",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
