"""A scene in memory, docks on it, and a hand."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.loading.cache import default_cache
from brickfield.qt.dock import ViewDock
from brickfield.testing.scene import MemoryScene


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
        self.qtbot.waitUntil(is_true, timeout=30_000)

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
