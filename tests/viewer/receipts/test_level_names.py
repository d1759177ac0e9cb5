"""Levels are told by how much coarser they are than the data."""

import numpy as np
import pytest

from brickfield.store import open_store
from brickfield.viewer.receipts.level_names import UNNAMED, LevelNames, share


def pyramid_of(*shapes):
    return open_store([np.zeros(shape, np.uint8) for shape in shapes]).pyramid


@pytest.mark.parametrize(
    ("factor", "text"),
    [(1.0, "full"), (1.2, "full"), (2.0, "1/2"), (2.5, "1/2.5"), (64.0, "1/64")],
)
def test_a_share_has_no_more_digits_than_mean_something(factor, text):
    assert share(factor) == text


def test_a_level_is_as_coarse_as_along_its_coarsest_axis():
    names = LevelNames.of([pyramid_of((8, 64, 64), (8, 16, 16))])
    assert names.resolution(0) == "full resolution"
    assert names.numbered(1) == "1/4 resolution (level 1)"


def test_of_several_layers_the_coarsest_counts():
    deep = pyramid_of((64, 64, 64), (32, 32, 32), (16, 16, 16))
    names = LevelNames.of([deep, pyramid_of((64, 64, 64), (16, 16, 16))])
    assert names.factors == (1.0, 4.0, 4.0)


def test_a_level_that_is_not_known_keeps_its_number():
    assert UNNAMED.resolution(3) == UNNAMED.numbered(3) == "level 3"
    assert LevelNames.of([]) == UNNAMED


def test_a_selection_is_told_by_the_names_of_its_axes():
    names = LevelNames((1.0,), ("t", "c", "angle"))
    assert names.selection((5, 1, 0)) == "time 5, channel 1, angle 0"
    assert names.selection((5,)) == "index 5"
    assert names.selection(()) == ""
