"""A scan written as EMD: exact, whole or not there, resumable."""

import hashlib
import os
import signal
import subprocess
import sys
from threading import Event

import h5py
import numpy as np
import pytest

from brickfield.errors import BudgetError, OptionError, StoreWriteError
from brickfield.sources.scans import ScanOptions
from brickfield.stem4d import EMDEnhancedViewer, convert_plan
from brickfield.stem4d.convert import ConvertOptions, convert
from brickfield.stem4d.convert_plan import binned
from brickfield.stem4d.emd_file import DATASET, Target
from brickfield.stem4d.open import OpenOptions
from brickfield.testing.emd import write_emd
from brickfield.testing.mib import MIBOptions, write_hdr, write_mib

COMPRESSIONS = ["none", "gzip", "lz4"]


def stored(path):
    with h5py.File(path) as file:
        return file[DATASET][...]


def names_in(folder):
    return sorted(p.name for p in folder.iterdir())


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_patterns_are_the_same(scan, patterns, tmp_path, compression):
    before = hashlib.blake2b(scan.read_bytes()).digest(), scan.stat().st_mtime_ns
    found = convert(scan, tmp_path / "a.emd", compression)
    assert found.is_complete
    assert found.shape == patterns.shape
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), patterns)
    with EMDEnhancedViewer(tmp_path / "a.emd") as viewer:
        np.testing.assert_array_equal(viewer.data[...], patterns)
    after = hashlib.blake2b(scan.read_bytes()).digest(), scan.stat().st_mtime_ns
    assert before == after
    assert names_in(tmp_path) == ["a.emd"]


def test_overviews_are_stored_beside_the_patterns(scan, patterns, tmp_path):
    convert(scan, tmp_path / "a.emd")
    with h5py.File(tmp_path / "a.emd") as file:
        items = {
            "scan_overview/data": patterns.sum((2, 3)),
            "patterns/sum": patterns.sum((0, 1)),
            "patterns/max": patterns.max((0, 1)),
        }
        for name, values in items.items():
            item = file[f"cached/{name}"]
            np.testing.assert_array_equal(item[...], values)
            assert item.attrs["complete"] == 1
            assert item.attrs["source_shape"].tolist() == list(patterns.shape)
    convert(scan, tmp_path / "b.emd", overviews=False)
    with h5py.File(tmp_path / "b.emd") as file:
        assert "cached" not in file


def test_a_region_keeps_its_place(tmp_path, patterns):
    source = write_emd(tmp_path / "source.emd", patterns)
    convert(source, tmp_path / "a.emd", region=(slice(2, 5), slice(1, None)))
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), patterns[2:5, 1:])
    old, new = (EMDEnhancedViewer(p).calibration for p in (source, tmp_path / "a.emd"))
    assert new[0].origin == old[0].origin + 2 * old[0].size
    assert (new[2].size, new[2].unit) == (pytest.approx(old[2].size), "1/nm")


def test_binned_pixels_are_sums_that_do_not_wrap(tmp_path):
    frames = np.full((6, 7, 9), 4095, np.uint16)
    source = write_mib(tmp_path / "a.mib", frames, MIBOptions(depth=12))
    options = ConvertOptions(OpenOptions(ScanOptions((2, 3))))
    convert(source, tmp_path / "a.emd", bin=3, options=options)
    found = stored(tmp_path / "a.emd")
    assert found.shape == (2, 3, 2, 3)
    assert found.dtype == np.uint16
    assert (found == 4095 * 9).all()
    convert(source, tmp_path / "b.emd", bin=5, options=options)
    assert stored(tmp_path / "b.emd").dtype == np.uint32


def test_binning_sums_whole_squares(patterns):
    found = binned(patterns, 4)
    whole = patterns[..., :12, :8].reshape(6, 7, 3, 4, 2, 4).sum((3, 5))
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("block_bytes", [1, 3000, 40000, 1 << 24])
@pytest.mark.parametrize("chunk_bytes", [600, 2000, 1 << 21])
def test_blocks_hold_every_chunk_once(
    scan, patterns, tmp_path, monkeypatch, block_bytes, chunk_bytes
):
    monkeypatch.setattr(convert_plan, "BLOCK_BYTES", block_bytes)
    monkeypatch.setattr("brickfield.stem4d.emd_file.CHUNK_BYTES", chunk_bytes)
    convert(scan, tmp_path / "a.emd")
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), patterns)
    with h5py.File(tmp_path / "a.emd") as file:
        total = file["cached/scan_overview/data"][...]
    np.testing.assert_array_equal(total, patterns.sum((2, 3)))


