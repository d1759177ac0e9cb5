"""Neuroglancer's JSON state of a napari viewer, and back.

Layers and where they are go through a scene document, so that opening is all or
nothing; cameras are set afterwards, when it is known how large the pictures are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
from qtpy.QtCore import QTimer

from brickfield.errors import source_error
from brickfield.model import CameraState, Vec3
from brickfield.plugin.layers.describe import LayerData
from brickfield.plugin.layers.holding import release_stores
from brickfield.plugin.layers.layer_adapter import NapariLayerPort
from brickfield.plugin.layers.make import level_of, open_layer_data, open_layers
from brickfield.plugin.layers.registry import docks_of, scene_of
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.plugin.layers.transforms import matrix_of
from brickfield.plugin.scenes.scene_document import get_state, put_state
from brickfield.plugin.scenes.state_layers import source_of
from brickfield.qt import ViewDock
from brickfield.scene import (
    SceneExploration,
    SceneLayer,
    SceneSource,
    SceneState,
    SceneViews,
)
from brickfield.sources import metres
from brickfield.viewer.live import LiveView, SlicePlane
from brickfield.viewer.neuroglancer import (
    NeuroglancerLayer,
    NeuroglancerState,
    NeuroglancerView,
    Stored,
    Surroundings,
    Turn,
    height_at_target,
    looking,
    neuroglancer_of,
    read_neuroglancer,
)

_SECONDS = {"second": 1.0, "s": 1.0, "millisecond": 1e-3, "ms": 1e-3}
_LAID_OUT_MS = (0, 200)
"""When new pictures have found their size."""


def to_neuroglancer(viewer: Any) -> NeuroglancerState:
    """Return what a viewer shows as a state for Neuroglancer, for what both know.

    Layers by address, position, orientation, zoom, contrast and colour.

    Parameters
    ----------
    viewer : napari.Viewer

    Returns
    -------
    NeuroglancerState
        A dict of plain values; its `left_out` lists what is not in it.
    """
    state, scene = get_state(viewer), scene_of(viewer)
    stored = [_stored(port) for port in scene.layers]
    return neuroglancer_of(state, stored, _surroundings(viewer, scene))


def from_neuroglancer(viewer: Any, state: Mapping[str, Any]) -> list[str]:
    """Show what a state of Neuroglancer shows, for what both know.

    Parameters
    ----------
    viewer : napari.Viewer
    state : mapping
        The JSON state, as Neuroglancer's ``{}`` button shows it.

    Returns
    -------
    list of str
        What of the state was left out, one phrase each.

    Raises
    ------
    SceneStateError
        If it is no state, or data cannot be opened; then the viewer is as it was.
    """
    return show_read(viewer, read_neuroglancer(state))


def show_read(
    viewer: Any,
    read: tuple[list[NeuroglancerLayer], NeuroglancerView, list[str]],
    data: Sequence[LayerData] = (),
) -> list[str]:
    """Show a state that was read; see :func:`from_neuroglancer`.

    Parameters
    ----------
    viewer : napari.Viewer
    read : tuple
        As :func:`brickfield.viewer.neuroglancer.read.read_neuroglancer` gives it.
    data : sequence of tuple
        What :func:`open_for` opened beforehand.

    Returns
    -------
    list of str
        What of the state was left out.
    """
    from napari.layers import Layer

    wanted, view, left_out = read[0], read[1], list(read[2])
    opened: list[Any] = [Layer.create(*one) for one in data]
    try:
        layers = _layers(viewer, wanted, opened)
        left_out += _strangers(wanted, layers)
        parts = [layer for layer, _ in layers]
        factor = _factor(parts, view, left_out)
        document = _document(viewer, layers, view, factor)
    except BaseException:
        release_stores(opened)
        raise
    put_state(viewer, document, opened)
    if factor is not None:
        for dock in docks_of(viewer)[:1]:
            _look(dock, view, factor)
    return left_out


def open_for(
    wanted: Sequence[NeuroglancerLayer], known: Sequence[SceneSource | str]
) -> list[LayerData]:
    """Open the data of a state that no layer shows yet; from any thread.

    Parameters
    ----------
    wanted : sequence of NeuroglancerLayer
    known : sequence of SceneSource or str
        Of the layers that there are.

    Raises
    ------
    SceneSourceError
    """
    found: list[LayerData] = []
    done = {(s.uri, s.label) for s in known if isinstance(s, SceneSource)}
    for i, entry in enumerate(wanted):
        if (entry.uri, entry.label) in done:
            continue
        done.add((entry.uri, entry.label))
        try:
            found += open_layer_data(entry.uri, **_options(entry))
        except Exception as error:
            raise source_error(error, f"layers[{i}].source: {error}") from error
    return found


# -- out ---------------------------------------------------------------------------


def _stored(port: NapariLayerPort) -> Stored | None:
    if source_of(port.layer) == "memory":
        return None
    level = level_of(port.layer)
    assert level is not None
    info = level.store.info
    axis = level.pyramid.channel_axis
    n = 1 if axis is None else int(level.pyramid.levels[0].shape[axis])
    stored = Stored(info.format, is_moved=_is_moved(port.layer, level))
    has_channels = axis is not None and (stored.scheme == "zarr" or n > 1)
    return replace(stored, has_channels=has_channels)


def _is_moved(layer: Any, level: Any) -> bool:
    about, stored = level.pyramid.levels[0], level.stored_axes
    scale = [about.voxel_size[a] if a >= 0 else 1.0 for a in stored]
    shift = [about.translation[a] if a >= 0 else 0.0 for a in stored]
    as_stored = np.diag([*scale, 1.0])
    as_stored[:-1, -1] = shift
    # Within a millionth of a voxel it is where its file says.
    near = 1e-6 * float(np.abs(scale).min())
    return not np.allclose(matrix_of(layer), as_stored, rtol=1e-9, atol=near)


def _surroundings(viewer: Any, scene: NapariScene) -> Surroundings:
    sizes = [
        np.linalg.norm(port.data.world.matrix[:3, :3], axis=0) for port in scene.layers
    ]
    z, y, x = (float(v) for v in np.min(sizes, axis=0)) if sizes else (1.0, 1.0, 1.0)
    heights = {}
    for dock in docks_of(viewer)[:1]:
        for kind, frame in dock.frames.items():
            heights[kind] = frame.view.viewport[1] / frame.picture.devicePixelRatioF()
    time = next((axis for axis in scene.axes if axis.is_time), None)
    seconds = _SECONDS.get(time.unit, 0.0) if time is not None else 0.0
    step = None if time is None else (time.step * (seconds or 1.0), "s" * bool(seconds))
    return Surroundings((z, y, x), metres(scene.unit or None), heights, step)


# -- in ----------------------------------------------------------------------------


def _layers(
    viewer: Any, wanted: Sequence[NeuroglancerLayer], opened: list[Any]
) -> list[tuple[Any, NeuroglancerLayer]]:
    """Find or open the layers of a state, each with what the state says of it."""
    there = [port.layer for port in scene_of(viewer).layers]
    found = []
    for i, entry in enumerate(wanted):
        parts = [n for n in (*there, *opened) if _is_of(n, entry)]
        if not parts:
            try:
                new = open_layers(entry.uri, **_options(entry))
            except Exception as error:
                raise source_error(error, f"layers[{i}].source: {error}") from error
            opened += new
            parts = [n for n in new if _is_of(n, entry)]
        if not parts:
            said = f"channel {entry.channel}" if entry.channel is not None else "image"
            text = f"expected {said} in {entry.uri}; found no such thing"
            raise source_error(ValueError(text), f"layers[{i}].source: {text}")
        found += [(layer, entry) for layer in parts]
    return found


def _options(entry: NeuroglancerLayer) -> dict[str, Any]:
    return {} if entry.label is None else {"label": entry.label}


def _is_of(layer: Any, entry: NeuroglancerLayer) -> bool:
    source = source_of(layer)
    if not isinstance(source, SceneSource) or source.uri != entry.uri:
        return False
    if source.label != entry.label or source.scale or source.axes:
        return False
    chosen = (source.series, source.well, source.field)
    is_channel = entry.channel is None or source.channel in (entry.channel, None)
    return chosen == (None, None, None) and is_channel


def _strangers(
    wanted: Sequence[NeuroglancerLayer], layers: Sequence[tuple[Any, NeuroglancerLayer]]
) -> list[str]:
    """Name layers whose data are of another kind than the state says."""
    found = {}
    for layer, entry in layers:
        if entry.is_labels != hasattr(layer, "show_selected_label"):
            what = "labels, shown as an image" if entry.is_labels else "an image"
            found[entry.name] = f"layer {entry.name!r}: that it is {what}"
    return [found[entry.name] for entry in wanted if entry.name in found]


def _factor(
    layers: Sequence[Any], view: NeuroglancerView, left_out: list[str]
) -> float | None:
    """Return world units for a unit of the state; None where that is not known."""
    units = {str(layer.units[-1]) for layer in layers}
    length = metres(units.pop()) if len(units) == 1 else None
    if view.unit == "" and length is None:
        return 1.0
    if view.unit == "m" and length is not None:
        return 1 / length
    left_out.append(
        "position, orientation and zoom: the units of the state and of the data"
        " have nothing in common"
    )
    return None


def _document(
    viewer: Any,
    layers: Sequence[tuple[Any, NeuroglancerLayer]],
    view: NeuroglancerView,
    factor: float | None,
) -> SceneState:
    now = get_state(viewer)
    entries = tuple(_entry(layer, entry) for layer, entry in layers)
    here = now.exploration.cross_hair
    if factor is not None and view.position is not None:
        here = _place(view, factor, here or (0.0, 0.0, 0.0))
    time = now.exploration.time
    if view.time is not None:
        # The middle of a step is at its number or half a step on, by the format.
        time = max(0, int(np.ceil(view.time - 0.5)))
    return SceneState(
        layers=entries,
        views=SceneViews(layout=cast("Any", view.layout)),
        exploration=SceneExploration(
            time=time,
            positions=now.exploration.positions,
            cross_hair=here,
        ),
        lod=now.lod,
    )


def _entry(layer: Any, entry: NeuroglancerLayer) -> SceneLayer:
    looks = dict(entry.looks)
    is_labels = hasattr(layer, "show_selected_label")
    if is_labels:
        kept = ("visible", "opacity", "selected_label")
        looks = {key: looks[key] for key in kept if key in looks}
    else:
        looks.pop("selected_label", None)
        looks.setdefault("contrast", tuple(float(v) for v in layer.contrast_limits))
        if looks.get("colormap", "").startswith("#"):
            looks.setdefault("blending", "additive")
    channel = source_of(layer)
    name = entry.name
    if entry.channel is None and isinstance(channel, SceneSource) and channel.channel:
        name = f"{name}: {channel.channel}"
    return SceneLayer(
        name=name,
        source=source_of(layer),
        kind="labels" if is_labels else "image",
        **looks,
    )


def _place(view: NeuroglancerView, factor: float, here: Vec3) -> Vec3:
    if view.position is None:
        return here
    z, y, x = (
        old if new is None else new * factor
        for new, old in zip(view.position, here, strict=True)
    )
    return (z, y, x)


# -- cameras -----------------------------------------------------------------------


def _look(dock: ViewDock, view: NeuroglancerView, factor: float) -> None:
    """Look where the state looks; again when new pictures have their size."""
    made = {shown: _aim(shown, dock, view, factor) for shown in dock.views}
    for delay in _LAID_OUT_MS:
        QTimer.singleShot(delay, partial(_aim_again, dock, view, factor, made))


def _aim_again(
    dock: ViewDock,
    view: NeuroglancerView,
    factor: float,
    made: dict[LiveView, CameraState | None],
) -> None:
    if dock.is_closed:
        return
    for shown, before in list(made.items()):
        now = shown.camera
        if shown not in dock.views or now is None or before is None:
            continue
        is_untouched = replace(now, viewport=before.viewport) == before
        if is_untouched and now.viewport != before.viewport:
            made[shown] = _aim(shown, dock, view, factor)


def _aim(
    shown: LiveView, dock: ViewDock, view: NeuroglancerView, factor: float
) -> CameraState | None:
    camera = shown.camera
    if camera is None:
        return None
    target = camera.target
    if view.position is not None:
        target = _place(view, factor, target)
    if shown.slice is not None:
        turn, height = _section(shown, shown.slice, dock, view, factor)
        camera = shown.camera or camera
    else:
        camera = replace(camera, orthographic=view.orthographic)
        turn = view.projection or Turn.of_camera(camera)
        height = (view.projection_height or 0.0) * factor
    height = height or height_at_target(camera)
    position, up = looking(camera, turn, height, target)
    shown.camera = replace(
        camera, position=position, target=target, up=up, height=height
    )
    return shown.camera


def _section(
    shown: LiveView,
    plane: SlicePlane,
    dock: ViewDock,
    view: NeuroglancerView,
    factor: float,
) -> tuple[Turn, float]:
    section = view.section if plane.is_oblique else None
    if section is not None:
        plane.normal = section.away
    camera = shown.camera
    assert camera is not None
    turn = section or Turn.of_camera(camera)
    ratio = dock.frames[shown.kind].picture.devicePixelRatioF()
    pixels = shown.viewport[1] / ratio
    return turn, (view.section_pixel or 0.0) * factor * pixels
