"""Data order on one side, GPU order on the other."""

import numpy as np

from brickfield.gpu.axes import matrix_to_xyz, to_xyz


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
