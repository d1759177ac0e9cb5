"""Where views are, and what counts as flat."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.model import AffineTransform
from brickfield.viewer.live.framing import are_flat


def _lifted(z: float) -> np.ndarray:
    """Return the matrix that moves a layer along z by so many voxels."""
    matrix = np.eye(4)
    matrix[0, 3] = z
    return matrix


def _tilted(degrees: float) -> np.ndarray:
    """Return the matrix that turns a layer about x."""
    matrix, angle = np.eye(4), np.deg2rad(degrees)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


@pytest.mark.parametrize(
    ("worlds", "expected"),
    [
        pytest.param([np.eye(4)], True, id="one plane"),
        pytest.param([_lifted(7.0)], True, id="one plane anywhere along z"),
        pytest.param([np.eye(4), _lifted(0.4)], True, id="in one voxel's thickness"),
        pytest.param([np.eye(4), _lifted(1.0)], False, id="one above another"),
        pytest.param([_tilted(30.0)], False, id="a tilted plane"),
    ],
)
def test_flat_is_what_lies_in_one_plane_across_z(memory_scene, worlds, expected):
    for world in worlds:
        data = np.zeros((1, 20, 30), np.uint8)
        memory_scene.add(data, world=AffineTransform(world))
    assert are_flat(port.data for port in memory_scene.layers) is expected


def test_nothing_is_not_flat():
    assert not are_flat([])