def test_chunks_leave_little_over_at_the_end_of_a_line():
    target = Target((4, 257, 256, 256), np.dtype("<u2"), "none")
    n = target.chunk_shape[1]
    assert -(-257 // n) * n - 257 < -(-257 // n)


@pytest.fixture
def long_scan(tmp_path, monkeypatch):
    """A scan of many blocks: one for each of its 40 lines."""
    monkeypatch.setattr(convert_plan, "BLOCK_BYTES", 1)
    frames = np.random.default_rng(1).integers(0, 64, (40, 6, 16, 16))
    write_hdr(tmp_path / "scan.hdr", ScanX=6, ScanY=40)
    path = write_mib(tmp_path / "scan.mib", frames.reshape(-1, 16, 16))
    return path, frames


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_cancelled_run_is_gone_on_with(long_scan, tmp_path, compression):
    path, frames = long_scan
    cancel = Event()
    first = convert(
        path,
        tmp_path / "a.emd",
        compression,
        progress=lambda *_: cancel.set(),
        cancel=cancel,
        options=ConvertOptions(workers=1),
    )
    assert not first.is_complete
    assert not (tmp_path / "a.emd").exists()
    second = convert(path, tmp_path / "a.emd", compression)
    assert second.is_complete
    assert 1 <= second.n_resumed < 40
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), frames)
    with h5py.File(tmp_path / "a.emd") as file:
        total = file["cached/scan_overview/data"][...]
    np.testing.assert_array_equal(total, frames.sum((2, 3)))
    assert names_in(tmp_path) == ["a.emd", "scan.hdr", "scan.mib"]


KILLED = """
import os, signal, sys
from brickfield.stem4d import convert_plan
from brickfield.stem4d.convert import ConvertOptions, convert
convert_plan.BLOCK_BYTES = 1
def die(done, total, *_):
    if done >= total * float(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
convert(sys.argv[1], sys.argv[2], sys.argv[3], progress=die,
        options=ConvertOptions(workers=2))
"""


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_killed_run_is_gone_on_with_or_begun_anew(
    long_scan, tmp_path, compression, share
):
    path, frames = long_scan
    out = tmp_path / "a.emd"
    command = [
        sys.executable,
        "-c",
        KILLED,
        str(path),
        str(out),
        compression,
        str(share),
    ]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert not out.exists()
    assert convert(path, out, compression).is_complete
    np.testing.assert_array_equal(stored(out), frames)
    assert names_in(tmp_path) == ["a.emd", "scan.hdr", "scan.mib"]


def test_other_options_or_another_source_begin_anew(long_scan, tmp_path):
    path, frames = long_scan
    cancel = Event()
    cancel.set()
    convert(path, tmp_path / "a.emd", cancel=cancel)
    found = convert(path, tmp_path / "a.emd", bin=2)
    assert found.n_resumed == 0
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), binned(frames, 2))


def test_restart_begins_anew(long_scan, tmp_path):
    path, _ = long_scan
    cancel = Event()
    convert(path, tmp_path / "a.emd", cancel=cancel, progress=lambda *_: cancel.set())
    options = ConvertOptions(restart=True)
    assert convert(path, tmp_path / "a.emd", options=options).n_resumed == 0


def test_a_file_that_is_there_is_replaced_only_if_asked(scan, patterns, tmp_path):
    out = tmp_path / "a.emd"
    out.write_bytes(b"something else")
    with pytest.raises(OptionError, match="--overwrite"):
        convert(scan, out)
    assert out.read_bytes() == b"something else"
    convert(scan, out, options=ConvertOptions(overwrite=True))
    np.testing.assert_array_equal(stored(out), patterns)


