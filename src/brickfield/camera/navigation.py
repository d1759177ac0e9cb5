"""How mouse and keys move the camera: pure functions from one camera to the next.

Pixels are counted from the upper left corner, x to the right and y down, in the
same pixels as the camera's viewport. What is dragged follows the mouse, and
nothing is ever mirrored, lost or turned over by itself: a gesture with a broken
number leaves the camera as it was. Directions and rotations live in
:mod:`brickfield.camera.rotations`, views of the whole in
:mod:`brickfield.camera.presets`.
"""

from __future__ import annotations

from dataclasses import replace
from math import isfinite, pi, radians, sqrt, tan

import numpy as np
from numpy.typing import NDArray

from brickfield.camera.rotations import (
    Matrix,
    about,
    between,
    distance,
    settled,
    turned,
    vec,
)
from brickfield.model import CameraState, Vec3

Pixel = tuple[float, float]
WORLD_UP: Vec3 = (0.0, -1.0, 0.0)
"""Up while a view is rotated: rows of an image count downwards."""
TURN = pi
"""Radians of turning for a drag across the shorter side of the picture."""
SMALLEST, LARGEST = 1e-6, 100.0
"""Limits of the picture's height at the target, in sizes of the scene."""
_UPRIGHT = np.array([WORLD_UP, (-1.0, 0.0, 0.0), (0.0, 0.0, -1.0)])
_LEVEL = 1e-6


def orbit(camera: CameraState, dx_px: float, dy_px: float) -> CameraState:
    """Turn round the target: sideways about the world's up, else about right.

    Stops above and below the target, so that the picture never turns over. A
    camera whose picture has another world axis upright turns about that one, and
    one that was rolled freely turns about its own up. The target stays and so
    does the distance.

    Parameters
    ----------
    camera : CameraState
    dx_px : float
        Movement of the mouse to the right, pixels.
    dy_px : float
        Movement of the mouse downwards, pixels.
    """
    if not _usable(dx_px, dy_px):
        return camera
    return turned(camera, _upright_turn(camera, dx_px, dy_px))


def _upright_turn(camera: CameraState, dx_px: float, dy_px: float) -> Matrix:
    speed = TURN / min(camera.viewport)
    yaw, pitch = dx_px * speed, dy_px * speed
    # Turning keeps the angle between right and the axis turned about: the axis
    # that right is square to is the one that all turns so far were about.
    seen = _UPRIGHT @ camera.axes.T
    level = np.abs(seen[:, 0]) < _LEVEL
    if not level.any():
        return about((1, 0, 0), pitch) @ about((0, 1, 0), yaw)
    _, up, back = seen[int(np.argmax(level))]
    if up < -_LEVEL:
        up, back = -up, -back
    elevation = float(np.arctan2(back, up))
    lifted = min(max(elevation + pitch, -pi / 2), pi / 2)
    return about((1, 0, 0), lifted - elevation) @ about((0, up, back), yaw)


def trackball(camera: CameraState, from_px: Pixel, to_px: Pixel) -> CameraState:
    """Turn freely: the scene is a glass ball round the target that the hand rolls.

    A drag beside the ball rolls the picture. Going back the same way undoes it.

    Parameters
    ----------
    camera : CameraState
    from_px : Pixel
        Column and row where the mouse was.
    to_px : Pixel
        Column and row where it is.
    """
    if not _usable(*from_px, *to_px):
        return camera
    return turned(camera, between(_on_ball(camera, from_px), _on_ball(camera, to_px)))


def _on_ball(camera: CameraState, px: Pixel) -> NDArray[np.float64]:
    width, height = camera.viewport
    radius = min(camera.viewport) / 2
    x, y = (px[0] - width / 2) / radius, (height / 2 - px[1]) / radius
    # A sphere that runs out into a hyperbolic sheet: smooth everywhere.
    reach = x * x + y * y
    z = sqrt(1 - reach) if reach <= 0.5 else 0.5 / sqrt(reach)
    length = sqrt(reach + z * z)
    return np.array([x / length, y / length, z / length])


def roll(camera: CameraState, degrees: float) -> CameraState:
    """Turn the picture about its middle, counter-clockwise for positive degrees.

    Parameters
    ----------
    camera : CameraState
    degrees : float
        Counter-clockwise.
    """
    if not _usable(degrees):
        return camera
    return turned(camera, about((0, 0, 1), radians(degrees)))


