"""Compressions of N5 as Java writes them, in every spelling."""

import bz2
import gzip
import json
import lzma
import struct
import zlib

import numpy as np
import pytest
from numcodecs import LZ4, Blosc, Zstd

from brickfield.errors import ChunkReadError
from brickfield.sources.n5.blocks import unpack_lz4
from brickfield.sources.n5.source import open_source
from brickfield.testing.zarr_stores import ramp

VOLUME = ramp((8, 10, 12))


def lz4_blocks(raw, *, packed=True, size=700):
    """Write a stream as lz4-java does; checksums are not written."""
    out = b""
    for i in range(0, len(raw), size):
        part = raw[i : i + size]
        body = LZ4().encode(part)[4:] if packed else part
        token = 0x26 if packed else 0x16
        out += b"LZ4Block" + struct.pack("<BIII", token, len(body), len(part), 0) + body
    return out + b"LZ4Block" + struct.pack("<BIII", 0x16, 0, 0, 0)


def write(folder, attributes, encode, mode=0):
    """Write the volume as one block."""
    block = folder / "0" / "0"
    block.mkdir(parents=True)
    about = {
        "dimensions": list(VOLUME.shape[::-1]),
        "blockSize": list(VOLUME.shape[::-1]),
        "dataType": "uint16",
        **attributes,
    }
    (folder / "attributes.json").write_text(json.dumps(about))
    head = struct.pack(">HHIII", mode, 3, *VOLUME.shape[::-1])
    if mode:
        head += struct.pack(">I", VOLUME.size)
    (block / "0").write_bytes(head + encode(VOLUME.astype(">u2").tobytes()))


def blosc(raw):
    return bytes(Blosc("zstd", 5, 1).encode(np.frombuffer(raw, ">u2")))


BLOSC = {"cname": "lz4", "clevel": 99, "shuffle": 1, "blocksize": 0}
COMPRESSIONS = {
    "raw": ({"compression": {"type": "raw"}}, bytes),
    "blosc": (
        {"compression": {"type": "blosc", **BLOSC, "nthreads": 1, "typesize": 2}},
        blosc,
    ),
    "zstd": ({"compression": {"type": "zstd", "nbWorkers": 3}}, Zstd(3).encode),
    "gzip": ({"compression": {"type": "gzip", "level": 77}}, gzip.compress),
    "zlib": ({"compression": {"type": "gzip", "useZlib": True}}, zlib.compress),
    "xz": ({"compression": {"type": "xz", "preset": 99}}, lzma.compress),
    "bzip2": ({"compression": {"type": "bzip2", "blockSize": 0}}, bz2.compress),
    "lz4": ({"compression": {"type": "lz4", "blockSize": 700}}, lz4_blocks),
    "lz4 plain": (
        {"compression": {"type": "lz4"}},
        lambda raw: lz4_blocks(raw, packed=False),
    ),
    "old gzip": ({"compressionType": "gzip"}, gzip.compress),
    "old raw": ({"compressionType": "raw"}, bytes),
    "old lz4": ({"compressionType": "lz4"}, lz4_blocks),
}


@pytest.mark.parametrize("mode", [0, 1])
@pytest.mark.parametrize("name", COMPRESSIONS)
def test_every_compression_of_n5_is_read(tmp_path, name, mode):
    """Members for an encoder alone do not matter, whatever their values."""
    write(tmp_path / "a.n5" / "s0", *COMPRESSIONS[name], mode)
    data = open_source(str(tmp_path / "a.n5")).read_storage_chunk(0, (0, 0, 0)).data
    np.testing.assert_array_equal(data, VOLUME)


@pytest.mark.parametrize("cut", [1, 20, 200, -30])
def test_a_damaged_lz4_block_fails_by_its_key(tmp_path, cut):
    write(tmp_path / "a.n5" / "s0", *COMPRESSIONS["lz4"])
    block = tmp_path / "a.n5" / "s0" / "0" / "0" / "0"
    block.write_bytes(block.read_bytes()[:cut])
    source = open_source(str(tmp_path / "a.n5"))
    with pytest.raises(ChunkReadError, match=r"0/0/0.*damaged|truncated"):
        source.read_storage_chunk(0, (0, 0, 0))


def test_no_more_comes_out_of_lz4_than_a_block_has_voxels():
    raw = lz4_blocks(bytes(1 << 20), size=1 << 16)
    with pytest.raises(ValueError, match="larger than the block's voxels"):
        unpack_lz4(raw, 1 << 17)
