"""Files of a benchmark's result."""

import csv
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brickfield.benchmarks import BenchmarkResult, TestResult
from brickfield.benchmarks.result import COLUMNS, STATISTICS
from brickfield.errors import StoreFormatError, StoreNotFoundError

times = st.lists(st.floats(1e-6, 1e7), max_size=6).map(tuple)
rows = st.builds(
    TestResult,
    st.sampled_from(["gaussian", "read"]),
    st.tuples(*[st.integers(1, 3000)] * 3),
    st.sampled_from(["uint8", "float32"]),
    times,
    st.booleans(),
    st.none() | st.just('it, is "broken"'),
    st.just({}) | st.just({"hit_rate": 0.5}),
)


def result(*found):
    machine = {"cpu": "a", "cores": 2, "memory_bytes": 1, "os": "b", "python": "3"}
    return BenchmarkResult(
        "2026-01-02T03:04:05+00:00", True, machine | {"gpu": ""}, {"sizes": [9]}, found
    )


def test_the_numbers_follow_from_the_times():
    row = TestResult("shift", (100, 200, 50), "uint16", (10.0, 20.0, 60.0)).to_dict()
    assert row["iterations"] == 3
    assert (row["mean_ms"], row["median_ms"], row["min_ms"], row["max_ms"]) == (
        30, 20, 10, 60,
    )  # fmt: skip
    assert row["std_ms"] == pytest.approx(700**0.5)
    assert row["p95_ms"] == pytest.approx(56)
    assert row["mvox_per_s"] == pytest.approx(1e6 / 0.030 / 1e6)


def test_a_test_without_times_has_no_numbers():
    row = TestResult("shift", (9, 9, 9), "uint16", (), False, "no room").to_dict()
    assert {row[name] for name in (*STATISTICS, "mvox_per_s")} == {None}
    assert row["error"] == "no room"


@given(st.lists(rows, max_size=4))
def test_a_json_file_holds_everything(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("json") / "a.json"
    written = result(*found)
    written.write_json(path)
    assert BenchmarkResult.read_json(path) == written
    assert json.loads(path.read_text("utf-8")) == json.loads(written.to_json())


@given(st.lists(rows, max_size=4))
def test_a_csv_file_holds_the_same_numbers(tmp_path_factory, found):
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    result(*found).write_csv(path)
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert path.read_text("utf-8").splitlines()[0] == ",".join(COLUMNS)
    assert len(lines) == len(found)
    for line, row in zip(lines, found, strict=True):
        assert line["size"] == "x".join(map(str, row.size))
        assert line["complete"] == ("true" if row.complete else "false")
        for name in (*STATISTICS, "mvox_per_s"):
            wanted = row.to_dict()[name]
            assert (float(line[name]) if line[name] else None) == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("test,size\n", "no JSON"),
        ("[1]", "other JSON"),
        ('{"zarr_format": 3}', "other JSON"),
        ('{"adapter": "", "versions": {}, "values": []}', "older brickfield"),
        ('{"format": "brickfield benchmark", "schema": 2}', "schema 1 .* found 2"),
        ('{"format": "brickfield benchmark", "schema": 1}', "missing or wrong"),
        ("[" * 100_000, "no JSON"),
        ("\0\ufffe", "no JSON"),
    ],
)
def test_what_is_no_result_is_told_in_a_sentence(tmp_path, text, told):
    path = tmp_path / "a.json"
    path.write_text(text, "utf-8")
    with pytest.raises(StoreFormatError, match=told):
        BenchmarkResult.read_json(path)


def test_times_that_cannot_be_are_refused():
    found = result(TestResult("shift", (9, 9, 9), "u1", (1.0,))).to_dict()
    for times in ([float("nan")], [-1.0], ["x"], None):
        found["results"][0]["times_ms"] = times
        with pytest.raises(StoreFormatError, match="missing or wrong"):
            BenchmarkResult.from_dict(found)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(StoreNotFoundError, match="no such file"):
        BenchmarkResult.read_json(tmp_path / "a.json")
