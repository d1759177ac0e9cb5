"""Finished chunks between the reader and the visuals that requested them.

A finished chunk is kept in the RAM cache, pinned once for each visual that has
yet to take it, so that nothing waits outside the budget. Two kinds cannot be
there and are held here: failures, which are kept until another try is requested
(of a chunk with holes only what failed: its voxels are in the cache), and a chunk
that found no room (larger than the whole budget, or everything pinned by others), of
which the assembly pool allows one at a time.
"""

from __future__ import annotations

from brickfield.loading.cache.chunk_cache import ChunkCache, Name
from brickfield.model import ChunkKey, Selection
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import ChunkFailure, ChunkState, LoadedChunk


class PinnedChunks:
    """Finished chunks of one source. Guarded by the scheduler's lock.

    Parameters
    ----------
    cache : ChunkCache
    source_id : str
    """

    def __init__(self, cache: ChunkCache, source_id: str) -> None:
        self.cache = cache
        self._source_id = source_id
        self._held: dict[Name, tuple[LoadedChunk, int]] = {}
        self.failed: dict[Name, LoadedChunk] = {}
        self.damaged: dict[Name, tuple[ChunkFailure, ...]] = {}

    def put(self, chunk: LoadedChunk, *, reserved: int, n_takers: int) -> None:
        """Keep a chunk until a number of visuals have taken it.

        Parameters
        ----------
        chunk : LoadedChunk
        reserved : int
            Bytes that were reserved for it in the cache.
        n_takers : int
            Visuals that wait for it.
        """
        name = (chunk.selection, chunk.key)
        if chunk.state is ChunkState.FAILED:
            self.cache.unreserve(reserved)
            self.failed[name] = chunk
            return
        if chunk.holes:
            self.damaged[name] = chunk.failures
        # Most sources have no damage at all, and this is called for every chunk.
        elif self.damaged:
            self.damaged.pop(name, None)
        is_kept = self.cache.put(
            self._source_id, chunk, reserved=reserved, pins=n_takers
        )
        # Beyond the budget, but the visual would wait for ever; the assembly pool lets
        # only one such chunk be made at a time.
        if not is_kept and n_takers:
            self._held[name] = (chunk, n_takers)

    def pin(self, selection: Selection, keys: list[ChunkKey]) -> dict[int, LoadedChunk]:
        """Return the chunks that are loaded for one more taker, by place in `keys`."""
        found = self.cache.pin(self._source_id, selection, keys)
        if self.failed or self._held:
            for at, key in enumerate(keys):
                held = None if at in found else self._pin_held((selection, key))
                if held is not None:
                    found[at] = held
        return found

    def _pin_held(self, name: Name) -> LoadedChunk | None:
        if name in self._held:
            chunk, n = self._held[name]
            self._held[name] = (chunk, n + 1)
            return chunk
        return self.failed.get(name)

    def unpin(self, selection: Selection, key: ChunkKey) -> LoadedChunk | None:
        """Hand a chunk to one of its takers; None if it was forgotten meanwhile."""
        name = (selection, key)
        if name in self.failed:
            return self.failed[name]
        if name in self._held:
            chunk, n = self._held.pop(name)
            if n > 1:
                self._held[name] = (chunk, n - 1)
            return chunk
        return self.cache.unpin(self._source_id, selection, [key])[0]

    def release(self, selection: Selection, keys: list[ChunkKey]) -> None:
        """Remove one taker from each chunk."""
        # Mostly neither is there, and hundreds may be released at a camera change.
        if self._held or self.failed:
            apart = {k for s, k in (*self._held, *self.failed) if s == selection}
            for key in filter(apart.__contains__, keys):
                self.unpin(selection, key)
            keys = [key for key in keys if key not in apart]
        self.cache.release_pins(self._source_id, selection, keys)

    def peek(self, selection: Selection, key: ChunkKey) -> LoadedChunk | None:
        """Return a chunk with voxels (or known to be missing) if it is loaded."""
        held = self._held.get((selection, key))
        if held is not None:
            return held[0]
        return self.cache.peek(self._source_id, selection, key)

    def replace(self, chunk: LoadedChunk) -> None:
        """Put a chunk in the place of an older copy, if that is still here."""
        name = (chunk.selection, chunk.key)
        if name in self._held:
            self._held[name] = (chunk, self._held[name][1])
        else:
            self.cache.replace(self._source_id, chunk)

    def failures(self, selection: Selection, key: ChunkKey) -> tuple[ChunkFailure, ...]:
        """Return what could not be read of a chunk."""
        failed = self.failed.get((selection, key))
        if failed is not None:
            return failed.failures
        return self.damaged.get((selection, key), ())

    def clear_failure(self, selection: Selection, key: ChunkKey) -> None:
        """Forget a chunk that failed or has holes, so that it is read again."""
        self.failed.pop((selection, key), None)
        if self.damaged.pop((selection, key), None) is not None:
            self._held.pop((selection, key), None)
            self.cache.forget(self._source_id, selection, key)

    def forget_changed(self, change: ChunkChange) -> None:
        """Forget the chunks under a change."""
        for names in (self.failed, self.damaged, self._held):
            for name in [n for n in names if change.has(*n)]:
                del names[name]
        self.cache.forget_changed(self._source_id, change)

    def forget(self) -> None:
        """Forget everything of the source."""
        self.failed.clear()
        self.damaged.clear()
        self._held.clear()
        self.cache.drop(self._source_id)
