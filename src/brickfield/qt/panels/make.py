"""All panels of a dock, in their order, and the keys that are theirs."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, cast

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from brickfield.qt.deliver import Deliverer
from brickfield.qt.panels.appearance import AppearancePanel
from brickfield.qt.panels.bonds import Bonds
from brickfield.qt.panels.budgets import Budgets, SessionBudgets
from brickfield.qt.panels.clip import ClipPanel
from brickfield.qt.panels.host import Host
from brickfield.qt.panels.overlays.plane_overlay import PlaneInVolume
from brickfield.qt.panels.plane import PlanePanel
from brickfield.qt.panels.quality import QualityPanel
from brickfield.qt.panels.receipt import ReceiptPanel
from brickfield.qt.panels.stack import PanelStack, Section
from brickfield.qt.panels.time import TimePanel


class DockPanels(PanelStack):
    """The panels of a dock, each made when it is first opened or asked for.

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
    plane_in_volume : PlaneInVolume
        The oblique plane's frame and handle in the picture of the volume.
    """

    def __init__(
        self,
        host: Host,
        memory: MutableMapping[str, Any] | None = None,
        budgets: Budgets | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(memory, parent)
        self._host = host
        self._budgets = budgets
        self._deliver = Deliverer()
        self.call_when_released(self._deliver.close)
        self._appearance = self.add(AppearancePanel, self._make_appearance)
        self._clip = self.add(ClipPanel, lambda: ClipPanel(host))
        self._plane = self.add(PlanePanel, lambda: PlanePanel(host))
        self._time = self.add(TimePanel, lambda: TimePanel(host))
        self._quality = self.add(QualityPanel, self._make_quality)
        self._receipt = self.add(
            ReceiptPanel, lambda: ReceiptPanel(host, self._deliver)
        )
        self.plane_in_volume = PlaneInVolume(host)
        self.call_when_released(self.plane_in_volume.bonds.release)
        self._bonds = Bonds()
        self.call_when_released(self._bonds.release)
        for signal in (
            host.views_changed,
            host.scene.axes_changed,
            host.scene.layers_changed,
        ):
            self._bonds.bind(signal, self._offer)
        self._offer()

    def _make_appearance(self) -> AppearancePanel:
        panel = AppearancePanel(self._host, self._deliver)
        self.call_when_released(panel.histograms.closer())
        return panel

    def _make_quality(self) -> QualityPanel:
        return QualityPanel(self._host, self._budgets or SessionBudgets(self._host))

    def _offer(self) -> None:
        """Show the titles of panels with which there is anything to do."""
        for section in self.sections.values():
            section.setVisible(section.kind.is_useful_in(self._host))

    # -- each of them ------------------------------------------------------------

    @property
    def appearance(self) -> AppearancePanel:
        """How layers look."""
        return cast("AppearancePanel", self._appearance.panel)

    @property
    def clip(self) -> ClipPanel:
        """What is cut away."""
        return cast("ClipPanel", self._clip.panel)

    @property
    def plane(self) -> PlanePanel:
        """Where the oblique slice lies."""
        return cast("PlanePanel", self._plane.panel)

    @property
    def time(self) -> TimePanel:
        """Steps and plays."""
        return cast("TimePanel", self._time.panel)

    @property
    def quality(self) -> QualityPanel:
        """How sharp, and how much memory."""
        return cast("QualityPanel", self._quality.panel)

    @property
    def receipt(self) -> ReceiptPanel:
        """What the picture cost."""
        return cast("ReceiptPanel", self._receipt.panel)

    @property
    def clip_section(self) -> Section:
        """Where the clip panel is opened and closed."""
        return self._clip

    # -- the hand ----------------------------------------------------------------

    def open_clip(self, is_open: bool) -> None:
        """Work on the clip box, or no more."""
        if is_open or self._clip.is_open:
            self.open(self.clip, is_open=is_open)

    def press_key(self, key: int) -> None:
        """Act on a key of the pictures: R shows the receipt, space plays."""
        if key == Qt.Key.Key_R:
            if self._receipt.is_open:
                self.receipt.ask()
            self.open(self.receipt)
        elif key == Qt.Key.Key_Space:
            self.time.toggle()
