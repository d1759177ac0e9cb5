"""Compressed bytes that inflate to more than there may be are not decompressed."""

import bz2
import gzip
import json
import lzma
import struct
import zlib
from functools import cache

import numpy as np
import pytest

from brickfield.errors import ChunkReadError
from brickfield.sources.limits.inflation import check_inflation
from brickfield.sources.open import open_source

MIB = 1 << 20
ZEROS = bytes(40 * MIB)
REFUSAL = "made to fill the memory"


@cache
def packed(kind, data):
    """Data as one of numcodecs' compressors, or Python's, stores them."""
    if kind in ("bz2", "lzma", "zlib", "gzip"):
        module = {"bz2": bz2, "lzma": lzma, "zlib": zlib, "gzip": gzip}[kind]
        options = {"preset": 0} if kind == "lzma" else {}
        return module.compress(data, **options)
    import numcodecs

    name = {"zstd": "Zstd", "blosc": "Blosc", "lz4": "LZ4"}[kind]
    return bytes(getattr(numcodecs, name)().encode(data))


KINDS = ["zlib", "gzip", "bz2", "lzma", "zstd", "blosc", "lz4"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [100, 1000, 100_000, 2 * MIB])
def test_what_decompresses_to_just_what_may_be_is_let_through(kind, size):
    raw = packed(kind, np.arange(size, dtype=np.uint32).astype(np.uint8).tobytes())
    check_inflation(kind, raw, size, key="0")


@pytest.mark.parametrize("kind", KINDS)
def test_what_decompresses_to_more_is_refused(kind):
    """40 MiB of zeros, where 1 MiB may be."""
    with pytest.raises(ChunkReadError, match=f"0/1 .* at most 1 MiB; .*{REFUSAL}"):
        check_inflation(kind, packed(kind, ZEROS), MIB, key="0/1")


def test_members_of_gzip_are_added_up():
    """33 members of 1 MiB are 33 MiB."""
    raw = gzip.compress(bytes(MIB)) * 33
    check_inflation("gzip", raw, 33 * MIB, key="")
    with pytest.raises(ChunkReadError, match=REFUSAL):
        check_inflation("gzip", raw, 32 * MIB, key="")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("raw", [b"", b"\x00", b"\x28\xb5\x2f\xfd\x00\x00" * 2])
def test_damaged_bytes_are_left_to_the_decoder(kind, raw):
    check_inflation(kind, raw, 1 << 62, key="")


def write_zarr(folder, compressor, filters, raw):
    folder.mkdir()
    meta = {"zarr_format": 2, "shape": [64] * 3, "chunks": [64] * 3, "dtype": "|u1"}
    meta |= {"compressor": compressor, "filters": filters, "fill_value": 0}
    (folder / ".zarray").write_text(json.dumps(meta | {"order": "C"}))
    (folder / "0.0.0").write_bytes(raw)
    return folder


@pytest.mark.parametrize("kind", ["gzip", "zstd", "blosc", "bz2"])
def test_a_filter_of_zarr_2_does_not_fill_the_memory(tmp_path, kind):
    place = write_zarr(tmp_path / "a", None, [{"id": kind}], packed(kind, ZEROS))
    with pytest.raises(ChunkReadError, match=REFUSAL):
        open_source(place).read_storage_chunk(0, (0, 0, 0))


def test_a_header_of_blosc_that_states_more_than_the_chunk_is_refused(tmp_path):
    blosc = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
    place = write_zarr(tmp_path / "a", blosc, None, packed("blosc", ZEROS))
    with pytest.raises(ChunkReadError, match=REFUSAL):
        open_source(place).read_storage_chunk(0, (0, 0, 0))


def test_a_block_of_n5_is_bounded_too(tmp_path):
    folder = tmp_path / "a.n5"
    (folder / "0" / "0").mkdir(parents=True)
    meta = {"dimensions": [64] * 3, "blockSize": [64] * 3, "dataType": "uint8"}
    meta |= {"compression": {"type": "blosc"}}
    (folder / "attributes.json").write_text(json.dumps(meta))
    header = struct.pack(">HH3I", 0, 3, 64, 64, 64)
    (folder / "0" / "0" / "0").write_bytes(header + packed("blosc", ZEROS))
    with pytest.raises(ChunkReadError, match=REFUSAL):
        open_source(folder).read_storage_chunk(0, (0, 0, 0))


def test_a_chunk_of_hdf5_that_its_library_inflates_is_bounded(tmp_path):
    """Deflate behind a checksum is the library's."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        options = {"compression": "gzip", "fletcher32": True, "chunks": (64, 64, 64)}
        dataset = file.create_dataset("a", (64, 64, 64), "u1", **options)
        dataset.id.write_direct_chunk((0, 0, 0), packed("zlib", ZEROS) + bytes(4))
    with pytest.raises(ChunkReadError, match=REFUSAL):
        open_source(tmp_path / "a.h5").read_storage_chunk(0, (0, 0, 0))


def test_a_tile_of_tiff_is_bounded(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    path = tmp_path / "a.tif"
    picture = np.zeros((64, 64), np.uint8)
    tifffile.imwrite(path, picture, compression="zlib", tile=(64, 64))
    raw = packed("zlib", ZEROS)
    with tifffile.TiffFile(path, mode="r+b") as tiff:
        tags = tiff.pages[0].tags
        tags["TileOffsets"].overwrite(path.stat().st_size)
        tags["TileByteCounts"].overwrite(len(raw))
    with path.open("ab") as file:
        file.write(raw)
    source = open_source(path)
    index = (0,) * len(source.info.pyramid.levels[0].shape)
    with pytest.raises(ChunkReadError, match=REFUSAL):
        source.read_storage_chunk(0, index)
    source.close()
