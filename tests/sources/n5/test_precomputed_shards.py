"""Shards of precomputed volumes on web servers: as tensorstore has written them."""

import json

import numpy as np
import pytest
import tensorstore as ts

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.n5.precomputed_shards import morton_code
from brickfield.sources.open import open_source
from brickfield.testing.http_server import FaultServer, Rule

GIB = 1 << 30
DATA = np.random.default_rng(0).integers(1, 250, (40, 30, 20)).astype("u1")
PLAIN = {"hash": "identity", "preshift_bits": 1, "minishard_bits": 1, "shard_bits": 2}


def write(folder, sharding, data=DATA):
    """Write x, y, z voxels in chunks of 8 x 8 x 8."""
    spec = {
        "driver": "neuroglancer_precomputed",
        "kvstore": {"driver": "file", "path": f"{folder}/v/"},
        "multiscale_metadata": {
            "type": "image",
            "data_type": "uint8",
            "num_channels": 1,
        },
        "scale_metadata": {
            "key": "s",
            "size": list(data.shape),
            "resolution": [1, 1, 1],
            "chunk_size": [8, 8, 8],
            "encoding": "raw",
            "sharding": {"@type": "neuroglancer_uint64_sharded_v1", **sharding},
        },
    }
    ts.open(spec, create=True).result()[..., 0].write(data).result()


@pytest.mark.parametrize(
    "sharding",
    [
        PLAIN,
        {**PLAIN, "minishard_index_encoding": "gzip", "data_encoding": "gzip"},
        {**PLAIN, "hash": "murmurhash3_x86_128", "minishard_bits": 2},
        {**PLAIN, "shard_bits": 0, "minishard_bits": 0},
        {**PLAIN, "shard_bits": 5, "preshift_bits": 0, "hash": "murmurhash3_x86_128"},
    ],
    ids=["plain", "gzip", "hashed", "one", "many"],
)
def test_voxels_bytes_and_requests_are_exact(tmp_path, read_level, sharding):
    """Axes of unequal length make the interleaving of bits uneven."""
    write(tmp_path, sharding)
    with FaultServer(tmp_path) as server:
        source = open_source(f"precomputed://{server.url}/v")
        assert set(server.requests) == {"v/info"}
        server.clear()
        read = [source.read_storage_chunk(0, (0, *i)) for i in np.ndindex(3, 4, 5)]
        assert sum(chunk.requests for chunk in read) == server.n_requests
        assert sum(chunk.stored_bytes for chunk in read) == server.n_bytes
        np.testing.assert_array_equal(read_level(source, 0)[0], DATA.T)


def test_chunks_that_are_not_stored_are_missing(tmp_path):
    """Also where no chunk of their shard is."""
    data = np.zeros_like(DATA)
    data[:8, :8, :8] = 5
    write(tmp_path, PLAIN, data)
    with FaultServer(tmp_path) as server:
        source = open_source(f"precomputed://{server.url}/v")
        found = [source.read_storage_chunk(0, (0, *i)) for i in np.ndindex(3, 4, 5)]
        assert found[0].data is not None
        assert all(chunk.data is None for chunk in found[1:])


@pytest.mark.parametrize("says", ["length", "nothing"])
def test_parts_longer_than_asked_for_fail_the_chunk(tmp_path, says):
    write(tmp_path, PLAIN)
    with FaultServer(tmp_path) as server:
        source = open_source(f"precomputed://{server.url}/v")
        server.add(Rule("*.shard", "swell", size=GIB, says=says))
        with pytest.raises(ChunkReadError, match="expected at most 16 B in one piece"):
            source.read_storage_chunk(0, (0, 0, 0, 0))


def test_a_damaged_index_fails_the_chunk(tmp_path):
    write(tmp_path, PLAIN)
    for shard in (tmp_path / "v" / "s").iterdir():
        raw = shard.read_bytes()
        shard.write_bytes((b"\xff" * 8 + bytes(8)) * 2 + raw[32:])
    with FaultServer(tmp_path) as server:
        source = open_source(f"precomputed://{server.url}/v")
        with pytest.raises(ChunkReadError, match=r"the index of the shard .* damaged"):
            source.read_storage_chunk(0, (0, 0, 0, 0))


@pytest.mark.parametrize(
    "change", [{"hash": "sha1"}, {"shard_bits": "2"}, {"hash": []}]
)
def test_sharding_of_another_form_is_refused_in_a_sentence(tmp_path, change):
    write(tmp_path, PLAIN)
    path = tmp_path / "v" / "info"
    about = json.loads(path.read_text())
    about["scales"][0]["sharding"] |= change
    path.write_text(json.dumps(about))
    with (
        FaultServer(tmp_path) as server,
        pytest.raises(StoreFormatError, match=r"scales\[0\]\.sharding; found"),
    ):
        open_source(f"precomputed://{server.url}/v")


def test_an_axis_adds_no_bit_beyond_what_its_length_needs():
    """By hand, for a grid of 4 x 1 x 2: x0 z0 x1."""
    assert morton_code((0b10, 0, 0), (4, 1, 2)) == 0b100
    assert morton_code((0b01, 0, 1), (4, 1, 2)) == 0b011
