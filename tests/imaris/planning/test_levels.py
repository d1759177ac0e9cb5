"""Levels and chunks follow the rules of the reference writer."""

from itertools import pairwise
from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.imaris.planning.levels import chunk_shapes, halved, level_shapes, padded

SHAPES = st.tuples(*[st.integers(1, 5000)] * 3)


@pytest.mark.parametrize(
    ("shape", "itemsize", "chunks"),
    [
        # As files of the reference writer have them.
        ((100, 1000, 1000), 1, (16, 256, 256)),
        ((100, 1000, 1000), 2, (8, 256, 256)),
        ((60, 520, 520), 2, (32, 128, 128)),
    ],
)
def test_the_first_chunk_is_the_references(shape, itemsize, chunks):
    assert chunk_shapes([shape], itemsize) == [chunks]


def test_thin_axes_are_not_halved():
    assert halved((3, 1000, 1000)) == (1, 2, 2)
    assert halved((1, 1, 9)) == (1, 1, 2)


@given(shape=SHAPES, itemsize=st.sampled_from([1, 2, 4]))
def test_levels_end_when_one_fits_in_a_block_or_nothing_can_be_halved(shape, itemsize):
    shapes = level_shapes(shape, itemsize)
    assert shapes[0] == shape
    for large, small in pairwise(shapes):
        assert prod(large) * itemsize > 1 << 20
        factors = halved(large)
        assert small == tuple(n // f for n, f in zip(large, factors, strict=True))


@settings(max_examples=20, deadline=None)
@given(shape=SHAPES, itemsize=st.sampled_from([1, 2, 4]), n_times=st.integers(1, 300))
def test_chunks_are_small_powers_of_two_of_square_planes(shape, itemsize, n_times):
    shapes = level_shapes(shape, itemsize)
    for level, chunk in zip(
        shapes, chunk_shapes(shapes, itemsize, n_times), strict=True
    ):
        assert prod(chunk) * itemsize <= 1 << 20
        assert all(c & (c - 1) == 0 for c in chunk)
        assert all(p % c == 0 for p, c in zip(padded(level, chunk), chunk, strict=True))
        if level[0] > 1:
            assert chunk[1] == chunk[2]


def test_fewer_than_one_level_is_refused():
    with pytest.raises(OptionError, match="at least 1"):
        level_shapes((2, 2, 2), 1, 0)
