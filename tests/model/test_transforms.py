"""Affine maps compose, invert and map points as matrices do."""

from __future__ import annotations

import numpy as np
import pytest

from brickfield.model.scales import ScaleLevel
from brickfield.model.transforms import AffineTransform


@pytest.fixture
def turn():
    """A rotation with shear and shift."""
    matrix = [[0, 2, 0, 1], [-1, 0, 0.5, 2], [0, 0, 3, -4]]
    return AffineTransform.from_matrix(matrix)


def test_the_default_changes_nothing():
    assert AffineTransform().apply([1, 2, 3]).tolist() == [1, 2, 3]
    np.testing.assert_array_equal(AffineTransform().matrix, np.eye(4))


def test_points_are_mapped_by_hand(turn):
    assert turn.apply([1, 2, 4]).tolist() == [5, 3, 8]
    points = np.ones((2, 5, 3))
    assert turn.apply(points).shape == (2, 5, 3)


def test_the_inverse_leads_back(turn):
    points = np.random.default_rng(0).normal(size=(10, 3))
    np.testing.assert_allclose(turn.inverse.apply(turn.apply(points)), points)


def test_composition_applies_the_right_hand_one_first(turn):
    scale = AffineTransform.from_scale((1, 2, 3), (4, 5, 6))
    point = [1, 1, 1]
    np.testing.assert_allclose(
        (turn @ scale).apply(point), turn.apply(scale.apply(point))
    )


def test_a_level_leads_to_world_through_voxel_size_and_translation():
    level = ScaleLevel(
        "0", (4, 4), np.dtype("u1"), (4, 4), (0.5, 0.25), (3, 4), (-1, 0, 1), (1, 4, 4)
    )
    assert AffineTransform.of_level(level).apply([0, 2, 4]).tolist() == [0, 4, 5]


def test_full_and_short_matrices_are_alike(turn):
    assert AffineTransform.from_matrix(turn.matrix) == turn
    assert hash(AffineTransform.from_matrix(turn.matrix)) == hash(turn)
