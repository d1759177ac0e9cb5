"""Decoded storage chunks that another level needs too, in the RAM cache.

A level that is sampled while it is read decodes whole storage chunks of the level
below and uses few of their voxels. They are kept as the cache keeps chunks: within
its budget, the least recently used forgotten first.
"""

from __future__ import annotations

from brickfield.loading.cache.chunk_cache import ChunkCache
from brickfield.loading.storage_layout import LevelLayout
from brickfield.model.requests import ChunkState, LoadedChunk
from brickfield.sources import StorageChunk


class KeptStorage:
    """Storage chunks of one level in the RAM cache. From any thread.

    Parameters
    ----------
    cache : ChunkCache
    source_id : str
    layout : LevelLayout
        Of the level that the storage chunks are stored for.
    """

    def __init__(self, cache: ChunkCache, source_id: str, layout: LevelLayout) -> None:
        self._cache = cache
        self._name = f"{source_id}|storage"
        self._layout = layout

    def keep(
        self, index: tuple[int, ...], chunk: StorageChunk, *, is_pinned: bool = False
    ) -> None:
        """Keep a chunk, or drop it at once if there is no room.

        Parameters
        ----------
        index : tuple of int
            Position in the storage grid, all axes.
        chunk : StorageChunk
        is_pinned : bool
            Whether it stays until :meth:`release`, once.
        """
        state = ChunkState.MISSING if chunk.data is None else ChunkState.LOADED
        key = self._layout.flat_of(index)
        loaded = LoadedChunk(key, (), state, chunk.data)
        self._cache.put(self._name, loaded, pins=int(is_pinned))

    def release(self, index: tuple[int, ...]) -> None:
        """Let a chunk that was pinned be forgotten when there is no room."""
        self._cache.unpin(self._name, (), [self._layout.flat_of(index)])

    def find(self, index: tuple[int, ...]) -> StorageChunk | None:
        """Return a chunk that is kept, else None."""
        found = self._cache.get(self._name, (), self._layout.flat_of(index))
        return None if found is None else StorageChunk(found.data, 0)

    def drop(self, index: tuple[int, ...]) -> None:
        """Forget a chunk that is not needed again."""
        self._cache.forget(self._name, (), self._layout.flat_of(index))

    def clear(self) -> None:
        """Forget all chunks: the voxels changed."""
        self._cache.drop(self._name)
