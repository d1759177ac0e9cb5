"""An interrupted export goes on to the same file, and decodes each storage chunk once."""

import resource
import signal
import subprocess
import sys
import time
from threading import Event

import dask.array as da
import h5py
import numpy as np
import pytest
import zarr
from numpy.testing import assert_array_equal
from tests.imaris.validator import problems

import brickfield as bf
from brickfield.blockwise import OtherWorkError
from brickfield.errors import ChunkReadError, OptionError, StoreWriteError
from brickfield.imaris import export, passes
from brickfield.sample import VirtualImage, VirtualSource
from brickfield.sources import from_arrays

RNG = np.random.default_rng(5)
NAMES = {"a.ims"}


def noise(shape):
    return RNG.integers(0, 4000, shape, np.uint16)


def stored(path, time=0, channel=0, level=0):
    place = f"DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}/Data"
    with h5py.File(path) as file:
        return file[place][...]


def left(folder):
    return {p.name for p in folder.iterdir()} - {"source.zarr"}


KILLED = """
import sys, time
import zarr
import brickfield as bf
from brickfield.imaris import passes
passes.COMMIT_S = 0
folder = sys.argv[1]
def slow(done, total, n_bytes, left):
    print(done, flush=True)
    time.sleep(0.02)
bf.to_imaris(folder + "/source.zarr", folder + "/a.ims", budget="64 MiB", progress=slow)
"""


@pytest.mark.slow
def test_after_a_kill_the_same_call_goes_on_with_the_part_it_was_in(tmp_path):
    zarr = pytest.importorskip("zarr")
    image = noise((4, 2, 40, 130, 140))
    source = zarr.create_array(
        tmp_path / "source.zarr",
        shape=image.shape,
        dtype="u2",
        chunks=(1, 1, 20, 64, 64),
        dimension_names=list("tczyx"),
    )
    source[...] = image
    done = 0
    for n_lines in (5, 9):
        child = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(n_lines):
            line = child.stdout.readline()
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert line, "the child ended by itself"
        assert not (tmp_path / "a.ims").exists()
    seen = []
    result = bf.to_imaris(
        tmp_path / "source.zarr",
        tmp_path / "a.ims",
        budget="64 MiB",
        progress=lambda done, *_: seen.append(done),
    )
    assert 0 < result.n_resumed < 8
    assert seen[0] > done
    assert left(tmp_path) == NAMES
    assert problems(tmp_path / "a.ims") == []
    for t in range(4):
        for c in range(2):
            assert_array_equal(
                stored(tmp_path / "a.ims", t, c)[:40, :130, :140], image[t, c]
            )


def test_a_cancelled_export_stops_within_a_block_and_goes_on_later(tmp_path):
    image = noise((3, 16, 64, 64))
    source = from_arrays(image, axes="tzyx", name="x")
    source.source_id = "the same"
    cancel = Event()

    def stop(done, *_):
        if done >= 2:
            cancel.set()

    result = bf.to_imaris(source, tmp_path / "a.ims", progress=stop, cancel=cancel)
    assert not result.is_complete
    assert not (tmp_path / "a.ims").exists()
    result = bf.to_imaris(source, tmp_path / "a.ims")
    assert result.is_complete
    assert left(tmp_path) == NAMES
    for t in range(3):
        assert_array_equal(stored(tmp_path / "a.ims", t)[:16, :64, :64], image[t])


@pytest.mark.parametrize("dtype", ["auto", "uint8"])
def test_what_was_stopped_becomes_the_file_that_it_would_have_been(
    tmp_path, monkeypatch, dtype
):
    """Windows, picture and ranges are found in the first passes, which are over."""
    monkeypatch.setattr(passes, "COMMIT_S", 0)
    image = noise((3, 2, 8, 300, 280))
    options = {"axes": "tczyx", "dtype": dtype}
    bf.to_imaris(image, tmp_path / "whole.ims", **options)
    source = tmp_path / "source.zarr"
    zarr.create_array(source, data=image, chunks=(1, 1, 8, 300, 280))
    cancel, seen = Event(), []

    def stop(done, total, n_bytes, left):
        seen.append(done)
        if done > 0.6 * total:
            cancel.set()

    stopped = bf.to_imaris(
        str(source), tmp_path / "a.ims", progress=stop, cancel=cancel, **options
    )
    assert not stopped.is_complete
    result = bf.to_imaris(str(source), tmp_path / "a.ims", **options)
    assert result.n_resumed > 0
    with h5py.File(tmp_path / "a.ims") as a, h5py.File(tmp_path / "whole.ims") as b:
        assert_array_equal(a["Thumbnail/Data"], b["Thumbnail/Data"])
        assert set(a.attrs) == set(b.attrs)
        for c in range(2):
            place = f"DataSetInfo/Channel {c}"
            assert_array_equal(
                a[place].attrs["ColorRange"], b[place].attrs["ColorRange"]
            )
    for t in range(3):
        for c in range(2):
            assert_array_equal(
                stored(tmp_path / "a.ims", t, c), stored(tmp_path / "whole.ims", t, c)
            )


