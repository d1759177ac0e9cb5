"""The mode is shown and explained, and only the user chooses it."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from brickfield.model.appearance import MODES
from brickfield.qt.controls.modes import LONG, MODE_WORDS, ModeCombo


@pytest.fixture
def combo(qtbot):
    combo = ModeCombo()
    qtbot.addWidget(combo)
    combo.show()
    return combo


def test_there_are_words_for_every_mode():
    assert set(MODE_WORDS) == set(MODES)


def test_only_a_person_chooses(combo):
    heard = []
    combo.chosen.connect(heard.append)
    combo.show_mode("iso")
    assert combo.currentText() == "Surface"
    assert heard == []
    QTest.keyClick(combo, Qt.Key.Key_Down)
    assert heard == ["translucent"]


def test_the_tooltip_explains_the_mode_of_now(combo):
    combo.show_mode("minip")
    assert "darkest" in combo.toolTip()
    combo.show_mode(None)
    assert not combo.isEnabled()
    assert "Label layers" in combo.toolTip()


def test_names_have_room_at_the_least_width_whatever_the_theme(combo):
    """All but the longest, which ends in dots instead of a half letter."""
    for sheet in (
        "",
        "QComboBox { padding: 2px 9px; } QComboBox::drop-down { width: 30px; }",
    ):
        combo.setStyleSheet(sheet)
        combo.resize(combo.minimumWidth(), combo.height())
        room = combo._room(combo.width())
        for mode, (name, _) in MODE_WORDS.items():
            wants = combo.fontMetrics().horizontalAdvance(name)
            assert wants <= room or mode == LONG, (sheet, name)


def test_slices_alone_have_no_mode(combo):
    combo.show_mode("iso", has_volume=False)
    assert not combo.isEnabled()
    assert combo.currentText() == ""
    assert combo.placeholderText() == "Slice"
    assert "for the volume" in combo.toolTip()
    combo.show_mode("iso")
    assert combo.isEnabled()
    assert combo.currentText() == "Surface"


def test_the_wheel_over_the_toolbar_is_no_choice(combo):
    assert (
        not combo.focusPolicy()
        & Qt.FocusPolicy.WheelFocus
        & ~Qt.FocusPolicy.StrongFocus
    )
