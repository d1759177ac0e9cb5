"""A slice moves by voxels, lands on their centres and stays in the data."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.camera.slice_steps import VoxelRow, next_plane_point, next_position
from brickfield.model import ScaleLevel

ROW = VoxelRow(first=10.0, step=0.5, n=8)
CORNERS = np.array(list(product((0.0, 10.0), (0.0, 20.0), (0.0, 30.0))))


def test_a_level_gives_its_rows():
    level = ScaleLevel(
        path="0",
        shape=(3, 4, 5, 6),
        dtype=np.dtype("u1"),
        storage_chunk_shape=(1, 4, 5, 6),
        voxel_size=(1.0, 2.0, 0.5, 0.25),
        translation=(0.0, 7.0, 8.0, 9.0),
        spatial_axes=(1, 2, 3),
        chunk_shape=(4, 5, 6),
    )
    assert VoxelRow.of_level(level, 0) == VoxelRow(7.0, 2.0, 4)
    assert VoxelRow.of_level(level, 2) == VoxelRow(9.0, 0.25, 6)


@pytest.mark.parametrize(
    ("position", "n", "expected"),
    [
        (11.0, 1, 11.5),
        (11.0, -2, 10.0),
        (11.1, 1, 11.5),  # from between two centres to the next one
        (11.1, -1, 11.0),
        (11.4, 1, 11.5),
        (11.4, 0, 11.5),
        (11.0, 99, 13.5),
        (-50.0, 1, 10.0),
        (50.0, -1, 13.5),
    ],
)
def test_steps_land_on_voxel_centres_inside(position, n, expected):
    assert next_position(position, n, ROW) == pytest.approx(expected)


def test_up_is_towards_larger_coordinates_also_where_indices_go_down():
    assert next_position(10.0, 1, VoxelRow(20.0, -2.0, 9)) == 12.0


@given(st.floats(10.0, 13.5), st.integers(1, 5))
def test_forth_and_back_from_a_centre_is_nothing(position, n):
    start = next_position(position, 0, VoxelRow(10.0, 0.5, 100))
    row = VoxelRow(0.0, 0.5, 100)
    assert next_position(next_position(start, n, row), -n, row) == pytest.approx(start)


@pytest.mark.parametrize("broken", [float("nan"), float("inf")])
def test_a_broken_position_is_the_first_voxel(broken):
    assert next_position(broken, 0, ROW) == 10.0


def test_a_plane_across_an_axis_moves_by_that_axis_voxel():
    after = next_plane_point(
        (5.0, 3.0, 3.0),
        2,
        normal=(2.0, 0.0, 0.0),
        voxel_size=(0.5, 1.0, 1.0),
        corners=CORNERS,
    )
    assert after == pytest.approx((6.0, 3.0, 3.0))


def test_an_oblique_plane_moves_along_its_normal_and_stops_at_the_volume():
    at = {"normal": (1.0, 1.0, 0.0), "voxel_size": (1.0, 1.0, 1.0), "corners": CORNERS}
    after = np.array(next_plane_point((5.0, 5.0, 5.0), 1, **at))
    # cubes: one voxel is one unit in every direction
    np.testing.assert_allclose(after - 5, [0.5**0.5, 0.5**0.5, 0])
    far = next_plane_point((5.0, 5.0, 5.0), 1e9, **at)
    assert sum(far[:2]) == pytest.approx(30)
