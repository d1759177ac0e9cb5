"""``brickfield transform points`` maps a file of points."""

import json
import tomllib
from importlib.metadata import PackageNotFoundError, files

import numpy as np
import pytest
import zarr


@pytest.fixture
def scene(tmp_path):
    group = zarr.open_group(str(tmp_path / "s.zarr"), mode="w", zarr_format=3)
    axes = [{"name": a, "type": "space"} for a in "yx"]
    field = {"type": "displacements", "path": "d"}
    group.attrs["ome"] = {
        "version": "0.6",
        "scene": {
            "coordinateSystems": [{"name": n, "axes": axes} for n in "abcd"],
            "coordinateTransformations": [
                {"type": "scale", "scale": [2, 4], "input": "a", "output": "b"},
                {**field, "input": "b", "output": "c"},
            ],
        },
    }
    return tmp_path / "s.zarr"


def written(tmp_path, value):
    path = tmp_path / "points.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def test_points_are_printed_as_json(command, scene, tmp_path):
    listed = written(tmp_path, [[1, 2], [0.5, 0]])
    ended = command("transform", "points", scene, "a", "b", listed, "--json")
    assert ended.status == 0
    assert json.loads(ended.out) == {"points": [[2, 8], [1, 0]]}


def test_what_it_prints_it_takes_again(command, scene, tmp_path):
    listed = written(tmp_path, {"points": [[2, 8]]})
    ended = command("transform", "points", scene, "b", "a", listed, "--json")
    assert json.loads(ended.out) == {"points": [[1, 2]]}


def test_people_get_a_table(command, scene, tmp_path):
    listed = written(tmp_path, [[1, 2]])
    ended = command("transform", "points", scene, "a", "b", listed)
    assert ended.out.split() == ["y,", "x", "2", "8"]


@pytest.mark.parametrize(
    ("source", "target", "points", "sentence"),
    [
        ("a", "x", [[1, 2]], "one of the coordinate systems a, b, c, d; found 'x'"),
        ("b", "c", [[1, 2]], "displacements"),
        ("a", "d", [[1, 2]], "found no path"),
        ("a", "b", [[1]], "2 numbers each"),
        ("a", "b", [1, 2], "2 numbers each"),
        ("a", "b", "[[1, NaN]]", "2 numbers each"),
        ("a", "b", "[[", "expected JSON"),
    ],
)
def test_what_cannot_be_mapped_is_one_sentence_and_status_2(
    command, scene, tmp_path, source, target, points, sentence
):
    listed = written(tmp_path, points)
    ended = command("transform", "points", scene, source, target, listed, "--json")
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err
    assert len(ended.err.splitlines()) == 1


def test_a_missing_file_of_points_is_told(command, scene, tmp_path):
    ended = command("transform", "points", scene, "a", "b", tmp_path / "none.json")
    assert ended.status == 2
    assert "a file of points" in ended.err


def cases():
    """Cases of the ome-zarr-transformations-conformance package, where it is."""
    try:
        listed = files("ome-zarr-transformations-conformance") or []
    except PackageNotFoundError:
        return []
    return [p.locate() for p in listed if p.name == "conformance.toml"]


@pytest.mark.parametrize("case", cases(), ids=lambda path: path.parent.name)
def test_the_conformance_cases_of_the_format_hold(command, tmp_path, case):
    about = tomllib.loads(case.read_text())
    source, target = about["source"], about["target"]
    listed = written(tmp_path, source["coordinates"])
    names = source["name"], target["name"]
    ended = command("transform", "points", case.parent, *names, listed, "--json")
    if about["should_error"]:
        assert ended.status == 2
        return
    found = json.loads(ended.out)["points"]
    np.testing.assert_allclose(found, target["coordinates"], atol=1e-6)
