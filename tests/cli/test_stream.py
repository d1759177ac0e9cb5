"""``brickfield stream`` counts what it wrote and replaces nothing unasked."""

import json

import pytest
import zarr
from typer.testing import CliRunner

from brickfield.cli.app import app
from brickfield.errors import OptionError

SMALL = ["--frames", "12", "--size", "40x48", "--planes", "4", "--fps", "0"]


def invoke(*args: str):
    return CliRunner().invoke(app, ["stream", "demo", *map(str, args)])


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_counts_are_printed_as_json(tmp_path, version):
    place = tmp_path / "a.ome.zarr"
    result = invoke(place, *SMALL, "--version", version, "--json")
    assert result.exit_code == 0
    stats = json.loads(result.stdout)
    assert stats["frames"] == 12
    assert stats["bytes_in"] == 12 * 40 * 48 * 2
    assert stats["chunks_rewritten"] == 0
    assert zarr.open_group(place, mode="r")["0"].shape == (3, 1, 4, 40, 48)


def test_people_get_one_line(tmp_path):
    result = invoke(tmp_path / "a.ome.zarr", *SMALL, "--channels", "2")
    assert result.exit_code == 0
    assert "12 frames in" in result.stdout


def test_a_size_that_is_none_is_refused(tmp_path):
    result = invoke(tmp_path / "a.ome.zarr", "--size", "big")
    assert isinstance(result.exception, OptionError)
    assert "rows and columns" in str(result.exception)


def test_what_is_in_the_way_stays_unless_it_may_be_replaced(tmp_path):
    place = tmp_path / "a.ome.zarr"
    assert invoke(place, *SMALL).exit_code == 0
    assert isinstance(invoke(place, *SMALL).exception, OptionError)
    assert invoke(place, *SMALL, "--overwrite").exit_code == 0
