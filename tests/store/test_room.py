"""A mosaic to be written ends with its tiles."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from brickfield.sources import from_arrays
from brickfield.store import ChunkedImageStore, LazyLevel, open_mosaic

TILES = np.random.default_rng(4).integers(1, 250, (2, 2, 20, 30, 40)).astype("u1")


@pytest.fixture
def mosaic():
    """Two tiles of two channels beside one another, with room round them."""
    with (
        ChunkedImageStore(from_arrays(TILES[0], axes="czyx", name="a")) as one,
        ChunkedImageStore(from_arrays(TILES[1], axes="czyx", name="b")) as two,
    ):
        beside = np.eye(4)
        beside[2, 3] = 40
        with open_mosaic([one, two], [np.eye(4), beside], margin=0.5) as store:
            yield store


def test_a_level_of_a_mosaic_ends_with_its_tiles_without_room(mosaic):
    level = LazyLevel(mosaic, 0, channel=1)
    room = level.without_room()
    assert room.first == (10, 15, 20)
    assert room.shape == (20, 30, 80)
    tight = level.on_store(room.store)
    assert_array_equal(tight, np.concatenate([TILES[0][1], TILES[1][1]], axis=2))
    assert_array_equal(tight, np.asarray(level)[10:30, 15:45, 20:100])


def test_a_part_of_a_mosaic_and_any_other_image_stay_as_they_are(mosaic):
    level = LazyLevel(mosaic, 0)
    assert level[2:].without_room() is None
    assert LazyLevel(mosaic, 1).without_room() is None
    with ChunkedImageStore(from_arrays(TILES[0][0])) as store:
        assert LazyLevel(store, 0).without_room() is None