@pytest.mark.parametrize("options", [{}, {"dtype": "uint8"}, {"verify": True}])
def test_a_run_that_ended_before_the_file_had_its_name_is_gone_on_with(
    tmp_path, monkeypatch, options
):
    """Everything is written then, and what only an unfinished file has is gone."""
    image = noise((2, 8, 40, 50))
    zarr.create_array(
        tmp_path / "source.zarr", data=image, dimension_names=list("tzyx")
    )
    names = [tmp_path / "source.zarr", tmp_path / "a.ims"]
    monkeypatch.setattr(passes, "COMMIT_S", 0)
    with monkeypatch.context() as patched:

        def end(*_):
            raise KeyboardInterrupt

        patched.setattr(export, "verify", end)
        with pytest.raises(KeyboardInterrupt):
            bf.to_imaris(*names, **options)
    assert not names[1].exists()
    result = bf.to_imaris(*names, **options)
    assert (result.n_resumed, result.n_decoded) == (2, 0)
    assert left(tmp_path) == NAMES
    assert problems(names[1]) == []
    bf.to_imaris(names[0], tmp_path / "b.ims", **options)
    with h5py.File(names[1]) as one, h5py.File(tmp_path / "b.ims") as other:
        assert dict(one.attrs).keys() == dict(other.attrs).keys()

        def compare(place, item):
            if isinstance(item, h5py.Dataset):
                assert_array_equal(item[...], other[place][...], place)

        one.visititems(compare)
    with bf.open_store(names[1]) as one, bf.open_store(tmp_path / "b.ims") as other:
        assert one.channels == other.channels


def test_other_work_is_not_gone_on_with(tmp_path):
    cancel = Event()
    cancel.set()
    bf.to_imaris(noise((4, 9, 9)), tmp_path / "a.ims", cancel=cancel)
    with pytest.raises(OptionError, match="interrupted work"):
        bf.to_imaris(noise((5, 9, 9)), tmp_path / "a.ims")
    assert bf.to_imaris(noise((5, 9, 9)), tmp_path / "a.ims", restart=True).is_complete
    assert left(tmp_path) == NAMES


@pytest.mark.parametrize("chunk", [(7, 9, 11), (1, 96, 90), (40, 5, 90), (64, 64, 64)])
@pytest.mark.parametrize("budget", ["64 MiB", "512 MiB"])
def test_each_storage_chunk_is_decoded_once_however_it_lies(tmp_path, chunk, budget):
    image = noise((2, 40, 96, 90))
    lazy = da.from_array(image, chunks=(2, *chunk))
    result = bf.to_imaris(
        lazy, tmp_path / "a.ims", axes="czyx", chunks=(8, 16, 16), budget=budget
    )
    assert result.n_decoded == lazy.npartitions
    for c in range(2):
        assert_array_equal(stored(tmp_path / "a.ims", 0, c)[:40, :96, :90], image[c])
    assert left(tmp_path) == NAMES


@pytest.mark.parametrize("budget", ["64 MiB", "512 MiB"])
def test_what_is_computed_is_computed_once_though_it_is_scaled_by_its_range(
    tmp_path, budget
):
    image = noise((2, 40, 96, 90))
    lazy = da.from_array(image, chunks=(1, 9, 30, 90))
    result = bf.to_imaris(
        lazy, tmp_path / "a.ims", axes="czyx", dtype="uint8", budget=budget
    )
    assert result.n_decoded == lazy.npartitions
    low, high = (float(f(image[1])) for f in (np.min, np.max))
    wanted = np.rint((image[1] - low) / (high - low) * 255)
    assert_array_equal(stored(tmp_path / "a.ims", 0, 1)[:40, :96, :90], wanted)
    assert left(tmp_path) == NAMES


def test_chunks_that_memory_does_not_hold_wait_in_the_scratch_folder(
    tmp_path, monkeypatch
):
    from brickfield.imaris.planning import plan

    monkeypatch.setattr(plan, "MODEST_TILE_BYTES", 1 << 12)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    image = noise((64, 128, 128))
    lazy = da.from_array(image, chunks=(1, 128, 128))
    monkeypatch.setattr(
        plan._Memory, "choose", lambda self: (self._tiles((8, 16, 16)), 2, 1)
    )
    seen = []

    def look(*_):
        seen.extend(p for p in scratch.rglob("*.npy"))

    result = bf.to_imaris(
        lazy, tmp_path / "a.ims", chunks=(8, 16, 16), tmp_dir=scratch, progress=look
    )
    assert seen
    assert result.n_decoded == 64
    assert_array_equal(stored(tmp_path / "a.ims"), image)
    assert list(scratch.iterdir()) == []


