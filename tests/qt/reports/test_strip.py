"""The message line takes room only while it has something to say."""

import pytest

from brickfield.qt.reports.strip import Strip

pytestmark = [pytest.mark.qt, pytest.mark.bindings]


@pytest.fixture
def strip(qtbot):
    strip = Strip("Choose…")
    qtbot.addWidget(strip)
    return strip


def test_it_takes_room_only_while_it_says_something(strip):
    assert strip.isHidden()
    strip.say("3 images")
    assert not strip.isHidden()
    assert strip.text.whole == "3 images"
    strip.say("")
    assert strip.isHidden()


def test_what_was_closed_stays_closed_until_it_is_about_something_else(strip, hand):
    strip.say("A/1 is shown", "plate")
    hand.click(strip.cross)
    strip.say("A/2 is shown", "plate")
    assert strip.isHidden()
    strip.say("2 images", "another file")
    assert not strip.isHidden()


def test_the_button_says_that_it_was_pressed(strip, hand, qtbot):
    strip.say("3 images")
    with qtbot.waitSignal(strip.pressed, timeout=5000):
        hand.click(strip.button)
