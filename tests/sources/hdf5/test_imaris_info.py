"""Texts of the Imaris info group, well-formed or not."""

from __future__ import annotations

import pytest

from brickfield.sources.hdf5.imaris_info import ImarisInfo, numbers, whole_numbers


class _Group:
    def __init__(self, **attrs):
        self.attrs = attrs


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1 2.5", [1, 2.5]), ("", None), (None, None), ("1 x", None), ("nan 1", None)],
)
def test_numbers_are_all_or_nothing(text, expected):
    assert numbers(text) == expected


def test_counts_below_one_or_absent_are_no_size():
    assert whole_numbers(["3", "4", "5"]) == (3, 4, 5)
    assert whole_numbers(["0", "4", "5"]) is None
    assert whole_numbers([None, "4", "5"]) is None


def test_an_upside_down_extent_is_not_used():
    info = ImarisInfo({"Image": _Group(ExtMin0="5", ExtMax0="1", ExtMin1="0")})
    low, high = info.extent((2, 3, 4))
    assert (low, high) == ((-0.5, -0.5, -0.5), (1.5, 2.5, 3.5))
    assert len(info.findings) == 3


def test_units_are_spelled_out():
    assert ImarisInfo({"Image": _Group(Unit="nm")}).unit == "nanometer"
    assert ImarisInfo({"Image": _Group(Unit="parsec")}).unit == "parsec"
    assert ImarisInfo(None).unit == "micrometer"
