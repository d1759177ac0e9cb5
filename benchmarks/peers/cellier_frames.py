"""Frames drawn by cellier without a window: their cost and their pixels."""

from __future__ import annotations

import asyncio
import json
import sys
from time import process_time
from typing import Any

import numpy as np
import pygfx as gfx
import wgpu
from cellier.controller import CellierController
from cellier.data.image import MultiscaleZarrDataStore
from cellier.render.canvas_view import CanvasView
from cellier.visuals._image import (
    MultiscaleImageAppearance,
    MultiscaleImageSingleAppearance,
)
from rendercanvas.offscreen import OffscreenRenderCanvas

SIZE = (512, 512)


def _offscreen(self: CanvasView, parent: object, **_: object) -> OffscreenRenderCanvas:
    return OffscreenRenderCanvas(size=SIZE, pixel_ratio=1)


async def draw(question: dict[str, Any]) -> dict[str, Any]:
    """Load one level whole, then draw it again and again.

    The question names a zarr folder, level names, a camera (position, target and up
    in (x, y, z), fov 0 for orthographic with `height`), contrast, size, repeats and
    the file for the picture.
    """
    global SIZE
    SIZE = tuple(question["size"])
    CanvasView._create_canvas = _offscreen
    controller = CellierController(gui="offscreen")
    # It would cancel the load when it notices the camera that is set here.
    controller.camera_reslice_enabled = False
    store = MultiscaleZarrDataStore.from_scale_and_translation(
        zarr_path=question["path"],
        scale_names=["0"],
        level_scales=[(1.0,) * 3],
        level_translations=[(0.0,) * 3],
    )
    scene = controller.add_scene(displayed_axes=("z", "y", "x"), render_modes={"3d"})
    controller.add_image_multiscale(
        store,
        scene.id,
        MultiscaleImageAppearance(force_level=1, frustum_cull=False),
        single=MultiscaleImageSingleAppearance(
            color_map="gray", clim=tuple(question["contrast"]), render_mode="mip"
        ),
    )
    controller.add_canvas(scene.id, render_modes={"3d"}, initial_dim="3d")
    (canvas_id,) = controller.get_canvas_ids(scene.id)
    view = controller.get_canvas_view(canvas_id)
    # As everybody in the table: one ray a pixel, one frame, nothing accumulated.
    view._renderer.pixel_scale = 1
    view._renderer.ppaa = "none"
    view._accum_pass.enabled = False
    _aim(view, question)
    done = asyncio.Event()
    controller.reslice_scene(scene.id, on_ready=done.set)
    await done.wait()
    _aim(view, question)
    for _ in range(question.get("warm_up", 3)):
        image = np.asarray(view._canvas.draw())
    times = []
    for _ in range(question["repeats"]):
        start = process_time()
        image = np.asarray(view._canvas.draw())
        times.append(1e3 * (process_time() - start))
    np.save(question["image"], image)
    return {"cpu_ms": float(np.median(times)) if times else 0.0, "repeats": len(times)}


def _aim(view: CanvasView, question: dict[str, Any]) -> None:
    if question["fov"]:
        camera = view._camera
        camera.fov = question["fov"]
        camera.aspect = SIZE[0] / SIZE[1]
        camera.maintain_aspect = True
    else:
        height = question["height"]
        camera = gfx.OrthographicCamera(height * SIZE[0] / SIZE[1], height)
        camera.maintain_aspect = True
        view._camera = camera
    camera.depth_range = tuple(question["depth"])
    camera.local.position = question["position"]
    camera.look_at(question["target"])
    camera.local.reference_up = question["up"]
    camera.look_at(question["target"])


if __name__ == "__main__":
    wgpu.preconfigure_default_device("cellier")
    answer = asyncio.run(asyncio.wait_for(draw(json.loads(sys.argv[1])), 120))
    print(json.dumps(answer))
