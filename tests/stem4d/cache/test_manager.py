"""What is kept with a scan: layout, validity, several processes, room."""

import json
import os
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

from brickfield.errors import OptionError, StoreAccessError
from brickfield.stem4d.cache import manager as managers
from brickfield.stem4d.cache import places
from brickfield.stem4d.cache.lock import CacheLock
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.cache.places import is_on_share, sidecar_of
from brickfield.stem4d.overviews import ITEMS, OverviewComputer, OverviewOptions
from brickfield.testing.emd import write_emd

ALL = OverviewOptions(ITEMS, n_binned=3)


@pytest.fixture(params=["flat", "chunked"])
def emd(request, tmp_path, patterns):
    storage = {} if request.param == "flat" else {"chunks": (1, 4, 12, 10)}
    return write_emd(tmp_path / "scan.emd", patterns, **storage)


@pytest.fixture
def no_pass(monkeypatch):
    """Whoever computes after this fails."""

    def refuse(self, *_args, **_further):
        raise AssertionError("computed anew")

    return lambda: monkeypatch.setattr(OverviewComputer, "compute", refuse)


def overviews(path, wanted=ALL, where="auto"):
    with EMDCacheManager(path, where) as manager:
        return manager.overviews(wanted)


def is_equal(a, b):
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=True)
    if isinstance(a, dict):
        return a == b
    return np.array_equal(a.counts, b.counts) and np.array_equal(a.edges, b.edges)


@pytest.mark.parametrize("where", ["file", "sidecar"])
def test_what_was_computed_once_is_there_at_the_next_opening(emd, no_pass, where):
    first = overviews(emd, where=where)
    no_pass()
    second = overviews(emd, where=where)
    for name in ITEMS:
        assert is_equal(first[name], second[name]), name
    held = emd if where == "file" else sidecar_of(emd)
    with h5py.File(held) as file:
        assert "cached/scan_overview/data" in file
        for name in ("sum_over_x", "sum_over_y", "sum_over_both"):
            assert f"cached/detector_integrated/{name}" in file
        for name in ("computation_log", "source_file_hash", "viewer_version"):
            assert f"cached/metadata/{name}" in file
        about = file["cached/scan_overview/data"].attrs
        assert about["complete"] == 1
        assert about["source_shape"].tolist() == [6, 7, 12, 10]
        assert {"source_fingerprint", "params", "computation_date"} <= set(about)
        assert set(file["cached/scan_overview"].attrs) == {
            "computation_date",
            "source_shape",
        }


def test_the_patterns_are_not_changed(emd, patterns):
    overviews(emd)
    with h5py.File(emd) as file:
        data = file["version_1/data/datacubes/datacube_000/data"]
        np.testing.assert_array_equal(data, patterns)
    assert sidecar_of(emd).exists() is False


