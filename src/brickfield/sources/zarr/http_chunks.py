"""Storage chunks of one zarr array on a web server, in bounded memory.

A chunk's object is asked for whole, up to as many bytes as such a chunk can have; of
a shard its index, once, and then the bytes of one inner chunk. What comes is looked
at before it is decoded. Shards of which the index cannot be read simply, and those
of servers that know no ranges or send every object somewhere else, are read whole.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.sources.io.errors import WEB_PAGE, looks_like_a_page
from brickfield.sources.io.http_answers import Span
from brickfield.sources.io.http_objects import body_of, is_ignored_range, is_redirect
from brickfield.sources.io.in_flight import DECODED
from brickfield.sources.io.location import Location
from brickfield.sources.limits.admission import most_stored, read_bytes
from brickfield.sources.limits.inflation import check_inflation
from brickfield.sources.limits.kept_once import KeptOnce
from brickfield.sources.protocol import StorageChunk
from brickfield.sources.zarr.memory_array import MemoryArray
from brickfield.sources.zarr.metadata import ZarrArrayMeta
from brickfield.sources.zarr.shard_index import ABSENT, Index, decode_index
from brickfield.sources.zarr.whole_objects import WholeObjects

INDICES_BYTES = 32 << 20
"""Indices of shards that are kept, of one array."""

OpenArray = Callable[[Any, Any, dict[str, Any]], Any]
"""A tensorstore key-value store's spec, context and zarr metadata to an array."""


class HttpChunks:
    """Chunks of one array. Any thread may call it.

    Parameters
    ----------
    location : Location
        The array's folder, on a web server.
    meta : ZarrArrayMeta
    open_array : callable
    """

    def __init__(
        self, location: Location, meta: ZarrArrayMeta, open_array: OpenArray
    ) -> None:
        self._location = location
        self._meta = meta
        self._decoded = prod(meta.chunk_shape) * meta.dtype.itemsize
        self._most = most_stored(self._decoded)
        file = most_stored(prod(meta.file_shape) * meta.dtype.itemsize)
        self._whole = WholeObjects(
            location, lambda kv, context: open_array(kv, context, meta.metadata), file
        )
        # Shards that tensorstore alone understands are read whole from the start.
        self._reads_whole = meta.is_sharded and meta.shards is None
        inner = _inner_metadata(meta)
        self._array = MemoryArray(lambda kv, context: open_array(kv, context, inner))
        self._indices = _Indices(location, meta)

    def read(
        self, index: tuple[int, ...], file: tuple[int, ...], region: tuple[slice, ...]
    ) -> StorageChunk:
        """Read and decode one storage chunk.

        Parameters
        ----------
        index, file : tuple of int
            Of the chunk and of the object that it is in.
        region : tuple of slice
            The chunk's voxels.

        Raises
        ------
        ValueError
            Beginning with a status name, as tensorstore's.
        ChunkReadError
        """
        file_key = self._meta.file_key(file)
        if not self._meta.is_sharded:
            return self._plain(file_key, None, index, region)
        if not self._reads_whole:
            try:
                return self._of_shard(file_key, index, region)
            except ValueError as error:
                # The server cannot send parts: from now on shards are read whole.
                if not (is_redirect(error) or is_ignored_range(error)):
                    raise
            self._reads_whole = True
        data, n_bytes = self._whole.read(file_key, region)
        return StorageChunk(data, n_bytes)

    def _of_shard(
        self, file_key: str, index: tuple[int, ...], region: tuple[slice, ...]
    ) -> StorageChunk:
        entries, n_bytes = self._indices.of(file_key)
        n_reads = int(n_bytes > 0)
        if entries is None:
            return StorageChunk(None, 0, requests=1)
        shards = self._meta.shards
        assert shards is not None
        inside = tuple(i % n for i, n in zip(index, shards.grid, strict=True))
        entry = entries[int(np.ravel_multi_index(inside, shards.grid))]
        # The format's mark for "not stored": both words with all bits set.
        if (entry == ABSENT).all():
            return StorageChunk(None, n_bytes, requests=n_reads)
        start, length = (int(n) for n in entry)
        # More than any codec makes of a chunk: the index is damaged.
        if not 0 < length <= self._most:
            msg = f"DATA_LOSS: the shard's index names {length} bytes"
            raise ValueError(msg)
        found = self._plain(file_key, Span(length, start), index, region)
        return StorageChunk(
            found.data, found.stored_bytes + n_bytes, requests=1 + n_reads
        )

    def _plain(
        self,
        file_key: str,
        span: Span | None,
        index: tuple[int, ...],
        region: tuple[slice, ...],
    ) -> StorageChunk:
        with body_of(self._location, file_key, self._most, span) as found:
            if found.raw is None:
                return StorageChunk(None, 0)
            key = self._meta.file_key(index)
            if self._meta.has_blosc:
                check_inflation("blosc", found.raw, self._most, key=key)
            try:
                with DECODED.room(read_bytes(self._decoded)):
                    data = self._array.decode(key, found.raw, region)
            except ValueError:
                # Portals answer with a page and status 200: that must not look like a
                # damaged chunk.
                if looks_like_a_page(found.raw):
                    raise ValueError(WEB_PAGE) from None
                raise
            return StorageChunk(data, found.n_bytes)


class _Indices:
    """Indices of shards, each read once and kept. Any thread may call it."""

    def __init__(self, location: Location, meta: ZarrArrayMeta) -> None:
        self._location = location
        self._shards = meta.shards
        size = 1 if meta.shards is None else meta.shards.index_bytes
        self._kept: KeptOnce[str, Index | None] = KeptOnce(
            self._read, lambda _: size, INDICES_BYTES
        )

    def of(self, key: str) -> tuple[NDArray[np.uint64] | None, int]:
        """Return the index of a shard, and the bytes read for it now.

        None where the shard is not stored.

        Raises
        ------
        ValueError
        """
        index, n_bytes, _ = self._kept.get(key)
        return index, n_bytes

    def _read(self, key: str) -> tuple[Index | None, int, int]:
        shards = self._shards
        assert shards is not None
        size = shards.index_bytes
        span = Span(size, None if shards.is_at_end else 0)
        with body_of(self._location, key, size, span) as found:
            if found.raw is None:
                return None, 0, 1
            index = decode_index(found.raw, shards, found.size)
            if index is None:
                msg = "DATA_LOSS: the shard's index is damaged"
                raise ValueError(msg)
            return index, found.n_bytes, 1


def _inner_metadata(meta: ZarrArrayMeta) -> dict[str, Any]:
    """Describe an array whose objects are the inner chunks; itself without shards."""
    if meta.shards is None:
        return meta.metadata
    options = meta.metadata["codecs"][0]["configuration"]
    grid = {"name": "regular", "configuration": {"chunk_shape": list(meta.chunk_shape)}}
    chain = options.get("codecs") or [{"name": "bytes"}]
    return {**meta.metadata, "chunk_grid": grid, "codecs": chain}
