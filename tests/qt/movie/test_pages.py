"""The frames of a movie are what its page shows."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from brickfield.camera import KeyFrame
from brickfield.errors import OptionError
from brickfield.model import CameraState
from brickfield.qt.movie.pages import KeyFramePage, TurntablePage

CAMERA = CameraState((-10.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (80, 60))
HERE = KeyFrame(CAMERA, time=3)


def looking_from(z, y, x):
    return KeyFrame(CameraState((z, y, x), (0.0, 0.0, 0.0), (0.0, -1.0, 0.0), (80, 60)))


@pytest.fixture
def turntable(qtbot):
    page = TurntablePage()
    qtbot.addWidget(page)
    return page


@pytest.fixture
def page(qtbot):
    """Key frames of a camera that goes round: each look is from elsewhere."""
    looks = iter([looking_from(-10.0, 0.0, float(x)) for x in range(10)])
    page = KeyFramePage(lambda: next(looks))
    qtbot.addWidget(page)
    page.show()
    return page


def test_a_turntable_has_frames_and_a_speed(turntable):
    turntable.n_frames.setValue(4)
    turntable.seconds.setValue(2.0)
    frames = turntable.frames(HERE)
    assert len(frames) == 4
    assert turntable.fps == 2
    assert turntable.speed.text() == "2 fps"
    assert {frame.time for frame in frames} == {3}
    assert frames[0].camera == CAMERA


@pytest.mark.parametrize(("axis", "index"), [("up", 1), ("y", 1), ("x", 2)])
def test_a_turntable_turns_about_the_axis_that_is_chosen(turntable, axis, index):
    turntable.n_frames.setValue(4)
    turntable.axis.setCurrentIndex(turntable.axis.findData(axis))
    places = np.array([f.camera.position for f in turntable.frames(HERE)])
    np.testing.assert_allclose(places[:, index], 0, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), 10)
    np.testing.assert_allclose(places[2], (10, 0, 0), atol=1e-9)


def test_key_frames_are_added_behind_the_selected_one(page, hand):
    for _ in range(3):
        page.by_name["add"].trigger()
    assert [key.camera.position[2] for key in page.keys] == [0, 1, 2]
    page.list.setCurrentRow(0)
    page.by_name["add"].trigger()
    assert [key.camera.position[2] for key in page.keys] == [0, 3, 1, 2]
    assert page.list.currentRow() == 1


def test_key_frames_are_replaced_moved_and_removed(page):
    for _ in range(3):
        page.by_name["add"].trigger()
    page.list.setCurrentRow(1)
    page.by_name["replace"].trigger()
    page.by_name["up"].trigger()
    assert [key.camera.position[2] for key in page.keys] == [3, 0, 2]
    page.by_name["up"].trigger()
    page.by_name["remove"].trigger()
    assert [key.camera.position[2] for key in page.keys] == [0, 2]
    page.by_name["remove"].trigger()
    page.by_name["remove"].trigger()
    assert page.keys == []
    assert not page.by_name["remove"].isEnabled()


def test_the_time_to_the_next_is_that_of_the_selected(page):
    for _ in range(3):
        page.by_name["add"].trigger()
    page.list.setCurrentRow(0)
    page.seconds.setValue(4.0)
    assert [key.seconds for key in page.keys] == [4, 2, 2]
    assert page.list.item(0).text() == "1   at 0.0 s, 4.0 s to the next"
    page.list.setCurrentRow(1)
    assert page.seconds.value() == 2
    assert page.list.item(2).text() == "3   at 6.0 s"


def test_a_double_click_shows_a_key_frame(page):
    seen = []
    page.gone_to.connect(seen.append)
    page.by_name["add"].trigger()
    box = page.list.visualItemRect(page.list.item(0)).center()
    view = page.list.viewport()
    QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=box)
    QTest.mouseDClick(view, Qt.MouseButton.LeftButton, pos=box)
    assert seen == page.keys


def test_the_movie_goes_from_the_first_to_the_last(page):
    for _ in range(2):
        page.by_name["add"].trigger()
    page.rate.setValue(10)
    frames = page.frames(HERE)
    assert len(frames) == 21
    assert frames[0].camera == page.keys[0].camera
    assert frames[-1].camera == page.keys[1].camera


def test_one_key_frame_is_no_movie(page):
    page.by_name["add"].trigger()
    with pytest.raises(OptionError, match="two key frames or more; found 1"):
        page.frames(HERE)


def test_without_a_view_nothing_is_added(qtbot):
    page = KeyFramePage(lambda: None)
    qtbot.addWidget(page)
    page.by_name["add"].trigger()
    assert page.keys == []
