"""Joins a store with an offscreen view: from options to picture and receipt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import version
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.device import get_device
from brickfield.loading.cache import default_cache
from brickfield.model.camera import CameraState
from brickfield.model.requests import ChunkFailure
from brickfield.planning.policy import EXPORT
from brickfield.render.frame_uniforms import FrameOptions
from brickfield.render.manager import DEFAULT_GPU_BUDGET
from brickfield.render.offscreen import OffscreenView
from brickfield.render.volume_view import world_corners
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.layer import ChunkedLayer
from brickfield.viewer.accounting import Account, pixel_shares, quantiles
from brickfield.viewer.camera_spec import OrthoCamera
from brickfield.viewer.fit import fit_camera
from brickfield.viewer.options import RenderOptions, render_options
from brickfield.viewer.receipt import Receipt
from brickfield.viewer.scene import make_layer


@dataclass(frozen=True, eq=False)
class RenderResult:
    """One finished picture.

    Attributes
    ----------
    image : ndarray, shape (height, width, 4), uint8
        sRGB, straight alpha, row 0 on top.
    receipt : Receipt
    camera : CameraState
    """

    image: NDArray[np.uint8]
    receipt: Receipt
    camera: CameraState


def render(store: ChunkedImageStore, **options: Any) -> RenderResult:
    """Draw one picture of a store without a window.

    Parameters
    ----------
    store : ChunkedImageStore
        See :func:`brickfield.open_store`.
    **options
        As for ``brickfield render``: `size`, `camera`, `mode`, `channel`, `time`,
        `contrast`, `colormap`, `gamma`, `level`, `quality`, `timeout`, … (see
        :func:`brickfield.viewer.options.render_options`).

    Returns
    -------
    RenderResult
        ``.image`` and ``.receipt``. Chunks that cannot be read do not raise: they
        are drawn coarser and listed in the receipt.

    Raises
    ------
    OptionError
        For an option that cannot be used with this store.
    AdapterError
        Without a graphics driver.
    """
    return render_picture(store, render_options(**options))


def render_picture(store: ChunkedImageStore, options: RenderOptions) -> RenderResult:
    """Draw one picture; see :func:`render`."""
    get_device()
    cache = default_cache()
    usual_budget = cache.budget_bytes
    if options.ram_budget is not None:
        cache.budget_bytes = options.ram_budget
    cache.restart_peak()
    try:
        return _picture(store, options)
    finally:
        # The cache is everybody's; one picture's budget must not outlive it.
        cache.budget_bytes = usual_budget


def _picture(store: ChunkedImageStore, options: RenderOptions) -> RenderResult:
    # What is read for the contrast is part of the picture's cost.
    account = Account(store)
    layer = make_layer(store, options)
    view = OffscreenView(
        options.size,
        gpu_budget=options.gpu_budget or DEFAULT_GPU_BUDGET,
        policy=replace(
            EXPORT, target_error_px=options.quality, forced_level=options.level
        ),
        background=tuple(c / 255 for c in options.background),
    )
    view.options = FrameOptions(step_factor=step_factor(options))
    try:
        view.set_layers([layer])
        view.camera = camera_for(layer, options)
        return _draw(account, layer, view, options)
    finally:
        view.close()


def camera_for(layer: ChunkedLayer, options: RenderOptions) -> CameraState:
    """Return the camera that the options mean for a layer."""
    shape = layer.store.pyramid.levels[0].shape_zyx
    return fit_camera(options.camera, world_corners(layer), options.size, shape)


def step_factor(options: RenderOptions) -> float:
    """Choose how finely rays are sampled.

    Along an axis one sample a voxel sees every voxel exactly. Rays at an angle
    take three, so that thin bright structures do not break up into stripes.
    """
    is_exact = options.mode in ("mip", "minip", "average")
    if isinstance(options.camera, OrthoCamera) and is_exact:
        return 1.0
    return 1 / 3


def _draw(
    account: Account,
    layer: ChunkedLayer,
    view: OffscreenView,
    options: RenderOptions,
) -> RenderResult:
    start = perf_counter()
    first: list[float] = []

    def on_base() -> None:
        view.image()
        first.append(perf_counter() - start)

    ended = view.wait_until_complete(options.timeout, on_base=on_base)
    image = view.image()
    finished = perf_counter() - start
    receipt = _receipt(account, view, ended=ended)
    receipt = replace(
        receipt,
        time_to_first_image_s=first[0] if first else finished,
        time_to_complete_s=finished,
    )
    assert view.camera is not None
    return RenderResult(image, receipt, view.camera)


def _receipt(account: Account, view: OffscreenView, *, ended: bool) -> Receipt:
    (renderer,) = view.manager.renderers
    manager, cache = account.store.manager, default_cache()
    plan, statistics = renderer.plan, view.manager.statistics
    return Receipt(
        complete=ended and not renderer.failures,
        time_to_first_image_s=0.0,
        time_to_complete_s=0.0,
        bytes_read=account.bytes_read,
        bytes_minimum=account.bytes_minimum(renderer),
        requests=account.requests,
        chunks={
            **renderer.chunk_counts(),
            "cancelled": manager.status(renderer.visual_id).cancelled,
        },
        pixels=pixel_shares(view.classes()),
        levels=account.drawn_levels(renderer),
        target_error_px=plan.target_error_px if plan is not None else 0.0,
        gpu_bytes=view.manager.gpu_bytes,
        gpu_budget=view.manager.gpu_budget,
        gpu_usable_fraction=statistics.planned_share,
        ram_cache_peak_bytes=cache.peak_bytes,
        ram_budget=cache.budget_bytes,
        plan_ms=quantiles(statistics.plan_ms),
        upload_ms=quantiles(statistics.upload_ms),
        page_table_bytes_per_brick=renderer.bricks.page_bytes_per_brick,
        frames=statistics.frames,
        late_frames=statistics.late_frames,
        failures=[_failure_entry(f) for f in renderer.failures.values()],
        adapter=view.gpu.adapter,
        versions=_versions() | {"format": account.store.info.format},
    )


def _failure_entry(failure: ChunkFailure) -> dict[str, Any]:
    return {
        "level": failure.chunk_id.scale_level,
        "chunk": list(failure.chunk_id.index),
        "key": failure.key,
        "reason": failure.reason,
    }


def _versions() -> dict[str, str]:
    names = ("napari-brickfield", "pygfx", "wgpu", "tensorstore", "numpy")
    return {name: version(name) for name in names}
