"""The plane that a slice view shows: across an axis through the cross-hair, or oblique.

Invariant: a slice across an axis has no position of its own. It goes through the
scene's cross-hair, which all slices and the sliders share; moving it along the axis
moves the cross-hair. The oblique plane has a normal of its own and goes through the
cross-hair, too, until it is shifted by its handle, which never moves the cross-hair;
moving the cross-hair brings the plane back to it. Main thread only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.camera import (
    MARGIN,
    about,
    between,
    next_plane_point,
    set_centre,
    slice_camera,
    turned,
    world_at,
)
from brickfield.camera.plane_handle import angles_of, normal_at
from brickfield.model import CameraState, Plane, Vec3
from brickfield.store import ChunkedLayer
from brickfield.viewer.live.frame_state import FrameState
from brickfield.viewer.live.framing import Framing, Place
from brickfield.viewer.live.history import unrecorded
from brickfield.viewer.live.render_client import RenderClient

NORMALS: dict[str, Vec3] = {
    "xy": (1.0, 0.0, 0.0),
    "xz": (0.0, 1.0, 0.0),
    "yz": (0.0, 0.0, 1.0),
    "plane": (1.0, -0.5, 0.5),
}
"""Normal of the plane of each kind of slice, at first."""
_AXES = {"xy": 0, "xz": 1, "yz": 2}
"""World axis (0 is z) that each kind of slice lies across; none for the oblique one."""


@dataclass(frozen=True)
class PlanePose:
    """How an oblique plane lies, and how it is looked at.

    Attributes
    ----------
    place : Place
    point : tuple of float or None
        Point (z, y, x) that the plane was put through; None for the cross-hair.
    """

    place: Place
    point: Vec3 | None


class SlicePlane:
    """A plane through the scene's cross-hair, and the camera that looks straight at it.

    Parameters
    ----------
    kind : str
        ``xy``, ``xz``, ``yz`` or ``plane``.
    client : RenderClient
        Not started yet: the plane becomes part of its states.
    framing : Framing
        Of the same view: its camera is fitted to the plane from now on.

    Attributes
    ----------
    plane_changed : psygnal.SignalInstance
        The plane lies elsewhere now.
    axis : int or None
        World axis (0 is z) that the plane lies across; None for an oblique one.
    """

    plane_changed = Signal()
    is_volume = False

    def __init__(self, kind: str, client: RenderClient, framing: Framing) -> None:
        self.axis = _AXES.get(kind)
        self._client, self._framing = client, framing
        self._first_normal = NORMALS[kind]
        self._normal = Plane((0.0, 0.0, 0.0), self._first_normal).normal
        self._point: Vec3 | None = None
        client.compose = self.compose
        framing.subject = self
        client.scene.cross_hair_changed.connect(self._on_cross_hair)

    @property
    def is_closed(self) -> bool:
        """Whether the view was closed: nothing can be undone in it."""
        return self._client.is_closed

    def _on_cross_hair(self) -> None:
        self._point = None
        self._tell_plane()

    def _tell_plane(self) -> None:
        self.plane_changed.emit()
        self._client.refresh()

    @property
    def plane(self) -> Plane:
        """What is shown."""
        return Plane(self.position, self._normal)

    @property
    def position(self) -> Vec3:
        """Point that the plane goes through (z, y, x), world.

        The cross-hair, which moves along when it is set; the point of its own that
        an oblique plane has after it was shifted by its handle.
        """
        return self._point or self._client.scene.cross_hair

    @position.setter
    def position(self, value: Vec3) -> None:
        self._go_to(value, is_going_on=False)

    def _go_to(self, point: Vec3, *, is_going_on: bool) -> None:
        if self._point is not None:
            self.put_through(point, is_going_on=is_going_on)
            return
        before = self._client.scene.cross_hair
        self._client.scene.move_cross_hair(point)
        after = self._client.scene.cross_hair
        # Slices across an axis are gone through; an oblique one is put somewhere.
        if self.is_oblique and after != before:
            self._framing.history.record(
                self, "position", before, after, is_going_on=is_going_on
            )

    @property
    def normal(self) -> Vec3:
        """Direction that the plane faces (z, y, x), world."""
        return self._normal

    @normal.setter
    def normal(self, value: Vec3) -> None:
        before = self._framing.place
        self._normal = Plane(self.position, value).normal
        if self._framing.camera is not None:
            with unrecorded():
                self._framing.move_to(self._seen_straight(self._framing.camera))
        self.plane_changed.emit()
        self._framing.record_place(before)

    @property
    def angles(self) -> tuple[float, float]:
        """Tilt and turn of the plane, degrees.

        Tilt is the angle between the normal and the z axis (0 to 180), turn the
        direction in which the normal leans, counted from x towards y (above -180 to
        180): the normal is ``(cos tilt, sin tilt sin turn, sin tilt cos turn)``.
        """
        return angles_of(self._normal)

    @angles.setter
    def angles(self, value: tuple[float, float]) -> None:
        self.normal = normal_at(*value)

    @property
    def facing(self) -> Vec3 | None:
        """Normal of an oblique plane, as an action of the user's left it."""
        return self._normal if self.is_oblique else None

    @facing.setter
    def facing(self, value: Vec3 | None) -> None:
        if value is not None and self.is_oblique:
            self._normal = value
            self.plane_changed.emit()

    def _seen_straight(self, camera: CameraState) -> CameraState:
        """Return a camera turned straight to the plane; its target and its height stay."""
        down, _, sight = self.plane.axes
        # Rays are parallel: any distance beyond the data gives the same picture.
        size = self._framing.scene_size() or 1.0
        position = np.array(camera.target) - size * sight
        return replace(
            camera,
            position=_vec(position),
            up=_vec(-down),
            orthographic=True,
        )

    def compose(self, state: FrameState) -> FrameState:
        """Add plane and cross-hair."""
        overlays = state.overlays
        if overlays.marker.visible:
            # A cross-hair beside the plane is nowhere in its picture.
            here = self._client.scene.cross_hair if self.has_cross_hair else None
            overlays = overlays.with_options("marker", position=here)
        return replace(state, plane=self.plane, overlays=overlays)

    def fitted(
        self,
        corners: NDArray[np.float64],
        camera: CameraState | None,
        viewport: tuple[int, int],
    ) -> CameraState:
        """Look straight at the plane, with all corners, shape (n, 3), in the picture."""
        fitting = slice_camera(self.plane, corners, viewport)
        return replace(fitting, height=fitting.height * MARGIN)

    def fitted_to_content(
        self,
        points: NDArray[np.float64],
        camera: CameraState | None,
        viewport: tuple[int, int],
    ) -> CameraState:
        """Look straight at the plane, with all points, shape (n, 3), in the picture."""
        ends = np.stack([points.min(axis=0), points.max(axis=0)])
        picks = np.indices((2, 2, 2)).reshape(3, -1).T
        return self.fitted(ends[picks, np.arange(3)], camera, viewport)

    # -- mouse and keys ---------------------------------------------------------

    @property
    def is_oblique(self) -> bool:
        """Whether the plane can be turned."""
        return self.axis is None

    def tilt(self, dx_px: float, dy_px: float) -> None:
        """Turn the plane about its point, as if its picture were a board.

        Parameters
        ----------
        dx_px, dy_px : float
            Drag, physical pixels; across the shorter side is half a turn.
        """
        camera = self._framing.camera
        if camera is None or not self.is_oblique:
            return
        # Turns about the point of the plane, so that this point stays in the picture.
        camera = set_centre(camera, self.position)
        # Half a turn for a drag over the shorter side of the picture.
        speed = pi / min(camera.viewport)
        # The camera turns along, so that the picture never jumps to other axes.
        way = about((1, 0, 0), dy_px * speed) @ about((0, 1, 0), dx_px * speed)
        camera = turned(camera, way)
        before = self._framing.place
        self._normal = _vec(camera.forward)
        with unrecorded():
            self._framing.move_to(camera, is_moving=True)
        self.plane_changed.emit()
        self._framing.record_place(before, is_going_on=True)

    @property
    def pose(self) -> PlanePose:
        """How the plane lies and is looked at; setting it puts back what was taken."""
        return PlanePose(self._framing.place, self._point)

    @pose.setter
    def pose(self, value: PlanePose) -> None:
        self._point = value.point
        self._framing.place = value.place
        self._tell_plane()

    @property
    def has_cross_hair(self) -> bool:
        """Whether the plane goes through the cross-hair, and not a point of its own."""
        return self._point is None

    def put_through(self, point: Vec3, *, is_going_on: bool = False) -> None:
        """Shift an oblique plane to a point; the cross-hair stays where it is.

        Parameters
        ----------
        point : tuple of float
            World (z, y, x).
        is_going_on : bool
            Whether more of the same act may follow soon.
        """
        before = self.pose
        self._point = Plane(point, self._normal).point
        self._tell_plane()
        self._record_pose(before, is_going_on=is_going_on)

    def turn_from(self, start: PlanePose, plane: Plane) -> None:
        """Turn an oblique plane, and its camera with it, about a point of it.

        Parameters
        ----------
        start : PlanePose
            When the drag began, which this goes on.
        plane : Plane
            With the point that it turns about.
        """
        before, camera = self.pose, start.place.camera
        if camera is None or start.place.normal is None:
            return
        turn = between(start.place.normal, plane.normal)
        point = np.array(plane.point)
        position, target = (
            _vec(point + turn @ (np.array(at) - point))
            for at in (camera.position, camera.target)
        )
        up = _vec(turn @ camera.axes[1])
        self._normal = plane.normal
        if start.point is not None or plane.point != self._client.scene.cross_hair:
            self._point = plane.point
        with unrecorded():
            turned_camera = replace(camera, position=position, target=target, up=up)
            self._framing.move_to(turned_camera, is_moving=True)
        self._tell_plane()
        self._record_pose(before, is_going_on=True)

    def _record_pose(self, before: PlanePose, *, is_going_on: bool) -> None:
        after = self.pose
        if after != before:
            self._framing.history.record(
                self, "pose", before, after, is_going_on=is_going_on
            )

    def reset(self) -> None:
        """Turn the plane as it was at first, through the cross-hair; one act."""
        before = self.pose
        self._point = None
        with unrecorded():
            self.normal = self._first_normal
        self._record_pose(before, is_going_on=False)

    def lie_like(self, normal: Vec3, point: Vec3 | None) -> None:
        """Set the plane of another view; not recorded as an action of the user.

        Parameters
        ----------
        normal : Vec3
            World direction (z, y, x).
        point : Vec3 or None
            World (z, y, x); None for the cross-hair.
        """
        self._normal, self._point = normal, point
        if self._framing.is_fitting:
            self._framing.refit()
        elif self._framing.camera is not None:
            self._framing.follow(self._seen_straight(self._framing.camera))
        self._tell_plane()

    @property
    def cut(self) -> list[ChunkedLayer]:
        """What the plane cuts: the visible layers, or all where none is."""
        return self._framing.seen

    def point_at(self, px: tuple[float, float]) -> Vec3:
        """Return the point of the plane under a pixel (physical), world."""
        camera = self._framing.camera
        assert camera is not None
        return self.plane.nearest(world_at(camera, px))

    def scroll(self, n_steps: float) -> None:
        """Go on by voxels of the finest layer, along the normal."""
        corners = self._framing.corners()
        if corners is None:
            return
        # Steps of the finest visible layer, so that no plane of any layer is skipped.
        sizes = np.array([_voxel_size(layer.world) for layer in self.cut])
        z, y, x = (float(v) for v in sizes.min(axis=0))
        point = next_plane_point(
            self.position,
            n_steps,
            normal=self._normal,
            voxel_size=(z, y, x),
            corners=corners,
        )
        self._go_to(point, is_going_on=True)

    def close(self) -> None:
        """Stop following the cross-hair; may be called twice."""
        scene = self._client.scene
        scene.cross_hair_changed.disconnect(self._on_cross_hair, missing_ok=True)


def _voxel_size(world: Any) -> NDArray[np.float64]:
    """Extent of a voxel along the world's axes."""
    size: NDArray[np.float64] = np.abs(world.matrix[:3, :3]).sum(axis=1)
    return size


def _vec(values: NDArray[np.float64]) -> Vec3:
    z, y, x = (float(v) for v in values)
    return (z, y, x)
