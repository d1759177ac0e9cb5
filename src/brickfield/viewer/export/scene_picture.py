"""Draws a scene document without a window: all visible layers, with their looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from brickfield.camera import fit_camera
from brickfield.errors import BrickfieldError, OptionError, source_error
from brickfield.model import AffineTransform, CameraState, Selection
from brickfield.model.appearance import (
    BLENDINGS,
    MODES,
    Appearance,
    Blending,
    ChannelAppearance,
    Mode,
    color_lut,
)
from brickfield.rendering import world_corners
from brickfield.scene import SceneLayer, SceneSource, SceneState
from brickfield.sources import ChunkSource
from brickfield.store import ChunkedImageStore, ChunkedLayer, open_store
from brickfield.viewer.colormaps import lut
from brickfield.viewer.export.options import RenderOptions
from brickfield.viewer.export.picture import RenderResult, draw_layers, in_turn
from brickfield.viewer.receipts.measure import Account


@dataclass(frozen=True)
class OpenScene:
    """A scene with its stores open.

    Attributes
    ----------
    state : SceneState
    stores : dict of int to ChunkedImageStore
        Of the visible layers, by position.
    """

    state: SceneState
    stores: dict[int, ChunkedImageStore]

    @property
    def sources(self) -> list[ChunkSource]:
        """What is read."""
        return [store.source for store in self.stores.values()]


@contextmanager
def open_scene(state: SceneState) -> Iterator[OpenScene]:
    """Open what the visible layers of a scene show; closed at the end.

    Raises
    ------
    SceneSourceError
        When data cannot be opened.
    OptionError
        When no layer is visible, or voxels are in memory only.
    """
    by_key: dict[str, ChunkedImageStore] = {}
    stores: dict[int, ChunkedImageStore] = {}
    try:
        for i, layer in enumerate(state.layers):
            if layer.visible:
                stores[i] = _opened(i, layer, by_key)
        if not stores:
            msg = "expected a visible layer to draw; found none in the scene"
            raise OptionError(msg)
        yield OpenScene(state, stores)
    finally:
        for store in by_key.values():
            store.close(wait=False)


def _opened(
    i: int, layer: SceneLayer, known: dict[str, ChunkedImageStore]
) -> ChunkedImageStore:
    source = layer.source
    if not isinstance(source, SceneSource):
        msg = (
            f"expected data that a file holds (layers[{i}]); found them in memory only"
        )
        raise OptionError(msg)
    options = source.model_dump(exclude={"uri", "channel"}, exclude_none=True)
    key = json.dumps([source.uri, options])
    if key not in known:
        try:
            known[key] = open_store(source.uri, **options)
        except BrickfieldError as error:
            raise source_error(error, f"layers[{i}].source: {error}") from error
    return known[key]


def render_scene(
    scene: OpenScene, options: RenderOptions, *, has_camera: bool = False
) -> RenderResult:
    """Draw a scene; from any thread.

    Parameters
    ----------
    scene : OpenScene
    options : RenderOptions
        Size, quality, budgets, background and overlays.
    has_camera : bool
        Whether the options' camera counts; else the scene's 3D camera does.
    """
    return in_turn(options, lambda: _picture(scene, options, has_camera=has_camera))


def _picture(
    scene: OpenScene, options: RenderOptions, *, has_camera: bool
) -> RenderResult:
    end = perf_counter() + options.timeout
    once = {id(store): store for store in scene.stores.values()}
    accounts = [Account(store) for store in once.values()]
    state = scene.state
    layers = [_layer(state, i, store) for i, store in scene.stores.items()]
    own = None if has_camera else state.views.cameras.get("3D")
    camera = _fitted(layers, options) if own is None else own.camera(options.size)
    return draw_layers(layers, accounts, camera, options, end)


def _fitted(layers: list[ChunkedLayer], options: RenderOptions) -> CameraState:
    corners = np.vstack([world_corners(layer) for layer in layers])
    shape = layers[0].store.pyramid.levels[0].shape_zyx
    return fit_camera(options.camera, corners, options.size, shape)


def _layer(state: SceneState, i: int, store: ChunkedImageStore) -> ChunkedLayer:
    entry = state.layers[i]
    selection = _selection(state, entry, store)
    is_labels = entry.kind == "labels"
    channel = _labels_look(entry) if is_labels else _channel(entry, store, selection)
    look = Appearance(
        mode=_mode(entry),
        channels=(channel,),
        interpolation="nearest"
        if is_labels or entry.interpolation == "nearest"
        else "linear",
        blending=cast(
            "Blending", entry.blending if entry.blending in BLENDINGS else "translucent"
        ),
        attenuation=entry.attenuation,
        is_labels=is_labels,
        selected_label=entry.selected_label,
        clip_box=entry.clip_box,
        clip_planes=_planes(entry),
        lighting=state.views.light.lighting(),
    )
    world = None if entry.transform is None else _world(entry.transform)
    return ChunkedLayer(store, look, [selection], world=world)


def _mode(entry: SceneLayer) -> Mode:
    if entry.kind == "labels":
        return "iso" if entry.mode == "iso_categorical" else "translucent"
    return cast("Mode", entry.mode if entry.mode in MODES else "mip")


def _selection(
    state: SceneState, entry: SceneLayer, store: ChunkedImageStore
) -> Selection:
    """Return the index on every non-spatial axis, within the image."""
    pyramid, where = store.pyramid, state.exploration
    assert isinstance(entry.source, SceneSource)
    found = []
    for axis in pyramid.other_axes:
        index = where.positions.get(pyramid.axes[axis].name, 0)
        if axis == pyramid.channel_axis and entry.source.channel is not None:
            index = entry.source.channel
        elif axis == pyramid.time_axis:
            index = where.time
        found.append(min(max(index, 0), pyramid.levels[0].shape[axis] - 1))
    return tuple(found)


def _labels_look(entry: SceneLayer) -> ChannelAppearance:
    return ChannelAppearance(opacity=entry.opacity)


def _channel(
    entry: SceneLayer, store: ChunkedImageStore, selection: Selection
) -> ChannelAppearance:
    contrast = entry.contrast or store.estimate_contrast(selection)
    threshold = entry.iso_threshold
    return ChannelAppearance(
        contrast=contrast,
        gamma=entry.gamma,
        opacity=entry.opacity,
        lut=lut_of(entry),
        iso_threshold=sum(contrast) / 2 if threshold is None else threshold,
    )


def lut_of(entry: SceneLayer) -> NDArray[np.uint8]:
    """Return a layer's colours and opacities, shape (256, 4), uint8."""
    at = np.linspace(0, 1, 256)
    if isinstance(entry.colormap, str):
        try:
            table = np.array(lut(entry.colormap))
        except OptionError:  # a colormap of napari's own
            table = color_lut((255, 255, 255))
    else:
        stops = np.array(entry.colormap, dtype=np.float64)
        columns = [np.interp(at, stops[:, 0], stops[:, c]) for c in range(1, 5)]
        table = np.rint(255 * np.column_stack(columns)).astype(np.uint8)
    curve = np.array(entry.opacity_curve, dtype=np.float64)
    alpha = np.interp(at, curve[:, 0], curve[:, 1])
    table[:, 3] = np.rint(table[:, 3] * alpha).astype(np.uint8)
    return table


def _planes(entry: SceneLayer) -> tuple[tuple[float, float, float, float], ...]:
    planes = []
    for plane in entry.clip_planes:
        if plane.enabled:
            normal = np.array(plane.normal) / np.linalg.norm(plane.normal)
            z, y, x = normal.tolist()
            planes.append((z, y, x, -float(normal @ np.array(plane.position))))
    return tuple(planes)


def _world(matrix: Any) -> AffineTransform:
    """Take the spatial part of a layer's matrix."""
    whole = np.array(matrix, dtype=np.float64)
    k = min(3, len(whole) - 1)
    world = np.eye(4)
    world[3 - k :, 3 - k :] = whole[-k - 1 :, -k - 1 :]
    return AffineTransform.from_matrix(world)
