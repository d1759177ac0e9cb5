"""What happens once when the volume dock takes its place in napari's window.

The dock gets half of the window, its title is the one in the menu, and napari's own
canvas, which is narrower now, is fitted again unless its camera was moved.
Another dock that opens below it leaves it half of the height.
Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from brickfield.plugin.layers.registry import plain
from brickfield.plugin.napari_names import has_window, main_window_of
from brickfield.qt import Background, ViewDock

SHARE = 0.5
"""Of the window's width that is the dock's."""
LOOK_MS = 100
"""Time between two looks at whether the window has laid itself out again."""
MOST_LOOKS = 20
MOST_ZOOM = 1.5
"""Ratio by which another size of the canvas alone may change napari's zoom."""


class _OnceShown(QObject):
    """Calls :meth:`_on_time` once the widget of a dock was shown and laid out.

    It may be called again by starting its timer again.

    Parameters
    ----------
    widget : QWidget
        What stands in the dock.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        # A child, so that it falls silent with the dock.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_time)
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

    def _on_time(self) -> None:
        raise NotImplementedError


class Settling(_OnceShown):
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
        self._viewer = weakref.ref(viewer)
        self._is_fitted = is_fitted(viewer)
        self.is_over = False
        self._look: Callable[[], None] = self._settle

    def _on_time(self) -> None:
        self._look()

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


class RoomForPicture(_OnceShown):
    """Leaves the volume dock half of the height when another dock opens below it.

    Qt would share it by what the docks ask for, and a picture asks for little.
    """

    def _on_time(self) -> None:
        dock = _dock_of(self._widget)
        window = None if dock is None else dock.parentWidget()
        if dock is None or dock.isFloating() or not isinstance(window, QMainWindow):
            return
        for other in window.findChildren(QDockWidget):
            if other.findChild(ViewDock) is None or not _are_stacked(other, dock):
                continue
            half = (other.height() + dock.height()) // 2
            if other.height() < half:
                window.resizeDocks([other, dock], [half] * 2, Qt.Orientation.Vertical)


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
        RoomForPicture(widget)
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
