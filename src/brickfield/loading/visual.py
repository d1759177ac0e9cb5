"""What the manager keeps of one visual beside its lanes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import numpy as np

from brickfield.loading.progress import RateMeter
from brickfield.loading.queue import FAILED, LOADED, MISSING, READING, WAITING, Lane
from brickfield.loading.shelf import Shelf
from brickfield.model.requests import LoadedChunk, LoadingStatus

Ready = tuple[int, float, int, Lane, int]
"""Category, priority, a number that breaks ties, lane and row."""


class Visual:
    """Chunks ready to be taken, and counts. Guarded by the manager's lock.

    Attributes
    ----------
    ready : list
        Heap of chunks that ended and were not taken; names only, the voxels are on
        the shelf.
    n_cancelled, bytes_loaded : int
        Of the present session.
    """

    def __init__(self) -> None:
        self.ready: list[Ready] = []
        self._n = 0
        self.begin_session()

    def begin_session(self) -> None:
        """Count anew: the visual waited for nothing until now."""
        self.n_cancelled = 0
        self.bytes_loaded = 0
        self.byte_rate = RateMeter()
        self.chunk_rate = RateMeter()

    def add_ready(self, lane: Lane, row: int) -> None:
        """Queue one chunk to be taken."""
        self._n += 1
        heapq.heappush(self.ready, (*lane.rank(row), self._n, lane, row))

    def take(
        self, shelf: Shelf, max_chunks: int | None
    ) -> tuple[list[LoadedChunk], bool]:
        """Take the most wanted chunks off the shelf.

        Returns
        -------
        taken : list of LoadedChunk
        is_lost : bool
            Whether somebody emptied the cache, so that some must be read again.
        """
        taken: list[LoadedChunk] = []
        is_lost = False
        while self.ready and len(taken) != max_chunks:
            _, _, _, lane, row = heapq.heappop(self.ready)
            if lane.state[row] < LOADED:
                continue
            chunk = shelf.take(lane.selection, int(lane.keys[row]))
            if chunk is None:
                lane.set_state(row, WAITING)
                is_lost = True
            else:
                lane.is_delivered[row] = True
                taken.append(chunk)
        return taken, is_lost

    def rebuild(self, lanes: Iterable[Lane]) -> None:
        """Queue what new lanes have ready."""
        self.ready = []
        for lane in lanes:
            rows = np.flatnonzero((lane.state >= LOADED) & ~lane.is_delivered)
            categories = lane.categories[rows].tolist()
            priorities = lane.priorities[rows].tolist()
            for category, priority, row in zip(
                categories, priorities, rows.tolist(), strict=True
            ):
                self._n += 1
                self.ready.append((category, priority, self._n, lane, row))
        heapq.heapify(self.ready)

    def note_bytes(self, chunk: LoadedChunk) -> None:
        """Count the voxels of a chunk that became ready."""
        if chunk.data is not None:
            self.bytes_loaded += chunk.data.nbytes
            self.byte_rate.add(chunk.data.nbytes)

    def status(self, lanes: list[Lane], n_in_flight: int) -> LoadingStatus:
        """Count how far the present request is."""
        counts = sum((lane.counts for lane in lanes), np.zeros(5, int)).tolist()
        n_waiting = counts[WAITING] + counts[READING]
        rate = self.chunk_rate.rate
        left = None if rate <= 0 else n_waiting / rate
        return LoadingStatus(
            wanted=sum(counts),
            loaded=counts[LOADED],
            missing=counts[MISSING],
            failed=counts[FAILED],
            cancelled=self.n_cancelled,
            in_flight=n_in_flight,
            bytes_loaded=self.bytes_loaded,
            rate=self.byte_rate.rate,
            seconds_left=left if n_waiting else 0.0,
        )
