"""Views of the whole: from an axis, from beside, all of it, in parallel or not.

Axis-aligned views have the rows and columns of ``ortho:z``, ``ortho:y`` and
``ortho:x`` (see :mod:`brickfield.camera.fit`), so that a volume view and a slice
view of the same name agree. The kind of projection is the user's and stays.
"""

from __future__ import annotations

from dataclasses import replace
from math import radians, tan

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.camera.fit import MARGIN, fitting_distance, orbit_camera
from brickfield.camera.navigation import target_height
from brickfield.camera.rotations import distance, settled, vec
from brickfield.camera.spec import OrbitCamera
from brickfield.errors import OptionError
from brickfield.model import LEAST_LENGTH, CameraState, Vec3

OBLIQUE = OrbitCamera(-30.0, 22.0)
"""From beside and a little above: what "3D" shows."""
_VIEWS: dict[str, tuple[Vec3, Vec3]] = {
    "xy": ((1, 0, 0), (0, -1, 0)),
    "xz": ((0, -1, 0), (-1, 0, 0)),
    "yz": ((0, 0, 1), (-1, 0, 0)),
}
PRESETS = ("xy", "xz", "yz", "3D", "xy-back", "xz-back", "yz-back")
"""Names that :func:`preset` knows."""


def preset(camera: CameraState, name: str, corners: NDArray[np.float64]) -> CameraState:
    """Look at the whole volume in a direction that has a name.

    Parameters
    ----------
    camera : CameraState
        Gives the viewport, the projection and the angle of view.
    name : str
        One of :data:`PRESETS`.
    corners : ndarray, shape (n, 3)
        Corners of what is to be seen, world (z, y, x).

    Raises
    ------
    OptionError
        For another name.
    """
    plane, _, side = name.partition("-")
    if name == "3D":
        seen = orbit_camera(corners, camera.viewport, OBLIQUE)
        forward, up = vec(seen.forward), seen.up
    elif name in PRESETS:
        forward, up = _VIEWS[plane]
        if side:
            forward = (-forward[0], -forward[1], -forward[2])
    else:
        msg = f"expected a view out of {', '.join(PRESETS)}; found {name!r}"
        raise OptionError(msg)
    return fit(looking_along(camera, forward, up), corners)


def looking_along(
    camera: CameraState, forward: ArrayLike, up: ArrayLike
) -> CameraState:
    """Look at the same target from as far away, in another direction (z, y, x).

    Parameters
    ----------
    camera : CameraState
    forward : array-like, shape (3,)
        Direction of sight (z, y, x), world, any length.
    up : array-like, shape (3,)
        Direction that points up in the picture (z, y, x).
    """
    towards = np.asarray(forward, dtype=np.float64)
    towards = towards / np.linalg.norm(towards)
    position = np.array(camera.target) - distance(camera) * towards
    return settled(camera, replace(camera, position=vec(position), up=vec(up)))


def fit(camera: CameraState, corners: NDArray[np.float64]) -> CameraState:
    """Show all of the corners, centred, from the same direction.

    Parameters
    ----------
    camera : CameraState
    corners : ndarray, shape (n, 3)
        World (z, y, x).
    """
    low, high = corners.min(axis=0), corners.max(axis=0)
    centre = (low + high) / 2
    straight = replace(camera, aspect=None)
    height = camera.height
    if camera.orthographic:
        right, up, _ = camera.axes
        across = np.abs((corners - centre) @ right).max() / straight.width_over_height
        height = 2 * MARGIN * float(max(across, np.abs((corners - centre) @ up).max()))
        height = max(height, LEAST_LENGTH)
        reach = height / 2 / tan(radians(camera.fov) / 2)
    else:
        reach = fitting_distance(straight, corners - centre)
    position = centre + reach * camera.axes[2]
    return settled(
        camera,
        replace(straight, position=vec(position), target=vec(centre), height=height),
    )


def fit_points(camera: CameraState, points: NDArray[np.float64]) -> CameraState:
    """Show all of some points as large as they can be, from the same direction.

    Unlike :func:`fit` it centres what is seen, not the box round it.

    Parameters
    ----------
    camera : CameraState
        Gives the direction, the projection and the viewport.
    points : ndarray, shape (n, 3)
        World (z, y, x).
    """
    found = fit(camera, points)
    for _ in range(4):
        right, up, back = found.axes
        offsets = points - np.array(found.target)
        across, along, depth = offsets @ right, offsets @ up, offsets @ back
        if not found.orthographic:
            away = distance(found) - depth
            across, along = across / away, along / away
        middle = [(float(v.max()) + float(v.min())) / 2 for v in (across, along)]
        scale = 1.0 if found.orthographic else distance(found)
        shift = scale * (middle[0] * right + middle[1] * up)
        target = np.array(found.target) + shift
        found = _fit_around(found, points, target)
    return found


def _fit_around(
    camera: CameraState, points: NDArray[np.float64], target: NDArray[np.float64]
) -> CameraState:
    right, up, back = camera.axes
    offsets = points - target
    height, reach = camera.height, distance(camera)
    if camera.orthographic:
        across = float(np.abs(offsets @ right).max()) / camera.width_over_height
        height = (
            2 * MARGIN * max(across, float(np.abs(offsets @ up).max()), LEAST_LENGTH)
        )
    else:
        reach = fitting_distance(camera, offsets)
    return settled(
        camera,
        replace(
            camera,
            position=vec(target + reach * back),
            target=vec(target),
            height=height,
        ),
    )


def toggle_projection(camera: CameraState) -> CameraState:
    """Change between perspective and parallel rays; the target keeps its size."""
    height = target_height(camera)
    if not camera.orthographic:
        return replace(camera, orthographic=True, height=height)
    reach = height / 2 / tan(radians(camera.fov) / 2)
    position = camera.target + reach * camera.axes[2]
    return settled(camera, replace(camera, position=vec(position), orthographic=False))


def resized(camera: CameraState, viewport: tuple[int, int]) -> CameraState:
    """Return the camera for a picture of another size, with the same height in the world.

    Pixels are square afterwards. A side of no pixels counts as one.

    Parameters
    ----------
    camera : CameraState
    viewport : tuple of int
        Width and height, pixels.
    """
    width, height = viewport
    return replace(camera, viewport=(max(1, width), max(1, height)), aspect=None)
