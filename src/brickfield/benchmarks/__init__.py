"""How fast this machine is, as a file that can be compared with another.

``run`` makes the tests of ``cases`` on a ``subject`` (an image that is made, or given),
``timing`` takes the times, ``result`` keeps and writes them, ``machine`` says where, and
``comparison`` puts two results side by side. The folder ``benchmarks`` of the repository is
another thing: the developers' table of goals.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.benchmarks.cases import TESTS as TESTS
    from brickfield.benchmarks.comparison import compare as compare
    from brickfield.benchmarks.result import BenchmarkResult as BenchmarkResult
    from brickfield.benchmarks.result import TestResult as TestResult
    from brickfield.benchmarks.run import BenchmarkOptions as BenchmarkOptions
    from brickfield.benchmarks.run import BenchmarkRun as BenchmarkRun
    from brickfield.benchmarks.run import Progress as Progress
    from brickfield.benchmarks.run import run_benchmarks as run_benchmarks
    from brickfield.benchmarks.subject import as_source as as_source

__all__ = [
    "TESTS",  # Names of all tests, in the order in which they are made.
    "BenchmarkOptions",  # What is measured, and how often.
    "BenchmarkResult",  # What a benchmark came to.
    "BenchmarkRun",  # One run, whose result can be asked for at any time.
    "Progress",  # How far a benchmark is.
    "TestResult",  # Times of one test on one size.
    "as_source",  # Return the source of an address, store, layer, array or voxel storage.
    "compare",  # Compare two results, test by test and size by size.
    "run_benchmarks",  # Measure this machine.
]

_HOME = {
    "BenchmarkOptions": "run",
    "BenchmarkResult": "result",
    "BenchmarkRun": "run",
    "Progress": "run",
    "TESTS": "cases",
    "TestResult": "result",
    "as_source": "subject",
    "compare": "comparison",
    "run_benchmarks": "run",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
