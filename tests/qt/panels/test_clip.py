"""The clip box is the layers'; sliders, numbers and knobs write to it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.qt.panels.clip import ClipPanel
from brickfield.viewer.controls import Face
from brickfield.viewer.live import history_of

LEFT = Qt.MouseButton.LeftButton
WHOLE = ((-0.5, -0.5, -0.5), (31.5, 39.5, 47.5))


@pytest.fixture
def layer(scene, blob):
    return scene.add(blob, "ball")


@pytest.fixture
def panel(qtbot, host, layer):
    host.frames["3D"].picture.resize(400, 300)
    panel = ClipPanel(host)
    qtbot.addWidget(panel)
    panel.resize(320, 140)
    panel.show()
    panel.set_open(True)
    yield panel
    panel.set_open(False)
    panel.connections.release()


def typed(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


def knob_at(overlay, face):
    x, y = overlay.knobs[face].px
    return QPoint(round(x), round(y))


def drag(picture, start, by):
    QTest.mousePress(picture, LEFT, pos=start)
    for i in range(1, 5):
        QTest.mouseMove(picture, start + by * i / 4)
    QTest.mouseRelease(picture, LEFT, pos=start + by)


def test_without_a_box_the_whole_is_shown_and_nothing_is_cut(panel, layer):
    assert not panel.is_on.isChecked()
    assert [s.value() for s in panel.sliders] == [
        (-0.5, 31.5),
        (-0.5, 39.5),
        (-0.5, 47.5),
    ]
    assert layer.clip_box is None


def test_flat_data_have_no_row_for_z(panel, scene, layer):
    assert panel.sliders[0].isVisible()
    scene.remove(layer)
    scene.add(np.full((1, 24, 32), 90, np.uint8), "flat")
    shown = [[slider.isVisible() for slider in panel.sliders]]
    for side in (0, 1):
        shown += [[ends[side].isVisible() for ends in panel.boxes]]
    assert shown == [[False, True, True]] * 3
    scene.add(np.full((8, 24, 32), 90, np.uint8), "deep")
    assert all(slider.isVisible() for slider in panel.sliders)


def test_a_slider_makes_a_box(panel, layer):
    panel.sliders[0].setValue((4.0, 20.0))
    assert layer.clip_box == ((4.0, -0.5, -0.5), (20.0, 39.5, 47.5))
    assert panel.is_on.isChecked()


def test_a_cut_through_several_layers_is_one_act_however_long_it_takes(
    panel, layer, scene, blob
):
    """On a busy machine each layer's owner takes seconds; a later cut is another act."""
    other = scene.add(blob, "another ball")
    history = history_of(scene)
    seconds = itertools.count(0.0, 5.0)
    history._clock = lambda: next(seconds)
    typed(panel.boxes[2][1], "30")
    cut = layer.clip_box
    typed(panel.boxes[2][1], "20")
    assert layer.clip_box == other.clip_box != cut
    history.undo()
    assert (layer.clip_box, other.clip_box) == (cut, cut)
    history.undo()
    assert (layer.clip_box, other.clip_box) == (None, None)


def test_a_slider_that_is_held_still_is_one_act(panel, layer, scene):
    """However long the hand rests before it goes on; the next one is another act."""
    history, slider = history_of(scene), panel.sliders[2]
    now = 0.0
    history._clock = lambda: now
    slider.sliderPressed.emit()
    for end in (40.0, 30.0, 20.0):
        now += 5.0
        slider.setValue((0.0, end))
    slider.sliderReleased.emit()
    cut = layer.clip_box
    slider.sliderPressed.emit()
    slider.setValue((0.0, 10.0))
    slider.sliderReleased.emit()
    assert history.undo()
    assert layer.clip_box == cut
    assert history.undo()
    assert layer.clip_box is None
    assert not history.can_undo


def test_an_end_can_be_typed_and_stays_within_the_data(panel, layer):
    typed(panel.boxes[2][1], "30")
    typed(panel.boxes[2][0], "-100")
    assert layer.clip_box == (WHOLE[0], (31.5, 39.5, 30.0))


def test_it_follows_a_box_that_others_make(panel, layer):
    layer.clip_box = ((1.0, 2.0, 3.0), (11.0, 12.0, 13.0))
    assert panel.sliders[1].value() == (2.0, 12.0)
    assert panel.boxes[2][0].text() == "3.0"
    assert layer.writes == [("clip_box", ((1.0, 2.0, 3.0), (11.0, 12.0, 13.0)))]


