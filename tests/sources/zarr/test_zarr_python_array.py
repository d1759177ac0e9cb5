"""Codecs that tensorstore lacks, read through zarr-python without its dangers."""

import json
import struct
import subprocess
import sys

import numcodecs
import numpy as np
import pytest

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.open import open_source
from brickfield.testing import chunk_files, corrupt
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import ramp

CODECS = {
    "lz4": ([], numcodecs.LZ4()),
    "lzma": ([], numcodecs.LZMA()),
    "delta": ([numcodecs.Delta("<u2")], numcodecs.Zlib()),
    "delta-blosc": ([numcodecs.Delta("<u2")], numcodecs.Blosc("lz4")),
    "shuffle": ([numcodecs.Shuffle(2)], None),
}


def write_by_hand(folder, data, name, *, chunks=(6, 6, 6)):
    """Write zarr v2 with numcodecs alone, another code than the reader's."""
    filters, compressor = CODECS[name]
    folder.mkdir(parents=True)
    metadata = {
        "zarr_format": 2,
        "shape": data.shape,
        "chunks": chunks,
        "dtype": data.dtype.str,
        "fill_value": 7,
        "order": "C",
        "filters": [f.get_config() for f in filters] or None,
        "compressor": compressor and compressor.get_config(),
    }
    (folder / ".zarray").write_text(json.dumps(metadata))
    grid = [-(-n // c) for n, c in zip(data.shape, chunks, strict=True)]
    for index in np.ndindex(*grid):
        chunk = np.full(chunks, 7, data.dtype)
        start = np.array(index) * chunks
        part = data[tuple(slice(s, s + c) for s, c in zip(start, chunks, strict=True))]
        chunk[tuple(slice(n) for n in part.shape)] = part
        raw = chunk
        for f in filters:
            raw = f.encode(raw)
        raw = compressor.encode(raw) if compressor else bytes(raw)
        (folder / ".".join(map(str, index))).write_bytes(raw)
    return folder


@pytest.mark.parametrize("name", list(CODECS))
def test_every_codec_reads_back_equal(tmp_path, name, read_level):
    data = ramp((10, 11, 12))
    source = open_source(write_by_hand(tmp_path / "a.zarr", data, name))
    np.testing.assert_array_equal(read_level(source, 0), data)


def test_v3_codecs_of_numcodecs_read_back_equal(tmp_path, read_level):
    import warnings

    import zarr
    from zarr.codecs.numcodecs import LZ4

    data = ramp((10, 11, 12))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.create_array(
            str(tmp_path / "a.zarr"),
            shape=data.shape,
            dtype=data.dtype,
            chunks=(6, 6, 6),
            compressors=[LZ4()],
            zarr_format=3,
        )
        array[...] = data
    source = open_source(tmp_path / "a.zarr")
    np.testing.assert_array_equal(read_level(source, 0), data)


def write_shards(folder, data):
    """Shards whose inner chunks need zarr-python and hold blosc."""
    import warnings

    import zarr
    from zarr.codecs.numcodecs import Delta

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.create_array(
            str(folder),
            shape=data.shape,
            dtype=data.dtype,
            chunks=(6, 6, 6),
            shards=(12, 12, 12),
            filters=[Delta(dtype="<u2")],
            compressors=[zarr.codecs.BloscCodec()],
            zarr_format=3,
        )
        array[...] = data


def test_a_shard_is_read_whole_and_its_blosc_is_looked_at_first(tmp_path, read_level):
    data = ramp((12, 12, 24))
    write_shards(tmp_path / "a.zarr", data)
    source = open_source(tmp_path / "a.zarr")
    assert source.info.pyramid.levels[0].storage_chunk_shape == (12, 12, 12)
    np.testing.assert_array_equal(read_level(source, 0), data)
    shard = tmp_path / "a.zarr/c/0/0/0"
    raw = bytearray(shard.read_bytes())
    struct.pack_into("<I", raw, 12, 1 << 30)
    shard.write_bytes(raw)
    with pytest.raises(ChunkReadError, match="truncated"):
        source.read_storage_chunk(0, (0, 0, 0))
    shard.write_bytes(raw[:-3])
    with pytest.raises(ChunkReadError, match="index is damaged"):
        source.read_storage_chunk(0, (0, 0, 0))
    assert source.read_storage_chunk(0, (0, 0, 1)).data is not None


def test_missing_chunks_are_told_from_failed_ones(tmp_path, read_level):
    data = ramp((12, 12, 12))
    folder = write_by_hand(tmp_path / "a.zarr", data, "lz4")
    corrupt(folder / "0.1.0", "delete")
    corrupt(folder / "1.1.1", "empty")
    source = open_source(folder)
    assert source.read_storage_chunk(0, (0, 1, 0)).data is None
    assert source.missing_chunks(0, np.array([[0, 1, 0], [1, 1, 1]])).tolist() == [
        True,
        False,
    ]
    assert source.info.pyramid.levels[0].fill_value == 7
    with pytest.raises(ChunkReadError, match="empty") as caught:
        source.read_storage_chunk(0, (1, 1, 1))
    assert caught.value.key == "1.1.1"


@pytest.mark.parametrize("name", ["lz4", "lzma", "delta"])
@pytest.mark.parametrize("damage", ["truncate", "garbage", "flip"])
def test_a_damaged_chunk_fails_with_a_sentence(tmp_path, name, damage):
    folder = write_by_hand(tmp_path / "a.zarr", ramp((12, 12, 12)), name)
    corrupt(folder / "0.0.0", damage)
    source = open_source(folder)
    with pytest.raises(ChunkReadError, match=r"damaged data") as caught:
        source.read_storage_chunk(0, (0, 0, 0))
    assert not caught.value.is_transient
    assert source.read_storage_chunk(0, (1, 1, 1)).data is not None


DAMAGED = """
import sys
from brickfield.errors import ChunkReadError
from brickfield.sources.open import open_source
source = open_source(sys.argv[1])
for index in ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0)):
    try:
        source.read_storage_chunk(0, index)
    except ChunkReadError as error:
        print("failed", error.key)
print("alive")
"""


def test_truncated_blosc_never_crashes_the_interpreter(tmp_path):
    """numcodecs trusts the sizes in a blosc header (numcodecs#228)."""
    folder = write_by_hand(tmp_path / "a.zarr", ramp((12, 12, 12)), "delta-blosc")
    files = chunk_files(folder)
    for file, keep in zip(files, (0.99, 0.5, 0.1, 0.02), strict=False):
        corrupt(file, "truncate", keep=keep)
    lying = bytearray(files[4].read_bytes())
    struct.pack_into("<I", lying, 12, 1 << 30)
    files[4].write_bytes(bytes(lying))
    done = subprocess.run(
        [sys.executable, "-c", DAMAGED, str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[-2] == "alive"
    assert done.stdout.count("failed") == 5


def test_over_http_bytes_are_exact_and_faults_are_classified(tmp_path, read_level):
    data = ramp((12, 12, 12))
    write_by_hand(tmp_path / "a.zarr", data, "lz4")
    with FaultServer(tmp_path) as server:
        source = open_source(f"{server.url}/a.zarr")
        server.clear()
        chunk = source.read_storage_chunk(0, (0, 0, 0))
        assert chunk.stored_bytes == server.n_bytes
        server.add(
            Rule("*/0.0.1", "error", 404),
            Rule("*/0.1.0", "error", 403),
            Rule("*/0.1.1", "error", 503),
        )
        assert source.read_storage_chunk(0, (0, 0, 1)).data is None
        with pytest.raises(ChunkReadError, match="denied") as denied:
            source.read_storage_chunk(0, (0, 1, 0))
        with pytest.raises(ChunkReadError, match="503") as busy:
            source.read_storage_chunk(0, (0, 1, 1))
    assert not denied.value.is_transient
    assert busy.value.is_transient


def test_a_codec_that_nobody_has_is_refused_in_a_sentence(tmp_path):
    folder = write_by_hand(tmp_path / "a.zarr", ramp((6, 6, 6)), "lz4")
    metadata = json.loads((folder / ".zarray").read_text())
    metadata["compressor"] = {"id": "no_such_codec"}
    (folder / ".zarray").write_text(json.dumps(metadata))
    with pytest.raises(StoreFormatError, match="no_such_codec"):
        open_source(folder)
