"""Exactly one choice of views is down, and only the user chooses."""

import pytest

from brickfield.qt.controls.layout_buttons import LAYOUT_WORDS, LAYOUTS, LayoutButtons


@pytest.fixture
def buttons(qtbot):
    buttons = LayoutButtons()
    qtbot.addWidget(buttons)
    qtbot.addWidget(buttons.compact)
    return buttons


def down(buttons):
    return [n for n, action in buttons.actions_by_name.items() if action.isChecked()]


def test_there_are_words_for_every_layout():
    assert set(LAYOUT_WORDS) == set(LAYOUTS)


def test_exactly_one_is_down(buttons):
    buttons.show_layout("xy")
    assert down(buttons) == ["xy"]
    buttons.actions_by_name["yz"].trigger()
    assert down(buttons) == ["yz"]
    buttons.actions_by_name["yz"].trigger()
    assert down(buttons) == ["yz"]
    buttons.show_layout("plane")
    assert down(buttons) == ["plane"]


def test_only_a_person_chooses(buttons):
    heard = []
    buttons.chosen.connect(heard.append)
    buttons.show_layout("xz")
    buttons.actions_by_name["2x2"].trigger()
    assert heard == ["2x2"]


def test_one_button_has_all_of_them_in_a_menu(buttons):
    texts = [action.text() for action in buttons.compact.menu().actions()]
    assert texts == [
        "3D",
        "xy",
        "xz",
        "yz",
        "2×2",
        "Oblique slice",
        "3D + oblique slice",
    ]
    buttons.show_layout("plane")
    assert buttons.compact.text() == "obl. ▾"


def test_flat_data_are_offered_no_view_of_an_axis_that_they_do_not_have(buttons):
    buttons.show_depth(is_flat=True)
    offered = [n for n, one in buttons.actions_by_name.items() if one.isEnabled()]
    assert offered == ["3D", "xy"]
    assert "one slice along z" in buttons.actions_by_name["2x2"].toolTip()
    buttons.show_depth(is_flat=False)
    assert all(one.isEnabled() for one in buttons.actions_by_name.values())
    assert buttons.actions_by_name["2x2"].toolTip() == LAYOUT_WORDS["2x2"][1]
