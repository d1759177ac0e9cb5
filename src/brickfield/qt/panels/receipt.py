"""The receipt of a picture: made on demand only, for it costs a draw."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.deliver import Deliverer
from brickfield.qt.host import Host
from brickfield.qt.panels.panel import Panel
from brickfield.qt.panels.widgets import quiet
from brickfield.viewer.live import LiveView
from brickfield.viewer.receipts import LevelNames, Receipt, rows, sentence

AGAIN_MS = 500
"""Time between looks whether the picture is complete by now."""


class ReceiptPanel(Panel):
    """The receipt of one view's picture, as a sentence, a table and JSON.

    Parameters
    ----------
    host : Host
    deliver : Deliverer
        Brings answers of the render thread here.

    Attributes
    ----------
    receipt : Receipt or None
        The last one asked for.
    """

    title = "Receipt"
    tooltip = "What this picture cost: bytes, time, memory (R)"

    def __init__(self, host: Host, deliver: Deliverer) -> None:
        super().__init__(host)
        self.receipt: Receipt | None = None
        self._deliver = deliver
        self._asked = 0
        self.view = QComboBox(self)
        self.view.setToolTip("View whose picture is asked about")
        self.refresh = QPushButton("Refresh", self)
        self.refresh.setToolTip("Ask again; this draws the picture once more")
        self.refresh.clicked.connect(self.ask)
        self.copy = QPushButton("Copy as JSON", self)
        self.copy.setToolTip("Put the whole receipt on the clipboard")
        self.copy.clicked.connect(self._copy)
        self.words = QLabel(self)
        self.words.setWordWrap(True)
        self.table = QWidget(self)
        self._cells = QGridLayout(self.table)
        self._cells.setContentsMargins(0, 0, 0, 0)
        self._cells.setHorizontalSpacing(10)
        self._cells.setVerticalSpacing(1)
        self._cells.setColumnStretch(1, 1)
        buttons = QHBoxLayout()
        buttons.addWidget(self.refresh)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.view)
        buttons.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(buttons)
        layout.addWidget(self.words)
        layout.addWidget(self.table)
        self._again = QTimer(self)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._ask_when_settled)
        self._show(None, "")
        self.connections.bind(host.views_changed, self._follow_views)
        self._follow_views()

    def _follow_views(self) -> None:
        kinds = [view.kind for view in self.host.views]
        chosen = self.view.currentText()
        with quiet(self.view):
            self.view.clear()
            self.view.addItems(kinds)
            self.view.setCurrentIndex(max(0, self.view.findText(chosen)))
        self.view.setVisible(len(kinds) > 1)

    def follow(self) -> None:
        """Request the receipt at once when the panel is opened."""
        self.ask()

    def _chosen(self) -> LiveView | None:
        views = {view.kind: view for view in self.host.views}
        return views.get(self.view.currentText())

    def _ask_when_settled(self) -> None:
        """Request the receipt again when the picture becomes complete."""
        if not self.isVisible():
            self._again.stop()
            return
        view = self._chosen()
        if view is not None and view.is_settled:
            self._again.stop()
            self.ask()

    def ask(self) -> None:
        """Request the receipt of the chosen view's current picture."""
        view = self._chosen()
        if view is None or not view.layers:
            self._again.start()
            self._show(None, "There is no picture yet.")
            return
        self._asked += 1
        number = self._asked
        self.refresh.setEnabled(False)
        if self.receipt is None:
            self.words.setText("Asking…")
        view.pictures.receipt_later().add_done_callback(
            lambda done: self._deliver(lambda: self._answer(number, done))
        )

    def _answer(self, number: int, done: Future[Any]) -> None:
        if number != self._asked:
            return
        self.refresh.setEnabled(True)
        if done.cancelled():
            self._show(None, "The view was closed.")
        elif done.exception() is not None:
            self._show(None, f"There is no receipt: {done.exception()}")
        else:
            self._show(done.result())
            if not (done.result().complete or done.result().failures):
                self._again.start()

    def _names(self) -> LevelNames:
        drawn = [port.data for port in self.scene.layers if port.visible]
        return LevelNames.of(layer.store.pyramid for layer in drawn)

    def _show(self, receipt: Receipt | None, otherwise: str = "") -> None:
        self.receipt = receipt
        self.copy.setEnabled(receipt is not None)
        self.table.setVisible(receipt is not None)
        if receipt is None:
            self.words.setText(otherwise)
            return
        self.words.setText(sentence(receipt))
        while self._cells.count():
            self._cells.takeAt(0).widget().deleteLater()
        for i, (name, value, meaning) in enumerate(rows(receipt, self._names())):
            for column, text in enumerate((name, value)):
                cell = QLabel(text, self.table)
                cell.setToolTip(meaning)
                cell.setWordWrap(column == 1)
                self._cells.addWidget(cell, i, column)
                cell.show()

    def _copy(self) -> None:
        clipboard = QApplication.clipboard()
        if self.receipt is not None and clipboard is not None:
            clipboard.setText(self.receipt.to_json())
