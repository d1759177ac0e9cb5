"""The strip shows every running task with its progress, and nothing else."""

import pytest
from qtpy.QtWidgets import QVBoxLayout, QWidget

from brickfield.qt.reports.task_strip import TaskStrip
from brickfield.qt.reports.tasks import TaskBoard


@pytest.fixture
def board(qtbot):
    """A board of its own."""
    return TaskBoard()


@pytest.fixture
def strip(board, qtbot):
    """A strip in a window of 300 pixels."""
    window = QWidget()
    qtbot.addWidget(window)
    made = TaskStrip(board, window)
    layout = QVBoxLayout(window)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(QWidget(), stretch=1)
    layout.addWidget(made)
    window.resize(300, 200)
    window.show()
    qtbot.waitExposed(window)
    yield made
    window.close()


@pytest.fixture
def begin(board, strip, qtbot):
    """Begin work and wait until it has a line."""
    made = []

    def begin_one(title, **options):
        made.append(board.begin(title, **options))
        qtbot.waitUntil(
            lambda: made[-1] in [line.running for line in strip.lines], timeout=20_000
        )
        return made[-1]

    yield begin_one
    for running in made:
        running.end()


def test_it_takes_no_room_while_nothing_runs(strip):
    assert not strip.isVisible()


def test_a_line_says_what_is_done_of_all_and_the_time_left(strip, begin, qtbot):
    running = begin("Saving cells", unit="blocks")
    running.tell(2, 8, 0, 12.0)
    (line,) = strip.lines
    qtbot.waitUntil(lambda: "2 of 8" in line.text.whole, timeout=20_000)
    assert line.text.whole == "Saving cells · 2 of 8 blocks · 12 s left"
    assert (line.bar.value(), line.bar.maximum()) == (250, 1000)


def test_a_total_that_nobody_knows_is_a_bar_to_and_fro(strip, begin):
    begin("Looking for the scan")
    (line,) = strip.lines
    assert line.bar.maximum() == 0


def test_its_button_cancels_the_work_and_says_so(strip, begin):
    running = begin("Saving cells")
    (line,) = strip.lines
    line.cancel.click()
    assert running.cancelled.is_set()
    assert line.text.whole == "Saving cells · cancelling"
    assert not line.cancel.isEnabled()


def test_work_that_cannot_be_cancelled_has_no_button(strip, begin):
    begin("Closing", can_cancel=False)
    (line,) = strip.lines
    assert not line.cancel.isVisible()


def test_a_line_goes_with_its_work(strip, begin, qtbot):
    begin("Saving cells").end()
    qtbot.waitUntil(lambda: not strip.isVisible(), timeout=20_000)
    assert strip.lines == []


def test_of_more_than_three_the_number_is_said(board, strip, begin, qtbot):
    for i in range(4):
        board.begin(f"Saving {i}")
    qtbot.waitUntil(lambda: strip.more.isVisible(), timeout=20_000)
    assert [line.running.task.title for line in strip.lines] == [
        "Saving 0",
        "Saving 1",
        "Saving 2",
    ]
    assert strip.more.text() == "and 1 more"
    for running in board.running:
        running.end()


def test_a_long_title_does_not_widen_the_window(strip, begin):
    begin("Saving " + "a long name of an image " * 10)
    assert strip.window().minimumSizeHint().width() <= 300
    (line,) = strip.lines
    assert line.cancel.geometry().right() < 300


def test_all_of_it_has_names_for_screen_readers(strip, begin):
    begin("Saving cells")
    (line,) = strip.lines
    assert strip.accessibleName() == "Running tasks"
    assert line.accessibleName() == "Saving cells"
    assert line.bar.accessibleName() == "Progress of Saving cells"
    assert line.cancel.accessibleName() == "Cancel Saving cells"
