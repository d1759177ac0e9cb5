"""Quantities are short, exact enough, and have a unit."""

from math import inf, nan

import pytest

from brickfield.model import units as quantities


@pytest.mark.parametrize(
    ("value", "text"),
    [(99.99, "99 %"), (100.0, "100 %"), (0.0, "0 %"), (nan, "0 %"), (120, "100 %")],
)
def test_a_hundred_percent_is_only_said_of_everything(value, text):
    assert quantities.percent(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "under 1 s"),
        (12.4, "12 s"),
        (90, "90 s"),
        (100, "2 min"),
        (3600, "60 min"),
        (7200, "2 h"),
        (1e9, "very long"),
        (inf, "very long"),
    ],
)
def test_durations_are_rough(seconds, text):
    assert quantities.duration(seconds) == text


@pytest.mark.parametrize(
    ("speed", "text"),
    [
        (0, "0 B/s"),
        (640, "640 B/s"),
        (1234, "1.2 kB/s"),
        (40_123_456, "40 MB/s"),
        (999_600, "1.0 MB/s"),
        (2.5e9, "2.5 GB/s"),
        (nan, "0 B/s"),
        (3e16, "30000 TB/s"),
    ],
)
def test_speeds_have_two_digits(speed, text):
    assert quantities.rate(speed) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (33, "micrometer", "33.0 µm"),
        (0.25, "µm", "0.250 µm"),
        (1234.5, "nanometer", "1234 nm"),
        (0, "micrometer", "0.00 µm"),
        (5, None, "5.00"),
        (5, "parsec", "5.00 parsec"),
        (1.5e-9, "meter", "1.50e-09 m"),
        (nan, "meter", "unknown"),
        (-7.25, "mm", "-7.25 mm"),
        (-0.0, "mm", "0.00 mm"),
    ],
)
def test_lengths_have_three_digits_and_a_unit(value, unit, text):
    assert quantities.length(value, unit) == text


def test_coordinates_are_as_fine_as_voxels():
    voxel = (10.0, 0.25, 0.004)
    text = quantities.coordinates((120.0, 1.0, 0.5), None, voxel_size=voxel)
    assert text == "(z 120, y 1.00, x 0.5000)"
    assert quantities.coordinates((nan, 1.0, 1.0), "nm") == "(z –, y 1.0, x 1.0 nm)"


def test_what_is_rounded_to_zero_has_no_sign():
    assert quantities.coordinates((-0.04, -0.0, -0.06)) == "(z 0.0, y 0.0, x -0.1)"
    assert quantities.short_number(-0.0) == "0"


def test_coordinates_of_flat_data_are_written_without_z():
    text = quantities.coordinates((0.0, 1.0, 2.0), "nm", axes="yx")
    assert text == "(y 1.0, x 2.0 nm)"


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0 chunks"), (1, "1 chunk"), (2, "2 chunks"), (1200, "1,200 chunks")],
)
def test_one_thing_is_counted_in_the_singular(n, text):
    assert quantities.counted(n, "chunk") == text
