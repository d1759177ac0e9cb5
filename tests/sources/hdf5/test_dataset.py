"""One dataset in every layout equals what h5py reads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import h5py
import hdf5plugin
import numpy as np
import pytest

from brickfield.errors import ChunkReadError
from brickfield.sources.arrays.contiguous import ContiguousArray
from brickfield.sources.hdf5.dataset import HDF5Dataset

LAYOUTS = {
    "gzip": {"chunks": (16, 32, 24), "compression": "gzip"},
    "gzip-shuffle": {"chunks": (16, 32, 24), "compression": "gzip", "shuffle": True},
    "chunked-raw": {"chunks": (16, 32, 24)},
    "lzf": {"chunks": (16, 32, 24), "compression": "lzf"},
    "fletcher32": {"chunks": (16, 32, 24), "fletcher32": True},
    "blosc": {"chunks": (16, 32, 24), **hdf5plugin.Blosc()},
    "lz4": {"chunks": (16, 32, 24), **hdf5plugin.LZ4()},
    "bitshuffle": {"chunks": (16, 32, 24), **hdf5plugin.Bitshuffle()},
    "contiguous": {},
}


@pytest.fixture
def volume():
    return np.random.default_rng(0).integers(-900, 900, (40, 70, 50)).astype("i2")


def _chunks(array):
    grid = [-(-n // c) for n, c in zip(array.shape, array.chunk_shape, strict=True)]
    return list(np.ndindex(*grid))


def _where(array, index):
    return tuple(
        slice(i * c, (i + 1) * c) for i, c in zip(index, array.chunk_shape, strict=True)
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["<i2", ">i2"])
def test_every_layout_gives_its_voxels(tmp_path, volume, layout, kind):
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file.create_dataset("a", data=volume.astype(kind), **LAYOUTS[layout])
    with h5py.File(tmp_path / "a.h5") as file:
        array = HDF5Dataset.of(file["a"])
        assert isinstance(array, ContiguousArray) == (layout == "contiguous")
        for index in _chunks(array):
            read = array.read_chunk(index)
            assert np.array_equal(read.data, volume[_where(array, index)])
            assert read.data.dtype == np.dtype("i2")


def test_stored_bytes_are_the_compressed_ones(tmp_path, volume):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("a", data=volume, **LAYOUTS["gzip"])
        file.flush()
        array = HDF5Dataset.of(dataset)
        total = sum(array.read_chunk(i).stored_bytes for i in _chunks(array))
        assert total == dataset.id.get_storage_size()


def test_chunks_never_written_are_missing_and_known_to_be(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset(
            "a",
            (40, 40, 40),
            "u1",
            chunks=(20, 20, 20),
            fillvalue=7,
            compression="gzip",
        )
        dataset[:20, :20, :20] = 1
        file.flush()
        array = HDF5Dataset.of(dataset)
        indices = np.array(_chunks(array))
        missing = array.missing_chunks(indices)
        assert missing.tolist() == [False] + [True] * 7
        assert array.read_chunk((1, 1, 1)).data is None
        assert array.fill_value == 7


@pytest.mark.parametrize("layout", ["gzip", "gzip-shuffle", "blosc"])
def test_a_corrupt_chunk_fails_alone(tmp_path, volume, layout):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset("a", data=volume, **LAYOUTS[layout])
        info = dataset.id.get_chunk_info_by_coord((16, 32, 24))
    with path.open("r+b") as file:
        file.seek(info.byte_offset)
        file.write(b"\xa5" * info.size)
    with h5py.File(path) as file:
        array = HDF5Dataset.of(file["a"])
        with pytest.raises(ChunkReadError, match="chunk"):
            array.read_chunk((1, 1, 1))
        assert np.array_equal(array.read_chunk((0, 0, 0)).data, volume[:16, :32, :24])


def test_many_threads_read_the_same_voxels(tmp_path, volume):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("a", data=volume, **LAYOUTS["gzip-shuffle"])
        file.flush()
        array = HDF5Dataset.of(dataset)
        wanted = _chunks(array) * 5
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(array.read_chunk, wanted))
        for index, read in zip(wanted, found, strict=True):
            assert np.array_equal(read.data, volume[_where(array, index)])


def test_reading_a_closed_file_is_a_failure(tmp_path, volume):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        array = HDF5Dataset.of(file.create_dataset("a", data=volume, **LAYOUTS["gzip"]))
    with pytest.raises(ChunkReadError, match="cannot read"):
        array.read_chunk((0, 0, 0))
