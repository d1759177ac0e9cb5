"""Work is on the board from its beginning to its end, however it ends."""

import threading
from concurrent.futures import CancelledError

import pytest

from brickfield.qt.reports.tasks import Task, TaskBoard


@pytest.fixture
def board(qtbot):
    """A board of its own."""
    return TaskBoard()


@pytest.mark.parametrize(
    ("task", "text"),
    [
        (Task("a"), ""),
        (Task("a", 3, 80, "blocks"), "3 of 80 blocks"),
        (Task("a", 1200, 5000, "frames", 9.0), "1,200 of 5,000 frames · 9 s left"),
        (Task("a", 1 << 20, 1 << 30, "bytes"), "1 MiB of 1 GiB"),
        (Task("a", 80, 80, "blocks", 2.0), "80 of 80 blocks"),
        (Task("a", 3, 80, is_waiting=True), "waiting"),
        (Task("a", 3, 80, is_cancelling=True), "cancelling"),
    ],
)
def test_a_task_says_what_is_done_of_all_and_the_time_left(task, text):
    assert task.text == text


@pytest.mark.parametrize(
    ("task", "share"),
    [(Task("a"), None), (Task("a", 1, 4), 0.25), (Task("a", 5, 4), 1.0)],
)
def test_the_share_is_known_when_the_total_is(task, share):
    assert task.share == share


def test_work_is_on_the_board_from_its_beginning_to_its_end(board):
    running = board.begin("Saving a", unit="blocks")
    assert board.running == (running,)
    running.end()
    assert board.running == ()


def test_windows_hear_of_what_a_worker_says(board, qtbot):
    running = board.begin("Saving a", unit="blocks")
    with qtbot.waitSignal(board.changed, timeout=20_000, raising=True):
        thread = threading.Thread(target=running.tell, args=(3, 8, 4096, 2.5))
        thread.start()
        thread.join()
    assert running.task == Task("Saving a", 3, 8, "blocks", 2.5)
    running.end()


def test_windows_hear_of_the_end_and_then_of_nothing(board, qtbot):
    running = board.begin("Saving a")
    with qtbot.waitSignal(board.changed, timeout=20_000, raising=True):
        running.end()
    heard = []
    board.changed.connect(lambda: heard.append(1))
    qtbot.wait(250)
    assert not heard


def test_a_function_runs_on_a_thread_while_it_stands_on_the_board(board, qtbot):
    go_on = threading.Event()

    def job(running):
        go_on.wait(20)
        return running.task.title, threading.current_thread().name

    future = board.run("Counting cells", job)
    assert [r.task.title for r in board.running] == ["Counting cells"]
    go_on.set()
    assert future.result(20) == ("Counting cells", "brickfield-task")
    assert board.running == ()


def test_work_that_fails_leaves_the_board(board):
    def job(_running):
        raise CancelledError

    with pytest.raises(CancelledError):
        board.run("Counting", job).result(20)
    assert board.running == ()


def test_cancelled_work_stays_until_it_has_ended(board):
    running = board.begin("Saving a")
    running.cancel()
    assert running.cancelled.is_set()
    assert [r.task.is_cancelling for r in board.running] == [True]
    running.end()
    assert board.running == ()


def test_what_cannot_be_cancelled_goes_on(board):
    running = board.begin("Closing", can_cancel=False)
    board.cancel_all()
    assert not running.cancelled.is_set()
    running.end()
