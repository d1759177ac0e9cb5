"""The fields and the handle of the oblique plane show and set where it is."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication, QEvent, QPoint, Qt
from qtpy.QtTest import QTest


@pytest.fixture
def panel(dock, scene, hand):
    scene.move_cross_hair((10.0, 20.0, 24.0))
    dock.set_layout("plane")
    hand.settle(dock)
    panel = dock.panels.plane
    dock.panels.open(panel, is_open=True)
    return panel


def typed(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def test_it_is_offered_only_where_there_is_an_oblique_slice(panel, dock):
    section = dock.panels.section_of(panel)
    assert section.isVisible()
    dock.set_layout("3D")
    assert not section.isVisible()


def test_the_fields_show_and_set_where_the_plane_lies(panel, dock, scene):
    view = dock.frames["plane"].view
    assert [box.value for box in panel.position] == [10.0, 20.0, 24.0]
    np.testing.assert_allclose([box.value for box in panel.normal], view.normal)
    typed(panel.position[0], "12")
    assert scene.cross_hair == (12.0, 20.0, 24.0)
    view.normal = (1.0, 0.0, 0.0)
    typed(panel.normal[1], "1")
    np.testing.assert_allclose(view.normal, (0.5**0.5, 0.5**0.5, 0.0))
    assert view.undo()
    assert view.normal == (1.0, 0.0, 0.0)
    assert panel.normal[0].value == 1.0


def test_a_normal_without_length_is_not_taken(panel, dock):
    view = dock.frames["plane"].view
    view.normal = (1.0, 0.0, 0.0)
    typed(panel.normal[0], "0")
    assert view.normal == (1.0, 0.0, 0.0)
    assert panel.normal[0].value == 1.0


def test_tilt_and_turn_can_be_typed_and_follow_the_normal(panel, dock):
    view = dock.frames["plane"].view
    view.normal = (0.0, 0.0, 1.0)
    assert [box.value for box in panel.angles] == [90.0, 0.0]
    typed(panel.angles[1], "90")
    np.testing.assert_allclose(view.normal, (0.0, 1.0, 0.0), atol=1e-12)
    typed(panel.angles[0], "60")
    np.testing.assert_allclose(view.normal, (0.5, 0.75**0.5, 0.0), atol=1e-12)
    assert panel.normal[0].value == pytest.approx(0.5)
    assert view.undo()
    np.testing.assert_allclose(view.angles, (90.0, 90.0))
    assert panel.angles[0].value == pytest.approx(90.0)


def test_a_turn_is_kept_while_the_plane_lies_across_z(panel, dock):
    view = dock.frames["plane"].view
    typed(panel.angles[0], "0")
    typed(panel.angles[1], "90")
    assert panel.angles[1].value == 90.0
    typed(panel.angles[0], "30")
    np.testing.assert_allclose(view.angles, (30.0, 90.0))


def test_the_convention_of_the_angles_is_said(panel):
    tilt, turn = (box.toolTip() for box in panel.angles)
    assert "z axis" in tilt
    assert "towards x" in turn
    assert "towards y" in turn


# -- frame and handle in the volume ------------------------------------------------


@pytest.fixture
def both(make_dock, scene, blob, hand):
    scene.add(blob, "ball")
    scene.move_cross_hair((16.0, 20.0, 24.0))
    dock = make_dock("3D+plane", size=(640, 420))
    hand.settle(dock)
    return dock


def drag(dock, part, by):
    """Drag a part of the handle by pixels with the left button."""
    picture = dock.frames["3D"].picture
    x, y = getattr(dock.panels.plane_in_volume.overlay.handle, part)
    start = QPoint(round(x), round(y))
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(picture, left, pos=start)
    for i in range(1, 6):
        QTest.mouseMove(picture, start + QPoint(*by) * i / 5)
    QTest.mouseRelease(picture, left, pos=start + QPoint(*by))


def test_frame_and_handle_are_there_only_beside_an_oblique_slice(both):
    there = both.panels.plane_in_volume
    assert len(there.overlay.polygon) >= 3
    assert there.overlay.handle is not None
    for layout in ("3D", "2x2", "plane"):
        both.set_layout(layout)
        assert there.overlay is None
    both.set_layout("3D+plane")
    assert there.overlay is not None


@pytest.mark.bindings
def test_a_drag_of_the_tip_tilts_the_plane_and_moves_nothing_else(both, scene):
    view, volume = both.frames["plane"].view, both.frames["3D"].view
    before, camera, point = view.normal, volume.camera, scene.cross_hair
    drag(both, "tip", (-18, 14))
    assert 0.3 < np.dot(view.normal, before) < 0.999
    assert view.position == point
    assert scene.cross_hair == point
    assert volume.camera is camera
    np.testing.assert_allclose(abs(view.camera.forward @ view.normal), 1)


def test_a_drag_of_the_foot_shifts_the_plane_and_leaves_the_cross_hair(both, scene):
    view, volume = both.frames["plane"].view, both.frames["3D"].view
    before, camera, point = view.plane, volume.camera, scene.cross_hair
    place = both.panels.plane_in_volume.overlay.handle
    way = np.subtract(place.tip, place.foot)
    way = np.round(25 * way / np.linalg.norm(way)).astype(int)
    drag(both, "foot", tuple(way.tolist()))
    after = view.plane
    assert after.normal == before.normal
    assert abs(before.distance(after.point)) > 1
    assert scene.cross_hair == point
    assert volume.camera is camera
    assert not view.slice.has_cross_hair
    scene.move_cross_hair((10.0, 11.0, 12.0))
    assert view.position == (10.0, 11.0, 12.0), "the plane comes back to it"


@pytest.mark.parametrize("part", ["tip", "foot"])
def test_one_drag_is_one_step_to_undo(both, part):
    view = both.frames["plane"].view
    before, camera = view.plane, view.camera
    drag(both, part, (-18, 14))
    after = view.plane
    assert after != before
    assert view.undo()
    assert (view.plane, view.camera) == (before, camera)
    assert not view.can_undo
    assert view.redo()
    assert view.plane == after


def test_a_drag_beside_the_handle_turns_the_volume(both):
    view, volume = both.frames["plane"].view, both.frames["3D"].view
    before, camera = view.plane, volume.camera
    picture = both.frames["3D"].picture
    left = Qt.MouseButton.LeftButton
    QTest.mousePress(picture, left, pos=QPoint(8, 200))
    QTest.mouseMove(picture, QPoint(40, 200))
    QTest.mouseRelease(picture, left, pos=QPoint(40, 200))
    assert volume.camera is not camera
    assert view.plane == before


def test_the_handle_lies_above_the_lines_of_text(both):
    frame = both.frames["3D"]
    children = frame.picture.children()
    canvas = both.panels.plane_in_volume.overlay.canvas
    assert children.index(canvas) > children.index(frame.readout)
    assert children.index(canvas) > children.index(frame.tag)


def test_the_fields_follow_the_handle(both):
    panel, view = both.panels.plane, both.frames["plane"].view
    both.panels.open(panel, is_open=True)
    drag(both, "tip", (-18, 14))
    drag(both, "foot", (-9, 12))
    np.testing.assert_allclose([b.value for b in panel.angles], view.angles)
    np.testing.assert_allclose([b.value for b in panel.normal], view.normal)
    np.testing.assert_allclose([b.value for b in panel.position], view.position)


def test_a_shifted_plane_is_moved_on_alone_by_the_wheel_and_by_numbers(both, scene):
    view, point = both.frames["plane"].view, scene.cross_hair
    drag(both, "foot", (-9, 12))
    before = view.plane
    view.slice.scroll(2)
    assert abs(before.distance(view.position)) > 1
    view.position = (15.0, 20.0, 24.0)
    assert view.position == (15.0, 20.0, 24.0)
    assert scene.cross_hair == point


def test_where_the_plane_was_shifted_a_cross_hair_is_neither_shown_nor_moved(
    both, scene
):
    frame, point = both.frames["plane"], scene.cross_hair
    frame.view.set_overlay_options("marker", visible=True)
    drag(both, "foot", (-9, 12))
    QTest.mouseClick(frame.picture, Qt.MouseButton.LeftButton, pos=QPoint(40, 200))
    assert scene.cross_hair == point


def test_the_plane_lies_the_same_in_every_layout_that_shows_it(both):
    view = both.frames["plane"].view
    drag(both, "foot", (-9, 12))
    drag(both, "tip", (-18, 14))
    plane = view.plane
    both.set_layout("plane")
    assert both.frames["plane"].view.plane == plane
    both.set_layout("3D")
    both.set_layout("3D+plane")
    assert both.frames["plane"].view.plane == plane


def test_reset_puts_the_plane_through_the_cross_hair_in_one_step(both, scene, hand):
    panel, view = both.panels.plane, both.frames["plane"].view
    first = view.plane
    drag(both, "foot", (-9, 12))
    drag(both, "tip", (-18, 14))
    moved = view.plane
    both.panels.open(panel, is_open=True)
    hand.settle(both)
    hand.click(panel.reset)
    np.testing.assert_allclose(view.normal, first.normal)
    assert view.position == scene.cross_hair
    assert view.undo()
    assert view.plane == moved
    assert not view.slice.has_cross_hair


def test_a_part_is_lit_only_while_the_cursor_is_on_it(both, hand):
    picture, overlay = both.frames["3D"].picture, both.panels.plane_in_volume.overlay
    x, y = overlay.handle.tip
    # From elsewhere, for a cursor that stays where it is tells nothing.
    QTest.mouseMove(picture, QPoint(5, 200))
    QTest.mouseMove(picture, QPoint(round(x), round(y)))
    hand.wait(lambda: "tilts" in picture.toolTip())
    QCoreApplication.sendEvent(picture, QEvent(QEvent.Type.Leave))
    assert picture.toolTip() == ""


def test_a_plane_beside_the_volume_has_neither_frame_nor_handle(both, scene):
    overlay = both.panels.plane_in_volume.overlay
    before = len(overlay.polygon)
    scene.move_cross_hair((500.0, 20.0, 24.0))
    assert before
    assert len(overlay.polygon) == 0
    assert overlay.handle is None
