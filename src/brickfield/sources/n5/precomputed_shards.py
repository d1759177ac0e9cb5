"""Chunks inside shards of precomputed volumes on web servers, in bounded memory.

The format ("neuroglancer_uint64_sharded_v1"): a chunk's number is the compressed
Morton code of its place in the grid; a hash of it names the shard and the minishard.
A shard begins with first and past-the-last byte of the index of each minishard; that
index holds numbers, offsets and sizes of its chunks. So a chunk costs three requests,
of which the first two are made once for a minishard.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from brickfield.sources.io.http_answers import Span, inflated
from brickfield.sources.io.http_objects import Fetched, body_of
from brickfield.sources.io.location import Location
from brickfield.sources.limits.kept_once import KeptOnce

INDEX_BYTES = 16 << 20
"""Most bytes of a minishard's index: half a million chunks."""
KEPT_BYTES = 32 << 20
"""Indices kept, of one scale."""
_ENTRY_BYTES = 16
_WORD = 0xFFFFFFFF

Places = dict[int, tuple[int, int]]
"""Number of a chunk to its first byte in the shard and its length."""


@dataclass(frozen=True, slots=True)
class Sharding:
    """How chunks are spread over shards, as ``info`` says."""

    preshift_bits: int
    minishard_bits: int
    shard_bits: int
    is_hashed: bool
    is_index_zipped: bool
    is_data_zipped: bool

    @classmethod
    def parse(cls, about: Mapping[str, Any]) -> Sharding:
        """Read the member ``sharding`` of a scale.

        Raises
        ------
        KeyError, TypeError, ValueError, AttributeError
            If it is of another form.
        """
        return cls(
            _bits(about.get("preshift_bits", 0)),
            _bits(about["minishard_bits"]),
            _bits(about["shard_bits"]),
            ("identity", "murmurhash3_x86_128").index(about["hash"]) == 1,
            about.get("minishard_index_encoding", "raw") == "gzip",
            about.get("data_encoding", "raw") == "gzip",
        )

    def place_of(self, number: int) -> tuple[str, int]:
        """Return the name of a chunk's shard, and its minishard there."""
        value = number >> self.preshift_bits
        value = murmur_hash(value) if self.is_hashed else value
        minishard = value & ((1 << self.minishard_bits) - 1)
        shard = value >> self.minishard_bits & ((1 << self.shard_bits) - 1)
        return f"{shard:0{-(-self.shard_bits // 4)}x}.shard", minishard


