"""Where output voxels lie."""

import numpy as np
import pytest

from brickfield.errors import OptionError
from brickfield.transforms.operations.convention import centre_of, rotation, translation
from brickfield.transforms.operations.grid import Grid, fitting_grid, parse_region


def test_a_quarter_turn_of_unequal_axes_keeps_its_voxels_in_a_fitting_grid():
    shape = (4, 7, 10)
    turn = rotation(90, "z", centre_of(shape), (1, 1, 1))
    grid = fitting_grid(shape, turn)
    assert grid.shape == (4, 10, 7)
    matrix = grid.forward(turn)
    assert np.array_equal(matrix, np.rint(matrix))


def test_a_shift_by_half_a_voxel_moves_the_fitting_grid_and_no_voxel():
    grid = fitting_grid((3, 4, 5), translation((0, 0.5, -2)))
    assert grid == Grid((3, 4, 5), (0.0, 0.5, -2.0))


def test_a_fitting_grid_holds_every_corner():
    shape = (5, 9, 12)
    turn = rotation(31, "y", centre_of(shape), (2, 1, 0.4))
    grid = fitting_grid(shape, turn)
    corners = np.array(np.meshgrid(*([0, n - 1] for n in shape))).reshape(3, -1)
    moved = grid.forward(turn) @ np.vstack([corners, np.ones(8)])
    assert (moved[:3].min(axis=1) > -1e-6).all()
    assert (moved[:3].max(axis=1) < np.array(grid.shape) - 1 + 1e-6).all()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1:2",
        "1:2,3:4",
        "2:1,0:4,0:5",
        "0:4,0:4,0:5",
        "0:1,0:1,5:6",
        "a:b,0:1,0:1",
        "-1:2,0:1,0:1",
        "0:0,0:1,0:1",
        "0:1,0:1,0:1,0:1",
    ],
)
def test_a_region_that_is_empty_or_outside_is_refused(text):
    with pytest.raises(OptionError, match="expected a region"):
        parse_region(text, (3, 4, 5))


def test_a_grid_larger_than_any_file_is_refused():
    with pytest.raises(OptionError, match="--fit"):
        fitting_grid((10, 10, 10), np.diag([1e15, 1, 1, 1]))
