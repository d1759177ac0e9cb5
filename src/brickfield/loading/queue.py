"""What is wanted, in the order in which it is read.

A :class:`RequestQueue` holds the requests of one visual for one selection: a few arrays, sorted
once by (category, priority) when the request comes. The :class:`LoadQueue` merges
the queues: the next chunk to read is the best head of all queues.

Invariant: no queue's cursor has passed a chunk that is still waiting. A chunk that
several queues request is one chunk with one state, so the queue that reaches it first
sets its place: its priority is the best that any queue gave it.

Storage chunks are not queued themselves. They follow from the chunk at the head,
so that a new camera replaces the order of thousands of chunks with one sort, and
nothing has to be taken out of a heap: a request costs O(n log n) in numpy, the
next chunk O(queues) amortised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from brickfield.model import ChunkKey, Selection
from brickfield.model.requests import ChunkedDataRequest, ChunkState

WAITING, READING, LOADED, MISSING, FAILED = range(5)
"""States of a wanted chunk; from LOADED on it has reached its end."""
ENDS = {
    ChunkState.LOADED: LOADED,
    ChunkState.MISSING: MISSING,
    ChunkState.FAILED: FAILED,
}
Rank = tuple[int, float]


class RequestQueue:
    """The requests of one visual for one selection. Not thread-safe.

    Parameters
    ----------
    visual_id : str
    request : ChunkedDataRequest
        A key that is named twice counts once, with its best priority.

    Attributes
    ----------
    keys : ndarray, shape (n,), int64
        Ascending, each once.
    state : ndarray, shape (n,), uint8
    is_delivered : ndarray, shape (n,), bool
        Whether the visual has taken it.
    order : ndarray, shape (n,), int64
        Rows, most wanted first.
    n_again : int
        How often rows were set to wait.
    """

    __slots__ = (
        "_cursor", "_place", "categories", "is_delivered", "keys", "n_again", "order",
        "priorities", "selection", "state", "visual_id",
    )  # fmt: skip

    def __init__(self, visual_id: str, request: ChunkedDataRequest) -> None:
        self.visual_id = visual_id
        self.selection = tuple(int(i) for i in request.selection)
        best_first = _best_first(request)
        keys = request.keys if best_first is None else request.keys[best_first]
        # Where each ascending key stands in the order, and what that order is: the
        # inverse tells where the cursor has to go back to when a row waits again.
        place = np.argsort(keys)
        self.keys = keys[place]
        if (self.keys[1:] == self.keys[:-1]).any():
            # np.unique returns the first of equal keys: each keeps its best priority.
            self.keys, place = np.unique(keys, return_index=True)
        rows = place if best_first is None else best_first[place]
        self.priorities = request.priorities[rows]
        self.categories = request.categories[rows]
        self.order = _inverse(place, len(keys))
        self._place = np.empty_like(self.order)
        self._place[self.order] = np.arange(len(self.order))
        self.state = np.full(len(self.keys), WAITING, np.uint8)
        self.is_delivered = np.zeros(len(self.keys), np.bool_)
        self._cursor = self.n_again = 0

    def rows_of(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        """Find keys, shape (n,); -1 for one that is not wanted."""
        if not len(self.keys):
            return np.full(len(keys), -1, dtype=np.int64)
        # A key beyond the last would index past the end; the comparison below refuses
        # it.
        rows = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[rows] == keys, rows, -1)

    def row_of(self, key: ChunkKey) -> int:
        """Find one key; -1 if it is not wanted."""
        row = int(self.keys.searchsorted(key))
        return row if row < len(self.keys) and self.keys[row] == key else -1

    def rank(self, row: int) -> Rank:
        """Return the sort key of a row among all queues; smaller goes first."""
        return int(self.categories[row]), float(self.priorities[row])

    def carry(self, old: RequestQueue) -> NDArray[np.bool_]:
        """Copy the states of the queue that this one replaces.

        Returns
        -------
        ndarray, shape (n,), bool
            Rows that are new, or that were delivered and are asked for again.
        """
        rows = old.rows_of(self.keys)
        # A delivered chunk that is requested again counts as new: whoever took it has
        # dropped it.
        is_known = (rows >= 0) & ~old.is_delivered[rows] if len(old.keys) else rows >= 0
        known = rows[is_known]
        self.state[is_known] = old.state[known]
        fresh: NDArray[np.bool_] = ~is_known
        return fresh

    def head(self) -> int | None:
        """Return the row of the best waiting chunk, None without one."""
        order, state, n = self.order, self.state, len(self.order)
        while self._cursor < n:
            row = int(order[self._cursor])
            if state[row] == WAITING:
                return row
            # Never back, but for `set_state` and `reset`: so all calls together pass
            # each row once.
            self._cursor += 1
        return None

    def set_state(self, row: int, state: int) -> None:
        """Change one state; a chunk may wait again.

        Parameters
        ----------
        row : int
            Of the queue.
        state : int
            One of the states, such as ``WAITING``.
        """
        self.state[row] = state
        if state == WAITING:
            self.n_again += 1
            # Or the row would never be found again: the cursor only looks onwards.
            self._cursor = min(self._cursor, int(self._place[row]))

    def reset(self) -> None:
        """Let all chunks wait again, as if nothing had been delivered."""
        self.state[:] = WAITING
        self.n_again += 1
        self.is_delivered[:] = False
        self._cursor = 0

    @property
    def ready_rows(self) -> NDArray[np.int64]:
        """Rows that ended and that the visual has yet to take, most wanted first."""
        return self.order[self._is_ready[self.order]]

    @property
    def n_ready(self) -> int:
        """How many these are."""
        return int(np.count_nonzero(self._is_ready))

    @property
    def _is_ready(self) -> NDArray[np.bool_]:
        return (self.state >= LOADED) & ~self.is_delivered

    @property
    def n_open(self) -> int:
        """Chunks that have not reached their end."""
        return int(np.count_nonzero(self.state <= READING))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Chunks in each state, shape (5,)."""
        return np.bincount(self.state, minlength=5)


