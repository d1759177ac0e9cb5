"""A view of volumes on one canvas.

The canvas is given from outside (offscreen, or a widget), so that this package knows no
toolkit. Opaque objects (meshes, points) are drawn first; their depth ends the rays of
the volumes, and volumes write depth in turn. Thread rule: render thread only.

:class:`Fence` waits for the device, to know how long something took. wgpu's own
question when submitted work is done cannot be asked in wgpu-py 0.32 (its callback has
another signature than the library's). What is read back has been waited for just as
well. Thread rule: render thread only.

Given a plane, the view shows a slice in place of the volumes. Invariant: a slice is
never mirrored or turned. Its rows and columns are those of
:attr:`brickfield.model.plane.Plane.axes`, which are the ones of the cameras
``ortho:z``, ``ortho:y`` and ``ortho:x`` where the plane lies across an axis.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from time import perf_counter
from typing import Any

import numpy as np
import pygfx as gfx
import wgpu
from numpy.typing import NDArray
from pygfx.renderers.wgpu.engine.effectpasses import OutputPass

from brickfield.gpu import GpuDevice, forget_bindings, forget_pipelines, get_device
from brickfield.model import CameraState, Plane, Vec3
from brickfield.planning import EXPLORATION, LodPolicy
from brickfield.rendering.banded_draw import Drawing
from brickfield.rendering.compositing import LayerStack
from brickfield.rendering.frame_uniforms import FrameOptions, SceneCamera
from brickfield.rendering.manager import (
    DEFAULT_GPU_BUDGET,
    UPLOAD_SLICE_S,
    RenderManager,
)
from brickfield.rendering.objects.object_set import Headlight
from brickfield.rendering.overlays.context import OverlayContext, layer_frame, unit_of
from brickfield.rendering.overlays.overlay_set import OverlaySet
from brickfield.store import ChunkedLayer, LayerSnapshot


class Fence:
    """Waits until all that was submitted so far has been done.

    Parameters
    ----------
    gpu : GpuDevice
    """

    def __init__(self, gpu: GpuDevice) -> None:
        self._queue = gpu.device.queue
        self._buffer = gpu.device.create_buffer(
            size=4, usage=wgpu.BufferUsage.COPY_SRC | wgpu.BufferUsage.COPY_DST
        )

    def wait(self) -> None:
        """Return when the device has nothing left to do; other threads go on."""
        # Four bytes are read back only after all that was submitted before is done.
        self._queue.read_buffer(self._buffer)

    def close(self) -> None:
        """Give the buffer back."""
        self._buffer.destroy()


class EnlargingPass(OutputPass):
    """Hands a picture over, enlarged by one program however few pixels it has.

    pygfx writes the ratio of the sizes into the program, so that each share of the
    pixels and each size of the window were compiled anew.
    But nothing of an enlarging program depends on it: the kernel is that of the source.
    """

    def _set_template_var(self, **variables: Any) -> None:
        if variables.get("scaleFactor", 1.0) < 1.0:
            variables["scaleFactor"] = ANY_SMALLER
        super()._set_template_var(**variables)


Rgb = tuple[float, float, float]


ANY_SMALLER = 0.5
"""Stands for every ratio of a picture to a larger one that it is shown in."""
LATE_S = 1 / 30
"""Work of a frame beyond its upload slice that the user would see as a stutter."""


class VolumeView:
    """Draws layers on a canvas, sharper from frame to frame.

    Parameters
    ----------
    canvas : rendercanvas canvas or pygfx texture
    gpu_budget : int
        Bytes for textures.
    policy : LodPolicy
    background : tuple of float
        sRGB, 0 to 1.
    plane : Plane, optional
        Show this slice in place of the volumes; see :attr:`plane`.
    gpu : GpuDevice, optional
    """

    def __init__(
        self,
        canvas: Any,
        *,
        gpu_budget: int = DEFAULT_GPU_BUDGET,
        policy: LodPolicy = EXPLORATION,
        background: Rgb = (0.0, 0.0, 0.0),
        plane: Plane | None = None,
        gpu: GpuDevice | None = None,
    ) -> None:
        self.gpu = gpu or get_device()
        self.manager = RenderManager(self.gpu, gpu_budget=gpu_budget, policy=policy)
        self.manager.plane = plane
        self.background = background
        self.camera: CameraState | None = None
        self.options = FrameOptions()
        self.renderer = new_renderer(canvas)
        self.objects = gfx.Scene()
        """Opaque pygfx objects in world coordinates (x, y, z)."""
        self._headlight = Headlight()
        self._lit = gfx.Scene()
        self._lit.add(self.objects, *self._headlight.lights)
        self.overlays = OverlaySet()
        """Scale bar, axes and so on: this view's own, drawn last."""
        self._has_overlays = True
        self._backdrop = gfx.Scene()
        self._backdrop_material = gfx.BackgroundMaterial(background)
        self._backdrop.add(gfx.Background(None, self._backdrop_material))
        self._camera = SceneCamera()
        self._stack = LayerStack(self.gpu)
        self._fence = Fence(self.gpu)
        self._shown: tuple[LayerSnapshot, ...] = ()
        self._followed: tuple[ChunkedLayer, ...] = ()

    @property
    def layers(self) -> tuple[ChunkedLayer, ...]:
        """Layers, drawn first to last."""
        return tuple(x.layer for x in self._shown)

    @property
    def plane(self) -> Plane | None:
        """The slice that is shown in place of the volumes, None for the volumes.

        It is the view's own: other views of the same layers may show others.
        """
        return self.manager.plane

    @plane.setter
    def plane(self, value: Plane | None) -> None:
        self.manager.plane = value

    def set_layers(self, layers: Sequence[ChunkedLayer]) -> None:
        """Show these layers and no others, as they are whenever a frame is made.

        For a caller on the thread that owns the layers; others :meth:`show` snapshots.
        """
        self._followed = tuple(layers)
        self.show([LayerSnapshot.of(layer) for layer in layers])

    def show(self, layers: Sequence[LayerSnapshot]) -> None:
        """Show these snapshots of layers and no others.

        A layer that was shown before keeps its bricks.

        Parameters
        ----------
        layers : sequence of LayerSnapshot
            Drawn first to last.
        """
        before, self._shown = self._shown, tuple(layers)
        if [x.layer for x in before] == [x.layer for x in layers]:
            return
        # pygfx keeps bind groups of removed renderers, which hold their textures.
        if self.manager.set_layers(self._shown):
            forget_bindings()

    def sync(self) -> dict[str, set[str]]:
        """Do the work that changes of the layers require; return it by visual id."""
        if self._followed:
            self.show([LayerSnapshot.of(layer) for layer in self._followed])
        return self.manager.sync(self._shown)

    def update(
        self, *, is_moving: bool = False, slice_s: float = UPLOAD_SLICE_S
    ) -> bool:
        """Plan and upload for the current camera; tell whether anything changed.

        Parameters
        ----------
        is_moving : bool
            Whether the camera is being moved.
        slice_s : float
            Seconds that uploading may take.
        """
        if self.camera is None:
            return False
        start = perf_counter()
        work = self.sync()
        camera = self._ranged(self.camera)
        planned = self.manager.plan(camera, is_moving=is_moving)
        uploaded = self.manager.upload(slice_s)
        if perf_counter() - start > slice_s + LATE_S:
            self.manager.statistics.late_frames += 1
        return bool(planned or uploaded or any(work.values()))

    def draw(self) -> None:
        """Draw one frame into the renderer's target."""
        if self.camera is None:
            return
        drawing = self.begin()
        drawing.draw_rest()
        self.finish()

    def begin(self) -> Drawing:
        """Begin one frame of the present camera, to be drawn piece by piece.

        It ends with :meth:`finish`, or when another one begins.
        """
        assert self.camera is not None
        if self._followed:
            self.sync()
        camera = self._ranged(self.camera)
        self._camera.follow(camera)
        self._headlight.follow(camera)
        has_objects = bool(self.objects.children)
        options = replace(self.options, has_objects=has_objects)
        if not options.audit:
            options = replace(options, background=self.background)
        self.manager.prepare(camera, options)
        self._draw_backdrop(options)
        volumes = [r.volume for r in self.manager.renderers]
        return Drawing(
            self._stack.each(self.renderer, volumes, has_objects=has_objects),
            lambda v: self.renderer.render(v, self._camera, flush=False),
            self._fence.wait,
            n_rows=self.renderer.physical_size[1],
            n_volumes=sum(v.visible for v in volumes),
        )

    def finish(self) -> None:
        """Add the overlays to a frame whose volumes are drawn, and hand it over."""
        assert self.camera is not None
        is_decorated = self._has_overlays and not self.options.audit
        if is_decorated and self.overlays.is_visible:
            self._draw_overlays(self._ranged(self.camera))
        self.renderer.flush()
        self.overlays.finish()

    @contextmanager
    def without_overlays(self) -> Iterator[None]:
        """Draw no overlays meanwhile, whatever their options."""
        self._has_overlays = False
        try:
            yield
        finally:
            self._has_overlays = True

    def _draw_backdrop(self, options: FrameOptions) -> None:
        """Draw the background and the opaque objects."""
        color = (0.0, 0.0, 0.0) if options.audit else self.background
        self._backdrop_material.set_colors(gfx.Color(*color))
        # Cleared whatever was there: the frame before may never have been finished.
        if options.audit and options.has_objects:
            # Their depth matters, their colours are no classes of pixels.
            self.renderer.render(self._lit, self._camera, clear=True, flush=False)
            self.renderer.clear(color=True)
            self.renderer.render(self._backdrop, self._camera, flush=False)
        else:
            self.renderer.render(self._backdrop, self._camera, clear=True, flush=False)
        if options.has_objects and not options.audit:
            self.renderer.render(self._lit, self._camera, flush=False)

    def _draw_overlays(self, camera: CameraState) -> None:
        layers = self._shown
        context = OverlayContext(
            size=self.renderer.logical_size,
            pixel_ratio=self.renderer.pixel_ratio / self.renderer.pixel_scale,
            layers=tuple(
                layer_frame(
                    x,
                    world_corners(x),
                    has_tiles=self.overlays.options("tiles").visible,
                )
                for x in layers
            ),
            unit=unit_of(layers),
            plane=self.plane,
            background=self.background,
            has_objects=bool(self.objects.children),
        )
        self.overlays.draw(self.renderer, camera, context)

    def _ranged(self, camera: CameraState) -> CameraState:
        """Return the camera with near and far round everything there is."""
        corners = [outer_corners(layer) for layer in self._shown]
        # The depth range must hold objects too, or the clip planes would cut them.
        objects = self.objects
        sphere = objects.get_world_bounding_sphere() if objects.children else None
        if sphere is not None:
            x, y, z, r = (float(v) for v in sphere)
            offsets = np.array(list(product((-r, r), repeat=3)))
            corners.append(np.array([z, y, x]) + offsets)
        if not corners:
            return camera
        return camera.with_depth_range(np.concatenate(corners))

    @property
    def programs(self) -> Hashable:
        """What has to be made before the picture can be drawn, volume by volume."""
        names = tuple(r.visual_id for r in self.manager.renderers if r.layer.visible)
        return names, self.kinds

    @property
    def kinds(self) -> Hashable:
        """What the device has to compile for :attr:`programs`, whosever they are."""
        seen = [r for r in self.manager.renderers if r.layer.visible]
        return tuple(r.bricks.material.program for r in seen), bool(
            self.objects.children
        )

    @property
    def is_complete(self) -> bool:
        """Whether the picture is as good as the plan."""
        return self.manager.is_complete

    def close(self) -> None:
        """Give everything back."""
        self.set_layers([])
        self.manager.destroy()
        self._stack.close()
        self._fence.close()
        forget_pipelines()


