"""The histogram is drawn and taken hold of where the values are."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QContextMenuEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from brickfield.model.appearance import gray_lut
from brickfield.qt.panels.contrast.editor import CURVE, THRESHOLD, HistogramEditor
from brickfield.viewer.controls import OPAQUE, RAMP
from brickfield.viewer.controls.histogram import histogram_of
from brickfield.viewer.controls.transfer_plot import Look

LEFT = Qt.MouseButton.LeftButton
VALUES = np.repeat(np.arange(101, dtype=np.uint8), 50)
LOOK = Look((20.0, 80.0), is_whole=True)


@pytest.fixture
def editor(qtbot):
    editor = HistogramEditor()
    qtbot.addWidget(editor)
    editor.resize(316, 118)
    editor.show()
    editor.show_layer(LOOK, histogram_of(VALUES), gray_lut())
    return editor


@pytest.fixture
def told(editor):
    told = []
    editor.chosen.connect(lambda name, value: told.append((name, value)))
    editor.reset.connect(lambda name: told.append((name, None)))
    return told


def at(editor, value, share):
    return QPoint(round(editor.plot.x(value)), round(editor.plot.y(share)))


def drag(editor, start, end):
    QTest.mousePress(editor, LEFT, pos=start)
    QTest.mouseMove(editor, (start + end) / 2)
    QTest.mouseMove(editor, end)
    QTest.mouseRelease(editor, LEFT, pos=end)


def color_at(editor, point):
    return editor.grab().toImage().pixelColor(point)


def test_the_plot_shows_all_values_with_room(editor):
    assert (editor.plot.low, editor.plot.high) == (-2.0, 102.0)


def test_dragging_a_line_tells_the_contrast_in_the_values_own_precision(editor, told):
    drag(editor, at(editor, 20, 0.7), at(editor, 41.3, 0.7))
    assert told[-1] == ("contrast", (41.0, 80.0))


def test_dragging_the_bar_below_moves_both_ends(editor, told):
    start = QPoint(at(editor, 50, 0).x(), 113)
    drag(editor, start, start + QPoint(round(editor.plot.x(10) - editor.plot.x(0)), 0))
    assert told[-1] == ("contrast", (30.0, 90.0))


def test_dragging_the_dot_tells_the_gamma(editor, told):
    drag(editor, at(editor, 50, 0.5), at(editor, 50, 0.25))
    name, value = told[-1]
    assert name == "gamma"
    assert value == pytest.approx(2.0, abs=0.1)


def test_a_drag_beside_everything_tells_nothing(editor, told):
    drag(editor, at(editor, 35, 0.9), at(editor, 60, 0.9))
    assert told == []


def test_double_clicks_ask_for_what_is_usual(editor, told):
    QTest.mouseDClick(editor, LEFT, pos=at(editor, 20, 0.7))
    QTest.mouseDClick(editor, LEFT, pos=at(editor, 50, 0.5))
    assert told == [("contrast", None), ("gamma", None)]


def test_a_curve_gets_points_by_double_click_and_loses_them_by_right_click(
    editor, told
):
    curved = Look((20.0, 80.0), curve=RAMP)
    editor.show_layer(curved, histogram_of(VALUES), gray_lut())
    QTest.mouseDClick(editor, LEFT, pos=at(editor, 35, 0.8))
    name, curve = told[-1]
    assert name == "opacity_curve"
    assert curve[1] == pytest.approx((0.25, 0.8), abs=0.02)
    editor.show_layer(Look((20.0, 80.0), curve=curve), None, gray_lut())
    spot = at(editor, 35, curve[1][1])
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, spot, spot)
    QApplication.sendEvent(editor, event)
    assert told[-1] == ("opacity_curve", RAMP)


def test_a_point_of_the_curve_is_dragged(editor, told):
    editor.show_layer(Look((20.0, 80.0), curve=OPAQUE), None, gray_lut())
    drag(editor, at(editor, 80, 1.0), at(editor, 80, 0.5))
    name, curve = told[-1]
    assert name == "opacity_curve"
    assert curve == ((0.0, 1.0), (1.0, pytest.approx(0.5, abs=0.02)))


def test_without_a_curve_a_double_click_adds_no_point(editor, told):
    QTest.mouseDClick(editor, LEFT, pos=at(editor, 35, 0.8))
    assert told == []


def test_a_threshold_is_a_line_that_can_be_dragged(editor, told):
    editor.show_layer(Look((20.0, 80.0), threshold=60.0), None, gray_lut())
    drag(editor, at(editor, 60, 0.3), at(editor, 70, 0.3))
    assert told[-1] == ("iso_threshold", pytest.approx(70.0, abs=0.5))


def test_the_wheel_zooms_round_the_hand(editor):
    spot = at(editor, 50, 0.5)
    value = editor.plot.value(spot.x())
    wheel = QWheelEvent(
        QPointF(spot),
        QPointF(spot),
        QPoint(),
        QPoint(0, 480),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(editor, wheel)
    assert editor.plot.high - editor.plot.low < 60
    assert editor.plot.value(spot.x()) == pytest.approx(value)
    editor.show_all()
    assert (editor.plot.low, editor.plot.high) == (-2.0, 102.0)


def test_while_a_hand_drags_the_plot_stands_still(editor):
    """Another range arrives in the middle of a drag."""
    QTest.mousePress(editor, LEFT, pos=at(editor, 80, 0.7))
    editor.show_layer(Look((20.0, 500.0)), histogram_of(VALUES), gray_lut())
    assert editor.plot.high == 102.0
    QTest.mouseRelease(editor, LEFT, pos=at(editor, 80, 0.7))
    assert editor.plot.high > 500.0


def test_the_colour_bar_shows_what_values_become(editor):
    row = 113
    dark = color_at(editor, QPoint(at(editor, 10, 0).x(), row))
    middle = color_at(editor, QPoint(at(editor, 50, 0).x(), row))
    bright = color_at(editor, QPoint(at(editor, 90, 0).x(), row))
    assert (dark.red(), bright.red()) == (0, 255)
    assert abs(middle.red() - 128) < 6


def test_curve_and_threshold_can_be_told_apart_by_their_colours(editor):
    look = Look((20.0, 80.0), curve=OPAQUE, threshold=60.0)
    editor.show_layer(look, None, gray_lut())
    assert color_at(editor, at(editor, 80, 1.0)).name() == CURVE.name()
    threshold = color_at(editor, QPoint(at(editor, 60, 0).x(), 8))
    assert threshold.name() == THRESHOLD.name()
