"""Outlines and detectors describe the same pixels."""

import numpy as np
import pytest

from brickfield.qt.stem.shapes import (
    bright_disc,
    dark_field,
    detector_of,
    middle_of,
    of_kind,
    outlines,
)
from brickfield.stem4d import Annulus, Disc, Rectangle


@pytest.mark.parametrize(
    "detector",
    [Disc(10, 12.5, 4), Annulus(10, 12.5, 3, 8), Rectangle(2, 9, 3.5, 20)],
    ids=lambda d: d.kind,
)
def test_outlines_are_those_of_their_detector(detector):
    shapes = [corners for _, corners in outlines(detector)]
    assert detector_of(detector.kind, shapes) == detector


@pytest.mark.parametrize("moved", [0, 1])
def test_a_circle_of_a_ring_takes_the_other_along(moved):
    ring = Annulus(10, 12, 3, 8)
    shapes = [corners for _, corners in outlines(ring)]
    shapes[moved] = shapes[moved] + (2, -1)
    assert detector_of("annulus", shapes, ring) == Annulus(12, 11, 3, 8)


def test_without_an_outline_there_is_no_detector():
    assert detector_of("disc", []) is None


def test_the_bright_disc_is_found_where_it_lies():
    y, x = np.indices((64, 48))
    pattern = np.where(np.hypot(y - 30, x - 20) <= 6, 1000, 3)
    found = bright_disc(pattern)
    assert (found.cy, found.cx) == (30, 20)
    assert found.r == pytest.approx(6, abs=0.3)


@pytest.mark.parametrize("value", [0, 7])
def test_where_nothing_is_bright_the_disc_lies_in_the_middle(value):
    assert bright_disc(np.full((64, 48), value)) == Disc(31.5, 23.5, 6)


def test_a_dark_field_stays_within_reach_of_the_pattern():
    ring = dark_field(Disc(31.5, 31.5, 20), (64, 64))
    assert 0 < ring.r0 < ring.r1 <= 32


@pytest.mark.parametrize("kind", ["disc", "annulus", "rectangle"])
def test_another_kind_of_detector_lies_at_the_same_place(kind):
    made = of_kind(kind, Disc(30, 20, 5), (64, 64))
    assert made.kind == kind
    middle = middle_of(made)
    assert (middle.cy, middle.cx, middle.r) == pytest.approx((30, 20, 5))


def test_a_hot_pixel_does_not_move_the_bright_disc():
    y, x = np.mgrid[:64, :64]
    pattern = np.where((y - 30) ** 2 + (x - 33) ** 2 <= 81, 30.0, 1.0)
    pattern[5, 60] = 40_000
    disc = bright_disc(pattern)
    assert (disc.cy, disc.cx) == pytest.approx((30, 33), abs=0.3)
    assert disc.r == pytest.approx(9, abs=0.3)
