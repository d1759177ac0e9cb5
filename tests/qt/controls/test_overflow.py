"""A row of controls never asks for more room than there is."""

import pytest
from qtpy.QtWidgets import QWidget

from brickfield.qt.controls.overflow import OverflowRow


def block(width, parent=None):
    widget = QWidget(parent)
    widget.setFixedSize(width, 20)
    return widget


@pytest.fixture
def row(qtbot):
    row = OverflowRow(block(20))
    qtbot.addWidget(row)
    row.show()
    return row


def visible(widgets):
    return [not widget.isHidden() for widget in widgets]


def test_everything_is_shown_where_there_is_room(row):
    blocks = [block(30) for _ in range(3)]
    for rank, one in enumerate(blocks):
        row.add(one, rank=rank)
    row.resize(300, 20)
    assert visible(blocks) == [True, True, True]
    assert row.left_out == []


def test_the_highest_rank_goes_first_and_rank_0_never(row):
    blocks = [block(30) for _ in range(3)]
    for rank, one in zip((0, 2, 1), blocks, strict=True):
        row.add(one, rank=rank)
    # End 20 and three blocks of 30, a space of 1 each: 114.
    row.resize(100, 20)
    assert visible(blocks) == [True, False, True]
    assert row.left_out == [blocks[1]]
    row.resize(10, 20)
    assert visible(blocks) == [True, False, False]
    row.resize(300, 20)
    assert visible(blocks) == [True, True, True]


def test_a_stand_in_comes_before_anything_is_left_out(row):
    large, small, last = block(100), block(30), block(30)
    row.add(large, stand_in=small)
    row.add(last, rank=1)
    row.resize(130, 20)
    assert visible([large, small, last]) == [False, True, True]
    row.resize(300, 20)
    assert visible([large, small, last]) == [True, False, True]


def test_the_row_may_be_as_narrow_as_what_always_stays(row):
    row.add(block(30))
    row.add(block(100), stand_in=block(25))
    row.add(block(30), rank=1)
    assert row.minimumSizeHint().width() == 20 + 30 + 25 + 3
    assert row.sizeHint().width() == 20 + 30 + 100 + 30 + 4


def test_what_is_shown_anew_has_its_place_before_the_next_picture(row):
    """No turn of the event loop lies between: a window is drawn as it is."""
    blocks = [block(30) for _ in range(4)]
    for rank, one in enumerate(blocks):
        row.add(one, rank=rank)
    row.resize(60, 20)
    row.resize(300, 20)
    assert [one.x() for one in blocks] == [0, 31, 62, 93]
