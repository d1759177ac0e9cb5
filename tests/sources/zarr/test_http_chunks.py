"""Chunks on web servers: as stored, in bounded memory, in as many requests as needed."""

import json
import struct
import subprocess
import sys

import numcodecs
import numpy as np
import pytest
import tensorstore as ts
import zarr

from brickfield.errors import ChunkReadError
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer, Rule
from brickfield.testing.zarr_stores import write_image

GIB = 1 << 30
MIB = 1 << 20
DATA = np.random.default_rng(0).integers(0, 255, (32, 32, 32)).astype("u1")


@pytest.fixture
def folder(tmp_path):
    """One image in each form that is read from a web server."""
    write_image(tmp_path / "plain.zarr", [DATA], chunks=(16,) * 3)
    shards = {"zarr_format": 3, "chunks": (8,) * 3, "shards": (16,) * 3}
    write_image(tmp_path / "sharded.zarr", [DATA], **shards)
    array = zarr.create_array(
        str(tmp_path / "filtered.zarr"),
        shape=DATA.shape,
        chunks=(16,) * 3,
        dtype="u1",
        zarr_format=2,
        filters=[numcodecs.Delta("u1")],
    )
    array[:] = DATA
    return tmp_path


@pytest.mark.parametrize("says", ["length", "chunked"])
@pytest.mark.parametrize("name", ["plain", "sharded", "filtered"])
def test_a_chunk_that_is_too_long_fails_alone(folder, name, says):
    """In a sentence; its neighbours are read."""
    with FaultServer(folder) as server:
        source = open_source(f"{server.url}/{name}.zarr")
        server.add(Rule("*0[./]0[./]0", "swell", size=GIB, says=says))
        with pytest.raises(ChunkReadError, match=r"expected at most .* in one piece"):
            source.read_storage_chunk(0, (0, 0, 0))
        last = tuple(n - 1 for n in np.shape(DATA))
        chunk = source.info.pyramid.levels[0].storage_chunk_shape
        index = tuple(n // c for n, c in zip(last, chunk, strict=True))
        found = source.read_storage_chunk(0, index).data
        low = [i * c for i, c in zip(index, chunk, strict=True)]
        np.testing.assert_array_equal(found, DATA[tuple(slice(n, None) for n in low)])


@pytest.mark.parametrize("name", ["a.n5", "precomputed"])
def test_a_block_of_other_formats_that_is_too_long_fails_alone(tmp_path, name):
    """No metadata are asked for again when a chunk is read."""
    spec = {"driver": "n5", "kvstore": f"file://{tmp_path}/{name}/"}
    if name == "a.n5":
        metadata = {
            "dimensions": [32, 32, 32],
            "blockSize": [16, 16, 16],
            "dataType": "uint8",
            "compression": {"type": "gzip"},
        }
        array = ts.open({**spec, "metadata": metadata}, create=True).result()
    else:
        spec["driver"] = "neuroglancer_precomputed"
        kind = {"type": "image", "data_type": "uint8", "num_channels": 1}
        scale = {
            "key": "s",
            "size": [32, 32, 32],
            "resolution": [1, 1, 1],
            "chunk_size": [16, 16, 16],
            "encoding": "raw",
        }
        parts = {"multiscale_metadata": kind, "scale_metadata": scale}
        array = ts.open({**spec, **parts}, create=True).result()[..., 0]
    array.write(DATA.T).result()
    with FaultServer(tmp_path) as server:
        prefix = "" if name == "a.n5" else "precomputed://"
        source = open_source(f"{prefix}{server.url}/{name}")
        server.clear()
        server.add(Rule("*/0/0/0", "swell", size=GIB))
        server.add(Rule("*/0-16_0-16_0-16", "swell", size=GIB, says="chunked"))
        lead = (0,) * (len(source.info.pyramid.levels[0].shape) - 3)
        with pytest.raises(ChunkReadError, match=r"at most .* in one piece"):
            source.read_storage_chunk(0, (*lead, 0, 0, 0))
        found = source.read_storage_chunk(0, (*lead, 1, 1, 1)).data
        np.testing.assert_array_equal(found.reshape(16, 16, 16), DATA[16:, 16:, 16:])
        assert server.n_requests == 2


def test_a_header_of_blosc_that_states_too_much_is_refused(tmp_path):
    """Before it is decoded: blosc takes the length at its word."""
    write_image(tmp_path / "b.zarr", [DATA], chunks=(32,) * 3)
    meta = tmp_path / "b.zarr" / "0" / ".zarray"
    about = json.loads(meta.read_text())
    about["compressor"] = {"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 1}
    meta.write_text(json.dumps(about))
    header = struct.pack("<4B3I", 2, 1, 1, 1, (1 << 31) - 100, 1 << 20, 64)
    chunk = tmp_path / "b.zarr" / "0" / "0" / "0" / "0"
    assert chunk.exists()
    chunk.write_bytes(header + bytes(48))
    with FaultServer(tmp_path) as server:
        source = open_source(f"{server.url}/b.zarr")
        with pytest.raises(ChunkReadError, match="decode to at most"):
            source.read_storage_chunk(0, (0, 0, 0))


def test_inner_chunks_that_are_not_stored_cost_the_index_alone(tmp_path):
    data = np.zeros((16, 16, 16), "u2")
    data[8:, 8:, 8:] = 7
    shards = {"zarr_format": 3, "chunks": (8,) * 3, "shards": (16,) * 3}
    write_image(tmp_path / "s.zarr", [data], **shards)
    with FaultServer(tmp_path) as server:
        source = open_source(f"{server.url}/s.zarr")
        server.clear()
        read = [source.read_storage_chunk(0, i) for i in np.ndindex(2, 2, 2)]
        assert [chunk.data is None for chunk in read] == 7 * [True] + [False]
        assert sum(chunk.requests for chunk in read) == server.n_requests == 2
        assert sum(chunk.stored_bytes for chunk in read) == server.n_bytes


def test_shards_inside_shards_are_read_whole(tmp_path, read_level):
    """Once each."""
    codecs = [
        {
            "name": "sharding_indexed",
            "configuration": {
                "chunk_shape": [16, 16, 16],
                "codecs": [
                    {
                        "name": "sharding_indexed",
                        "configuration": {
                            "chunk_shape": [8, 8, 8],
                            "codecs": [{"name": "bytes"}],
                            "index_codecs": _INDEX,
                        },
                    }
                ],
                "index_codecs": _INDEX,
            },
        }
    ]
    spec = {
        "driver": "zarr3",
        "kvstore": f"file://{tmp_path}/n.zarr/",
        "metadata": {
            "shape": [32, 32, 32],
            "data_type": "uint8",
            "chunk_grid": {
                "name": "regular",
                "configuration": {"chunk_shape": [32, 32, 32]},
            },
            "codecs": codecs,
        },
    }
    ts.open(spec, create=True).result().write(DATA).result()
    with FaultServer(tmp_path) as server:
        source = open_source(f"{server.url}/n.zarr")
        np.testing.assert_array_equal(read_level(source, 0), DATA)
        assert server.requests["n.zarr/c/0/0/0"] == 1


_INDEX = [
    {"name": "bytes", "configuration": {"endian": "little"}},
    {"name": "crc32c"},
]

CHILD = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
import numpy as np, tensorstore, zarr
from brickfield.errors import BrickfieldError
from brickfield.sources.io.store_files import shared_context
from brickfield.sources.open import open_source

def peak_mib():
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(n for n in lines if n.startswith("VmHWM")).split()[1]) >> 10

def attempt(source, index):
    try:
        source.read_storage_chunk(0, index)
    except BrickfieldError:
        return 1
    return 0

shared_context()
before = peak_mib()
with ThreadPoolExecutor(16) as pool:
    for uri in sys.argv[1:]:
        try:
            source = open_source(uri)
        except BrickfieldError:
            continue
        level = source.info.pyramid.levels[0]
        grid = [-(-n // c) for n, c in zip(level.shape, level.storage_chunk_shape)]
        indices = list(np.ndindex(*grid))
        assert sum(pool.map(lambda i: attempt(source, i), indices)) == len(indices)
print(peak_mib() - before)
"""


def test_sixteen_readers_of_endless_bodies_stay_within_128_mib(folder):
    """Chunks of 8 MiB could have 17 MiB each as stored: together they may not."""
    for name, format_ in (("v2.zarr", 2), ("v3.zarr", 3)):
        array = zarr.create_array(
            str(folder / name),
            shape=(512, 512, 512),
            chunks=(256, 256, 128),
            dtype="u1",
            zarr_format=format_,
        )
        array[:1] = 1
    (folder / "bad.zarr").mkdir()
    # All images but the last open, and every read fails.
    rules = [
        Rule(f"{name}.zarr/{chunk}", "swell", size=GIB, says=says)
        for name, chunk, says in (
            ("plain", "0/?/*", "length"),
            ("sharded", "0/c/*", "nothing"),
            ("filtered", "?.?.?", "chunked"),
            ("v2", "?.?.?", "chunked"),
            ("v3", "c/*", "gzip"),
        )
    ]
    rules.append(Rule("bad.zarr/*", "swell", size=3 * GIB, says="chunked"))
    names = ("plain", "sharded", "filtered", "v2", "v3", "bad")
    with FaultServer(folder, *rules) as server:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, *(f"{server.url}/{n}.zarr" for n in names)],
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert not done.returncode, done.stderr
    assert int(done.stdout) <= 128
