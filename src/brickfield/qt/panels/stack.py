"""The panels under one another, each closed until it is wanted.

:class:`DockPanels` are all panels of a dock, in their order, and the keys that are
theirs. Invariant: a panel that was never opened does not exist. Making all of them
takes a tenth of a second on the window's thread, and most are never looked at. Which
are open is stored in a mapping that is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, cast

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QBoxLayout,
    QFrame,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from brickfield.qt.controls.section import Section
from brickfield.qt.deliver import Deliverer
from brickfield.qt.host import Host
from brickfield.qt.panels.appearance import AppearancePanel
from brickfield.qt.panels.clip import ClipPanel
from brickfield.qt.panels.overlays.plane_overlay import PlaneInVolume
from brickfield.qt.panels.panel import Panel
from brickfield.qt.panels.plane import PlanePanel
from brickfield.qt.panels.quality import Budgets, QualityPanel, SessionBudgets
from brickfield.qt.panels.receipt import ReceiptPanel
from brickfield.qt.panels.tiles import TilesPanel
from brickfield.qt.panels.time import TimePanel
from brickfield.qt.port_watch import Connections

SHARE = 0.42
"""Of the dock's height that is the pictures'; open panels scroll beyond that."""


class PanelStack(QScrollArea):
    """All panels of a dock.

    Parameters
    ----------
    memory : mutable mapping, optional
        Title in lower case to whether that panel is open. Read once, written
        whenever the user opens or closes one.
    """

    def __init__(
        self,
        memory: MutableMapping[str, Any] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._memory: MutableMapping[str, Any] = {} if memory is None else memory
        self._ends = _Ends()
        self.sections: dict[str, Section] = {}
        self.kinds: dict[str, type[Panel]] = {}
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._inner = QWidget(self)
        self._layout = QVBoxLayout(self._inner)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(1)
        self._layout.addStretch(1)
        self.setWidget(self._inner)
        self._inner.installEventFilter(self)
        self._heights = _Heights(self)
        if parent is not None:
            parent.installEventFilter(self._heights)

    def add(self, kind: type[Panel], make: Callable[[], Panel]) -> Section:
        """Add a panel below the others; it is made when it is first opened.

        Parameters
        ----------
        kind : type
        make : callable
            Makes the panel.
        """

        def made() -> Panel:
            panel = make()
            self._ends.add(panel.connections.release)
            return panel

        section = Section(kind.title, kind.tooltip, made, self._inner)
        name = kind.title.lower()
        self.sections[name], self.kinds[name] = section, kind
        self._layout.insertWidget(self._layout.count() - 1, section)
        section.is_open = self._memory.get(name) is True
        section.toggled.connect(lambda is_open: self._remember(name, is_open))
        return section

    def _remember(self, name: str, is_open: bool) -> None:
        self._memory[name] = is_open
        self.updateGeometry()

    def section_of(self, panel: Panel) -> Section:
        """Return the section that a panel stands in."""
        return self.sections[panel.title.lower()]

    def open(self, panel: Panel, *, is_open: bool = True) -> None:
        """Open a panel and scroll to it, or close it.

        Parameters
        ----------
        panel : Panel
        is_open : bool
        """
        section = self.section_of(panel)
        section.is_open = is_open
        if is_open:
            self.ensureWidgetVisible(section)

    def call_when_released(self, function: Callable[[], object]) -> None:
        """Call a function, that keeps no widget alive, at the end."""
        self._ends.add(function)

    def releases(self) -> list[Callable[[], object]]:
        """Return what ends the panels' connections; keeps no widget alive."""
        return [self._ends.call]

    # -- size --------------------------------------------------------------------

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the height of what is open, or a good part of the dock."""
        inner, parent = self._inner, self.parentWidget()
        # Text that is broken into lines is as high as the width makes it; and a
        # style sheet may pad the area by some pixels.
        wanted = inner.sizeHint().height()
        if inner.hasHeightForWidth():
            wanted = inner.heightForWidth(self.width())
        wanted += 4
        most = wanted if parent is None else self._room(parent)
        return QSize(inner.sizeHint().width(), min(wanted, max(most, 100)))

    def _room(self, parent: QWidget) -> int:
        """Return the height that the pictures and the dock's other rows leave."""
        room: int = round((1 - SHARE) * parent.height())
        layout = parent.layout()
        for i in range(layout.count() if isinstance(layout, QBoxLayout) else 0):
            row = layout.itemAt(i).widget()
            if row not in (None, self) and not layout.stretch(i) and row.isVisible():
                room -= row.height() + layout.spacing()
        return room

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return room for the titles."""
        return QSize(100, 60)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Follow the height of the open panels.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        if watched is self._inner and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return bool(super().eventFilter(watched, event))


class _Ends:
    """What is called at the end: of panels, too, that are made later."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], object]] = []
        self._is_over = False

    def add(self, function: Callable[[], object]) -> None:
        """Call a function at the end; at once after it."""
        if self._is_over:
            function()
        else:
            self._waiting.append(function)

    def call(self) -> None:
        """Have the end come; may be called twice."""
        self._is_over = True
        while self._waiting:
            self._waiting.pop()()


class _Heights(QObject):
    """Tells a stack when the dock round it has another height."""

    def __init__(self, stack: PanelStack) -> None:
        super().__init__(stack)
        self._stack = stack

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at an event and let it pass."""
        if event.type() == QEvent.Type.Resize:
            self._stack.updateGeometry()
        return False


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
        self._tiles = self.add(TilesPanel, lambda: TilesPanel(host))
        self._plane = self.add(PlanePanel, lambda: PlanePanel(host))
        self._time = self.add(TimePanel, lambda: TimePanel(host))
        self._quality = self.add(QualityPanel, self._make_quality)
        self._receipt = self.add(
            ReceiptPanel, lambda: ReceiptPanel(host, self._deliver)
        )
        self.plane_in_volume = PlaneInVolume(host)
        self.call_when_released(self.plane_in_volume.connections.release)
        self._connections = Connections()
        self.call_when_released(self._connections.release)
        for signal in (
            host.views_changed,
            host.scene.axes_changed,
            host.scene.layers_changed,
        ):
            self._connections.bind(signal, self._offer)
        self._offer()

    def _make_appearance(self) -> AppearancePanel:
        panel = AppearancePanel(self._host, self._deliver)
        self.call_when_released(panel.histograms.closer())
        return panel

    def _make_quality(self) -> QualityPanel:
        return QualityPanel(self._host, self._budgets or SessionBudgets(self._host))

    def _offer(self) -> None:
        """Show the titles of panels with which there is anything to do."""
        for name, section in self.sections.items():
            section.setVisible(self.kinds[name].is_useful_in(self._host))

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
    def tiles(self) -> TilesPanel:
        """The images of a mosaic."""
        return cast("TilesPanel", self._tiles.panel)

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

    # -- mouse and keys ---------------------------------------------------------

    def open_clip(self, is_open: bool) -> None:
        """Open or close the panel with the clip box."""
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
