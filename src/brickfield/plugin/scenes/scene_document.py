"""The scene document of a napari viewer: taken, and put back.

Taking it reads napari's layers, sliders and our views; putting it back opens what is
not open, and writes to the same owners as an action of the user. Layers whose voxels
are in memory only cannot be opened: they are matched by name, and never removed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from brickfield.errors import SceneStateError, source_error
from brickfield.plugin.docking.open_dock import open_dock
from brickfield.plugin.layers.holding import release_stores
from brickfield.plugin.layers.layer_adapter import NapariLayerPort
from brickfield.plugin.layers.registry import docks_of, scene_of
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.plugin.scenes.state_check import check_layer, check_views
from brickfield.plugin.scenes.state_layers import (
    layer_state,
    open_layer,
    source_of,
    style,
)
from brickfield.plugin.scenes.state_undo import Before, put_layers, rename
from brickfield.qt import ViewDock
from brickfield.scene import (
    SceneCamera,
    SceneExploration,
    SceneLayer,
    SceneLevelOfDetail,
    SceneLight,
    ScenePlane,
    SceneSpace,
    SceneState,
    SceneViews,
)
from brickfield.viewer.live import LiveView


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
            light=SceneLight.of(views[0].lighting) if views else SceneLight(),
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
    planes = [view.slice for view in views if view.slice is not None]
    plane = next((p.plane for p in planes if p.is_oblique), None)
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
        If it is no scene document, names layers in memory that are not here, data
        that cannot be opened (then it is also the store's error, as
        :class:`StoreNotFoundError`), or values that napari or the data refuse. The
        viewer is then as it was.
    """
    put_state(viewer, state)


def put_state(
    viewer: Any,
    state: SceneState | Mapping[str, Any] | str,
    opened: Iterable[Any] = (),
) -> None:
    """Put a scene document back; see :func:`set_state`.

    Parameters
    ----------
    viewer : napari.Viewer
    state : SceneState, mapping or str
    opened : iterable of napari.layers.Layer
        Layers that belong to no viewer yet, of data that were opened beforehand;
        what of them is not used is released.

    Raises
    ------
    SceneStateError
    """
    spare = list(opened)
    document = _checked(state)
    scene = scene_of(viewer)
    check_views(document)
    layers: list[Any] = []
    before: Before | None = None
    is_done = False
    try:
        _match(scene, document, layers, spare)
        for i, (layer, entry) in enumerate(zip(layers, document.layers, strict=True)):
            check_layer(layer, entry, f"layers[{i}]")
        before = Before(viewer, scene)
        _put(viewer, scene, layers, document)
        is_done = True
    except SceneStateError:
        raise
    except Exception as error:
        msg = f"expected a scene document that can be put back; found: {error}"
        raise SceneStateError(msg) from error
    finally:
        if not is_done:
            if before is not None:
                before.put_back()
            release_stores(layers)
        release_stores(spare)


def _put(
    viewer: Any, scene: NapariScene, layers: list[Any], document: SceneState
) -> None:
    _arrange(scene, layers)
    rename(layers, [entry.name for entry in document.layers])
    for i, (layer, entry) in enumerate(zip(layers, document.layers, strict=True)):
        port = scene.port_of(layer)
        if port is None:
            why = scene.refused.get(layer.name, "no reason is known")
            msg = f"layers[{i}]: expected data that can be drawn; found: {why}"
            raise SceneStateError(msg)
        try:
            style(port, entry)
        except Exception as error:
            msg = (
                f"layers[{i}] ({entry.name}): expected values that fit; found: {error}"
            )
            raise SceneStateError(msg) from error
    _go_to(scene, document.exploration)
    if hasattr(viewer, "window") and (document.layers or document.views.cameras):
        _show(open_dock(viewer), document)


def _checked(state: SceneState | Mapping[str, Any] | str) -> SceneState:
    data: Any = state
    if isinstance(data, SceneState):
        # A changed copy was not checked when it was made.
        try:
            plain = data.model_dump(mode="json", exclude_unset=True, warnings=False)
        except (TypeError, ValueError) as error:
            msg = f"expected a scene document; found values that are none: {error}"
            raise SceneStateError(msg) from error
        return SceneState.from_dict({**plain, "version": data.version})
    if isinstance(data, str | bytes):
        return SceneState.from_json(data)
    return SceneState.from_dict(dict(data) if isinstance(data, Mapping) else data)


def _match(
    scene: NapariScene, document: SceneState, found: list[Any], spare: list[Any]
) -> None:
    """Find or open the layer of every entry; all of them before anything changes."""
    free = list(scene.layers)
    for i, entry in enumerate(document.layers):
        port = next((p for p in free if _is_of(p, entry)), None)
        opened = next((n for n in spare if source_of(n) == entry.source), None)
        if port is not None:
            free.remove(port)
            found.append(port.layer)
        elif opened is not None:
            spare.remove(opened)
            found.append(opened)
        else:
            found.append(_opened(entry, f"layers[{i}]"))


def _opened(entry: SceneLayer, place: str) -> Any:
    if entry.source == "memory":
        msg = (
            f"expected a layer named {entry.name!r} in the viewer, whose voxels are"
            f" in memory only ({place}); found none: add it first"
        )
        raise SceneStateError(msg)
    try:
        return open_layer(entry)
    except Exception as error:
        raise source_error(error, f"{place}.source: {error}") from error


def _is_of(port: NapariLayerPort, entry: SceneLayer) -> bool:
    source = source_of(port.layer)
    if source == "memory":
        return entry.source == "memory" and port.name == entry.name
    return source == entry.source


def _arrange(scene: NapariScene, wanted: list[Any]) -> None:
    """Make the layer list show these layers in this order, below all others."""
    layers = scene.viewer.layers
    gone = {
        port.layer
        for port in scene.layers
        if port.layer not in wanted and source_of(port.layer) != "memory"
    }
    others = [n for n in layers if n not in wanted and n not in gone]
    put_layers(layers, [*wanted, *others])


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
        _put_plane(view, document.exploration.plane)
        camera = document.views.cameras.get(view.kind)
        if camera is not None:
            view.camera = camera.camera(view.viewport)
        view.quality = document.lod.target_error_px
        view.forced_level = document.lod.forced_level
        view.lighting = document.views.light.lighting()


def _put_plane(view: LiveView, place: ScenePlane | None) -> None:
    """Put an oblique plane where it was, through the cross-hair if it went there."""
    plane = view.slice
    if plane is None or not plane.is_oblique or place is None:
        return
    plane.normal = place.normal
    here = view.scene.cross_hair
    size = view.framing.scene_size() or 1.0
    beside = max(abs(a - b) for a, b in zip(place.position, here, strict=True))
    if beside > 1e-9 * size:
        plane.put_through(place.position)
