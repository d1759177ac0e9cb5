"""Work runs on another thread and is answered on this one, unless cancelled."""

import threading
from concurrent.futures import Future

import pytest
from qtpy.QtWidgets import QApplication

from brickfield.qt.background import Background

pytestmark = pytest.mark.bindings


@pytest.fixture
def background(qapp):
    background = Background()
    yield background
    background.close()


def test_it_runs_elsewhere_and_answers_here(background, hand):
    here, seen = threading.current_thread(), []

    def answer(result, error):
        seen.append((result, error, threading.current_thread()))

    background.run(threading.current_thread, answer)
    hand.wait(lambda: seen)
    ((worker, error, where),) = seen
    assert worker is not here
    assert where is here
    assert error is None


def test_an_error_is_an_answer(background, hand):
    seen = []
    background.run(lambda: 1 / 0, lambda *answer: seen.append(answer))
    hand.wait(lambda: seen)
    assert seen[0][0] is None
    assert isinstance(seen[0][1], ZeroDivisionError)


def test_what_was_cancelled_answers_nothing(background):
    seen, future = [], Future()
    background.follow(future, lambda *answer: seen.append(answer))
    future.cancel()
    QApplication.processEvents()
    assert seen == []


def test_after_closing_nothing_is_answered_and_the_thread_ends(background):
    seen, gate, begun = [], threading.Event(), Future()

    def work():
        begun.set_result(threading.current_thread())
        gate.wait(20)

    background.run(work, lambda *answer: seen.append(answer))
    writer = begun.result(20)
    background.close()
    gate.set()
    writer.join(10)
    assert not writer.is_alive()
    QApplication.processEvents()
    assert seen == []
