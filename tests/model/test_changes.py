"""A change names exactly the chunks and storage chunks that it touches."""

from itertools import product

import pytest

from brickfield.model.changes import ChunkChange
from brickfield.model.chunks import ChunkId

CHANGE = ChunkChange(
    1, ((2, 4), (10, 40), (0, 32), (32, 64)), ((2, 4),), (0, 0, 1), (2, 1, 2)
)


@pytest.mark.parametrize(
    ("selection", "level", "index", "expected"),
    [
        ((2,), 1, (0, 0, 1), True),
        ((3,), 1, (1, 0, 1), True),
        ((4,), 1, (0, 0, 1), False),
        ((2,), 0, (0, 0, 1), False),
        ((2,), 1, (2, 0, 1), False),
        ((2,), 1, (0, 0, 0), False),
        ((), 1, (0, 0, 1), False),
    ],
)
def test_a_change_tells_which_chunks_lie_under_it(selection, level, index, expected):
    key = ChunkId(level, index, selection).key
    assert CHANGE.has(selection, key) is expected


def test_a_change_tells_which_storage_chunks_it_meets():
    assert CHANGE.meets((0, 1, 0, 1), (4, 16, 64, 32))
    assert not CHANGE.meets((1, 1, 0, 1), (4, 16, 64, 32))
    assert not CHANGE.meets((0, 1, 0, 2), (4, 16, 64, 32))


def test_the_keys_of_all_chunks_under_a_change_lie_between_its_ends():
    first, last = CHANGE.ends
    keys = [
        ChunkId(1, index).key for index in product(*map(range, CHANGE.low, CHANGE.high))
    ]
    assert (min(keys), max(keys)) == (first, last)
