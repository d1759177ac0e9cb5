"""What the manager keeps of one visual beside its queues (:class:`Visual`).

:func:`queues_of` makes the queues of a request: one for each selection, checked against
the image.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import count

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.loading.cache.pinned_chunks import PinnedChunks
from brickfield.loading.progress import RateMeter
from brickfield.loading.queue import (
    FAILED,
    LOADED,
    MISSING,
    READING,
    WAITING,
    RequestQueue,
)
from brickfield.loading.storage_layout import check_selection
from brickfield.model import INDEX_BITS, ChunkKey, Pyramid, Selection, unpack_keys
from brickfield.model.requests import ChunkedDataRequest, LoadedChunk, LoadingStatus

Ready = tuple[int, float, int, RequestQueue, int]
"""Category, priority, the number of the queue, queue and row."""

_MASK, _LEVEL = (1 << INDEX_BITS) - 1, 3 * INDEX_BITS


class Visual:
    """Chunks ready to be taken, and counts. Guarded by the manager's lock.

    Attributes
    ----------
    n_cancelled, bytes_loaded : int
        Of the present session.
    """

    def __init__(self) -> None:
        # What is ready the queues know, and the voxels are pinned in the cache. A list of
        # it would be made anew at each move of the camera, of which few is taken.
        self._queues: list[RequestQueue] = []
        self._n_ready = 0
        self.begin_session()

    @property
    def has_ready(self) -> bool:
        """Whether chunks ended that were not taken."""
        return self._n_ready > 0

    def begin_session(self) -> None:
        """Count the rate from zero: the visual waited for nothing until now."""
        self.n_cancelled = 0
        self.bytes_loaded = 0
        self.byte_rate = RateMeter()
        self.chunk_rate = RateMeter()

    def add_ready(self) -> None:
        """Note that a chunk of the queues ended."""
        self._n_ready += 1

    def pop_ready(
        self, pinned: PinnedChunks, max_chunks: int | None
    ) -> tuple[list[LoadedChunk], bool]:
        """Pop the most wanted ready chunks, and unpin them in the cache.

        Parameters
        ----------
        pinned : PinnedChunks
        max_chunks : int or None
            None takes all.

        Returns
        -------
        taken : list of LoadedChunk
        is_lost : bool
            Whether the cache was emptied meanwhile, so that some must be read again.
        """
        taken: list[LoadedChunk] = []
        is_lost = False
        if not self._n_ready:
            return taken, is_lost
        found = [queue.ready_rows for queue in self._queues]
        n_left = sum(map(len, found))
        for _, _, _, queue, row in heapq.merge(
            *map(_named, count(), self._queues, found)
        ):
            if len(taken) == max_chunks:
                break
            n_left -= 1
            chunk = pinned.unpin(queue.selection, int(queue.keys[row]))
            if chunk is None:
                queue.set_state(row, WAITING)
                is_lost = True
            else:
                queue.is_delivered[row] = True
                taken.append(chunk)
        self._n_ready = n_left
        return taken, is_lost

    def rebuild(self, queues: Iterable[RequestQueue]) -> None:
        """Take other queues, or the same with other states."""
        self._queues = list(queues)
        self._n_ready = sum(queue.n_ready for queue in self._queues)

    def note_bytes(self, *chunks: LoadedChunk) -> None:
        """Count the voxels of chunks that became ready."""
        n = sum(chunk.data.nbytes for chunk in chunks if chunk.data is not None)
        if n:
            self.bytes_loaded += n
            self.byte_rate.add(n)

    def status(self, queues: list[RequestQueue], n_in_flight: int) -> LoadingStatus:
        """Count the chunks of the present request by state.

        Parameters
        ----------
        queues : list of RequestQueue
        n_in_flight : int
            Reads that were sent.
        """
        counts = sum((queue.counts for queue in queues), np.zeros(5, int)).tolist()
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


def _named(
    number: int, queue: RequestQueue, rows: NDArray[np.int64]
) -> Iterator[Ready]:
    """Name some rows of a queue, which is told apart by a number."""
    for row in map(int, rows):
        yield (*queue.rank(row), number, queue, row)


def queues_of(
    requests: ChunkedDataRequest | Sequence[ChunkedDataRequest],
    visual_id: str,
    pyramid: Pyramid,
) -> list[RequestQueue]:
    """Make the queues of one visual.

    Parameters
    ----------
    requests : ChunkedDataRequest or sequence of ChunkedDataRequest
        Several of one selection are joined.
    visual_id : str
    pyramid : Pyramid

    Raises
    ------
    OptionError
        If the image has no such selection or chunk.
    """
    if isinstance(requests, ChunkedDataRequest):
        requests = [requests]
    groups: dict[Selection, list[ChunkedDataRequest]] = {}
    for request in requests:
        groups.setdefault(tuple(request.selection), []).append(request)
    queues = [RequestQueue(visual_id, _joined(group)) for group in groups.values()]
    for queue in queues:
        check_selection(pyramid, queue.selection)
        _check_keys(queue, pyramid)
    return queues


def _joined(group: list[ChunkedDataRequest]) -> ChunkedDataRequest:
    if len(group) == 1:
        return group[0]
    return ChunkedDataRequest(
        group[0].visual_id,
        group[0].selection,
        np.concatenate([r.keys for r in group]),
        np.concatenate([r.priorities for r in group]),
        np.concatenate([r.categories for r in group]),
        group[0].data_version,
    )


@lru_cache(maxsize=64)
def _grids_of(pyramid: Pyramid) -> NDArray[np.int64]:
    """Return how many chunks there are along every axis, shape (3, n_levels)."""
    return np.ascontiguousarray(pyramid.grids_zyx.T)


def _check_keys(queue: RequestQueue, pyramid: Pyramid) -> None:
    keys = queue.keys
    if not len(keys):
        return
    levels = keys >> _LEVEL
    is_good = np.ones(len(keys), dtype=np.bool_)
    # They ascend, so that the first and the last tell of all levels.
    if levels[0] < 0 or levels[-1] >= pyramid.n_levels:
        is_good = (levels >= 0) & (levels < pyramid.n_levels)
    grids = _grids_of(pyramid).take(levels, axis=1, mode="clip")
    for grid, shift in zip(grids, (2 * INDEX_BITS, INDEX_BITS, 0), strict=True):
        is_good &= (keys >> shift & _MASK) < grid
    if not is_good.all():
        bad = int(np.argmin(is_good))
        index = tuple(unpack_keys(keys[bad : bad + 1])[1][0].tolist())
        msg = (
            f"expected chunks of the image's {pyramid.n_levels} levels; found level"
            f" {levels[bad]}, chunk {index}"
        )
        raise OptionError(msg)


def finest_level(queues: Sequence[RequestQueue]) -> int:
    """Return the finest level that is wanted, 0 when nothing is."""
    # Keys order by level first.
    firsts = [int(queue.keys[0]) >> _LEVEL for queue in queues if len(queue.keys)]
    return min(firsts, default=0)


def damaged_keys(queue: RequestQueue, pinned: PinnedChunks) -> list[ChunkKey]:
    """List the chunks of a queue that ended as failed or with holes.

    Parameters
    ----------
    queue : RequestQueue
    pinned : PinnedChunks
    """
    damaged = [k for s, k in pinned.damaged if s == queue.selection]
    keys = np.array(damaged, dtype=np.int64)
    rows = queue.rows_of(keys)
    is_here = rows >= 0
    rows = rows[is_here]
    holed: list[ChunkKey] = keys[is_here][queue.state[rows] == LOADED].tolist()
    failed: list[ChunkKey] = queue.keys[queue.state == FAILED].tolist()
    return failed + holed