def test_a_scan_is_never_written_over(tmp_path, patterns):
    source = write_emd(tmp_path / "a.emd", patterns)
    with pytest.raises(OptionError, match="never over it"):
        convert(source, source, options=ConvertOptions(overwrite=True))
    np.testing.assert_array_equal(stored(source), patterns)


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"compression": "zip"}, OptionError, "compression out of"),
        ({"bin": 0}, OptionError, "bin 1 to 64"),
        ({"bin": 11}, OptionError, "bin at most 10"),
        ({"region": (0, 9, 0, 1)}, OptionError, "region"),
        ({"dst": "a.mib"}, OptionError, "ends in"),
        ({"dst": "none/a.emd"}, OptionError, "folder that exists"),
        ({"options": ConvertOptions(budget=1000)}, BudgetError, "budget of at least"),
    ],
)
def test_what_cannot_be_done_is_told(scan, tmp_path, change, error, says):
    given = {"dst": "a.emd", **change}
    dst = given.pop("dst")
    with pytest.raises(error, match=says):
        convert(scan, tmp_path / dst, **given)
    assert not (tmp_path / "a.emd").exists()


FULL = """
import resource, signal, sys
from brickfield.stem4d import convert_plan
convert_plan.BLOCK_BYTES = 1
from brickfield.errors import StoreWriteError
from brickfield.stem4d.convert import convert
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
try:
    convert(sys.argv[1], sys.argv[2], sys.argv[3])
except StoreWriteError as error:
    print(error)
"""


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_disk_without_room_is_told_and_gone_on_with(long_scan, tmp_path, compression):
    path, frames = long_scan
    frames = np.random.default_rng(1).integers(0, 4096, frames.shape)
    write_mib(path, frames.reshape(-1, 16, 16))
    command = [
        sys.executable,
        "-c",
        FULL,
        str(path),
        str(tmp_path / "a.emd"),
        compression,
    ]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "expected to write" in run.stdout, run.stderr
    assert convert(path, tmp_path / "a.emd", compression).is_complete
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), frames)


def test_without_room_nothing_is_left_behind(scan, tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("brickfield.stem4d.convert.shutil.disk_usage", lambda _: usage)
    before = names_in(tmp_path)
    with pytest.raises(StoreWriteError, match="free space"):
        convert(scan, tmp_path / "a.emd")
    assert names_in(tmp_path) == before


def test_a_folder_that_may_not_be_written_to_is_told(scan, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("a superuser may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(StoreWriteError, match="refuses"):
        convert(scan, tmp_path / "a.emd")


HELD = """
import sys, time
from brickfield.stem4d.convert import convert
def hold(*_):
    print("held", flush=True)
    time.sleep(60)
convert(sys.argv[1], sys.argv[2], progress=hold)
"""


def test_two_processes_do_not_write_one_file(long_scan, tmp_path):
    path, frames = long_scan
    command = [sys.executable, "-c", HELD, str(path), str(tmp_path / "a.emd")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(OptionError):
            convert(path, tmp_path / "a.emd")
        other.kill()
    assert convert(path, tmp_path / "a.emd").is_complete
    np.testing.assert_array_equal(stored(tmp_path / "a.emd"), frames)


MEMORY = """
import sys
from brickfield.stem4d.convert import ConvertOptions, convert
from brickfield.sources.scans.scan_shape import ScanOptions
from brickfield.stem4d.open import OpenOptions
import brickfield.stem4d.emd_file, h5py
def own():
    with open("/proc/self/status") as file:
        return next(int(r.split()[1]) for r in file if r.startswith("RssAnon"))
before = most = own()
def watch(*_):
    global most
    most = max(most, own())
options = ConvertOptions(OpenOptions(ScanOptions((32, 64))), "64 MB", workers=2)
convert(sys.argv[1], sys.argv[2], progress=watch, options=options)
print(most - before)
"""


def test_a_conversion_takes_no_more_than_its_budget(tmp_path):
    """Memory of the process's own, for a file four times as large as the budget."""
    path = write_mib(tmp_path / "a.mib", np.zeros((1, 256, 256)))
    os.truncate(path, 32 * 64 * (384 + 2 * 256 * 256))
    command = [sys.executable, "-c", MEMORY, str(path), str(tmp_path / "a.emd")]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(run.stdout) * 1024 < 64e6 + (64 << 20)
