"""Wells, fields and series are chosen by name, then by position."""

import pytest

from brickfield.errors import OptionError
from brickfield.sources.ome_zarr.plate import choose

WELLS = ("A/1", "A/01x", "B/02", "H/12")


@pytest.mark.parametrize(
    ("wanted", "position"),
    [
        (None, 0),
        (2, 2),
        ("2", 2),
        ("B/02", 2),
        ("B02", 2),
        ("b2", 2),
        ("b/2", 2),
        ("H12", 3),
    ],
)
def test_names_and_positions_choose(wanted, position):
    assert choose(wanted, WELLS, "well") == position


@pytest.mark.parametrize("wanted", [4, -1, "4", "C/1", "H/1"])
def test_what_is_not_there_is_an_option_error_that_lists_what_is(wanted):
    with pytest.raises(OptionError, match="A/1, A/01x, B/02, H/12"):
        choose(wanted, WELLS, "well")


def test_a_name_goes_before_a_position():
    assert choose("1", ("1", "0"), "series") == 0
