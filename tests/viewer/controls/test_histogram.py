"""Values are counted exactly, whatever their type, and drawn without a comb."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickfield.errors import OptionError
from brickfield.viewer.controls.histogram import (
    MOST_SINGLE,
    Bins,
    auto_contrast,
    columns,
    heights,
    histogram_of,
    percentiles,
)

kinds = st.sampled_from(
    [
        np.uint8,
        np.int8,
        np.uint16,
        np.int32,
        np.uint64,
        np.int64,
        np.float32,
        np.float64,
    ]
)
arrays = hnp.arrays(kinds, st.integers(0, 40))


@given(arrays, st.integers(1, 300))
def test_every_finite_value_is_counted_once_within_its_range(values, bins):
    histogram = histogram_of(values, bins=bins)
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    assert histogram.n_values == finite.size
    assert histogram.n_nan + histogram.n_infinite == values.size - finite.size
    assert np.isfinite(histogram.edges).all()
    assert (np.diff(histogram.edges) >= 0).all()
    if finite.size:
        assert (histogram.low, histogram.high) == (float(finite.min()), finite.max())


def test_few_whole_numbers_have_a_bin_each():
    histogram = histogram_of(np.array([3, 3, 5, 7], np.uint16))
    np.testing.assert_array_equal(histogram.edges, [2.5, 3.5, 4.5, 5.5, 6.5, 7.5])
    np.testing.assert_array_equal(histogram.counts, [2, 0, 1, 0, 1])
    assert histogram.is_whole


def test_many_whole_numbers_share_bins_without_a_comb():
    # each value once: every full bin must be equally tall
    histogram = histogram_of(np.arange(10_000, dtype=np.uint16), bins=256)
    width = -(-10_000 // 256)
    assert set(histogram.counts[:-1].tolist()) == {width}
    assert histogram.counts.sum() == 10_000
    assert len(histogram.counts) <= 256


def test_whole_numbers_have_a_bin_each_up_to_a_limit():
    assert Bins.over(0, MOST_SINGLE - 1).width == 1
    assert Bins.over(0, MOST_SINGLE).width == 5


@pytest.mark.parametrize("dtype", [np.uint64, np.int64])
def test_the_ends_of_64_bits_are_told_apart(dtype):
    info = np.iinfo(dtype)
    near = np.array([info.max - 2, info.max - 2, info.max], dtype)
    np.testing.assert_array_equal(histogram_of(near).counts, [2, 0, 1])
    whole = histogram_of(np.array([info.min, info.max], dtype), bins=4)
    assert whole.counts[0] == 1
    assert whole.counts[-1] == 1


@pytest.mark.parametrize(
    "values",
    [
        [1e308, -1e308, 0.0],
        [5e-324, 0.0],
        [1e300, 1.0000001e300],
        [0.1, 0.1],
        [1e300, 1e300],
    ],
)
def test_the_ends_of_floats_do_not_overflow(values):
    histogram = histogram_of(np.array(values))
    assert histogram.n_values == len(values)
    assert histogram.edges[0] <= min(values)
    assert histogram.edges[-1] >= max(values) * (1 - 1e-12)


def test_nan_and_infinity_are_counted_apart():
    histogram = histogram_of(np.array([np.nan, 1, 2, np.inf, -np.inf, np.nan]), bins=2)
    assert (histogram.n_nan, histogram.n_infinite) == (2, 2)
    np.testing.assert_allclose(histogram.edges, [1, 1.5, 2])
    np.testing.assert_array_equal(histogram.counts, [1, 1])


def test_odd_types_and_orders_are_counted_too():
    assert histogram_of(np.array([True, False, True])).counts.tolist() == [1, 2]
    assert histogram_of(np.array([3 + 4j])).low == 5
    big = np.arange(12, dtype=">u2").reshape(3, 4)[:, ::2]
    assert histogram_of(big).n_values == 6
    assert histogram_of(np.empty(0, np.uint8)).n_values == 0


def test_no_bins_are_refused():
    with pytest.raises(OptionError, match="one bin or more"):
        histogram_of(np.arange(2.0), bins=0)


@given(hnp.arrays(st.sampled_from([np.uint8, np.int16]), st.integers(1, 60)))
def test_percentiles_of_few_whole_numbers_are_values(values):
    if int(values.max()) - int(values.min()) >= MOST_SINGLE:
        return
    histogram = histogram_of(values)
    expected = np.percentile(values, (10, 90), method="lower")
    assert percentiles(histogram, 10, 90) == tuple(expected)


def test_percentiles_within_wide_bins_are_counted_along():
    values = np.linspace(0, 1, 100_001)
    np.testing.assert_allclose(
        percentiles(histogram_of(values, bins=7), 25, 99.9), (0.25, 0.999), atol=1e-4
    )
    assert np.isnan(percentiles(histogram_of(np.empty(0)), 1, 99)).all()


@given(arrays)
def test_contrast_has_low_below_high(values):
    for of in (values, histogram_of(values)):
        low, high = auto_contrast(of)
        assert low < high or low == high == 2.0**64
        assert np.isfinite([float(low), float(high)]).all()


def test_contrast_of_counts_is_that_of_the_values():
    values = np.random.default_rng(0).normal(1000, 50, 100_000).astype(np.uint16)
    exact = auto_contrast(values)
    np.testing.assert_allclose(auto_contrast(histogram_of(values)), exact, atol=2)
    np.testing.assert_allclose(
        auto_contrast(values, (10, 90)), np.percentile(values, (10, 90)), atol=1
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.full(9, 5, np.uint8), (0, 5)),
        (np.zeros(9, np.uint8), (0, 1)),
        (np.full(9, -0.5), (-0.5, 0)),
        (np.r_[np.zeros(9999, np.uint8), [8]].astype(np.uint8), (0, 8)),
    ],
)
def test_one_value_or_nearly_gets_a_window(values, expected):
    assert auto_contrast(histogram_of(values)) == expected


def test_columns_share_out_what_they_cut():
    histogram = histogram_of(np.array([0, 0, 1, 3], np.uint8))
    np.testing.assert_allclose(columns(histogram, -0.5, 3.5, 4), [2, 1, 0, 1])
    np.testing.assert_allclose(columns(histogram, -0.5, 3.5, 8)[:2], [1, 1])
    np.testing.assert_allclose(columns(histogram, -0.5, 3.5, 2), [3, 1])
    # beyond the values there is nothing
    np.testing.assert_allclose(columns(histogram, 3.5, 9, 3), [0, 0, 0])


def test_a_single_voxel_can_be_seen_beside_a_million():
    drawn = heights(np.array([0, 1, 1_000_000]))
    assert drawn[0] == 0
    assert drawn[1] > 0.04
    assert drawn[2] == 1
    np.testing.assert_allclose(
        heights(np.array([0, 5, 10]), is_logarithmic=False), [0, 0.5, 1]
    )
    assert (heights(np.zeros(3)) == 0).all()
