"""The command that measures this machine."""

import csv
import json
import os
import signal
import subprocess
import sys

import pytest

from brickfield.benchmarks import BenchmarkResult, TestResult, cases

QUICK = ("bench", "--tests", "gaussian,downsample_3", "--sizes", "12", "--warmup", 0)


def test_the_files_hold_the_same_numbers(command, tmp_path):
    files = ("--json", tmp_path / "a.json", "--csv", tmp_path / "a.csv")
    done = command(*QUICK, "--iterations", 3, *files)
    assert done.status == 0
    assert "gaussian" in done.out
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert {"adapter", "versions", "values", "machine", "started"} <= set(found)
    assert (found["format"], found["schema"]) == ("brickfield benchmark", 1)
    with (tmp_path / "a.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    for line, row in zip(lines, found["results"], strict=True):
        assert line["test"] == row["test"]
        assert float(line["mean_ms"]) == row["mean_ms"]
        assert row["iterations"] == len(row["times_ms"]) == 3


def test_json_can_be_printed(command):
    done = command(*QUICK, "--json", "-")
    assert len(json.loads(done.out)["results"]) == 2


def write(path, *times):
    row = TestResult("shift", (9, 9, 9), "uint16", times)
    BenchmarkResult("2026", True, {"cpu": ""}, {}, (row,)).write_json(path)
    return path


def test_two_results_are_compared(command, tmp_path):
    old, new = write(tmp_path / "a.json", 10.0), write(tmp_path / "b.json", 5.0)
    done = command("bench", "--compare", old, new, "--json", "-")
    (row,) = json.loads(done.out)
    assert (row["ratio"], row["change"]) == (0.5, "faster")
    done = command("bench", "--compare", old, new, "--json", tmp_path / "c.json")
    assert "faster" in done.out
    assert json.loads((tmp_path / "c.json").read_text("utf-8")) == [row]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--tests", "nope"), "'nope'"),
        (("--sizes", "big"), "whole numbers"),
        (("--sizes", "0"), "from 1 to"),
        (("--iterations", "0"), "iterations"),
        (("--compare", "a.json"), "OLD.json NEW.json"),
        (("a.json", "b.json"), "--compare"),
        (("--compare", "a.json", "b.json"), "no such file"),
        (("--json", "none/a.json"), "folder that exists"),
        (("--source", "none.zarr"), "none.zarr"),
    ],
)
def test_what_cannot_be_is_one_sentence(command, tmp_path, monkeypatch, words, told):
    monkeypatch.chdir(tmp_path)
    done = command("bench", *words)
    assert done.status == 2
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1


@pytest.mark.parametrize("option", ["--json", "--csv"])
def test_only_a_result_of_before_is_replaced(command, tmp_path, option):
    """Anything else there, such as a file of some data, is refused and stays."""
    path = tmp_path / "zarr.json"
    path.write_text('{"zarr_format": 3, "node_type": "array"}')
    before = path.read_bytes()
    done = command(*QUICK, option, path)
    assert done.status == 2
    assert "a new file or a benchmark" in done.err
    assert path.read_bytes() == before
    path.unlink()
    assert command(*QUICK, option, path).status == 0
    assert command(*QUICK, option, path).status == 0


def test_a_test_that_fails_is_told_and_the_status_is_3(command, monkeypatch):
    def fail(_volume):
        msg = "there is no room"
        raise MemoryError(msg)

    monkeypatch.setitem(cases._ON_VOXELS, "gaussian", fail)
    done = command(*QUICK)
    assert done.status == 3
    assert "gaussian: there is no room" in done.out
    assert "failed" in done.out


INTERRUPTED = """
import os, signal, sys
from brickfield.benchmarks import cases
seen = []
def once(volume):
    seen.append(1)
    if len(seen) == 4:
        os.kill(os.getpid(), signal.SIGINT)
    return volume
cases._ON_VOXELS["shift"] = once
sys.argv = ["brickfield", *sys.argv[1:]]
from brickfield.cli.main import run
run()
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interruption_ends_with_130_and_what_is_done_is_written(tmp_path):
    words = ["bench", "--tests", "shift", "--sizes", "8", "--iterations", "9"]
    words += ["--warmup", "0", "--json", str(tmp_path / "a.json")]
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, *words], capture_output=True, check=False
    )
    assert done.returncode in (130, -signal.SIGINT)
    found = json.loads((tmp_path / "a.json").read_text("utf-8"))
    assert not found["complete"]
    assert found["results"][0]["iterations"] == 3
