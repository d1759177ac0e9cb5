"""Every change of progress reaches all listeners, whatever one of them does."""

import threading

import pytest

from brickfield.loading.progress import LoadingProgressTracker, RateMeter
from brickfield.model import ChunkId
from brickfield.model.requests import LoadingStatus

CHUNK = ChunkId(0, (0, 0, 0))


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_callbacks_and_listeners_hear_of_every_change():
    tracker = LoadingProgressTracker()
    heard, signalled = [], []
    tracker.register_visual("a", heard.append)
    tracker.progress.connect(lambda visual, status: signalled.append((visual, status)))
    tracker.start_loading_session("a", 2, 1)
    tracker.report_chunk_loaded("a", CHUNK, True)
    tracker.report_chunk_loaded("a", CHUNK, False)
    assert [s.percent for s in heard] == [0, 50, 100]
    assert [(s.loaded, s.failed) for s in heard] == [(0, 0), (1, 0), (1, 1)]
    assert [visual for visual, _ in signalled] == ["a"] * 3
    assert tracker.current_scale("a") == 1


def test_the_end_is_told():
    tracker = LoadingProgressTracker()
    ended = []
    tracker.finished.connect(lambda visual, _: ended.append(visual))
    tracker.start_loading_session("a", 2, 0)
    tracker.report_chunk_loaded("a", CHUNK, True)
    assert ended == []
    tracker.report_chunk_loaded("a", CHUNK, False)
    assert ended == ["a"]


def test_several_callbacks_each_hear_and_may_leave():
    tracker = LoadingProgressTracker()
    one, two = [], []
    leave = tracker.register_visual("a", one.append)
    tracker.register_visual("a", two.append)
    tracker.start_loading_session("a", 1, 0)
    leave()
    tracker.report_chunk_loaded("a", CHUNK, True)
    assert (len(one), len(two)) == (1, 2)


def test_a_raising_callback_is_logged_once_and_harms_nobody(caplog):
    tracker = LoadingProgressTracker()
    heard = []
    tracker.register_visual("a", lambda _: 1 / 0)
    tracker.register_visual("a", heard.append)
    tracker.start_loading_session("a", 3, 0)
    for _ in range(3):
        tracker.report_chunk_loaded("a", CHUNK, True)
    assert len(heard) == 4
    assert caplog.text.count("ZeroDivisionError") == 1


def test_a_raising_listener_is_logged_once_and_harms_nobody(caplog):
    tracker = LoadingProgressTracker()
    tracker.progress.connect(lambda *_: 1 / 0)
    tracker.start_loading_session("a", 2, 0)
    tracker.report_chunk_loaded("a", CHUNK, True)
    assert tracker.status("a").loaded == 1
    assert caplog.text.count("a listener to loading progress failed") == 1


def test_a_visual_without_a_session_is_complete_and_reports_are_dropped():
    tracker = LoadingProgressTracker()
    tracker.report_chunk_loaded("nobody", CHUNK, True)
    assert tracker.status("nobody") == LoadingStatus()
    assert tracker.current_scale("nobody") is None


def test_visuals_are_counted_apart():
    tracker = LoadingProgressTracker()
    for visual in "ab":
        tracker.start_loading_session(visual, 2, 0)
    tracker.report_chunk_loaded("a", CHUNK, True)
    assert [tracker.status(v).loaded for v in "ab"] == [1, 0]
    tracker.forget_visual("a")
    assert tracker.status("a").wanted == 0


def test_rate_and_time_left_follow_from_the_clock():
    clock = Clock()
    tracker = LoadingProgressTracker(clock=clock)
    tracker.start_loading_session("a", 10, 0)
    assert tracker.status("a").seconds_left is None
    for _ in range(4):
        tracker.report("a", LoadingStatus(loaded=1, bytes_loaded=100))
        clock.now += 0.5
    status = tracker.status("a")
    assert status.rate == 400 / 2
    assert status.seconds_left == 6 / 2


def test_what_came_in_a_moment_is_not_taken_for_a_rate():
    clock = Clock()
    meter = RateMeter(clock=clock)
    meter.add(1000)
    clock.now += 0.001
    assert meter.rate == 1000 / 0.25
    clock.now += 0.999
    assert meter.rate == pytest.approx(1000)


def test_a_rate_is_zero_when_nothing_came_lately():
    clock = Clock()
    meter = RateMeter(2.0, clock)
    meter.add(5)
    clock.now += 1
    assert meter.rate == 5
    clock.now += 10
    assert meter.rate == 0


def test_reports_from_many_threads_are_all_counted():
    tracker = LoadingProgressTracker()
    heard = []
    tracker.register_visual("a", heard.append)
    tracker.start_loading_session("a", 400, 0)

    def report():
        for _ in range(100):
            tracker.report_chunk_loaded("a", CHUNK, True)

    threads = [threading.Thread(target=report) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert tracker.status("a").loaded == 400
    done = [s.done for s in heard]
    assert done == sorted(done)
    assert heard[-1].is_complete


def test_amounts_that_come_at_once_are_one_event_and_count_all():
    clock = Clock()
    meter = RateMeter(span_s=2.56, clock=clock)
    for _ in range(1000):
        clock.now += 0.0005
        meter.add(3)
    clock.now += 0.5
    assert meter.rate == pytest.approx(3000, rel=0.01)
    assert len(meter._events) <= 51
    clock.now += 3
    assert meter.rate == 0
