"""What is fetched ahead: only where a move has gone."""

import numpy as np
import pytest

from brickfield.model import ChunkId
from brickfield.plugin.slicing.progressive_slice import move_between, names_ahead
from brickfield.store import ChunkedImageStore, LazyLevel
from brickfield.testing import MemorySource

ARRAY = np.zeros((4, 2, 48, 32, 32), "u1")


@pytest.fixture
def level():
    source = MemorySource(
        [ARRAY, ARRAY[..., ::2, ::2, ::2]],
        (1, 1, 16, 16, 16),
        axes="tczyx",
        chunk=(16, 16, 16),
    )
    with ChunkedImageStore(source) as store:
        yield LazyLevel(store, 0)


def ahead_of(before, now):
    move = move_between(before, now)
    names = [] if move is None else names_ahead(now.mosaic().names, move, now)
    return {(s, ChunkId.from_key(key).index) for s, key in names}


@pytest.mark.parametrize(
    ("z", "then", "next_chunk"), [(3, 4, 1), (20, 18, 0), (20, 35, None), (3, 1, None)]
)
def test_through_planes_the_next_chunks_are_fetched(level, z, then, next_chunk):
    found = ahead_of(level[1, z], level[1, then])
    ends = [(next_chunk, y, x) for y in (0, 1) for x in (0, 1)]
    assert found == ({((1, 0), e) for e in ends} if next_chunk is not None else set())


def test_through_time_the_next_time_point_is_fetched(level):
    found = ahead_of(level[1, 3, :16, :16], level[2, 3, :16, :16])
    assert found == {((3, 0), (0, 0, 0))}
    assert ahead_of(level[2, 3], level[3, 3]) == set()


def test_a_slice_one_plane_thick_is_a_plane(level):
    assert ahead_of(level[1:2, 3:4], level[1:2, 4:5])


def test_other_changes_are_no_moves(level):
    view = level[1, 3]
    others = [
        level[1, 3],
        level[2, 4],
        level[1, 3, :16],
        level[1, 3:6],
        LazyLevel(level.store, 1)[1, 3],
    ]
    assert [move_between(view, other) for other in others] == [None] * 5
