"""Runs tests one after the other, and keeps what is done whatever happens.

A test that fails is a row that says why; it never stops the others. An interruption or
`cancel` leaves all times that were taken, marked as not complete.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from brickfield.benchmarks.cases import TESTS, Case, open_case
from brickfield.benchmarks.machine import adapter, machine, versions
from brickfield.benchmarks.result import BenchmarkResult, TestResult
from brickfield.benchmarks.subject import Subject, as_source
from brickfield.benchmarks.timing import Clock, timed
from brickfield.errors import BrickfieldError, OptionError

MOST_SIZE = 2048
MOST_ITERATIONS = 100_000


@dataclass(frozen=True)
class Progress:
    """How far a benchmark is.

    Attributes
    ----------
    done, total : int
        Calls, those of the warm-up included.
    result : TestResult
        Of the test under way, with the times so far.
    """

    done: int
    total: int
    result: TestResult


OnProgress = Callable[[Progress], object]


@dataclass(frozen=True)
class BenchmarkOptions:
    """What is measured, and how often.

    Attributes
    ----------
    tests : tuple of str
    sizes : tuple of (int or None)
        Edges of cubes, voxels; None for the given image as it is.
    iterations, warmup : int
    has_made_cubes : bool
        Whether cubes are made also where an image is given, which then stands for the
        size None alone.
    """

    tests: tuple[str, ...] = TESTS
    sizes: tuple[int | None, ...] = (100,)
    iterations: int = 5
    warmup: int = 1
    has_made_cubes: bool = False

    def __post_init__(self) -> None:
        unknown = [test for test in self.tests if test not in TESTS]
        if unknown or not self.tests:
            found = unknown[0] if unknown else "none"
            msg = f"expected tests out of {', '.join(TESTS)}; found {found!r}"
            raise OptionError(msg)
        for size in self.sizes:
            if size is not None and not 1 <= size <= MOST_SIZE:
                msg = f"expected sizes from 1 to {MOST_SIZE} voxels; found {size}"
                raise OptionError(msg)
        if not self.sizes:
            msg = "expected at least one size; found none"
            raise OptionError(msg)
        if not 1 <= self.iterations <= MOST_ITERATIONS or not (
            0 <= self.warmup <= MOST_ITERATIONS
        ):
            msg = (
                "expected 1 or more iterations and 0 or more of warm-up; found"
                f" {self.iterations} and {self.warmup}"
            )
            raise OptionError(msg)


class BenchmarkRun:
    """One run, whose result can be asked for at any time. One thread runs it.

    Parameters
    ----------
    options : BenchmarkOptions
    source : object, optional
        What is measured on, see :func:`~brickfield.benchmarks.subject.as_source`.
    clock : callable
        Asked twice for each call, and not at other times.
    progress : callable, optional
        Told after each call, on the thread that runs.
    cancel : Event, optional
        Ends the run after the call that is under way.

    Attributes
    ----------
    results : list of TestResult
        Done, or under way.
    on_progress : callable or None
        `progress`; may be set until :meth:`run`.
    """

    def __init__(
        self,
        options: BenchmarkOptions,
        *,
        source: Any = None,
        clock: Clock = time.perf_counter,
        progress: OnProgress | None = None,
        cancel: Event | None = None,
    ) -> None:
        self.options = options
        self._given = source
        self._clock = clock
        self.on_progress = progress
        self._cancel = cancel or Event()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._is_done = False
        self._n_done = 0
        self._adapter = ""
        self._values: tuple[Mapping[str, Any], ...] = ()
        self.results: list[TestResult] = []

    def run(self) -> BenchmarkResult:
        """Make every test.

        Raises
        ------
        StoreNotFoundError, StoreFormatError, OptionError
            When the image to measure on cannot be opened.
        """
        self._adapter = adapter()
        with ExitStack() as opened:
            folder = Path(
                opened.enter_context(tempfile.TemporaryDirectory(prefix="brickfield-"))
            )
            source = as_source(self._given, opened)
            for size in self.options.sizes:
                is_made = size is not None and self.options.has_made_cubes
                given = None if is_made else source
                with closing(Subject(given, size, folder)) as subject:
                    for test in self.options.tests:
                        if self._cancel.is_set():
                            return self.result
                        self._measure(test, subject)
        self._is_done = not self._cancel.is_set()
        return self.result

    def measure_values(self) -> None:
        """Find out, too, what the machine reaches in drawing."""
        from brickfield.benchmarks.self_test import measure

        with tempfile.TemporaryDirectory(prefix="brickfield-") as folder:
            found = measure(Path(folder))
        self._adapter = found["adapter"]
        self._values = tuple(found["values"])

    @property
    def result(self) -> BenchmarkResult:
        """What is done so far."""
        given = self._given
        options = {
            "tests": list(self.options.tests),
            "sizes": list(self.options.sizes),
            "iterations": self.options.iterations,
            "warmup": self.options.warmup,
            "source": None if given is None else _name(given),
        }
        is_whole = self._is_done and all(r.complete for r in self.results)
        return BenchmarkResult(
            self._started,
            is_whole,
            machine(self._adapter),
            options,
            tuple(self.results),
            self._adapter,
            versions(),
            self._values,
        )

    def _measure(self, test: str, subject: Subject) -> None:
        size = subject.box.size
        self.results.append(TestResult(test, size, str(subject.dtype), complete=False))
        try:
            with open_case(test, subject) as case:
                calls = timed(
                    case.run,
                    self.options.iterations,
                    self.options.warmup,
                    self._clock,
                    before=case.begin,
                    cancel=self._cancel,
                )
                for found in calls:
                    self._note(found, case)
        except (BrickfieldError, OSError, MemoryError, ValueError, RuntimeError) as e:
            reason = " ".join(str(e).split()) or type(e).__name__
            self.results[-1] = replace(self.results[-1], error=reason)
            self._tell()
            return
        times = self.results[-1].times_ms
        is_whole = len(times) == self.options.iterations
        self.results[-1] = replace(self.results[-1], complete=is_whole)
        self._tell()

    def _note(self, found: float | None, case: Case) -> None:
        self._n_done += 1
        if found is not None:
            row = self.results[-1]
            self.results[-1] = replace(
                row, times_ms=(*row.times_ms, found), further=case.further()
            )
        self._tell()

    def _tell(self) -> None:
        if self.on_progress is not None:
            self.on_progress(Progress(self._n_done, self.n_calls, self.results[-1]))

    @property
    def n_calls(self) -> int:
        """Calls of all tests, those of the warm-up included."""
        wanted = self.options
        each = wanted.iterations + wanted.warmup
        return each * len(wanted.tests) * len(wanted.sizes)


def _name(given: Any) -> str:
    from brickfield.model.secrets import hide_secrets

    for owner in (given, getattr(given, "source", None)):
        info = getattr(owner, "info", None)
        if info is not None:
            return str(info.uri)
    if isinstance(given, str | Path):
        return hide_secrets(str(given))
    return str(getattr(given, "name", type(given).__name__))


def run_benchmarks(  # noqa: PLR0913 -- one keyword for each choice
    tests: Sequence[str] = TESTS,
    sizes: Sequence[int | None] = (100,),
    iterations: int = 5,
    warmup: int = 1,
    clock: Clock = time.perf_counter,
    progress: OnProgress | None = None,
    cancel: Event | None = None,
    source: Any = None,
) -> BenchmarkResult:
    """Measure this machine.

    Parameters
    ----------
    tests : sequence of str
        Out of :data:`~brickfield.benchmarks.cases.TESTS`: ``gaussian``,
        ``rotation_15``, ``rotation_45``, ``rotation_90``, ``shift``,
        ``downsample_3``, ``full_pipeline``, ``read``, ``render``, ``stream``.
    sizes : sequence of (int or None)
        Edges of the cubes that are measured on, voxels; None for `source` as it is.
    iterations, warmup : int
        Calls of each test that count, and calls before them that do not.
    clock : callable
        Returns seconds; asked exactly twice a call, those of the warm-up included.
    progress : callable, optional
        Told a :class:`~brickfield.benchmarks.run.Progress` after each call.
    cancel : Event, optional
        Set it, from any thread, to end after the call under way; the result has what
        is done.
    source : address, store, layer, array or voxel storage, optional
        Measured on, in its middle; an image is made if None.

    Returns
    -------
    BenchmarkResult

    Raises
    ------
    OptionError
        When a test, size or number cannot be used.

    Examples
    --------
    >>> found = run_benchmarks(tests=("shift",), sizes=(8,), iterations=2)
    >>> [(row.test, row.size, len(row.times_ms)) for row in found.results]
    [('shift', (8, 8, 8), 2)]
    """
    options = BenchmarkOptions(tuple(tests), tuple(sizes), iterations, warmup)
    run = BenchmarkRun(
        options, source=source, clock=clock, progress=progress, cancel=cancel
    )
    return run.run()
