"""Key frames and what lies between them.

A camera moves on a sphere round its target, never through it: the direction turns
evenly the shortest way, and the size of objects at the target grows or shrinks by
equal factors, so that nothing dips on the way. Where it zooms, the target moves as
if it zoomed round one point. A key frame itself is met exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import atan, degrees, radians, tan
from typing import Any, Literal

import numpy as np

from brickfield.camera.navigation import WORLD_UP, target_height
from brickfield.camera.rotations import about, part_way, turned, vec
from brickfield.errors import OptionError
from brickfield.model import CameraState, Vec3

Ease = Literal["smooth", "even"]
_FLAT_SLOPE = tan(radians(0.25))
"""A narrower view is drawn with parallel rays."""


@dataclass(frozen=True)
class KeyFrame:
    """One moment of a movie.

    Attributes
    ----------
    camera : CameraState
    time : int
        Step on the time axis of the data.
    values : mapping
        Whatever else changes, by name: floats and tuples of floats move smoothly,
        everything else (ints, names, switches) changes half way.
    seconds : float
        How long it takes from here to the next key frame.
    """

    camera: CameraState
    time: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 2.0


def between(a: KeyFrame, b: KeyFrame, share: float) -> KeyFrame:
    """Return the interpolated moment between two key frames.

    Parameters
    ----------
    a, b : KeyFrame
    share : float
        Of the way from `a` to `b`, 0 to 1.
    """
    if share <= 0:
        return a
    if share >= 1:
        return replace(b, camera=replace(b.camera, viewport=a.camera.viewport))
    names = [*a.values, *(n for n in b.values if n not in a.values)]
    return KeyFrame(
        camera_between(a.camera, b.camera, share),
        round(a.time + (b.time - a.time) * share),
        {
            name: _mixed(
                a.values.get(name, b.values.get(name)),
                b.values.get(name, a.values.get(name)),
                share,
            )
            for name in names
        },
        a.seconds,
    )


def _mixed(a: Any, b: Any, share: float) -> Any:
    if isinstance(a, float) and isinstance(b, float):
        return a + (b - a) * share
    if isinstance(a, tuple) and isinstance(b, tuple) and len(a) == len(b):
        return tuple(_mixed(x, y, share) for x, y in zip(a, b, strict=True))
    return b if share >= 0.5 else a


def camera_between(a: CameraState, b: CameraState, share: float) -> CameraState:
    """Return the interpolated camera between two cameras.

    Between perspective and parallel rays the angle of view closes or opens while the
    target keeps its size.

    Parameters
    ----------
    a, b : CameraState
    share : float
        Of the way from `a` to `b`, 0 to 1.
    """
    start, end = target_height(a), target_height(b)
    height = start * (end / start) ** share
    slopes = [0.0 if c.orthographic else tan(radians(c.fov) / 2) for c in (a, b)]
    slope = slopes[0] + (slopes[1] - slopes[0]) * share
    is_flat = slope < _FLAT_SLOPE
    # Of a zoom round one point the target has gone as far as the size has changed.
    growth = end / start
    moved = share if abs(growth - 1) < 1e-6 else (growth**share - 1) / (growth - 1)
    target = np.array(a.target) + moved * np.subtract(b.target, a.target)
    _, up, back = part_way(a.axes, b.axes, share)
    fov = max(a.fov, b.fov) if is_flat else degrees(2 * atan(slope))
    reach = height / 2 / tan(radians(fov) / 2)
    return replace(
        a,
        position=vec(target + reach * back),
        target=vec(target),
        up=vec(up),
        orthographic=is_flat,
        fov=fov,
        height=height,
        aspect=None,
    )


def frames(
    keys: Sequence[KeyFrame], *, fps: float = 25.0, ease: Ease = "smooth"
) -> list[KeyFrame]:
    """Return every frame of a movie, from the first key frame to the last.

    Parameters
    ----------
    keys : sequence of KeyFrame
        One stands still for its seconds.
    fps : float
        Frames a second.
    ease : {"smooth", "even"}
        Whether it starts and stops gently at every key frame.

    Raises
    ------
    OptionError
        Without key frames, or with a speed that is none.
    """
    if not keys or not 0 < fps <= 1000:
        msg = (
            "expected at least one key frame and up to 1000 frames a second; found"
            f" {len(keys)} and {fps:g}"
        )
        raise OptionError(msg)
    if len(keys) == 1:
        return [keys[0]] * _n_steps(keys[0], fps)
    found = []
    for a, b in pairwise(keys):
        n = _n_steps(a, fps)
        found += [between(a, b, _eased(i / n, ease)) for i in range(n)]
    return [*found, between(keys[-2], keys[-1], 1.0)]


def _n_steps(key: KeyFrame, fps: float) -> int:
    if not 0 <= key.seconds <= 36_000:
        msg = (
            f"expected 0 to 36000 seconds to the next key frame; found {key.seconds:g}"
        )
        raise OptionError(msg)
    return max(1, round(key.seconds * fps))


def _eased(share: float, ease: Ease) -> float:
    # No jump of speed or of acceleration at either end.
    return share if ease == "even" else share**3 * (share * (share * 6 - 15) + 10)


def turntable(
    camera: CameraState,
    n_frames: int,
    *,
    axis: Vec3 = WORLD_UP,
    degrees_turned: float = 360.0,
) -> list[CameraState]:
    """Let the scene turn once round the target, evenly.

    Parameters
    ----------
    camera : CameraState
        The first frame.
    n_frames : int
        The frame after the last would be the first again, so the movie loops.
    axis : tuple of float
        World direction (z, y, x) to turn about; default up.
    degrees_turned : float
        Positive turns as if dragged to the right.

    Raises
    ------
    OptionError
        Without frames or without an axis.
    """
    if n_frames < 1 or not any(axis):
        msg = (
            "expected at least one frame and an axis with a length; found"
            f" {n_frames} and {axis}"
        )
        raise OptionError(msg)
    seen = camera.axes @ np.asarray(axis, dtype=np.float64)
    steps = (radians(degrees_turned) * i / n_frames for i in range(n_frames))
    return [turned(camera, about(seen, step)) if step else camera for step in steps]


def of_cameras(cameras: Iterable[CameraState], like: KeyFrame) -> list[KeyFrame]:
    """Return frames that differ in nothing but the camera.

    Parameters
    ----------
    cameras : iterable of CameraState
        One for each frame.
    like : KeyFrame
        Gives everything else.
    """
    return [replace(like, camera=camera) for camera in cameras]
