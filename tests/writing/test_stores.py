"""Only whole OME-Zarr images are replaced, and only when nothing else lies in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from brickfield.errors import OptionError
from brickfield.pyramid import write_pyramid
from brickfield.sources import from_arrays
from brickfield.writing.stores import check_array, check_replaceable, remove_contents

OME = {"multiscales": [{"version": "0.4", "axes": [], "datasets": []}]}


def written(path, text="mine"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def stray(folder, name, text):
    """Make a folder of somebody's own files with a stray metadata file."""
    written(folder / "thesis.txt")
    written(folder / "raw" / "stack.tif")
    written(folder / name, text)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".zattrs", "{}"),
        (".zattrs", json.dumps(OME)),
        (".zgroup", '{"zarr_format": 2}'),
        (".zarray", "{}"),
        ("zarr.json", '{"zarr_format": 3, "node_type": "group"}'),
        ("zarr.json", "no JSON"),
        (".brickfield-journal/journal.jsonl", ""),
    ],
)
@pytest.mark.parametrize("restart", [False, True])
def test_a_folder_of_other_files_stays_whatever_metadata_lies_in_it(
    layouts, tmp_path, checksums, name, text, restart
):
    folder = tmp_path / "mine"
    stray(folder, name, text)
    before = checksums(folder)
    source = from_arrays(layouts.voxels())
    with pytest.raises(OptionError):
        remove_contents(folder)
    if "journal" in name and not restart:
        return  # goes on beside them, and removes nothing
    with pytest.raises(OptionError):
        write_pyramid(source, folder, overwrite=True, resume=not restart)
    after = checksums(folder)
    assert {p: s for p, s in after.items() if p.name != "journal.jsonl"} == {
        p: s for p, s in before.items() if p.name != "journal.jsonl"
    }


FOREIGN = [
    "notes.txt",
    "0/notes.txt",
    "0/c/0/notes.txt",
    "0/c/0/0/1.bak",
    "pictures/a.png",
    ".brickfield-journal/mine.txt",
    "1/raw/0/0",
    ".git/config",
]


@pytest.mark.parametrize("name", FOREIGN)
def test_one_file_of_somebody_else_deep_in_a_store_keeps_all_of_it(
    layouts, tmp_path, checksums, name
):
    store = layouts.image(tmp_path / "x.zarr")
    foreign = written(store / name)
    before = checksums(store)
    with pytest.raises(OptionError, match="belongs to none") as error:
        write_pyramid(from_arrays(layouts.voxels()), store, overwrite=True)
    named = Path(str(error.value).split("found ")[1].split(", which")[0])
    assert foreign.is_relative_to(named)
    assert checksums(store) == before


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_an_image_with_all_that_stores_hold_is_replaced(layouts, tmp_path, version):
    """Labels, consolidated metadata, leftovers of a killed run, a desktop's files."""
    store = layouts.image(tmp_path / "x.zarr", version=version)
    layouts.image(store / "labels" / "cells", version=version)
    (store / "empty").mkdir()
    for name in (
        ".zmetadata",
        ".DS_Store",
        "OME/METADATA.ome.xml",
        "..zattrs.partial",
        ".zarr.json.12.partial",
        "0/0.0.0",
        "0/c/0/0/1_03ab.__lock",
        "0/zarr.json_1f.__lock",
        ".brickfield-journal/journal.jsonl",
    ):
        written(store / name)
    remove_contents(store)
    assert list(store.iterdir()) == []


def test_a_level_of_an_image_is_no_whole_image(layouts, tmp_path, checksums):
    other = layouts.image(tmp_path / "other.zarr")
    before = checksums(tmp_path)
    for name in ("0", "1", "0/c"):
        with pytest.raises(OptionError, match="expected a Zarr store to overwrite"):
            write_pyramid(from_arrays(layouts.voxels()), other / name, overwrite=True)
    assert checksums(tmp_path) == before


def test_a_link_in_a_store_goes_and_what_it_names_stays(layouts, tmp_path):
    store = layouts.image(tmp_path / "x.zarr")
    kept = written(tmp_path / "far" / "0" / "file")
    (store / "2").symlink_to(kept.parent)
    (store / "0" / "c" / "7").symlink_to(kept)
    remove_contents(store)
    assert kept.read_text() == "mine"
    assert list(store.iterdir()) == []


def test_a_level_to_replace_must_be_an_array_and_nothing_else(
    layouts, tmp_path, checksums
):
    """Where levels are added, a folder of the name of a level is not taken for one."""
    store = layouts.image(tmp_path / "x.zarr", levels=1)
    written(store / "1" / "notes.txt")
    before = checksums(store)
    with pytest.raises(OptionError, match="expected a Zarr array to overwrite"):
        write_pyramid(store, store, chunk_shape=8, levels=2, overwrite=True)
    assert checksums(store) == before
    check_array(store / "0")
    written(store / "0" / "notes.txt")
    with pytest.raises(OptionError, match="belongs to none"):
        check_array(store / "0")


def test_what_is_replaced_may_be_in_deep_json(tmp_path):
    """A nesting that no parser follows is no metadata, and no crash."""
    written(Path(tmp_path / "zarr.json"), "[" * 100_000)
    with pytest.raises(OptionError):
        check_replaceable(tmp_path)
