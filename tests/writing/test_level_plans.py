"""Levels are halved until one chunk holds them, towards voxels that are cubes."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brickfield.errors import BudgetError, OptionError
from brickfield.writing.level_plans import (
    LevelPlan,
    coarser_levels,
    level_names,
    make_level,
    next_factors,
    plan_blocks,
    written_order,
)
from brickfield.writing.options import LevelOptions

ZYX = (0, 1, 2)
NAMES = [str(i) for i in range(1, 65)]


def level(shape, size, options, spatial=ZYX, shift=None):
    shift = shift or (0.0,) * len(shape)
    return make_level("0", shape, (size, shift), spatial, options)


@settings(deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 400)] * 3),
    size=st.tuples(*[st.floats(0.1, 10)] * 3),
    shift=st.tuples(*[st.floats(-50, 50)] * 3),
    factors=st.sampled_from([None, (2, 2, 2), (3, 2, 2), (1, 2, 4)]),
)
def test_a_joined_voxel_lies_at_the_mean_of_its_voxels(shape, size, shift, factors):
    options = LevelOptions(fixed_factors=factors)
    first = level(shape, size, options, shift=shift)
    for last in [first, *coarser_levels(first, ZYX, NAMES, options)]:
        following = next_factors(last, ZYX, options)
        for axis in range(3):
            f = following[axis]
            if last.shape[axis] < 2 * f:
                continue
            centres = last.translation[axis] + last.voxel_size[axis] * np.arange(2 * f)
            wanted = centres.reshape(2, f).mean(axis=1)
            found = last.translation[axis] + last.voxel_size[axis] * (f - 1) / 2
            assert found == pytest.approx(wanted[0], abs=1e-9)
    for before, after in zip(
        [first, *coarser_levels(first, ZYX, NAMES, options)],
        coarser_levels(first, ZYX, NAMES, options),
        strict=False,
    ):
        for axis in range(3):
            n = min(after.factors[axis], 10**9)
            centres = before.translation[axis] + before.voxel_size[axis] * np.arange(n)
            assert after.translation[axis] == pytest.approx(centres.mean(), abs=1e-9)
            assert after.voxel_size[axis] == before.voxel_size[axis] * n
            assert after.shape[axis] == -(-before.shape[axis] // n)


def test_thick_slices_are_not_halved_before_voxels_are_near_cubes():
    options = LevelOptions()
    first = level((300, 2000, 2000), (4.0, 1.0, 1.0), options)
    levels = coarser_levels(first, ZYX, NAMES, options)
    assert [lv.factors for lv in levels[:3]] == [(1, 2, 2), (1, 2, 2), (2, 2, 2)]


def test_time_channels_and_axes_of_one_voxel_are_never_halved():
    options = LevelOptions()
    spatial = (2, 3, 4)
    first = level((500, 4, 1, 700, 700), (1.0,) * 5, options, spatial)
    levels = coarser_levels(first, spatial, NAMES, options)
    assert all(lv.factors == (1, 1, 1, 2, 2) for lv in levels)
    assert levels[-1].shape == (500, 4, 1, 44, 44)


def test_a_thin_axis_of_tiny_voxels_does_not_hold_the_others_back():
    options = LevelOptions()
    first = level((40, 1000, 1000), (0.01, 1.0, 1.0), options)
    levels = coarser_levels(first, ZYX, NAMES, options)
    assert levels[0].shape == (20, 500, 500)
    assert len(levels) == 4


@settings(deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 100_000)] * 3),
    size=st.tuples(*[st.floats(0.01, 100)] * 3),
    chunk=st.sampled_from([16, 64, 100, 256]),
)
def test_levels_go_on_until_the_coarsest_fits_in_one_chunk(shape, size, chunk):
    options = LevelOptions((chunk,) * 3)
    first = level(shape, size, options)
    levels = [first, *coarser_levels(first, ZYX, NAMES, options)]
    limit = min(max(chunk, 64), 128)
    assert max(levels[-1].shape) <= limit
    if len(levels) > 1:
        assert max(levels[-2].shape) > limit


def test_a_number_of_levels_is_kept():
    options = LevelOptions()
    first = level((500,) * 3, (1.0,) * 3, options)
    assert len(coarser_levels(first, ZYX, NAMES, options, 6)) == 6
    assert coarser_levels(first, ZYX, NAMES, options, 0) == []
    assert (
        len(
            coarser_levels(level((4,) * 3, (1.0,) * 3, options), ZYX, NAMES, options, 9)
        )
        == 2
    )


def test_shards_hold_whole_chunks_and_no_more_than_the_array():
    options = LevelOptions((32,) * 3, (128,) * 3)
    found = level((100, 300, 20), (1.0,) * 3, options)
    assert found.chunk_shape == (32, 32, 20)
    assert found.write_shape == (128, 128, 20)


@pytest.mark.parametrize(
    ("taken", "names"),
    [
        (["0", "1"], ["2", "3"]),
        (["s0"], ["s1", "s2"]),
        (["scale0/image"], ["level_1", "level_2"]),
        (["full", "0"], ["level_2", "level_3"]),
    ],
)
def test_new_levels_are_named_like_the_present_ones(taken, names):
    found = level_names(taken)
    assert len(set(found) | set(taken)) == len(found) + len(taken)
    assert found[:2] == names


@settings(deadline=None, max_examples=200)
@given(
    shape=st.tuples(*[st.integers(1, 5000)] * 3),
    chunk=st.tuples(*[st.sampled_from([1, 16, 50, 64, 75, 256, 2048])] * 3),
    factors=st.tuples(*[st.integers(1, 3)] * 3),
    room=st.integers(1 << 16, 1 << 30),
)
def test_blocks_are_aligned_and_fit_in_the_room(shape, chunk, factors, room):
    made = make_level("1", shape, ((1.0,) * 3, (0.0,) * 3), ZYX, LevelOptions())
    plan = LevelPlan(
        "1", shape, made.voxel_size, made.translation, factors, made.chunk_shape,
        made.write_shape,
    )  # fmt: skip
    try:
        blocks = plan_blocks(plan, chunk, 2, room)
    except BudgetError:
        # What one written chunk and what it is made of take does not fit.
        least = prod(plan.write_shape) * 2 * (2 + prod(factors)) + prod(chunk) * 2
        assert 8 * least > room
        return
    assert blocks.n_bytes <= room
    assert prod(blocks.block_shape) * 2 <= 8 * room  # grids may pass the far edge
    for block, unit, piece in zip(
        blocks.block_shape, plan.write_shape, blocks.piece_shape, strict=True
    ):
        assert block % unit == 0
        assert piece <= block


def test_planes_and_big_chunks_are_decoded_once():
    """A block spans the storage chunks that it touches, when the room allows."""
    plan = make_level(
        "0", (64, 2048, 2048), ((1.0,) * 3, (0.0,) * 3), ZYX, LevelOptions()
    )
    assert plan_blocks(plan, (1, 2048, 2048), 2, 2 << 30).block_shape == (
        64,
        2048,
        2048,
    )
    assert plan_blocks(plan, (64, 256, 256), 2, 1 << 30).block_shape == (64, 256, 256)
    assert plan_blocks(plan, (32, 32, 32), 2, 1 << 30).block_shape == (64, 64, 64)


def test_axes_are_written_in_the_order_of_the_standard():
    kinds = ["space", "channel", "time", "space", "space"]
    assert written_order(kinds, (0, 3, 4)) == (2, 1, 0, 3, 4)
    assert written_order(["space", "space", "space"], (2, 1, 0)) == (2, 1, 0)
    with pytest.raises(OptionError, match="5 axes"):
        written_order(["other"] * 4 + ["space"] * 2, (-1, 4, 5))
