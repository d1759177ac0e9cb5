"""Two results as a table with bars: ratio, and whether it exceeds the spread.

Bars are pictures in cells, drawn once: no widget here paints itself. Main thread only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPixmap
from qtpy.QtWidgets import (
    QDialog,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from brickfield.benchmarks import BenchmarkResult, compare
from brickfield.qt.benchmark.table import number_text, prepare, size_text

BAR = (150, 20)
"""Width and height of a row's bars, pixels."""
OLD = "#8a8f98"
COLORS = {"faster": "#37b24d", "slower": "#f03e3e", "same": "#4c6ef5"}
"""Of the new result's bar; each is told in words, too."""
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_MACHINE = ("cpu", "cores", "os", "gpu")


class ComparisonDialog(QDialog):
    """Two results, row by row.

    Parameters
    ----------
    old, new : BenchmarkResult
    names : (str, str)
        What the results are called.
    tests : mapping of str to str
        What tests are called.

    Attributes
    ----------
    rows : list of dict
        See :func:`brickfield.benchmarks.compare`.
    """

    def __init__(
        self,
        old: BenchmarkResult,
        new: BenchmarkResult,
        names: tuple[str, str],
        tests: Mapping[str, str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare benchmarks")
        self.resize(760, 420)
        self.rows = compare(old, new)
        self._tests = tests
        column = QVBoxLayout(self)
        head = QLabel(f"{names[1]} (new, below) against {names[0]} (old, above)", self)
        head.setWordWrap(True)
        column.addWidget(head)
        self.table = self._make_table()
        column.addWidget(self.table, stretch=1)
        self.words = QLabel(self._summary(old, new), self)
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        close = QPushButton("Close", self)
        close.clicked.connect(self.close)
        column.addWidget(close, alignment=Qt.AlignmentFlag.AlignRight)

    def _make_table(self) -> QTableWidget:
        columns = ("Test", "Size", "Old ms", "New ms", "", "New ÷ old", "Change")
        table = QTableWidget(len(self.rows), len(columns), self)
        table.setHorizontalHeaderLabels(list(columns))
        prepare(table)
        for number, row in enumerate(self.rows):
            texts = (
                self._tests.get(row["test"], row["test"]),
                size_text(row["size"]),
                number_text(row["old_ms"]),
                number_text(row["new_ms"]),
                "",
                f"{row['ratio']:.2f}",
                _change_text(row["change"]),
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                if column in (2, 3, 5):
                    item.setTextAlignment(_RIGHT)
                table.setItem(number, column, item)
            bars = QLabel(table)
            bars.setPixmap(bars_of(row))
            bars.setAlignment(Qt.AlignmentFlag.AlignCenter)
            bars.setAccessibleName(f"{row['ratio']:.2f} of the old time")
            table.setCellWidget(number, 4, bars)
        table.setColumnWidth(4, BAR[0] + 12)
        return table

    def _summary(self, old: BenchmarkResult, new: BenchmarkResult) -> str:
        if not self.rows:
            return "The two results have no test and size in common: measure the same"
        counts = {c: sum(r["change"] == c for r in self.rows) for c in COLORS}
        text = (
            f"{counts['faster']} faster, {counts['slower']} slower, {counts['same']}"
            " the same: within two standard errors, or 2 %"
        )
        other = [n for n in _MACHINE if old.machine.get(n) != new.machine.get(n)]
        if other:
            text += f". Measured on different machines ({', '.join(other)})"
        return text


def bars_of(row: Mapping[str, Any]) -> QPixmap:
    """Draw the two means of a row as bars, the old one above.

    Parameters
    ----------
    row : mapping
        See :func:`brickfield.benchmarks.compare`.
    """
    width, height = BAR
    picture = QPixmap(width, height)
    picture.fill(Qt.GlobalColor.transparent)
    longest = max(row["old_ms"], row["new_ms"]) or 1.0
    painter = QPainter(picture)
    try:
        half = height // 2
        for top, value, color in (
            (1, row["old_ms"], OLD),
            (half + 1, row["new_ms"], COLORS[row["change"]]),
        ):
            length = max(1, round(width * value / longest))
            painter.fillRect(0, top, length, half - 2, QColor(color))
    finally:
        painter.end()
    return picture


def _change_text(change: str) -> str:
    return {"faster": "faster", "slower": "slower", "same": "same, within the spread"}[
        change
    ]
