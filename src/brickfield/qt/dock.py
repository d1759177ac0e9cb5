"""The dock: views of a scene side by side, a row of controls, a line of status.

The dock makes the views and takes them down; it closes them when it is taken out
of its window, however that happens. It holds no logic of pictures or
layers: controls call the view or the scene, signals come back. Main thread only.
"""

from __future__ import annotations

import atexit
import logging
import weakref
from collections.abc import Callable, MutableMapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from psygnal import Signal
from qtpy.QtCore import QCoreApplication, QEvent, QObject, QSize, QTimer
from qtpy.QtWidgets import QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from brickfield.blockwise import parse_bytes
from brickfield.model import Vec3
from brickfield.qt.channel_chips import ChannelChips
from brickfield.qt.controls.file_drops import FileDrops
from brickfield.qt.controls.layout_buttons import OVERLAYS, budget_shares, cells_of
from brickfield.qt.controls.toolbar import DockToolbar
from brickfield.qt.deliver import Deliverer
from brickfield.qt.host import oblique_of
from brickfield.qt.panels.quality import Budgets
from brickfield.qt.panels.stack import DockPanels
from brickfield.qt.reports.status import StatusLine
from brickfield.qt.reports.task_strip import TaskStrip
from brickfield.qt.reports.tasks import task_board
from brickfield.qt.view.slice_link import SliceLink
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.rendering import render_thread
from brickfield.viewer.live import (
    DEFAULT_BUDGET,
    LiveView,
    Place,
    ScenePort,
    are_flat,
)

logger = logging.getLogger(__name__)
_FREE = ("3D", "plane")
"""Kinds of views that share their zoom with no other view."""
LEAST_WIDTH = 300
"""Pixels; every panel has room there."""


