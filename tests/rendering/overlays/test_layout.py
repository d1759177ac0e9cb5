"""What shares a corner is stacked and stays in the picture."""

import itertools

import pytest

from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.layout import GAP, MARGIN, Layout

CORNERS = ("top_left", "top_right", "bottom_left", "bottom_right")


@pytest.mark.parametrize("corner", CORNERS)
def test_a_rectangle_keeps_the_margin_to_its_corner(corner):
    left, bottom = Layout(OverlayContext(size=(400, 300))).place(corner, 50, 20)
    assert left == (MARGIN if "left" in corner else 400 - MARGIN - 50)
    assert bottom == (MARGIN if "bottom" in corner else 300 - MARGIN - 20)


@pytest.mark.parametrize("corner", CORNERS)
def test_rectangles_of_one_corner_do_not_touch(corner):
    layout = Layout(OverlayContext(size=(400, 300)))
    spans = sorted(
        (b, b + 30) for _, b in (layout.place(corner, 50, 30) for _ in "abc")
    )
    for (_, top), (bottom, _) in itertools.pairwise(spans):
        assert bottom - top == GAP


def test_places_are_on_whole_physical_pixels():
    layout = Layout(OverlayContext(size=(400, 300), pixel_ratio=1.5))
    for value in layout.place("top_right", 33.3, 11.1):
        assert value * 1.5 == pytest.approx(round(value * 1.5))


def test_a_thumbnail_has_a_smaller_margin_and_nothing_begins_outside():
    left, bottom = Layout(OverlayContext(size=(50, 50))).place("bottom_right", 80, 10)
    assert left == 0
    assert bottom == 2
