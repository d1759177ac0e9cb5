"""Views and jobs take turns on one thread that comes and goes."""

from __future__ import annotations

import threading

import pytest

from brickfield.errors import AdapterError
from brickfield.rendering.thread import NAME, RenderThread


class Steps:
    """Answers with the delays it was given, then with None."""

    def __init__(self, *delays: float | None) -> None:
        self.delays = list(delays)
        self.n = 0
        self.errors: list[Exception] = []
        self.done = threading.Event()
        self.threads: set[str] = set()

    def step(self) -> float | None:
        self.n += 1
        self.threads.add(threading.current_thread().name)
        delay = self.delays.pop(0) if self.delays else None
        if not self.delays:
            self.done.set()
        if isinstance(delay, Exception):
            raise delay
        return delay

    def fail(self, error: Exception) -> None:
        self.errors.append(error)


@pytest.fixture
def thread():
    thread = RenderThread()
    yield thread
    thread.close()


def test_a_drawer_is_called_until_it_has_nothing_to_do(thread):
    drawer = Steps(0, 0, 0, None)
    thread.add(drawer)
    assert drawer.done.wait(5)
    thread.submit(lambda: None).result(5)
    assert drawer.n == 4
    assert drawer.threads == {NAME}


def test_a_drawer_at_rest_is_called_again_when_it_is_woken(thread):
    drawer = Steps(None)
    thread.add(drawer)
    assert drawer.done.wait(5)
    drawer.done.clear()
    thread.wake(drawer)
    assert drawer.done.wait(5)
    assert drawer.n == 2


def test_drawers_take_turns(thread):
    order: list[str] = []

    class Named(Steps):
        def __init__(self, name: str) -> None:
            super().__init__(0, 0, 0, None)
            self.name = name

        def step(self) -> float | None:
            order.append(self.name)
            return super().step()

    gate = threading.Event()
    thread.submit(gate.wait)
    a, b = Named("a"), Named("b")
    thread.add(a)
    thread.add(b)
    gate.set()
    assert a.done.wait(5)
    assert b.done.wait(5)
    assert order == ["a", "b"] * 4


def test_a_drawer_that_raises_is_told_and_harms_nobody(thread):
    bad, good = Steps(ValueError("no"), 0), Steps(0, None)
    thread.add(bad)
    thread.add(good)
    assert good.done.wait(5)
    thread.submit(lambda: None).result(5)
    assert [str(e) for e in bad.errors] == ["no"]
    assert bad.n == 1


def test_a_job_answers_with_its_result_or_its_error(thread):
    thread.add(Steps(None))
    assert thread.submit(lambda: 3).result(5) == 3
    with pytest.raises(ZeroDivisionError):
        thread.submit(lambda: 1 // 0).result(5)


def test_a_call_without_a_thread_is_made_at_once(thread):
    assert thread.call(threading.current_thread) is threading.current_thread()


def test_a_call_beside_drawers_is_made_on_their_thread(thread):
    thread.add(Steps(None))
    assert thread.call(threading.current_thread).name == NAME
    assert thread.call(lambda: thread.call(lambda: 1)) == 1


def test_a_call_and_a_drawer_that_comes_meanwhile_do_not_work_at_once(thread):
    """Whoever draws beside the views began before there was any."""
    working, may_end = threading.Event(), threading.Event()
    drawer = Steps(None)

    def job() -> int:
        working.set()
        assert may_end.wait(5)
        # Inside a piece of work, more of it is not waited for.
        return thread.call(lambda: drawer.n)

    answers: list[int] = []
    caller = threading.Thread(target=lambda: answers.append(thread.call(job)))
    caller.start()
    assert working.wait(5)
    thread.add(drawer)
    may_end.set()
    caller.join(5)
    assert drawer.done.wait(5)
    assert answers == [0]


def test_a_drawer_that_cannot_even_be_told_harms_nobody(thread):
    class Broken(Steps):
        def fail(self, error: Exception) -> None:
            raise RuntimeError("worse")

    good = Steps(0, None)
    thread.add(Broken(ValueError("no")))
    thread.add(good)
    assert good.done.wait(5)


def test_what_is_foreseen_is_no_error_in_the_log(thread, caplog):
    bad = Steps(AdapterError("no driver"))
    thread.add(bad)
    assert bad.done.wait(5)
    thread.submit(lambda: None).result(5)
    assert [str(e) for e in bad.errors] == ["no driver"]
    assert not [r for r in caplog.records if r.levelname in ("WARNING", "ERROR")]


def test_after_the_end_jobs_are_cancelled_and_nobody_waits(thread):
    thread.add(Steps(None))
    thread.close(is_for_good=True)
    assert thread.submit(lambda: 1).cancelled()
    assert not thread.is_alive


def test_the_thread_ends_with_the_last_drawer_and_starts_anew(thread):
    ended: list[int] = []
    first = Steps(None)
    thread.add(first)
    running = thread.call(threading.current_thread)
    thread.remove(first, last=lambda: ended.append(1)).result(5)
    running.join(5)
    assert not running.is_alive()
    assert ended == [1]
    second = Steps(None)
    thread.add(second)
    assert second.done.wait(5)
