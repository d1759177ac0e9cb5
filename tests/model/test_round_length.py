"""Lengths of scale bars are round, and written as people write them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.model.units import RoundLength, round_length, short_number


@given(st.floats(1e-12, 1e12))
def test_a_round_length_is_the_largest_of_1_2_5_that_fits(most):
    length = round_length(most)
    assert length.mantissa in (1, 2, 5)
    following = {1: 2.0, 2: 2.5, 5: 2.0}[length.mantissa]
    assert length.value <= most * (1 + 1e-8)
    assert length.value * following > most * (1 - 1e-8)


@pytest.mark.parametrize(
    ("most", "mantissa", "exponent"),
    [(80, 5, 1), (50, 5, 1), (49.999, 2, 1), (0.1, 1, -1), (1, 1, 0), (1999, 1, 3)],
)
def test_limits_that_are_round_themselves_are_kept(most, mantissa, exponent):
    assert round_length(most) == RoundLength(mantissa, exponent)


@pytest.mark.parametrize(
    ("mantissa", "exponent", "unit", "label"),
    [
        (5, 1, "micrometer", "50 µm"),
        (5, -1, "micrometer", "500 nm"),
        (2, 3, "micrometer", "2 mm"),
        (1, 2, "nanometer", "100 nm"),
        (1, 3, "nanometer", "1 µm"),
        (2, 1, "um", "20 µm"),
        (2, 1, "\u03bcm", "20 µm"),
        (2, 1, "microns", "20 µm"),
        (2, 1, "Micrometre", "20 µm"),
        (5, 0, "centimeter", "50 mm"),
        (5, 1, "angstrom", "50 Å"),
        (5, 3, "angstrom", "500 nm"),
        (1, 4, "meter", "10 km"),
        (1, 0, "inch", "1 in"),
        (1, 2, "furlong", "100 furlong"),
        (1, 2, None, "100 px"),
        (1, 2, "", "100 px"),
        (5, 0, "pixel", "5 px"),
        (1, 4, None, "10\N{NO-BREAK SPACE}000 px"),
        (2, -2, None, "0.02 px"),
        (2, -7, None, "2e-7 px"),
        (1, -6, "picometer", "0.001 fm"),
    ],
)
def test_a_length_is_written_with_a_readable_prefix(mantissa, exponent, unit, label):
    assert RoundLength(mantissa, exponent).label(unit) == label


@given(st.integers(-15, 12), st.sampled_from([1, 2, 5]))
def test_metric_labels_have_at_most_three_digits(exponent, mantissa):
    length = RoundLength(mantissa, exponent)
    number, unit = length.label("micrometer").split(" ")
    metres = {"km": 1e3, "m": 1, "mm": 1e-3, "µm": 1e-6, "nm": 1e-9, "pm": 1e-12}
    if 1e-6 * length.value < 1e6 and unit != "fm":
        assert math.isclose(float(number) * metres[unit], length.value * 1e-6)
        assert len(number) <= 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (65535.0, "65535"),
        (-12.0, "-12"),
        (1234.56, "1235"),
        (0.0123456, "0.01235"),
        (0.25, "0.25"),
        (3e9, "3e+09"),
    ],
)
def test_values_are_short(value, text):
    assert short_number(value) == text
