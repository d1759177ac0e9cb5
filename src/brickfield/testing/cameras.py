"""Cameras for property tests, and where a camera draws a point."""

from __future__ import annotations

from itertools import product
from math import radians, tan
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.model import CameraState

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def pixel_of(camera: CameraState, point: ArrayLike) -> NDArray[np.float64]:
    """Return column and row of a world point (z, y, x), from the upper left corner.

    Parameters
    ----------
    camera : CameraState
    point : array-like, shape (3,)
        World (z, y, x).

    Returns
    -------
    ndarray, shape (2,)
        Pixels.
    """
    x, y, _, w = camera.world_to_clip @ np.append(np.asarray(point, np.float64), 1.0)
    width, height = camera.viewport
    return np.array([(x / w + 1) / 2 * width, (1 - y / w) / 2 * height])


def same_picture(a: CameraState, b: CameraState, *, tolerance: float = 1e-6) -> bool:
    """Whether two cameras draw the surroundings of the target alike.

    `tolerance` is a share of the picture's longer side.

    Parameters
    ----------
    a, b : CameraState
    tolerance : float
        Share of the picture's longer side.
    """
    size = float(np.linalg.norm(np.subtract(a.position, a.target))) * 0.3
    around = np.array(list(product((-1, 0, 1), repeat=3))) * size + a.target
    allowed = tolerance * max(a.viewport)
    return all(
        np.allclose(pixel_of(a, p), pixel_of(b, p), rtol=0, atol=allowed)
        for p in around
    )


def cameras(**fixed: Any) -> SearchStrategy[CameraState]:
    """Draw any sensible camera, 0.01 to 10 000 world units from its target.

    Parameters
    ----------
    **fixed
        Values of :class:`CameraState`'s fields that do not vary.
    """
    from hypothesis import strategies as st

    number, part = st.floats(-1000, 1000), st.floats(-1, 1)
    sides = st.integers(16, 2000)
    direction = st.tuples(part, part, part).filter(lambda v: np.linalg.norm(v) > 0.1)

    @st.composite
    def camera(draw: Any) -> CameraState:
        target = draw(st.tuples(number, number, number))
        forward = np.array(draw(direction))
        up = draw(
            direction.filter(lambda v: np.linalg.norm(np.cross(v, forward)) > 0.01)
        )
        reach = 10 ** draw(st.floats(-2, 4))
        position = np.array(target) - forward / np.linalg.norm(forward) * reach
        fov = fixed.get("fov", draw(st.floats(5, 120)))
        values: dict[str, Any] = {
            "position": tuple(position.tolist()),
            "target": target,
            "up": up,
            "viewport": (draw(sides), draw(sides)),
            "orthographic": draw(st.booleans()),
            "fov": fov,
            "height": 2 * reach * tan(radians(fov) / 2),
        }
        return CameraState(**values | fixed)

    return camera()
