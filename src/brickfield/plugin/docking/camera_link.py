"""Ties the volume view's camera to napari's 3D camera, both ways.

Invariant: the camera that moved last leads; an echo of its own move is recognised by
its value and answered by nothing. The link rests while napari shows two dimensions, and
where a version of napari has no such camera or canvas.

napari's usual orientation is the mirror image of ours, so that near and far would be
exchanged; while the link lasts, napari's camera is turned the way in which both
pictures agree.

:func:`to_napari` and :func:`from_napari` convert cameras as plain values. What stands
in the middle of the picture, how large it is there, and which way is right and up on
the screen agree exactly. napari's zoom counts canvas pixels a world unit at its centre,
along the shorter side of the canvas; a perspective camera stands as far away as that
needs.

napari's default orientation (z towards the viewer, y down, x to the right) is
right-handed in (z, y, x) and therefore the *mirror image* of ours, which is
right-handed in (x, y, z). Pictures agree in every way when napari's orientation is
:data:`ORIENTATION`. For the default, :func:`is_mirrored` is true and the link keeps
what the user sees first: right and up on the screen. The camera then stands on the
other side of its target, so that what is near in one picture is far in the other: the
same picture for a projection (mip, minip, average) with parallel rays, the back of a
surface for the others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, radians, tan
from typing import Any

import numpy as np

from brickfield.camera import target_height, vec
from brickfield.errors import OptionError
from brickfield.model import CameraState, Vec3
from brickfield.plugin.napari_names import camera_of, canvas_size_of
from brickfield.viewer.live import LiveView

ORIENTATION = ("away", "down", "right")
"""napari's orientation (of z, y and x) in which nothing is mirrored."""
NARROWEST, WIDEST = 0.1, 170.0
"""Angles of view of a perspective; a narrower one is drawn with parallel rays."""
USUAL_FOV = 45.0


@dataclass(frozen=True, slots=True)
class NapariCamera:
    """What napari's camera says of a 3D view.

    Attributes
    ----------
    center : tuple of float
        World coordinates (z, y, x) of the displayed axes, in the picture's middle.
    zoom : float
        Canvas pixels (logical) a world unit.
    view_direction, up_direction : tuple of float
        World directions (z, y, x).
    perspective : float
        Angle of view, degrees; 0 for parallel rays.
    is_mirrored : bool
        Whether napari draws the mirror image of ours, see :func:`is_mirrored`.
    """

    center: Vec3
    zoom: float
    view_direction: Vec3
    up_direction: Vec3
    perspective: float = 0.0
    is_mirrored: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether it shows anything; before napari's first picture it may not."""
        up = np.cross(self.view_direction, self.up_direction)
        numbers = (*self.center, self.zoom, self.perspective, *up)
        return all(map(isfinite, numbers)) and self.zoom > 0 and bool(up.any())


def is_mirrored(orientation: Sequence[object]) -> bool:
    """Whether napari draws the mirror image of ours in this orientation.

    Parameters
    ----------
    orientation : sequence of str
        Where z, y and x point, as in ``viewer.scene.camera.orientation``.
    """
    differ = [str(a) != b for a, b in zip(orientation, ORIENTATION, strict=True)]
    return sum(differ) % 2 == 1


def from_napari(
    napari: NapariCamera, canvas_size: tuple[int, int], viewport: tuple[int, int]
) -> CameraState:
    """Return our camera that shows what napari's shows.

    Parameters
    ----------
    napari : NapariCamera
    canvas_size : tuple of int
        Width and height of napari's canvas, logical pixels.
    viewport : tuple of int
        Width and height of our picture, pixels. Where its shape is another one,
        the shorter side shows equally much.

    Raises
    ------
    OptionError
        If napari's camera shows nothing (:attr:`NapariCamera.is_usable`).
    """
    if not napari.is_usable or min(*canvas_size, *viewport) < 1:
        msg = (
            "expected a camera of napari that shows something; found"
            f" {napari} on a canvas of {canvas_size} pixels"
        )
        raise OptionError(msg)
    width, height = viewport
    shown = min(canvas_size) / napari.zoom * max(1.0, height / width)
    has_depth = napari.perspective >= NARROWEST
    fov = min(napari.perspective, WIDEST) if has_depth else USUAL_FOV
    side = -1.0 if napari.is_mirrored else 1.0
    forward = side * np.asarray(napari.view_direction, dtype=np.float64)
    reach = shown / 2 / tan(radians(fov) / 2)
    position = np.asarray(napari.center) - forward / np.linalg.norm(forward) * reach
    return CameraState(
        vec(position),
        vec(napari.center),
        vec(napari.up_direction),
        viewport,
        orthographic=not has_depth,
        fov=fov,
        height=shown,
    )


def to_napari(
    camera: CameraState, canvas_size: tuple[int, int], *, is_mirrored: bool = False
) -> NapariCamera:
    """Return napari's camera that shows what ours shows.

    Set ``center``, ``zoom`` and ``perspective``, and call ``set_view_direction``.

    Parameters
    ----------
    camera : CameraState
    canvas_size : tuple of int
        Width and height of napari's canvas, logical pixels.
    is_mirrored : bool
        Of napari's orientation, see :func:`is_mirrored`.
    """
    width, height = camera.viewport
    shown = target_height(camera) / max(1.0, height / width)
    side = -1.0 if is_mirrored else 1.0
    return NapariCamera(
        camera.target,
        max(1, min(canvas_size)) / shown,
        vec(side * camera.forward),
        vec(camera.axes[1]),
        0.0 if camera.orthographic else camera.fov,
        is_mirrored,
    )


def is_same(a: NapariCamera, b: NapariCamera, *, tolerance: float = 1e-4) -> bool:
    """Whether two cameras show the same but for rounding.

    Checked before a camera is written back, so that no echo causes another.

    Parameters
    ----------
    a, b : NapariCamera
    tolerance : float
        Share of the picture, and part of the directions' length.
    """
    directions = np.allclose(
        [a.view_direction, a.up_direction],
        [b.view_direction, b.up_direction],
        rtol=0,
        atol=tolerance,
    )
    moved = float(np.abs(np.subtract(a.center, b.center)).max())
    return bool(
        directions
        and a.is_mirrored == b.is_mirrored
        and abs(a.zoom - b.zoom) <= tolerance * a.zoom
        and abs(a.perspective - b.perspective) <= 100 * tolerance
        and moved * a.zoom <= 1000 * tolerance
    )


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
        """Unlink the cameras; may be called twice."""
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