def flip_a_byte(path, at=-1):
    """Change one byte of the patterns, and put the times back."""
    before = path.stat()
    with h5py.File(path) as file:
        data = file["version_1/data/datacubes/datacube_000/data"]
        offset = data.id.get_offset() or data.id.get_chunk_info(0).byte_offset
    with path.open("r+b") as file:
        file.seek(offset + 37)
        byte = file.read(1)[0]
        file.seek(offset + 37)
        file.write(bytes([byte ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("where", ["file", "sidecar"])
def test_one_flipped_byte_makes_everything_invalid(emd, where):
    first = overviews(emd, where=where)
    flip_a_byte(emd)
    with EMDCacheManager(emd, where) as manager:
        items = manager.items()
        assert items
        assert not any(i.is_valid for i in items)
        assert {i.reason for i in items} == {"the source has changed"}
        second = manager.overviews(ALL)
        assert all(i.is_valid for i in manager.items())
    assert not np.array_equal(first["scan"], second["scan"])


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("algorithm_version", 0),
        ("viewer_version", "999.0"),
        ("complete", 0),
        ("source_shape", [1, 2, 3, 4]),
        ("params", json.dumps({"dataset": "/other"})),
    ],
)
def test_an_item_of_another_kind_is_invalid_and_the_others_stay(emd, attribute, value):
    overviews(emd)
    with h5py.File(emd, "r+") as file:
        file["cached/com"].attrs[attribute] = value
    with EMDCacheManager(emd) as manager:
        invalid = [i.item for i in manager.items() if not i.is_valid]
        assert invalid == ["com"]
        assert manager.get("com") is None
        assert manager.get("scan_overview") is not None


def test_other_parameters_are_other_items(emd):
    overviews(emd)
    with EMDCacheManager(emd) as manager:
        assert manager.get("binned_4d", n_binned=3) is not None
        assert manager.get("binned_4d", n_binned=4) is None
    with EMDCacheManager(emd, context={"corrections": "dead"}) as manager:
        assert manager.get("scan_overview") is None


def test_a_file_marked_read_only_has_its_cache_beside_it(emd, no_pass):
    """For a superuser, too, who might write to it."""
    before = emd.read_bytes()
    emd.chmod(0o444)
    overviews(emd)
    assert emd.read_bytes() == before
    assert sidecar_of(emd).exists()
    no_pass()
    overviews(emd)


def test_nothing_is_kept_in_a_folder_marked_read_only(emd):
    before = emd.read_bytes()
    emd.parent.chmod(0o555)
    try:
        overviews(emd)
        assert [p.name for p in emd.parent.iterdir()] == [emd.name]
    finally:
        emd.parent.chmod(0o755)
    assert emd.read_bytes() == before


def test_other_formats_keep_nothing_unless_told_to(scan, tmp_path):
    path = tmp_path / "scan.mib"
    path.write_bytes(scan.read_bytes())
    before = sorted(tmp_path.iterdir())
    overviews(path)
    assert sorted(tmp_path.iterdir()) == before
    overviews(path, where="sidecar")
    assert sidecar_of(path).exists()
    assert path.read_bytes() == scan.read_bytes()
    with EMDCacheManager(path, "sidecar") as manager:
        assert all(i.is_valid for i in manager.items())
    with pytest.raises(OptionError, match="sidecar"):
        EMDCacheManager(path, "file")


def test_a_dropped_item_is_gone_and_its_room_comes_back(emd):
    overviews(emd)
    with EMDCacheManager(emd) as manager:
        assert manager.drop("binned_4d") == [emd]
        assert "binned_4d" not in [i.item for i in manager.items()]
        with pytest.raises(OptionError, match="binned_4d"):
            manager.drop("binned_4d")
        with pytest.raises(OptionError, match="item out of"):
            manager.drop("nothing")
    size = emd.stat().st_size
    with EMDCacheManager(emd) as manager:
        assert manager.repack_bytes() == size
        assert manager.repack() == size - emd.stat().st_size > 0
    with EMDCacheManager(emd) as manager:
        assert all(i.is_valid for i in manager.items())


def test_verifying_finds_what_the_digest_does_not_see(emd, monkeypatch):
    monkeypatch.setattr(managers, "digest_of", lambda _scan: "the same")
    overviews(emd)
    with EMDCacheManager(emd) as manager:
        assert all(i.is_valid for i in manager.verify())
    flip_a_byte(emd)
    with EMDCacheManager(emd) as manager:
        assert all(i.is_valid for i in manager.items())
        assert not any(i.is_valid for i in manager.verify())


OTHER = """
import sys
from brickfield.stem4d.cache.lock import CacheLock
from pathlib import Path
with CacheLock(Path(sys.argv[1]), "overviews"):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holder(path):
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_another_process_that_computes_is_waited_for(emd):
    with EMDCacheManager(emd) as manager:
        process = holder(manager.lock_path)
        seen = []

        def let_go(owner):
            seen.append(owner.pid)
            process.communicate("\n")

        found = manager.overviews(on_wait=let_go)
        assert seen == [process.pid]
        assert set(found) >= {"scan"}
        assert not manager.lock_path.exists()


def test_the_lock_of_a_killed_process_is_taken_over(emd):
    with EMDCacheManager(emd) as manager:
        process = holder(manager.lock_path)
        lock = CacheLock(manager.lock_path, "overviews")
        with pytest.raises(StoreAccessError, match="another process"):
            lock.__enter__()
        process.kill()
        process.communicate()
        assert manager.owner is None
        manager.overviews()
        assert not manager.lock_path.exists()


def test_the_lock_of_a_silent_host_is_taken_over(tmp_path):
    path = tmp_path / "lock"
    about = {"host": "far", "pid": 1, "doing": "", "since": 0.0, "token": "t"}
    path.write_text(json.dumps(about))
    with pytest.raises(StoreAccessError):
        CacheLock(path, "it").__enter__()
    os.utime(path, (time.time() - 1000,) * 2)
    with CacheLock(path, "it"):
        assert json.loads(path.read_text())["host"] != "far"
    assert list(tmp_path.iterdir()) == []


WORK = """
import sys
from brickfield.stem4d.cache.manager import EMDCacheManager
from brickfield.stem4d.overviews import ITEMS, OverviewOptions
from brickfield.stem4d.passes import PassOptions
import os, signal
stage = sys.argv[2]
if stage == "progress":
    how = PassOptions("20 kB", 1, progress=lambda *a: os.kill(os.getpid(), 9))
else:
    how = PassOptions()
    import brickfield.stem4d.cache.bulk as bulk, brickfield.stem4d.cache.items as items
    import brickfield.stem4d.cache.manager as manager
    end = lambda *a, **k: os.kill(os.getpid(), 9)
    if stage == "sync":
        items.sync = end
    else:
        manager.complete = end
EMDCacheManager(sys.argv[1]).overviews(OverviewOptions(ITEMS, 3), how)
"""


@pytest.mark.parametrize("stage", ["progress", "sync", "complete"])
def test_a_kill_leaves_a_file_that_opens_and_nothing_half_valid(emd, patterns, stage):
    run = subprocess.run([sys.executable, "-c", WORK, str(emd), stage], check=False)
    assert run.returncode == -9
    with EMDCacheManager(emd) as manager:
        assert not [i for i in manager.items() if i.is_valid and not i.is_complete]
        found = manager.overviews(ALL)
        np.testing.assert_array_equal(found["scan"], patterns.sum((2, 3)))
        np.testing.assert_array_equal(found["sum_over_x"], patterns.sum(3))
        assert all(i.is_valid for i in manager.items())


def test_a_file_that_another_program_looks_into_for_a_moment_is_waited_for(emd):
    code = "import h5py,sys,time;f=h5py.File(sys.argv[1]);print('o',flush=True);"
    process = subprocess.Popen(
        [sys.executable, "-c", code + "time.sleep(0.5)", str(emd)],
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    overviews(emd)
    process.communicate()
    assert not sidecar_of(emd).exists()
    with h5py.File(emd) as file:
        assert "scan_overview" in file["cached"]


def test_a_file_that_another_program_has_open_has_its_cache_beside_it(emd, monkeypatch):
    monkeypatch.setattr(places, "PATIENCE_S", 0.1)
    code = "import h5py,sys;f=h5py.File(sys.argv[1]);print('o',flush=True);input()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(emd)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    process.stdout.readline()
    overviews(emd)
    process.communicate("\n")
    assert sidecar_of(emd).exists()
    with h5py.File(emd) as file:
        assert "cached" not in file


def test_a_share_is_known_by_its_kind(tmp_path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nfar:/x {tmp_path}/far\\040away nfs4 rw\n"
    )
    assert is_on_share(tmp_path / "far away" / "scan.emd", mounts)
    assert not is_on_share(tmp_path / "scan.emd", mounts)
    assert not is_on_share(tmp_path, tmp_path / "nothing")
