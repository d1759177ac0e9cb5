"""Joins a store with an offscreen view: from options to picture and receipt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.camera import (
    AxisName,
    CameraSpec,
    FitCamera,
    OrthoCamera,
    fit_camera,
    slice_camera,
)
from brickfield.errors import BrickfieldError, OptionError
from brickfield.gpu import get_device
from brickfield.loading import default_cache
from brickfield.model import CameraState, Plane, Selection
from brickfield.planning import EXPORT
from brickfield.rendering import (
    DEFAULT_GPU_BUDGET,
    FrameOptions,
    OffscreenView,
    draw_small,
    level_corners,
    picture_by,
    render_thread,
    scale_for,
    world_corners,
)
from brickfield.sources import MadeOfParts
from brickfield.store import ChunkedImageStore, ChunkedLayer, open_store
from brickfield.viewer.drawing_errors import translated
from brickfield.viewer.export.layer_from_options import make_layer, unknown_windows
from brickfield.viewer.export.options import RenderOptions, render_options
from brickfield.viewer.receipts.measure import Account, make_receipt
from brickfield.viewer.receipts.receipt import Receipt
from brickfield.viewer.sampling import sampling_step

_AXES: tuple[AxisName, ...] = ("z", "y", "x")
_LEAST_TO_COMPILE_S = 1.0
"""Time that a picture must have for its programs to be compiled before anything else."""
_rendering = threading.Lock()
"""Pictures are made one after another: each may have a RAM budget of its own."""


@dataclass(frozen=True, eq=False)
class RenderResult:
    """One finished picture.

    Attributes
    ----------
    image : ndarray, shape (height, width, 4), uint8
        sRGB, straight alpha, row 0 on top.
    receipt : Receipt
    camera : CameraState
    layers : tuple of ChunkedLayer
        What was drawn; their stores may be closed.
    """

    image: NDArray[np.uint8]
    receipt: Receipt
    camera: CameraState
    layers: tuple[ChunkedLayer, ...] = ()


def render(
    store: ChunkedImageStore | str | PathLike[str], **options: Any
) -> RenderResult:
    """Draw one picture of a store without a window.

    Parameters
    ----------
    store : ChunkedImageStore, str or Path
        See :func:`brickfield.open_store`; what is named by a path or URL is opened
        for this picture and closed again.
    **options
        As for ``brickfield render``: `size`, `camera`, `mode`, `channel`, `time`,
        `contrast`, `colormap`, `gamma`, `level`, `quality`, `timeout`, … (see
        :func:`brickfield.viewer.export.options.render_options`).

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
    DeviceError
        If the graphics device has no room for the picture, or was lost.
    BrickfieldError
        If a path or URL cannot be opened, as :func:`brickfield.open_store` says.
    """
    wanted = render_options(**options)
    given: object = store
    if isinstance(given, ChunkedImageStore):
        return render_picture(given, wanted)
    if not isinstance(given, str | PathLike):
        msg = (
            "expected a store, a path or a URL to draw; found"
            f" {type(given).__name__}: open arrays with open_store first"
        )
        raise OptionError(msg)
    opened = open_store(given)
    try:
        return render_picture(opened, wanted)
    finally:
        # Reads that are no longer waited for may stall.
        opened.close(wait=False)


def render_picture(store: ChunkedImageStore, options: RenderOptions) -> RenderResult:
    """Draw one picture; see :func:`render`. May be called from any thread.

    Live views may be drawing: it is done in turns with them, never two at a time on
    one device, and they go on while it waits for data.

    Parameters
    ----------
    store : ChunkedImageStore
    options : RenderOptions

    Raises
    ------
    OptionError
        If the store is closed, or options do not fit the data.
    """
    if store.is_closed:
        msg = (
            "expected an open store; found a closed one: open it again with open_store"
        )
        raise OptionError(msg)
    return in_turn(options, lambda: _picture(store, options))


def in_turn(options: RenderOptions, draw: Callable[[], RenderResult]) -> RenderResult:
    """Draw one picture while no other is drawn, within its memory budget.

    Parameters
    ----------
    options : RenderOptions
    draw : callable
        Makes the picture.
    """
    render_thread().call(get_device)
    cache = default_cache()
    with _rendering:
        usual_budget = cache.budget_bytes
        if options.ram_budget is not None:
            cache.budget_bytes = options.ram_budget
        cache.restart_peak()
        try:
            with translated():
                return draw()
        finally:
            # All stores share the cache; one picture's budget must not outlive it.
            cache.budget_bytes = usual_budget


def _picture(store: ChunkedImageStore, options: RenderOptions) -> RenderResult:
    end = perf_counter() + options.timeout
    # What is read for the contrast is part of the picture's cost.
    account = Account(store)
    unknown = unknown_windows(store, options)
    has_time = options.timeout > _LEAST_TO_COMPILE_S
    reads_ahead = has_time and unknown and isinstance(store.source, MadeOfParts)
    layer = make_layer(store, _unlooked(options) if reads_ahead else options)
    plane = plane_for(layer, options)
    camera = camera_for(layer, options)
    with _view_of([layer], camera, options, plane) as view:
        if reads_ahead:
            _look_while_reading(view, layer, unknown, end)
            layer.show(make_layer(store, options).appearance, layer.selections)
            render_thread().call(lambda: view.set_layers([layer]))
        drawn = _draw([account], view, options, end)
    return replace(drawn, layers=(layer,))


def _unlooked(options: RenderOptions) -> RenderOptions:
    """Return options with any contrast: which chunks are drawn does not depend on it."""
    return replace(options, contrast=((0.0, 1.0),))


def _look_while_reading(
    view: OffscreenView,
    layer: ChunkedLayer,
    unknown: Sequence[Selection],
    end: float,
) -> None:
    """Look for contrast limits while the picture's own chunks are loaded.

    A level that is sampled for the limits shares its storage chunks with the picture:
    each is read once for both, also where not all of them fit the RAM budget.

    Parameters
    ----------
    view : OffscreenView
        Shows the layer.
    layer : ChunkedLayer
    unknown : sequence of Selection
        What to look at.
    end : float
        Time of :func:`time.perf_counter` at which the picture is taken as it is.
    """
    call, is_over = render_thread().call, threading.Event()
    left_s = end - perf_counter()
    looks = [
        layer.store.begin_look(s, begins=False, patience_s=left_s) for s in unknown
    ]

    def look() -> None:
        try:
            for wait in looks:
                wait()
        except BrickfieldError:
            # Whoever asks for the limits meets it again.
            pass
        finally:
            is_over.set()
            view.wake()

    thread = threading.Thread(target=look, name="brickfield-contrast", daemon=True)
    try:
        # Both requests are there before anything is read.
        call(lambda: view.update(slice_s=0.0))
    finally:
        thread.start()
    _compile(view, end)
    view.load_while(lambda: not is_over.is_set(), carry_out=call)
    thread.join()


def draw_layers(
    layers: Sequence[ChunkedLayer],
    accounts: Sequence[Account],
    camera: CameraState,
    options: RenderOptions,
    end: float,
    plane: Plane | None = None,
) -> RenderResult:
    """Draw layers over each other, the first first.

    Parameters
    ----------
    layers : sequence of ChunkedLayer
    accounts : sequence of Account
        One for each store.
    camera : CameraState
    options : RenderOptions
        Size, quality, budgets, background and overlays; not what layers look like.
    end : float
        Time of :func:`time.perf_counter` at which the picture is taken as it is.
    plane : Plane, optional
        Drawn in place of the volume.
    """
    with _view_of(layers, camera, options, plane) as view:
        drawn = _draw(accounts, view, options, end)
    return replace(drawn, layers=tuple(layers))


@contextmanager
def _view_of(
    layers: Sequence[ChunkedLayer],
    camera: CameraState,
    options: RenderOptions,
    plane: Plane | None,
) -> Iterator[OffscreenView]:
    """Make the view of a picture, and close it afterwards."""
    policy = replace(
        EXPORT, target_error_px=options.quality, forced_level=options.level
    )
    if plane is not None:
        # This plane will not move: nothing beside it is worth reading.
        policy = replace(policy, base_share=0.0)
    call = render_thread().call
    view = call(
        lambda: OffscreenView(
            options.size,
            gpu_budget=options.gpu_budget or DEFAULT_GPU_BUDGET,
            policy=policy,
            background=tuple(c / 255 for c in options.background),
            plane=plane,
        )
    )
    view.options = FrameOptions(
        step_factor=sampling_step(camera, list(layers), is_slice=plane is not None)
    )
    view.overlays.state = options.overlay
    view.camera = camera
    try:
        call(lambda: view.set_layers(layers))
        yield view
    finally:
        call(view.close)


def camera_for(layer: ChunkedLayer, options: RenderOptions) -> CameraState:
    """Return the camera that the options describe for a layer.

    Parameters
    ----------
    layer : ChunkedLayer
    options : RenderOptions
    """
    spec, corners = options.camera, world_corners(layer)
    plane = options.shown_plane
    if plane is not None and isinstance(spec, FitCamera):
        if plane.axis is None:
            return slice_camera(plane, corners, options.size)
        spec = OrthoCamera(_AXES[plane.axis])
    level = _fitted_level(layer, spec, options)
    if level:
        corners = level_corners(layer, level)
    shape = layer.store.pyramid.levels[level].shape_zyx
    return fit_camera(spec, corners, options.size, shape)


def _fitted_level(layer: ChunkedLayer, spec: CameraSpec, options: RenderOptions) -> int:
    """Choose the level whose box fills the picture: 0, but for pictures of another.

    Those are of one level alone, along an axis, and have a pixel for each of its
    voxels; its box often ends a part of a voxel beyond that of level 0.
    """
    levels, wished = layer.store.pyramid.levels, options.level or 0
    if not (isinstance(spec, OrthoCamera) and 0 < wished < len(levels)):
        return 0
    across = [a for a, name in enumerate(_AXES) if name != spec.axis]
    sizes = [
        tuple(level.shape_zyx[a] for a in reversed(across))
        for level in (levels[0], levels[wished])
    ]
    return wished if options.size == sizes[1] != sizes[0] else 0


def plane_for(layer: ChunkedLayer, options: RenderOptions) -> Plane | None:
    """Return the plane that the options describe; None for the volume.

    Parameters
    ----------
    layer : ChunkedLayer
    options : RenderOptions

    Raises
    ------
    OptionError
        If it does not meet the image.
    """
    plane = options.shown_plane
    if plane is None:
        return None
    corners = world_corners(layer)
    distances = plane.distance(corners)
    if distances.min() > 0 or distances.max() < 0:
        low, high = corners.min(axis=0), corners.max(axis=0)
        box = ", ".join(
            f"{name} {a:g} to {b:g}"
            for name, a, b in zip("zyx", low, high, strict=True)
        )
        x, y, z = reversed(plane.point)
        msg = (
            f"expected a slice that meets the image (world units: {box}); found"
            f" one through x {x:g}, y {y:g}, z {z:g}"
        )
        raise OptionError(msg)
    return plane


def _compile(view: OffscreenView, end: float) -> None:
    """Compile what the picture needs while its chunks are read."""

    def compile_while_reading() -> None:
        view.update(slice_s=0.0)
        draw_small(view)

    # A picture that may take no time is taken as it is then, not when the compiler has
    # ended: by that time its data may have come.
    if end - perf_counter() > _LEAST_TO_COMPILE_S:
        render_thread().call(compile_while_reading)


def _draw(
    accounts: Sequence[Account], view: OffscreenView, options: RenderOptions, end: float
) -> RenderResult:
    """Load, draw and judge until `end`, a time of :func:`time.perf_counter`."""
    call = render_thread().call
    start = perf_counter()
    first: list[float] = []

    def on_base() -> None:
        # Nobody sees it: it tells when there was something to see.
        draw_small(view)
        first.append(perf_counter() - start)

    _compile(view, end)
    ended = view.wait_until_complete(
        end - perf_counter(), on_base=on_base, carry_out=call
    )
    if not ended:
        reason = (
            f"it had not come when the {options.timeout:g} s of the picture were over"
        )
        call(lambda: view.end_waiting(reason))
    picture = call(lambda: picture_by(view, end))
    finished = perf_counter() - start
    view.audit_scale = scale_for(picture.cost_s, end)
    times_s = (first[0] if first else finished, finished)
    receipt = call(
        lambda: make_receipt(
            view, accounts, ended=ended, scale=picture.scale, times_s=times_s
        )
    )
    if not ended:
        call(view.forgive)
    assert view.camera is not None
    return RenderResult(picture.image, receipt, view.camera)