def test_a_killed_run_leaves_scratch_only_until_the_next(tmp_path):
    from brickfield.imaris.reading.staging import Scratch

    stale = Scratch(tmp_path / "a.ims")
    stale.put("1", np.zeros(3))
    stale.folder.rename(
        stale.folder.with_name(stale.folder.name.rpartition("-")[0] + "-999999")
    )
    bf.to_imaris(noise((4, 9, 9)), tmp_path / "a.ims")
    assert left(tmp_path) == NAMES


def broken(level, index, attempt):
    if index == (0, 1, 0):
        raise ChunkReadError("it is torn", key="c/0/1/0")


def test_a_block_that_cannot_be_read_is_named(tmp_path):
    source = VirtualSource(VirtualImage((64, 128, 64), is_hollow=False), fault=broken)
    with pytest.raises(ChunkReadError, match="it is torn"):
        bf.to_imaris(source, tmp_path / "a.ims")
    assert not (tmp_path / "a.ims").exists()


def test_a_block_that_is_skipped_has_the_fill_value(tmp_path):
    source = VirtualSource(VirtualImage((64, 128, 64), is_hollow=False), fault=broken)
    result = bf.to_imaris(source, tmp_path / "a.ims", skip_failed=True)
    assert len(result.failures) == 1
    assert (stored(tmp_path / "a.ims")[:64, 64:128, :64] == 0).all()
    assert (stored(tmp_path / "a.ims")[:64, :64, :64] > 0).all()


def test_a_failing_dask_task_ends_the_export_with_its_reason(tmp_path):
    def fail(block, block_info=None):
        if block_info and block_info[0]["chunk-location"] == (0, 1, 0):
            msg = "no such plane"
            raise ValueError(msg)
        return block

    lazy = da.map_blocks(fail, da.ones((8, 64, 64), chunks=(8, 32, 64)), dtype="f8")
    with pytest.raises(ChunkReadError, match="no such plane"):
        bf.to_imaris(lazy, tmp_path / "a.ims")


def test_a_file_that_exists_is_kept_unless_it_may_be_replaced(tmp_path):
    path = tmp_path / "a.ims"
    path.write_bytes(b"mine")
    with pytest.raises(OptionError, match="exists"):
        bf.to_imaris(noise((4, 9, 9)), path)
    assert path.read_bytes() == b"mine"
    assert bf.to_imaris(noise((4, 9, 9)), path, overwrite=True).is_complete


def test_refused_values_leave_nothing_that_is_in_the_way_of_another_choice(tmp_path):
    zarr.create_array(tmp_path / "source.zarr", data=np.full((4, 9, 9), -1, np.int16))
    with pytest.raises(OptionError, match="--dtype uint16"):
        bf.to_imaris(tmp_path / "source.zarr", tmp_path / "a.ims")
    assert left(tmp_path) == set()
    result = bf.to_imaris(tmp_path / "source.zarr", tmp_path / "a.ims", dtype="uint16")
    assert result.is_complete


def test_a_source_is_never_written_over(tmp_path):
    bf.to_imaris(noise((4, 9, 9)), tmp_path / "a.ims")
    before = (tmp_path / "a.ims").read_bytes()
    with pytest.raises(OptionError, match="never over it"):
        bf.to_imaris(tmp_path / "a.ims", tmp_path / "a.ims", overwrite=True)
    assert (tmp_path / "a.ims").read_bytes() == before


def test_a_file_that_another_program_has_open_is_not_replaced(tmp_path):
    path = tmp_path / "a.ims"
    bf.to_imaris(noise((4, 9, 9)), path)
    code = "import h5py,sys,time; f=h5py.File(sys.argv[1]); print(1,flush=True); time.sleep(60)"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    try:
        child.stdout.readline()
        with pytest.raises(OptionError, match="open in another program"):
            bf.to_imaris(noise((4, 9, 9)), path, overwrite=True)
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


def test_an_exported_file_can_be_exported_again(tmp_path):
    image = noise((20, 64, 64))
    bf.to_imaris(image, tmp_path / "a.ims", spacing=(2, 1, 1), name="first")
    bf.to_imaris(tmp_path / "a.ims", tmp_path / "b.ims")
    assert_array_equal(stored(tmp_path / "b.ims")[:20, :64, :64], image)
    one, two = (bf.open_store(tmp_path / f"{n}.ims") for n in "ab")
    assert one.pyramid.levels[0].voxel_size == pytest.approx(
        two.pyramid.levels[0].voxel_size
    )
    assert one.channels == two.channels


