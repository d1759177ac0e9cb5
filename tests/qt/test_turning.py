"""The event loop runs while a function is waited for, and errors are raised there."""

import os
import signal
import threading
from concurrent.futures import Future

import pytest
from qtpy.QtCore import QCoreApplication, QTimer

from brickfield.qt.turning import (
    can_turn,
    holding_still,
    run_beside,
    run_beside_then,
    take_a_turn,
    turn_until,
)


@pytest.fixture(autouse=True)
def _app(qtbot):
    """An application."""


def test_the_event_loop_turns_while_a_function_runs_on_a_thread():
    """A timer lets the function end: without turns it would wait for ever."""
    go_on = threading.Event()
    QTimer.singleShot(0, go_on.set)
    threads = []

    def job():
        threads.append(threading.current_thread())
        return go_on.wait(20)

    assert run_beside(job)
    assert threads[0] is not threading.main_thread()


def test_what_the_function_raises_is_raised_where_it_is_waited_for():
    with pytest.raises(KeyError, match="nothing"):
        run_beside(lambda: {}["nothing"])


def test_a_wait_ends_when_its_time_is_over():
    assert not turn_until(Future(), 0.0)


def test_what_is_done_is_not_waited_for():
    future = Future()
    future.set_result(1)
    turns = []
    QTimer.singleShot(0, lambda: turns.append(1))
    assert turn_until(future)
    assert not turns


def test_a_wait_inside_a_wait_ends_first():
    """The outer future is done before the inner one."""
    outer, inner, order = Future(), Future(), []

    def begin_inner():
        outer.set_result(None)
        QTimer.singleShot(0, lambda: inner.set_result(None))
        turn_until(inner)
        order.append("inner")

    QTimer.singleShot(0, begin_inner)
    assert turn_until(outer)
    order.append("outer")
    assert order == ["inner", "outer"]


def test_ctrl_c_ends_a_wait_and_is_handled_as_before_afterwards():
    before = signal.getsignal(signal.SIGINT)
    QTimer.singleShot(0, lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        turn_until(Future(), 20)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_end_of_the_application_ends_a_wait():
    found = []

    def wait():
        QTimer.singleShot(0, QCoreApplication.quit)
        found.append(turn_until(Future(), 20))

    QTimer.singleShot(0, wait)
    QCoreApplication.instance().exec()
    assert found == [False]


def test_on_another_thread_a_function_runs_at_once():
    """There is no event loop to wait in."""
    found = []

    def there():
        found.append(can_turn())
        found.append(run_beside(threading.current_thread) is threading.current_thread())

    thread = threading.Thread(target=there)
    thread.start()
    thread.join()
    assert found == [False, True]


def test_what_must_be_whole_before_it_is_seen_is_done_at_once():
    turns = []
    QTimer.singleShot(0, lambda: turns.append(1))
    with holding_still():
        run_beside(lambda: None)
    assert turns == []


def test_a_turn_lets_what_was_posted_happen_and_holding_still_does_not():
    turns = []
    QTimer.singleShot(0, lambda: turns.append(1))
    with holding_still():
        take_a_turn()
    assert turns == []
    take_a_turn()
    assert turns == [1]


@pytest.mark.parametrize("is_broken", [False, True])
def test_what_comes_after_a_function_runs_on_the_window_and_nobody_waits(
    qtbot, is_broken, caplog
):
    go_on = threading.Event()
    threads = []

    def job():
        assert go_on.wait(20)
        threads.append(threading.current_thread())
        if is_broken:
            msg = "nothing"
            raise KeyError(msg)

    run_beside_then(job, lambda: threads.append(threading.current_thread()))
    assert threads == []
    go_on.set()
    qtbot.waitUntil(lambda: len(threads) == 2, timeout=60_000)
    assert threads[0] is not threading.main_thread()
    assert threads[1] is threading.main_thread()
    assert ("nothing" in caplog.text) is is_broken


def test_both_run_at_once_where_nothing_may_happen_meanwhile():
    done = []
    with holding_still():
        run_beside_then(lambda: done.append("job"), lambda: done.append("then"))
        assert done == ["job", "then"]
