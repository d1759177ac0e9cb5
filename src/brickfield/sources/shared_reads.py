"""Reads of storage chunks that two levels need: each is sent once.

A sampled level and the level that it is sampled from share their storage chunks.
Who comes second waits for the first one's read; what was read for the sample is
kept, as far as there is room, until the level itself takes it. What a read cost is
told once, with the first result it went into.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from concurrent.futures import Future

from brickfield.sources.protocol import (
    ChunkSource,
    StorageChunk,
    StorageKeep,
    StoredPart,
)

Index = tuple[int, ...]


class SharedReads:
    """Reads the storage chunks of one level. From any thread.

    Parameters
    ----------
    source : ChunkSource
    level : int

    Attributes
    ----------
    keep : StorageKeep or None
        Without one, every read goes to the source.
    """

    def __init__(self, source: ChunkSource, level: int) -> None:
        self.keep: StorageKeep | None = None
        self._source = source
        self._level = level
        self._lock = threading.Lock()
        self._reading: dict[Index, Future[StorageChunk]] = {}
        self._owed: list[StoredPart] = []

    def take(self, index: Index) -> StorageChunk:
        """Return a storage chunk for good: it is kept no longer.

        Raises
        ------
        ChunkReadError
        """
        chunk, parts = self._get(index, is_kept=False)
        if self.keep is not None:
            self.keep.drop(index)
        if [part.index for part in parts] == [index]:
            (part,) = parts
            return StorageChunk(chunk.data, part.stored_bytes, requests=part.requests)
        n_bytes = sum(part.stored_bytes for part in parts)
        return StorageChunk(chunk.data, n_bytes, tuple(parts))

    def borrow(self, index: Index) -> tuple[StorageChunk, list[StoredPart]]:
        """Return a storage chunk and what was read for it, and keep it.

        Raises
        ------
        ChunkReadError
        """
        return self._get(index, is_kept=True)

    def owe(self, parts: Iterable[StoredPart]) -> None:
        """Note reads whose cost could not be told, since the result failed."""
        with self._lock:
            self._owed += parts

    def _get(
        self, index: Index, *, is_kept: bool
    ) -> tuple[StorageChunk, list[StoredPart]]:
        keep = self.keep
        if keep is None:
            return self._read(index)
        with self._lock:
            found = keep.find(index)
            if found is not None:
                return found, self._settle()
            first, mine = self._reading.get(index), Future[StorageChunk]()
            if first is None:
                self._reading[index] = mine
        if first is not None:
            chunk = first.result()
            with self._lock:
                if is_kept and self.keep is keep:
                    keep.keep(index, chunk)
                return chunk, self._settle()
        try:
            chunk, parts = self._read(index)
        except BaseException as error:
            self._end(index)
            mine.set_exception(error)
            raise
        with self._lock:
            if is_kept and self.keep is keep:
                keep.keep(index, chunk)
            parts += self._settle()
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

    def _settle(self) -> list[StoredPart]:
        owed, self._owed = self._owed, []
        return owed
