"""What happens once when the volume dock takes its place in napari's window.

The dock gets half of the window, its title is the one in the menu, and napari's own
canvas, which is narrower now, is fitted again unless its camera was moved.
Docks that come to stand one above the other share the height.
Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

from brickfield.plugin.layers.registry import plain
from brickfield.plugin.napari_names import has_window, main_window_of
from brickfield.qt import Background, ViewDock

SHARE = 0.5
"""Of the window's width that is the dock's."""
LOOK_MS = 100
"""Time between two looks at whether the window has laid itself out again."""
MOST_LOOKS = 20
EDGE_CURSORS = (Qt.CursorShape.SplitVCursor, Qt.CursorShape.SplitHCursor)
"""What a window shows while the mouse is on an edge between two docks."""
LEAST_HEIGHT = 300
"""Pixels below which a dock asks others for room."""
TITLE_HEIGHT = 30
"""Pixels of a dock's title, at most."""
ASK_AGAIN_MS, MOST_ASKED = 100, 20
"""When and how often at most a dock asks once more for room."""
MOST_ZOOM = 1.5
"""Ratio by which another size of the canvas alone may change napari's zoom."""


class Settling(QObject):
    """Waits for a dock's widget to be shown in a window, and settles it there once.

    Parameters
    ----------
    widget : QWidget
        What stands in the dock.
    viewer : napari.Viewer
        Held weakly.

    Attributes
    ----------
    is_over : bool
        Whether nothing more is going to happen.
    """

    def __init__(self, widget: QWidget, viewer: Any) -> None:
        super().__init__(widget)
        self._widget = widget
        self._viewer = weakref.ref(viewer)
        self._is_fitted = is_fitted(viewer)
        self.is_over = False
        self._look: Callable[[], None] = self._settle
        # A child, so that it falls silent with the dock.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(lambda: self._look())
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Start when the widget is shown first; no event is held back.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        if event.type() == QEvent.Type.Show:
            self._widget.removeEventFilter(self)
            # Not before napari has made the dock and Qt has laid it out.
            self._timer.start(0)
        return False

    def _settle(self) -> None:
        viewer = self._viewer()
        dock = _dock_of(self._widget)
        if dock is None or viewer is None or not has_window(viewer):
            return
        window = dock.parentWidget()
        if not dock.isFloating() and isinstance(window, QMainWindow):
            side = window.dockWidgetArea(dock)
            areas = Qt.DockWidgetArea
            if side in (areas.LeftDockWidgetArea, areas.RightDockWidgetArea):
                wanted = round(SHARE * window.width())
                window.resizeDocks([dock], [wanted], Qt.Orientation.Horizontal)
        self._wait_for_canvas((0, 0), MOST_LOOKS)

    def _wait_for_canvas(self, size: tuple[int, int], n_left: int) -> None:
        """Fit napari's canvas once its size has stayed for a while."""
        viewer = self._viewer()
        window = main_window_of(viewer)
        if viewer is None or window is None or not has_window(viewer):
            return
        canvas = window.centralWidget()
        now = (canvas.width(), canvas.height())
        if now == size or n_left == 0:
            if self._is_fitted:
                viewer.reset_view()
            self.is_over = True
        else:
            self._look = partial(self._wait_for_canvas, now, n_left - 1)
            self._timer.start(LOOK_MS)


