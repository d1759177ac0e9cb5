"""Small controls tell of what a hand did to them, and only of that."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from brickfield.qt.panels.widgets import (
    NumberBox,
    NumberSlider,
    number_format,
    parse_number,
)

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def box(qtbot):
    box = NumberBox(lambda v: f"{v:.2f} µm")
    qtbot.addWidget(box)
    box.show()
    return box


@pytest.fixture
def slider(qtbot):
    slider = NumberSlider(0.0, 10.0, 5.0)
    qtbot.addWidget(slider)
    slider.resize(300, 30)
    slider.show()
    return slider


def typed(box, text):
    box.selectAll()
    QTest.keyClicks(box, text)
    QTest.keyClick(box, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5),
        ("12,5 µm", 12.5),
        (" -3e2nm", -300.0),
        ("abc", None),
        ("", None),
        ("inf", None),
    ],
)
def test_a_number_is_read_in_front_of_a_unit(text, value):
    assert parse_number(text) == value


@pytest.mark.parametrize(
    ("kind", "span", "value", "text"),
    [
        ("u", 65535, 1024.0, "1024"),
        ("f", 1.0, 0.12345, "0.123"),
        ("f", 1e-9, 1.2345e-9, "1.2345e-09"),
        ("f", 2000.0, 12.345, "12"),
        ("f", float("nan"), 0.5, "0.500"),
        ("f", 1.0, -1e-9, "0.000"),
    ],
)
def test_values_are_written_with_the_precision_of_their_data(kind, span, value, text):
    assert number_format(kind, span)(value) == text


def test_a_typed_number_is_told_once(box, qtbot):
    told = []
    box.typed.connect(told.append)
    typed(box, "3.5")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert told == [3.5]


def test_what_is_no_number_leaves_the_value_that_was(box):
    box.follow(2.0)
    typed(box, "nonsense")
    assert box.text() == "2.00 µm"


def test_following_is_silent(box, slider):
    told = []
    box.typed.connect(told.append)
    slider.moved.connect(told.append)
    box.follow(7.0)
    slider.follow(7.0)
    assert (box.text(), slider.slider.value(), told) == ("7.00 µm", 700, [])


def test_escape_gives_up_what_was_typed(box):
    told = []
    box.typed.connect(told.append)
    box.follow(2.0)
    QTest.keyClicks(box, "99")
    QTest.keyClick(box, Qt.Key.Key_Escape)
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert (box.text(), told) == ("2.00 µm", [])


def test_a_slider_tells_the_value_under_the_hand(slider):
    told = []
    slider.moved.connect(told.append)
    QTest.keyClick(slider.slider, Qt.Key.Key_End)
    assert told == [10.0]
    assert slider.value == 10.0


def test_a_double_click_resets_a_slider(slider):
    slider.follow(9.0)
    told = []
    slider.moved.connect(told.append)
    QTest.mouseDClick(slider.slider, LEFT, pos=QPoint(5, 10))
    assert (told[-1], slider.value) == (5.0, 5.0)


def test_a_typed_number_may_lie_beyond_the_slider_but_not_beyond_the_limits(slider):
    slider.limits = (0.0, 100.0)
    typed(slider.box, "50")
    assert slider.value == 50.0
    typed(slider.box, "1000")
    assert slider.value == 100.0


def test_equal_ways_on_a_logarithmic_slider_are_equal_factors(qtbot):
    slider = NumberSlider(0.25, 4.0, 1.0, is_logarithmic=True)
    qtbot.addWidget(slider)
    slider.follow(1.0)
    assert slider.slider.value() == 500


def test_a_patient_slider_tells_when_the_hand_lets_go(qtbot):
    slider = NumberSlider(0.0, 10.0, 5.0, is_patient=True)
    qtbot.addWidget(slider)
    told = []
    slider.moved.connect(told.append)
    slider.slider.setSliderDown(True)
    slider.slider.setSliderPosition(300)
    assert (slider.value, told) == (3.0, [])
    slider.slider.setSliderDown(False)
    assert told == [3.0]


def turned(widget):
    """Turn the wheel over a widget; tell whether it took it."""
    spot = QPointF(50, 8)
    wheel = QWheelEvent(
        spot,
        spot,
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, wheel)
    return wheel.isAccepted()


def test_the_wheel_over_a_slider_scrolls_what_is_behind_it(slider):
    slider.follow(5.0)
    slider.box.setFocus()
    assert not turned(slider.slider)
    assert slider.value == 5.0


def test_the_wheel_turns_a_slider_that_was_chosen(slider, qtbot):
    slider.follow(5.0)
    slider.activateWindow()
    slider.slider.setFocus()
    qtbot.waitUntil(slider.slider.hasFocus)
    assert turned(slider.slider)
    assert slider.value != 5.0
