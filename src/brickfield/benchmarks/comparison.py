"""Two results side by side: what became faster or slower, and whether that means much.

Two means are taken as equal when they differ by less than two standard errors of their
difference, √(s₁²/n₁ + s₂²/n₂), or by less than 2 %.
"""

from __future__ import annotations

from math import sqrt
from os import PathLike
from typing import Any

from brickfield.benchmarks.result import BenchmarkResult, TestResult

LEAST_SHARE = 0.02
"""Of the old mean: smaller differences are no change."""
N_ERRORS = 2.0
"""Standard errors that a difference must reach."""
Given = BenchmarkResult | dict[str, Any] | str | PathLike[str]


def compare(old: Given, new: Given) -> list[dict[str, Any]]:
    """Compare two results, test by test and size by size.

    Parameters
    ----------
    old, new : BenchmarkResult, dict, str or Path
        Results, what their ``to_dict`` returns, or JSON files.

    Returns
    -------
    list of dict
        One for each test and size that both have times of, in the order of `old`:
        ``test``, ``size``, ``old_ms``, ``new_ms`` (means), ``ratio`` (new ÷ old) and
        ``change`` ("faster", "slower" or "same").

    Raises
    ------
    StoreNotFoundError, StoreFormatError
        When a file is none of a benchmark, or of another version.
    """
    before, after = _result(old), _result(new)
    found = {(r.test, r.size): r for r in after.results if r.times_ms}
    return [
        _row(result, found[result.test, result.size])
        for result in before.results
        if result.times_ms and (result.test, result.size) in found
    ]


def _result(given: Given) -> BenchmarkResult:
    if isinstance(given, BenchmarkResult):
        return given
    if isinstance(given, dict):
        return BenchmarkResult.from_dict(given)
    return BenchmarkResult.read_json(given)


def _row(old: TestResult, new: TestResult) -> dict[str, Any]:
    before, after = old.statistics, new.statistics
    assert before is not None
    assert after is not None
    difference = after.mean_ms - before.mean_ms
    error = sqrt(
        before.std_ms**2 / len(old.times_ms) + after.std_ms**2 / len(new.times_ms)
    )
    least = max(N_ERRORS * error, LEAST_SHARE * before.mean_ms)
    change = "same"
    if abs(difference) >= least and difference:
        change = "slower" if difference > 0 else "faster"
    ratio = after.mean_ms / before.mean_ms if before.mean_ms else 1.0
    return {
        "test": old.test,
        "size": list(old.size),
        "old_ms": before.mean_ms,
        "new_ms": after.mean_ms,
        "ratio": ratio,
        "change": change,
    }
