"""Streaming statistics against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickfield.blockwise.blocks import BlockGrid
from brickfield.blockwise.reduce import (
    Extrema,
    Projection,
    count_values,
    extrema,
    histogram,
    map_blocks,
    project,
)

DTYPES = ["b1", "u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"]
floats = st.just(np.nan) | st.floats(-(2.0**30), 2.0**30, width=32)
arrays = st.sampled_from(DTYPES).flatmap(
    lambda d: hnp.arrays(
        d,
        hnp.array_shapes(min_dims=1, max_dims=3, max_side=7),
        elements=floats if d[0] == "f" else None,
    )
)


def read_of(data):
    return lambda region: data[region]


def grid_of(data, edge=3):
    return BlockGrid(data.shape, (edge,) * data.ndim)


@settings(max_examples=60, deadline=None)
@given(arrays)
def test_extrema_and_sum_are_those_of_the_whole_array(data):
    found = extrema(read_of(data), grid_of(data), workers=2)
    values = data[~np.isnan(data)] if data.dtype.kind == "f" else data
    assert found.n_values == values.size
    if values.size:
        assert (found.low, found.high) == (values.min(), values.max())
        total = sum(v.item() for v in values.ravel())
        if data.dtype.kind == "f":
            scale = float(np.abs(values.astype("f8")).sum())
            assert abs(found.total - total) <= 1e-12 * scale
        else:
            assert found.total == total


@settings(max_examples=60, deadline=None)
@given(arrays, st.integers(1, 9))
def test_a_histogram_counts_every_value_once(data, bins):
    found = histogram(read_of(data), grid_of(data), bins=bins)
    values = data[~np.isnan(data)] if data.dtype.kind == "f" else data
    assert found.counts.sum() == values.size


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2"])
def test_small_integers_are_counted_value_by_value(dtype):
    info = np.iinfo(dtype)
    rng = np.random.default_rng(0)
    data = rng.integers(info.min, info.max, (9, 10, 11), dtype, endpoint=True)
    found = histogram(read_of(data), grid_of(data, 4))
    values, counts = np.unique(data, return_counts=True)
    np.testing.assert_array_equal(found.counts[found.counts > 0], counts)
    np.testing.assert_array_equal(found.edges[:-1][found.counts > 0] + 0.5, values)


@pytest.mark.parametrize("dtype", ["f4", "f8", "u4", "i4"])
def test_wide_values_are_counted_in_the_range_of_the_whole_array(dtype):
    """A running range would put early values into bins that move later."""
    data = (np.linspace(-1, 1, 4000) * 1e6 + 1e6).astype(dtype).reshape(40, 10, 10)
    found = histogram(read_of(data), grid_of(data, 4), bins=16)
    counts, edges = np.histogram(data.astype("f8"), 16)
    np.testing.assert_array_equal(found.counts, counts)
    np.testing.assert_allclose(found.edges, edges)


def test_values_beyond_two_to_the_53_stay_apart():
    data = np.array([2**63, 2**63 + 1, 2**63 + 2, 2**63 + 3], np.uint64)
    found = histogram(read_of(data), grid_of(data, 2), bins=4)
    np.testing.assert_array_equal(found.counts, [1, 1, 1, 1])


def test_a_histogram_leaves_nan_and_infinity_out():
    data = np.array([np.nan, 0, 1, np.inf, -np.inf, 2], np.float32)
    found = histogram(read_of(data), grid_of(data), bins=2)
    np.testing.assert_array_equal(found.counts, [1, 2])


def test_a_quantile_is_the_value_below_which_the_share_lies():
    data = np.arange(100, dtype=np.uint8)
    found = histogram(read_of(data), grid_of(data))
    assert [found.quantile(q) for q in (0, 0.5, 1)] == [0, 49, 99]


@settings(max_examples=30, deadline=None)
@given(arrays, st.integers(0, 2))
def test_partial_results_merge_into_the_whole_in_any_grouping(data, cut):
    cut = min(cut, len(data))
    head, tail = data[:cut], data[cut:]
    merged = Extrema.of(head).merge(Extrema.of(tail))
    whole = Extrema.of(data)
    assert (merged.low, merged.high) == (whole.low, whole.high)
    if data.dtype.itemsize < 3:
        parts = count_values(head).merge(count_values(tail))
        np.testing.assert_array_equal(parts.counts, count_values(data).counts)


@settings(max_examples=60, deadline=None)
@given(arrays, st.sampled_from(["max", "sum"]), st.data())
def test_a_projection_is_numpys(data, kind, draw):
    axis = draw.draw(st.integers(0, data.ndim - 1))
    found = project(read_of(data), grid_of(data), axis, kind=kind, workers=2)
    if kind == "max":
        np.testing.assert_array_equal(found, np.fmax.reduce(data, axis=axis))
    elif data.dtype.kind == "f":
        expected = np.nansum(data.astype("f8"), axis=axis)
        scale = np.nansum(np.abs(data.astype("f8")), axis=axis).max(initial=0)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * scale)
    else:
        np.testing.assert_array_equal(found, data.sum(axis=axis))


def test_projections_of_two_machines_merge():
    data = -np.random.default_rng(1).random((8, 6, 5)).astype(np.float32)
    grid = grid_of(data)
    halves = [Projection(data.shape, 1), Projection(data.shape, 1)]
    for i, block in enumerate(grid):
        half = halves[i % 2]
        half.add(block, half.reduce(data[block.slices]))
    halves[0].merge(halves[1])
    np.testing.assert_array_equal(halves[0].values, data.max(axis=1))


def test_blocks_are_read_within_a_window():
    """However many blocks there are, workers + 1 are held at most."""
    held, most = [], []

    def read(region):
        held.append(region)
        most.append(len(held))
        return np.zeros(1, np.uint8)

    for _ in map_blocks(read, BlockGrid((50,), (1,)), lambda d: d.size, workers=2):
        held.pop()
    assert max(most) <= 4
