"""Icons are drawn, in the colour of the text."""

import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QIcon

from brickfield.qt.icons import SIZES, icon, names

pytestmark = pytest.mark.usefixtures("qapp")


def pixels(name, size, mode=QIcon.Mode.Normal):
    image = icon(name, QColor(Qt.GlobalColor.green)).pixmap(size, size, mode).toImage()
    return [image.pixelColor(x, y) for x in range(size) for y in range(size)]


@pytest.mark.parametrize("name", names())
def test_an_icon_has_lines_and_room_round_them(name):
    drawn = [color for color in pixels(name, 20) if color.alpha() > 100]
    assert 10 < len(drawn) < 300
    if name != "recording":
        assert all(c.green() > 200 and c.red() < 50 for c in drawn)


def test_an_icon_has_a_picture_of_its_own_for_every_size():
    sizes = icon("fit", QColor("red")).availableSizes()
    assert {size.width() for size in sizes} == set(SIZES)


def test_what_cannot_be_pressed_is_faint():
    strongest = max(c.alpha() for c in pixels("fit", 20, QIcon.Mode.Disabled))
    assert 0 < strongest < 120


def test_an_unknown_icon_is_a_slip_of_the_programmer():
    with pytest.raises(KeyError):
        icon("nothing like this", QColor("red"))
