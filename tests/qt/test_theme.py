"""Controls follow the colours of the window that they stand in."""

import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QToolButton, QVBoxLayout, QWidget

from brickfield.qt.theme import Theme, button_sheet


def lightness(button):
    image = button.icon().pixmap(18, 18).toImage()
    drawn = [image.pixelColor(x, y) for x in range(18) for y in range(18)]
    return max(c.lightnessF() for c in drawn if c.alpha() > 200)


@pytest.fixture
def window(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    row = QWidget(window)
    QVBoxLayout(window).addWidget(row)
    button = QToolButton(row)
    theme = Theme(row, button_sheet)
    theme.set_icon(button, "fit")
    window.show()
    return window, row, button, theme


@pytest.mark.parametrize("how", ["sheet", "palette"])
def test_icons_have_the_colour_of_the_text(window, how):
    outer, row, button, _ = window
    for color, is_light in (("#ffffff", True), ("#101010", False), ("#eeeeee", True)):
        if how == "sheet":
            outer.setStyleSheet(f"QWidget {{ color: {color}; }}")
        else:
            palette = outer.palette()
            palette.setColor(outer.foregroundRole(), QColor(color))
            outer.setPalette(palette)
        assert (lightness(button) > 0.5) == is_light
        red = QColor(color).red()
        assert f"rgba({red}, {red}, {red}" in row.styleSheet()


def test_an_icon_can_be_changed_later(window):
    outer, _, button, theme = window
    outer.setStyleSheet("QWidget { color: #ffffff; }")
    before = button.icon().pixmap(18, 18).toImage()
    theme.set_icon(button, "stop")
    assert button.icon().pixmap(18, 18).toImage() != before
    assert lightness(button) > 0.5
