"""A scene in memory, docks on it, and a hand."""

from __future__ import annotations

import numpy as np
import pytest
from psygnal import Signal
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.loading import default_cache
from brickfield.qt.deliver import Deliverer
from brickfield.qt.dock import ViewDock
from brickfield.qt.view.view_frame import ViewFrame
from brickfield.testing.scene import MemoryScene
from brickfield.viewer.live import LiveView


@pytest.fixture
def scene():
    """A scene without layers, closed at the end."""
    scene = MemoryScene(unit="µm")
    yield scene
    scene.close()


@pytest.fixture
def blob():
    """Two levels of a ball in the dark, uint16, shape (32, 40, 48) and half of it."""
    z, y, x = np.indices((32, 40, 48))
    distance = np.hypot(np.hypot(z - 16, y - 20), x - 24)
    fine = np.clip(1000 - 60 * distance, 0, None).astype(np.uint16)
    return [fine, fine[::2, ::2, ::2]]


class Hand:
    """What a person does with the mouse, and the patience to wait for pictures."""

    def __init__(self, qtbot):
        self.qtbot = qtbot

    def settle(self, dock):
        """Wait until every picture is complete."""
        self.wait(lambda: all(view.is_settled for view in dock.views))

    def wait(self, is_true):
        """Wait until something is true."""
        self.qtbot.waitUntil(lambda: bool(is_true()), timeout=30_000)

    def click(self, widget, at=None):
        """Press and release the left button."""
        QTest.mouseClick(
            widget,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            at or widget.rect().center(),
        )

    def choose(self, menu, text):
        """Open a menu and click one of its lines."""
        menu.popup(QPoint(0, 0))
        lines = {action.text(): action for action in menu.actions()}
        try:
            self.click(menu, menu.actionGeometry(lines[text]).center())
        finally:
            menu.close()


@pytest.fixture
def hand(qtbot):
    """A person."""
    return Hand(qtbot)


@pytest.fixture
def make_dock(scene, qtbot, adapter):
    """Make shown docks; their views are closed at the end."""
    default_cache().clear()
    docks = []

    def make(layout="3D", size=(360, 300)):
        dock = ViewDock(scene, layout=layout)
        docks.append(dock)
        qtbot.addWidget(dock)
        dock.resize(*size)
        dock.show()
        qtbot.waitExposed(dock)
        return dock

    yield make
    for dock in docks:
        dock.shutdown()


@pytest.fixture
def dock(make_dock, scene, blob):
    """A dock with a volume view of a ball."""
    scene.add(blob, name="ball")
    return make_dock()


class PanelHost:
    """What panels need of a dock: frames of real views, which nobody can see.

    The views never draw, for they are not shown.
    """

    views_changed = Signal()

    def __init__(self, scene, *kinds):
        self.scene = scene
        self.gpu_budget = 1 << 30
        self.frames = {}
        self._deliver = Deliverer()
        self.show(*kinds)

    @property
    def views(self):
        return [frame.view for frame in self.frames.values()]

    @property
    def main_view(self):
        return self.views[0]

    def show(self, *kinds):
        """Show other views, as a layout does; those that stay are kept."""
        for kind in [k for k in self.frames if k not in kinds]:
            frame = self.frames.pop(kind)
            frame.view.close()
            frame.deleteLater()
        made = {k: self.frames.get(k) or self._frame(k) for k in kinds}
        self.frames = made
        self.views_changed.emit()

    def _frame(self, kind):
        view = LiveView(kind, self.scene, self._deliver)
        frame = ViewFrame(view)
        view.resize((400, 300))
        return frame

    def close(self):
        self.show()
        self._deliver.close()


@pytest.fixture
def host(qtbot, scene):
    """A dock with the volume view of a scene, without a window."""
    host = PanelHost(scene, "3D")
    yield host
    host.close()
    settled()


def settled():
    """Carry out what was posted, and delete what was to be deleted later."""
    for _ in range(3):
        QCoreApplication.processEvents()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def settle(qtbot):
    """Carry out what was posted to the event loop."""
    return settled
