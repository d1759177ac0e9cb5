"""Scripts wait for a view, and the window goes on."""

import os
import signal
import threading

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit

from brickfield.errors import ViewClosedError


@pytest.fixture
def held(dock, hand):
    """A dock whose render thread waits until it is let go."""
    hand.settle(dock)
    go_on = threading.Event()
    dock.main_view.client.ask(lambda _drawer: go_on.wait(20))
    yield dock, go_on
    go_on.set()


def after(function, *more):
    """Do something in the next turn of the event loop, and then more."""

    def call():
        for one in (function, *more):
            one()

    QTimer.singleShot(0, call)


def test_the_event_loop_turns_while_a_picture_is_waited_for(held):
    """The render thread goes on only when the window does."""
    dock, go_on = held
    after(go_on.set)
    assert dock.main_view.screenshot().shape[2] == 4


def test_the_event_loop_turns_while_a_receipt_is_waited_for(held):
    dock, go_on = held
    after(go_on.set)
    assert dock.main_view.receipt.complete


class Keys(QObject):
    """Notes which keys come through to a widget."""

    def __init__(self, widget):
        super().__init__(widget)
        self.pressed = []
        widget.installEventFilter(self)

    def eventFilter(self, _watched, event):  # noqa: N802
        if event.type() == QEvent.Type.KeyPress:
            self.pressed.append(event.key())
        return False


def test_keys_on_the_view_reach_neither_it_nor_the_window_around(held):
    dock, go_on = held
    keys = Keys(dock)
    picture, camera = dock.frames["3D"].picture, dock.main_view.camera
    pressed = (Qt.Key.Key_2, Qt.Key.Key_F5)
    after(*[lambda k=k: QTest.keyClick(picture, k) for k in pressed], go_on.set)
    dock.main_view.screenshot()
    assert keys.pressed == []
    assert dock.main_view.camera == camera
    QTest.keyClick(picture, Qt.Key.Key_F5)
    assert keys.pressed == [Qt.Key.Key_F5]


def test_the_mouse_does_not_turn_a_view_that_is_waited_for(held):
    dock, go_on = held
    picture, camera = dock.frames["3D"].picture, dock.main_view.camera
    after(
        lambda: QTest.mousePress(picture, Qt.MouseButton.LeftButton),
        lambda: QTest.mouseMove(picture, picture.rect().center() / 2),
        lambda: QTest.mouseRelease(picture, Qt.MouseButton.LeftButton),
        go_on.set,
    )
    dock.main_view.screenshot()
    assert dock.main_view.camera == camera


def test_other_widgets_can_be_typed_into_meanwhile(held, qtbot):
    dock, go_on = held
    line = QLineEdit()
    qtbot.addWidget(line)
    line.show()
    after(lambda: QTest.keyClicks(line, "abc"), go_on.set)
    dock.main_view.screenshot()
    assert line.text() == "abc"


def test_a_picture_can_be_taken_while_another_is_waited_for(held):
    dock, go_on = held
    inner = []
    after(go_on.set, lambda: inner.append(dock.main_view.screenshot()))
    outer = dock.main_view.screenshot()
    assert np.array_equal(inner[0], outer)


def test_closing_the_view_ends_the_wait(held):
    dock, go_on = held
    after(dock.shutdown, go_on.set)
    with pytest.raises(ViewClosedError):
        dock.main_view.screenshot()


def test_ctrl_c_ends_the_wait_and_the_view_goes_on(held, hand):
    dock, go_on = held
    after(lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        dock.main_view.screenshot()
    go_on.set()
    assert dock.main_view.screenshot().shape[2] == 4


def test_a_picture_for_later_is_written_without_waiting(dock, hand, tmp_path):
    hand.settle(dock)
    path = tmp_path / "a.png"
    future = dock.main_view.screenshot_later(path)
    assert np.array_equal(future.result(20), dock.main_view.screenshot())
    assert path.exists()
