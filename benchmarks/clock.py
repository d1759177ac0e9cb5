"""Times and memory, always of several repeats."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

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


DRIVER_BLOCK = 65 << 20
"""Larger anonymous mappings are the graphics driver's: glibc's heaps end at 64 MiB."""


def resident() -> tuple[int, int]:
    """Return the resident bytes of this process without the driver's, and those."""
    import psutil

    own = driver = 0
    for m in psutil.Process().memory_maps(grouped=False):
        start, end = (int(text, 16) for text in m.addr.split("-"))
        if m.path == "[anon]" and end - start >= DRIVER_BLOCK:
            driver += m.rss
        else:
            own += m.rss
    return own, driver


class PeakMemory:
    """Watches the resident memory of this process (Linux) while it is entered.

    Software Vulkan keeps textures in ordinary memory and takes it in blocks of 256
    MiB, so the driver's mappings are counted apart.
    """

    def __init__(self, every_s: float = 0.2) -> None:
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.before = self.peak = self.driver_before = self.driver_peak = 0

    def _watch(self) -> None:
        while not self._stop.wait(self._every_s):
            self._look()

    def _look(self) -> None:
        own, driver = resident()
        self.peak = max(self.peak, own)
        self.driver_peak = max(self.driver_peak, driver)

    def __enter__(self) -> Self:
        self.before, self.driver_before = resident()
        self._look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._look()
