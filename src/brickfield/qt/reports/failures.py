"""The list of chunks that could not be read, with the reasons."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from brickfield.model.requests import ChunkFailure
from brickfield.viewer.receipts import UNNAMED, LevelNames
from brickfield.viewer.receipts import text_status as words

MOST = 500
"""Rows that are listed; what is copied is whole."""


class FailureList(QDialog):
    """A window beside the others; it blocks nothing.

    Attributes
    ----------
    retry_asked : Signal
        Emits when the user wants the chunks read again.
    table : QTreeWidget
        Resolution, chunk, key in storage and reason of each.
    """

    retry_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Chunks that could not be read")
        self.resize(640, 320)
        self._failures: tuple[ChunkFailure, ...] = ()
        self._names = UNNAMED
        self.summary = QLabel(self)
        self.summary.setWordWrap(True)
        self.table = QTreeWidget(self)
        self.table.setHeaderLabels(["Resolution", "Chunk z, y, x", "Key", "Reason"])
        self.table.setRootIsDecorated(False)
        self.table.setUniformRowHeights(True)
        self.table.setAlternatingRowColors(False)
        header = self.table.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.retry = QPushButton("Retry", self)
        self.retry.setToolTip("Read them once more")
        self.retry.clicked.connect(self.retry_asked)
        self.copy = QPushButton("Copy", self)
        self.copy.setToolTip("Copy the whole list as text")
        self.copy.clicked.connect(self._copy)
        close = QPushButton("Close", self)
        close.clicked.connect(self.close)
        row = QHBoxLayout()
        row.addWidget(self.retry)
        row.addWidget(self.copy)
        row.addStretch(1)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.addWidget(self.summary)
        column.addWidget(self.table, stretch=1)
        column.addLayout(row)

    def show_failures(
        self, failures: Sequence[ChunkFailure], names: LevelNames = UNNAMED
    ) -> None:
        """List these and no others.

        Parameters
        ----------
        failures : sequence of ChunkFailure
        names : LevelNames
            Of the layers that they belong to.
        """
        found = tuple(failures)
        if (found, names) == (self._failures, self._names) and self.summary.text():
            return
        self._failures, self._names = found, names
        self.summary.setText(
            words.failures(found, names) or "Every chunk could be read."
        )
        self.retry.setEnabled(bool(found))
        self.copy.setEnabled(bool(found))
        rows = [_row(failure, names) for failure in found[:MOST]]
        if len(found) > MOST:
            rows.append(["", "", f"and {len(found) - MOST} more", ""])
        self.table.clear()
        self.table.addTopLevelItems([QTreeWidgetItem(row) for row in rows])
        for i in range(self.table.topLevelItemCount()):
            item = self.table.topLevelItem(i)
            item.setToolTip(3, item.text(3))

    def as_text(self) -> str:
        """Return the list as lines of tab-separated columns, levels as numbers."""
        lines = [["level", "chunk", "key", "reason"]]
        for failure in self._failures:
            level = str(failure.chunk_id.scale_level)
            lines.append([level, *_row(failure, self._names)[1:]])
        return "\n".join("\t".join(line) for line in lines)

    def _copy(self) -> None:
        QApplication.clipboard().setText(self.as_text())

    def bring_up(self) -> None:
        """Show the window, on top."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()


def _row(failure: ChunkFailure, names: LevelNames) -> list[str]:
    chunk = failure.chunk_id
    where = ", ".join(map(str, chunk.index))
    if chunk.selection:
        where += f" of {names.selection(chunk.selection)}"
    fine = names.numbered(chunk.scale_level).replace(" resolution", "")
    return [fine, where, failure.key, failure.reason]
