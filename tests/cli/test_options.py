"""Each option's text becomes its value, or is refused by the option's name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.cli.options import (
    parse_clip,
    parse_contrast,
    parse_level,
    parse_plane,
    parse_position,
    parse_scale,
    parse_size,
    parse_slice,
)
from brickfield.errors import OptionError


@given(st.integers(1, 99999), st.integers(1, 99999))
def test_a_size_is_width_and_height(width, height):
    assert parse_size(f"{width}x{height}") == (width, height)


@given(
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_contrast_is_two_numbers(low, high):
    assert parse_contrast(f"{low!r},{high!r}") == (low, high)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("z=0:12.5", ("z", 0.0, 12.5)),
        ("y=-3e-2:1", ("y", -0.03, 1.0)),
        ("x=:4", ("x", -math.inf, 4.0)),
        ("x=4:", ("x", 4.0, math.inf)),
    ],
)
def test_a_clip_is_an_axis_and_two_ends(text, expected):
    assert parse_clip(text) == expected


def test_a_scale_is_a_number_above_0_for_each_axis():
    assert parse_scale("2, 0.5,5e-1") == (2, 0.5, 0.5)
    for text in ("", "2,x,1", "2,0,1", "1,-1,1", "1,inf,1", "nan,1,1"):
        with pytest.raises(OptionError, match="expected --scale as Z,Y,X"):
            parse_scale(text)


def test_a_position_is_an_axis_and_an_index():
    assert parse_position("angle=2") == ("angle", 2)


def test_a_slice_is_an_axis_and_a_place_and_a_plane_six_numbers():
    assert parse_slice("z=-1.5e1") == ("z", -15.0)
    assert parse_plane("1,2,3,0,0,1") == (1.0, 2.0, 3.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize(("text", "expected"), [("auto", None), ("0", 0), ("12", 12)])
def test_a_level_is_a_number_or_left_to_the_engine(text, expected):
    assert parse_level(text) == expected


@pytest.mark.parametrize(
    ("parse", "text", "option"),
    [
        (parse_size, "800", "--size"),
        (parse_size, "800x", "--size"),
        (parse_size, "-1x5", "--size"),
        (parse_contrast, "1", "--contrast"),
        (parse_contrast, "1,b", "--contrast"),
        (parse_contrast, "1,2,3", "--contrast"),
        (parse_contrast, "nan,1", "--contrast"),
        (parse_clip, "z=1", "--clip"),
        (parse_clip, "=1:2", "--clip"),
        (parse_clip, "z=a:b", "--clip"),
        (parse_slice, "z", "--slice"),
        (parse_slice, "=3", "--slice"),
        (parse_slice, "z=top", "--slice"),
        (parse_plane, "1,2,3", "--plane"),
        (parse_plane, "1,2,3,0,0,up", "--plane"),
        (parse_position, "t", "--position"),
        (parse_position, "t=-1", "--position"),
        (parse_position, "t=1.5", "--position"),
        (parse_level, "fine", "--level"),
        (parse_level, "-1", "--level"),
    ],
)
def test_what_does_not_fit_is_refused_by_the_options_name(parse, text, option):
    with pytest.raises(OptionError, match=option):
        parse(text)
