"""What is read next, and what is on its way.

Invariants: a storage chunk that is being read, or waits to be tried again, is
*busy* and not read a second time; each storage chunk that a wanted assembly still
needs is unsent or busy; decoded storage chunks in flight take at most an eighth of
the RAM budget (one is always allowed). Bookkeeping only: no thread, no reading.

Thread rule: the queue, the counts and what is on its way are guarded by the one
:attr:`Scheduler.lock`. All methods are called with it held.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.assembly import Assembly, AssemblyPool, Begun
from brickfield.loading.cache.chunk_cache import ChunkCache, Name
from brickfield.loading.io_counts import IoCounts
from brickfield.loading.needs import Needs, members_of
from brickfield.loading.queue import READING, WAITING, LoadQueue, RequestQueue
from brickfield.loading.storage_layout import FlatIndex, LevelLayout, StorageName
from brickfield.loading.storage_states import Siblings, StorageStates
from brickfield.model import ChunkId, Pyramid, Selection
from brickfield.model.changes import ChunkChange
from brickfield.sources.limits import LEAST_ALLOWANCE, read_bytes

MOST_BEGUN = 16
"""Chunks begun at once, so that a source is asked once what they lack."""


@dataclass(frozen=True, slots=True)
class Read:
    """A storage chunk to read, and the bytes that it decodes to.

    ``held`` bytes are reserved in the cache while it is read.
    """

    name: StorageName
    nbytes: int
    held: int = 0


class Scheduler(StorageStates):
    """Chooses jobs for one source.

    Parameters
    ----------
    pyramid : Pyramid
    cache : ChunkCache

    Attributes
    ----------
    lock : threading.Condition
        Notified whenever something ended.
    counts : IoCounts
    assemblies : AssemblyPool
    claims : set
        Chunks being begun, which have no assembly yet.
    is_starved : bool
        Whether the last choice had to skip a chunk for lack of memory.
    is_beginning : bool
        Whether some slot is beginning chunks that :meth:`next_job` gave it.
    has_ready : callable
        Whether a visual has chunks to take.
    on_read, on_read_end : callable
        Called with each storage chunk that is going to be read, and when that is over.
    """

    def __init__(self, pyramid: Pyramid, cache: ChunkCache) -> None:
        self.lock = threading.Condition()
        self.counts = IoCounts()
        self._queue = LoadQueue()
        self.assemblies = AssemblyPool(cache)
        self.layouts = [LevelLayout.of(pyramid, i) for i in range(pyramid.n_levels)]
        self.dtypes = [lv.dtype.newbyteorder("=") for lv in pyramid.levels]
        self.claims: set[Name] = set()
        super().__init__(len(self.layouts))
        self._siblings = Siblings(self, self._queue)
        self.is_starved = False
        self.is_beginning = False
        self.has_ready: Callable[[str], bool] = lambda _: False
        self.on_read: Callable[[StorageName], None] = lambda _: None
        self.on_read_end: Callable[[StorageName], None] = lambda _: None
        self._cache = cache
        # Unwanted when last looked at, but something was being read for them.
        self._orphans: set[Assembly] = set()
        self._read_bytes = 0
        self._is_full = False

    def grow(self, pyramid: Pyramid) -> None:
        """Follow longer axes; what is being read is out of date."""
        self.layouts = [layout.grown(pyramid) for layout in self.layouts]
        self.stale |= self.in_flight

    @property
    def is_idle(self) -> bool:
        """Whether nothing is requested and no retry is due."""
        return not self.due and not self._queue.queues()

    # -- requests ----------------------------------------------------------------

    def queues(self, visual_id: str | None = None) -> list[RequestQueue]:
        """List the queues of one visual, or all."""
        return self._queue.queues(visual_id)

    def replace(
        self, visual_id: str, queues: Iterable[RequestQueue]
    ) -> list[RequestQueue]:
        """Put new queues in place of a visual's old ones, and return the old.

        Parameters
        ----------
        visual_id : str
        queues : iterable of RequestQueue
        """
        self.lock.notify_all()
        return self._queue.replace(visual_id, queues)

    def waiting_for(self, assembly: Assembly) -> list[tuple[RequestQueue, int]]:
        """Return the requests still waiting for an assembly, as queues and rows."""
        return self._queue.waiting_for(*assembly.name)

    def set_waiting(self, name: Name) -> None:
        """Let a chunk that has not ended be read when its turn comes."""
        self._queue.set_state(*name, WAITING)

    def deliver_again(self, name: Name) -> None:
        """Read a chunk again for all who request it, also those who have taken it."""
        for queue, row in self._queue.requesters(*name):
            queue.is_delivered[row] = False
            queue.set_state(row, WAITING)

    def drop_unsent(self, selection: Selection, keys: NDArray[np.int64]) -> None:
        """Count those of some dropped chunks that no other request names.

        Parameters
        ----------
        selection : Selection
        keys : ndarray, shape (n,), int64
            Packed keys.
        """
        is_open = self._queue.open_among(selection, keys)
        self.counts.cancelled_before_send += int(np.count_nonzero(~is_open))

    # -- choosing ----------------------------------------------------------------

    def next_job(self) -> list[Begun] | Read | None:
        """Choose the best job of now; None when there is none, or no memory."""
        # Facts about this choice alone: memory may have come free since the last.
        self.is_starved = self._is_full = False
        # A retry that is due goes first: chunks that hold reserved memory wait for it.
        read = self._job_of_due()
        if read is not None or self._is_full:
            return read
        begun: list[Begun] = []
        for queue, row in self._queue.heads():
            name = (queue.selection, int(queue.keys[row]))
            assembly = self.assemblies.get(name)
            if assembly is None and name not in self.claims:
                # One slot begins chunks for all: another would begin less wanted ones.
                if self.is_beginning or len(begun) == MOST_BEGUN:
                    break
                begun += self._claim(queue, name)
            elif begun:
                # Those found so far are better than this one: they are begun first.
                break
            # Another slot is beginning it: not to be found again by this walk.
            elif assembly is None:
                self._queue.set_state(*name, READING)
            elif (read := self._job_for(assembly)) is not None or self._is_full:
                return read
        if begun:
            self.is_beginning = True
            return begun
        # No room to begin another: go on with those that have room.
        return self._job_of_begun() if self.is_starved else None

    def _job_of_due(self) -> Read | None:
        while self.due:
            name = self.due[-1]
            needing = self.needing(name)
            if any(self.is_open(a) for a in members_of(needing)):
                job = self._read(name)
                if job is not None:
                    self.due.pop()
                return job
            self.due.pop()
            self.set_idle(name)
            self.drop_idle(needing)
        return None

    def _claim(self, queue: RequestQueue, name: Name) -> list[Begun]:
        # What is decoded already goes first: it must not be decoded again.
        room = (
            None
            if self.parked
            else self.assemblies.admit(
                self.chunk_bytes(name), may_overflow=not self.has_ready(queue.visual_id)
            )
        )
        if room is None:
            self.is_starved = True
            return []
        self.claims.add(name)
        self._queue.set_state(*name, READING)
        return [Begun(name, room)]

    def _job_for(self, assembly: Assembly) -> Read | None:
        level = assembly.layout.level
        busy = self._busy[level]
        if self.promised and not self.can_keep(level):
            busy = busy | {flat for lv, flat in self.promised if lv == level}
        # Everything that it needs is on its way, for itself or for a chunk beside it.
        flat = assembly.needs.next_unsent(busy)
        if flat is None:
            self._queue.set_state(*assembly.name, READING)
            return None
        return self._read((level, flat))

    def can_keep(self, level: int) -> bool:
        """Whether a storage chunk read now would surely stay for the level made of it."""
        budget = self._cache.budget_bytes
        return budget - self._cache.nbytes >= max(
            budget // 2, 2 * self.decoded_bytes(level)
        )

    def _job_of_begun(self) -> Read | None:
        for assembly in self.assemblies:
            if self.is_open(assembly) and (job := self._job_for(assembly)) is not None:
                return job
        return None

    def _read(self, name: StorageName) -> Read | None:
        level, flat = name
        n = self.decoded_bytes(level)
        # Decoded storage chunks live outside the cache until they are copied. At least
        # one read is always allowed, or a storage chunk larger than an eighth of the
        # budget could never be read.
        if self._read_bytes and self._read_bytes + n > self._cache.budget_bytes // 8:
            self._is_full = self.is_starved = True
            return None
        self._read_bytes += n
        self.in_flight.add(name)
        self._busy[level].add(flat)
        self.on_read(name)
        return Read(name, n, self._hold(n))

    def _hold(self, decoded: int) -> int:
        """Make the cache smaller while a very large chunk is read.

        So the process stays within the budget and :data:`LEAST_ALLOWANCE`. Where
        everything is pinned there is nothing to make smaller.
        """
        # The stored and the decoded bytes exist side by side while a codec runs.
        extra = read_bytes(decoded) - LEAST_ALLOWANCE
        return extra if extra > 0 and self._cache.reserve(extra) else 0

    def claim_siblings(self, name: StorageName) -> list[Begun]:
        """Claim the other waiting chunks that a storage chunk lies under."""
        begun: list[Begun] = []
        for sibling in self._siblings.of(name):
            # The voxels are decoded already: a sibling that finds no room now would
            # have the whole storage chunk decoded once more, so it may use a larger
            # share.
            room = self.assemblies.admit_sibling(self.chunk_bytes(sibling))
            if room is None:
                break
            begun.append(Begun(sibling, room))
            self.claims.add(sibling)
            self._queue.set_state(*sibling, READING)
        return begun

    def is_wanted(self, name: StorageName) -> bool:
        """Whether chunks that a storage chunk lies under wait for it."""
        return bool(
            self.needing(name) or self.has_siblings(name) or self.claims_over(name)
        )

    def has_siblings(self, name: StorageName) -> bool:
        """Whether chunks that a storage chunk lies under wait to be begun."""
        return bool(self._siblings.of(name))

    def park_or_end(self, name: StorageName, *, is_stored: bool) -> None:
        """Keep a decoded storage chunk whose chunks found no room, or forget it."""
        is_wanted = name not in self.in_the_way and self.has_siblings(name)
        if is_stored and is_wanted:
            self.parked.add(name)
            # Those who wait for chunks have to take some now.
            self.lock.notify_all()
        else:
            self.set_idle(name)

    def wait_for_room(self, name: StorageName) -> list[Begun]:
        """Wait until a parked storage chunk can serve more chunks; claim them.

        Room is going to come while each visual that waits has something to take. One
        without must not starve, even if a storage chunk is decoded again for it.

        Returns
        -------
        list of Begun
            Empty when it is out of date, not requested any more, or in the way.
        """
        begun: list[Begun] = []
        while name not in self.stale and not self.needing(name):
            begun = self.claim_siblings(name)
            waiting = {queue.visual_id for queue in self.queues() if queue.n_open}
            if begun or not self.has_siblings(name):
                break
            if not all(map(self.has_ready, waiting)):
                self.in_the_way.add(name)
                break
            self.lock.wait()
        self.parked.discard(name)
        return begun

    def claims_over(self, name: StorageName) -> bool:
        """Whether a chunk that a storage chunk lies under is just being begun."""
        if not self.claims:
            return False
        level, flat = name
        layout = self.layouts[level]
        ranges = layout.chunks_over(flat)
        for selection, key in self.claims:
            # Few are being begun at a time: a plain loop is quicker than arrays.
            chunk = ChunkId.from_key(key)
            if (
                chunk.scale_level == level
                and all(i in r for i, r in zip(chunk.index, ranges, strict=True))
                and layout.holds(flat, selection)
            ):
                return True
        return False

    # -- what is on its way ------------------------------------------------------

    def chunk_bytes(self, name: Name) -> int:
        """Bytes of a chunk's voxels."""
        chunk_id = ChunkId.from_key(name[1])
        layout = self.layouts[chunk_id.scale_level]
        shape = layout.box_of(chunk_id.index)[1]
        return prod(shape) * self.dtypes[layout.level].itemsize

    def decoded_bytes(self, level: int) -> int:
        """Bytes of a decoded storage chunk; at the far edges it is decoded whole, too."""
        return prod(self.layouts[level].storage) * self.dtypes[level].itemsize

    def needing(self, name: StorageName) -> list[Needs]:
        """List the records of assemblies that still need a storage chunk."""
        return self.assemblies.needing(self.layouts[name[0]], name[1])

    def unsent(self) -> list[tuple[Assembly, FlatIndex]]:
        """List the storage chunks that assemblies need and that are not being read."""
        return [
            (assembly, flat)
            for assembly in self.assemblies
            for flat in assembly.needs.pending
            if (assembly.layout.level, flat) not in self.in_flight
        ]

    def is_open(self, assembly: Assembly) -> bool:
        """Whether a request still waits for an assembly."""
        return self._queue.is_open(*assembly.name)

    def send_again(self, name: StorageName) -> None:
        """Forget a read whose voxels are out of date; it has to be done again."""
        self.set_idle(name)
        needing = self.needing(name)
        for needs in needing:
            # At the end of the list, which is where the next one is taken from: it is
            # read again first.
            needs.unsent.append(name[1])
        for assembly in members_of(needing):
            self.set_waiting(assembly.name)
        # An assembly without requests only waited for this read to end.
        self.drop_idle(needing)

    def end_read(self, read: Read) -> None:
        """Release the memory of a read."""
        self.on_read_end(read.name)
        self._read_bytes -= read.nbytes
        self._cache.unreserve(read.held)

    # -- dropping ----------------------------------------------------------------

    def drop_unwanted(self) -> None:
        """Drop the assemblies without a request or a read in flight."""
        for selection, keys in self.assemblies.keys_by_selection():
            # One array question per selection: this runs at every camera move, under
            # the lock.
            is_open = self._queue.open_among(selection, np.array(keys, dtype=np.int64))
            for i in np.flatnonzero(~is_open).tolist():
                assembly = self.assemblies.get((selection, keys[i]))
                assert assembly is not None
                self._drop(assembly)

    def drop_idle(self, records: list[Needs]) -> None:
        """Drop those of some records' assemblies without a request or a read in flight."""
        if not self._orphans:
            return
        for assembly in members_of(records):
            if assembly in self._orphans:
                self._orphans.discard(assembly)
                if not self.is_open(assembly):
                    self._drop(assembly)

    def _drop(self, assembly: Assembly) -> None:
        level = assembly.layout.level
        # What is read anyway is worth finishing: the camera may come back, and the
        # cache has room. It is looked at again when the read ends.
        is_read = any((level, f) in self.in_flight for f in assembly.needs.pending)
        # Without anything pending it is being finished, for the cache at least.
        if is_read:
            self._orphans.add(assembly)
        elif assembly.needs.pending:
            self.discard(assembly)

    def forget(self) -> None:
        """Drop all that was begun; what is being read is out of date."""
        self.stale |= self.in_flight
        self.lock.notify_all()
        self.drop_all()
        for queue in self._queue.queues():
            # Delivered chunks wait again, too: their voxels are out of date where they
            # were taken.
            queue.reset()

    def forget_changed(self, change: ChunkChange, *, is_reopened: bool) -> None:
        """Drop the chunks under a change; those not taken yet are read again.

        Parameters
        ----------
        change : ChunkChange
        is_reopened : bool
            Whether all that is being read comes from a source that is closed.
        """
        self.stale |= {
            name
            for name in self.in_flight
            if is_reopened or self.is_changed(name, change)
        }
        self.lock.notify_all()
        for assembly in list(self.assemblies):
            if change.has(*assembly.name):
                self.discard(assembly)
        for queue in self._queue.queues():
            if not change.covers(queue.selection):
                continue
            for row in np.flatnonzero(~queue.is_delivered).tolist():
                if change.has(queue.selection, int(queue.keys[row])):
                    queue.set_state(row, WAITING)

    def is_changed(self, name: StorageName, change: ChunkChange) -> bool:
        """Tell whether a storage chunk has changed voxels.

        Parameters
        ----------
        name : StorageName
            Level and flat index.
        change : ChunkChange
        """
        layout = self.layouts[name[0]]
        return name[0] == change.level and change.meets(
            layout.index_of(name[1]), layout.storage
        )

    def drop_all(self) -> None:
        """Drop every assembly, requested or not."""
        for assembly in list(self.assemblies):
            self.discard(assembly)

    def discard(self, assembly: Assembly) -> None:
        """Remove an assembly from the pool and release its memory."""
        if self.assemblies.remove(assembly):
            self.assemblies.release(assembly.reserved)
