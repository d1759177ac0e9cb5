"""Handles of a clip box in a picture: where they are, and what a drag does.

Each face of the box has a knob, a little outside its middle, so that opposite faces
of a thin box can still be told apart; where that would be beside the picture, the
knob stays at its edge. A face moves along its normal alone; the knob
stays under the cursor as far as that line allows. A face that is seen end on cannot
be dragged and has no knob. Pure functions; pixels are the camera's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import hypot

import numpy as np
from numpy.typing import NDArray

from brickfield.camera.drag_line import (
    Pixel,
    clip_w,
    gone_along,
    pixel_at,
    to_camera,
    way_of,
)
from brickfield.model import CameraState, Vec3
from brickfield.viewer.live.ports import Box

OUTSIDE_PX = 12.0
"""How far a knob lies outside its face, logical pixels."""
EDGE_PX = 8.0
"""How near to the picture's edge a knob may be, logical pixels."""
LEAST_SHARE = 1e-3
"""A box keeps this share of its bounds along every axis."""


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a box.

    Attributes
    ----------
    axis : int
        Of the normal: 0 is z.
    is_upper : bool
        Whether it is the one with the larger coordinate.
    """

    axis: int
    is_upper: bool

    @property
    def normal(self) -> NDArray[np.float64]:
        """Outward unit vector, shape (3,), (z, y, x)."""
        normal = np.zeros(3)
        normal[self.axis] = 1.0 if self.is_upper else -1.0
        return normal

    def middle(self, box: Box) -> NDArray[np.float64]:
        """Return the centre of the face, shape (3,), (z, y, x), world."""
        middle: NDArray[np.float64] = np.mean(np.array(box), axis=0)
        middle[self.axis] = box[self.is_upper][self.axis]
        return middle


FACES: tuple[Face, ...] = tuple(
    Face(axis, side) for axis in range(3) for side in (False, True)
)


@dataclass(frozen=True, slots=True)
class Knob:
    """Where a face can be taken hold of.

    Attributes
    ----------
    px : tuple of float
        Column and row.
    is_front : bool
        Whether the face looks at the camera.
    depth : float
        Distance along the sight, world units.
    """

    px: Pixel
    is_front: bool
    depth: float


def knobs(
    camera: CameraState, box: Box, *, pixel_ratio: float = 1.0
) -> dict[Face, Knob]:
    """Place the knobs of all faces that can be dragged.

    Parameters
    ----------
    camera : CameraState
    box : tuple
        Lower and upper corner (z, y, x), world.
    pixel_ratio : float
        Physical pixels of the camera a logical one.
    """
    found = {}
    for face in FACES:
        middle = face.middle(box)
        way = way_of(camera, middle, face.normal)
        if way is None:
            continue
        direction, at = way
        px = _kept(at + OUTSIDE_PX * pixel_ratio * direction, at, camera, pixel_ratio)
        found[face] = Knob(
            (float(px[0]), float(px[1])),
            _is_front(camera, face, middle),
            float((middle - np.array(camera.position)) @ camera.forward),
        )
    return found


def _kept(
    px: NDArray[np.float64],
    at: NDArray[np.float64],
    camera: CameraState,
    pixel_ratio: float,
) -> NDArray[np.float64]:
    """Keep a knob in the picture if the middle of its face is there."""
    size = np.array(camera.viewport, dtype=np.float64)
    room = np.minimum(EDGE_PX * pixel_ratio, size / 2)
    if (at < 0).any() or (at > size).any():
        return px
    kept: NDArray[np.float64] = np.clip(px, room, size - room)
    return kept


def face_under(
    places: Mapping[Face, Knob], px: Pixel, *, reach_px: float
) -> Face | None:
    """Return the face whose knob lies under a pixel, the nearest to the camera.

    Parameters
    ----------
    places : mapping of Face to Knob
        As :func:`knobs` placed them.
    px : tuple of float
    reach_px : float
        Radius of a knob.
    """
    near = [
        (not knob.is_front, knob.depth, i, face)
        for i, (face, knob) in enumerate(places.items())
        if hypot(knob.px[0] - px[0], knob.px[1] - px[1]) <= reach_px
    ]
    return min(near)[3] if near else None


def dragged(
    camera: CameraState,
    box: Box,
    face: Face,
    move_px: Pixel,
    bounds: Box,
) -> Box:
    """Move a face along its normal by a drag of its knob.

    Parameters
    ----------
    camera : CameraState
    box : tuple
        When the drag began.
    face : Face
    move_px : tuple of float
        Columns and rows from where the drag began.
    bounds : tuple
        The box stays within.

    Returns
    -------
    tuple
        The box as it was for a drag that means nothing.
    """
    gone = gone_along(camera, face.middle(box), face.normal, move_px)
    if gone is None:
        return box
    sign = 1.0 if face.is_upper else -1.0
    return moved(box, face, box[face.is_upper][face.axis] + sign * gone, bounds)


def moved(box: Box, face: Face, to: float, bounds: Box) -> Box:
    """Move a face to a coordinate, within the bounds and not beyond the opposite face.

    Parameters
    ----------
    box : Box
        Lower and upper corner (z, y, x), world.
    face : Face
    to : float
        World coordinate along the face's axis.
    bounds : Box
        Lower and upper corner that the box may reach.
    """
    axis = face.axis
    low, high = bounds[0][axis], bounds[1][axis]
    least = LEAST_SHARE * (high - low)
    other = box[not face.is_upper][axis]
    if face.is_upper:
        to = min(max(to, other + least), max(high, other + least))
    else:
        to = max(min(to, other - least), min(low, other - least))
    return _with(box, face, to)


def _with(box: Box, face: Face, value: float) -> Box:
    corners = [list(corner) for corner in box]
    corners[face.is_upper][face.axis] = float(value)
    (a, b, c), (d, e, f) = corners
    return (a, b, c), (d, e, f)


def within(box: Box, bounds: Box) -> Box:
    """Return the part of a box within bounds; infinite ends become finite.

    Parameters
    ----------
    box : Box
        Lower and upper corner (z, y, x), world.
    bounds : Box
        Likewise.
    """
    low = np.clip(box[0], *bounds)
    high = np.clip(box[1], *bounds)
    return _vec(np.minimum(low, high)), _vec(np.maximum(low, high))


def edges(camera: CameraState, box: Box) -> list[tuple[Pixel, Pixel, bool]]:
    """Return the box's edges as lines in the picture.

    Parameters
    ----------
    camera : CameraState
    box : Box
        Lower and upper corner (z, y, x), world.

    Returns
    -------
    list of tuple
        Start, end, and whether the edge belongs to a face that looks at the camera;
        those that do are last. Edges that reach behind the camera are left out.
    """
    fronts = [f for f in FACES if _is_front(camera, f, f.middle(box))]
    lines = []
    for axis in range(3):
        others = [a for a in range(3) if a != axis]
        for sides in product((False, True), repeat=2):
            ends = np.empty((2, 3))
            ends[:, axis] = box[0][axis], box[1][axis]
            for other, side in zip(others, sides, strict=True):
                ends[:, other] = box[side][other]
            if min(clip_w(camera, end) for end in ends) <= 0:
                continue
            start, end = (pixel_at(camera, point) for point in ends)
            is_front = any(
                Face(other, side) in fronts
                for other, side in zip(others, sides, strict=True)
            )
            lines.append((_px(start), _px(end), is_front))
    return sorted(lines, key=lambda line: line[2])


def _is_front(camera: CameraState, face: Face, middle: NDArray[np.float64]) -> bool:
    """Whether a face looks at the camera, or is seen exactly from the side."""
    back = to_camera(camera, middle)
    return bool(back @ face.normal > -1e-9 * np.linalg.norm(back))


def _px(at: NDArray[np.float64]) -> Pixel:
    return (float(at[0]), float(at[1]))


def _vec(values: NDArray[np.float64]) -> Vec3:
    z, y, x = (float(v) for v in values)
    return (z, y, x)
