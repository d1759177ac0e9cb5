"""Cells partition the box round all levels on every level."""

from __future__ import annotations

from dataclasses import replace
from threading import Thread

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.planning.grid import Scratch, cell_grid


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_cells_of_every_level_partition_the_box_round_all_levels(make_pyramid, data):
    shapes = data.draw(st.lists(st.tuples(*[st.integers(1, 30)] * 3), max_size=2))
    shapes = [(23, 17, 40), *shapes]
    factors = [(1.0, 1.0, 1.0), (3.0, 1.5, 2.0), (5.0, 7.0, 2.0)][: len(shapes)]
    chunks = data.draw(
        st.lists(st.tuples(*[st.integers(1, 9)] * 3), min_size=3, max_size=3)
    )
    shift = data.draw(st.tuples(*[st.floats(-5, 5)] * 3))
    offsets = [(0, 0, 0), shift, shift][: len(shapes)]
    grid = cell_grid(make_pyramid(shapes, factors, chunks[: len(shapes)], offsets))
    own = [
        [(o - 0.5 * f, o + f * (n - 0.5)) for n, f, o in zip(*of, strict=True)]
        for of in zip(shapes, factors, offsets, strict=True)
    ]
    low = np.array(own)[..., 0].min(axis=0)
    high = np.array(own)[..., 1].max(axis=0)
    for level in range(len(shapes)):
        lower, upper = grid.edges(level, grid.all_cells(level))
        assert (upper > lower).all()
        volume = (upper - lower).prod(axis=0).sum()
        assert volume == pytest.approx((high - low).prod())
        assert lower.min(axis=1) == pytest.approx(low)
        assert upper.max(axis=1) == pytest.approx(high)


def test_the_children_of_a_nested_cell_are_its_eight_parts(make_halving):
    grid = cell_grid(make_halving(512, 3))
    assert grid.is_nested == (True, True, True)
    first, stop = grid.children(1, np.array([[1], [2], [3]]))
    assert first.T.tolist() == [[2, 4, 6]]
    assert stop.T.tolist() == [[4, 6, 8]]
    assert grid.fanouts[1] == 8


def test_children_of_a_shifted_level_overlap_their_parent(make_pyramid):
    # Without the half-voxel shift that halving causes: many files lack it.
    grid = cell_grid(
        make_pyramid(
            [(512,) * 3, (256,) * 3], [(1.0,) * 3, (2.0,) * 3], [(64,) * 3] * 2
        )
    )
    assert grid.is_nested == (True, False)
    first, stop = grid.children(1, np.array([[1], [1], [1]]))
    # Chunk 1 spans 127 to 255 on level 0, whose edges are 63.5, 127.5, 191.5 …
    assert first.T.tolist() == [[1, 1, 1]]
    assert stop.T.tolist() == [[4, 4, 4]]


def test_a_rounding_error_in_the_voxel_size_does_not_add_children(make_pyramid):
    grid = cell_grid(
        make_pyramid(
            [(512,) * 3, (256,) * 3],
            [(1.0,) * 3, (2.0 + 1e-12,) * 3],
            [(64,) * 3] * 2,
            [(0.0,) * 3, (0.5,) * 3],
        )
    )
    assert grid.is_nested == (True, True)
    first, stop = grid.children(1, np.array([[3], [3], [3]]))
    assert (stop - first).T.tolist() == [[2, 2, 2]]


def test_more_chunks_than_a_key_can_name_are_refused(make_pyramid):
    with pytest.raises(OptionError, match="larger chunks"):
        cell_grid(make_pyramid([(1, 1, 600_000)], [(1.0,) * 3], [(1, 1, 1)]))


def test_more_levels_than_a_key_can_name_are_refused(make_halving):
    with pytest.raises(OptionError, match="16 levels; found 17"):
        cell_grid(make_halving(64, 17))


@given(
    edges=st.tuples(*[st.integers(1, 700)] * 3),
    n_levels=st.integers(2, 5),
    data=st.data(),
)
def test_children_found_by_one_factor_are_those_of_the_general_way(
    make_pyramid, edges, n_levels, data
):
    shapes = [tuple(-(-n >> level) for n in edges) for level in range(n_levels)]
    shapes = [tuple(max(1, n) for n in shape) for shape in shapes]
    factors = [(2.0**level,) * 3 for level in range(n_levels)]
    offsets = [((f - 1) / 2,) * 3 for f, *_ in factors]
    pyramid = make_pyramid(shapes, factors, [(16,) * 3] * n_levels, offsets)
    grid, general = cell_grid(pyramid), replace(cell_grid(pyramid))
    general.__dict__["factor"] = 0
    levels = np.array(data.draw(st.lists(st.integers(1, n_levels - 1), min_size=1)))
    indices = np.stack(
        [
            [data.draw(st.integers(0, int(grid.shapes[lv, axis]) - 1)) for lv in levels]
            for axis in range(3)
        ]
    )
    for own, other in zip(
        grid.children(levels, indices), general.children(levels, indices), strict=True
    ):
        np.testing.assert_array_equal(own, other)
    if grid.factor:
        first, stop = grid.children(levels, indices)
        assert (grid.most_children >= (stop - first).T).all()


def test_halving_has_one_factor_and_other_steps_have_none(make_halving, make_pyramid):
    assert cell_grid(make_halving(1000, 4)).factor == 2
    flat = make_pyramid(
        [(8, 64, 64), (8, 32, 32)],
        [(1, 1, 1), (1, 2, 2)],
        [(4, 16, 16)] * 2,
        [(0, 0, 0), (0, 0.5, 0.5)],
    )
    assert cell_grid(flat).factor == 0


def test_scratch_memory_is_kept_for_each_purpose_and_thread():
    scratch = Scratch()
    first = scratch.array("a", (3, 100))
    assert first.shape == (3, 100)
    assert np.shares_memory(first, scratch.array("a", (7, 5)))
    assert not np.shares_memory(first, scratch.array("b", (3, 100)))
    others = []
    thread = Thread(target=lambda: others.append(scratch.array("a", (3, 100))))
    thread.start()
    thread.join()
    assert not np.shares_memory(first, others[0])


def test_large_scratch_arrays_are_not_kept():
    scratch = Scratch()
    assert not np.shares_memory(
        scratch.array("a", (1 << 19,)), scratch.array("a", (1 << 19,))
    )
