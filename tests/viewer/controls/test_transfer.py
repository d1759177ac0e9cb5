"""An opacity curve and its table say the same, and editing keeps a curve a curve."""

from math import nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.viewer.colormaps import lut
from brickfield.viewer.controls.transfer import (
    GAP,
    OPAQUE,
    RAMP,
    added,
    alpha_of,
    curve_of,
    moved,
    normal,
    point_at,
    removed,
    with_curve,
)

shares = st.floats(0, 1)
anything = st.floats(allow_nan=True, allow_infinity=True)
curves = st.lists(st.tuples(shares, shares), max_size=8).map(normal)
tables = st.lists(st.integers(0, 255), min_size=256, max_size=256).map(
    lambda a: np.column_stack([np.zeros((256, 3)), a]).astype(np.uint8)
)


def is_curve(curve):
    x = [p[0] for p in curve]
    inside = all(0 <= v <= 1 for p in curve for v in p)
    return inside and x == sorted(x) and x[0] == 0 and x[-1] == 1 and len(curve) > 1


@given(st.lists(st.tuples(anything, anything), max_size=6))
def test_any_points_become_a_curve(points):
    assert is_curve(normal(points))
    assert normal(normal(points)) == normal(points)


def test_a_ramp_is_every_step_once():
    np.testing.assert_array_equal(alpha_of(RAMP), np.arange(256))
    assert (alpha_of(OPAQUE) == 255).all()


def test_the_table_is_straight_between_points():
    alpha = alpha_of(((0, 0), (0.2, 0.5), (1, 0.5)))
    # entry 51 is position 0.2; half of it is half as opaque
    assert alpha[51] == 128
    assert alpha[25] == 63  # 62.5 rounded up
    assert (alpha[51:] == 128).all()


def test_two_points_at_one_place_are_a_step():
    alpha = alpha_of(((0, 0), (0.2, 0), (0.2, 1), (1, 1)))
    assert alpha[50] == 0
    assert alpha[51] == 255


def test_colours_stay_and_alpha_is_replaced():
    base = lut("viridis")
    table = with_curve(base, RAMP)
    np.testing.assert_array_equal(table[:, :3], base[:, :3])
    np.testing.assert_array_equal(table[:, 3], np.arange(256))
    assert table.dtype == np.uint8
    assert with_curve(base[:, :3], OPAQUE).shape == (256, 4)


@given(curves)
def test_a_curve_that_was_made_is_found_again_to_the_last_step(curve):
    table = with_curve(lut("gray"), curve)
    found = curve_of(table)
    assert is_curve(found)
    np.testing.assert_array_equal(alpha_of(found), table[:, 3])
    assert curve_of(table, hint=curve) == curve


@given(tables)
def test_any_table_has_a_curve(table):
    np.testing.assert_array_equal(alpha_of(curve_of(table)), table[:, 3])


@pytest.mark.parametrize(
    "knots",
    [
        [(0, 255), (255, 255)],
        [(0, 0), (255, 255)],
        [(0, 0), (100, 10), (150, 200), (255, 220)],
        [(0, 0), (60, 0), (61, 255), (255, 255)],
        [(0, 255), (128, 0), (255, 255)],
        [(0, 0), (30, 200), (60, 20), (200, 20), (255, 0)],
    ],
)
def test_corners_are_found_where_they_were_set(knots):
    curve = tuple((i / 255, a / 255) for i, a in knots)
    found = curve_of(with_curve(lut("gray"), curve))
    np.testing.assert_allclose(found, curve)


@given(curves, st.integers(-2, 9), anything, anything)
def test_moving_keeps_a_curve_and_its_other_points(curve, index, x, y):
    after = moved(curve, index, (x, y))
    assert is_curve(after)
    assert len(after) == len(curve)
    assert sum(a != b for a, b in zip(after, curve, strict=True)) <= 1


def test_a_point_stops_before_its_neighbour_and_ends_move_only_up_and_down():
    curve = ((0.0, 0.0), (0.4, 0.5), (0.6, 0.5), (1.0, 1.0))
    assert moved(curve, 1, (0.9, 2.0))[1] == pytest.approx((0.6 - GAP, 1.0))
    assert moved(curve, 0, (0.3, 0.2))[0] == (0.0, 0.2)
    assert moved(curve, 1, (nan, 0.0)) == curve


@given(curves, anything, anything)
def test_adding_and_removing_again_is_nothing(curve, x, y):
    after, index = added(curve, (x, y))
    assert is_curve(after)
    if index is None:
        assert after == curve
    else:
        assert removed(after, index) == curve


def test_no_point_is_added_on_another_and_ends_are_not_removed():
    assert added(RAMP, (0.001, 0.5)) == (RAMP, None)
    assert removed(RAMP, 0) == RAMP
    assert removed(RAMP, 1) == RAMP
    assert removed(RAMP, 7) == RAMP


def test_the_nearest_point_within_reach_is_hit():
    curve = ((0.0, 0.0), (0.5, 0.5), (0.52, 0.5), (1.0, 1.0))
    reach = (0.03, 0.1)
    assert point_at(curve, (0.505, 0.55), reach=reach) == 1
    assert point_at(curve, (0.517, 0.45), reach=reach) == 2
    assert point_at(curve, (0.5, 0.7), reach=reach) is None
