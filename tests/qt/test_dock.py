"""The dock keeps what a person made of each layout."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.camera import navigation
from brickfield.qt.view.view_frame import FLAT

pytestmark = [pytest.mark.qt, pytest.mark.gpu]


def turned(view):
    camera = view.camera
    z, y, x = camera.position
    return replace(camera, position=(z + 20.0, y - 10.0, x + 5.0))


def test_each_layout_keeps_its_own_camera(dock):
    turn = turned(dock.main_view)
    dock.main_view.camera = turn
    dock.set_layout("xy")
    flat = replace(dock.main_view.camera, height=7.0)
    dock.main_view.camera = flat
    dock.set_layout("3D")
    assert dock.main_view.camera == replace(turn, viewport=dock.main_view.viewport)
    dock.set_layout("xy")
    assert dock.main_view.camera.height == 7.0
    dock.set_layout("2x2")
    other = turned(dock.main_view)
    dock.main_view.camera = other
    dock.set_layout("3D")
    assert dock.main_view.camera.position == turn.position


def test_what_was_turned_is_not_cut_off_in_a_narrower_picture(make_dock, scene, blob):
    scene.add(blob)
    dock = make_dock("3D", size=(900, 500))
    view = dock.main_view
    view.camera = turned(view)
    wide, before = view.viewport, navigation.target_height(view.camera)
    dock.set_layout("3D+plane")
    assert view.viewport[0] < 0.6 * wide[0], "the picture is upright now"
    width, height = view.viewport
    seen = navigation.target_height(view.camera) * min(1, width / height)
    assert seen == pytest.approx(before * min(1, wide[0] / wide[1]))
    dock.set_layout("3D")
    assert navigation.target_height(view.camera) == pytest.approx(before)


def test_what_was_fitted_is_fitted_again(dock, scene, blob):
    dock.set_layout("xy")
    dock.set_layout("3D")
    assert dock.main_view.framing.is_fitting


def test_a_double_click_gives_one_of_several_pictures_all_the_room_and_takes_it_back(
    make_dock, scene, blob, qtbot
):
    scene.add(blob)
    dock = make_dock("2x2", size=(500, 460))
    picture = dock.frames["yz"].picture
    before = picture.width()
    QTest.mouseDClick(picture, Qt.MouseButton.LeftButton)
    assert [k for k, f in dock.frames.items() if f.isVisible()] == ["yz"]
    qtbot.waitUntil(lambda: picture.width() > 1.8 * before)
    QTest.mouseDClick(picture, Qt.MouseButton.LeftButton)
    assert all(frame.isVisible() for frame in dock.frames.values())


def test_a_double_click_leaves_the_cross_hair_where_it_was(
    make_dock, scene, blob, hand
):
    scene.add(blob)
    dock = make_dock("2x2", size=(500, 460))
    hand.settle(dock)
    before = scene.cross_hair
    corner = QPoint(20, 30)
    for _ in range(2):
        QTest.mouseDClick(
            dock.frames["yz"].picture, Qt.MouseButton.LeftButton, pos=corner
        )
        assert scene.cross_hair == before
    QTest.mouseClick(dock.frames["yz"].picture, Qt.MouseButton.LeftButton, pos=corner)
    assert scene.cross_hair != before


def test_another_layout_ends_what_was_maximised(make_dock, scene, blob):
    scene.add(blob)
    dock = make_dock("2x2")
    dock.maximise("xy")
    dock.set_layout("3D")
    assert dock.frames["3D"].isVisible()
    dock.set_layout("2x2")
    assert all(frame.isVisible() for frame in dock.frames.values())


def test_undo_has_buttons_that_say_whether_there_is_anything(dock):
    undo, redo = (dock.toolbar.by_name[name] for name in ("undo", "redo"))
    assert not undo.isEnabled()
    before = dock.main_view.camera
    dock.main_view.camera = turned(dock.main_view)
    assert undo.isEnabled()
    undo.trigger()
    assert dock.main_view.camera == before
    assert redo.isEnabled()
    assert not undo.isEnabled()


def test_flat_data_begin_in_xy_and_volumes_in_3d(make_dock, scene, blob):
    flat = scene.add(np.zeros((1, 20, 30), np.uint8))
    dock = make_dock()
    assert dock.layout_name == "xy"
    scene.add(blob)
    assert dock.layout_name == "3D"
    dock.toolbar.layouts.actions_by_name["3D"].trigger()
    scene.remove(scene.layers[-1])
    assert list(scene.layers) == [flat]
    assert dock.layout_name == "3D", "somebody has chosen"


def test_a_view_that_joins_looks_as_the_others_do(dock):
    dock.main_view.quality = 2.0
    dock.main_view.show_levels = True
    for layout in ("2x2", "xy"):
        dock.set_layout(layout)
        looks = {(view.quality, view.show_levels) for view in dock.views}
        assert looks == {(2.0, True)}


def test_panes_across_z_say_that_data_are_flat(make_dock, scene):
    """A script may ask for them; black alone would look like a fault."""
    scene.add(np.full((1, 24, 32), 90, np.uint8), "flat")
    dock = make_dock("2x2")
    tags = {kind: frame.tag.text() for kind, frame in dock.frames.items()}
    assert tags["xy"] == "xy"
    assert tags["xz"] == f"xz · {FLAT}"
    assert tags["yz"] == f"yz · {FLAT}"
    buttons = dock.toolbar.layouts.actions_by_name
    assert not buttons["xz"].isEnabled()
    scene.add(np.full((8, 24, 32), 90, np.uint8), "deep")
    assert buttons["xz"].isEnabled()
    assert FLAT not in dock.frames["xz"].tag.text()
