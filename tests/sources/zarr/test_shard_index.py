"""Indices of shards, read from the end of a file or from its front."""

import google_crc32c
import numpy as np
import pytest

from brickfield.sources.zarr.codecs import Shards
from brickfield.sources.zarr.shard_index import ShardIndices, decode_index

ABSENT = 2**64 - 1
ENTRIES = np.array([[0, 10], [ABSENT, ABSENT], [10, 30], [40, 2]], dtype="<u8")


def raw_index(has_checksum=True):
    body = ENTRIES.tobytes()
    check = google_crc32c.value(body).to_bytes(4, "little")
    return body + check if has_checksum else body


@pytest.mark.parametrize("has_checksum", [True, False])
@pytest.mark.parametrize("is_at_end", [True, False])
def test_lengths_come_from_either_end(tmp_path, has_checksum, is_at_end):
    index, payload = raw_index(has_checksum), bytes(120)
    path = tmp_path / "shard"
    path.write_bytes(payload + index if is_at_end else index + payload)
    indices = ShardIndices(Shards((2, 2), is_at_end, has_checksum))
    assert indices.lengths(path).tolist() == [10, -1, 30, 2]


def test_a_wrong_checksum_tells_nothing():
    raw = bytearray(raw_index())
    raw[3] ^= 1
    assert decode_index(bytes(raw), Shards((2, 2)), 1000) is None


def test_a_chunk_beyond_the_file_tells_nothing():
    assert decode_index(raw_index(), Shards((2, 2)), 41) is None
    assert decode_index(raw_index(), Shards((2, 2)), 42) is not None


def test_an_index_that_is_too_short_tells_nothing(tmp_path):
    (tmp_path / "shard").write_bytes(b"abc")
    assert ShardIndices(Shards((2, 2))).lengths(tmp_path / "shard") is None


def test_a_shard_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        ShardIndices(Shards((2, 2))).lengths(tmp_path / "shard")


def test_an_index_is_read_once(tmp_path):
    path = tmp_path / "shard"
    path.write_bytes(bytes(120) + raw_index())
    indices = ShardIndices(Shards((2, 2)))
    first = indices.lengths(path)
    path.unlink()
    assert indices.lengths(path).tolist() == first.tolist()