def test_ends_that_are_infinite_are_shown_as_those_of_the_data(panel, layer):
    layer.clip_box = ((-np.inf, 2.0, -np.inf), (np.inf, 12.0, np.inf))
    assert [s.value() for s in panel.sliders] == [
        (-0.5, 31.5),
        (2.0, 12.0),
        (-0.5, 47.5),
    ]


def test_a_double_click_shows_all_along_one_axis(panel, layer):
    layer.clip_box = ((1.0, 2.0, 3.0), (11.0, 12.0, 13.0))
    QTest.mouseDClick(panel.sliders[0], LEFT, pos=QPoint(3, 3))
    assert layer.clip_box == ((-0.5, 2.0, 3.0), (31.5, 12.0, 13.0))


def test_switched_off_and_on_it_is_the_same_box(panel, layer):
    box = ((1.0, 2.0, 3.0), (11.0, 12.0, 13.0))
    layer.clip_box = box
    QTest.mouseClick(panel.is_on, LEFT, pos=QPoint(8, 8))
    assert layer.clip_box is None
    QTest.mouseClick(panel.is_on, LEFT, pos=QPoint(8, 8))
    assert layer.clip_box == box


def test_reset_takes_the_box_away(panel, layer):
    layer.clip_box = ((1.0, 2.0, 3.0), (11.0, 12.0, 13.0))
    QTest.mouseClick(panel.reset, LEFT)
    assert layer.clip_box is None
    assert panel.sliders[0].value() == (-0.5, 31.5)


def test_all_layers_are_cut_or_the_active_one_alone(panel, layer, scene, blob):
    other = scene.add(blob, "other")
    panel.all_layers.setChecked(False)
    panel.sliders[0].setValue((4.0, 20.0))
    assert (layer.clip_box, other.clip_box is None) == (None, False)
    panel.all_layers.setChecked(True)
    panel.sliders[0].setValue((5.0, 20.0))
    assert layer.clip_box == other.clip_box == ((5.0, -0.5, -0.5), (20.0, 39.5, 47.5))


def test_without_layers_there_is_nothing_to_cut(panel, layer, scene):
    scene.remove(layer)
    assert not panel.is_on.isEnabled()
    assert panel.box is None


def test_a_knob_drags_its_face_and_the_volume_does_not_turn(panel, layer, host):
    panel.is_on.setChecked(True)
    camera = host.main_view.camera
    overlay = panel.overlays["3D"]
    front = next(f for f, k in overlay.knobs.items() if k.is_front and f.axis == 2)
    start = knob_at(overlay, front)
    middle = np.array([200, 150])
    inward = middle - np.array([start.x(), start.y()])
    inward = 40 * inward / np.linalg.norm(inward)
    drag(host.frames["3D"].picture, start, QPoint(round(inward[0]), round(inward[1])))
    side = int(front.is_upper)
    assert abs(layer.clip_box[side][2] - WHOLE[side][2]) > 2
    assert layer.clip_box[1 - side] == WHOLE[1 - side]
    assert host.main_view.camera is camera


def test_beside_the_knobs_a_drag_turns_the_volume(panel, layer, host):
    camera = host.main_view.camera
    drag(host.frames["3D"].picture, QPoint(5, 5), QPoint(40, 0))
    assert host.main_view.camera is not camera
    assert layer.clip_box is None


def test_a_slice_has_knobs_for_the_faces_that_it_can_drag(panel, host, settle):
    panel.is_on.setChecked(True)
    host.show("3D", "xy")
    settle()
    axes = {face.axis for face in panel.overlays["xy"].knobs}
    assert axes == {1, 2}


def test_a_closed_panel_leaves_the_pictures_alone(panel, layer, host):
    panel.is_on.setChecked(True)
    box = layer.clip_box
    start = knob_at(panel.overlays["3D"], Face(2, is_upper=True))
    panel.set_open(False)
    assert panel.overlays == {}
    drag(host.frames["3D"].picture, start, QPoint(-40, 0))
    assert layer.clip_box == box


def test_there_are_knobs_only_while_the_box_is_on(panel):
    overlay = panel.overlays["3D"]
    assert overlay.knobs == {}
    panel.is_on.setChecked(True)
    assert overlay.knobs
    panel.is_on.setChecked(False)
    assert overlay.knobs == {}


def test_knobs_lie_above_the_lines_of_text(panel, host):
    frame = host.frames["3D"]
    children = frame.picture.children()
    canvas = panel.overlays["3D"].canvas
    assert children.index(canvas) > children.index(frame.readout)
    assert children.index(canvas) > children.index(frame.tag)
