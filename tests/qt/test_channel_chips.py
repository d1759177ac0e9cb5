"""A row above the picture shows every layer and switches it."""

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from brickfield.qt.channel_chips import ChannelChips, telling_parts

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


def test_long_names_are_told_apart_by_what_they_do_not_share(chips, scene):
    names = [f"E/08/0: {n}-Projection_FITC_05" for n in ("Maximum", "Best-Focus")]
    add(scene, *names, f"{names[0]} [1]")
    texts = [chip.text() for chip in chips.chips]
    assert len(set(texts)) == 3
    assert [text[:4] for text in texts] == ["…Max", "…Bes", "…Max"]
    assert chips.chips[0].toolTip().startswith(names[0])


@pytest.mark.parametrize("points", [7, 9, 13, 20])
def test_a_shortened_name_has_all_the_room_that_it_needs(qtbot, chips, scene, points):
    """Whatever font and style: what is written is never cut at its ends."""
    chips.setStyleSheet(f"QToolButton {{ font-size: {points}pt; }}")
    names = ["Maximum-Projection & FITC_05", "Best-Focus & FITC_05 of the second run"]
    ports = add(scene, *names)
    ports[1].visible = False
    for chip in chips.chips:
        assert chip.is_shortened
        assert chip.sizeHint().width() <= chip.width() <= 150
        assert "…" in chip.text()


def test_a_name_is_shortened_anew_in_another_style(chips, scene):
    """As when the row is put into napari's window, which has a style of its own."""
    add(scene, "Maximum-Projection_05", "Best-Focus_05 of the second run")
    chips.show()
    for points in (14, 8, 20):
        chips.setStyleSheet(f"QToolButton {{ font-size: {points}pt; padding: 3px; }}")
        for chip in chips.chips:
            assert chip.sizeHint().width() <= chip.width() <= 150


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["a 1 long", "a 2 long"], ["…1…", "…2…"]),
        (["cells: red", "cells: green"], ["…red", "…green"]),
        (["red cells", "green cells"], ["red…", "green…"]),
        (["same", "same"], ["same", "same"]),
        (["one", "two words"], ["one", "two words"]),
        (["a b", "a b c"], ["…b", "…b c"]),
        ([], []),
    ],
)
def test_words_that_all_names_share_are_left_out(names, parts):
    assert telling_parts(names) == parts


def test_whole_names_come_back_in_a_style_that_has_room_for_them(chips, scene):
    chips.setStyleSheet("QToolButton { font-size: 30pt; }")
    names = ["sample: nuclei", "sample: vessels"]
    add(scene, *names)
    assert not set(names) & {chip.text() for chip in chips.chips}
    chips.setStyleSheet("QToolButton { font-size: 8pt; }")
    assert [chip.text() for chip in chips.chips] == names


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
    # Different at both ends: nothing is left out.
    add(scene, *(f"{i} a channel with a long name {i}" for i in range(9)))
    chips.show()
    boxes = [chip.geometry() for chip in chips.chips]
    assert len({box.top() for box in boxes}) > 2
    assert max(box.right() for box in boxes) < 300
    assert chips.height() < 3 * boxes[0].height()
