"""Chunks are ordered by category, step, error and nearness, in this order."""

from __future__ import annotations

import numpy as np

from brickfield.planning.projection import loading_order, step_priorities


def test_a_coarser_step_goes_before_any_error_of_a_finer_one():
    coarse = step_priorities(3, np.array([1e-3]), np.array([1e-3]))
    fine = step_priorities(4, np.array([1e9]), np.array([1.0]))
    assert coarse[0] <= fine[0]


def test_within_a_step_large_errors_near_the_centre_go_first():
    errors, nearness = np.array([1.0, 4.0, 4.0]), np.array([1.0, 1.0, 0.1])
    assert np.argsort(step_priorities(0, errors, nearness)).tolist() == [1, 0, 2]


def test_categories_go_before_priorities():
    categories = np.array([2, 0, 1, 0], dtype=np.uint8)
    priorities = np.array([0.0, 5.0, 1.0, 2.0], dtype=np.float32)
    assert loading_order(categories, priorities).tolist() == [3, 1, 2, 0]
