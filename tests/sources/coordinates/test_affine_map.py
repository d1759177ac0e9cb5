"""Affine maps compose and invert as matrices do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.sources.coordinates import affine_map

NUMBERS = st.floats(-10, 10)


def matrices(n):
    return st.lists(
        st.lists(NUMBERS, min_size=n + 1, max_size=n + 1), min_size=n, max_size=n
    ).map(np.array)


@given(matrices(3), matrices(3), st.lists(NUMBERS, min_size=3, max_size=3))
def test_two_maps_in_turn_equal_their_composition(first, outer, point):
    both = affine_map.then(first, outer)
    step = affine_map.apply(outer, affine_map.apply(first, point))
    np.testing.assert_allclose(affine_map.apply(both, point), step, atol=1e-6)


@given(matrices(3), st.lists(NUMBERS, min_size=3, max_size=3))
def test_the_inverse_leads_back(matrix, point):
    matrix = matrix + 40 * np.eye(3, 4)
    back = affine_map.inverse(matrix)
    there = affine_map.apply(matrix, point)
    np.testing.assert_allclose(affine_map.apply(back, there), point, atol=1e-6)


@pytest.mark.parametrize(
    "matrix",
    [
        np.zeros((2, 3)),
        np.array([[1.0, 1, 0], [1, 1, 0]]),
        np.array([[1.0, 0, 0, 0], [0, 1, 0, 0]]),
        np.array([[np.nan, 0, 0], [0, 1, 0]]),
    ],
)
def test_a_map_without_a_way_back_has_no_inverse(matrix):
    assert affine_map.inverse(matrix) is None


def test_axes_of_very_different_sizes_are_no_reason_to_have_no_inverse():
    matrix = affine_map.scaled([1e-9, 1e9, 1.0])
    np.testing.assert_allclose(
        affine_map.inverse(matrix), affine_map.scaled([1e9, 1e-9, 1.0])
    )


@pytest.mark.parametrize(
    ("matrix", "is_box"),
    [
        (affine_map.scaled([2, 3]), True),
        (affine_map.shifted([2, -3]), True),
        (affine_map.scaled([2, -3]), False),
        (np.array([[0.0, 1, 0], [1, 0, 0]]), False),
    ],
)
def test_a_box_has_a_diagonal_above_zero(matrix, is_box):
    assert affine_map.is_box(matrix) == is_box
