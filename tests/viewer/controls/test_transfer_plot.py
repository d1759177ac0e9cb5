"""The plot of a transfer function: what is seen is what is taken hold of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.viewer.controls.transfer_plot import (
    BAR,
    GAMMA_ENDS,
    SIDE,
    TOP,
    Grip,
    Look,
    Plot,
    bar_entries,
    curve_line,
    dragged,
    gamma_line,
    gamma_through,
    grip_at,
    grips,
    whole_range,
    with_point,
)

# 100 pixels for 100 values, 50 pixels for shares of 0 to 1.
PLOT = Plot(100 + 2 * SIDE, 50 + TOP + BAR + 3, 0.0, 100.0)
LOOK = Look((20.0, 80.0))


def place(grip, look=LOOK):
    return next((x, y) for g, x, y in grips(PLOT, look) if g == grip)


def test_values_lie_across_and_shares_upwards():
    assert PLOT.x(25.0) == SIDE + 25
    assert PLOT.y(0.0) - PLOT.y(1.0) == 50
    assert PLOT.value(SIDE + 40) == pytest.approx(40.0)
    assert PLOT.share(PLOT.y(0.3)) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("x", "y", "grip"),
    [
        (22.0, 30.0, Grip("low")),
        (77.0, 30.0, Grip("high")),
        (50.0, TOP + 50 + 6, Grip("window")),
        (50.0, TOP + 25, Grip("gamma")),
        (35.0, 20.0, None),
        (3.0, TOP + 50 + 6, None),
    ],
)
def test_a_hand_takes_hold_of_what_is_near(x, y, grip):
    assert grip_at(PLOT, LOOK, SIDE + x, y) == grip


def test_ends_that_lie_together_are_told_apart_by_the_side_of_the_hand():
    narrow = Look((50.0, 51.0))
    assert grip_at(PLOT, narrow, SIDE + 48, 14.0) == Grip("low")
    assert grip_at(PLOT, narrow, SIDE + 53, 14.0) == Grip("high")


def test_points_of_the_curve_lie_over_the_lines_of_the_window():
    look = Look((20.0, 80.0), curve=((0.0, 0.0), (1.0, 1.0)))
    x, y = place(Grip("point", 1), look)
    assert (x, y) == (SIDE + 80, PLOT.y(1.0))
    assert grip_at(PLOT, look, x, y) == Grip("point", 1)


def test_an_end_of_the_window_follows_the_hand_and_stops_before_the_other():
    low = dragged(PLOT, LOOK, Grip("low"), (28.0, 5.0), (38.0, 50.0))
    assert low.contrast == pytest.approx((30.0, 80.0))
    past = dragged(PLOT, LOOK, Grip("low"), (28.0, 5.0), (99.0, 5.0))
    assert past.contrast == pytest.approx((80.0 - 1e-3, 80.0))


def test_whole_numbers_stay_whole_and_one_apart():
    look = Look((20.0, 80.0), is_whole=True)
    assert dragged(PLOT, look, Grip("low"), (0, 0), (3.4, 0)).contrast == (23.0, 80.0)
    assert dragged(PLOT, look, Grip("high"), (0, 0), (-99, 0)).contrast == (20.0, 21.0)


def test_the_window_moves_as_a_whole():
    assert dragged(PLOT, LOOK, Grip("window"), (0, 0), (7, 0)).contrast == (27.0, 87.0)


def test_gamma_is_what_takes_the_middle_where_the_hand_is():
    look = dragged(PLOT, LOOK, Grip("gamma"), (58, 30), (58, PLOT.y(0.25)))
    assert look.gamma == pytest.approx(2.0)
    assert place(Grip("gamma"), look) == pytest.approx((SIDE + 50, PLOT.y(0.25)))


@given(st.floats(allow_nan=False))
def test_gamma_stays_within_its_ends(share):
    assert GAMMA_ENDS[0] <= gamma_through(share) <= GAMMA_ENDS[1]


def test_a_threshold_follows_the_hand_and_stays_in_the_plot():
    look = Look((20.0, 80.0), threshold=50.0)
    assert dragged(PLOT, look, Grip("threshold"), (0, 0), (5, 0)).threshold == 55.0
    assert dragged(PLOT, look, Grip("threshold"), (0, 0), (500, 0)).threshold == 100.0


@given(gamma=st.floats(0.2, 5.0), dx=st.floats(-15, 15), dy=st.floats(-10, 10))
def test_a_point_of_the_curve_follows_the_hand_whatever_the_gamma(gamma, dx, dy):
    look = Look((20.0, 80.0), gamma, curve=((0.0, 0.0), (0.5**gamma, 0.5), (1.0, 1.0)))
    x, y = place(Grip("point", 1), look)
    assert (x, y) == pytest.approx((SIDE + 50, PLOT.y(0.5)))
    moved = dragged(PLOT, look, Grip("point", 1), (x, y), (x + dx, y + dy))
    position, opacity = moved.curve[1]
    assert opacity == pytest.approx(PLOT.share(y + dy))
    # One entry of the table is kept free beside each neighbour.
    if 1 / 255 < look.position_of(50 + dx) < 1 - 1 / 255:
        assert PLOT.x(moved.value_at(position)) == pytest.approx(x + dx)


def test_a_point_is_added_where_the_hand_is():
    look = Look((20.0, 80.0), curve=((0.0, 1.0), (1.0, 1.0)))
    assert with_point(PLOT, look, SIDE + 50, PLOT.y(0.2)).curve == (
        (0.0, 1.0),
        (0.5, pytest.approx(0.2)),
        (1.0, 1.0),
    )
    assert with_point(PLOT, LOOK, 40, 30) is LOOK


def test_a_drag_with_a_broken_number_changes_nothing():
    nan = float("nan")
    assert dragged(PLOT, LOOK, Grip("low"), (0, 0), (nan, 0)) == LOOK


def test_lines_go_through_the_ends_of_the_window():
    look = Look((20.0, 80.0), 2.0, curve=((0.0, 0.25), (1.0, 0.75)))
    for line, ends in (
        (gamma_line(PLOT, look), (0.0, 1.0)),
        (curve_line(PLOT, look), (0.25, 0.75)),
    ):
        assert tuple(line[0]) == pytest.approx((SIDE + 20, PLOT.y(ends[0])))
        assert tuple(line[-1]) == pytest.approx((SIDE + 80, PLOT.y(ends[1])))
    assert curve_line(PLOT, LOOK).shape == (0, 2)


def test_the_colour_bar_shows_what_values_become():
    assert bar_entries(PLOT, Look((0.0, 100.0), 2.0), 3).tolist() == [0, 64, 255]


def test_the_whole_range_has_room_for_values_and_window():
    assert whole_range((10.0, 20.0), (0.0, 100.0)) == (-2.0, 102.0)
    assert whole_range((5.0, 5.0), None) == (2.5, 7.5)
    assert whole_range((0.0, 1.0), (float("nan"), float("inf"))) == (-0.02, 1.02)


@given(st.floats(0.01, 100), st.floats(0, 120))
def test_zooming_keeps_the_value_under_the_hand_and_the_ends(factor, x):
    zoomed = PLOT.zoomed(factor, x, (0.0, 100.0))
    assert zoomed.low >= -1e-9
    assert zoomed.high <= 100 + 1e-9
    if factor > 1 and SIDE < x < SIDE + 100:
        assert zoomed.value(x) == pytest.approx(PLOT.value(x), abs=1e-6)


def test_very_large_values_can_still_be_zoomed():
    plot = Plot(116, 71, 1e15, 1e15 + 4)
    for _ in range(50):
        plot = plot.zoomed(2.0, 60, (1e15, 1e15 + 4))
    assert plot.high > plot.low
    assert np.isfinite(plot.x(1e15 + 2))
