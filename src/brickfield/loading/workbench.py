"""The chunks that are being put together, and the memory they may take.

Invariant: the bytes of all assemblies are reserved in the RAM cache, so that
assemblies and cache together stay within one budget. New ones are begun while the
assemblies take less than a quarter of it (one is always allowed); chunks that
share a storage chunk with one that is being read may join up to a half, because
decoding twice costs more than waiting. When even one chunk finds no room, nothing
is begun until somebody takes what is ready; only a visual that has nothing to
take gets one chunk beyond the cache, so that it cannot starve.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.assembly import Assembly
from brickfield.loading.cache import ENTRY_BYTES, ChunkCache
from brickfield.loading.shelf import Name
from brickfield.loading.storage_layout import FlatIndex, LevelLayout
from brickfield.model.chunks import ChunkId, ChunkKey, Selection, pack_keys


class Workbench:
    """Assemblies of one source. Guarded by the reader's lock.

    Parameters
    ----------
    cache : ChunkCache
        Where the bytes are reserved.
    """

    def __init__(self, cache: ChunkCache) -> None:
        self._cache = cache
        self._by_selection: dict[Selection, dict[ChunkKey, Assembly]] = {}
        self._bytes = 0
        self._n_begun = 0

    @property
    def n_bytes(self) -> int:
        """Bytes of chunks being put together."""
        return self._bytes

    def __iter__(self) -> Iterator[Assembly]:
        """Walk all assemblies, oldest first within a selection."""
        for group in self._by_selection.values():
            yield from group.values()

    # -- room --------------------------------------------------------------------

    def admit(self, data_bytes: int, *, may_overflow: bool) -> int | None:
        """Reserve room for a chunk to begin with.

        Parameters
        ----------
        data_bytes : int
            Bytes of its voxels.
        may_overflow : bool
            Whether the chunk may do without room when nothing else is begun.

        Returns
        -------
        int or None
            Bytes reserved (0 for a chunk beyond the cache); None if it has to wait.
        """
        cost = data_bytes + ENTRY_BYTES
        is_first = self._n_begun == 0
        if is_first or self._bytes + cost <= self._cache.budget_bytes // 4:
            if self._reserve(cost):
                return cost
            if is_first and may_overflow:
                self._n_begun += 1
                return 0
        return None

    def admit_sibling(self, data_bytes: int) -> int | None:
        """Reserve room for a chunk to join a read; None if there is none."""
        cost = data_bytes + ENTRY_BYTES
        fits = self._bytes + cost <= self._cache.budget_bytes // 2
        return cost if fits and self._reserve(cost) else None

    def _reserve(self, cost: int) -> bool:
        if not self._cache.reserve(cost):
            return False
        self._bytes += cost
        self._n_begun += 1
        return True

    def settle(self, reserved: int) -> None:
        """Stop counting room that now belongs to a finished chunk."""
        self._bytes -= reserved
        self._n_begun -= 1

    def give_back(self, reserved: int) -> None:
        """Give room back that is not needed."""
        self.settle(reserved)
        self._cache.unreserve(reserved)

    # -- assemblies --------------------------------------------------------------

    def get(self, name: Name) -> Assembly | None:
        """Return an assembly."""
        return self._by_selection.get(name[0], {}).get(name[1])

    def add(self, assembly: Assembly, reserved: int) -> None:
        """File an assembly with the room admitted for it."""
        assembly.reserved = reserved
        self._by_selection.setdefault(assembly.selection, {})[assembly.key] = assembly

    def remove(self, assembly: Assembly) -> bool:
        """Take an assembly out; False if it is not (or no longer) here."""
        group = self._by_selection.get(assembly.selection, {})
        if group.get(assembly.key) is not assembly:
            return False
        del group[assembly.key]
        if not group:
            del self._by_selection[assembly.selection]
        return True

    def needing(self, layout: LevelLayout, flat: FlatIndex) -> list[Assembly]:
        """List the assemblies that still need a storage chunk."""
        found = []
        ranges = layout.chunks_over(flat)
        n_chunks = len(ranges[0]) * len(ranges[1]) * len(ranges[2])
        for selection, group in self._by_selection.items():
            if not layout.holds(flat, selection):
                continue
            if n_chunks > len(group):
                near = [a for a in group.values() if a.layout.level == layout.level]
            elif n_chunks == 1:
                index = (ranges[0][0], ranges[1][0], ranges[2][0])
                alone = group.get(ChunkId(layout.level, index).key)
                near = [] if alone is None else [alone]
            else:
                keys = keys_of(layout, ranges)
                near = [group[k] for k in keys.tolist() if k in group]
            found += [a for a in near if flat in a.pending]
        return found

    def keys(self, selection: Selection) -> Container[ChunkKey]:
        """Return the keys of a selection's assemblies, to ask whether one is there."""
        return self._by_selection.get(selection, {})

    def keys_by_selection(self) -> list[tuple[Selection, list[ChunkKey]]]:
        """List the assemblies' keys for whole-array questions."""
        return [(s, list(group)) for s, group in self._by_selection.items()]


def keys_of(
    layout: LevelLayout, ranges: tuple[range, range, range]
) -> NDArray[np.int64]:
    """Pack the keys of a box of chunks, shape (n,), int64."""
    z, y, x = (np.arange(r.start, r.stop) for r in ranges)
    grid = np.stack(np.broadcast_arrays(z[:, None, None], y[:, None], x), axis=-1)
    return pack_keys(layout.level, grid.reshape(-1, 3))