class ViewDock(QWidget):
    """A widget with one or more views of a scene.

    Parameters
    ----------
    scene : ScenePort
        Not closed with the dock.
    layout : str
        One of :data:`brickfield.qt.controls.layout_buttons.LAYOUTS`.
    gpu_budget : int
        Bytes for all views together.
    memory : mutable mapping, optional
        Where is kept which panels are open.
    budgets : Budgets, optional
        Where memory budgets are kept; default in this session alone.

    Attributes
    ----------
    views_changed : psygnal.SignalInstance
        Views came or went.
    files_dropped : psygnal.SignalInstance
        Emits paths and addresses, a list of str, that were dropped on it.
    """

    views_changed = Signal()
    files_dropped = Signal(list)

    def __init__(
        self,
        scene: ScenePort,
        *,
        layout: str = "3D",
        gpu_budget: int = DEFAULT_BUDGET,
        memory: MutableMapping[str, Any] | None = None,
        budgets: Budgets | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.scene = scene
        self.layout_name = ""
        self._gpu_budget = gpu_budget
        self._lent = 0
        self._deliver = Deliverer()
        self._frames: dict[str, ViewFrame] = {}
        self._places: dict[tuple[str, str], Place] = {}
        self._plane: tuple[Vec3, Vec3 | None, Vec3] | None = None
        self._slice_link = SliceLink(())
        self._maximised = ""
        self._closing: list[Callable[[], object]] = []
        expanding = QSizePolicy.Policy.Expanding
        self.setSizePolicy(expanding, expanding)
        self.setMinimumSize(LEAST_WIDTH, 200)
        self._grid_widget = QWidget(self)
        self._grid = QGridLayout(self._grid_widget)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._make_rows()
        FileDrops(self, self._take_dropped)
        self._watch = _OrphanWatch(self)
        self.set_layout(layout)
        self.panels = DockPanels(self, memory, budgets, parent=self)
        self.body.addWidget(self.panels)
        self._connect_panels()
        self._has_chosen = layout != "3D"
        self.toolbar.layouts.chosen.connect(self._on_chosen)
        scene.layers_changed.connect(self._choose_layout)
        self._choose_layout()
        for end in (*self.panels.releases(), self.chips.release()):
            self.call_when_closed(end)
        _open.add(self)
        # A closure without the dock: Qt calls it when the dock is gone already.
        self.destroyed.connect(partial(_take_down, self._closing, self._deliver))

    def _take_dropped(self, places: Sequence[str]) -> None:
        self.files_dropped.emit(list(places))

    def _make_rows(self) -> None:
        self.toolbar = DockToolbar(self)
        self.status = StatusLine(self)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(2, 2, 2, 2)
        self.body.setSpacing(2)
        self.body.addWidget(self.toolbar)
        self.chips = ChannelChips(self.scene, self)
        self.body.addWidget(self.chips)
        self.body.addWidget(self._grid_widget, stretch=1)
        self.body.addWidget(self.status)

    def _connect_panels(self) -> None:
        self.tasks = TaskStrip(task_board(), self)
        self.body.addWidget(self.tasks)
        clip = self.panels.clip_section
        switch = self.toolbar.by_name["clip"]
        switch.setChecked(clip.is_open)
        self.toolbar.clip_toggled.connect(self.panels.open_clip)
        clip.toggled.connect(switch.setChecked)
        self.toolbar.key_pressed.connect(self.panels.press_key)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size that leaves room for the canvas beside it."""
        return QSize(520, 560)

    # -- views -------------------------------------------------------------------

    @property
    def views(self) -> list[LiveView]:
        """Views that are shown, the volume view first."""
        views = [frame.view for frame in self._frames.values()]
        return sorted(views, key=lambda v: v.slice is not None)

    @property
    def frames(self) -> dict[str, ViewFrame]:
        """Frames of the views, by kind."""
        return dict(self._frames)

    @property
    def main_view(self) -> LiveView:
        """The volume view, or the first one without it."""
        return self.views[0]

    def set_layout(self, name: str) -> None:
        """Show other views; each layout keeps the camera of each of its views.

        The oblique plane lies the same in all layouts that show it.
        """
        cells = cells_of(name)
        if self._frames and self.is_closed:
            return
        self.maximise(None)
        self._slice_link.close()
        others = self.views
        cameras = {kind: frame.view.camera for kind, frame in self._frames.items()}
        for kind, frame in self._frames.items():
            self._places[self.layout_name, kind] = frame.view.framing.place
        self._note_plane()
        self.layout_name = name
        for kind in [k for k in self._frames if k not in cells]:
            frame = self._frames.pop(kind)
            self._close_view(frame.view)
            self._grid.removeWidget(frame)
            frame.hide()
            frame.deleteLater()
        for kind in cells:
            if kind not in self._frames:
                self._frames[kind] = self._make_frame(kind)
                _look_alike(self._frames[kind].view, others)
        for kind, (row, column) in cells.items():
            self._grid.addWidget(self._frames[kind], row, column)
        self.maximise(None)
        self._give_sizes()
        self._share_budget()
        for kind, frame in self._frames.items():
            place = self._places.get((name, kind))
            if place is not None:
                frame.view.framing.place = place
            elif (camera := cameras.get(kind)) is not None and kind in _FREE:
                frame.view.framing.keep_in_view(camera)
        self._put_plane()
        self._slice_link = SliceLink(self.views if len(cells) > 1 else ())
        self.toolbar.follow_layout(name)
        self.views_changed.emit()

    def _give_sizes(self) -> None:
        """Lay the frames out at once: a camera that is put back needs its picture's size.

        Slices that share a zoom would take it from sizes that no picture has.
        """
        if not self.isVisible():
            return
        self._grid.activate()
        for frame in self._frames.values():
            if (inner := frame.layout()) is not None:
                inner.activate()

    def _note_plane(self) -> None:
        plane = oblique_of(self)
        if plane is not None:
            point = None if plane.has_cross_hair else plane.position
            self._plane = (plane.normal, point, self.scene.cross_hair)

    def _put_plane(self) -> None:
        plane = oblique_of(self)
        if plane is None or self._plane is None:
            return
        normal, point, cross_hair = self._plane
        # Where the cross-hair was moved meanwhile, the plane goes through it again.
        here = point if cross_hair == self.scene.cross_hair else None
        own = None if plane.has_cross_hair else plane.position
        if (plane.normal, own) != (normal, here):
            plane.lie_like(normal, here)

    def maximise(self, kind: str | None) -> None:
        """Give one of several views all the room; None gives it back."""
        self._maximised = kind if kind in self._frames and len(self._frames) > 1 else ""
        for name, frame in self._frames.items():
            frame.setVisible(self._maximised in ("", name))
        cells = cells_of(self.layout_name) if self.layout_name else {}
        shown = [cells[k] for k in cells if self._maximised in ("", k)]
        for i in range(2):
            self._grid.setRowStretch(i, int(any(c[0] == i for c in shown)))
            self._grid.setColumnStretch(i, int(any(c[1] == i for c in shown)))

    def _toggle_maximised(self, kind: str) -> None:
        self.maximise(None if self._maximised else kind)

    def _on_chosen(self, _name: str) -> None:
        self._has_chosen = True

    def _choose_layout(self) -> None:
        """Begin flat data in xy and volumes in 3D, until the user chooses."""
        if self._has_chosen or self.is_closed or not self.scene.layers:
            return
        layout = "xy" if are_flat(p.data for p in self.scene.layers) else "3D"
        if layout != self.layout_name and self.layout_name in ("3D", "xy"):
            self.set_layout(layout)

    def _make_frame(self, kind: str) -> ViewFrame:
        view = LiveView(kind, self.scene, self._deliver)
        for name in OVERLAYS[kind]:
            view.set_overlay_options(name, visible=True)
        self._closing.append(view.close)
        frame = ViewFrame(view, self._grid_widget)
        gestures = frame.picture.gestures
        gestures.is_one_of_several = lambda: len(self._frames) > 1
        gestures.maximise_asked.connect(partial(self._toggle_maximised, kind))
        self.status.watch(view)
        self.toolbar.watch(frame)
        return frame

    def _close_view(self, view: LiveView) -> None:
        self.status.forget(view)
        self._closing.remove(view.close)
        view.close()

    # -- budget ------------------------------------------------------------------

    @property
    def gpu_budget(self) -> int:
        """Bytes of GPU memory for all views together."""
        return self._gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int | str) -> None:
        self._gpu_budget = parse_bytes(value)
        self._share_budget()

    def lend_budget(self, n_bytes: int) -> None:
        """Keep bytes of the budget back from the views; 0 gives them all back."""
        self._lent = n_bytes
        self._share_budget()

    def _share_budget(self) -> None:
        shares = budget_shares(list(self._frames), self._gpu_budget - self._lent)
        for kind, frame in self._frames.items():
            frame.view.gpu_budget = max(1, shares[kind])

    # -- the end -----------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether the views were taken down."""
        return not self._closing

    def call_when_closed(self, function: Callable[[], object]) -> None:
        """Call a function after the views were taken down.

        It must not keep the dock alive: Qt may have deleted it by then.
        """
        self._closing.insert(0, function)

    def shutdown(self) -> None:
        """Take the views down; may be called twice."""
        _take_down(self._closing, self._deliver)


def _look_alike(view: LiveView, others: Sequence[LiveView]) -> None:
    """Have a view that joins look as those do that stay, or that were there."""
    stayed = [other for other in others if not other.is_closed]
    for other in (stayed or others)[:1]:
        view.quality = other.quality
        view.forced_level = other.forced_level
        view.show_levels = other.show_levels
        view.lighting = other.lighting


_open: weakref.WeakSet[ViewDock] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """Take docks down before Qt does: PySide6 may not be called back from its end."""
    for dock in list(_open):
        dock.shutdown()
        with suppress(RuntimeError):  # Qt has deleted it already
            dock.hide()
            dock.setParent(None)
            dock.deleteLater()
            QCoreApplication.sendPostedEvents(dock, QEvent.Type.DeferredDelete.value)
    render_thread().close()


def _take_down(
    closing: list[Callable[[], object]], deliver: Deliverer, *_: object
) -> None:
    while closing:
        end = closing.pop()
        try:
            end()
        except Exception:  # the others must end all the same
            logger.exception("a part of the dock could not be taken down")
    deliver.close()


class _OrphanWatch(QObject):
    """Closes a dock that was removed from its window.

    A dock's close button only removes the widget's parent: it would not be shown
    again, and nothing of it would ever be freed.
    """

    def __init__(self, dock: ViewDock) -> None:
        super().__init__(dock)
        self._dock = dock
        self._had_parent = False
        dock.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at an event and let it pass."""
        if watched is self._dock and event.type() == QEvent.Type.ParentChange:
            if self._dock.parent() is not None:
                self._had_parent = True
            elif self._had_parent:
                # It may be on its way to another window.
                QTimer.singleShot(0, self._check)
        return False

    def _check(self) -> None:
        if self._dock.parent() is None and not self._dock.isVisible():
            self._dock.shutdown()
            self._dock.deleteLater()
