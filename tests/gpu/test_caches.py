"""What pygfx remembers is forgotten with the picture that it was for."""

from __future__ import annotations

import gc

import pytest
import wgpu

from brickfield.gpu.device import forget_bindings, forget_pipelines

pytestmark = pytest.mark.usefixtures("forgetful")


def counts() -> dict[str, int]:
    """Return how many objects of each kind the device has."""
    gc.collect()
    found = wgpu.diagnostics.object_counts.get_dict()
    kinds = ("BindGroup", "PipelineLayout", "RenderPipeline", "Texture")
    return {kind: found[kind]["count"] for kind in kinds}


def draw(size=(64, 48), pixel_scale=1) -> None:
    """Draw a picture with a renderer of its own, and let go of it."""
    import pygfx as gfx
    from rendercanvas.offscreen import OffscreenRenderCanvas

    canvas = OffscreenRenderCanvas(size=size, pixel_ratio=1)
    renderer = gfx.renderers.WgpuRenderer(canvas, pixel_scale=pixel_scale, ppaa="none")
    scene = gfx.Scene()
    scene.add(gfx.Background(None, gfx.BackgroundMaterial((1, 0, 0))))
    camera = gfx.OrthographicCamera(2, 2)
    canvas.request_draw(lambda: renderer.render(scene, camera))
    canvas.draw()
    canvas.close()


def test_pictures_one_after_another_leave_nothing_on_the_device(adapter):
    draw()
    forget_pipelines()
    before = counts()
    for _ in range(3):
        draw()
        forget_pipelines()
    assert counts() == before


def test_bindings_are_forgotten_alone_where_the_renderer_goes_on(adapter):
    forget_pipelines()
    before = counts()
    draw()
    forget_bindings()
    after = counts()
    assert after["BindGroup"] == before["BindGroup"]
    assert after["RenderPipeline"] > before["RenderPipeline"], "still remembered"
    forget_pipelines()
    assert counts() == before


def test_passes_for_pictures_of_other_scales_are_forgotten(adapter):
    draw()
    forget_pipelines()
    before = counts()
    for scale in (0.5, 0.25, 2):
        draw(pixel_scale=scale)
    assert counts()["RenderPipeline"] > before["RenderPipeline"]
    forget_pipelines()
    assert counts() == before
