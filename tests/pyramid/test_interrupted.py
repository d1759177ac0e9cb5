"""Pyramids that are killed, run out of room, or lose a worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from brickfield.pyramid.command import write_pyramid

zarr = pytest.importorskip("zarr")
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and limits")

CHILD = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from grid_source import GridSource
from brickfield.errors import BrickfieldError
from brickfield.pyramid.command import write_pyramid

root, stop_at, limit = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
rng = np.random.default_rng(3)
data = rng.integers(0, 65535, (96, 96, 96), np.uint16)
data[:48] //= 65535

def progress(done, total, n_bytes, left):
    if stop_at and done >= stop_at:
        print(done, flush=True)
        sys.stdin.readline()  # the kill comes here, while other threads write

try:
    result = write_pyramid(
        GridSource(data), root, chunk_shape=16, levels=3, workers=2, progress=progress
    )
except BrickfieldError as e:
    sys.exit(f"{type(e).__name__}: {e}")
print(json.dumps(result.as_dict()))
"""


@pytest.fixture
def start(source_folder, tmp_path):
    """Start the child process that writes a pyramid."""

    def run(root, *, stop_at=0, limit=0):
        command = [sys.executable, "-c", CHILD, source_folder, root, stop_at, limit]
        return subprocess.Popen(
            [str(c) for c in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def finished(process):
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


def assert_same_store(a, b):
    assert (a / "zarr.json").read_text() == (b / "zarr.json").read_text()
    first, second = zarr.open_group(a, mode="r"), zarr.open_group(b, mode="r")
    for name in ("0", "1", "2"):
        np.testing.assert_array_equal(first[name][:], second[name][:])
    files = [{p.relative_to(r) for p in r.rglob("*")} for r in (a, b)]
    assert files[0] == files[1]


@posix
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(start, tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    finished(start(whole))
    with start(killed, stop_at=60) as process:
        done = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (killed / "zarr.json").exists()
    lines = (killed / ".brickfield-journal" / "journal.jsonl").read_text().splitlines()
    noted = {
        n for line in lines[1:] for e in [json.loads(line)] if e["job"][0] == "0"
        for n in e["done"]
    }  # fmt: skip
    assert len(noted) >= done
    chunks = [np.unravel_index(n, (6, 6, 6)) for n in noted]
    paths = [killed / "0" / "c" / "/".join(map(str, c)) for c in chunks]
    before = {p: p.stat().st_mtime_ns for p in paths if p.exists()}
    result = finished(start(killed))
    assert result["blocks"]["resumed"] >= done
    blocks = result["blocks"]
    assert blocks["resumed"] + blocks["written"] == blocks["total"] == 216 + 27 + 8
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert_same_store(killed, whole)


@posix
def test_no_room_is_one_sentence_and_the_same_call_goes_on(start, tmp_path):
    """A file-size limit stands for the full disk: noise does not fit, zeros do."""
    whole, full = tmp_path / "whole", tmp_path / "full"
    finished(start(whole))
    process = start(full, limit=4000)
    _, err = process.communicate()
    assert process.returncode == 1
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("StoreWriteError: expected to write to")
    assert "file too large" in err
    assert not (full / "zarr.json").exists()
    result = finished(start(full))
    assert result["complete"]
    assert result["blocks"]["resumed"] > 0
    assert_same_store(full, whole)


@posix
@pytest.mark.slow
def test_a_cluster_that_loses_a_worker_writes_the_same(tmp_path):
    """Two worker processes; one is killed after the first blocks."""
    distributed = pytest.importorskip("distributed")
    from brickfield.sources import from_arrays

    data = np.random.default_rng(5).integers(0, 65535, (80, 96, 112), np.uint16)
    options = {"chunk_shape": 16, "levels": 3}
    write_pyramid(from_arrays(data), tmp_path / "threads", **options)
    victims = []

    def kill_one(done, total, n_bytes, left):
        if done and not victims:
            victims.append(next(iter(client.run(os.getpid).values())))
            os.kill(victims[0], signal.SIGKILL)

    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        result = write_pyramid(
            from_arrays(data), tmp_path / "cluster", progress=kill_one,
            scheduler=cluster.scheduler_address, **options,
        )  # fmt: skip
    assert len(victims) == 1
    assert result.is_complete
    assert result.failures == ()
    stores = [zarr.open_group(tmp_path / n, mode="r") for n in ("cluster", "threads")]
    for name in ("0", "1", "2"):
        np.testing.assert_array_equal(stores[0][name][:], stores[1][name][:])
