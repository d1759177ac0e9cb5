"""B1: what the benchmark that users run says of a call, beside the call alone.

The same Gaussian of the same volume is timed by ``run_benchmarks`` and by a plain loop
over scipy, in turns. The clock is asked twice an iteration, the warm-up included: a
count, which is exact.
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.rows import Row, Setting, at_most, exactly
from brickfield.benchmarks import run_benchmarks
from brickfield.sources import from_arrays

EDGE = 100
SIGMA = 2.0
WARMUP = 1


def benchmark(setting: Setting) -> list[Row]:
    """B1."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(0)
    volume = rng.integers(0, 4000, (EDGE, EDGE, EDGE)).astype(np.uint16)
    source = from_arrays(volume)
    repeats = 7 if setting.is_full else 5
    asked = [0]

    def clock() -> float:
        asked[0] += 1
        return time.perf_counter()

    ratios = []
    for _ in range(repeats):
        start = time.perf_counter()
        # As the test does it: floats, rounded to the type of the voxels.
        np.rint(gaussian_filter(volume.astype(np.float64), SIGMA)).astype(np.uint16)
        alone = time.perf_counter() - start
        found = run_benchmarks(("gaussian",), (EDGE,), 1, WARMUP, clock, source=source)
        ratios.append(1e-3 * found.to_dict()["results"][0]["mean_ms"] / alone)
    return [
        at_most(
            "B1",
            "benchmark: mean of a Gaussian ÷ the same by scipy in a loop",
            float(np.median(ratios)),
            1.2,
            unit="x",
            repeats=repeats,
            note=f"{min(ratios):.2f} to {max(ratios):.2f}",
        ),
        exactly(
            "B1",
            "benchmark: questions to the clock, an iteration",
            asked[0] / (repeats * (1 + WARMUP)),
            2,
        ),
    ]
