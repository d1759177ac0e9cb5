"""A store that its lazy levels keep until they are told that nobody needs it."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from brickfield.errors import StoreFormatError
from brickfield.store.hold import StoreHold
from brickfield.store.lazy_level import LazyLevel
from brickfield.store.open import open_store

ARRAY = np.arange(4 * 5 * 6, dtype=np.uint16).reshape(4, 5, 6)


class Opener:
    """Opens an array and counts how often."""

    def __init__(self, array=ARRAY):
        self.array, self.n = array, 0

    def __call__(self):
        self.n += 1
        return open_store([self.array])


def test_a_store_that_was_let_go_of_ends_and_is_opened_again_when_asked_for():
    opener = Opener()
    hold = StoreHold(opener(), opener)
    level = LazyLevel(hold, 0)
    hold.release()
    gc.collect()
    assert not hold.is_held
    assert opener.n == 1
    assert np.array_equal(level[1].read(), ARRAY[1])
    assert opener.n == 2
    level.store.close()


def test_a_store_that_a_script_has_is_found_again():
    opener = Opener()
    store = opener()
    hold = StoreHold(store, opener)
    hold.release()
    assert hold.store is store
    store.close()


def test_what_is_known_of_an_image_opens_nothing():
    opener = Opener()
    level = LazyLevel(StoreHold(opener(), opener), 0)
    level.hold.release()
    gc.collect()
    assert (level.shape, level.chunks, level.axis_names, level.is_whole) == (
        (4, 5, 6),
        (4, 5, 6),
        ("z", "y", "x"),
        True,
    )
    assert "(4, 5, 6)" in repr(level)
    assert opener.n == 1


def test_another_image_in_its_place_is_refused():
    opener = Opener()
    hold = StoreHold(opener(), opener)
    hold.release()
    gc.collect()
    opener.array = ARRAY[:2]
    with pytest.raises(StoreFormatError, match="open it again"):
        _ = hold.store


def test_a_store_that_cannot_be_opened_again_is_kept():
    store = open_store([ARRAY])
    hold = StoreHold(store)
    hold.release()
    assert hold.is_held
    store.close()
