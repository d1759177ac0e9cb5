"""The live table of a benchmark: one row for each test and size. Main thread only."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from brickfield.benchmarks import TestResult
from brickfield.model import Int3

COLUMNS = (
    "Test", "Size", "Mean ms", "Median", "Std", "Min", "Max", "p95", "Mvox/s",
)  # fmt: skip
LEAST_ROWS = 5
"""That are seen at once."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ResultTable(QTableWidget):
    """Numbers of tests.

    Parameters
    ----------
    names : mapping of str to str
        What tests are called.
    """

    def __init__(self, names: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self._names = names
        self._rows: dict[tuple[str, Int3], int] = {}
        self.setHorizontalHeaderLabels(list(COLUMNS))
        prepare(self)

    def clear_rows(self) -> None:
        """Show nothing."""
        self._rows.clear()
        self.setRowCount(0)

    def show_row(self, found: TestResult) -> None:
        """Show the times of a test so far; a row of the same test and size is replaced."""
        key = (found.test, found.size)
        if key not in self._rows:
            self._rows[key] = self.rowCount()
            self.insertRow(self.rowCount())
        row = self._rows[key]
        for column, text in enumerate(self._texts(found)):
            item = QTableWidgetItem(text)
            if column > 1:
                item.setTextAlignment(_RIGHT)
            if found.error:
                item.setToolTip(found.error)
            elif not found.complete:
                item.setToolTip(f"{len(found.times_ms)} calls so far")
            else:
                item.setToolTip(found.further_text)
            self.setItem(row, column, item)
        self.scrollToItem(self.item(row, 0))

    def _texts(self, found: TestResult) -> list[str]:
        name = self._names.get(found.test, found.test)
        size = size_text(found.size)
        times = found.statistics
        if times is None:
            return [name, size, "failed" if found.error else "…", *[""] * 6]
        numbers = (
            times.mean_ms,
            times.median_ms,
            times.std_ms,
            times.min_ms,
            times.max_ms,
            times.p95_ms,
        )
        speed = found.mvox_per_s
        texts = [number_text(n) for n in numbers]
        return [name, size, *texts, "" if speed is None else number_text(speed)]


def prepare(table: QTableWidget) -> None:
    """Make a table that is only looked at."""
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.verticalHeader().hide()
    header = table.horizontalHeader()
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    table.setMinimumHeight(LEAST_ROWS * table.verticalHeader().defaultSectionSize())


def size_text(size: Int3) -> str:
    """Write a size: 100³, or 20 × 30 × 40."""
    if len(set(size)) == 1:
        return f"{size[0]}³"
    return " × ".join(map(str, size))  # for people


def number_text(value: float) -> str:
    """Write a number with three digits that matter, and no exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"
