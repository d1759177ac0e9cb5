"""Images that are baked: voxels, metadata, what is refused."""

import json
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import yaozarrs
import zarr
from scipy import ndimage

from brickfield.errors import BudgetError, OptionError
from brickfield.model import AffineTransform
from brickfield.sources import from_arrays, open_source
from brickfield.transforms import (
    Affine,
    BakeOptions,
    Deskew,
    Downsample,
    Gaussian,
    Move,
    SmoothedMove,
    bake,
    look_ahead,
    rotation,
)
from brickfield.transforms.baking import command as command_module
from brickfield.transforms.baking import task as task_module
from brickfield.writing import LevelOptions

SCALE = (3.0, 1.0, 0.5)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    """Several blocks of small images, each told of as soon as it is done."""
    monkeypatch.setattr(task_module, "LEVELS", LevelOptions((16, 16, 16)))
    monkeypatch.setattr("brickfield.blockwise.jobs.SETTLE_S", -1.0)


@pytest.fixture
def volume(phantom):
    return (phantom * 100).astype(np.uint16)


def source_of(data, **how):
    how = {"scale": SCALE, "translation": (10, 20, 30), **how}
    return from_arrays(data, **how)


def read(path, level=0):
    return zarr.open_group(path, mode="r")[str(level)][...]


def geometry(path, level=0):
    source = open_source(str(path))
    found = source.info.pyramid.levels[level]
    source.close()
    return found.voxel_size, found.translation


def test_a_turned_image_is_what_scipy_makes(volume, tmp_path):
    done = bake(source_of(volume), tmp_path / "a.zarr", Move(30, "y"))
    assert done.is_complete
    pull = np.linalg.inv(done.matrix)
    expected = ndimage.affine_transform(
        volume.astype(float), pull[:3, :3], pull[:3, 3], order=1, mode="constant"
    )
    found = read(tmp_path / "a.zarr").astype(float)
    assert np.abs(found - expected).max() <= 0.5 + 1e-6
    assert geometry(tmp_path / "a.zarr") == (SCALE, (10, 20, 30))
    assert found.any()


def test_a_factor_beyond_the_image_joins_all_of_it(volume, tmp_path):
    """And asks for the memory of what there is, not of what there could be."""
    done = bake(source_of(volume), tmp_path / "a", Downsample(1000))
    assert done.is_complete
    assert read(tmp_path / "a").shape == (1, 1, 1)
    assert read(tmp_path / "a").item() == np.rint(volume.mean())


def test_the_matrix_says_where_voxels_went(tmp_path):
    data = np.zeros((20, 20, 20), np.uint8)
    data[4, 5, 6] = 200
    recipe = Move(90, "z", centre=(4, 5, 5), by=(1, 2, 3))
    done = bake(source_of(data), tmp_path / "a.zarr", recipe, BakeOptions(fit=True))
    there = done.matrix @ [4, 5, 6, 1]
    expected = np.argwhere(read(tmp_path / "a.zarr") > 50)
    assert np.abs(expected - there[:3]).max() <= 1  # x voxels are half as long as y


def test_a_fitting_image_lies_where_the_volume_went(tmp_path):
    data = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
    source = source_of(data, scale=(1, 1, 1))
    bake(source, tmp_path / "a.zarr", Move(90, "z"), BakeOptions(fit=True))
    assert np.array_equal(read(tmp_path / "a.zarr"), np.rot90(data, 1, axes=(2, 1)))
    # About the middle (y 21, x 32): 5 rows now begin at 19, 3 columns at 31.
    assert geometry(tmp_path / "a.zarr") == ((1, 1, 1), (10, 19, 31))


@pytest.mark.parametrize(
    ("recipe", "fit", "is_told"),
    [
        (Move(by=(0, 0, 3)), False, True),
        (Move(by=(0, 0, 3)), True, False),
        (Move(180, "z"), False, False),
        (Gaussian(1), False, False),
        (Downsample(2), False, False),
    ],
)
def test_what_leaves_the_grid_is_told(volume, tmp_path, recipe, fit, is_told):
    done = bake(source_of(volume), tmp_path / "a", recipe, BakeOptions(fit=fit))
    assert any("--fit" in note for note in done.notes) == is_told


