"""A folder that is taken away makes failures, not zeros; bringing it back mends them."""

import numpy as np
import pytest

from brickfield.errors import ChunkReadError
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