def new_renderer(canvas: Any) -> Any:
    """Make a pygfx renderer that adds nothing to what volumes draw."""
    # One sample per pixel and no smoothing: a pixel's value must be exactly that of its
    # ray. Pictures of fewer pixels are enlarged linearly: a cubic filter took software
    # Vulkan as long as the rays of a moving picture (16 of 41 ms).
    renderer = gfx.renderers.WgpuRenderer(
        canvas, pixel_scale=1, pixel_filter="linear", ppaa="none"
    )
    renderer._output_pass = EnlargingPass(filter=renderer.pixel_filter)
    return renderer


def world_corners(layer: ChunkedLayer | LayerSnapshot) -> NDArray[np.float64]:
    """Return the corners of a layer's data box, shape (8, 3), (z, y, x), world."""
    return _corners(layer, layer.store.pyramid.data_bounds)


def level_corners(
    layer: ChunkedLayer | LayerSnapshot, level: int
) -> NDArray[np.float64]:
    """Return the corners of the box of one level's voxels.

    Parameters
    ----------
    layer : ChunkedLayer or LayerSnapshot
    level : int

    Returns
    -------
    ndarray, shape (8, 3), float64
        World (z, y, x).
    """
    return _corners(layer, layer.store.pyramid.level_bounds(level))


def outer_corners(layer: ChunkedLayer | LayerSnapshot) -> NDArray[np.float64]:
    """Return the corners of the box round all levels' voxels, shape (8, 3), world."""
    return _corners(layer, layer.store.pyramid.outer_bounds)


def _corners(
    layer: ChunkedLayer | LayerSnapshot, bounds: tuple[Vec3, Vec3]
) -> NDArray[np.float64]:
    box = np.array(list(product(*zip(*bounds, strict=True))))
    return layer.world.apply(box)
