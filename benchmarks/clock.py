"""Times and memory, always of several repeats."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import numpy as np


def wall_ms(work: Callable[[], object], repeats: int) -> list[float]:
    """Run `work` and return what each run took, milliseconds."""
    out = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        out.append(1e3 * (time.perf_counter() - start))
    return out


def cpu_ms(work: Callable[[], object], repeats: int) -> list[float]:
    """Run `work` and return the CPU time of all threads, milliseconds."""
    out = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        out.append(1e3 * (time.process_time() - start))
    return out


def median(values: Sequence[float]) -> float:
    return float(np.median(values))


def p99(values: Sequence[float]) -> float:
    return float(np.percentile(values, 99))


class PeakMemory:
    """Watches the resident memory of this process while it is entered."""

    def __init__(self, every_s: float = 0.02) -> None:
        import psutil

        self._rss = psutil.Process().memory_info
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.peak = 0

    def _watch(self) -> None:
        while not self._stop.wait(self._every_s):
            self.peak = max(self.peak, self._rss().rss)

    def __enter__(self) -> PeakMemory:
        self.before = self.peak = self._rss().rss
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.peak = max(self.peak, self._rss().rss)
