"""cellier's plan of one frame: level of detail, sort, frustum, budget."""

from __future__ import annotations

import json
import sys
from time import perf_counter, thread_time
from types import SimpleNamespace

import numpy as np
from cellier.render._frustum import bricks_in_frustum_arr, frustum_planes_from_corners
from cellier.render._level_of_detail import (
    select_levels_from_cache,
    sort_arr_by_distance,
)
from cellier.render.visuals._image import MultiscaleBrickLayout3D

BLOCK = 32
SLOTS = 4095
HEIGHT, ASPECT, FOV = 1080, 1.3, 50


def main(edge: int) -> dict[str, float]:
    """Plan as cellier's 3D visual does, the camera 0.6 edges from the middle."""
    shapes, transforms = [], []
    while not shapes or max(shapes[-1]) > BLOCK:
        k = len(shapes)
        shapes.append((-(-edge // (1 << k)),) * 3)
        matrix = np.diag([2.0**k] * 3 + [1.0])
        matrix[:3, 3] = ((1 << k) - 1) / 2
        # All that is read of a transform.
        transforms.append(SimpleNamespace(matrix=matrix))
    layout = MultiscaleBrickLayout3D(shapes, transforms, BLOCK, (0, 1, 2))
    half = HEIGHT / 2 / np.tan(np.radians(FOV) / 2)
    thresholds = [half * f for f in layout._level_scale_factors[:-1]]
    times, visible = [], 0
    for i in range(7):
        angle = 0.5 + 0.01 * i
        direction = np.array([np.cos(angle), 0.3, np.sin(angle)])
        direction /= np.linalg.norm(direction)
        middle = np.full(3, edge / 2)
        position = middle - direction * 0.6 * edge
        corners = _frustum(position, middle, edge)
        start = thread_time()
        bricks = select_levels_from_cache(
            layout._level_grids,
            layout.n_levels,
            position,
            thresholds,
            layout.base_layout,
        )
        bricks = sort_arr_by_distance(
            bricks,
            position,
            BLOCK,
            layout._scale_vecs_shader,
            layout._translation_vecs_shader,
        )
        planes = frustum_planes_from_corners(corners)
        bricks, _ = bricks_in_frustum_arr(
            bricks,
            BLOCK,
            planes,
            layout._scale_arr_shader,
            layout._translation_arr_shader,
        )
        kept = bricks[:SLOTS]
        times.append(1e3 * (thread_time() - start))
        visible, dropped = len(bricks), len(bricks) - len(kept)
    return {
        "ms": float(np.median(times)),
        "visible": visible,
        "dropped": dropped / max(1, visible),
        "repeats": len(times),
    }


def _frustum(position: np.ndarray, target: np.ndarray, edge: int) -> np.ndarray:
    """Return corners near and far, shape (2, 4, 3), (x, y, z)."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, (0, 1, 0))
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    corners = []
    for distance in (0.01 * edge, 3.0 * edge):
        h = distance * np.tan(np.radians(FOV) / 2)
        signs = ((-1, -1), (1, -1), (1, 1), (-1, 1))
        middle = position + distance * forward
        corners.append([middle + h * (ASPECT * x * right + y * up) for x, y in signs])
    return np.array(corners)


if __name__ == "__main__":
    start = perf_counter()
    answer = main(**json.loads(sys.argv[1]))
    print(json.dumps(answer | {"seconds": perf_counter() - start}))
