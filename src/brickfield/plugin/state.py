"""The scene document of a napari viewer: taken, and put back.

Taking it reads napari's layers, sliders and our views; putting it back opens what is
not open, and writes to the same owners as a person's hand would. Layers whose voxels
are in memory only cannot be opened: they are matched by name, and never removed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from brickfield.errors import SceneStateError
from brickfield.plugin.docking import open_dock
from brickfield.plugin.layer_port import NapariLayerPort
from brickfield.plugin.registry import docks_of, scene_of
from brickfield.plugin.scene import NapariScene
from brickfield.plugin.state_layers import layer_state, open_layer, source_of, style
from brickfield.qt.dock import ViewDock
from brickfield.viewer.live_view import LiveView
from brickfield.viewer.slice_view import LiveSliceView
from brickfield.viewer.state import (
    SceneCamera,
    SceneExploration,
    SceneLayer,
    SceneLevelOfDetail,
    ScenePlane,
    SceneSpace,
    SceneState,
    SceneViews,
)


def get_state(viewer: Any) -> SceneState:
    """Take the scene document of a viewer.

    Returns
    -------
    SceneState
        Layers, cameras, where one is and how sharp it is; a pydantic model, with
        ``to_json()`` and ``to_dict()``. No overlays, budgets or window sizes.
    """
    scene = scene_of(viewer)
    docks = docks_of(viewer)
    views = docks[0].views if docks else []
    return SceneState(
        space=SceneSpace(unit=scene.unit),
        layers=tuple(layer_state(port) for port in scene.layers),
        views=SceneViews(
            layout=cast("Any", docks[0].layout_name if docks else "3D"),
            cameras={v.kind: SceneCamera.of(v.camera) for v in views if v.camera},
        ),
        exploration=_exploration(scene, views),
        lod=_level_of_detail(views),
    )


def _exploration(scene: NapariScene, views: list[LiveView]) -> SceneExploration:
    time, positions = 0, {}
    for axis in scene.axes:
        if axis.is_time:
            time = axis.position
        else:
            positions[axis.name] = axis.position
    plane = next(
        (v.plane for v in views if isinstance(v, LiveSliceView) and v.kind == "plane"),
        None,
    )
    return SceneExploration(
        time=time,
        positions=positions,
        cross_hair=scene.cross_hair if scene.layers else None,
        plane=ScenePlane(position=plane.point, normal=plane.normal) if plane else None,
    )


def _level_of_detail(views: list[LiveView]) -> SceneLevelOfDetail:
    if not views:
        return SceneLevelOfDetail()
    return SceneLevelOfDetail(
        target_error_px=views[0].quality, forced_level=views[0].forced_level
    )


def set_state(viewer: Any, state: SceneState | Mapping[str, Any] | str) -> None:
    """Put a scene document back.

    Parameters
    ----------
    viewer : napari.Viewer
    state : SceneState, mapping or str
        As :func:`get_state` gives it, or its plain or JSON form.

    Raises
    ------
    SceneStateError
        If it is no scene document, or names layers in memory that are not here.
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
        If data cannot be opened; then nothing was changed.
    """
    document = _checked(state)
    scene = scene_of(viewer)
    layers = _matched(scene, document)
    _arrange(scene, layers)
    for layer, entry in zip(layers, document.layers, strict=True):
        port = scene.port_of(layer)
        if port is not None:
            style(port, entry)
    _go_to(scene, document.exploration)
    if hasattr(viewer, "window") and (document.layers or document.views.cameras):
        _show(open_dock(viewer), document)


def _checked(state: SceneState | Mapping[str, Any] | str) -> SceneState:
    if isinstance(state, SceneState):
        return state
    if isinstance(state, str | bytes):
        return SceneState.from_json(state)
    return SceneState.from_dict(dict(state))


def _matched(scene: NapariScene, document: SceneState) -> list[Any]:
    """Find or open the layer of every entry; all of them before anything changes."""
    free = list(scene.layers)
    found: list[Any] = []
    for i, entry in enumerate(document.layers):
        port = next((p for p in free if _is_of(p, entry)), None)
        if port is not None:
            free.remove(port)
            found.append(port.layer)
        elif entry.source == "memory":
            msg = (
                f"expected a layer named {entry.name!r} in the viewer, whose voxels are"
                f" in memory only (layers[{i}]); found none: add it first"
            )
            raise SceneStateError(msg)
        else:
            found.append(open_layer(entry))
    return found


def _is_of(port: NapariLayerPort, entry: SceneLayer) -> bool:
    source = source_of(port.layer)
    if source == "memory":
        return entry.source == "memory" and port.name == entry.name
    return source == entry.source


def _arrange(scene: NapariScene, wanted: list[Any]) -> None:
    """Make the layer list show these layers in this order, below all others."""
    layers = scene.viewer.layers
    for port in list(scene.layers):
        is_kept = port.layer in wanted or source_of(port.layer) == "memory"
        if not is_kept:
            layers.remove(port.layer)
    for layer in wanted:
        if layer not in layers:
            layers.append(layer)
    for place, layer in enumerate(wanted):
        at = layers.index(layer)
        if at != place:
            layers.move(at, place)


def _go_to(scene: NapariScene, exploration: SceneExploration) -> None:
    for axis in scene.axes:
        step = exploration.time
        if not axis.is_time:
            step = exploration.positions.get(axis.name, axis.position)
        scene.move_slider(axis.index, min(step, axis.n_steps - 1))
    if exploration.cross_hair is not None:
        scene.move_cross_hair(exploration.cross_hair)


def _show(dock: ViewDock, document: SceneState) -> None:
    dock.set_layout(document.views.layout)
    for view in dock.views:
        if view.kind == "plane" and document.exploration.plane is not None:
            cast("LiveSliceView", view).normal = document.exploration.plane.normal
        camera = document.views.cameras.get(view.kind)
        if camera is not None:
            view.camera = camera.camera(view.viewport)
        view.quality = document.lod.target_error_px
        view.forced_level = document.lod.forced_level
