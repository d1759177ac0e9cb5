"""Storage chunks that two levels need are read once (:class:`SharedReads`).

A sampled level and the level that it is sampled from share their storage chunks. The
second to need one waits for the first one's read; what was read for the sample is
handed to who waits for it in the level itself, else kept, as far as there is room,
until that level takes it. What a read cost is told once, with the first result it went
into.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from brickfield.sources.protocol import (
    ChunkSource,
    StorageChunk,
    StorageChunkCache,
    StoredPart,
)

Index = tuple[int, ...]
"""Position in a storage grid, all axes."""


class SharedReads:
    """Reads the storage chunks of one level. From any thread.

    Parameters
    ----------
    source : ChunkSource
    level : int

    Attributes
    ----------
    cache : StorageChunkCache or None
        Without one, every read goes to the source.
    """

    def __init__(self, source: ChunkSource, level: int) -> None:
        self.cache: StorageChunkCache | None = None
        self._source = source
        self._level = level
        self._lock = threading.Lock()
        self._reading: dict[Index, Future[StorageChunk]] = {}
        self._unreported: list[StoredPart] = []

    def read_last(self, index: Index) -> StorageChunk:
        """Return a storage chunk and stop keeping it.

        Raises
        ------
        ChunkReadError
        """
        chunk, parts = self._get(index, is_kept=False)
        if self.cache is not None and not self.cache.is_awaited(index):
            self.cache.drop(index)
        if [part.index for part in parts] == [index]:
            (part,) = parts
            return StorageChunk(chunk.data, part.stored_bytes, requests=part.requests)
        n_bytes = sum(part.stored_bytes for part in parts)
        return StorageChunk(chunk.data, n_bytes, tuple(parts))

    def read_and_keep(self, index: Index) -> tuple[StorageChunk, list[StoredPart]]:
        """Return a storage chunk and what was read for it, and keep it.

        Raises
        ------
        ChunkReadError
        """
        return self._get(index, is_kept=True)

    def add_unreported(self, parts: Iterable[StoredPart]) -> None:
        """Note reads whose cost could not be told, since the result failed."""
        with self._lock:
            self._unreported += parts

    def _get(
        self, index: Index, *, is_kept: bool
    ) -> tuple[StorageChunk, list[StoredPart]]:
        cache = self.cache
        if cache is None:
            return self._read(index)
        with self._lock:
            found = cache.find(index)
            first, mine = self._reading.get(index), Future[StorageChunk]()
            if found is None and first is None:
                self._reading[index] = mine
        if found is not None:
            if is_kept and cache.pass_on(index, found):
                cache.drop(index)
            with self._lock:
                return found, self._take_unreported()
        if first is not None:
            chunk = first.result()
            with self._lock:
                if is_kept and self.cache is cache:
                    cache.keep(index, chunk)
                return chunk, self._take_unreported()
        try:
            chunk, parts = self._read(index)
        except BaseException as error:
            self._end(index)
            mine.set_exception(error)
            raise
        needs_keeping = True
        try:
            # Before the end is told, or it would be read again for those who come now.
            needs_keeping = (
                not cache.pass_on(index, chunk) if is_kept else cache.is_awaited(index)
            )
        finally:
            with self._lock:
                if needs_keeping and self.cache is cache:
                    cache.keep(index, chunk)
                parts += self._take_unreported()
            self._end(index)
            mine.set_result(chunk)
        return chunk, parts

    def _end(self, index: Index) -> None:
        with self._lock:
            del self._reading[index]

    def _read(self, index: Index) -> tuple[StorageChunk, list[StoredPart]]:
        chunk = self._source.read_storage_chunk(self._level, index)
        is_stored = chunk.data is not None
        cost = (chunk.stored_bytes, is_stored, chunk.requests)
        return chunk, [StoredPart(self._level, index, *cost)]

    def _take_unreported(self) -> list[StoredPart]:
        unreported, self._unreported = self._unreported, []
        return unreported
