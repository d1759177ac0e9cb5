"""Reads storage chunks and makes chunks of them, a window at a time.

Invariants: at most ``window`` reads are in flight; every chunk that was begun ends
as loaded, missing or failed, or is dropped because it is no longer requested; one
failure never stops another storage chunk, also not of the same chunk.

Work is pulled, not pushed: each of up to ``window`` *slots* takes the best job
of the moment, so there is no backlog that a new camera could find in its way. The
lock guards bookkeeping alone; reading, copying and measuring happen outside it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.loading.assembly import Assembly, Begun
from brickfield.loading.cache.pinned_chunks import PinnedChunks
from brickfield.loading.needs import Needs, members_of, places_under, shared_needs
from brickfield.loading.pool import AsynchronousDataSlicer
from brickfield.loading.precedence import PRECEDENCE
from brickfield.loading.queue import ENDS, WAITING, RequestQueue
from brickfield.loading.retry import ReadFailure, RetryRules, Silence
from brickfield.loading.scheduler import Read, Scheduler
from brickfield.loading.storage.presence import StoredChunks
from brickfield.loading.storage.scatter import scatter
from brickfield.loading.storage_layout import FlatIndex, StorageName
from brickfield.model import ChunkId, ChunkKey, Selection
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import LoadedChunk
from brickfield.sources import StorageChunk
from brickfield.sources.io import LONGEST_S, SLOWEST, while_wanted
from brickfield.sources.limits import within

logger = logging.getLogger(__name__)
JOBS_A_TURN = 16
"""Jobs after which a slot lets others that share the pool go first."""
MANY_PIECES = 32
"""Chunks to which one storage chunk is copied by one thread at a time."""
BATCH = 64
"""Chunks filed under one hold of the lock, which keeps each hold short."""


class Reader:
    """The worker side of a :class:`~brickfield.loading.manager.ChunkManager`.

    Thread rule: what is marked "locked" is called with the scheduler's lock held; all
    else takes it itself.

    Parameters
    ----------
    stored : StoredChunks
        Of the source that is read.
    scheduler : Scheduler
    pinned : PinnedChunks
        Where finished chunks go.
    slicer : AsynchronousDataSlicer
    retry : RetryRules

    Attributes
    ----------
    handing_over : set
        Storage chunks whose voxels are being copied, or their chunks finished (locked).
    on_end : callable
        Called (locked) with (queue, row, chunk) for each visual that waited for a
        chunk that reached its end.
    on_batch : callable
        Called without the lock after some chunks may have ended.
    """

    def __init__(
        self,
        stored: StoredChunks,
        scheduler: Scheduler,
        pinned: PinnedChunks,
        slicer: AsynchronousDataSlicer,
        retry: RetryRules,
    ) -> None:
        self._pinned = pinned
        self._scheduler = scheduler
        self._lock = scheduler.lock
        self.on_end: Callable[[RequestQueue, int, LoadedChunk], None] = lambda *_: None
        self.on_batch: Callable[[], None] = lambda: None
        self.is_closed = self.is_held = False
        self._bad: dict[StorageName, ReadFailure] = {}
        self._source = source = stored.source
        self._window = max(1, min(int(source.concurrency), slicer.max_workers))
        self._stored = stored
        self._slicer = slicer
        self._retry = retry
        self._fills = [lv.fill_value for lv in source.info.pyramid.levels]
        self._n_slots = 0
        self._n_paused = 0
        self._tries: dict[StorageName, tuple[int, float]] = {}
        self._silence = Silence()
        self.handing_over: set[StorageName] = set()
        self._turn = threading.Lock()

    # -- slots -------------------------------------------------------------------

    @property
    def is_stalled(self) -> bool:
        """Whether nothing moves until what is ready is taken (locked)."""
        scheduler = self._scheduler
        # What is parked waits for takers, and retries that are due may wait for that.
        n_parked = len(scheduler.parked)
        n_due = 0 if n_parked else len(scheduler.due)
        is_idle = self._n_slots - n_parked + self._n_paused + n_due == 0
        return is_idle and (scheduler.is_starved or n_parked > 0)

    def wake_workers(self, at_most: int | None = None) -> None:
        """Start idle slots; end the threads when no chunk is requested."""
        with self._lock:
            is_idle = self.is_closed or self._scheduler.is_idle
            n = 0 if is_idle or self.is_held else self._window - self._n_slots
            n = n if at_most is None else min(n, at_most)
            self._n_slots += n
            is_over = is_idle and not self._n_slots
        if is_over:
            self._slicer.rest()
        for _ in range(n):
            self._slicer.submit(self._work, callback=self._turn_ended)

    def _has_takers(self) -> bool:
        with self._lock:
            return bool(self._scheduler.queues()) and self._silence.failure is None

    def _turn_ended(self, future: Future[Any]) -> None:
        is_lost = future.cancelled() or future.exception() is not None
        if not is_lost and future.result():
            self._slicer.submit(self._work, callback=self._turn_ended)
        # One that ended by an exception has not counted itself off.
        elif is_lost:
            with self._lock:
                self._n_slots -= 1
                self._lock.notify_all()
            if not future.cancelled():
                logger.error("a reading slot stopped", exc_info=future.exception())

    def _work(self) -> bool:
        """Do jobs; return whether there may be more."""
        for _ in range(JOBS_A_TURN):
            PRECEDENCE.give_way()
            with self._lock:
                job = None if self.is_closed else self._scheduler.next_job()
                if job is None:
                    self._n_slots -= 1
                    is_last = self._n_slots == 0 and self._scheduler.is_idle
                    self._lock.notify_all()
                    break
                self._scheduler.counts.requests += isinstance(job, Read)
                has_idle = self._n_slots < self._window
            if has_idle:
                # Where one found a job there may be another, now that memory came free.
                self.wake_workers(at_most=1)
            if isinstance(job, Read):
                self._do_read(job)
            else:
                self._begin_heads(job)
        else:
            return True
        if is_last:
            # Nothing is requested, perhaps for hours: an idle pool holds no threads.
            self._slicer.rest()
        return False

    # -- beginning chunks --------------------------------------------------------

    def _begin_heads(self, begun: list[Begun]) -> None:
        try:
            self._begin(begun)
        finally:
            with self._lock:
                self._scheduler.is_beginning = False
        self.on_batch()

    def _begin(self, begun: list[Begun]) -> None:
        """File assemblies for chunks that room was admitted for."""
        by_level: dict[int, list[tuple[ChunkId, int]]] = {}
        for job in begun:
            chunk = ChunkId.from_key(job.name[1], job.name[0])
            by_level.setdefault(chunk.scale_level, []).append((chunk, job.room))
        for level, chunks in by_level.items():
            layout = self._scheduler.layouts[level]
            if len(chunks) > MANY_PIECES:
                # Neighbours lie side by side in memory then, and are copied to at once.
                chunks.sort(key=lambda pair: pair[0].key)
            places, flats = places_under(layout, [chunk for chunk, _ in chunks])
            missing = self._stored.missing(layout, list(set().union(*flats.values())))
            for first in range(0, len(chunks), BATCH):
                part = slice(first, first + BATCH)
                with self._lock:
                    shared = shared_needs(layout, places[part], flats, missing)
                    for (chunk, room), needs in zip(chunks[part], shared, strict=True):
                        self._file(Assembly(layout, chunk, needs), room)
                    self._lock.notify_all()

    def _file(self, assembly: Assembly, room: int) -> None:
        """File one assembly, or end it where nothing need be read (locked)."""
        name, level = assembly.name, assembly.layout.level
        scheduler = self._scheduler
        scheduler.claims.discard(name)
        # Where the image grew meanwhile the chunk may reach further.
        is_old = assembly.layout is not scheduler.layouts[level]
        if self.is_closed or is_old or not (takers := scheduler.waiting_for(assembly)):
            scheduler.assemblies.release(room)
            scheduler.set_waiting(name)
            return
        scheduler.assemblies.add(assembly, room)
        for flat in list(assembly.needs.pending) if self._bad else ():
            if (level, flat) in self._bad:
                assembly.fail(flat, self._bad[level, flat])
        if (silence := self._silence.failure) is not None:
            for flat in list(assembly.needs.pending):
                self._fail(assembly, flat, silence)
        for queue, row in takers if assembly.needs.pending else ():
            queue.set_state(row, WAITING)
        if not assembly.needs.pending:
            self._end(assembly, self._finished(assembly))

    def _do_read(self, read: Read) -> None:
        name, began_at = read.name, monotonic()
        try:
            got = self._fetch(name)
            PRECEDENCE.give_way()
            if isinstance(got, ReadFailure):
                self._take_failure(name, got, began_at)
            else:
                self._take_voxels(name, got)
        except Exception as error:
            # Whatever went wrong here, the chunks must reach an end.
            logger.exception("a storage chunk could not be put to use")
            self._give_up(
                name, ReadFailure.from_exception(error, self._stored.key(name))
            )
        finally:
            with self._lock:
                self._scheduler.end_read(read)
        self.on_batch()

    def _fetch(self, name: StorageName) -> StorageChunk | ReadFailure:
        layout = self._scheduler.layouts[name[0]]
        try:
            index = layout.index_of(name[1])
            # While the image is shown, what is not wanted now may be wanted soon.
            wanted = while_wanted(self._has_takers, self._limit_s(name))
            with wanted, within(self._pinned.cache.budget_bytes):
                chunk = self._source.read_storage_chunk(name[0], index)
            expected = layout.storage_shape(name[1])
            if chunk.data is not None and chunk.data.shape != expected:
                msg = f"expected voxels of shape {expected}; found {chunk.data.shape}"
                raise ChunkReadError(msg, key=self._stored.key(name))
        except Exception as error:  # noqa: BLE001  (a failure is a value: others go on)
            return ReadFailure.from_exception(error, self._stored.key(name))
        return chunk

    def _limit_s(self, name: StorageName) -> float:
        """Return how long one read may take: longer the more share the line."""
        nbytes = self._scheduler.decoded_bytes(name[0])
        return LONGEST_S + self._window * nbytes / SLOWEST

    def _take_voxels(self, name: StorageName, chunk: StorageChunk) -> None:
        with self._lock:
            self._scheduler.counts.enter(name, chunk, self._scheduler.layouts)
            self._tries.pop(name, None)
            self._silence.ends()
        self.hand_out(name, chunk.data, self._scheduler.wait_for_room)

    def hand_out(
        self,
        name: StorageName,
        data: NDArray[np.generic] | None,
        wait_for_room: Callable[[StorageName], list[Begun]],
    ) -> None:
        """Copy the voxels of a storage chunk in flight to all that wait for them.

        Parameters
        ----------
        name : StorageName
        data : ndarray or None
            All axes in stored order; None where nothing is stored.
        wait_for_room : callable
            Called (locked) while chunks find none; claims those that may go on.
        """
        scheduler = self._scheduler
        with self._lock:
            # Whoever ends waiting chunks early leaves those of these voxels alone.
            self.handing_over.add(name)
            siblings = scheduler.claim_siblings(name)
        is_parked = True
        try:
            while is_parked:
                if siblings:
                    self._begin(siblings)
                self._pass_on(name, data)
                with self._lock:
                    is_parked = name in scheduler.parked
                if is_parked:
                    # Room comes from those who take what is ready: they must know.
                    self.on_batch()
                    with self._lock:
                        siblings = wait_for_room(name)
        finally:
            with self._lock:
                self.handing_over.discard(name)
                self._lock.notify_all()

    def _pass_on(self, name: StorageName, data: NDArray[np.generic] | None) -> None:
        """Copy the voxels to all assemblies that need them."""
        is_stored = data is not None
        done, todo = self._hand_over(name, [], is_stored=is_stored)
        while todo:
            if data is not None:
                self._scatter(name[1], data, todo)
            done, todo = self._hand_over(name, todo, is_stored=is_stored)
            self._finish(done)

    def _scatter(
        self, flat: FlatIndex, data: NDArray[np.generic], todo: list[Needs]
    ) -> None:
        if sum(len(needs.members) for needs in todo) < MANY_PIECES:
            scatter(flat, data, todo)
            return
        # With small pieces several threads would take turns for longer than they copy.
        with self._turn:
            scatter(flat, data, todo)

    def _hand_over(
        self, name: StorageName, served: list[Needs], *, is_stored: bool
    ) -> tuple[list[Assembly], list[Needs]]:
        """Mark those that received the voxels; return finished ones, and open records.

        When no assembly needs them, the storage chunk is no longer in flight. The check
        and that decision share one hold of the lock, so no chunk is missed.
        """
        scheduler = self._scheduler
        with self._lock:
            come = [n for n in served if n.receive(name[1], is_stored=is_stored)]
            done = members_of(come)
            scheduler.drop_idle(served)
            # Chunks that another slot is just beginning would have to read it again.
            self._lock.wait_for(
                lambda: self.is_closed or not scheduler.claims_over(name)
            )
            # Changed in storage while they were read: read again for all who need them.
            if name in scheduler.stale:
                scheduler.send_again(name)
                return done, []
            todo = scheduler.needing(name)
            if not todo:
                scheduler.park_or_end(name, is_stored=is_stored)
            elif is_stored:
                for needs in todo:
                    needs.make_buffers(scheduler.dtypes[name[0]])
        return done, todo

    def _finish(self, done: list[Assembly]) -> None:
        for assembly in done:
            PRECEDENCE.give_way()
            chunk = self._finished(assembly)
            with self._lock:
                self._end(assembly, chunk)

    def _finished(self, assembly: Assembly) -> LoadedChunk:
        level = assembly.layout.level
        if assembly.bad:
            # Of a chunk of which nothing was read something may be known to be empty.
            assembly.make_buffer(self._scheduler.dtypes[level])
        return assembly.finish(self._fills[level])

    def _take_failure(
        self, name: StorageName, failure: ReadFailure, began_at: float
    ) -> None:
        with self._lock:
            n, began_at = self._tries.get(name, (0, began_at))
            self._tries[name] = n + 1, began_at
            spent_s = monotonic() - began_at
            pause = self._retry.pause_after(failure, n + 1, spent_s)
            # A definite answer, also a bad one, shows that the server is there.
            if not failure.is_transient:
                self._silence.ends()
            elif (silence := self._silence.failure) is not None:
                failure, pause = replace(silence, key=self._stored.key(name)), None
            # Not after one failure but after a whole round of tries without any answer:
            # then every other read would wait as long in vain, so all of them fail now.
            elif pause is None and spent_s > self._retry.patience_s:
                self._silence.begins(failure, began_at)
            if pause is not None:
                self._scheduler.set_paused(name)
                self._scheduler.counts.retries += 1
                self._n_paused += 1
        if pause is None:
            self._give_up(name, failure)
        else:
            self._slicer.call_later(pause, lambda: self._pause_over(name))

    def _pause_over(self, name: StorageName) -> None:
        with self._lock:
            self._n_paused -= 1
            self._scheduler.due.append(name)
        self.wake_workers()

    def _give_up(self, name: StorageName, failure: ReadFailure) -> None:
        scheduler = self._scheduler
        with self._lock:
            self._scheduler.counts.failed_reads += 1
            self._tries.pop(name, None)
            if name in scheduler.stale:
                scheduler.send_again(name)
                return
            # Of what is there in part nothing is remembered: its voxels would be kept.
            if failure.partly is None:
                self._bad[name] = failure
            needing = scheduler.needing(name)
            done = [a for a in members_of(needing) if a.fail(name[1], failure)]
            scheduler.set_idle(name)
            scheduler.drop_idle(needing)
            if (silence := self._silence.failure) is not None:
                unsent = scheduler.unsent()
                done += [a for a, flat in unsent if self._fail(a, flat, silence)]
        self._finish(done)

    def _fail(self, assembly: Assembly, flat: FlatIndex, failure: ReadFailure) -> bool:
        key = self._stored.key((assembly.layout.level, flat))
        return assembly.fail(flat, replace(failure, key=key))

    def end_waiting(self, visual_id: str, reason: str) -> None:
        """End the begun chunks of a visual with the voxels that arrived.

        What has not come counts as failed, though nothing is given up: it is asked for
        again when a chunk is wanted that :meth:`clear_failure` was called for.
        """
        failure, done = ReadFailure("", reason, is_transient=True), []
        with self._lock:
            for assembly in self._scheduler.assemblies:
                takers = self._scheduler.waiting_for(assembly)
                if not any(queue.visual_id == visual_id for queue, _ in takers):
                    continue
                level = assembly.layout.level
                for flat in list(assembly.needs.pending):
                    # Voxels that are being copied are there in a moment.
                    is_coming = (level, flat) in self.handing_over
                    if not is_coming and self._fail(assembly, flat, failure):
                        done.append(assembly)
        self._finish(done)
        self.on_batch()

    def _end(self, assembly: Assembly, chunk: LoadedChunk) -> None:
        """Hand a chunk that reached its end to all requests that wait for it (locked)."""
        assemblies = self._scheduler.assemblies
        if not assemblies.remove(assembly):
            return
        takers = self._scheduler.waiting_for(assembly)
        assemblies.settle(assembly.reserved)
        self._pinned.put(chunk, reserved=assembly.reserved, n_takers=len(takers))
        for queue, row in takers:
            queue.set_state(row, ENDS[chunk.state])
            self.on_end(queue, row, chunk)
        self._lock.notify_all()

    def clear_failure(self, selection: Selection, key: ChunkKey) -> None:
        """Forget that a chunk failed and storage chunks under it were given up (locked)."""
        self._pinned.clear_failure(selection, key)
        self._silence.ends()
        chunk = ChunkId.from_key(key, selection)
        level = chunk.scale_level
        for flat in self._scheduler.layouts[level].needs(chunk.index, selection):
            self._bad.pop((level, flat), None)

    def shut(self) -> None:
        """Begin nothing more (locked)."""
        self.is_closed = True
        self._scheduler.drop_all()

    def given_up(self, names: Iterable[StorageName]) -> set[StorageName]:
        """Return those of some storage chunks that could not be read (locked)."""
        return self._bad.keys() & set(names)

    def forget(self) -> None:
        """Forget all that was read; what is being read is out of date (locked)."""
        self._bad.clear()
        self._tries.clear()
        self._pinned.forget()
        self._scheduler.forget()

    def forget_changed(self, change: ChunkChange, *, is_reopened: bool) -> None:
        """Forget what lies under a change (locked); see the scheduler's."""
        self._pinned.forget_changed(change)
        for name in [n for n in self._bad if self._scheduler.is_changed(n, change)]:
            del self._bad[name]
        self._scheduler.forget_changed(change, is_reopened=is_reopened)
