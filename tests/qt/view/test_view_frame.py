"""The text over a picture tells what is under the cursor, and fits the picture."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QCursor, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

pytestmark = pytest.mark.bindings


@pytest.fixture
def frame(dock, hand):
    hand.settle(dock)
    return dock.frames["3D"]


def hover(frame, hand, at=None):
    picture = frame.picture
    at = at or picture.rect().center()
    # The pointer itself goes there: else it would be noticed to be elsewhere.
    QCursor.setPos(picture.mapToGlobal(at - QPoint(3, 3)))
    QTest.mouseMove(picture, at - QPoint(3, 3))
    QCursor.setPos(picture.mapToGlobal(at))
    QTest.mouseMove(picture, at)
    hand.wait(frame.readout.isVisible)


def wheel(picture, at):
    place = QPointF(at)
    event = QWheelEvent(
        place,
        QPointF(picture.mapToGlobal(at)),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(picture, event)


def test_value_and_place_under_the_cursor_are_shown(frame, hand):
    hover(frame, hand)
    text = frame.said
    assert " at (z " in text
    assert text.endswith("µm) · full resolution")
    assert int(text.split()[0]) > 800, "the middle of the ball is the brightest"


def test_beside_the_volume_and_beside_the_picture_nothing_is_said(frame, hand):
    hover(frame, hand)
    QCursor.setPos(frame.picture.mapToGlobal(QPoint(2, 2)))
    QTest.mouseMove(frame.picture, QPoint(2, 2))
    hand.wait(lambda: not frame.readout.isVisible())
    hover(frame, hand)
    QApplication.sendEvent(frame.picture, _leave())
    assert not frame.readout.isVisible()


def _leave():
    from qtpy.QtCore import QEvent

    return QEvent(QEvent.Type.Leave)


def test_it_goes_when_the_camera_moves_and_comes_back_at_rest(frame, hand, dock):
    hover(frame, hand)
    wheel(frame.picture, frame.picture.rect().center())
    assert not frame.readout.isVisible()
    hand.settle(dock)
    hand.wait(frame.readout.isVisible)


def test_it_comes_back_when_the_camera_is_set_to_where_it_is(frame, hand):
    """Nothing is drawn anew then."""
    hover(frame, hand)
    n_pictures = frame.picture.n_pictures
    frame.view.camera = frame.view.camera
    assert not frame.readout.isVisible()
    hand.wait(frame.readout.isVisible)
    assert frame.picture.n_pictures == n_pictures


def test_nothing_is_said_while_dragging(frame, hand, dock):
    hover(frame, hand)
    at = frame.picture.rect().center()
    QTest.mousePress(frame.picture, Qt.MouseButton.LeftButton, pos=at)
    QTest.mouseMove(frame.picture, at + QPoint(10, 0))
    assert not frame.readout.isVisible()
    hand.settle(dock)
    assert not frame.readout.isVisible()
    QTest.mouseRelease(frame.picture, Qt.MouseButton.LeftButton, pos=at)


def test_a_line_never_leaves_the_picture(frame):
    frame.say("1024 at (z 12.4, y 80.1, x 33.0 µm) · 1/2 resolution " * 5)
    assert frame.readout.text().endswith("…")
    assert frame.readout.geometry().right() <= frame.picture.width() - 6
    assert frame.readout.height() < 2 * frame.fontMetrics().height()


def test_where_it_is_narrow_fewer_words_are_used(frame, dock):
    texts = ("a very long sentence " * 9, "1024 at some place of the data", "1024")
    frame.say(*texts)
    assert frame.readout.text() == "1024 at some place of the data"
    dock.main_view.set_overlay_options("colorbar", visible=True)
    dock.resize(220, 300)
    assert frame.said == "", "what was under the cursor is elsewhere now"
    frame.say(*texts)
    assert frame.readout.text() == "1024"


def test_the_line_keeps_away_from_overlays(frame, dock):
    frame.say("1024 at (z 12.4, y 80.1, x 33.0 µm) · 1/2 resolution")
    assert frame.readout.y() == 6
    dock.main_view.set_overlay_options("text", visible=True, text="my cells")
    assert frame.readout.geometry().bottom() > frame.picture.height() - 10
    dock.main_view.set_overlay_options("text", visible=False)
    assert frame.readout.y() == 6


def test_a_slice_of_flat_data_is_nowhere_along_a_third_axis(make_dock, scene):
    scene.add(np.zeros((1, 8, 8), np.uint8))
    dock = make_dock("xy", size=(500, 500))
    assert dock.frames["xy"].tag.text() == "xy"


def test_a_slice_tells_which_and_where_it_is(make_dock, scene):
    scene.add(np.zeros((8, 8, 8), np.uint8))
    dock = make_dock("2x2", size=(500, 500))
    scene.move_cross_hair((3.25, 1.0, 2.0))
    tags = {kind: frame.tag.text() for kind, frame in dock.frames.items()}
    assert tags == {
        "xy": "xy · z 3.25 µm",
        "xz": "xz · y 1.00 µm",
        "yz": "yz · x 2.00 µm",
        "3D": "",
    }
    frame = dock.frames["xy"]
    frame.say("1024")
    assert frame.readout.x() > frame.tag.geometry().right()
    frame.say("something that leaves no room")
    assert frame.tag.isHidden()
    assert frame.readout.x() == 6
    frame.say()
    assert not frame.tag.isHidden()
    dock.set_layout("3D")
    scene.move_cross_hair((4.0, 1.0, 2.0))


def test_lines_let_the_mouse_through(frame):
    frame.say("1024")
    at = frame.readout.geometry().center()
    assert frame.picture.childAt(at) is None


def test_an_oblique_slice_says_how_it_is_moved_where_there_is_room(dock, hand):
    dock.set_layout("plane")
    dock.resize(700, 500)
    hand.settle(dock)
    frame = dock.frames["plane"]
    assert "right drag tilts" in frame.tag.text()
    assert "along its normal" in frame.tag.text()
    dock.resize(330, 500)
    hand.wait(lambda: "along its normal" not in frame.tag.text())
    assert "right drag tilts" in frame.tag.text()
    frame.say("1000 at (z 1 µm, y 2 µm, x 3 µm)")
    assert frame.tag.text() == "plane"
