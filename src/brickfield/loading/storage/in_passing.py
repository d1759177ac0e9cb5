"""Storage chunks of one level that are read for another level, which is made of them.

A sampled level is made of storage chunks of the level below. What is decoded for it is
handed at once to the chunks of that level that are requested (:meth:`Parts.pass_on`),
so a level that is sampled for contrast and overview is read once, also where it does
not fit the RAM budget.

Invariants: a storage chunk that is *promised* to a sampled chunk is not read for its
own level's chunks, unless the cache has room to keep it until the sampled chunk takes
it; when a promise ends, whoever still needs the storage chunk reads it. A sampled
chunk waits for room for the others as long as room keeps coming, and for at most
:data:`MOST_S` where none does: whoever should take them may wait for the sample itself.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.assembly import Begun
from brickfield.loading.cache.storage_chunks import KeptStorage
from brickfield.loading.scheduler import Scheduler
from brickfield.loading.storage_layout import StorageName
from brickfield.sources import MadeOfParts, StorageChunk

MOST_S = 8.0
"""Longest wait without any chunk being taken: views compile their programs meanwhile."""


class HandsOut(Protocol):
    """Copies voxels to all chunks that wait for them: the reader."""

    handing_over: set[StorageName]

    def hand_out(
        self,
        name: StorageName,
        data: NDArray[np.generic] | None,
        wait_for_room: Callable[[StorageName], list[Begun]],
    ) -> None:
        """See :meth:`brickfield.loading.reader.Reader.hand_out`."""
        ...


class Parts:
    """Storage chunks of the level that others are made of. From any thread.

    Parameters
    ----------
    source : MadeOfParts
    scheduler : Scheduler
    reader : HandsOut
    kept : KeptStorage
        Where those go that nobody waits for.
    """

    def __init__(
        self,
        source: MadeOfParts,
        scheduler: Scheduler,
        reader: HandsOut,
        kept: KeptStorage,
    ) -> None:
        self._source = source
        self._scheduler = scheduler
        self._reader = reader
        self._kept = kept
        self._full_since: float | None = None
        self._waited_s = self._waits_since = 0.0
        self._n_waiting = 0
        self._pinned: dict[StorageName, tuple[int, ...]] = {}
        n_sampled = len(scheduler.layouts) - source.shared_level - 1
        self._is_one_of_many = n_sampled > 1

    # -- around the read of a sampled chunk ----------------------------------------

    def promise(self, name: StorageName) -> None:
        """Promise a storage chunk that is going to be read its parts (locked).

        Parameters
        ----------
        name : StorageName
            Of any level; those that are stored have no parts.
        """
        for part in self._parts_of(name):
            self._scheduler.promised.setdefault(part, name)

    def withdraw(self, name: StorageName) -> None:
        """End the promises to what was read; who waited reads for itself (locked)."""
        scheduler = self._scheduler
        for part in self._parts_of(name):
            if scheduler.promised.get(part) == name:
                del scheduler.promised[part]
                self._release(part)
                if not scheduler.is_busy(part):
                    scheduler.send_again(part)

    def _parts_of(self, name: StorageName) -> list[StorageName]:
        layouts = self._scheduler.layouts
        if name[0] <= self._source.shared_level:
            return []
        index = layouts[name[0]].index_of(name[1])
        found = self._source.parts_of(name[0], index)
        return [(level, layouts[level].flat_of(at)) for level, at in found]

    # -- what the source asks ------------------------------------------------------

    def is_awaited(self, index: tuple[int, ...]) -> bool:
        """Tell whether a sampled chunk that is being read will need a storage chunk."""
        with self._scheduler.lock:
            return self._name(index) in self._scheduler.promised

    def pass_on(self, index: tuple[int, ...], chunk: StorageChunk) -> bool:
        """Hand out a storage chunk that was read for a sampled one.

        Parameters
        ----------
        index : tuple of int
            Position in the storage grid, all axes.
        chunk : StorageChunk

        Returns
        -------
        bool
            Whether it need not be kept: all who may want it have it, or it is out of
            date.
        """
        scheduler, name = self._scheduler, self._name(index)
        with scheduler.lock:
            maker = scheduler.promised.pop(name, None)
            if maker is None:
                return False
            self._release(name)
            if maker in scheduler.stale:
                if not scheduler.is_busy(name):
                    scheduler.send_again(name)
                return True
            # Whoever was given it to read may not have begun, and finds it kept then.
            if scheduler.is_busy(name):
                return False
            scheduler.set_passing(name)
            if not scheduler.is_wanted(name):
                scheduler.set_idle(name)
                return False
        try:
            self._reader.hand_out(name, chunk.data, self._wait_for_room)
        except BaseException:
            with scheduler.lock:
                scheduler.send_again(name)
            raise
        with scheduler.lock:
            # Further sampled levels are made of the same storage chunks.
            is_for_more = self._is_one_of_many and scheduler.can_keep(name[0])
            # Where another read of it has begun meanwhile it was not handed to all.
            is_left = scheduler.is_busy(name) or scheduler.has_siblings(name)
        return not (is_left or is_for_more)

    def _name(self, index: tuple[int, ...]) -> StorageName:
        level = self._source.shared_level
        return level, self._scheduler.layouts[level].flat_of(index)

    def _wait_for_room(self, name: StorageName) -> list[Begun]:
        """Wait until more chunks find room, for a while; claim them (locked)."""
        scheduler = self._scheduler
        begun: list[Begun] = []
        while name not in scheduler.stale and not scheduler.needing(name):
            begun = scheduler.claim_siblings(name)
            if begun:
                self._full_since = None
            if begun or not scheduler.has_siblings(name):
                break
            self._full_since = self._full_since or monotonic()
            left = self._full_since + MOST_S - monotonic()
            if left <= 0 or not self._can_room_come():
                scheduler.in_the_way.add(name)
                break
            self._wait(left)
        scheduler.parked.discard(name)
        return begun

    def _can_room_come(self) -> bool:
        """Whether a visual has chunks to take, or others may soon end (locked)."""
        scheduler, level = self._scheduler, self._source.shared_level
        waiting = [q.visual_id for q in scheduler.queues() if q.n_open]
        others = (scheduler.in_flight | self._reader.handing_over) - scheduler.parked
        is_going_on = any(name[0] == level for name in others)
        return is_going_on or any(map(scheduler.has_ready, waiting))

    def _wait(self, most_s: float) -> None:
        """Wait for news, and count the time for which any thread waits (locked)."""
        if not self._n_waiting:
            self._waits_since = monotonic()
        self._n_waiting += 1
        self._scheduler.lock.wait(most_s)
        self._n_waiting -= 1
        if not self._n_waiting:
            self._waited_s += monotonic() - self._waits_since

    @property
    def waited_s(self) -> float:
        """Seconds for which sampled chunks waited for others' room, in all."""
        with self._scheduler.lock:
            now = monotonic() - self._waits_since if self._n_waiting else 0.0
            return self._waited_s + now

    # -- keeping -------------------------------------------------------------------

    def keep(self, index: tuple[int, ...], chunk: StorageChunk) -> None:
        """Keep a chunk, or drop it at once if there is no room."""
        with self._scheduler.lock:
            # A sampled chunk that is being read takes it in a moment, or ends.
            is_pinned = self._name(index) in self._scheduler.promised
            if is_pinned:
                self._pinned[self._name(index)] = index
            self._kept.keep(index, chunk, is_pinned=is_pinned)

    def _release(self, name: StorageName) -> None:
        index = self._pinned.pop(name, None)
        if index is not None:
            self._kept.release(index)

    def find(self, index: tuple[int, ...]) -> StorageChunk | None:
        """Return a chunk that is kept, else None."""
        return self._kept.find(index)

    def drop(self, index: tuple[int, ...]) -> None:
        """Forget a chunk that is not needed again."""
        self._kept.drop(index)
