"""Each chunk that could not be read is listed with its place and reason."""

import pytest
from qtpy.QtWidgets import QApplication

from brickfield.model import ChunkId
from brickfield.model.requests import ChunkFailure
from brickfield.qt.reports.failures import MOST, FailureList
from brickfield.viewer.receipts import LevelNames


def failure(i, selection=()):
    chunk = ChunkId(1, (0, 2, i), selection)
    return ChunkFailure(chunk, f"1/c/0/2/{i}", "the file is damaged")


@pytest.fixture
def window(qtbot):
    window = FailureList()
    qtbot.addWidget(window)
    return window


def row(window, i):
    return [window.table.topLevelItem(i).text(column) for column in range(4)]


def test_each_chunk_has_resolution_place_key_and_reason(window):
    names = LevelNames((1.0, 2.0), ("t", "c"))
    window.show_failures([failure(3), failure(4, (5, 1))], names)
    where = ["1/2 (level 1)", "0, 2, 3", "1/c/0/2/3", "the file is damaged"]
    assert row(window, 0) == where
    assert row(window, 1)[1] == "0, 2, 4 of time 5, channel 1"
    assert window.summary.text().startswith("2 chunks at 1/2 resolution could not be")


def test_the_list_is_copied_as_text(window, hand):
    window.show_failures([failure(3)])
    window.show()
    hand.click(window.copy)
    assert QApplication.clipboard().text() == (
        "level\tchunk\tkey\treason\n1\t0, 2, 3\t1/c/0/2/3\tthe file is damaged"
    )


def test_a_very_long_list_is_shown_in_part_and_copied_whole(window):
    window.show_failures([failure(i) for i in range(MOST + 7)])
    assert window.table.topLevelItemCount() == MOST + 1
    assert row(window, MOST)[2] == "and 7 more"
    assert len(window.as_text().splitlines()) == MOST + 8


def test_retry_is_asked_for_while_there_is_something_to_retry(window, hand):
    asked = []
    window.retry_asked.connect(lambda: asked.append(True))
    window.show_failures([failure(3)])
    window.show()
    hand.click(window.retry)
    window.show_failures([])
    hand.click(window.retry)
    assert asked == [True]
    assert window.summary.text() == "Every chunk could be read."


def test_the_window_blocks_nothing(window):
    window.bring_up()
    assert not window.isModal()