def test_a_pyramid_follows_and_is_valid(tmp_path):
    data = np.random.default_rng(0).integers(0, 99, (40, 150, 160), np.uint8)
    for version in ("0.4", "0.5"):
        path = tmp_path / f"{version}.zarr"
        bake(source_of(data), path, Gaussian(1), BakeOptions(version=version))
        yaozarrs.validate_zarr_store(path)
        source = open_source(str(path))
        assert source.info.pyramid.n_levels > 1
        assert not source.info.findings
        source.close()
        assert read(path, 1).mean() == pytest.approx(read(path).mean(), rel=0.02)


def test_times_and_channels_are_kept(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (2, 3, 4, 20, 20), np.uint8)
    source = source_of(data, axes="tczyx")
    bake(source, tmp_path / "a.zarr", Move(by=(1, 0, -2)))
    made = read(tmp_path / "a.zarr")
    assert made.shape == data.shape
    assert np.array_equal(made[..., 1:, :, :-2], data[..., :-1, :, 2:])
    options = BakeOptions(time=1, channel=2)
    bake(source, tmp_path / "b.zarr", Move(by=(1, 0, -2)), options)
    assert np.array_equal(read(tmp_path / "b.zarr"), made[1:2, 2:3])


def test_channels_that_lie_behind_are_brought_to_the_front(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (18, 20, 3), np.uint8)
    bake(
        source_of(data, axes="yxc", scale=(1, 1, 1), translation=0),
        tmp_path / "a.zarr",
        Move(by=(0, 2, 0)),
    )
    made = read(tmp_path / "a.zarr")
    assert np.array_equal(made[:, 2:], np.moveaxis(data, 2, 0)[:, :-2])


def test_a_region_is_that_part_of_the_whole(volume, tmp_path):
    recipe = Move(20, "x", by=(0.5, 0, 0))
    bake(source_of(volume), tmp_path / "all.zarr", recipe)
    options = BakeOptions(region="2:9,1:18,5:20")
    done = bake(source_of(volume), tmp_path / "part.zarr", recipe, options)
    whole = read(tmp_path / "all.zarr")
    assert np.array_equal(read(tmp_path / "part.zarr"), whole[2:9, 1:18, 5:20])
    assert geometry(tmp_path / "part.zarr")[1] == (16, 21, 32.5)
    assert np.allclose(done.matrix[:3, 3] + (2, 1, 5), _matrix(volume, recipe)[:3, 3])


def _matrix(data, recipe):
    from brickfield.transforms.recipes import Place

    return recipe.matrix(Place(data.shape, SCALE, (10, 20, 30)))


def test_a_shift_in_world_units_counts_voxel_sizes(volume, tmp_path):
    recipe = Move(by=(3, -2, 1), is_world=True)
    done = bake(source_of(volume), tmp_path / "a.zarr", recipe)
    assert done.matrix[:3, 3].tolist() == [1, -2, 2]


def test_a_world_matrix_moves_what_lies_at_a_place(tmp_path):
    """What is at the world's origin plus (10, 20, 30) is doubled along x about 0."""
    world = np.diag([1, 1, 2, 1.0])
    done = bake(
        source_of(np.ones((2, 2, 9), np.uint8)), tmp_path / "a.zarr", Affine.by(world)
    )
    # Voxel i at world 30 + i/2 goes to 60 + i, which is voxel 60 + 2 i.
    assert done.matrix @ [0, 0, 3, 1] == pytest.approx([0, 0, 66, 1])


def test_a_deskewed_stack_has_planes_at_their_distance(tmp_path):
    data = np.zeros((6, 8, 8), np.uint8)
    data[:, 2, 3] = 100
    source = source_of(data, scale=(5, 1, 1), translation=0)
    options = BakeOptions(fit=True)
    bake(source, tmp_path / "a.zarr", Deskew(60, 2.0), options)
    size, _ = geometry(tmp_path / "a.zarr")
    assert size == pytest.approx((np.sqrt(3), 1, 1))
    # A plane moves by 2 cos 60° = 1 along y.
    lit = np.argwhere(read(tmp_path / "a.zarr") > 50)
    assert lit.tolist() == [[k, 2 + k, 3] for k in range(6)]


def test_an_image_that_its_metadata_turn_is_baked_where_they_put_it(tmp_path):
    """A quarter turn in the metadata and the opposite one here are nothing."""
    data = np.random.default_rng(0).integers(0, 255, (4, 9, 9), np.uint8)
    source = source_of(data, scale=(1, 1, 1), translation=0)
    turn = rotation(90, "z", (0, 4, 4), (1, 1, 1))
    placement = AffineTransform.from_matrix(turn)
    source.info = replace(source.info, placement=placement)
    bake(source, tmp_path / "a.zarr", Move())
    assert np.array_equal(read(tmp_path / "a.zarr"), np.rot90(data, 1, axes=(2, 1)))
    bake(source, tmp_path / "b.zarr", Move(-90, "z"))
    assert np.array_equal(read(tmp_path / "b.zarr"), data)
    for recipe in (Gaussian(1), Downsample(2), Deskew(30, 1)):
        with pytest.raises(OptionError, match="--by 0,0,0"):
            bake(source, tmp_path / "c.zarr", recipe)


