"""Both readers of zarr arrays name, miss and fail a chunk alike."""

import shutil

import numcodecs
import numpy as np
import pytest
import zarr

from brickfield.errors import ChunkReadError
from brickfield.sources.geometry import Findings
from brickfield.sources.io.location import locate
from brickfield.sources.ome_zarr.arrays import open_array
from brickfield.sources.zarr.hierarchy import ZarrHierarchy
from brickfield.sources.zarr.metadata import parse_array
from brickfield.sources.zarr.tensorstore_array import TensorStoreArray
from brickfield.sources.zarr.zarr_python_array import ZarrPythonArray

CODECS = {TensorStoreArray: numcodecs.Zlib(), ZarrPythonArray: numcodecs.LZ4()}
"""One codec that tensorstore has, and one that it lacks."""


@pytest.fixture(params=list(CODECS), ids=lambda reader: reader.__name__)
def opened(request, tmp_path):
    """An array of 2 × 2 × 2 chunks without the last, its folder and its reader."""
    array = zarr.create_array(
        str(tmp_path / "image.zarr" / "a"),
        shape=(8, 8, 8),
        chunks=(4, 4, 4),
        dtype="u2",
        compressors=[CODECS[request.param]],
        zarr_format=2,
        fill_value=0,
    )
    array[...] = np.arange(1, 513, dtype=np.uint16).reshape(8, 8, 8)
    array[4:, 4:, 4:] = 0
    folder = tmp_path / "image.zarr" / "a"
    (folder / "1.1.1").unlink(missing_ok=True)
    location = locate(str(tmp_path / "image.zarr"))
    node = ZarrHierarchy(location, Findings()).node("a")
    meta = parse_array(node, Findings())
    reader = open_array(location.child("a"), meta)
    assert type(reader) is request.param
    return folder, reader


def test_a_chunk_has_the_same_name_in_both_readers(opened):
    _, reader = opened
    assert reader.chunk_key((0, 1, 0)) == "a/0.1.0"


def test_a_chunk_without_a_file_has_no_bytes_and_no_voxels(opened):
    _, reader = opened
    indices = np.array([(0, 0, 0), (1, 1, 1)])
    assert reader.chunk_bytes((1, 1, 1)) == 0
    assert reader.read_chunk((1, 1, 1)).data is None
    np.testing.assert_array_equal(reader.missing_chunks(indices), [False, True])


def test_the_bytes_of_a_chunk_are_those_of_its_file(opened):
    folder, reader = opened
    size = (folder / "0.0.0").stat().st_size
    assert reader.chunk_bytes((0, 0, 0)) == size
    assert reader.read_chunk((0, 0, 0)).stored_bytes == size


def test_an_empty_file_is_damaged_and_not_missing(opened):
    folder, reader = opened
    (folder / "0.0.0").write_bytes(b"")
    assert reader.chunk_bytes((0, 0, 0)) is None
    with pytest.raises(ChunkReadError, match=r"chunk a/0\.0\.0 of .*damaged data"):
        reader.read_chunk((0, 0, 0))


def test_damaged_bytes_fail_with_the_name_of_the_chunk_and_are_not_tried_again(opened):
    folder, reader = opened
    (folder / "0.0.0").write_bytes(b"\xff" * 40)
    with pytest.raises(ChunkReadError, match=r"chunk a/0\.0\.0 .*damaged") as found:
        reader.read_chunk((0, 0, 0))
    assert (found.value.key, found.value.is_transient) == ("a/0.0.0", False)


def test_no_chunk_is_missing_while_the_folder_of_the_array_is_away(opened):
    folder, reader = opened
    shutil.move(folder, folder.with_name("moved"))
    with pytest.raises(ChunkReadError, match="it is gone") as found:
        reader.read_chunk((1, 1, 1))
    assert found.value.is_transient


def test_a_link_to_nothing_is_no_missing_chunk(opened):
    folder, reader = opened
    (folder / "1.1.1").symlink_to(folder / "not fetched")
    with pytest.raises(ChunkReadError, match=r"expected a/1\.1\.1; found the link"):
        reader.read_chunk((1, 1, 1))


def test_a_folder_in_place_of_a_chunk_is_no_missing_chunk(opened):
    folder, reader = opened
    (folder / "1.1.1").mkdir()
    with pytest.raises(ChunkReadError, match="it is a folder"):
        reader.read_chunk((1, 1, 1))
