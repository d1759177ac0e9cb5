"""The pool runs no more functions than it has workers, and holds no thread at rest."""

import threading
import time

import pytest

from brickfield.loading.pool import AsynchronousDataSlicer


@pytest.fixture
def pool():
    before = set(threading.enumerate())
    made = AsynchronousDataSlicer(2, name="try")
    yield made
    made.shutdown()
    assert not set(threading.enumerate()) - before


def test_a_function_runs_in_a_named_thread_that_is_no_daemon(pool):
    def who():
        thread = threading.current_thread()
        return thread.name, thread.daemon

    name, is_daemon = pool.submit(who).result(10)
    assert name.startswith("try")
    assert not is_daemon


def test_the_callback_gets_the_future(pool):
    done = threading.Event()
    got = []

    def note(future):
        got.append(future.result())
        done.set()

    pool.submit(lambda a, b: a + b, 1, 2, callback=note)
    assert done.wait(10)
    assert got == [3]


def test_no_more_functions_run_at_once_than_there_are_workers(pool):
    gate, lock = threading.Event(), threading.Lock()
    running, most = [0], [0]
    started = threading.Semaphore(0)

    def work():
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        started.release()
        gate.wait(10)
        with lock:
            running[0] -= 1

    futures = [pool.submit(work) for _ in range(6)]
    assert started.acquire(timeout=10)
    assert started.acquire(timeout=10)
    gate.set()
    for future in futures:
        future.result(10)
    assert most[0] == 2


def test_a_delayed_call_comes_after_its_pause_and_in_order_of_time(pool):
    order, done = [], threading.Event()
    start = time.monotonic()
    pool.call_later(0.05, lambda: (order.append(time.monotonic() - start), done.set()))
    pool.call_later(0.01, lambda: order.append(time.monotonic() - start))
    assert done.wait(10)
    assert len(order) == 2
    assert order[0] >= 0.01
    assert order[1] >= 0.05


def test_a_pause_blocks_no_worker(pool):
    pool.call_later(3600, lambda: None)
    assert [pool.submit(lambda i=i: i).result(10) for i in range(4)] == [0, 1, 2, 3]


def test_after_the_end_submitting_gives_a_cancelled_future(pool):
    pool.shutdown()
    called = []
    future = pool.submit(lambda: 1, callback=called.append)
    assert future.cancelled()
    assert called == [future]
    pool.call_later(0, lambda: called.append("late"))
    assert len(called) == 1


def test_an_error_of_a_delayed_call_is_logged_and_ends_nothing(pool, caplog):
    done = threading.Event()
    pool.call_later(0, lambda: 1 / 0)
    pool.call_later(0.01, done.set)
    assert done.wait(10)
    pool.shutdown()
    assert "a delayed call failed" in caplog.text


def test_a_pool_at_rest_has_no_thread_and_goes_on_when_asked(pool):
    before = threading.active_count()
    running = pool.submit(threading.current_thread).result(10)
    pool.rest()
    running.join(10)
    assert threading.active_count() == before
    assert pool.submit(lambda: 3).result(10) == 3
    pool.rest()
    pool.rest()


def test_what_waits_when_a_pool_is_put_to_rest_is_done(pool):
    gate = threading.Event()
    waiting = [pool.submit(gate.wait, 10) for _ in range(3)]
    pool.rest()
    gate.set()
    assert [future.result(10) for future in waiting] == [True] * 3
