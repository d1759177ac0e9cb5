"""What is wanted, in the order in which it is read.

A :class:`Lane` holds the requests of one visual for one selection: a few arrays, sorted
once by (category, priority) when the request comes. The :class:`LoadQueue` merges
the lanes: the next chunk to read is the best head of all lanes.

Invariant: no lane's cursor has passed a chunk that is still waiting. A chunk that
several lanes request is one chunk with one state, so the lane that reaches it first
sets its place: its priority is the best that any lane gave it.

Storage chunks are not queued themselves. They follow from the chunk at the head,
so that a new camera replaces the order of thousands of chunks with one sort, and
nothing has to be taken out of a heap: a request costs O(n log n) in numpy, the
next chunk O(lanes) amortised.
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


class Lane:
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
    """

    __slots__ = (
        "_cursor", "_place", "categories", "is_delivered", "keys", "order",
        "priorities", "selection", "state", "visual_id",
    )  # fmt: skip

    def __init__(self, visual_id: str, request: ChunkedDataRequest) -> None:
        self.visual_id = visual_id
        self.selection = tuple(int(i) for i in request.selection)
        # lexsort's last key is the first criterion. np.unique returns the first of
        # equal keys, so after this order each key keeps its best priority.
        best_first = np.lexsort((request.priorities, request.categories))
        self.keys, first = np.unique(request.keys[best_first], return_index=True)
        rows = best_first[first]
        self.priorities = request.priorities[rows]
        self.categories = request.categories[rows]
        self.order = np.argsort(first, kind="stable")
        # The inverse of `order`: where the cursor has to go back to when a row waits
        # again.
        self._place = np.empty_like(self.order)
        self._place[self.order] = np.arange(len(self.order))
        self.state = np.full(len(self.keys), WAITING, np.uint8)
        self.is_delivered = np.zeros(len(self.keys), np.bool_)
        self._cursor = 0

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
        """Return the sort key of a row among all lanes; smaller goes first."""
        return int(self.categories[row]), float(self.priorities[row])

    def carry(self, old: Lane) -> NDArray[np.bool_]:
        """Copy the states of the lane that this one replaces.

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
            Of the lane.
        state : int
            One of the states, such as ``WAITING``.
        """
        self.state[row] = state
        if state == WAITING:
            # Or the row would never be found again: the cursor only looks onwards.
            self._cursor = min(self._cursor, int(self._place[row]))

    def reset(self) -> None:
        """Let all chunks wait again, as if nothing had been delivered."""
        self.state[:] = WAITING
        self.is_delivered[:] = False
        self._cursor = 0

    @property
    def n_open(self) -> int:
        """Chunks that have not reached their end."""
        return int(np.count_nonzero(self.state <= READING))

    @property
    def counts(self) -> NDArray[np.int64]:
        """Chunks in each state, shape (5,)."""
        return np.bincount(self.state, minlength=5)


class LoadQueue:
    """All lanes of one manager. Not thread-safe."""

    def __init__(self) -> None:
        self._by_visual: dict[str, dict[Selection, Lane]] = {}
        self._by_selection: dict[Selection, list[Lane]] = {}

    def lanes(self, visual_id: str | None = None) -> list[Lane]:
        """List the lanes of one visual, or all."""
        if visual_id is not None:
            return list(self._by_visual.get(visual_id, {}).values())
        return [lane for lanes in self._by_selection.values() for lane in lanes]

    def lane(self, visual_id: str, selection: Selection) -> Lane | None:
        """Return the lane of a visual and a selection, or None.

        Parameters
        ----------
        visual_id : str
        selection : Selection
        """
        return self._by_visual.get(visual_id, {}).get(selection)

    def replace(self, visual_id: str, lanes: Iterable[Lane]) -> list[Lane]:
        """Replace the lanes of a visual; return the old ones.

        Parameters
        ----------
        visual_id : str
        lanes : iterable of Lane
        """
        old = self.lanes(visual_id)
        for lane in old:
            group = self._by_selection[lane.selection]
            group.remove(lane)
            if not group:
                del self._by_selection[lane.selection]
        self._by_visual[visual_id] = {lane.selection: lane for lane in lanes}
        for lane in self.lanes(visual_id):
            self._by_selection.setdefault(lane.selection, []).append(lane)
        # No empty entries are left behind: the number of visuals grows with every
        # slice.
        if not self._by_visual[visual_id]:
            del self._by_visual[visual_id]
        return old

    @property
    def selections(self) -> list[Selection]:
        """Selections with at least one request."""
        return list(self._by_selection)

    def requesters(self, selection: Selection, key: ChunkKey) -> list[tuple[Lane, int]]:
        """Return the requests for a chunk, as lanes and rows.

        Parameters
        ----------
        selection : Selection
        key : ChunkKey
        """
        found = ((ln, ln.row_of(key)) for ln in self._by_selection.get(selection, ()))
        return [(lane, row) for lane, row in found if row >= 0]

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
    ) -> list[tuple[Lane, int]]:
        """Return the requests still waiting for a chunk, as lanes and rows.

        Parameters
        ----------
        selection : Selection
        key : ChunkKey
        """
        return [
            (ln, r)
            for ln, r in self.requesters(selection, key)
            if ln.state[r] <= READING
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
        for lane in self._by_selection.get(selection, ()):
            rows = lane.rows_of(keys)
            rows = rows[rows >= 0]
            rows = rows[lane.state[rows] == WAITING]
            found.append(lane.keys[rows])
            priorities.append(lane.priorities[rows])
            categories.append(lane.categories[rows])
        if not found:
            return []
        best_first = np.lexsort(
            (np.concatenate(priorities), np.concatenate(categories))
        )
        # A chunk that several lanes want appears once, at its best place.
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
        for lane in self._by_selection.get(selection, ()):
            rows = lane.rows_of(keys)
            if len(lane.state):
                is_open |= (rows >= 0) & (lane.state[rows] <= READING)
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
        for lane, row in self.requesters(selection, key):
            if lane.state[row] <= READING:
                lane.set_state(row, state)

    def set_states(
        self, selection: Selection, keys: list[ChunkKey], state: int
    ) -> None:
        """Change the state of many chunks of one selection, but not to waiting.

        Parameters
        ----------
        selection : Selection
        keys : list of ChunkKey
        state : int
            One of the states, but not ``WAITING``.
        """
        array = np.array(keys, dtype=np.int64)
        for lane in self._by_selection.get(selection, ()):
            rows = lane.rows_of(array)
            rows = rows[rows >= 0]
            lane.state[rows[lane.state[rows] <= READING]] = state

    def heads(self) -> Iterator[tuple[Lane, int]]:
        """Yield the best waiting chunk of all lanes, again and again.

        Between two steps the caller changes that chunk's state; a lane whose
        chunk it leaves waiting is put aside for the rest of the walk.
        """
        # Few lanes (visuals times channels), so the best head is found by looking at
        # all.
        lanes = self.lanes()
        while True:
            best = min(
                ((lane.rank(row), i) for i, lane in enumerate(lanes)
                 if (row := lane.head()) is not None),
                default=None,
            )  # fmt: skip
            if best is None:
                return
            lane = lanes[best[1]]
            row = lane.head()
            assert row is not None
            yield lane, row
            if lane.state[row] == WAITING:
                # The caller could not use it, for lack of memory: the same lane would
                # offer it again.
                lanes.pop(best[1])
