"""Pixels that count, against formulas written out."""

import json
from math import atan2, degrees, hypot

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.errors import OptionError
from brickfield.stem4d.detectors import (
    Annulus,
    Disc,
    Mask,
    Points,
    Rectangle,
    Wedge,
    from_json,
    to_json,
)

SHAPE = (9, 11)
halves = st.integers(-4, 26).map(lambda n: n / 2)
radii = st.integers(0, 20).map(lambda n: n / 2)


def pixels(counts):
    return np.array([[counts(y, x) for x in range(SHAPE[1])] for y in range(SHAPE[0])])


@given(halves, halves, radii)
def test_a_disc_holds_the_pixels_whose_centres_lie_within(cy, cx, r):
    expected = pixels(lambda y, x: hypot(y - cy, x - cx) <= r + 1e-12)
    np.testing.assert_array_equal(Disc(cy, cx, r).mask(SHAPE), expected)


@given(halves, halves, radii, radii)
def test_a_ring_includes_both_edges(cy, cx, r0, r1):
    r0, r1 = sorted((r0, r1))
    expected = pixels(lambda y, x: r0 - 1e-12 <= hypot(y - cy, x - cx) <= r1 + 1e-12)
    np.testing.assert_array_equal(Annulus(cy, cx, r0, r1).mask(SHAPE), expected)


@given(
    halves, halves, st.integers(-7, 7).map(lambda n: n * 50 + 1), st.integers(1, 359)
)
def test_a_wedge_turns_from_columns_towards_rows(cy, cx, a0, opening):
    def counts(y, x):
        if (y, x) == (cy, cx):
            return True
        return (degrees(atan2(y - cy, x - cx)) - a0) % 360 <= opening + 1e-9

    found = Wedge(cy, cx, 0, 99, a0, a0 + opening).mask(SHAPE)
    np.testing.assert_array_equal(found, pixels(counts))


def test_wedges_of_a_whole_turn_are_a_ring():
    ring = Annulus(4, 5, 1, 4).mask(SHAPE)
    np.testing.assert_array_equal(Wedge(4, 5, 1, 4, 10, 370).mask(SHAPE), ring)


def test_a_rectangle_includes_first_and_last_pixels():
    found = Rectangle(1, 2.5, 3, 3).mask(SHAPE)
    assert np.argwhere(found).tolist() == [[1, 3], [2, 3]]


def test_points_outside_do_not_count():
    found = Points(((0, 0), (8, 10), (9, 0), (-1, 2))).mask(SHAPE)
    assert np.argwhere(found).tolist() == [[0, 0], [8, 10]]


@pytest.mark.parametrize(
    "detector",
    [
        Disc(1, 2, 3),
        Annulus(1, 2, 3, 4.5),
        Wedge(1, 2, 0, 4, -30, 30),
        Rectangle(0, 1, 2, 3),
        Points(((1, 2), (3, 4))),
        Mask.of(np.eye(3)),
        Mask.of(np.arange(6).reshape(2, 3) / 4),
    ],
)
def test_a_detector_survives_json(detector):
    found = from_json(json.loads(json.dumps(to_json(detector))))
    assert found == detector
    assert hash(found) == hash(detector)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Disc(0, 0, -1),
        lambda: Disc(float("nan"), 0, 1),
        lambda: Annulus(0, 0, 3, 2),
        lambda: Mask.of(np.zeros(3)),
        lambda: Mask.of(np.array([[np.inf]])),
        lambda: Mask.of(np.eye(3)).mask((3, 4)),
        lambda: from_json({"kind": "moon"}),
        lambda: from_json({"kind": "disc", "cy": 1}),
    ],
)
def test_what_is_no_detector_is_refused(make):
    with pytest.raises(OptionError):
        make()
