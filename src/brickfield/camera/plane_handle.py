"""An oblique plane in a picture of the volume: its outline, and a handle to move it.

The outline is where the plane cuts the volume's box. The handle is an arrow along
the normal: its foot, which lies in the plane, is dragged to shift the plane along its
normal; its tip goes round the foot and tilts the plane with it. Tilting turns about an
axis in the plane, so that nothing turns within it. The arrow points to the side that
the camera is on. Pure functions; points are (z, y, x), world, pixels the camera's.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, degrees, hypot, isfinite, radians, sin, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from brickfield.camera.drag_line import (
    Pixel,
    Vector,
    clip_w,
    gone_along,
    pixel_at,
    to_camera,
    way_of,
)
from brickfield.camera.navigation import world_at
from brickfield.camera.rotations import between
from brickfield.model import CameraState, Plane, Vec3, vec3

__all__ = [
    "Part",
    "PlaneHandle",
    "angles_of",
    "box_round",
    "handle",
    "in_front",
    "normal_at",
    "outline",
    "part_under",
    "shifted",
    "tilted",
]

Part = Literal["foot", "tip"]
ARROW_PX = 52.0
"""Length of the arrow where it is seen from the side, logical pixels."""
EDGE_PX = 10.0
"""How near to the picture's edge the tip may be, logical pixels."""
INSIDE = 1e-3
"""A shifted plane stays this share of the box away from its ends."""
_EDGES = np.array([(i, i | bit) for bit in (4, 2, 1) for i in range(8) if not i & bit])


# -- the outline -------------------------------------------------------------------