def test_what_it_takes_is_told_and_nothing_is_written(volume, tmp_path):
    path = tmp_path / "a.zarr"
    outlook = look_ahead(source_of(volume), path, Move(30), BakeOptions(fit=True))
    done = bake(source_of(volume), path, Move(30), BakeOptions(fit=True))
    assert outlook.n_bytes == sum(2 * np.prod(lv.shape) for lv in done.levels)
    assert outlook.shape == done.levels[0].shape
    assert np.array_equal(outlook.matrix, done.matrix)
    assert outlook.seconds > 0
    assert outlook.free_bytes > 0
    assert not outlook.refusal
    taken = look_ahead(source_of(volume), path, Move(30))
    assert "name another" in taken.refusal


def test_labels_take_the_nearest_and_their_pyramid_the_mode(tmp_path):
    data = np.zeros((8, 100, 100), np.uint32)
    data[:, 40:, 40:] = 70_000
    source = source_of(data, is_labels=True, scale=(1, 1, 1))
    bake(source, tmp_path / "a.zarr", Move(15, "z"))
    for level in (0, 1):
        assert set(np.unique(read(tmp_path / "a.zarr", level))) == {0, 70_000}
    with pytest.raises(OptionError, match="order 0"):
        bake(source, tmp_path / "b.zarr", Move(15, "z"), BakeOptions(order=1))


def test_an_image_without_z_is_turned_about_z_alone(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (21, 21), np.uint8)
    source = from_arrays(data)
    bake(source, tmp_path / "a.zarr", Move(90, "z"))
    assert np.array_equal(read(tmp_path / "a.zarr"), np.rot90(data, 1, axes=(1, 0)))
    with pytest.raises(OptionError, match="--axis z"):
        bake(source, tmp_path / "b.zarr", Move(90, "y"))


def test_a_coarser_level_is_read_when_asked_for(tmp_path):
    fine = np.zeros((8, 8, 8), np.uint8)
    coarse = np.full((4, 4, 4), 9, np.uint8)
    source = from_arrays([fine, coarse], scale=(1, 1, 1))
    bake(source, tmp_path / "a.zarr", Move(by=(1, 0, 0)), BakeOptions(level=1))
    assert read(tmp_path / "a.zarr").shape == (4, 4, 4)
    assert read(tmp_path / "a.zarr").max() == 9
    assert geometry(tmp_path / "a.zarr") == ((2, 2, 2), (0.5, 0.5, 0.5))


def test_fewer_voxels_lie_over_the_same_extent(tmp_path):
    data = np.random.default_rng(0).random((6, 9, 12)).astype(np.float32)
    bake(source_of(data), tmp_path / "a.zarr", Downsample("1,3,2"))
    assert geometry(tmp_path / "a.zarr") == ((3, 3, 1), (10, 21, 30.25))
    assert np.allclose(
        read(tmp_path / "a.zarr"), data.reshape(6, 3, 3, 6, 2).mean(axis=(2, 4))
    )


def test_what_lies_outside_is_not_stored(tmp_path):
    data = np.full((32, 32, 32), 5, np.uint8)
    bake(source_of(data), tmp_path / "a.zarr", Move(by=(16, 0, 0)))
    chunks = {p.name for p in (tmp_path / "a.zarr" / "0" / "c").iterdir()}
    assert chunks == {"1"}


def test_chunks_are_decoded_about_once(tmp_path, monkeypatch):
    data = np.random.default_rng(0).integers(0, 255, (64, 64, 64), np.uint8)
    path = tmp_path / "source.zarr"
    bake(source_of(data, scale=(1, 1, 1)), path, Move())
    source, reads = open_source(str(path)), []
    own = source.read_storage_chunk
    monkeypatch.setattr(
        type(source),
        "read_storage_chunk",
        lambda self, level, index: reads.append(index) or own(level, index),
    )
    bake(source, tmp_path / "a.zarr", Move(45, "z"))
    assert len(reads) == len(set(reads)) == 4**3


