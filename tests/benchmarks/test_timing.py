"""Times by a clock that is handed in."""

from threading import Event

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.benchmarks.timing import Statistics, timed


class Clock:
    """Tells the times it was given, and counts how often it is asked."""

    def __init__(self, *times):
        self.times = iter(times)
        self.n = 0

    def __call__(self):
        self.n += 1
        return next(self.times)


def test_the_clock_is_asked_twice_a_call_and_the_warm_up_is_not_kept():
    clock, calls = Clock(0, 9, 10, 10.5, 20, 20.25), []
    found = list(timed(lambda: calls.append(1), 2, 1, clock))
    assert found == [None, 500, 250]
    assert clock.n == 6
    assert len(calls) == 3


def test_what_comes_before_a_call_is_not_timed():
    order = []

    def clock():
        order.append("clock")
        return 0

    list(
        timed(
            lambda: order.append("run"),
            1,
            0,
            clock,
            before=lambda: order.append("before"),
        )
    )
    assert order == ["before", "clock", "run", "clock"]


def test_nothing_is_called_after_a_cancel():
    cancel, calls = Event(), []

    def call():
        calls.append(1)
        cancel.set()

    assert len(list(timed(call, 5, 0, Clock(0, 1), cancel=cancel))) == 1
    assert len(calls) == 1


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=30))
def test_statistics_are_those_of_numpy(times):
    found = Statistics.of(times)
    assert found.mean_ms == pytest.approx(np.mean(times))
    assert found.median_ms == pytest.approx(np.median(times))
    wanted = np.std(times, ddof=1) if len(times) > 1 else 0
    assert found.std_ms == pytest.approx(wanted, abs=1e-9)
    assert (found.min_ms, found.max_ms) == (min(times), max(times))
    assert found.p95_ms == pytest.approx(np.percentile(times, 95))


def test_there_are_no_statistics_of_nothing():
    assert Statistics.of([]) is None
