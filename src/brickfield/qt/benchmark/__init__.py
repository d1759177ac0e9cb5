"""The window that measures this machine, and the one that compares two results."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.qt.benchmark.comparison_dialog import (
        ComparisonDialog as ComparisonDialog,
    )
    from brickfield.qt.benchmark.dialog import (
        PerformanceBenchmarkDialog as PerformanceBenchmarkDialog,
    )
    from brickfield.qt.benchmark.panel import BenchmarkPanel as BenchmarkPanel

__all__ = [
    "BenchmarkPanel",  # What is measured, what came of it so far, and its files.
    "ComparisonDialog",  # Two results as a table with bars.
    "PerformanceBenchmarkDialog",  # The panel as a window of its own.
]

_HOME = {
    "BenchmarkPanel": "panel",
    "ComparisonDialog": "comparison_dialog",
    "PerformanceBenchmarkDialog": "dialog",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