def _bits(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= 64:
        msg = f"{value!r:.40} where a number of bits from 0 to 64 is expected"
        raise ValueError(msg)
    return value


def morton_code(place: Sequence[int], grid: Sequence[int]) -> int:
    """Interleave the bits of a place in a grid, both x, y, z.

    An axis adds no bit beyond what its length needs.

    Parameters
    ----------
    place : sequence of int
        Position (x, y, z), chunks.
    grid : sequence of int
        Chunks along (x, y, z).
    """
    code = at = 0
    for bit in range(max(n - 1 for n in grid).bit_length()):
        for i, n in zip(place, grid, strict=True):
            if (n - 1) >> bit:
                code |= (i >> bit & 1) << at
                at += 1
    return code


def murmur_hash(value: int) -> int:
    """Return the low 64 bits of MurmurHash3_x86_128 of 8 bytes, seed 0."""

    def rotated(x: int, n: int) -> int:
        return (x << n | x >> (32 - n)) & _WORD

    def mixed(x: int) -> int:
        x = (x ^ x >> 16) * 0x85EBCA6B & _WORD
        x = (x ^ x >> 13) * 0xC2B2AE35 & _WORD
        return x ^ x >> 16

    low, high = value & _WORD, value >> 32 & _WORD
    h2 = rotated(high * 0xAB0E9789 & _WORD, 16) * 0x38B34AE5 & _WORD
    h1 = rotated(low * 0x239B961B & _WORD, 15) * 0xAB0E9789 & _WORD
    h = [h1 ^ 8, h2 ^ 8, 8, 8]
    h[0] = sum(h) & _WORD
    h = [mixed(h[0]), *(mixed((x + h[0]) & _WORD) for x in h[1:])]
    first = sum(h) & _WORD
    return first | ((h[1] + first) & _WORD) << 32


class HttpShards:
    """Stored bytes of the chunks of one sharded scale. Any thread may call it.

    Parameters
    ----------
    location : Location
        Of the volume, on a web server.
    folder : str
        Of the scale.
    sharding : Sharding
    """

    def __init__(self, location: Location, folder: str, sharding: Sharding) -> None:
        self._location = location
        self._folder = folder
        self._sharding = sharding
        self._indices: KeptOnce[tuple[str, int], Places | None] = KeptOnce(
            self._read, _memory_of, KEPT_BYTES
        )

    @contextmanager
    def chunk(
        self, place: Sequence[int], grid: Sequence[int], most: int
    ) -> Iterator[tuple[Fetched, int]]:
        """Read a chunk, and hold room for it while it is decoded.

        Parameters
        ----------
        place, grid : sequence of int
            Of the chunk among all, x, y, z.
        most : int
            Most bytes, as stored and as decompressed.

        Yields
        ------
        Fetched
            With the bytes read for its indices, too.
        n_requests : int

        Raises
        ------
        ValueError
            Beginning with a status name.
        """
        number = morton_code(place, grid)
        name, minishard = self._sharding.place_of(number)
        key = f"{self._folder}/{name}"
        index, n_bytes, n_requests = self._indices.get((key, minishard))
        if index is None or number not in index:
            yield Fetched(None, n_bytes), n_requests
            return
        start, length = index[number]
        if not 0 < length <= most:
            msg = f"DATA_LOSS: the shard {name} names a chunk of {length} bytes"
            raise ValueError(msg)
        with body_of(self._location, key, most, Span(length, start)) as found:
            raw = found.raw
            if raw is not None and self._sharding.is_data_zipped:
                raw = inflated(raw, self._location.uri_of(key), most)
            yield Fetched(raw, n_bytes + found.n_bytes), n_requests + 1

    def _read(self, place: tuple[str, int]) -> tuple[Places | None, int, int]:
        """Read the index of a minishard, given the shard's key and its number there."""
        key, minishard = place
        entry = Span(_ENTRY_BYTES, _ENTRY_BYTES * minishard)
        with body_of(self._location, key, _ENTRY_BYTES, entry) as found:
            if found.raw is None:
                return None, 0, 1
            if len(found.raw) != _ENTRY_BYTES:
                raise _damaged(key)
            start, stop = (int(n) for n in np.frombuffer(found.raw, "<u8"))
        if start == stop:
            return None, _ENTRY_BYTES, 1
        length = stop - start
        if not 0 < length <= INDEX_BYTES:
            raise _damaged(key)
        data = _ENTRY_BYTES << self._sharding.minishard_bits
        part = Span(length, data + start)
        with body_of(self._location, key, length, part) as found:
            raw = found.raw or b""
            if self._sharding.is_index_zipped:
                raw = inflated(raw, self._location.uri_of(key), INDEX_BYTES)
            return _places(raw, data, key), _ENTRY_BYTES + found.n_bytes, 2


def _memory_of(index: Places | None) -> int:
    # A dictionary takes about eight times what it was made of.
    return 200 * len(index or ())


def _places(raw: bytes, data: int, key: str) -> Places:
    """Decode a minishard's index; `data` is the shard's first byte after its own."""
    if not raw or len(raw) % 24:
        raise _damaged(key)
    numbers, gaps, sizes = np.frombuffer(raw, "<u8").reshape(3, -1)
    total = sizes.astype(np.float64).sum() + gaps.astype(np.float64).sum()
    if total >= 2.0**62:
        raise _damaged(key)
    stops = np.cumsum(gaps + sizes)
    starts = (stops - sizes + np.uint64(data)).tolist()
    ids = np.cumsum(numbers).tolist()
    return dict(zip(ids, zip(starts, sizes.tolist(), strict=True), strict=True))


def _damaged(key: str) -> ValueError:
    return ValueError(f"DATA_LOSS: the index of the shard {key} is damaged")
