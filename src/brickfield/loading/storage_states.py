"""Where each storage chunk is on its way (:class:`StorageStates`), and who waits for it.

Invariant: a storage chunk that is in flight, paused or due is *busy*: no second read of
it is sent. Guarded by the scheduler's lock.
"""

from __future__ import annotations

from math import prod
from typing import Protocol

from brickfield.loading.assembly import AssemblyPool, keys_of
from brickfield.loading.cache.chunk_cache import Name
from brickfield.loading.queue import LoadQueue
from brickfield.loading.storage_layout import FlatIndex, LevelLayout, StorageName


class StorageStates:
    """Storage chunks of one source that are on their way.

    Parameters
    ----------
    n_levels : int

    Attributes
    ----------
    in_flight, stale : set
        Storage chunks being read, and those of them whose voxels are out of date.
    due : list
        Storage chunks whose pause before another try is over.
    parked : set
        Storage chunks in flight that are decoded and wait for room to be copied to.
    in_the_way : set
        Those of them that do not wait any longer.
    promised : dict
        Storage chunks that are going to be read for another level, which is made of
        them, and what of that level they are read for.
    passing : set
        Those in flight that were read so, for no chunk of their own level.
    """

    def __init__(self, n_levels: int) -> None:
        # Overlapping sets: `in_flight` is being read now; `stale` is the part of it
        # whose result must not be used; `_busy` (below) also has what waits for another
        # try, so that no second read of the same storage chunk is sent meanwhile.
        self.in_flight: set[StorageName] = set()
        self.stale: set[StorageName] = set()
        self.due: list[StorageName] = []
        self.parked: set[StorageName] = set()
        self.in_the_way: set[StorageName] = set()
        self.promised: dict[StorageName, StorageName] = {}
        self.passing: set[StorageName] = set()
        self._busy: list[set[FlatIndex]] = [set() for _ in range(n_levels)]

    def set_paused(self, name: StorageName) -> None:
        """Note that a read ended, but that the storage chunk is still on its way."""
        self.in_flight.discard(name)
        self.stale.discard(name)

    def is_busy(self, name: StorageName) -> bool:
        """Whether a storage chunk is being read, or waits to be tried again."""
        return name[1] in self._busy[name[0]]

    def set_passing(self, name: StorageName) -> None:
        """Note that a storage chunk that was read for another level is handed out."""
        self.in_flight.add(name)
        self.passing.add(name)
        self._busy[name[0]].add(name[1])

    def set_idle(self, name: StorageName) -> None:
        """Forget that a storage chunk is on its way."""
        self.set_paused(name)
        self.passing.discard(name)
        self.in_the_way.discard(name)
        self._busy[name[0]].discard(name[1])


class BeginsChunks(Protocol):
    """What of the scheduler counts here."""

    layouts: list[LevelLayout]
    assemblies: AssemblyPool
    claims: set[Name]
    passing: set[StorageName]


class Siblings:
    """Finds the siblings of a chunk that a storage chunk is read for (locked).

    Parameters
    ----------
    scheduler : BeginsChunks
    queue : LoadQueue
        What is requested.
    """

    def __init__(self, scheduler: BeginsChunks, queue: LoadQueue) -> None:
        self._scheduler = scheduler
        self._queue = queue
        self._without: set[object] = set()
        self._version: object = None

    def of(self, name: StorageName) -> list[Name]:
        """List the waiting chunks that a storage chunk lies under, best first.

        Those that are begun, or just being begun, are left out.

        Parameters
        ----------
        name : StorageName
        """
        level, flat = name
        layout = self._scheduler.layouts[level]
        waiting, ranges = self._queue.waiting_selections, layout.chunks_over(flat)
        # The common case of a storage chunk under one chunk costs no array work: it was
        # read for that one, unless it was read for another level.
        is_passing, n_over = name in self._scheduler.passing, prod(map(len, ranges))
        if n_over * len(waiting) <= 1 and not is_passing:
            return []
        selections = tuple(s for s in waiting if layout.holds(flat, s))
        if n_over * len(selections) <= 1 and not is_passing:
            return []
        # A plane lies under as many chunks as the one before it, all begun by then.
        version = self._queue.version, self._scheduler.assemblies.n_removed
        if version != self._version:
            self._version = version
            self._without.clear()
        place = layout, ranges, selections
        if place in self._without:
            return []
        found = self._search(layout, ranges, selections)
        if not found and not self._scheduler.claims:
            self._without.add(place)
        return found

    def _search(
        self,
        layout: LevelLayout,
        ranges: tuple[range, range, range],
        selections: tuple[tuple[int, ...], ...],
    ) -> list[Name]:
        keys = keys_of(layout, ranges)
        claims = self._scheduler.claims
        found: list[Name] = []
        for selection in selections:
            begun_here = self._scheduler.assemblies.keys(selection)
            found += [
                (selection, key)
                for key in self._queue.waiting_among(selection, keys)
                if key not in begun_here and (selection, key) not in claims
            ]
        return found
