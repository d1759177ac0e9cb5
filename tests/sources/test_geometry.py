"""Axes and levels follow from names, shapes and factors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model import Axis
from brickfield.sources.geometry import (
    aligned_geometry,
    axis_named,
    over_axes,
    spatial_positions,
    values_zyx,
    virtual_chunk_shape,
)


@pytest.mark.parametrize(
    ("names", "positions"),
    [
        ("tczyx", (2, 3, 4)),
        ("xyz", (2, 1, 0)),
        ("yxc", (-1, 0, 1)),
        ("tx", (-1, -1, 1)),
    ],
)
def test_spatial_axes_are_found_by_name(names, positions):
    assert spatial_positions([axis_named(n) for n in names]) == positions


def test_spatial_axes_of_other_names_are_taken_in_order():
    axes = [Axis("depth"), Axis("c", "channel"), Axis("row"), Axis("column")]
    assert spatial_positions(axes) == (0, 2, 3)


def test_values_are_spread_over_axes_and_picked_again():
    axes = [axis_named(n) for n in "txzy"]
    spread = over_axes((3, 2, 1), axes, 9.0)
    assert spread == (9, 1, 3, 2)
    assert values_zyx(spread, axes, 0.0) == (3, 2, 1)


@given(st.floats(0.1, 10), st.floats(-100, 100), st.floats(1, 16), st.integers(1, 1000))
def test_aligned_levels_keep_both_edges(size, shift, factor, n):
    (coarse,), (start,) = aligned_geometry((size,), (shift,), (factor,))
    assert np.isclose(start - coarse / 2, shift - size / 2)
    assert np.isclose(
        start + (n / factor - 0.5) * coarse, shift + (n - 0.5) * size, atol=1e-6
    )


def test_virtual_chunks_are_one_index_thick_along_other_axes():
    axes = [axis_named(n) for n in "tczyx"]
    assert virtual_chunk_shape((9, 3, 500, 500, 500), axes)[:2] == (1, 1)
