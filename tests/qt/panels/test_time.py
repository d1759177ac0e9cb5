"""Time: sliders of the scene, and playing that waits for nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from brickfield.qt.panels.time import TimePanel, place_of
from brickfield.qt.theme import ACCENT
from brickfield.store import LayerSnapshot
from brickfield.viewer.live import SliderAxis, ViewReport

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def movie(scene):
    """Five time points of a small image."""
    array = np.zeros((5, 4, 6, 8), np.uint8)
    return scene.add(array, "movie", axes="tzyx")


@pytest.fixture
def panel(qtbot, host, movie):
    panel = TimePanel(host)
    qtbot.addWidget(panel)
    panel.resize(320, 100)
    panel.set_open(True)
    panel.show()
    yield panel
    panel.connections.release()


@pytest.fixture
def draws(host, scene):
    """Shows the view, and lets it draw the present step when it is called."""
    view = host.main_view
    view.client.state = replace(view.client.state, is_shown=True)

    def draw(*, has_base=True, is_of_now=True, at_hand=()):
        layers = tuple(LayerSnapshot.of(p.data) for p in scene.layers)
        if not is_of_now:
            layers = tuple(replace(s, selections=((99,),)) for s in layers)
        image = np.zeros((2, 2, 4), np.uint8)
        view.client.report = ViewReport(
            image,
            replace(view.client.state, layers=layers),
            has_base=has_base,
            at_hand=at_hand,
        )
        view.reported.emit(view.report)

    return draw


def test_there_is_a_row_for_each_axis_and_none_without(qtbot, host, scene):
    panel = TimePanel(host)
    qtbot.addWidget(panel)
    assert not TimePanel.is_useful_in(host)
    scene.add(np.zeros((2, 3, 4, 5, 6), np.uint8), axes="tczyx")
    assert [row.name.text() for row in panel.rows] == ["t", "c"]
    assert TimePanel.is_useful_in(host)
    scene.remove(scene.layers[0])
    assert not TimePanel.is_useful_in(host)
    panel.connections.release()


def test_a_slider_moves_the_scene_and_follows_it(panel, scene):
    QTest.keyClick(panel.rows[0].slider, Qt.Key.Key_Right)
    assert scene.axes[0].position == 1
    scene.move_slider(0, 3)
    assert (panel.rows[0].slider.value(), panel.rows[0].step.text()) == (3, "3")
    assert scene.moves == [(0, 1), (0, 3)]


def test_a_step_can_be_typed_and_stays_within_the_axis(panel, scene):
    box = panel.rows[0].step
    box.selectAll()
    QTest.keyClicks(box, "77")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert scene.axes[0].position == 4


def test_a_double_click_goes_to_the_first_step(panel, scene):
    scene.move_slider(0, 3)
    QTest.mouseDClick(panel.rows[0].slider, LEFT, pos=QPoint(100, 8))
    assert scene.axes[0].position == 0


def test_the_button_plays_and_pauses_and_the_views_are_told(panel, host):
    QTest.mouseClick(panel.rows[0].play, LEFT)
    assert panel.player.is_playing
    assert host.main_view.client.state.is_playing
    QTest.mouseClick(panel.rows[0].play, LEFT)
    assert not panel.player.is_playing
    assert not host.main_view.client.state.is_playing


def test_a_step_that_is_drawn_is_followed_by_the_next(panel, scene, draws):
    panel.player.play()
    draws()
    panel.player.tick()
    assert scene.axes[0].position == 1
    assert (panel.player.n_shown, panel.player.n_dropped) == (1, 0)


def test_a_step_that_is_not_drawn_yet_stays_and_is_counted(panel, scene, draws):
    panel.player.play()
    draws()
    panel.player.tick()
    panel.player.tick()
    assert scene.axes[0].position == 1
    assert panel.count.text() == "1 dropped"
    draws()
    panel.player.tick()
    assert scene.axes[0].position == 2


@pytest.mark.parametrize("kind", [{"is_of_now": False}, {"has_base": False}])
def test_a_picture_of_another_step_or_with_holes_does_not_count(
    panel, scene, draws, kind
):
    panel.player.play()
    draws(**kind)
    panel.player.tick()
    assert scene.axes[0].position == 0


def test_what_never_gets_drawn_does_not_hold_up_all_others(panel, scene, draws):
    """2 s of patience at 10 steps a second are 20 moments."""
    draws(is_of_now=False)
    panel.player.play()
    for _ in range(21):
        panel.player.tick()
    assert scene.axes[0].position == 1
    assert panel.player.n_dropped == 20


def test_without_loop_it_stops_at_the_end(panel, scene, draws):
    panel.loop.setChecked(False)
    scene.move_slider(0, 3)
    panel.player.play()
    for _ in range(2):
        draws()
        panel.player.tick()
    assert scene.axes[0].position == 4
    assert not panel.player.is_playing


def test_with_loop_it_begins_again(panel, scene, draws):
    scene.move_slider(0, 3)
    panel.player.play()
    for _ in range(2):
        draws()
        panel.player.tick()
    assert scene.axes[0].position == 0


def test_played_from_the_last_step_it_begins_at_the_first(panel, scene):
    scene.move_slider(0, 4)
    panel.player.play()
    assert scene.axes[0].position == 0


def test_a_rate_can_be_typed_within_reason(panel):
    for text, rate in (("24 fps", 24.0), ("1000", 60.0)):
        panel.rate.selectAll()
        QTest.keyClicks(panel.rate, text)
        QTest.keyClick(panel.rate, Qt.Key.Key_Return)
        assert panel.player.rate == rate


def test_steps_at_hand_are_drawn_below_the_slider(panel, draws):
    draws(at_hand=(True, True, False, False, True))
    image = panel.rows[0].strip.pixmap().toImage()
    width = image.width() // 5
    opaque = [image.pixelColor(x * width + 1, 0).alphaF() > 0.5 for x in range(5)]
    assert opaque == [True, True, False, False, True]


def test_what_is_at_hand_is_seen_in_a_narrow_panel(panel, draws):
    draws(at_hand=(True,) * 5)
    strip = panel.rows[0].strip
    assert strip.width() < strip.pixmap().width()
    seen = strip.grab().toImage()
    color = seen.pixelColor(seen.width() // 2, seen.height() // 2)
    assert color.name() == ACCENT


def test_a_closed_panel_asks_no_view_what_is_at_hand(panel, host):
    assert host.main_view.client._axis is not None
    panel.set_open(False)
    assert host.main_view.client._axis is None


def test_after_the_end_it_plays_no_more(panel, scene, draws):
    panel.player.play()
    draws()
    panel.connections.release()
    panel.player.tick()
    assert not panel.player.is_playing
    assert scene.axes[0].position == 0


def test_a_place_has_its_unit():
    axis = SliderAxis(
        0, "t", is_time=True, n_steps=60, position=5, step=2.5, unit="second"
    )
    assert place_of(axis) == "/ 59 · 12.5 s"
    assert place_of(replace(axis, unit="")) == "/ 59"