def _best_first(request: ChunkedDataRequest) -> NDArray[np.int64] | None:
    """Order a request by category, then by priority; None where it is in order."""
    priorities, categories = request.priorities, request.categories
    # Plans are in order already, and a check costs a tenth of sorting.
    is_later = categories[1:] > categories[:-1]
    is_alike = categories[1:] == categories[:-1]
    is_later |= is_alike & (priorities[1:] >= priorities[:-1])
    if is_later.all():
        return None
    # lexsort's last key is the first criterion.
    return np.lexsort((priorities, categories))


def _inverse(place: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the rows in the order of their places, each below n and there once."""
    rows = np.full(n, -1, dtype=np.int64)
    rows[place] = np.arange(len(place))
    return rows if len(place) == n else rows[rows >= 0]


class LoadQueue:
    """All queues of one manager. Not thread-safe."""

    def __init__(self) -> None:
        self._by_visual: dict[str, dict[Selection, RequestQueue]] = {}
        self._by_selection: dict[Selection, list[RequestQueue]] = {}
        self._n_replaced = 0

    @property
    def version(self) -> tuple[int, int]:
        """What changes whenever a chunk waits that did not wait before."""
        return self._n_replaced, sum(queue.n_again for queue in self.queues())

    def queues(self, visual_id: str | None = None) -> list[RequestQueue]:
        """List the queues of one visual, or all."""
        if visual_id is not None:
            return list(self._by_visual.get(visual_id, {}).values())
        return [queue for queues in self._by_selection.values() for queue in queues]

    def replace(
        self, visual_id: str, queues: Iterable[RequestQueue]
    ) -> list[RequestQueue]:
        """Replace the queues of a visual; return the old ones.

        Parameters
        ----------
        visual_id : str
        queues : iterable of RequestQueue
        """
        self._n_replaced += 1
        old = self.queues(visual_id)
        for queue in old:
            group = self._by_selection[queue.selection]
            group.remove(queue)
            if not group:
                del self._by_selection[queue.selection]
        self._by_visual[visual_id] = {queue.selection: queue for queue in queues}
        for queue in self.queues(visual_id):
            self._by_selection.setdefault(queue.selection, []).append(queue)
        # No empty entries are left behind: the number of visuals grows with every
        # slice.
        if not self._by_visual[visual_id]:
            del self._by_visual[visual_id]
        return old

    @property
    def selections(self) -> list[Selection]:
        """Selections with at least one request."""
        return list(self._by_selection)

    @property
    def waiting_selections(self) -> list[Selection]:
        """Selections with a chunk that waits."""
        groups = self._by_selection.items()
        return [s for s, queues in groups if any(q.head() is not None for q in queues)]

    def requesters(
        self, selection: Selection, key: ChunkKey
    ) -> list[tuple[RequestQueue, int]]:
        """Return the requests for a chunk, as queues and rows.

        Parameters
        ----------
        selection : Selection
        key : ChunkKey
        """
        return [
            (queue, row)
            for queue in self._by_selection.get(selection, ())
            if (row := queue.row_of(key)) >= 0
        ]

    def is_open(self, selection: Selection, key: ChunkKey) -> bool:
        """Whether a request still waits for a chunk.

        Parameters
        ----------
        selection : Selection
        key : ChunkKey
        """
        return bool(self.waiting_for(selection, key))

    def waiting_for(
        self, selection: Selection, key: ChunkKey
    ) -> list[tuple[RequestQueue, int]]:
        """Return the requests still waiting for a chunk, as queues and rows.

        Parameters
        ----------
        selection : Selection
        key : ChunkKey
        """
        return [
            (queue, row)
            for queue, row in self.requesters(selection, key)
            if queue.state[row] <= READING
        ]

    def waiting_among(
        self, selection: Selection, keys: NDArray[np.int64]
    ) -> list[ChunkKey]:
        """Return those of some chunks that a request waits for, best first.

        Parameters
        ----------
        selection : Selection
        keys : ndarray, shape (n,), int64
            Packed keys.
        """
        found, priorities, categories = [], [], []
        for queue in self._by_selection.get(selection, ()):
            rows = queue.rows_of(keys)
            rows = rows[rows >= 0]
            rows = rows[queue.state[rows] == WAITING]
            found.append(queue.keys[rows])
            priorities.append(queue.priorities[rows])
            categories.append(queue.categories[rows])
        if not found:
            return []
        best_first = np.lexsort(
            (np.concatenate(priorities), np.concatenate(categories))
        )
        # A chunk that several queues want appears once, at its best place.
        return list(dict.fromkeys(np.concatenate(found)[best_first].tolist()))

    def open_among(
        self, selection: Selection, keys: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Tell which of some chunks a request still waits for.

        Parameters
        ----------
        selection : Selection
        keys : ndarray, shape (n,), int64
            Packed keys.

        Returns
        -------
        ndarray, shape (n,), bool
        """
        is_open = np.zeros(len(keys), np.bool_)
        for queue in self._by_selection.get(selection, ()):
            rows = queue.rows_of(keys)
            if len(queue.state):
                is_open |= (rows >= 0) & (queue.state[rows] <= READING)
        return is_open

    def set_state(self, selection: Selection, key: ChunkKey, state: int) -> None:
        """Change a chunk's state in every request that has not received it.

        Parameters
        ----------
        selection : Selection
        key : ChunkKey
        state : int
            One of the states, such as ``READING``.
        """
        for queue, row in self.requesters(selection, key):
            if queue.state[row] <= READING:
                queue.set_state(row, state)

    def heads(self) -> Iterator[tuple[RequestQueue, int]]:
        """Yield the best waiting chunk of all queues, again and again.

        Between two steps the caller changes that chunk's state; a queue whose
        chunk it leaves waiting is put aside for the rest of the walk.
        """
        # Few queues (visuals times channels), so the best head is found by looking at
        # all.
        queues = self.queues()
        while True:
            best = min(
                ((queue.rank(row), i) for i, queue in enumerate(queues)
                 if (row := queue.head()) is not None),
                default=None,
            )  # fmt: skip
            if best is None:
                return
            queue = queues[best[1]]
            row = queue.head()
            assert row is not None
            yield queue, row
            if queue.state[row] == WAITING:
                # The caller could not use it, for lack of memory: the same queue would
                # offer it again.
                queues.pop(best[1])
