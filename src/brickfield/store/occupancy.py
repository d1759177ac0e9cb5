"""Which planned chunks are known to hold nothing.

Answers are remembered as sorted arrays of chunk keys, because a planner needs
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
from brickfield.model import Selection, pack_keys
from brickfield.sources import ChunkSource

MOST_SELECTIONS = 64
"""Storage chunks along the other axes that are looked at for one planned chunk."""
MOST_KEYS = 1_000_000
"""Most answers that are remembered; then all are forgotten."""
_NOTHING = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)


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
        self._known = [_NOTHING] * pyramid.n_levels
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
        with self._lock:
            if not self._is_fresh:
                self._begin()
            return self._tell(level, indices)

    def _tell(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        if level in self._cannot_tell:
            return None
        keys = pack_keys(level, indices)
        is_known, is_empty = self._look_up(level, keys)
        if is_known.all():
            return is_empty
        new, first = np.unique(keys[~is_known], return_index=True)
        answer = self._ask(level, np.asarray(indices)[~is_known][first])
        if answer is None:
            self._cannot_tell.add(level)
            return None
        self._remember(level, new, answer)
        return self._look_up(level, keys)[1]

    def _look_up(
        self, level: int, keys: NDArray[np.int64]
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        known, is_empty = self._known[level]
        if not len(known):
            return np.zeros(len(keys), np.bool_), np.zeros(len(keys), np.bool_)
        rows = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        is_known = known[rows] == keys
        return is_known, is_known & is_empty[rows]

    def _remember(
        self, level: int, keys: NDArray[np.int64], is_empty: NDArray[np.bool_]
    ) -> None:
        if sum(len(known) for known, _ in self._known) + len(keys) > MOST_KEYS:
            self._known = [_NOTHING] * len(self._known)
        # A level apart from the others: a move of the camera adds a few to each.
        known, was_empty = self._known[level]
        places = np.searchsorted(known, keys)
        self._known[level] = (
            np.insert(known, places, keys),
            np.insert(was_empty, places, is_empty),
        )

    def _ask(self, level: int, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        layout = self._layouts[level]
        selections = _one_per_storage_chunk(layout)
        if len(selections) > MOST_SELECTIONS:
            return None
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
