"""The self-test's files and refusals; what it measures is no matter for a test."""

import csv
import json

import pytest

from brickfield.cli import bench as benches
from brickfield.cli.bench import bench, write_csv, write_json
from brickfield.errors import OptionError

FOUND = {
    "adapter": "some card",
    "versions": {"numpy": "2"},
    "values": [{"name": "plan", "value": 1.5, "unit": "ms", "about": "a, b"}],
}


def test_the_files_hold_the_same_values(tmp_path):
    write_json(tmp_path / "a.json", FOUND)
    write_csv(tmp_path / "a.csv", FOUND)
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == FOUND
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["name"], float(row["value"]), row["about"]) == ("plan", 1.5, "a, b")


@pytest.mark.parametrize(
    ("option", "write"), [("json_file", write_json), ("csv_file", write_csv)]
)
def test_only_a_result_of_before_is_replaced(tmp_path, monkeypatch, option, write):
    """Anything else there, such as a file of some data, is refused and stays."""
    monkeypatch.setattr(benches, "measure", lambda _folder: FOUND)
    path = tmp_path / "zarr.json"
    path.write_text('{"zarr_format": 3, "node_type": "array"}')
    before = path.read_bytes()
    with pytest.raises(OptionError, match="a new file or a benchmark"):
        bench(**{option: path})
    assert path.read_bytes() == before
    write(path, {**FOUND, "values": []})
    bench(**{option: path})
    assert b"plan" in path.read_bytes()


def test_a_file_in_no_folder_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(OptionError, match="folder that exists"):
        bench(json_file=tmp_path / "none" / "a.json")
