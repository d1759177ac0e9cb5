"""A viewer as it was, to be put back when a change of it did not succeed.

Unlike a scene document this keeps the layers themselves and napari's own values, so
it can put back what a document has no word for. Nothing here raises: what cannot be
put back is logged, and the rest is put back.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import uuid4

import numpy as np

from brickfield.plugin.layers.registry import docks_of
from brickfield.plugin.layers.scene_adapter import NapariScene
from brickfield.plugin.napari_names import camera_of

logger = logging.getLogger(__name__)

_VALUES = (
    "visible",
    "opacity",
    "blending",
    "rendering",
    "colormap",
    "gamma",
    "contrast_limits_range",
    "contrast_limits",
    "attenuation",
    "iso_threshold",
    "interpolation3d",
    "interpolation2d",
    "scale",
    "translate",
    "rotate",
    "shear",
    "affine",
    "selected_label",
    "show_selected_label",
)
"""In the order in which they are put back: limits lie within their range."""


class Before:
    """A viewer at the moment of the call.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
    scene : NapariScene
        Of the viewer.
    """

    def __init__(self, viewer: Any, scene: NapariScene) -> None:
        self._viewer, self._scene = viewer, scene
        self._layers = list(viewer.layers)
        self._names = [layer.name for layer in self._layers]
        self._looks = [(p.layer, _look_of(p.layer), p.clip_box) for p in scene.layers]
        self._active = viewer.layers.selection.active
        self._point = tuple(viewer.dims.point)
        self._view = camera_of(viewer)
        self._camera = {
            name: copy.copy(getattr(self._view, name))
            for name in ("center", "zoom", "angles")
            if hasattr(self._view, name)
        }
        self._docks = docks_of(viewer)
        self._shown = [_dock_as_it_is(dock) for dock in self._docks]

    def put_back(self) -> None:
        """Undo what was done to the viewer since."""
        viewer = self._viewer
        _try(lambda: put_layers(viewer.layers, self._layers))
        _try(lambda: rename(self._layers, self._names))
        for layer, look, box in self._looks:
            self._put_look(layer, look, box)
        _try(lambda: setattr(viewer.layers.selection, "active", self._active))
        _try(lambda: setattr(viewer.dims, "point", self._point))
        for name, value in self._camera.items():
            _try(partial(setattr, self._view, name, value))
        for dock in docks_of(viewer):
            if dock not in self._docks:
                _try(partial(viewer.window.remove_dock_widget, dock))
        for put in self._shown:
            _try(put)

    def _put_look(self, layer: Any, look: dict[str, Any], box: Any) -> None:
        for name, value in look.items():
            if name != "planes" and not _is_same(getattr(layer, name), value):
                _try(partial(setattr, layer, name, value))
        port = self._scene.port_of(layer)
        if box is not None and port is not None:
            _try(lambda: setattr(port, "clip_box", box))
        else:
            planes = look["planes"]
            _try(lambda: setattr(layer, "experimental_clipping_planes", planes))


def _look_of(layer: Any) -> dict[str, Any]:
    look = {
        name: copy.copy(getattr(layer, name))
        for name in _VALUES
        if getattr(layer, name, None) is not None
    }
    look["planes"] = [
        {"position": p.position, "normal": p.normal, "enabled": p.enabled}
        for p in layer.experimental_clipping_planes
    ]
    return look


def _dock_as_it_is(dock: Any) -> Callable[[], None]:
    """Return what shows the dock's present views again."""
    layout = dock.layout_name
    cameras = {view.kind: view.camera for view in dock.views}
    poses = {v.kind: v.slice.pose for v in dock.views if v.slice is not None}
    detail = {v.kind: (v.quality, v.forced_level, v.lighting) for v in dock.views}

    def put() -> None:
        dock.set_layout(layout)
        for view in dock.views:
            if view.slice is not None and view.slice.is_oblique:
                view.slice.pose = poses[view.kind]
            if cameras[view.kind] is not None:
                view.camera = cameras[view.kind]
            view.quality, view.forced_level, view.lighting = detail[view.kind]

    return put


def put_layers(layers: Any, wanted: Sequence[Any]) -> None:
    """Make a layer list hold exactly these layers in this order.

    Parameters
    ----------
    layers : napari.components.LayerList
    wanted : sequence of napari.layers.Layer
    """
    for layer in [layer for layer in layers if layer not in wanted]:
        layers.remove(layer)
    for layer in wanted:
        if layer not in layers:
            layers.append(layer)
    for place, layer in enumerate(wanted):
        at = layers.index(layer)
        if at != place:
            layers.move(at, place)


def rename(layers: Sequence[Any], names: Sequence[str]) -> None:
    """Rename layers; they may exchange their names.

    Parameters
    ----------
    layers : sequence of napari.layers.Layer
    names : sequence of str
        One per layer.
    """
    changed = [
        (layer, name)
        for layer, name in zip(layers, names, strict=True)
        if layer.name != name
    ]
    # A list has each name once, and gives another in place of one that is taken.
    for layer, _ in changed:
        layer.name = uuid4().hex
    for layer, name in changed:
        layer.name = name


def _is_same(one: Any, other: Any) -> bool:
    try:
        return bool(np.array_equal(one, other)) or bool(one == other)
    except (TypeError, ValueError):
        return False


def _try(action: Callable[[], object]) -> None:
    try:
        action()
    except Exception:
        logger.exception("a part of the viewer could not be put back")
