"""Ties the volume view's camera to napari's 3D camera, both ways.

Invariant: whoever moved last leads; an echo of one's own move is recognised by its
value and answered by nothing. The link rests while napari shows two dimensions, and
where a version of napari has no such camera or canvas.

napari's usual orientation is the mirror image of ours, so that near and far would be
exchanged; while the link lasts, napari's camera is turned the way in which both
pictures agree.
"""

from __future__ import annotations

import logging
from typing import Any

from brickfield.model.scales import Vec3
from brickfield.plugin.docking.camera_values import (
    ORIENTATION,
    NapariCamera,
    from_napari,
    is_mirrored,
    is_same,
    to_napari,
)
from brickfield.plugin.napari_names import camera_of, canvas_size_of
from brickfield.viewer.live.live_view import LiveView

logger = logging.getLogger(__name__)

_EVENTS = ("center", "zoom", "angles", "perspective", "orientation")
_NEEDED = (*_EVENTS, "events", "view_direction", "up_direction", "set_view_direction")


class CameraLink:
    """Keeps two cameras together until it is closed. Main thread only.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        Leads at first.
    view : LiveView
    """

    def __init__(self, viewer: Any, view: LiveView) -> None:
        self._viewer = viewer
        self._view = view
        self._is_following = False
        self._is_closed = False
        camera = self._camera
        self._is_unknown = canvas_size_of(viewer) is None or not all(
            hasattr(camera, name) for name in _NEEDED
        )
        if self._is_unknown:
            logger.warning(
                "the camera link is off: this version of napari tells neither"
                " its camera nor its canvas the way it was expected"
            )
            return
        self._orientation = camera.orientation
        camera.orientation = ORIENTATION
        self._emitters = [
            emitter
            for name in _EVENTS
            if (emitter := getattr(camera.events, name, None)) is not None
        ]
        for emitter in self._emitters:
            emitter.connect(self._follow_napari)
        viewer.dims.events.ndisplay.connect(self._follow_napari)
        view.camera_changed.connect(self._lead_napari)
        self._follow_napari()

    def close(self) -> None:
        """Let the cameras go their own ways; may be called twice."""
        if self._is_closed or self._is_unknown:
            return
        self._is_closed = True
        for emitter in self._emitters:
            emitter.disconnect(self._follow_napari)
        self._viewer.dims.events.ndisplay.disconnect(self._follow_napari)
        self._view.camera_changed.disconnect(self._lead_napari, missing_ok=True)
        self._camera.orientation = self._orientation

    @property
    def _camera(self) -> Any:
        return camera_of(self._viewer)

    @property
    def _canvas_size(self) -> tuple[int, int]:
        height, width = canvas_size_of(self._viewer) or (1, 1)
        return (width, height)

    @property
    def _is_resting(self) -> bool:
        return self._is_following or self._viewer.dims.ndisplay != 3

    def _seen(self) -> NapariCamera:
        camera = self._camera
        return NapariCamera(
            center=_vec((0.0, 0.0, 0.0, *camera.center)[-3:]),
            zoom=float(camera.zoom),
            view_direction=_vec(camera.view_direction),
            up_direction=_vec(camera.up_direction),
            perspective=float(camera.perspective),
            is_mirrored=is_mirrored(camera.orientation),
        )

    def _follow_napari(self, _event: Any = None) -> None:
        if self._is_resting or self._view.is_closed:
            return
        seen = self._seen()
        mine = self._view.camera
        if mine is not None:
            now = to_napari(mine, self._canvas_size, is_mirrored=seen.is_mirrored)
            if is_same(now, seen):
                return
        camera = from_napari(seen, self._canvas_size, self._view.viewport)
        self._is_following = True
        try:
            self._view.move_to(camera, is_moving=True)
        finally:
            self._is_following = False

    def _lead_napari(self) -> None:
        mine = self._view.camera
        if self._is_resting or mine is None:
            return
        seen = self._seen()
        wanted = to_napari(mine, self._canvas_size, is_mirrored=seen.is_mirrored)
        if is_same(wanted, seen):
            return
        camera = self._camera
        self._is_following = True
        try:
            camera.center = wanted.center
            camera.zoom = wanted.zoom
            camera.perspective = wanted.perspective
            camera.set_view_direction(wanted.view_direction, wanted.up_direction)
        finally:
            self._is_following = False


def _vec(values: Any) -> Vec3:
    z, y, x = (float(v) for v in values)
    return (z, y, x)