def fly(
    camera: CameraState,
    move: Vec3 = (0.0, 0.0, 0.0),
    *,
    yaw_px: float = 0.0,
    pitch_px: float = 0.0,
) -> CameraState:
    """Move eye and target together, and look round from the eye.

    Parameters
    ----------
    camera : CameraState
    move : tuple of float
        World units forward, to the right and up, as the camera looks afterwards.
    yaw_px, pitch_px : float
        Mouse drag; to the right looks to the right, down looks down.
    """
    if not _usable(*move, yaw_px, pitch_px):
        return camera
    looking = turned(camera, _upright_turn(camera, yaw_px, pitch_px), round_eye=True)
    right, up, back = looking.axes
    return _moved(looking, -move[0] * back + move[1] * right + move[2] * up)


def pan(camera: CameraState, dx_px: float, dy_px: float) -> CameraState:
    """Shift the picture: what is as far away as the target follows the mouse.

    Parameters
    ----------
    camera : CameraState
    dx_px : float
        Movement of the mouse to the right, pixels.
    dy_px : float
        Movement of the mouse downwards, pixels.
    """
    if not _usable(dx_px, dy_px):
        return camera
    across, along = units_per_px(camera)
    right, up, _ = camera.axes
    return _moved(camera, -dx_px * across * right + dy_px * along * up)


def zoom(
    camera: CameraState,
    factor: float,
    at_px: Pixel | None = None,
    *,
    scene_size: float | None = None,
) -> CameraState:
    """Enlarge the picture round a pixel.

    A perspective camera comes nearer, an orthographic one sees less. What is as
    far away as the target and lies under the pixel stays there.

    Parameters
    ----------
    camera : CameraState
    factor : float
        Above 1 enlarges. Anything that is not a positive number does nothing.
    at_px : tuple of float, optional
        The pixel that stays; the middle without it.
    scene_size : float, optional
        Diagonal of everything that there is, world units. The picture then stays
        between a millionth and a hundred times as high, so that the data stay in reach.
    """
    if not (_usable(factor, *(at_px or ())) and factor > 0):
        return camera
    height = target_height(camera)
    wanted = height / factor
    if scene_size is not None and scene_size > 0:
        low, high = SMALLEST * scene_size, LARGEST * scene_size
        # A camera that is outside already may come back, but not go farther.
        wanted = min(max(wanted, min(low, height)), max(high, height))
    ratio = wanted / height
    if not (isfinite(ratio) and ratio > 0):
        return camera
    target = np.array(camera.target)
    if at_px is not None:
        fixed = np.array(world_at(camera, at_px))
        target = fixed + (target - fixed) * ratio
    position = target + ratio * distance(camera) * camera.axes[2]
    nearer = replace(
        camera,
        position=vec(position),
        target=vec(target),
        height=camera.height * ratio if camera.orthographic else camera.height,
    )
    return settled(camera, nearer)


def set_centre(camera: CameraState, world: Vec3) -> CameraState:
    """Make a point (z, y, x) the target; direction and distance stay.

    Parameters
    ----------
    camera : CameraState
    world : Vec3
        Point (z, y, x), world.
    """
    if not _usable(*world):
        return camera
    return _moved(camera, np.subtract(world, camera.target))


def world_at(camera: CameraState, px: Pixel) -> Vec3:
    """Return the world point under a pixel, at the distance of the target.

    Parameters
    ----------
    camera : CameraState
    px : Pixel
        Column and row.

    Returns
    -------
    Vec3
        World (z, y, x).
    """
    across, along = units_per_px(camera)
    width, height = camera.viewport
    right, up, _ = camera.axes
    shift = (px[0] - width / 2) * across * right + (height / 2 - px[1]) * along * up
    return vec(camera.target + shift)


def target_height(camera: CameraState) -> float:
    """Return the world units that the picture is high at the target."""
    if camera.orthographic:
        return camera.height
    return 2 * distance(camera) * tan(radians(camera.fov) / 2)


def units_per_px(camera: CameraState) -> tuple[float, float]:
    """Return world units a pixel at the target, across and along."""
    height = target_height(camera)
    width_px, height_px = camera.viewport
    return height * camera.width_over_height / width_px, height / height_px


def _usable(*numbers: float) -> bool:
    # Far more than any screen or scene has, and still safe to square.
    return all(isfinite(n) and abs(n) < 1e100 for n in numbers)


def _moved(camera: CameraState, shift: NDArray[np.float64]) -> CameraState:
    return settled(
        camera,
        replace(
            camera,
            position=vec(camera.position + shift),
            target=vec(camera.target + shift),
        ),
    )
