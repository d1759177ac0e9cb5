"""Pyramids and cameras for the planning tests."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from brickfield.model import Axis, CameraState, Pyramid, ScaleLevel


def _make_pyramid(shapes, factors, chunks, offsets=None, voxel_size=(1.0, 1.0, 1.0)):
    """Levels from shapes, voxel sizes over level 0 and offsets in level-0 voxels."""
    levels = []
    for i, shape in enumerate(shapes):
        size = tuple(f * v for f, v in zip(factors[i], voxel_size, strict=True))
        shift = (0.0, 0.0, 0.0) if offsets is None else offsets[i]
        shift = tuple(float(o * v) for o, v in zip(shift, voxel_size, strict=True))
        chunk = tuple(chunks[i])
        levels.append(
            ScaleLevel(
                path=str(i),
                shape=tuple(shape),
                dtype=np.dtype("u1"),
                storage_chunk_shape=chunk,
                voxel_size=size,
                translation=shift,
                spatial_axes=(0, 1, 2),
                chunk_shape=chunk,
            )
        )
    return Pyramid(tuple(Axis(name) for name in "zyx"), tuple(levels))


def _make_halving(edge: int, n_levels: int, chunk: int = 64) -> Pyramid:
    """A cube, halved along all axes from level to level, exactly nested."""
    return _make_pyramid(
        [(max(1, edge >> i),) * 3 for i in range(n_levels)],
        [(2.0**i,) * 3 for i in range(n_levels)],
        [(chunk,) * 3] * n_levels,
        [((2**i - 1) / 2,) * 3 for i in range(n_levels)],
    )


@pytest.fixture(scope="session")
def make_pyramid() -> Callable[..., Pyramid]:
    return _make_pyramid


@pytest.fixture(scope="session")
def make_halving() -> Callable[..., Pyramid]:
    return _make_halving


@pytest.fixture(scope="session")
def look_at() -> Callable[..., CameraState]:
    """Cameras that look at a point of an image, near and far set round it."""

    def make(position, target, edge, **options) -> CameraState:
        corners = np.indices((2, 2, 2)).reshape(3, -1).T * float(edge) - 0.5
        camera = CameraState(
            tuple(position), tuple(target), (0.0, -1.0, 0.0), (400, 300), **options
        )
        return camera.with_depth_range(corners)

    return make
