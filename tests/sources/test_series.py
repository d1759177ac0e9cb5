"""Images are chosen by name or by position."""

from __future__ import annotations

import pytest

from brickfield.errors import OptionError
from brickfield.sources.boundary import series_index


@pytest.mark.parametrize(
    ("series", "position"),
    [(None, 0), (1, 1), ("1", 1), ("/b", 1), ("b/", 1), ("3", 2)],
)
def test_a_name_or_a_position_chooses(series, position):
    assert series_index(["/a", "/b", "3"], series, where="x") == position


@pytest.mark.parametrize("series", [3, -1, "c", ""])
def test_what_is_not_there_is_refused(series):
    with pytest.raises(OptionError, match=r"/a, /b"):
        series_index(["/a", "/b", "3"], series, where="x")
