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
from brickfield.qt.stem.fft_page import start_transform
from brickfield.qt.stem.page import Page, words
from brickfield.qt.stem.session import ScanSession
from brickfield.qt.stem.slots import Show, SlotRequest, Told
from brickfield.stem4d import FFTOptions, ScanViewer

COLUMNS = ("Item", "Bytes", "Valid", "Computed")
TRANSFORMS = {"fft_4d": "4d", "fft_detector": "detector", "fft_scan": "scan"}


class CachePage(Page):
    """What is kept with the open scan.

    Attributes
    ----------
    table : QTreeWidget
    say : QLabel
        Where results are kept, or why none are.
    """

    title = "Cache"
    tooltip = "What is kept with the scan, and how large it is"

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
        self.again = QPushButton("Recompute", self)
        self.again.setToolTip("Compute the chosen result anew, in the background")
        self.again.clicked.connect(self._recompute)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.refresh)
        row.addWidget(self.again)
        row.addWidget(self.drop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.say)
        column.addWidget(self.table)
        column.addLayout(row)
        self._follow_selection()

    def _follow_selection(self) -> None:
        chosen = self._chosen()
        self.drop.setEnabled(chosen is not None)
        self.again.setEnabled(
            chosen is not None
            and (chosen in TRANSFORMS or ScanViewer.can_recompute(chosen))
        )

    def _chosen(self) -> str | None:
        lines = self.table.selectedItems()
        return lines[0].text(0) if lines else None

    def follow(self) -> None:
        """Look at what is kept, in the background."""
        viewer = self.session.viewer
        if viewer is None:
            self.say.setText("Open a scan first.")
            return

        def job(_task: RunningTask, _show: Show) -> tuple[Any, Any]:
            return viewer.cache.items(), viewer.cache.target

        self.session.slot("cache").submit(
            SlotRequest("Reading the cache", job, self._fill)
        )

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
        viewer, name = self.session.viewer, self._chosen()
        if viewer is None or name is None:
            return

        def job(_task: RunningTask, _show: Show) -> tuple[Any, Any]:
            viewer.cache.drop(name)
            return viewer.cache.items(), viewer.cache.target

        self.session.slot("cache").submit(
            SlotRequest(f"Dropping {name}", job, self._fill)
        )

    def _recompute(self) -> None:
        viewer, name = self.session.viewer, self._chosen()
        if viewer is None or name is None:
            return
        if name in TRANSFORMS:
            options = FFTOptions(TRANSFORMS[name], recompute=True)
            start_transform(self.session, options, self.follow)
            return

        def job(task: RunningTask, _show: Show) -> tuple[Any, Any]:
            told = Told(task)
            viewer.recompute(
                name,
                progress=told.progress,
                cancel=task.cancelled,
                on_wait=told.on_wait,
            )
            return viewer.cache.items(), viewer.cache.target

        self.session.slot("cache").submit(
            SlotRequest(f"Computing {name}", job, self._fill)
        )