def test_a_full_disk_is_told_in_one_sentence_and_leaves_no_file(tmp_path):
    code = """
import resource, sys, signal
import numpy as np, brickfield as bf
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
image = np.random.default_rng(0).integers(0, 60000, (32, 256, 256), np.uint16)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    bf.to_imaris(image, sys.argv[1])
except bf.to_imaris.__globals__["export"].__globals__["StoreWriteError"] as error:
    print("told:", error)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "a.ims")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("told: expected"), done.stdout + done.stderr
    assert done.stdout.count("\n") == 1
    assert " blocks" not in done.stdout  # those of one time point and channel
    assert not (tmp_path / "a.ims").exists()


def test_a_read_only_folder_is_told_to_a_superuser_too(tmp_path):
    folder, scratch = tmp_path / "marked", tmp_path / "scratch"
    folder.mkdir(mode=0o555)
    scratch.mkdir(mode=0o555)
    with pytest.raises(StoreWriteError, match="read-only"):
        bf.to_imaris(noise((4, 9, 9)), folder / "a.ims")
    with pytest.raises(StoreWriteError, match="intermediate"):
        bf.to_imaris(noise((4, 9, 9)), tmp_path / "a.ims", tmp_dir=scratch)
    assert not list(folder.iterdir())
    assert not list(tmp_path.glob("a.ims*"))


def test_a_file_that_is_marked_read_only_is_not_replaced(tmp_path):
    path = tmp_path / "a.ims"
    bf.to_imaris(noise((4, 9, 9)), path)
    before = path.read_bytes()
    path.chmod(0o444)
    with pytest.raises(StoreWriteError, match="read-only"):
        bf.to_imaris(noise((5, 9, 9)), path, overwrite=True)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.ims"]


@pytest.mark.parametrize(
    "name",
    ["a.tif", "missing/a.ims", "http://host/a.ims"],
    ids=["suffix", "folder", "url"],
)
def test_a_target_that_cannot_be_is_refused(tmp_path, name):
    with pytest.raises(OptionError, match="expected"):
        bf.to_imaris(noise((4, 9, 9)), name if "://" in name else tmp_path / name)


def test_an_array_in_memory_begins_anew_after_a_run_that_ended_early(tmp_path):
    image, stop = noise((3, 8, 60, 60)), Event()

    def halt(done, *_):
        if done:
            stop.set()

    path = tmp_path / "a.ims"
    broken = bf.to_imaris(image, path, axes="tzyx", progress=halt, cancel=stop)
    assert not broken.is_complete
    assert not path.exists()
    result = bf.to_imaris(image + 1, path, axes="tzyx")
    assert result.is_complete
    assert result.n_resumed == 0
    with bf.open_store(path) as opened:
        assert_array_equal(opened.read(0, None, (0, 0)), image[0] + 1)
    assert left(tmp_path) == NAMES


def test_the_interrupted_export_of_a_file_is_not_dropped_for_an_array(tmp_path):
    stored, stop = tmp_path / "stored.ims", Event()
    bf.to_imaris(noise((3, 8, 60, 60)), stored, axes="tzyx")

    def halt(done, *_):
        if done:
            stop.set()

    path = tmp_path / "a.ims"
    bf.to_imaris(stored, path, progress=halt, cancel=stop)
    with pytest.raises(OtherWorkError, match="same source"):
        bf.to_imaris(noise((8, 60, 60)), path)


def test_many_channels_and_time_points_are_written(tmp_path):
    image = RNG.integers(0, 200, (11, 101, 1, 4, 4), np.uint8)
    bf.to_imaris(image, tmp_path / "a.ims", axes="tczyx")
    opened = bf.open_store(tmp_path / "a.ims")
    assert opened.pyramid.levels[0].shape == image.shape
    assert_array_equal(opened.read(0, None, (10, 100)), image[10, 100])


def test_an_axis_of_two_thousand_million_voxels_is_planned_at_once():
    from brickfield.imaris.options import ImarisOptions
    from brickfield.imaris.planning.plan import prepare

    source = VirtualSource(VirtualImage((1, 1, 1 << 31), n_levels=1))
    start = time.perf_counter()
    prepared = prepare([source], ImarisOptions())
    order = prepared.plan.order
    assert order.at(12345)
    assert prepared.plan.levels[0].shape == (1, 1, 1 << 31)
    assert time.perf_counter() - start < 60
    assert resource.getpagesize()


def test_bigdataviewer_opens_the_xml_file(tmp_path):
    image = noise((2, 12, 30, 40))
    source = from_arrays(image, axes="czyx", scale=(2, 1, 0.5), translation=(3, 4, 5))
    bf.to_imaris(source, tmp_path / "a.ims", bdv_xml=True)
    opened = bf.open_store(tmp_path / "a.xml")
    assert_array_equal(opened.read(0, None, (0, 1)), image[1])
    assert opened.pyramid.levels[0].translation_zyx == pytest.approx((3, 4, 5))
