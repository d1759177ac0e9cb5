"""Blocks tile an array exactly once, however large it is, and nothing is stored for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.blockwise.blocks import BlockGrid, intersect, shift
from brickfield.errors import OptionError

sizes = st.integers(1, 3).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 13), min_size=n, max_size=n),
        st.lists(st.integers(1, 6), min_size=n, max_size=n),
    )
)


@given(sizes)
def test_blocks_tile_the_array_exactly_once(size):
    shape, block = map(tuple, size)
    seen = np.zeros(shape, int)
    for b in BlockGrid(shape, block):
        seen[b.slices] += 1
        assert b.start == tuple(i * n for i, n in zip(b.index, block, strict=True))
        assert b.shape == seen[b.slices].shape
        assert b.n_voxels == seen[b.slices].size > 0
    assert (seen == 1).all()


@given(sizes)
def test_the_number_of_a_block_names_it(size):
    grid = BlockGrid(*map(tuple, size))
    assert [grid[i] for i in range(len(grid))] == list(grid)


def test_a_number_beyond_the_grid_is_an_index_error():
    with pytest.raises(IndexError):
        BlockGrid((4,), (2,))[2]


@given(sizes, st.data())
def test_overlapping_finds_the_blocks_that_share_voxels(size, data):
    shape, block = map(tuple, size)
    region = tuple(
        slice(*sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))))
        for n in shape
    )
    grid = BlockGrid(shape, block)
    mask = np.zeros(shape, bool)
    mask[region] = True
    expected = [b.index for b in grid if mask[b.slices].any()]
    assert [b.index for b in grid.overlapping(region)] == expected


@given(sizes, st.data())
def test_intersect_gives_the_common_voxels(size, data):
    shape, _ = size
    both = [
        tuple(
            slice(*sorted(data.draw(st.tuples(st.integers(0, n), st.integers(0, n)))))
            for n in shape
        )
        for _ in range(2)
    ]
    masks = np.zeros((3, *shape), bool)
    masks[0][both[0]] = masks[1][both[1]] = True
    masks[2][intersect(*both)] = True
    np.testing.assert_array_equal(masks[2], masks[0] & masks[1])


def test_shift_moves_a_region_to_its_own_origin():
    assert shift((slice(5, 9), slice(2, 3)), (5, 1)) == (slice(0, 4), slice(1, 2))


def test_a_grid_of_a_petabyte_costs_nothing():
    grid = BlockGrid((10**6,) * 3, (64,) * 3)
    assert len(grid) == 15625**3
    assert grid[len(grid) - 1].slices[0] == slice(999936, 1000000)


@pytest.mark.parametrize("block", [(0, 4), (4,)])
def test_a_block_that_does_not_fit_the_axes_is_refused(block):
    with pytest.raises(OptionError, match="2 axes"):
        BlockGrid((8, 8), block)
