"""Mouse and keys on the pictures, pressed as a person presses them."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QDoubleSpinBox

from brickfield.qt.panels.widgets import NumberBox

LEFT, RIGHT = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton
MIDDLE = Qt.MouseButton.MiddleButton
NOTHING, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier


def drag(widget, button, way, modifier=NOTHING) -> None:
    """Drag from the middle by some pixels, in two steps."""
    middle = widget.rect().center()
    half = middle + QPoint(way[0] // 2, way[1] // 2)
    end = middle + QPoint(*way)
    QTest.mousePress(widget, button, modifier, middle)
    for at in (half, end):
        move(widget, button, modifier, at)
    QTest.mouseRelease(widget, button, modifier, end)


def move(widget, button, modifier, at) -> None:
    # QTest.mouseMove carries no buttons.
    from qtpy.QtCore import QEvent
    from qtpy.QtGui import QMouseEvent

    where = QPointF(at)
    event = QMouseEvent(
        QEvent.Type.MouseMove,
        where,
        QPointF(widget.mapToGlobal(at)),
        Qt.MouseButton.NoButton,
        button,
        modifier,
    )
    QApplication.sendEvent(widget, event)


def wheel(widget, notches, at=None, modifier=NOTHING) -> None:
    where = QPointF(at or widget.rect().center())
    event = QWheelEvent(
        where,
        QPointF(widget.mapToGlobal(where.toPoint())),
        QPoint(),
        QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton,
        modifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


@pytest.fixture
def dock(make_dock, scene, blob, hand):
    scene.add(blob).contrast = (0, 1000)
    dock = make_dock()
    hand.settle(dock)
    return dock


@pytest.fixture
def picture(dock):
    return dock.frames["3D"].picture


def reach(camera) -> float:
    return float(np.linalg.norm(np.subtract(camera.position, camera.target)))


def test_a_left_drag_turns_round_the_target(dock, picture, hand):
    before, shown = dock.main_view.camera, dock.main_view.report.image
    drag(picture, LEFT, (60, 10))
    after = dock.main_view.camera
    assert after.target == before.target
    assert reach(after) == pytest.approx(reach(before))
    assert np.dot(after.forward, before.forward) < 0.99
    hand.settle(dock)
    assert not np.array_equal(dock.main_view.report.image, shown)


@pytest.mark.parametrize(
    ("button", "modifier"), [(MIDDLE, NOTHING), (LEFT, SHIFT)], ids=["middle", "shift"]
)
def test_a_middle_or_shift_drag_pans(dock, picture, button, modifier):
    before = dock.main_view.camera
    drag(picture, button, (30, 0), modifier)
    after = dock.main_view.camera
    np.testing.assert_allclose(after.forward, before.forward)
    shift = np.subtract(after.target, before.target)
    assert np.dot(shift, before.axes[0]) < 0


def test_a_right_drag_and_the_wheel_zoom(dock, picture):
    before = reach(dock.main_view.camera)
    drag(picture, RIGHT, (0, -40))
    nearer = reach(dock.main_view.camera)
    assert nearer < before
    wheel(picture, -1)
    assert reach(dock.main_view.camera) > nearer


def test_a_double_click_makes_what_lies_there_the_centre(dock, picture, hand):
    dock.main_view.camera = dock.main_view.camera
    drag(picture, MIDDLE, (25, 15))
    hand.settle(dock)
    before = dock.main_view.camera
    QTest.mouseDClick(picture, LEFT, NOTHING, picture.rect().center() + QPoint(25, 15))
    hand.wait(lambda: dock.main_view.camera != before)
    # The brightest voxel of the ball lies in its middle.
    np.testing.assert_allclose(dock.main_view.camera.target, (16, 20, 24), atol=3)


@pytest.mark.parametrize(
    ("key", "forward"),
    [
        (Qt.Key.Key_1, (1, 0, 0)),
        (Qt.Key.Key_2, (0, -1, 0)),
        (Qt.Key.Key_3, (0, 0, 1)),
    ],
)
def test_number_keys_look_along_an_axis(dock, picture, key, forward):
    QTest.keyClick(picture, key)
    np.testing.assert_allclose(dock.main_view.camera.forward, forward, atol=1e-9)


def test_f_shows_everything_again(dock, picture, hand):
    hand.settle(dock)
    drag(picture, MIDDLE, (60, 30))
    QTest.keyClick(picture, Qt.Key.Key_F)
    # The middle of 32 x 40 x 48 voxels.
    target = dock.main_view.camera.target
    np.testing.assert_allclose(target, (15.5, 19.5, 23.5), atol=1e-9)


def test_f_a_second_time_frames_what_can_be_seen(dock, picture, hand):
    hand.settle(dock)
    view = dock.main_view
    drag(picture, MIDDLE, (60, 30))
    QTest.keyClick(picture, Qt.Key.Key_F)
    assert view.framing.is_fitting
    assert not view.framing.is_fitting_content
    QTest.keyClick(picture, Qt.Key.Key_F)
    hand.wait(lambda: view.framing.is_fitting_content)
    QTest.keyClick(picture, Qt.Key.Key_F)
    assert not view.framing.is_fitting_content


def test_p_changes_the_projection(dock, picture):
    QTest.keyClick(picture, Qt.Key.Key_P)
    assert dock.main_view.camera.orthographic
    QTest.keyClick(picture, Qt.Key.Key_P)
    assert not dock.main_view.camera.orthographic


def test_a_click_in_a_slice_moves_the_cross_hair(dock, scene, hand):
    dock.set_layout("2x2")
    hand.settle(dock)
    frame = dock.frames["xy"]
    scene.move_cross_hair((10.0, 20.0, 24.0))
    at = frame.picture.rect().center() + QPoint(20, -10)
    QTest.mouseClick(frame.picture, LEFT, NOTHING, at)
    z, y, x = scene.cross_hair
    assert z == 10.0
    assert y < 20
    assert x > 24
    hand.settle(dock)
    assert dock.frames["yz"].view.plane.point[2] == x


def test_shift_and_the_wheel_go_through_the_slices(dock, scene, hand):
    dock.set_layout("xy")
    hand.settle(dock)
    picture = dock.frames["xy"].picture
    scene.move_cross_hair((10.0, 20.0, 24.0))
    wheel(picture, 2, modifier=SHIFT)
    assert scene.cross_hair[0] == 12.0
    QTest.keyClick(picture, Qt.Key.Key_PageDown)
    assert scene.cross_hair[0] == 11.0


def test_the_wheel_zooms_a_slice_round_the_cursor(dock, scene, hand):
    dock.set_layout("xy")
    hand.settle(dock)
    frame = dock.frames["xy"]
    at = frame.picture.rect().center() + QPoint(30, 20)
    ratio = frame.picture.devicePixelRatioF()
    px = (at.x() * ratio, at.y() * ratio)
    before = frame.view.slice.point_at(px)
    wheel(frame.picture, 3, at)
    np.testing.assert_allclose(frame.view.slice.point_at(px), before, atol=1e-6)
    assert frame.view.camera.height < 40


def test_a_right_drag_turns_the_oblique_plane(dock, hand):
    dock.set_layout("plane")
    hand.settle(dock)
    view = dock.frames["plane"].view
    before = view.normal
    drag(dock.frames["plane"].picture, RIGHT, (30, 10))
    assert np.dot(before, view.normal) < 0.999
    hand.settle(dock)
    assert view.report.image[..., :3].any()


def test_a_drag_never_moves_a_cross_hair_that_is_hidden(dock, scene, hand):
    """Without one a left drag tilts the oblique slice and moves any other picture."""
    scene.move_cross_hair((10.0, 20.0, 24.0))
    dock.set_layout("plane")
    hand.settle(dock)
    view = dock.frames["plane"].view
    assert not view.overlay_options("marker").visible
    before = view.normal
    drag(dock.frames["plane"].picture, LEFT, (30, 10))
    assert np.dot(before, view.normal) < 0.999

    dock.set_layout("xy")
    hand.settle(dock)
    view = dock.frames["xy"].view
    view.set_overlay_options("marker", visible=False)
    before = view.camera
    drag(dock.frames["xy"].picture, LEFT, (30, 10))
    assert view.camera.target != before.target
    assert scene.cross_hair == (10.0, 20.0, 24.0)


# -- the keyboard ----------------------------------------------------------------


def enter(widget):
    from qtpy.QtGui import QEnterEvent

    at = QPointF(5, 5)
    QApplication.sendEvent(widget, QEnterEvent(at, at, at))


def leave(widget):
    from qtpy.QtCore import QEvent

    QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))


@pytest.fixture
def typed_in(dock, qtbot):
    from qtpy.QtWidgets import QApplication, QLineEdit

    line = QLineEdit(dock)
    line.show()
    dock.activateWindow()
    line.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is line)
    return line


def test_a_picture_under_the_pointer_has_the_keyboard(dock, qtbot):
    picture = dock.frames["3D"].picture
    dock.activateWindow()
    dock.toolbar.mode.setFocus()
    qtbot.waitUntil(dock.toolbar.mode.hasFocus)
    enter(picture)
    assert picture.hasFocus()
    leave(picture)
    assert dock.toolbar.mode.hasFocus(), "it was only borrowed"


def test_who_is_typing_keeps_the_keyboard(dock, typed_in):
    enter(dock.frames["3D"].picture)
    assert typed_in.hasFocus()


@pytest.mark.parametrize("kind", [QDoubleSpinBox, NumberBox])
def test_a_number_that_is_not_being_changed_gives_the_keyboard_to_a_picture(
    dock, qtbot, kind
):
    number = kind(parent=dock)
    number.show()
    dock.activateWindow()
    number.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is number)
    picture = dock.frames["3D"].picture
    enter(picture)
    assert picture.hasFocus()
    leave(picture)
    assert number.hasFocus()
    QTest.keyClick(number, Qt.Key.Key_3)
    enter(picture)
    assert number.hasFocus(), "it is being typed"
    QTest.keyClick(number, Qt.Key.Key_Return)
    enter(picture)
    assert picture.hasFocus(), "it has been entered"


def test_a_plain_key_that_means_nothing_here_goes_no_further(dock):
    picture, heard = dock.frames["3D"].picture, []
    dock.keyPressEvent = heard.append
    QTest.keyClick(picture, Qt.Key.Key_4)
    assert heard == []
    assert dock.status.text.whole.startswith("4 does nothing in this picture")


def test_control_z_undoes_and_control_y_does_again(dock):
    picture, view = dock.frames["3D"].picture, dock.main_view
    before = view.camera
    drag(picture, LEFT, (30, 10))
    after = view.camera
    assert after != before
    control = Qt.KeyboardModifier.ControlModifier
    QTest.keyClick(picture, Qt.Key.Key_Z, control)
    assert view.camera == before
    QTest.keyClick(picture, Qt.Key.Key_Y, control)
    assert view.camera == after
