"""Interrupted work goes on over the same data alone, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
from threading import Event

import h5py
import numpy as np
import pytest

from brickfield.errors import OptionError, StoreFormatError
from brickfield.pyramid.command import write_pyramid
from brickfield.sources import from_arrays
from brickfield.testing.http_server import FaultServer
from brickfield.testing.zarr_stores import write_image

zarr = pytest.importorskip("zarr")

OLD = np.full((40, 40, 40), 7, np.uint8)
NEW = np.full((40, 40, 40), 9, np.uint8)
OPTIONS = {"chunk_shape": 8, "levels": 2, "factors": 2, "workers": 1}
JOURNAL = ".brickfield-journal"


def write_zarr(folder, data):
    return write_image(folder / "x.zarr", [data], chunks=(8, 8, 8))


def write_zarr_3(folder, data):
    return write_image(folder / "x.zarr", [data], zarr_format=3, chunks=(8, 8, 8))


def write_h5(folder, data):
    with h5py.File(folder / "x.h5", "w") as file:
        file.create_dataset("img", data=data, chunks=(8, 8, 8))
    return folder / "x.h5"


def write_h5_through_link(folder, data):
    write_h5(folder, data)
    with h5py.File(folder / "master.h5", "a") as file:
        if "img" not in file:
            file["img"] = h5py.ExternalLink("x.h5", "/img")
    return f"{folder / 'master.h5'}:/img"


LAYOUTS = [write_zarr, write_zarr_3, write_h5, write_h5_through_link]


def interrupted(source, root, *, after=20, then=None, **options):
    """Begin, and stop after some blocks."""
    cancel = Event()

    def progress(done, _total, _bytes, _left):
        if done >= after and not cancel.is_set():
            cancel.set()
            if then is not None:
                then()

    result = write_pyramid(
        source, root, **OPTIONS | options, progress=progress, cancel=cancel
    )
    assert not result.is_complete
    return result


def level(root, name="0"):
    return zarr.open_group(root, mode="r")[name][:]


def files_with_times(folder):
    return {p: p.stat() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sets_times_back", [False, True])
def test_a_source_that_was_rewritten_is_read_anew_from_the_start(
    layout, sets_times_back, tmp_path
):
    """Never old voxels beside new ones; and it is told."""
    folder, root = tmp_path / "source", tmp_path / "out"
    folder.mkdir()
    source = layout(folder, OLD)
    interrupted(source, root)
    before = files_with_times(folder)
    layout(folder, NEW)
    for path, about in before.items() if sets_times_back else ():
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    result = write_pyramid(source, root, **OPTIONS)
    assert result.is_complete
    assert (level(root) == 9).all()
    assert (level(root, "1") == 9).all()
    assert result.n_resumed == 0
    assert "changed since the interrupted run" in " ".join(result.notes)
    assert not (root / JOURNAL).exists()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_source_that_stayed_is_gone_on_with(layout, tmp_path):
    folder, root = tmp_path / "source", tmp_path / "out"
    folder.mkdir()
    source = layout(folder, OLD)
    interrupted(source, root)
    result = write_pyramid(source, root, **OPTIONS)
    assert result.is_complete
    assert result.n_resumed >= 20
    assert result.notes == ()


def test_a_source_on_a_server_that_was_rewritten_is_read_anew(tmp_path):
    write_zarr(tmp_path, OLD)
    root = tmp_path / "out"
    with FaultServer(tmp_path) as server:
        url = f"{server.url}/x.zarr"
        interrupted(url, root)
        assert write_pyramid(url, tmp_path / "whole", **OPTIONS).is_complete
        write_zarr(tmp_path, NEW)
        result = write_pyramid(url, root, **OPTIONS)
    assert (level(root) == 9).all()
    assert result.n_resumed == 0


def test_a_source_that_changes_meanwhile_is_not_published(tmp_path):
    root = tmp_path / "out"
    source = write_zarr(tmp_path, OLD)
    (tmp_path / "new").mkdir()
    new = write_zarr(tmp_path / "new", NEW)

    def progress(done, _total, _bytes, _left):
        # Each file at once: another thread is reading them.
        for file in sorted(new.rglob("*")) if done >= 20 else ():
            if file.is_file():
                file.replace(source / file.relative_to(new))

    with pytest.raises(StoreFormatError, match="found that it has changed"):
        write_pyramid(source, root, **OPTIONS, progress=progress)
    assert not (root / "zarr.json").exists()
    assert write_pyramid(source, root, **OPTIONS).is_complete
    assert (level(root) == 9).all()


def test_levels_that_are_added_begin_anew_when_the_level_above_changed(tmp_path):
    write_pyramid(from_arrays(OLD), tmp_path / "x", **OPTIONS | {"levels": 1})
    x = tmp_path / "x"
    interrupted(x, x, after=3, levels=2)
    zarr.open_group(x, mode="r+")["0"][:] = NEW
    result = write_pyramid(x, x, **OPTIONS)
    assert (level(x, "1") == 9).all()
    assert "changed since" in " ".join(result.notes)


@pytest.fixture
def killed_after_publishing(tmp_path):
    """Write an image whose journal was not removed any more."""
    source, root = write_zarr(tmp_path, OLD), tmp_path / "out"
    interrupted(source, root)
    shutil.copytree(root / JOURNAL, tmp_path / "kept")
    assert write_pyramid(source, root, **OPTIONS).is_complete
    shutil.move(tmp_path / "kept", root / JOURNAL)
    return source, root


def test_the_same_call_removes_the_journal_of_an_image_that_stands(
    killed_after_publishing,
):
    source, root = killed_after_publishing
    assert write_pyramid(source, root, **OPTIONS).is_complete
    assert not (root / JOURNAL).exists()


def test_other_work_finds_an_image_in_the_way_and_no_work_under_way(
    killed_after_publishing,
):
    """The image is whole: it is replaced when that is asked for, and only then."""
    source, root = killed_after_publishing
    other = OPTIONS | {"compressor": "blosc"}
    with pytest.raises(OptionError, match="expected a new or empty folder"):
        write_pyramid(source, root, **other)
    assert not (root / JOURNAL).exists()
    assert write_pyramid(source, root, **other, overwrite=True).is_complete


def test_a_journal_that_lies_in_an_image_with_all_its_levels_is_removed(tmp_path):
    """Levels were added, and the kill came between their publication and the end."""
    x = tmp_path / "x"
    write_pyramid(from_arrays(OLD), x, **OPTIONS | {"levels": 1})
    interrupted(x, x, after=3, levels=2)
    shutil.copytree(x / JOURNAL, tmp_path / "kept")
    assert write_pyramid(x, x, **OPTIONS).is_complete
    shutil.move(tmp_path / "kept", x / JOURNAL)
    result = write_pyramid(x, x, **OPTIONS)
    assert result.is_complete
    assert result.levels == ()
    assert not (x / JOURNAL).exists()


def test_an_empty_journal_folder_is_nothing_in_the_way(tmp_path):
    (tmp_path / "out" / JOURNAL).mkdir(parents=True)
    assert write_pyramid(from_arrays(OLD), tmp_path / "out", **OPTIONS).is_complete


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_chunk_is_replaced_whole_whatever_a_killed_run_left(tmp_path, version):
    """A longer file, left where tensorstore writes first, ended in the chunk."""
    source, root = write_zarr(tmp_path, OLD), tmp_path / "out"
    interrupted(source, root, version=version)
    folder = root / "0"
    for place in ("c/4/4/4", "4/4/4"):
        left = folder / f"{place}.__lock"
        left.parent.mkdir(parents=True, exist_ok=True)
        left.write_bytes(b"x" * 100_000)
    assert write_pyramid(source, root, **OPTIONS, version=version).is_complete
    assert (level(root) == 7).all()
    assert not list(root.rglob("*.__lock"))
