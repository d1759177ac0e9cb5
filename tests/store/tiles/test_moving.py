"""While tiles are moved the region round them is no finer than a level of few chunks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model import AffineTransform
from brickfield.store import open_mosaic
from brickfield.store.tiles.moving import MOST_CHUNKS, StaysCoarse

RNG = np.random.default_rng(0)
SHAPE = (70, 300, 300)
INDICES = np.stack(np.indices((2, 8, 12)), -1).reshape(-1, 3)


@pytest.fixture(scope="module")
def mosaic():
    """Two tiles beside one another along x, of several levels."""
    arrays = [RNG.integers(0, 250, SHAPE).astype("u1") for _ in range(2)]
    matrices = [np.eye(4), np.eye(4)]
    matrices[1][2, 3] = 280
    with open_mosaic(arrays, matrices, margin=0.5) as opened:
        yield opened


def boxes_of(pyramid, level, indices):
    """Edges of chunks in the world, worked out one by one."""
    about = pyramid.levels[level]
    size, origin = about.voxel_size_zyx, about.translation_zyx
    for index in indices.tolist():
        low = [
            (i * c - 0.5) * s + o
            for i, c, s, o in zip(index, about.chunk_shape, size, origin, strict=True)
        ]
        high = [a + c * s for a, c, s in zip(low, about.chunk_shape, size, strict=True)]
        yield np.array(low), np.array(high)


@given(
    low=st.tuples(*[st.floats(-50, 400)] * 3),
    size=st.tuples(*[st.floats(0.5, 500)] * 3),
)
def test_chunks_that_meet_the_box_stay_as_coarse_as_the_chosen_level(mosaic, low, size):
    box = np.array([low, np.add(low, size)])
    coarse = StaysCoarse(mosaic.pyramid, box)
    for level in range(mosaic.pyramid.n_levels):
        found = coarse(level, INDICES)
        for (a, b), is_held in zip(
            boxes_of(mosaic.pyramid, level, INDICES), found, strict=True
        ):
            meets = bool((a < box[1]).all() and (b > box[0]).all())
            assert is_held == (meets and level <= coarse.level)


@given(size=st.floats(1, 600))
def test_the_level_is_the_finest_with_few_chunks_in_the_box(mosaic, size):
    box = np.array([[0.0] * 3, [size] * 3])
    level = StaysCoarse(mosaic.pyramid, box).level
    pyramid = mosaic.pyramid

    def count(n):
        about = pyramid.levels[n]
        edge = np.multiply(about.voxel_size_zyx, about.chunk_shape)
        low = np.array(about.translation_zyx) - 0.5 * np.array(about.voxel_size_zyx)
        ends = (box - low) / edge
        return np.prod(np.ceil(ends[1]) - np.floor(ends[0]))

    assert count(level) <= MOST_CHUNKS or level == pyramid.n_levels - 1
    assert level == 0 or count(level - 1) > MOST_CHUNKS


def test_the_region_grows_with_the_way_and_is_gone_at_the_end(mosaic):
    name = mosaic.places[0].name
    mosaic.begin_move(name)
    try:
        first = mosaic.stays_coarse
        np.testing.assert_allclose(first.box, mosaic.place_of(name).box())
        there = AffineTransform.from_scale((1, 1, 1), (0, 20, 30))
        mosaic.put({name: there})
        grown = mosaic.stays_coarse
        assert grown is not first
        np.testing.assert_allclose(grown.box[0], first.box[0])
        np.testing.assert_allclose(grown.box[1], first.box[1] + (0, 20, 30))
    finally:
        mosaic.end_move()
        mosaic.reset()
    assert mosaic.stays_coarse is None


def test_another_look_of_the_tiles_stays_coarse_and_gets_fine_with_them(mosaic):
    with mosaic.seen_as(colour_by="tile") as other:
        mosaic.begin_move(mosaic.places[0].name)
        assert other.stays_coarse is not None
        mosaic.end_move()
        assert other.stays_coarse is None
