"""The RAM cache of decoded chunks, bounded in bytes.

Invariant: entries plus reservations never exceed the budget. Room is made before
anything is put in, by forgetting the least recently used entries that are not
pinned; what does not fit is not kept. The arrays themselves are handed out, never
copies, so they are read-only. Looking (:meth:`ChunkCache.peek`) takes no lock: the
render thread looks at 26 neighbours of each brick while others file chunks.

A *reservation* is room for a chunk that is being put together; it turns into an
entry when the chunk is complete. A *pin* keeps an entry from being forgotten,
for as long as a visual has yet to take it. Every operation on one chunk is O(1).

Pins that are released by hundreds, as at each move of the camera, are only noted; the
next operation takes them off before anything else. That is mostly a reading thread's,
which files a chunk, and not one of the thread that moves on.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from functools import cache as _once
from itertools import repeat

from brickfield.errors import BudgetError
from brickfield.loading.cache.heap import RELEASE_EVERY, release_freed_memory
from brickfield.loading.cache.voxel_memory import VOXEL_MEMORY
from brickfield.model import ChunkKey, Selection
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import ChunkState, LoadedChunk

DEFAULT_RAM_BUDGET = 1 << 30
"""Bytes of the process-wide cache unless it is told otherwise."""
ENTRY_BYTES = 256
"""What an entry is charged besides its voxels, so that many empty chunks count."""

_MOST_RELEASED = 8
"""Groups of pins that are noted before they are taken off."""

Name = tuple[Selection, ChunkKey]
_Name = tuple[int, ChunkKey]


def cost_of(chunk: LoadedChunk) -> int:
    """Bytes that a chunk is charged in the cache."""
    return ENTRY_BYTES + (0 if chunk.data is None else chunk.data.nbytes)


class ChunkCache:
    """Least-recently-used cache of :class:`LoadedChunk` values.

    All methods may be called from any thread.

    Parameters
    ----------
    budget_bytes : int
        Most bytes of entries and reservations together.

    Raises
    ------
    BudgetError
        If the budget is not positive.
    """

    def __init__(self, budget_bytes: int = DEFAULT_RAM_BUDGET) -> None:
        self._lock = threading.Lock()
        # A number in place of source and selection makes names short, so that they hash
        # quickly.
        self._groups: dict[tuple[str, Selection], int] = {}
        # An entry is in one dict whether pinned or not, so that one look finds it;
        # each is besides either in the order of use or among the pinned. One for each
        # group: hundreds of keys are looked up at once, quickest without a pair for each.
        self._chunks: defaultdict[int, dict[ChunkKey, LoadedChunk]] = defaultdict(dict)
        self._free: OrderedDict[_Name, None] = OrderedDict()
        self._pins: dict[_Name, int] = {}
        self._released: list[tuple[int, Sequence[ChunkKey]]] = []
        self._nbytes = 0
        self._reserved = 0
        self._peak = 0
        self._forgotten = 0
        self._budget = _checked(budget_bytes)

    # -- sizes -------------------------------------------------------------------

    @property
    def budget_bytes(self) -> int:
        """Most bytes of entries and reservations; lowering it forgets entries."""
        return self._budget

    @budget_bytes.setter
    def budget_bytes(self, value: int) -> None:
        with self._lock:
            self._budget = _checked(value)
            self._settle()
            self._make_room(0)
        self._give_back()
        VOXEL_MEMORY.trim()

    @property
    def nbytes(self) -> int:
        """Bytes of entries and reservations."""
        return self._nbytes + self._reserved

    @property
    def reserved_bytes(self) -> int:
        """Bytes of reservations."""
        return self._reserved

    @property
    def peak_bytes(self) -> int:
        """Most bytes there ever were, or since :meth:`restart_peak`."""
        return self._peak

    def restart_peak(self) -> None:
        """Restart the peak from the bytes of now."""
        with self._lock:
            self._peak = self._nbytes + self._reserved

    def __len__(self) -> int:
        """Count the entries."""
        return sum(map(len, self._chunks.values()))

    # -- entries -----------------------------------------------------------------

    def get(
        self, source_id: str, selection: Selection, key: ChunkKey
    ) -> LoadedChunk | None:
        """Return an entry and mark it as used, or None.

        Parameters
        ----------
        source_id : str
        selection : Selection
        key : ChunkKey
        """
        with self._lock:
            self._settle()
            name = self._name(source_id, selection, key)
            if name in self._free:
                self._free.move_to_end(name)
            return self._chunks[name[0]].get(key)

    def peek(
        self, source_id: str, selection: Selection, key: ChunkKey
    ) -> LoadedChunk | None:
        """Return an entry without marking it as used, or None.

        Parameters
        ----------
        source_id : str
        selection : Selection
        key : ChunkKey
        """
        # No lock: three reads of dicts, each atomic, and a value that is frozen. Called
        # for every chunk of a slice.
        group = self._groups.get((source_id, selection))
        chunks = None if group is None else self._chunks.get(group)
        return None if chunks is None else chunks.get(key)

    def put(
        self, source_id: str, chunk: LoadedChunk, *, reserved: int = 0, pins: int = 0
    ) -> bool:
        """Put an entry in, in place of a reservation.

        Parameters
        ----------
        source_id : str
        chunk : LoadedChunk
            Loaded or missing; its array becomes read-only.
        reserved : int
            Bytes reserved for it before, released now.
        pins : int
            Pins to put on it at once.

        Returns
        -------
        bool
            Whether it was kept.
        """
        if chunk.data is not None:
            chunk.data.flags.writeable = False
        with self._lock:
            self._settle()
            self._reserved -= reserved
            name = self._name(source_id, chunk.selection, chunk.key)
            # Pins of an entry that is replaced go over to the new one.
            held = pins + self._forget(name)
            cost = cost_of(chunk)
            # Everything else is pinned or reserved: the caller keeps the chunk itself.
            if not self._make_room(cost):
                self._pins.pop(name, None)
                return False
            self._nbytes += cost
            self._chunks[name[0]][chunk.key] = chunk
            if held:
                self._pins[name] = held
            else:
                self._free[name] = None
            self._note_peak()
        self._give_back()
        return True

    # -- pins --------------------------------------------------------------------

    def pin(
        self, source_id: str, selection: Selection, keys: Sequence[ChunkKey]
    ) -> dict[int, LoadedChunk]:
        """Pin the entries that exist, once each, and return them.

        Parameters
        ----------
        source_id : str
        selection : Selection
        keys : sequence of ChunkKey

        Returns
        -------
        dict of int to LoadedChunk
            Place in `keys` to entry; none (and no pin) where there is no entry.
        """
        with self._lock:
            self._settle()
            group = self._group(source_id, selection)
            # Hundreds are asked for at each move of the camera; few are here.
            chunks = map(self._chunks[group].get, keys)
            found = {at: c for at, c in enumerate(chunks) if c is not None}
            for at in found:
                name = (group, keys[at])
                self._free.pop(name, None)
                self._pins[name] = self._pins.get(name, 0) + 1
        return found

    def unpin(
        self, source_id: str, selection: Selection, keys: Sequence[ChunkKey]
    ) -> list[LoadedChunk | None]:
        """Remove one pin from each of the entries, mark them as used, return them.

        Parameters
        ----------
        source_id : str
        selection : Selection
        keys : sequence of ChunkKey
        """
        with self._lock:
            self._settle()
            group = self._group(source_id, selection)
            return [self._unpin((group, key)) for key in keys]

    def release_pins(
        self, source_id: str, selection: Selection, keys: Sequence[ChunkKey]
    ) -> None:
        """Remove one pin from each of the entries; as :meth:`unpin`, of many at once.

        Parameters
        ----------
        source_id : str
        selection : Selection
        keys : sequence of ChunkKey
        """
        with self._lock:
            self._released.append((self._group(source_id, selection), keys))
            is_over = self._nbytes + self._reserved > self._budget
            if is_over or len(self._released) > _MOST_RELEASED:
                self._settle()
                # A budget that was lowered while these were pinned is met now.
                self._make_room(0)

    def _settle(self) -> None:
        """Take off the pins that were released; with the lock held."""
        if not self._released:
            return
        pins, free = self._pins, self._free
        for group, keys in self._released:
            for name in zip(repeat(group), keys):
                n = pins.get(name, 0)
                if n > 1:
                    pins[name] = n - 1
                elif n:
                    del pins[name]
                    free[name] = None
        self._released.clear()

    def _unpin(self, name: _Name) -> LoadedChunk | None:
        chunk = self._chunks[name[0]].get(name[1])
        if chunk is None or name not in self._pins:
            return chunk
        self._pins[name] -= 1
        if self._pins[name] <= 0:
            del self._pins[name]
            self._free[name] = None
            # A budget that was lowered while this was pinned is met now.
            self._make_room(0)
        return chunk

    # -- room --------------------------------------------------------------------

    def reserve(self, nbytes: int) -> bool:
        """Set room aside for a chunk to come; tell whether there was enough."""
        with self._lock:
            self._settle()
            if not self._make_room(nbytes):
                return False
            self._reserved += nbytes
            self._note_peak()
            return True

    def unreserve(self, nbytes: int) -> None:
        """Give reserved room back."""
        with self._lock:
            self._reserved -= nbytes

    def drop(self, source_id: str) -> None:
        """Forget everything of one source, pinned or not."""
        with self._lock:
            self._settle()
            groups = {g for (s, _), g in self._groups.items() if s == source_id}
            for name in self._names_of(groups):
                self._forget(name)
                self._pins.pop(name, None)
            for group in groups:
                self._chunks.pop(group, None)
        VOXEL_MEMORY.trim()

    def forget(self, source_id: str, selection: Selection, key: ChunkKey) -> None:
        """Forget one entry, pinned or not."""
        with self._lock:
            self._settle()
            name = self._name(source_id, selection, key)
            self._forget(name)
            self._pins.pop(name, None)

    def forget_changed(self, source_id: str, change: ChunkChange) -> None:
        """Forget the chunks under a change, pinned or not.

        Parameters
        ----------
        source_id : str
        change : ChunkChange
        """
        with self._lock:
            self._settle()
            groups = {
                group: selection
                for (source, selection), group in self._groups.items()
                if source == source_id and change.covers(selection)
            }
            first, last = change.ends
            for name in self._names_of(groups):
                is_near = first <= name[1] <= last
                if is_near and change.has(groups[name[0]], name[1]):
                    self._forget(name)
                    self._pins.pop(name, None)

    def replace(self, source_id: str, chunk: LoadedChunk) -> bool:
        """Replace an entry of the same size; tell whether it was replaced.

        Pins and the order of use stay. The chunk's array becomes read-only.

        Parameters
        ----------
        source_id : str
        chunk : LoadedChunk
        """
        with self._lock:
            name = self._name(source_id, chunk.selection, chunk.key)
            before = self._chunks[name[0]].get(chunk.key)
            if before is None or cost_of(before) != cost_of(chunk):
                return False
            if chunk.data is not None:
                chunk.data.flags.writeable = False
            self._chunks[name[0]][chunk.key] = chunk
            return True

    def clear(self) -> None:
        """Forget every entry that is not pinned."""
        with self._lock:
            self._settle()
            for name in list(self._free):
                self._forget(name)
        VOXEL_MEMORY.trim()

    def _make_room(self, nbytes: int) -> bool:
        if nbytes > self._budget:
            return False
        # Only unpinned entries are forgotten: a pinned one would have to be read again
        # before its visual could take it, and a full cache would never come to an end.
        while self._free and self._nbytes + self._reserved + nbytes > self._budget:
            (group, key), _ = self._free.popitem(last=False)
            cost = cost_of(self._chunks[group].pop(key))
            self._nbytes -= cost
            self._forgotten += cost
        return self._nbytes + self._reserved + nbytes <= self._budget

    def _give_back(self) -> None:
        """Give the memory of forgotten chunks to the system, from time to time."""
        with self._lock:
            is_due = self._forgotten >= RELEASE_EVERY
            if is_due:
                self._forgotten = 0
        # Not under the lock: others use the cache meanwhile.
        if is_due:
            release_freed_memory()

    def _forget(self, name: _Name) -> int:
        """Take an entry out; return how many pins it had."""
        chunk = self._chunks[name[0]].pop(name[1], None)
        if chunk is not None:
            self._free.pop(name, None)
            self._nbytes -= cost_of(chunk)
        return self._pins.get(name, 0)

    def _names_of(self, groups: Iterable[int]) -> list[_Name]:
        """List the entries of some groups."""
        return [(group, key) for group in groups for key in self._chunks.get(group, ())]

    def _note_peak(self) -> None:
        self._peak = max(self._peak, self._nbytes + self._reserved)

    def _name(self, source_id: str, selection: Selection, key: ChunkKey) -> _Name:
        return self._group(source_id, selection), key

    def _group(self, source_id: str, selection: Selection) -> int:
        # A small number in place of the long name keeps hashing 4,000 names quick.
        return self._groups.setdefault((source_id, selection), len(self._groups))


def is_kept(chunk: LoadedChunk) -> bool:
    """Whether a chunk is worth keeping: failures are not."""
    return chunk.state is not ChunkState.FAILED


def _checked(budget_bytes: int) -> int:
    if budget_bytes <= 0:
        msg = f"expected a RAM budget above 0 bytes; found {budget_bytes}"
        raise BudgetError(msg)
    return int(budget_bytes)


@_once
def default_cache() -> ChunkCache:
    """Return the one cache that all stores of this process share."""
    return ChunkCache()
