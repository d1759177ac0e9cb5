"""What is only out of reach makes failures, not zeros: folders taken away, broken links."""

import numpy as np
import pytest

from brickfield.errors import ChunkReadError, StoreFormatError, StoreNotFoundError
from brickfield.sources.open import open_source
from brickfield.store import ChunkedImageStore
from brickfield.testing.zarr_stores import ramp, write_image


@pytest.fixture(params=[2, 3], ids=["zarr2", "zarr3"])
def folder(request, tmp_path):
    data = ramp((16, 16, 16), "uint8")
    return write_image(tmp_path / "a.zarr", [data], zarr_format=request.param)


def test_a_chunk_of_a_folder_that_is_gone_has_failed_and_can_be_tried_again(folder):
    source = open_source(str(folder))
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(ChunkReadError, match="is gone") as caught:
        source.read_storage_chunk(0, (0, 0, 0))
    assert caught.value.is_transient
    away.rename(folder)
    assert source.read_storage_chunk(0, (0, 0, 0)).data is not None


def test_nothing_counts_as_missing_while_the_folder_is_gone(folder):
    source = open_source(str(folder))
    away = folder.rename(folder.with_name("away"))
    asked = np.array([[0, 0, 0]])
    known = source.missing_chunks(0, asked)
    assert known is None or not known.any()
    away.rename(folder)
    assert not source.missing_chunks(0, asked).any()


def test_a_chunk_that_was_never_written_is_still_missing(folder):
    source = open_source(str(folder))
    for name in ("0/0/0/0", "0/0.0.0", "0/c/0/0/0"):
        (folder / name).unlink(missing_ok=True)
    assert source.read_storage_chunk(0, (0, 0, 0)).data is None


def test_voxels_are_right_after_the_folder_came_back(folder):
    with ChunkedImageStore(open_source(str(folder))) as store:
        away = folder.rename(folder.with_name("away"))
        with pytest.raises(ChunkReadError, match="is gone"):
            store.read(0)
        away.rename(folder)
        np.testing.assert_array_equal(store.read(0), ramp((16, 16, 16), "uint8"))


def break_link(path):
    """Put a link to nothing where a file or folder was; return what brings it back."""
    away = path.rename(path.parent.parent / "kept elsewhere")
    path.symlink_to("nothing/here")

    def bring_back():
        path.unlink()
        away.rename(path)

    return bring_back


def a_chunk(folder):
    return next(
        p
        for p in sorted((folder / "0").rglob("*"))
        if p.name.isdecimal() and p.is_file()
    )


def test_a_chunk_that_is_a_link_to_nothing_has_failed(folder):
    bring_back = break_link(a_chunk(folder))
    with ChunkedImageStore(open_source(str(folder))) as store:
        with pytest.raises(ChunkReadError, match="where nothing is"):
            store.read(0)
        bring_back()
        assert np.array_equal(store.read(0), ramp((16, 16, 16), "uint8"))


def test_a_link_to_nothing_among_the_folders_of_chunks_fails_too(folder):
    chunk = a_chunk(folder)
    if chunk.parent.name == "0" and chunk.parent.parent == folder:
        pytest.skip("chunks lie flat in this layout")
    break_link(chunk.parent)
    source = open_source(str(folder))
    asked = np.array([[0, 0, 0]])
    known = source.missing_chunks(0, asked)
    assert known is None or not known.any()
    with pytest.raises(ChunkReadError, match="where nothing is"):
        source.read_storage_chunk(0, (0, 0, 0))


def test_a_shard_that_is_a_link_to_nothing_has_failed(tmp_path):
    data = ramp((16, 16, 16), "uint8")
    image = write_image(
        tmp_path / "a.zarr",
        [data],
        zarr_format=3,
        chunks=(8, 8, 8),
        shards=(16, 16, 16),
    )
    break_link(a_chunk(image))
    source = open_source(str(image))
    known = source.missing_chunks(0, np.array([[0, 0, 0]]))
    assert known is None or not known.any()
    with pytest.raises(ChunkReadError, match="where nothing is"):
        source.read_storage_chunk(0, (0, 0, 0))


@pytest.mark.parametrize("name", ["a.h5", "a.tif", "a.zarr", "a.n5", "a.mib", "a.xml"])
def test_opening_a_link_to_nothing_names_the_link(tmp_path, name):
    (tmp_path / name).symlink_to("elsewhere")
    with pytest.raises(StoreNotFoundError, match="where nothing is: fetch"):
        open_source(str(tmp_path / name))


def test_metadata_that_are_a_link_to_nothing_are_not_taken_for_none(folder):
    name = ".zattrs" if (folder / ".zattrs").exists() else "zarr.json"
    break_link(folder / name)
    with pytest.raises(StoreNotFoundError, match="where nothing is: fetch"):
        open_source(str(folder))


@pytest.mark.parametrize("name", ["a.h5", "a.tif", "a.zarr.zip", "a.ims", "a.nd2"])
def test_a_pointer_of_git_lfs_is_named(tmp_path, name):
    text = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    (tmp_path / name).write_text(text)
    with pytest.raises(StoreFormatError, match="git lfs pull"):
        open_source(str(tmp_path / name))