def test_all_that_was_written_is_on_disk_before_the_image_appears(
    volume, tmp_path, monkeypatch
):
    synced, sync = set(), os.fsync
    target = tmp_path / "a.zarr"

    def note(descriptor):
        about = os.fstat(descriptor)
        synced.add((about.st_dev, about.st_ino))
        sync(descriptor)

    def publish_checked(*arguments):
        chunks = [p for p in target.rglob("*") if p.is_file() and "c" in p.parts]
        assert len(chunks) > 1
        assert {(s.st_dev, s.st_ino) for s in map(Path.stat, chunks)} <= synced
        return publish_image(*arguments)

    monkeypatch.setattr(os, "fsync", note)
    publish_image = command_module.publish_image
    monkeypatch.setattr(command_module, "publish_image", publish_checked)
    assert bake(source_of(volume), target, Move(20)).is_complete


def test_blocks_do_the_same_in_another_process(volume, tmp_path):
    """They are sent without open files, and open the source by its address."""
    path = tmp_path / "source.zarr"
    bake(source_of(volume), path, Move())
    source = open_source(str(path))
    options = BakeOptions()
    reader = task_module.reader_of(source, str(path), 0)
    recipe = SmoothedMove(1, Move(20, "z"))
    task = task_module.plan_bake(reader, tmp_path / "a", recipe, options)
    stored = task.stored(1, syncs=True)
    jobs, _, kept = task.jobs(stored, (options.budget_bytes, 1), Event())
    sent = pickle.loads(pickle.dumps(jobs[0].function))
    region = tuple(slice(0, n) for n in volume.shape)
    assert np.array_equal(sent.sample(region), jobs[0].function.sample(region))
    assert sent.cancel is None
    kept.release()


def test_progress_is_told_and_cancelling_leaves_work_to_go_on_with(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (64, 64, 64), np.uint8)
    file = tmp_path / "a.npy"
    np.save(file, data)
    source, cancel, told = from_arrays(np.load(file, mmap_mode="r")), Event(), []

    def progress(done, total, n_bytes, left):
        told.append((done, total))
        if done >= 5:
            cancel.set()

    options = BakeOptions(workers=1)
    first = bake(
        source, tmp_path / "a", Gaussian(1), options, progress=progress, cancel=cancel
    )
    assert not first.is_complete
    assert not first.failures
    assert not (tmp_path / "a" / "zarr.json").exists()
    second = bake(source, tmp_path / "a", Gaussian(1), options)
    assert second.is_complete
    assert told[0] == (0, second.n_blocks)
    expected = np.rint(ndimage.gaussian_filter(data.astype(float), 1, mode="nearest"))
    assert np.array_equal(read(tmp_path / "a"), expected)


def test_a_budget_is_kept_by_fewer_workers_or_refused(tmp_path):
    data = np.random.default_rng(0).integers(0, 255, (64, 64, 64), np.uint8)
    with pytest.raises(BudgetError, match="--level"):
        bake(
            source_of(data), tmp_path / "a", Gaussian(500), BakeOptions(budget="1 MiB")
        )
    assert not (tmp_path / "a").exists()
    done = bake(
        source_of(data),
        tmp_path / "b",
        Move(10),
        BakeOptions(budget="1 MiB", workers=8),
    )
    assert done.is_complete


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1}, "level from 0 to 0"),
        ({"level": -1}, "level from 0 to 0"),
        ({"channel": 1}, "channel from 0 to 0"),
        ({"time": 1}, "time from 0 to 0"),
        ({"region": "0:1"}, "region"),
        ({"fill": 300}, "uint8"),
        ({"order": 2}, "order"),
        ({"version": "0.7"}, "version"),
        ({"workers": 0}, "worker"),
        ({"budget": "much"}, "size"),
    ],
)
def test_options_that_do_not_fit_are_refused_before_anything_is_written(
    tmp_path, options, message
):
    with pytest.raises(OptionError, match=message):
        bake(
            source_of(np.zeros((4, 4, 4), np.uint8)),
            tmp_path / "a.zarr",
            Move(5),
            BakeOptions(**options),
        )
    assert not (tmp_path / "a.zarr").exists()


def test_complex_numbers_are_refused(tmp_path):
    with pytest.raises(OptionError):
        bake(from_arrays(np.zeros((2, 2, 2), complex)), tmp_path / "a.zarr", Move(5))


def test_the_source_and_what_is_in_it_are_never_written_to(volume, tmp_path):
    path = tmp_path / "a.zarr"
    bake(source_of(volume), path, Move())
    before = read(path)
    for target in (path, path / "0", path / "new"):
        with pytest.raises(OptionError):
            bake(str(path), target, Move(5), BakeOptions(overwrite=True))
    assert np.array_equal(read(path), before)