def box_round(boxes: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the box of one volume as it is, of several the upright one round all.

    Parameters
    ----------
    boxes : list of ndarray, shape (8, 3)
        Corners in the order of :func:`brickfield.viewer.live.render_client.corners_of`:
        the bits of a corner's number are its (z, y, x).

    Returns
    -------
    ndarray, shape (8, 3)
        In the same order.
    """
    if len(boxes) == 1:
        return boxes[0]
    points = np.concatenate(boxes)
    ends = np.stack([points.min(axis=0), points.max(axis=0)])
    picks = np.indices((2, 2, 2)).reshape(3, -1).T
    box: NDArray[np.float64] = ends[picks, np.arange(3)]
    return box


def outline(plane: Plane, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where a plane cuts a box (upright, turned or sheared).

    Parameters
    ----------
    plane : Plane
    corners : ndarray, shape (8, 3)
        The bits of a corner's number are its (z, y, x).

    Returns
    -------
    ndarray, shape (n, 3)
        Three to six corners of a convex polygon, one after the other round it; none
        (n is 0) where the plane misses the box or touches it in a point or edge.
    """
    nothing = np.empty((0, 3))
    distance = plane.distance(corners)
    # A corner in the plane counts as beyond it: each edge is cut once or not at all.
    start, end = _EDGES.T
    is_cut = (distance[start] < 0) != (distance[end] < 0)
    if is_cut.sum() < 3:
        return nothing
    start, end = start[is_cut], end[is_cut]
    share = distance[start] / (distance[start] - distance[end])
    points = corners[start] + share[:, None] * (corners[end] - corners[start])
    down, right, _ = plane.axes
    offsets = points - points.mean(axis=0)
    order = np.argsort(np.arctan2(offsets @ down, offsets @ right))
    points = points[order]
    least = 1e-9 * float(np.ptp(corners, axis=0).max())
    step = np.linalg.norm(points - np.roll(points, 1, axis=0), axis=1)
    points = points[step > least]
    return points if len(points) > 2 else nothing


def in_front(camera: CameraState, polygon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the part of a convex polygon in front of the camera, shape (n, 3).

    What reaches behind it has no place in the picture; n is 0 for a polygon that is
    there altogether.

    Parameters
    ----------
    camera : CameraState
    polygon : ndarray, shape (n, 3)
        Corners in order (z, y, x), world.
    """
    if not len(polygon):
        return polygon
    depth = np.array([clip_w(camera, point) for point in polygon])
    depth -= 1e-3 * abs(depth).max()
    before = depth > 0
    if before.all():
        return polygon
    kept = []
    for i in range(len(polygon)):
        j = i - 1
        if before[i] != before[j]:
            share = depth[j] / (depth[j] - depth[i])
            kept.append(polygon[j] + share * (polygon[i] - polygon[j]))
        if before[i]:
            kept.append(polygon[i])
    return np.array(kept).reshape(-1, 3)


def centroid(polygon: NDArray[np.float64]) -> Vector:
    """Return the middle of a convex polygon's area, shape (3,)."""
    first, rest = polygon[0], polygon[1:] - polygon[0]
    areas = np.linalg.norm(np.cross(rest[:-1], rest[1:]), axis=1)
    middles = (rest[:-1] + rest[1:]) / 3
    whole = float(areas.sum())
    if whole == 0:
        middle: Vector = polygon.mean(axis=0)
        return middle
    inner: Vector = first + areas @ middles / whole
    return inner


def _holds(polygon: NDArray[np.float64], point: Vector, plane: Plane) -> bool:
    """Whether a point of the plane lies within a convex polygon in it."""
    ways = np.roll(polygon, -1, axis=0) - polygon
    sides = np.cross(ways, point - polygon) @ np.array(plane.normal)
    return bool((sides >= 0).all() or (sides <= 0).all())


# -- the handle --------------------------------------------------------------------


@dataclass(frozen=True)
class PlaneHandle:
    """An arrow that stands on a plane.

    Attributes
    ----------
    point : tuple of float
        Its foot (z, y, x), world: what a tilt turns about.
    arrow : ndarray, shape (3,)
        From foot to tip, world.
    foot, tip : tuple of float
        Columns and rows.
    can_shift : bool
        Whether the foot can be dragged: not where the normal is seen end on.
    """

    point: Vec3
    arrow: Vector
    foot: Pixel
    tip: Pixel
    can_shift: bool


def handle(
    camera: CameraState,
    plane: Plane,
    polygon: NDArray[np.float64],
    *,
    pixel_ratio: float = 1.0,
) -> PlaneHandle | None:
    """Place the handle of a plane in a picture.

    Its foot is the plane's own point; where that is not seen or outside the volume,
    the middle of the outline.

    Parameters
    ----------
    camera : CameraState
    plane : Plane
    polygon : ndarray, shape (n, 3)
        As :func:`outline` gives it.
    pixel_ratio : float
        Physical pixels of the camera a logical one.

    Returns
    -------
    PlaneHandle or None
        None where the plane misses the volume or no such point is in the picture.
    """
    if not len(polygon):
        return None
    own = np.array(plane.point)
    places = [own] if _holds(polygon, own, plane) else []
    seen = [p for p in (*places, centroid(polygon)) if _is_seen(camera, p, 0.0)]
    if not seen:
        return None
    point = seen[0]
    normal = np.array(plane.normal)
    if to_camera(camera, point) @ normal < 0:
        normal = -normal
    length = ARROW_PX * pixel_ratio * _unit_at(camera, point)
    arrows = [share * length * normal for share in (1.0, 0.8, 0.6, 0.45)]
    room = EDGE_PX * pixel_ratio
    fitting = (a for a in arrows if _is_seen(camera, point + a, room))
    arrow = next(fitting, arrows[-1])
    return PlaneHandle(
        vec3(point),
        arrow,
        _px(pixel_at(camera, point)),
        _px(pixel_at(camera, point + arrow)),
        way_of(camera, point, normal) is not None,
    )


def _is_seen(camera: CameraState, point: Vector, room: float) -> bool:
    if clip_w(camera, point) <= 0:
        return False
    at, size = pixel_at(camera, point), np.array(camera.viewport)
    return bool((at >= room).all() and (at <= size - room).all())


def _unit_at(camera: CameraState, point: Vector) -> float:
    """World units a pixel at a point."""
    rows = camera.viewport[1]
    if camera.orthographic:
        return camera.height / rows
    depth = float((point - np.array(camera.position)) @ camera.forward)
    return 2 * depth * float(np.tan(radians(camera.fov) / 2)) / rows


def part_under(place: PlaneHandle | None, px: Pixel, *, reach_px: float) -> Part | None:
    """Return the part of a handle under a pixel, of two the nearer one.

    Where they cover one another it is the tip, which lies in front.

    Parameters
    ----------
    place : PlaneHandle or None
        Where the handle is in the picture; None when it is not shown.
    px : Pixel
        Column and row.
    reach_px : float
        Farthest distance from a part, pixels.

    Returns
    -------
    Part or None
        "tip", "foot", or None beside both.
    """
    if place is None:
        return None
    parts: list[tuple[Part, Pixel]] = [("tip", place.tip)]
    if place.can_shift:
        parts.append(("foot", place.foot))
    near = [(hypot(at[0] - px[0], at[1] - px[1]), part) for part, at in parts]
    distance, part = min(near, key=lambda pair: pair[0])
    return part if distance <= reach_px else None


# -- drags -------------------------------------------------------------------------


def shifted(
    camera: CameraState,
    plane: Plane,
    place: PlaneHandle,
    move_px: Pixel,
    corners: NDArray[np.float64],
) -> Plane:
    """Move a plane along its normal by a drag of the handle's foot.

    Parameters
    ----------
    camera : CameraState
    plane : Plane
        When the drag began, and so `place`.
    place : PlaneHandle
    move_px : tuple of float
        Columns and rows from where the drag began.
    corners : ndarray, shape (n, 3)
        Of the volume, which the plane goes on cutting.
    """
    normal = np.array(plane.normal)
    gone = gone_along(camera, np.array(place.point), normal, move_px)
    if gone is None:
        return plane
    reach = corners @ normal
    low, high = float(reach.min()), float(reach.max())
    room = INSIDE * (high - low)
    before = float(normal @ np.array(plane.point))
    after = min(max(before + gone, low + room), high - room)
    return plane.moved(after - before)


def tilted(
    camera: CameraState, plane: Plane, place: PlaneHandle, move_px: Pixel
) -> Plane:
    """Turn a plane about the handle's foot by a drag of its tip.

    The tip stays under the cursor on the half of a ball round the foot that looks at
    the camera; beside the ball it goes along its rim.

    Parameters
    ----------
    camera : CameraState
    plane : Plane
        When the drag began, and so `place`.
    place : PlaneHandle
    move_px : tuple of float
        Columns and rows from where the drag began.
    """
    if not (isfinite(move_px[0]) and isfinite(move_px[1])):
        return plane
    goal = (place.tip[0] + move_px[0], place.tip[1] + move_px[1])
    start = _on_ball(camera, place, place.tip)
    turn = between(start, _on_ball(camera, place, goal))
    return Plane(place.point, vec3(turn @ np.array(plane.normal)))


def _on_ball(camera: CameraState, place: PlaneHandle, px: Pixel) -> Vector:
    """Return the direction from the foot to what of a ball is seen under a pixel."""
    radius = float(np.linalg.norm(place.arrow))
    through = np.array(world_at(camera, px))
    eye = through if camera.orthographic else np.array(camera.position)
    way = camera.forward if camera.orthographic else through - eye
    way = way / np.linalg.norm(way)
    # The point of the ray that is nearest to the ball's middle, seen from there.
    near = eye - np.array(place.point)
    near = near - (near @ way) * way
    beside = float(near @ near)
    if beside < radius * radius:
        near = near - sqrt(radius * radius - beside) * way
    on_ball: Vector = near / np.linalg.norm(near)
    return on_ball


def _px(at: Vector) -> Pixel:
    return (float(at[0]), float(at[1]))


# -- angles ------------------------------------------------------------------------


def angles_of(normal: Vec3) -> tuple[float, float]:
    """Return tilt and turn of a plane, degrees.

    Parameters
    ----------
    normal : tuple of float
        World direction (z, y, x), length 1.

    Returns
    -------
    tuple of float
        Tilt: angle between the normal and the z axis, 0 (the plane lies across z) to
        180. Turn: direction in which the normal leans, counted from x towards y,
        above -180 to 180; 0 where it does not lean.
    """
    z, y, x = (v + 0.0 for v in normal)
    lean = hypot(y, x)
    if lean < 1e-12:
        return (0.0 if z >= 0 else 180.0), 0.0
    turn = degrees(atan2(y, x))
    return degrees(atan2(lean, z)), turn if turn > -180 else 180.0


def normal_at(tilt: float, turn: float) -> Vec3:
    """Return the normal (z, y, x) of tilt and turn in degrees; see :func:`angles_of`.

    ``(cos tilt, sin tilt sin turn, sin tilt cos turn)``, length 1.

    Parameters
    ----------
    tilt : float
        Degrees.
    turn : float
        Degrees.
    """
    lean, way = radians(tilt), radians(turn)
    found = (cos(lean), sin(lean) * sin(way), sin(lean) * cos(way))
    # Right angles are exact: the rounding error of pi is no direction.
    z, y, x = (0.0 if abs(v) < 1e-15 else v for v in found)
    return (z, y, x)
