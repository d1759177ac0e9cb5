"""All panels of a dock, in their order."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from qtpy.QtWidgets import QWidget

from brickfield.qt.deliver import Deliverer
from brickfield.qt.panels.budgets import Budgets, SessionBudgets
from brickfield.qt.panels.host import Host, Panel
from brickfield.qt.panels.quality import QualityPanel
from brickfield.qt.panels.receipt import ReceiptPanel
from brickfield.qt.panels.stack import PanelStack
from brickfield.qt.panels.time import TimePanel


def make_panels(
    host: Host,
    *,
    memory: MutableMapping[str, Any] | None = None,
    budgets: Budgets | None = None,
    parent: QWidget | None = None,
) -> PanelStack:
    """Make the panels of a dock.

    Parameters
    ----------
    host : Host
        The dock.
    memory : mutable mapping, optional
        Where is kept which panels are open: ``{"clip": True}``.
    budgets : Budgets, optional
        Where budgets are kept; default in this session alone.
    parent : QWidget, optional
        The dock's widget.

    Returns
    -------
    PanelStack
        Its :meth:`~PanelStack.releases` must be called when the dock is closed.
    """
    deliver = Deliverer()
    panels: list[Panel] = [
        TimePanel(host),
        QualityPanel(host, budgets or SessionBudgets(host)),
        ReceiptPanel(host, deliver),
    ]
    stack = PanelStack(panels, memory, parent)
    stack.call_when_released(deliver.close)
    return stack