def test_what_exists_is_replaced_when_asked_for_and_only_if_it_is_an_image(
    volume, tmp_path
):
    source, path = source_of(volume), tmp_path / "a.zarr"
    bake(source, path, Move())
    with pytest.raises(OptionError, match="overwrite"):
        bake(source, path, Move(5))
    assert bake(source, path, Move(5), BakeOptions(overwrite=True)).is_complete
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("my only copy")
    with pytest.raises(OptionError):
        bake(source, tmp_path / "own", Move(5), BakeOptions(overwrite=True))
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="file"):
        bake(source, tmp_path / "file", Move(5))
    assert (tmp_path / "own" / "thesis.txt").read_text() == "my only copy"


CHILD = """
import sys, json, resource
import numpy as np
from brickfield.errors import BrickfieldError
from brickfield.transforms import BakeOptions, Move, bake
from brickfield.writing import LevelOptions
from brickfield.transforms.baking import task; task.LEVELS = LevelOptions((16, 16, 16))
source, root, stop_at, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
def progress(done, total, n_bytes, left):
    if stop_at and done >= stop_at:
        print(done, flush=True)
        sys.stdin.readline()
try:
    done = bake(source, root, Move(20, "z"), BakeOptions(workers=2), progress=progress)
except BrickfieldError as e:
    sys.exit(f"{type(e).__name__}: {e}")
print(json.dumps(done.as_dict()))
"""


@pytest.fixture
def start(tmp_path):
    data = np.random.default_rng(3).integers(0, 65535, (64, 64, 64), np.uint16)
    source = tmp_path / "source.zarr"
    bake(source_of(data, scale=(1, 1, 1)), source, Move())

    def run(root, *, stop_at=0, limit=0):
        command = [sys.executable, "-c", CHILD, source, root, stop_at, limit]
        return subprocess.Popen(
            [str(c) for c in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and limits")


@posix
def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_been(start, tmp_path):
    with start(tmp_path / "killed", stop_at=20) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert not (tmp_path / "killed" / "zarr.json").exists()
    out, err = start(tmp_path / "killed").communicate()
    done = json.loads(out)
    assert done["complete"], err
    assert done["blocks"]["resumed"] >= 15
    source = str(tmp_path / "source.zarr")
    bake(source, tmp_path / "whole", Move(20, "z"))
    assert np.array_equal(read(tmp_path / "killed"), read(tmp_path / "whole"))
    names = [
        {p.relative_to(r) for p in r.rglob("*")}
        for r in (tmp_path / "killed", tmp_path / "whole")
    ]
    assert names[0] == names[1]


@posix
def test_a_full_disk_is_one_sentence_and_the_same_call_goes_on(start, tmp_path):
    process = start(tmp_path / "full", limit=6000)
    _, err = process.communicate()
    assert process.returncode == 1
    assert err.startswith("StoreWriteError: expected to write")
    assert "same command again" in err
    out, err = start(tmp_path / "full").communicate()
    assert json.loads(out)["complete"], err


def test_other_work_in_the_folder_is_not_gone_on_with(volume, tmp_path):
    source, cancel = source_of(np.zeros((64, 64, 64), np.uint8)), Event()
    stop = lambda done, *_: done >= 3 and cancel.set()  # noqa: E731
    bake(source, tmp_path / "a", Gaussian(1), progress=stop, cancel=cancel)
    with pytest.raises(OptionError, match="operation"):
        bake(source, tmp_path / "a", Gaussian(2))
    done = bake(source, tmp_path / "a", Gaussian(2), BakeOptions(overwrite=True))
    assert done.is_complete


def test_a_source_that_changed_is_not_mixed_with_what_it_was(tmp_path):
    path, cancel = str(tmp_path / "s.zarr"), Event()
    recipe = Move(by=(0, 0, 1))

    def stop(done, *_):
        if done >= 3:
            cancel.set()

    for value in (1, 2):
        data = np.full((64, 64, 64), value, np.uint8)
        bake(from_arrays(data), path, Move(), BakeOptions(overwrite=True))
        if value == 1:
            bake(path, tmp_path / "a", recipe, progress=stop, cancel=cancel)
    done = bake(path, tmp_path / "a", recipe)
    assert done.is_complete
    assert "changed" in done.notes[0]
    assert set(np.unique(read(tmp_path / "a")[..., 1:])) == {2}
