"""All panels of a dock, in their order, and the keys that are theirs."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from brickfield.qt.deliver import Deliverer
from brickfield.qt.panels.appearance import AppearancePanel
from brickfield.qt.panels.budgets import Budgets, SessionBudgets
from brickfield.qt.panels.clip import ClipPanel
from brickfield.qt.panels.host import Host
from brickfield.qt.panels.plane import PlanePanel
from brickfield.qt.panels.quality import QualityPanel
from brickfield.qt.panels.receipt import ReceiptPanel
from brickfield.qt.panels.stack import PanelStack
from brickfield.qt.panels.time import TimePanel


class DockPanels(PanelStack):
    """The panels of a dock.

    Parameters
    ----------
    host : Host
        The dock.
    memory : mutable mapping, optional
        Where is kept which panels are open: ``{"clip": True}``.
    budgets : Budgets, optional
        Where memory budgets are kept; default in this session alone.
    parent : QWidget, optional
        The dock's widget. :meth:`releases` must be called when it is closed.

    Attributes
    ----------
    appearance, clip, plane, time, quality, receipt : Panel
    """

    def __init__(
        self,
        host: Host,
        memory: MutableMapping[str, Any] | None = None,
        budgets: Budgets | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(memory, parent)
        deliver = Deliverer()
        self.call_when_released(deliver.close)
        self.appearance = AppearancePanel(host, deliver)
        self.call_when_released(self.appearance.histograms.closer())
        self.clip = ClipPanel(host)
        self.plane = PlanePanel(host)
        self.time = TimePanel(host)
        self.quality = QualityPanel(host, budgets or SessionBudgets(host))
        self.receipt = ReceiptPanel(host, deliver)
        for panel in (
            self.appearance,
            self.clip,
            self.plane,
            self.time,
            self.quality,
            self.receipt,
        ):
            self.add(panel)

    def open_clip(self, is_open: bool) -> None:
        """Work on the clip box, or no more."""
        self.open(self.clip, is_open=is_open)

    def press_key(self, key: int) -> None:
        """Act on a key of the pictures: R shows the receipt, space plays."""
        if key == Qt.Key.Key_R:
            if self.receipt.is_open:
                self.receipt.ask()
            self.open(self.receipt)
        elif key == Qt.Key.Key_Space:
            self.time.toggle()
