"""Which planned chunks are known to hold nothing.

Answers are remembered in a table of chunk keys, because a planner needs
the same thousands of chunks at every camera move. Nothing is read: a source that
cannot tell from a listing or an index is not asked again.
"""

from __future__ import annotations

from itertools import product
from math import prod
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from brickfield.loading import LevelLayout, storage_under
from brickfield.model import INDEX_BITS, Selection, pack_keys, unpack_keys
from brickfield.sources import ChunkSource

MOST_SELECTIONS = 64
"""Storage chunks along the other axes that are looked at for one planned chunk."""
MOST_KEYS = 1_000_000
"""Most answers that are remembered; then all are forgotten."""
_LEAST_ROWS = 1 << 12
_LEVEL = 3 * INDEX_BITS
_FREE = -1
"""No key: keys are not negative."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
"""2**64 divided by the golden ratio, odd: Knuth's multiplicative hashing."""


class Occupancy:
    """Remembers which chunks of one image are empty in every selection.

    May be called from any thread: the main thread asks for requests, the render
    thread for frames.

    Parameters
    ----------
    source : ChunkSource
    """

    def __init__(self, source: ChunkSource) -> None:
        self._source = source
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Ask the source again from now on, which may have a longer first axis."""
        with self._lock:
            # A store may forget many times before it is asked again.
            self._is_fresh = False

    def _begin(self) -> None:
        pyramid = self._source.info.pyramid
        self._layouts = [LevelLayout.of(pyramid, i) for i in range(pyramid.n_levels)]
        self._ways = [
            (layout, _one_per_storage_chunk(layout), _is_stored_as_planned(layout))
            for layout in self._layouts
        ]
        self._answers = Answers()
        self._cannot_tell: set[int] = set()
        self._is_fresh = True

    def __call__(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which chunks are known to hold nothing.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, 3), int64
            Grid indices (z, y, x).

        Returns
        -------
        ndarray, shape (n,), bool, or None
            True where all storage chunks under a chunk, at every position of the
            other axes, are known not to be stored. None when nothing is known.
        """
        is_empty = self.among(pack_keys(level, indices))
        return None if level in self._cannot_tell else is_empty

    def among(self, keys: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which chunks of any levels are known to hold nothing.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Chunk keys.

        Returns
        -------
        ndarray, shape (n,), bool, or None
            As of a call; None where nothing is known of any level.
        """
        with self._lock:
            if not self._is_fresh:
                self._begin()
            if len(self._cannot_tell) == len(self._layouts):
                return None
            return self._tell(keys)

    def _tell(self, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        is_known, is_empty = self._answers.look_up(keys)
        if is_known.all():
            return is_empty
        rows = np.flatnonzero(~is_known)
        levels = keys[rows] >> _LEVEL
        for level in np.flatnonzero(np.bincount(levels)).tolist():
            if level not in self._cannot_tell:
                own = rows[levels == level]
                is_empty[own] = self._learn(level, keys[own])
        return is_empty

    def _learn(self, level: int, keys: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Ask the source about chunks of one level that were not asked for yet."""
        new, of_new = np.sort(keys), None
        if (new[1:] == new[:-1]).any():
            new, of_new = np.unique(keys, return_inverse=True)
        else:
            # Mostly each is there once, and its order does not matter.
            new = keys
        answer = self._ask(level, unpack_keys(new)[1])
        if answer is None:
            self._cannot_tell.add(level)
            return np.zeros(len(keys), dtype=np.bool_)
        if len(self._answers) + len(new) > MOST_KEYS:
            self._answers = Answers()
        self._answers.add(new, answer)
        return answer if of_new is None else answer[of_new]

    def _ask(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        layout, selections, is_as_planned = self._ways[level]
        if len(selections) > MOST_SELECTIONS:
            return None
        if is_as_planned:
            # Nothing to translate, which takes longer than many sources do to answer.
            at = np.zeros((len(indices), len(layout.grid)), np.int64)
            at[:, layout.spatial_axes] = indices
            return self._source.missing_chunks(level, at)
        is_empty = np.ones(len(indices), np.bool_)
        for selection in selections:
            flats, is_there = storage_under(layout, indices, selection)
            unique, inverse = np.unique(flats[is_there], return_inverse=True)
            known = self._source.missing_chunks(level, layout.indices_of(unique))
            if known is None:
                return None
            is_missing = np.ones(flats.shape, np.bool_)
            is_missing[is_there] = known[inverse]
            is_empty &= is_missing.all(axis=1)
        return is_empty


def _is_stored_as_planned(layout: LevelLayout) -> bool:
    """Tell whether each planned chunk is one storage chunk, at all positions."""
    storage = tuple(layout.storage[axis] for axis in layout.spatial_axes)
    is_one = all(layout.grid[axis] == 1 for axis in layout.other_axes)
    return is_one and storage == tuple(layout.chunk_zyx)


class Answers:
    """Yes or no for chunk keys: a hash table that is read and written by whole arrays.

    A camera change adds a few hundred keys and looks thousands up; inserting into a
    sorted array would copy all that was ever asked each time. Not thread-safe.
    """

    def __init__(self) -> None:
        self._n = 0
        self._keys = np.full(_LEAST_ROWS, _FREE, dtype=np.int64)
        self._values = np.zeros(_LEAST_ROWS, dtype=np.bool_)

    def __len__(self) -> int:
        return self._n

    def _first_rows(self, keys: NDArray[np.int64]) -> NDArray[np.int64]:
        # The high bits of the product depend on all bits of a key.
        n_bits = len(self._keys).bit_length() - 1
        mixed = keys.view(np.uint64) * _GOLDEN
        mixed >>= np.uint64(64 - n_bits)
        return mixed.view(np.int64)

    def look_up(
        self, keys: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which keys are known, and what of them: False for the others.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
        """
        rows, mask = self._first_rows(keys), len(self._keys) - 1
        found = self._keys[rows]
        left = np.flatnonzero((found != keys) & (found != _FREE))
        # Linear probing, all at once: few go on to a second row.
        while len(left):
            rows[left] = at = (rows[left] + 1) & mask
            found[left] = there = self._keys[at]
            left = left[(there != keys[left]) & (there != _FREE)]
        is_known = found == keys
        return is_known, is_known & self._values[rows]

    def add(self, keys: NDArray[np.int64], values: NDArray[np.bool_]) -> None:
        """Remember answers.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Each once, none known.
        values : ndarray, shape (n,), bool
        """
        self._n += len(keys)
        if 2 * self._n > len(self._keys):
            is_used = self._keys != _FREE
            keys = np.concatenate([self._keys[is_used], keys])
            values = np.concatenate([self._values[is_used], values])
            n_rows = 1 << (4 * self._n).bit_length()
            self._keys = np.full(n_rows, _FREE, dtype=np.int64)
            self._values = np.zeros(n_rows, dtype=np.bool_)
        rows, mask = self._first_rows(keys), len(self._keys) - 1
        left = np.arange(len(keys))
        while len(left):
            at = rows[left]
            is_free = self._keys[at] == _FREE
            # Of several keys that find the same free row the last one stays.
            self._keys[at[is_free]] = keys[left[is_free]]
            left = left[self._keys[at] != keys[left]]
            rows[left] = (rows[left] + 1) & mask
        self._values[rows] = values


def _one_per_storage_chunk(layout: LevelLayout) -> list[Selection]:
    """Return one selection in each storage chunk along the other axes."""
    counts = [layout.grid[a] for a in layout.other_axes]
    if prod(counts) > MOST_SELECTIONS:
        return [()] * (MOST_SELECTIONS + 1)
    steps = [layout.storage[a] for a in layout.other_axes]
    return [
        tuple(i * s for i, s in zip(index, steps, strict=True))
        for index in product(*map(range, counts))
    ]
