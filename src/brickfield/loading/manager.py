"""From wanted chunks to loaded ones: the :class:`ChunkManager`.

Invariant: every chunk that a visual requests reaches its end (loaded, missing or
failed) and is handed to that visual once for each request that names it, whatever
happens to other chunks. A request replaces the visual's former one: what is still
wanted goes on and takes its new place in the order, what is not is dropped before
it is read. The order of a request's life and all capacities are in README.md.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.loading.cache.chunk_cache import ChunkCache, default_cache
from brickfield.loading.cache.pinned_chunks import PinnedChunks
from brickfield.loading.cache.storage_chunks import KeptStorage
from brickfield.loading.io_counts import IoCounters, Requested, storage_counts
from brickfield.loading.pool import AsynchronousDataSlicer
from brickfield.loading.progress import LoadingProgressTracker
from brickfield.loading.queue import ENDS, LOADED, READING, WAITING, RequestQueue
from brickfield.loading.reader import Reader
from brickfield.loading.retry import RetryRules
from brickfield.loading.scheduler import Scheduler
from brickfield.loading.storage.gathering import Gathering
from brickfield.loading.storage.in_passing import Parts
from brickfield.loading.storage.presence import StoredChunks
from brickfield.loading.storage_layout import LevelLayout, needed_storage_chunks
from brickfield.loading.visual import Visual, damaged_keys, finest_level, queues_of
from brickfield.model import ChunkId, ChunkKey, Selection, unpack_keys
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import (
    ChunkedDataRequest,
    ChunkFailure,
    LoadedChunk,
    LoadingStatus,
)
from brickfield.sources import ChunkSource, MadeOfParts

logger = logging.getLogger(__name__)


class ChunkManager:
    """Loads the chunks of one source for any number of visuals.

    All methods, from any thread, return at once but :meth:`wait` and :meth:`close`.

    Parameters
    ----------
    source : ChunkSource
        Not closed by the manager.
    cache : ChunkCache, optional
        Default: the process-wide one, or one of `ram_budget` bytes.
    slicer : AsynchronousDataSlicer, optional
        Default: threads of its own, ended by :meth:`close`.
    ram_budget : int, optional
        Bytes of a cache of this manager's own.
    retry : RetryRules
    tracker : LoadingProgressTracker, optional
        Is told about every visual.

    Attributes
    ----------
    gathering : Gathering
        Puts reading off until a request begins at once.
    chunk_ready : psygnal.SignalInstance
        Emits a visual's id when :meth:`take_ready` has something new for it. Comes
        from a reading thread: wake the render thread, do nothing else.
    """

    chunk_ready = Signal(str)

    def __init__(
        self,
        source: ChunkSource,
        *,
        cache: ChunkCache | None = None,
        slicer: AsynchronousDataSlicer | None = None,
        ram_budget: int | None = None,
        retry: RetryRules | None = None,
        tracker: LoadingProgressTracker | None = None,
    ) -> None:
        if cache is None:
            cache = default_cache() if ram_budget is None else ChunkCache(ram_budget)
        self.source = source
        self.cache = cache
        self.tracker = tracker
        self._owns_slicer = slicer is None
        self._slicer = slicer or AsynchronousDataSlicer(source.concurrency)
        self._pinned = PinnedChunks(cache, source.source_id)
        self._scheduler = Scheduler(source.info.pyramid, cache)
        self._lock = self._scheduler.lock
        self._stored = StoredChunks(source, self._scheduler)
        self._reader = Reader(
            self._stored,
            self._scheduler,
            self._pinned,
            self._slicer,
            retry or RetryRules(),
        )
        self.gathering = Gathering(self._reader)
        self._kept: KeptStorage | None = None
        self._parts: Parts | None = None
        if isinstance(source, MadeOfParts):
            layout = self._scheduler.layouts[source.shared_level]
            self._kept = KeptStorage(cache, source.source_id, layout)
            self._parts = Parts(source, self._scheduler, self._reader, self._kept)
            self._scheduler.on_read = self._parts.promise
            self._scheduler.on_read_end = self._parts.withdraw
            source.share(self._parts)
        self._visuals: dict[str, Visual] = {}
        self._changed: set[str] = set()
        self._has_complained = False
        # The reader knows no visuals; it tells what ended, and this counts for whom.
        self._reader.on_end = self._chunk_ended
        self._reader.on_batch = self._tell
        self._scheduler.has_ready = self._has_ready

    # -- requesting --------------------------------------------------------------

    def request_chunks(
        self,
        requests: ChunkedDataRequest | Sequence[ChunkedDataRequest],
        visual_id: str,
        *,
        begins: bool = True,
    ) -> LoadingStatus:
        """Replace the requests of a visual.

        Name what the visual lacks: a chunk that it has taken already is delivered
        again when a new request names it, from the cache or by another read.

        Parameters
        ----------
        requests : ChunkedDataRequest or sequence of ChunkedDataRequest
            One for each selection (drawn channel, time point).
        visual_id : str
        begins : bool
            Whether to begin now; else with the next request, or with :meth:`wait`.

        Returns
        -------
        LoadingStatus
            What is loaded and what is still being loaded.

        Raises
        ------
        OptionError
            If the image has no such selection or chunk.
        """
        queues = queues_of(requests, visual_id, self.source.info.pyramid)
        with self._lock:
            visual = self._visuals.setdefault(visual_id, Visual())
            # What comes while something is loading goes on in the same session: rates
            # and counts would begin from 0 with every move of the camera.
            if not any(queue.n_open for queue in self._scheduler.queues(visual_id)):
                visual.begin_session()
            self._replace(visual_id, visual, queues)
            status = self._status(visual_id)
            has_ready = visual.has_ready
        if self.tracker is not None:
            level = finest_level(queues)
            self.tracker.start_loading_session(visual_id, status.wanted, level)
        if has_ready:
            self._announce({visual_id})
        # At the end, since threads that read slow this one down. One slot wakes the
        # others, off this thread: starting threads takes time.
        if begins:
            self.gathering.end()
            self._reader.wake_workers(at_most=1)
        return status

    def _replace(
        self, visual_id: str, visual: Visual, queues: list[RequestQueue]
    ) -> None:
        old = {q.selection: q for q in self._scheduler.replace(visual_id, queues)}
        for queue in queues:
            before = old.get(queue.selection)
            is_new = np.ones(len(queue.keys), bool)
            if before is not None:
                is_new = queue.carry(before)
            self._supply(visual, queue, np.flatnonzero(is_new))
        new = {queue.selection: queue for queue in queues}
        n_dropped = sum(
            self._drop_rest(visual, before, new.get(selection))
            for selection, before in old.items()
        )
        # What is read for others goes on. It looks through all assemblies.
        if n_dropped:
            self._scheduler.drop_unwanted()
        visual.rebuild(queues)

    def _supply(
        self, visual: Visual, queue: RequestQueue, rows: NDArray[np.int64]
    ) -> None:
        """Make what the cache has ready at once."""
        found = self._pinned.pin(queue.selection, queue.keys[rows].tolist())
        # Mostly few: what is seen anew was seldom read before.
        if found:
            queue.state[rows[list(found)]] = [ENDS[c.state] for c in found.values()]
            visual.note_bytes(*found.values())

    def _drop_rest(
        self, visual: Visual, old: RequestQueue, new: RequestQueue | None
    ) -> int:
        """Release what the new request does not name; return how many were waiting."""
        is_gone = np.ones(len(old.keys), bool)
        if new is not None:
            is_gone = new.rows_of(old.keys) < 0
        is_ready = is_gone & (old.state >= LOADED) & ~old.is_delivered
        self._pinned.release(old.selection, old.keys[is_ready].tolist())
        is_waiting = is_gone & (old.state <= READING)
        n_waiting = int(np.count_nonzero(is_waiting))
        visual.n_cancelled += n_waiting
        unsent = old.keys[is_gone & (old.state == WAITING)]
        self._scheduler.drop_unsent(old.selection, unsent)
        return n_waiting

    def release(self, visual_id: str) -> None:
        """Forget a visual and its requests."""
        with self._lock:
            visual = self._visuals.pop(visual_id, None)
            if visual is not None:
                self._replace(visual_id, visual, [])
            self._lock.notify_all()
        self._reader.wake_workers()
        if self.tracker is not None:
            self.tracker.forget_visual(visual_id)

    # -- taking ------------------------------------------------------------------

    def take_ready(
        self, visual_id: str, max_chunks: int | None = None
    ) -> list[LoadedChunk]:
        """Hand over chunks that reached their end, most wanted first.

        Parameters
        ----------
        visual_id : str
        max_chunks : int, optional
            Default all.

        Returns
        -------
        list of LoadedChunk
            Loaded, missing and failed ones.
        """
        return self.try_take_ready(visual_id, max_chunks, wait_s=-1) or []

    def try_take_ready(
        self, visual_id: str, max_chunks: int | None = None, *, wait_s: float
    ) -> list[LoadedChunk] | None:
        """Do as :meth:`take_ready`, but return None after `wait_s` (-1: never).

        A reading thread may be put aside by the system while it holds the lock.
        """
        if not self._lock.acquire(timeout=wait_s):
            return None
        try:
            visual = self._visuals.get(visual_id)
            if visual is None:
                return []
            taken, is_lost = visual.pop_ready(self._pinned, max_chunks)
            is_starved = self._scheduler.is_starved
            self._lock.notify_all()  # what is decoded may wait for this room
        finally:
            self._lock.release()
        if is_lost or (taken and is_starved):
            self._reader.wake_workers(at_most=1)
        return taken

    def peek(self, selection: Selection, key: ChunkKey) -> LoadedChunk | None:
        """Return a chunk that is loaded, without counting it as used."""
        return self._pinned.peek(selection, key)

    # -- being told --------------------------------------------------------------

    def status(self, visual_id: str) -> LoadingStatus:
        """Return how far a visual's request is."""
        with self._lock:
            return self._status(visual_id)

    def _status(self, visual_id: str) -> LoadingStatus:
        visual = self._visuals.get(visual_id)
        if visual is None:
            return LoadingStatus()
        n_in_flight = len(self._scheduler.in_flight)
        return visual.status(self._scheduler.queues(visual_id), n_in_flight)

    def waiting(self, visual_id: str) -> list[ChunkId]:
        """List the chunks that are still on their way to a visual."""
        with self._lock:
            return [
                ChunkId.from_key(key, queue.selection)
                for queue in self._scheduler.queues(visual_id)
                for key in queue.keys[queue.state <= READING].tolist()
            ]

    def failures(self, visual_id: str) -> list[ChunkFailure]:
        """List what could not be read of the wanted chunks, and why."""
        with self._lock:
            return [
                failure
                for queue in self._scheduler.queues(visual_id)
                for key in damaged_keys(queue, self._pinned)
                for failure in self._pinned.failures(queue.selection, key)
            ]

    def replace(self, chunk: LoadedChunk) -> None:
        """Put a chunk whose holes were filled in the place of what is in the cache."""
        with self._lock:
            self._pinned.replace(chunk)

    def retry_failed(self, visual_id: str, taken: Iterable[ChunkFailure] = ()) -> int:
        """Read the failed chunks of a visual again; return how many there are.

        Chunks with holes are among them. Failures `taken` are in no request any more:
        a later one reads them again.
        """
        n = 0
        self.clear_failures(taken)
        with self._lock:
            for mine in self._scheduler.queues(visual_id):
                for key in damaged_keys(mine, self._pinned):
                    n += 1
                    self._reader.clear_failure(mine.selection, key)
                    self._scheduler.deliver_again((mine.selection, key))
        self._reader.wake_workers()
        return n

    def wait(self, visual_id: str, timeout: float | None = None) -> bool:
        """Wait until every requested chunk reached its end; return whether it did.

        False at the timeout, and at once when reading pauses because chunks that
        were not taken fill the RAM budget: take them and wait again.
        """

        def is_done() -> bool:
            return not any(q.n_open for q in self._scheduler.queues(visual_id))

        def is_over() -> bool:
            is_stalled = self._reader.is_stalled and self._has_ready(visual_id)
            return is_stalled or self._reader.is_closed or is_done()

        with self._lock:
            if not is_over():
                self._reader.wake_workers(at_most=1)
                self._lock.wait_for(is_over, timeout)
            return is_done()

    def end_waiting(self, visual_id: str, reason: str) -> None:
        """End a visual's chunks that are being read with the voxels that arrived.

        What has not come fails with `reason`; :meth:`clear_failures` lets it be read
        again.
        """
        self._reader.end_waiting(visual_id, reason)

    def clear_failures(self, failures: Iterable[ChunkFailure]) -> None:
        """Forget failures, so that a later request reads the chunks again."""
        with self._lock:
            for failure in failures:
                chunk = failure.chunk_id
                self._reader.clear_failure(chunk.selection, chunk.key)

    @property
    def held_up_s(self) -> float:
        """Seconds for which chunks waited for others who need the same, in all."""
        waited_s = 0.0 if self._parts is None else self._parts.waited_s
        return waited_s + self.gathering.held_s

    @property
    def counters(self) -> IoCounters:
        """What reading has cost so far."""
        with self._lock:
            return self._scheduler.counts.totals()

    def needed_storage_chunks(
        self, level: int, keys: NDArray[np.int64], selection: Selection
    ) -> NDArray[np.int64]:
        """List storage chunks under a level's chunks, each once, shape (m, ndim)."""
        layout = self._scheduler.layouts[level]
        flats = needed_storage_chunks(layout, unpack_keys(keys)[1], selection)
        return layout.indices_of(flats)

    def storage_counts(
        self, wanted: Requested, ended: Requested, failures: Iterable[ChunkFailure]
    ) -> dict[str, int]:
        """Count storage chunks; see :func:`brickfield.loading.io_counts.storage_counts`."""
        layouts, absent_among = self._scheduler.layouts, self._stored.absent_among
        return storage_counts(layouts, wanted, ended, failures, absent_among)

    def needed_bytes(
        self, needed: Requested, ended: Requested, *, since: IoCounters
    ) -> tuple[int, int]:
        """Return the stored bytes under needed chunks, by where they came from.

        Parameters
        ----------
        needed, ended : iterable of (selection, keys)
            All chunks, and those of them that reached their end.
        since : IoCounters
            The counters of when the picture began.

        Returns
        -------
        read, at_hand : int
            Bytes of the storage chunks that were read since then, each once, so never
            more than was read; and of those that the ended chunks did not have to read.
        """
        given_up, n_entries = self._reader.given_up, since.n_entries
        return self._stored.needed_bytes(needed, ended, n_entries, given_up)

    # -- the reader's side -------------------------------------------------------

    def _has_ready(self, visual_id: str) -> bool:
        visual = self._visuals.get(visual_id)
        return visual is not None and visual.has_ready

    def _chunk_ended(self, queue: RequestQueue, row: int, chunk: LoadedChunk) -> None:
        visual = self._visuals.get(queue.visual_id)
        if visual is not None:
            visual.add_ready()
            visual.note_bytes(chunk)
            visual.chunk_rate.add(1)
            self._changed.add(queue.visual_id)

    def _tell(self) -> None:
        with self._lock:
            # Announced without the lock: a listener may call any method of this.
            visual_ids, self._changed = self._changed, set()
        if visual_ids:
            self._announce(visual_ids)

    def _announce(self, visual_ids: set[str]) -> None:
        for visual_id in visual_ids:
            if self.tracker is not None:
                self.tracker.update(visual_id, lambda v=visual_id: self.status(v))  # type: ignore[misc]
            try:
                self.chunk_ready.emit(visual_id)
            except Exception:  # a listener's code: loading must go on
                with self._lock:
                    is_first, self._has_complained = not self._has_complained, True
                if is_first:
                    logger.exception("a listener to chunk_ready failed")

    def forget(self) -> None:
        """Forget all voxels of the source, since they changed; wanted ones are reread."""
        with self._lock:
            self._reader.forget()
            self._rebuild()
        self._reader.wake_workers()

    def forget_changed(self, change: ChunkChange, *, is_reopened: bool = False) -> None:
        """Forget the chunks under a change; those on their way are read again."""
        with self._lock:
            self._reader.forget_changed(change, is_reopened=is_reopened)
            self._rebuild()
        self._reader.wake_workers()

    @property
    def layouts(self) -> Sequence[LevelLayout]:
        """The grids of every level, by which storage chunks are named."""
        return self._scheduler.layouts

    def grow(self, changes: Iterable[ChunkChange] = ()) -> None:
        """Follow longer axes of the reopened source, by which some chunks changed."""
        with self._lock:
            self._scheduler.grow(self.source.info.pyramid)
            for change in changes:
                self._reader.forget_changed(change, is_reopened=True)
            self._rebuild()
        self._reader.wake_workers()

    def _rebuild(self) -> None:
        if self._kept is not None:
            self._kept.clear()
        for visual_id, visual in self._visuals.items():
            visual.rebuild(self._scheduler.queues(visual_id))

    def close(self, *, wait: bool = True) -> None:
        """Stop loading, release everything, end the threads. May be called twice.

        Parameters
        ----------
        wait : bool
            Whether to return only when reads in flight have ended.
        """
        for visual_id in list(self._visuals):
            self.release(visual_id)
        with self._lock:
            self._reader.shut()
            self._lock.notify_all()
        self.gathering.end()
        if self._owns_slicer:
            self._slicer.shutdown(wait=wait)
