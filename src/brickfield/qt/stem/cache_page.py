"""What is kept with a scan: bytes, whether it is valid, and Drop."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import (
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from brickfield.blockwise import format_bytes
from brickfield.qt.reports.tasks import RunningTask
from brickfield.qt.stem.page import Page, words
from brickfield.qt.stem.session import ScanSession
from brickfield.qt.stem.slots import Show, Wish

COLUMNS = ("Item", "Bytes", "Valid", "Computed")


class CachePage(Page):
    """What is kept with the open scan.

    Attributes
    ----------
    table : QTreeWidget
    say : QLabel
        Where results are kept, or why none are.
    """

    title = "Cache"

    def __init__(self, session: ScanSession, parent: QWidget | None = None) -> None:
        super().__init__(session, parent)
        self.table = QTreeWidget(self)
        self.table.setHeaderLabels(COLUMNS)
        self.table.setRootIsDecorated(False)
        self.table.setFixedHeight(130)
        self.table.setAccessibleName("Kept results")
        mode = QHeaderView.ResizeMode.ResizeToContents
        self.table.header().setSectionResizeMode(mode)
        self.table.itemSelectionChanged.connect(self._follow_selection)
        self.say = words(self)
        self.refresh = QPushButton("Refresh", self)
        self.refresh.clicked.connect(self.follow)
        self.drop = QPushButton("Drop", self)
        self.drop.setToolTip("Delete the chosen result; it can be computed again")
        self.drop.clicked.connect(self._drop)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.refresh)
        row.addWidget(self.drop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.say)
        column.addWidget(self.table)
        column.addLayout(row)
        self._follow_selection()

    def _follow_selection(self) -> None:
        self.drop.setEnabled(bool(self.table.selectedItems()))

    def follow(self) -> None:
        """Look at what is kept, in the background."""
        viewer = self.session.viewer
        if viewer is None:
            self.say.setText("Open a scan first.")
            return

        def job(_task: RunningTask, _show: Show) -> tuple[Any, Any]:
            return viewer.cache.items(), viewer.cache.target

        self.session.slot("cache").want(Wish("Reading the cache", job, self._fill))

    def _fill(self, found: tuple[Any, Any]) -> None:
        items, target = found
        self.table.clear()
        for item in items:
            state = "yes" if item.is_valid else item.reason or "no"
            size = format_bytes(item.n_bytes)
            line = QTreeWidgetItem([item.item, size, state, item.computed[:16]])
            line.setToolTip(0, str(item.place))
            self.table.addTopLevelItem(line)
        total = format_bytes(sum(item.n_bytes for item in items))
        where = "Results are not kept with this file: convert it to EMD."
        viewer = self.session.viewer
        if viewer is not None and viewer.cache.scan.dataset:
            where = "Results are not kept: the file's folder may not be written to."
        if target is not None:
            where = f"{len(items)} kept, {total}, in {target.name}"
        self.say.setText(where)
        self._follow_selection()

    def _drop(self) -> None:
        viewer = self.session.viewer
        names = [line.text(0) for line in self.table.selectedItems()]
        if viewer is None or not names:
            return

        def job(_task: RunningTask, _show: Show) -> tuple[Any, Any]:
            viewer.cache.drop(names[0])
            return viewer.cache.items(), viewer.cache.target

        self.session.slot("cache").want(Wish(f"Dropping {names[0]}", job, self._fill))
