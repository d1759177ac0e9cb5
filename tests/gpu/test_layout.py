"""Bricks fit the texture and cost little more than their voxels."""

import numpy as np
import pytest

from brickfield.gpu.formats import choose_format
from brickfield.gpu.layout import LevelLayout, level_layouts, matrix_to_xyz, to_xyz

DTYPES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "?"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_brick_of_64_costs_at_most_a_tenth_more_than_its_voxels(dtype):
    fmt = choose_format(np.dtype(dtype))
    layout = LevelLayout((64, 64, 64), (1, 1, 1), fmt.itemsize)
    assert layout.slot_bytes / (64**3 * fmt.itemsize) <= 1.10
    assert layout.slot_bytes <= 1.10 * 64**3 * np.dtype(dtype).itemsize
    assert layout.slot_zyx == (66, 66, 66)


def test_a_thin_stack_needs_no_border_along_z(harness):
    pyramid = harness.pyramid_of([(20, 300, 300)], chunk=(20, 128, 128))
    (layout,) = level_layouts(pyramid, choose_format(np.dtype("u1")))
    assert layout.border_zyx == (0, 1, 1)
    # One slot along z: the edge of the texture is the edge of the brick.
    assert layout.slot_limits(2048) == (15, 15, 1)


def test_slots_fit_the_texture():
    layout = LevelLayout((64, 32, 16), (1, 1, 1), 1)
    assert layout.slot_limits(2048) == (2048 // 18, 2048 // 34, 2048 // 66)


def test_vectors_turn_round():
    zyx = np.arange(12).reshape(4, 3)
    assert to_xyz(zyx)[0].tolist() == [2, 1, 0]
    np.testing.assert_array_equal(to_xyz(zyx), zyx[:, ::-1])


def test_a_turned_matrix_maps_turned_points():
    rng = np.random.default_rng(0)
    matrix = np.vstack([rng.random((3, 4)), [0, 0, 0, 1]])
    point = rng.random(3)
    mapped = (matrix @ [*point, 1])[:3]
    turned = (matrix_to_xyz(matrix) @ [*point[::-1], 1])[:3]
    np.testing.assert_allclose(turned, mapped[::-1])
