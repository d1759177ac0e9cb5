"""No writer writes where its source is read, whatever the layout on disk."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from brickfield.errors import BrickfieldError, OptionError, StoreWriteError
from brickfield.pyramid import write_pyramid
from brickfield.sources import from_arrays, local_places, open_source
from brickfield.transforms import Downsample, bake
from brickfield.writing.guard import check_file, check_folder


@contextmanager
def opened(source):
    found = source if hasattr(source, "info") else open_source(source)
    yield found
    found.close()


def test_no_target_that_touches_the_source_is_written_to(layout, tmp_path, checksums):
    """Every target of every layout is refused, and no byte on the disk changes."""
    source, targets = layout(tmp_path)
    before = checksums(tmp_path)
    for target in targets:
        for overwrite in (False, True):
            with pytest.raises(BrickfieldError):
                write_pyramid(
                    source, target, overwrite=overwrite, chunk_shape=8, levels=2
                )
            assert checksums(tmp_path) == before, (target, overwrite)
        with opened(source) as read, pytest.raises(OptionError, match="never over it"):
            check_folder(target, read)


def test_no_file_that_the_source_reads_may_be_replaced(layout, tmp_path):
    """Each file below the places of a source is refused as a single output file."""
    with opened(layout(tmp_path)[0]) as source:
        files = []
        for place in local_places(source):
            files += [place] if place.is_file() else place.rglob("*")
        assert files
        for file in files:
            with pytest.raises(OptionError, match="never over it"):
                check_file(file, [source])


def test_a_target_beside_the_source_is_written(layout, tmp_path, checksums):
    source, _ = layout(tmp_path)
    before = checksums(tmp_path)
    out = tmp_path / "beside" / "out.zarr"
    out.parent.mkdir()
    assert write_pyramid(source, out, chunk_shape=8, levels=2).is_complete
    after = {p: h for p, h in checksums(tmp_path).items() if p in before}
    assert after == before


def test_levels_may_be_added_to_the_source_itself(layouts, tmp_path, checksums):
    """The one way to write into a source: new levels of the image that it is."""
    x = layouts.image(tmp_path / "x.zarr", levels=1)
    before = checksums(x / "0")
    result = write_pyramid(x, x, chunk_shape=8, levels=2, factors=2)
    assert result.is_complete
    assert [p.path for p in result.levels] == ["1"]
    assert checksums(x / "0") == before


def test_a_level_to_add_that_is_a_link_into_the_source_is_refused(
    layouts, tmp_path, checksums
):
    x = layouts.image(tmp_path / "x.zarr", levels=1)
    (x / "1").symlink_to(x / "0")
    before = checksums(tmp_path)
    for overwrite in (False, True):
        with pytest.raises(OptionError):
            write_pyramid(x, x, chunk_shape=8, levels=2, overwrite=overwrite)
    assert checksums(tmp_path) == before


def test_an_interrupted_target_that_leads_into_the_source_is_refused(
    layouts, tmp_path, checksums
):
    """A journal lets a folder be gone on with; a link in it may still not be used."""
    x, t = layouts.image(tmp_path / "x.zarr"), tmp_path / "t.zarr"
    (t / ".brickfield-journal").mkdir(parents=True)
    (t / ".brickfield-journal" / "journal.jsonl").touch()
    (t / "0").symlink_to(x / "0")
    before = checksums(tmp_path)
    for options in ({}, {"overwrite": True}, {"resume": False}):
        with pytest.raises(OptionError, match="never over it"):
            write_pyramid(x, t, chunk_shape=8, levels=2, **options)
        assert checksums(tmp_path) == before


def test_an_array_in_memory_reads_no_file(tmp_path, layouts):
    from brickfield.sources import from_arrays

    assert from_arrays(np.zeros((4, 4, 4))).places() == ()


def test_a_folder_marked_read_only_is_left_alone_by_a_superuser_too(tmp_path):
    """Pyramids and transforms are refused there, before anything is made."""
    marked = tmp_path / "marked"
    marked.mkdir(mode=0o555)
    voxels = from_arrays(np.zeros((4, 8, 8), np.uint8))
    for target in (marked / "new.ome.zarr", marked / "in" / "new.ome.zarr"):
        with pytest.raises(StoreWriteError, match=r"marked read-only"):
            write_pyramid(voxels, target)
        with pytest.raises(StoreWriteError, match=r"marked read-only"):
            bake(voxels, target, Downsample((2, 2, 2)))
    assert not list(marked.iterdir())
