"""A row above the picture shows every layer and switches it."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from brickfield.qt.channel_chips import ChannelChips

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def chips(qtbot, scene):
    row = ChannelChips(scene)
    qtbot.addWidget(row)
    row.resize(300, 40)
    yield row
    row.release()()


def add(scene, *names):
    return [scene.add(np.zeros((4, 4, 4), np.uint8), name) for name in names]


def seen(ports):
    return [port.visible for port in ports]


def press(chip):
    QTest.mouseClick(chip, LEFT)


def double(chip):
    QTest.mouseClick(chip, LEFT)
    QTest.mouseDClick(chip, LEFT)


def test_one_layer_needs_no_row_and_two_do(chips, scene):
    add(scene, "nuclei")
    assert chips.isHidden()
    add(scene, "vessels")
    assert not chips.isHidden()
    assert [chip.text() for chip in chips.chips] == ["nuclei", "vessels"]


def test_a_click_hides_a_layer_and_shows_it_again(chips, scene):
    ports = add(scene, "nuclei", "vessels")
    press(chips.chips[1])
    assert seen(ports) == [True, False]
    assert not chips.chips[1].isChecked()
    press(chips.chips[1])
    assert seen(ports) == [True, True]


def test_a_double_click_shows_a_layer_alone_and_then_all(chips, scene):
    ports = add(scene, "a", "b", "c")
    double(chips.chips[1])
    assert seen(ports) == [False, True, False]
    double(chips.chips[1])
    assert seen(ports) == [True, True, True]


def test_chips_follow_names_and_visibility_set_elsewhere(chips, scene):
    first, _ = add(scene, "a", "b")
    first.name, first.visible = "R&D", False
    assert chips.chips[0].text() == "R&&D"
    assert chips.chips[0].font().strikeOut()


def test_chips_follow_the_colours_of_their_layers(chips, scene):
    first, _ = add(scene, "a", "b")
    first.colormap = "red"
    image = chips.chips[0].icon().pixmap(14, 12).toImage()
    color = image.pixelColor(13, 5)
    assert (color.red(), color.green(), color.blue()) == (255, 0, 0)


def test_chips_wrap_where_it_is_narrow_and_none_sticks_out(chips, scene):
    add(scene, *(f"a channel with a long name {i}" for i in range(9)))
    chips.show()
    boxes = [chip.geometry() for chip in chips.chips]
    assert len({box.top() for box in boxes}) > 2
    assert max(box.right() for box in boxes) < 300
    assert chips.height() < 3 * boxes[0].height()
