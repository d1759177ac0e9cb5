"""Joining voxels, against exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from brickfield.errors import OptionError
from brickfield.writing.downsample import downsample

INTEGERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"]
factors = st.tuples(*[st.integers(1, 4)] * 3)
shapes = hnp.array_shapes(min_dims=3, max_dims=3, max_side=7)


def joined(data, by, function):
    """Apply a function to the voxels of every block, those that exist."""
    out = np.empty(
        [-(-n // f) for n, f in zip(data.shape, by, strict=True)], data.dtype
    )
    for i in np.ndindex(out.shape):
        block = tuple(slice(k * f, (k + 1) * f) for k, f in zip(i, by, strict=True))
        out[i] = function(data[block].ravel())
    return out


def exact_mean(values):
    # round() of a Fraction goes to the nearest, halves to even.
    return round(Fraction(sum(int(v) for v in values), len(values)))


def mode(values):
    found, counts = np.unique(values, return_counts=True)
    return found[counts.argmax()]


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(INTEGERS).flatmap(lambda d: hnp.arrays(d, shapes)), factors)
def test_the_mean_of_integers_is_exact_and_halves_go_to_even(data, by):
    np.testing.assert_array_equal(
        downsample(data, by, "mean"), joined(data, by, exact_mean)
    )


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["?", *INTEGERS]).flatmap(
        lambda d: hnp.arrays(d, shapes, elements=st.integers(0, 3 if d != "?" else 1))
    ),
    factors,
)
def test_the_mode_is_the_most_frequent_and_the_smallest_of_equals(data, by):
    np.testing.assert_array_equal(downsample(data, by, "mode"), joined(data, by, mode))


def test_labels_of_64_bits_are_kept_exactly():
    data = np.full((4, 4, 4), 2**64 - 1, np.uint64)
    data[:2, :2, :2] = 2**63 + 1
    found = downsample(data, (2, 2, 2), "mode")
    assert found[0, 0, 0] == 2**63 + 1
    assert found[1, 1, 1] == 2**64 - 1


@settings(max_examples=80, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from(["f2", "f4", "f8"]),
        shapes,
        elements=st.just(np.nan) | st.floats(-1024, 1024, width=16),
    ),
    factors,
)
def test_the_mean_of_floats_leaves_nan_out(data, by):
    def nan_mean(values):
        values = values[~np.isnan(values)].astype(np.float64)
        return values.mean() if values.size else np.nan

    np.testing.assert_allclose(
        downsample(data, by, "mean"), joined(data, by, nan_mean), rtol=2e-3, atol=1e-3
    )


def test_only_nan_stays_nan_and_nothing_warns():
    assert np.isnan(downsample(np.full((2, 2), np.nan), (2, 2), "mean")).all()


def test_float32_is_summed_in_float64():
    data = np.array([2.0**24, 1.0, 1.0, 1.0], np.float32)
    assert downsample(data, (4,), "mean")[0] == np.float32((2.0**24 + 3) / 4)


@pytest.mark.parametrize("method", ["mean", "mode"])
def test_aligned_parts_make_the_whole(method):
    data = np.random.default_rng(0).integers(0, 9, (13, 10, 11), np.uint8)
    whole = downsample(data, (2, 3, 2), method)
    cuts = [0, 4, 8, 13]
    parts = [downsample(data[a:b], (2, 3, 2), method) for a, b in pairwise(cuts)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_a_constant_stays_itself_at_the_cut_edge():
    data = np.full((5, 7), 3, np.uint8)
    assert (downsample(data, (2, 2), "mean") == 3).all()


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["?", *INTEGERS[:4]]).flatmap(lambda d: hnp.arrays(d, shapes)),
    st.tuples(*[st.sampled_from([1, 2])] * 3),
)
def test_the_floor_of_the_mean_is_rounded_down_and_drops_what_has_no_partner(data, by):
    whole = tuple(slice(0, n // f * f) for n, f in zip(data.shape, by, strict=True))
    expected = joined(data[whole], by, lambda v: sum(int(i) for i in v) // len(v))
    found = downsample(data, by, "floor")
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == data.dtype


@pytest.mark.parametrize("dtype", ["u4", "i4"])
def test_the_floor_of_the_mean_of_32_bit_values_is_exact(dtype):
    """float32 has no 2**24 + 1, and its sums of large values have a gap of 512."""
    top = np.iinfo(dtype).max
    data = np.array([[2**24, 2**24 + 2], [top, top], [top, top - 2]], dtype)
    found = downsample(data, (1, 2), "floor")
    np.testing.assert_array_equal(found[:, 0], [2**24 + 1, top, top - 1])


@pytest.mark.parametrize("dtype", ["u8", "i8"])
def test_64_bit_values_are_summed_in_float32_and_never_wrap(dtype):
    largest = np.full(2, np.iinfo(dtype).max, dtype)
    assert downsample(largest, (2,), "floor")[0] > np.iinfo(dtype).max // 2


def test_the_floor_of_floats_is_their_mean_in_float32_and_nan_is_kept():
    data = np.array([[1.5, 2.0], [np.nan, 1.0]], np.float32)
    np.testing.assert_array_equal(downsample(data, (1, 2), "floor"), [[1.75], [np.nan]])


def test_the_floor_of_the_mean_knows_factors_of_1_and_2_alone():
    with pytest.raises(OptionError, match="1 or 2"):
        downsample(np.zeros(9, np.uint8), (3,), "floor")