class SharedHeight(QObject):
    """Keeps docks that stand one above the other at heights that one can work with.

    Qt gives a new dock what it asks for, or no more than its least, and leaves what
    stood there the rest. So a column in which a picture has less than its share, or any
    dock less than it needs, is shared out equally. What a person drags stays.

    Parameters
    ----------
    widget : QWidget
        What stands in the dock.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.widget = widget
        self._is_new, self._is_by_hand, self._n_asked = True, False, 0
        # A child, so that it falls silent with the dock.
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._share)
        widget.installEventFilter(self)

    @property
    def least(self) -> int:
        """Height in pixels below which the widget asks other docks for room."""
        return min(LEAST_HEIGHT, int(self.widget.sizeHint().height()))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Look at each new height; no event is held back.

        Parameters
        ----------
        watched : QObject
        event : QEvent
        """
        kind = event.type()
        if kind == QEvent.Type.Show and self._is_new:
            # Not before napari has made the dock and Qt has laid it out.
            self._soon.start(0)
        elif kind == QEvent.Type.Resize:
            if self.widget.height() >= self.least:
                self._is_by_hand, self._n_asked = False, 0
            elif is_dragging_edge(self.widget.window()):
                self._is_by_hand = True
            else:
                self._soon.start(0)
        return False

    def _share(self) -> None:
        column = self._column()
        is_new, self._is_new = self._is_new, False
        if len(column) > 1:
            share = sum(dock.height() for _, dock in column) // len(column)
        else:
            share = LEAST_HEIGHT + TITLE_HEIGHT
        if not any(shared.asks(share, is_new=is_new) for shared, _ in column):
            return
        docks = [dock for _, dock in column]
        window = self.widget.window()
        if isinstance(window, QMainWindow):
            window.resizeDocks(docks, [share] * len(docks), Qt.Orientation.Vertical)
        # Qt may still be laying out what stands beside it, and forget the request.
        self._n_asked += 1
        if self._n_asked < MOST_ASKED:
            self._soon.start(ASK_AGAIN_MS)

    def asks(self, share: int, *, is_new: bool) -> bool:
        """Return whether the dock has less than it needs.

        Parameters
        ----------
        share : int
            Height of each dock of its column, were they equally high.
        is_new : bool
            Whether another dock has come to the column.
        """
        height = self.widget.height()
        if is_new and isinstance(self.widget, ViewDock):
            return bool(height + TITLE_HEIGHT < share)
        least = min(self.least, share - TITLE_HEIGHT)
        return not self._is_by_hand and bool(height < least)

    def _column(self) -> list[tuple[SharedHeight, QDockWidget]]:
        """Return what shares the height of this dock, itself included."""
        here = _dock_of(self.widget)
        window = self.widget.window()
        if here is None or here.isFloating() or not isinstance(window, QMainWindow):
            return []
        pairs = [(s, _dock_of(s.widget)) for s in window.findChildren(SharedHeight)]
        return [
            (shared, dock)
            for shared, dock in pairs
            if dock is not None and (dock is here or _are_stacked(here, dock))
        ]


def is_dragging_edge(window: QWidget) -> bool:
    """Return whether a person drags the edge between two docks of a window.

    The mouse buttons alone do not tell: Qt takes the left one for pressed until the
    mouse moves after a drop, which may be what opened a dock.
    """
    is_pressed = QApplication.mouseButtons() != Qt.MouseButton.NoButton
    return bool(is_pressed and window.cursor().shape() in EDGE_CURSORS)


class DockPlace:
    """Where a dock of napari's stands: its window, and a thread for its work.

    Parameters
    ----------
    widget : QWidget
        What stands in the dock.
    napari_viewer : napari.Viewer
        As napari gives it to the widget.

    Attributes
    ----------
    background : Background
        Closed with the widget.
    """

    def __init__(self, widget: QWidget, napari_viewer: Any) -> None:
        SharedHeight(widget)
        self._viewer = weakref.ref(plain(napari_viewer))
        self.background = Background()
        # napari deletes docks without closing them.
        widget.destroyed.connect(self.background.close)

    @property
    def viewer(self) -> Any:
        """The napari viewer; None once its window is closed."""
        viewer = self._viewer()
        return viewer if viewer is not None and has_window(viewer) else None


def _are_stacked(one: QDockWidget, other: QDockWidget) -> bool:
    """Whether two docks stand in one column, both to be seen."""
    is_shown = one.isVisible() and other.isVisible() and not one.isFloating()
    first, second = one.geometry(), other.geometry()
    is_column = first.left() == second.left() and first.width() == second.width()
    return is_shown and is_column and not first.intersects(second)


def _dock_of(widget: QWidget) -> QDockWidget | None:
    found: QWidget | None = widget
    while found is not None and not isinstance(found, QDockWidget):
        found = found.parentWidget()
    return found


def is_fitted(viewer: Any) -> bool:
    """Whether napari's camera stands where napari puts it by itself.

    The canvas may have another size than when napari did, so its zoom may differ
    somewhat; zooming by hand moves the centre, too, or goes further.
    """
    if not len(viewer.layers):
        return True
    # Before napari 0.9 the viewer itself had it.
    camera = getattr(viewer, "scene", viewer).camera
    center, zoom, angles = camera.center, camera.zoom, camera.angles
    with camera.events.blocker():
        viewer.reset_view()
        fitted = (camera.center, camera.zoom, camera.angles)
        camera.center, camera.zoom = center, zoom
        # For a direction napari loads scipy; in 2D fitting does not change it.
        if fitted[2] != angles:
            camera.angles = angles
    is_there = np.allclose(center, fitted[0], rtol=1e-3, atol=1e-3)
    is_turned = not np.allclose(angles, fitted[2], atol=1e-3)
    near = 1 / MOST_ZOOM < zoom / fitted[1] < MOST_ZOOM
    return bool(is_there and near and not is_turned)
