"""Chunks as the filters of HDF5 store them."""

import sys
import zlib

import h5py
import numpy as np
import pytest

from brickfield.imaris.deflate import Encoder, shuffled

CHUNK = np.random.default_rng(0).poisson(90, (8, 32, 32))


@pytest.mark.parametrize("compression", ["gzip", "lz4", "none"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "f4"])
def test_the_library_reads_what_was_put_down(tmp_path, compression, shuffle, dtype):
    if compression == "lz4":
        pytest.importorskip("hdf5plugin")
    encoder = Encoder(compression, shuffle=shuffle)
    encoder.check()
    data = CHUNK.astype(dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = file.create_dataset(
            "x", data.shape, dtype, chunks=data.shape, **encoder.creation(data.itemsize)
        )
        made.id.write_direct_chunk((0, 0, 0), encoder.encode(data))
        np.testing.assert_array_equal(made[...], data)


def test_without_isal_zlib_writes_the_same_kind_of_stream(monkeypatch):
    monkeypatch.setitem(sys.modules, "isal", None)
    data = CHUNK.astype("u2")
    assert zlib.decompress(Encoder().encode(data)) == data.tobytes()


def test_shuffling_sorts_bytes_by_their_significance():
    data = np.array([0x0102, 0x0304], "<u2")
    assert shuffled(data).tolist() == [0x02, 0x04, 0x01, 0x03]


@pytest.mark.parametrize("dtype", ["<u2", "<u4", "<f4"])
def test_shuffled_chunks_are_about_as_small_as_those_of_zlib(dtype):
    pytest.importorskip("isal")
    data = np.random.default_rng(1).poisson(200, (8, 256, 256)).astype(dtype)
    stored = Encoder(shuffle=True).encode(data)
    plain = shuffled(data).tobytes()
    assert zlib.decompress(stored) == plain
    assert len(stored) <= 1.02 * len(zlib.compress(plain, 2))
