"""Times of a function, by a clock that is handed in.

The clock is asked twice an iteration, before and after, and at no other time; those of
the warm-up, which are not kept, included. So a clock of a test decides every number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Any

import numpy as np

Clock = Callable[[], float]
"""Seconds since any moment."""


@dataclass(frozen=True)
class Statistics:
    """What some times come to.

    Attributes
    ----------
    mean_ms, median_ms, min_ms, max_ms : float
    std_ms : float
        Of a sample (n - 1); 0 for one time.
    p95_ms : float
        By linear interpolation.
    """

    mean_ms: float
    median_ms: float
    std_ms: float
    min_ms: float
    max_ms: float
    p95_ms: float

    @classmethod
    def of(cls, times_ms: list[float]) -> Statistics | None:
        """Add up times; None when there are none."""
        if not times_ms:
            return None
        times = np.array(times_ms, np.float64)
        return cls(
            mean_ms=float(times.mean()),
            median_ms=float(np.median(times)),
            std_ms=float(times.std(ddof=1)) if len(times) > 1 else 0.0,
            min_ms=float(times.min()),
            max_ms=float(times.max()),
            p95_ms=float(np.percentile(times, 95)),
        )


def timed(
    function: Callable[[], Any],
    iterations: int,
    warmup: int,
    clock: Clock,
    *,
    before: Callable[[], Any] = lambda: None,
    cancel: Event | None = None,
) -> Iterator[float | None]:
    """Call a function again and again.

    Parameters
    ----------
    function : callable
    iterations : int
        Calls whose times are kept.
    warmup : int
        Calls before them.
    clock : callable
    before : callable
        Called before each call, and not timed.
    cancel : Event, optional
        Looked at between calls.

    Yields
    ------
    float or None
        Milliseconds of a call; None for one of the warm-up.
    """
    for number in range(warmup + iterations):
        if cancel is not None and cancel.is_set():
            return
        before()
        start = clock()
        function()
        end = clock()
        yield None if number < warmup else 1e3 * (end - start)
