"""Reads what is likely to be shown next: later time points, planes further on.

What comes next is asked for at the lowest priority and into the RAM cache only; the
GPU takes it when its time comes. Nothing stays pinned: what arrived is let go of at
once and lives in the cache as long as there is room. Render thread only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.manager import ChunkManager
from brickfield.model.chunks import Selection, pack_keys, unpack_keys
from brickfield.model.requests import Category, ChunkedDataRequest
from brickfield.model.scales import Pyramid
from brickfield.planning.plan import FramePlan

CACHE_SHARE = 0.5
"""Share of the RAM budget that the next time points may take."""
MOST_LOOKS = 24
"""Chunks that are looked at to tell whether a time point is at hand."""
AHEAD_VOXELS, MOST_LAYERS = 32, 8
"""How far on, and through how many layers of chunks at most, planes are read."""


def chunks_ahead(
    plan: FramePlan, pyramid: Pyramid, axis: int, sign: int
) -> NDArray[np.int64]:
    """Return the chunks that a plane comes to when it goes on.

    Parameters
    ----------
    plan : FramePlan
        For the plane of now.
    pyramid : Pyramid
    axis : int
        Of the data (z, y, x), along which the plane moves most.
    sign : int
        1 or -1.

    Returns
    -------
    ndarray, shape (n,), int64
        Keys that the plan does not name, the nearest first.
    """
    leaves = plan.keys[plan.is_leaf]
    levels, indices = unpack_keys(leaves)
    found = []
    for level in np.unique(levels).tolist():
        thick = int(pyramid.chunk_shapes[level][axis])
        n_layers = min(MOST_LAYERS, -(-AHEAD_VOXELS // thick))
        for i in range(1, n_layers + 1):
            ahead = indices[levels == level].copy()
            ahead[:, axis] += sign * i
            last = pyramid.grids_zyx[level][axis]
            is_in = (ahead[:, axis] >= 0) & (ahead[:, axis] < last)
            found.append((i * thick, pack_keys(level, ahead[is_in])))
    if not found:
        return np.empty(0, dtype=np.int64)
    keys = np.concatenate([k for _, k in sorted(found, key=lambda pair: pair[0])])
    _, first = np.unique(keys, return_index=True)
    keys = keys[np.sort(first)]
    fresh: NDArray[np.int64] = keys[~np.isin(keys, plan.keys)]
    return fresh


class Lookahead:
    """What one layer in one view will show next.

    Parameters
    ----------
    manager : ChunkManager
    visual_id : str
        Of the layer's renderer.
    """

    def __init__(self, manager: ChunkManager, visual_id: str) -> None:
        self._manager = manager
        self._visual_id = f"{visual_id}-ahead"
        self._asked: tuple[int, tuple[Selection, ...]] | None = None

    def want(
        self, keys: NDArray[np.int64], chunk_bytes: int, selections: Sequence[Selection]
    ) -> None:
        """Read these chunks of the selections that come next, the nearest first.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Most wanted first: of the present plan, or :func:`chunks_ahead` of it.
        chunk_bytes : int
            Decoded bytes of one chunk.
        selections : sequence of tuple of int
            Next time points, in order; as many are read as there is room for.
        """
        room = int(CACHE_SHARE * self._manager.cache.budget_bytes)
        n_fit = room // max(1, len(keys) * chunk_bytes)
        coming = tuple(selections[:n_fit])
        asked = (hash(keys.tobytes()), coming)
        if asked != self._asked:
            self._asked = asked
            rows = np.linspace(0, 0.999, len(keys), dtype=np.float32)
            category = np.full(len(keys), Category.PREFETCH, np.uint8)
            requests = [
                ChunkedDataRequest(
                    self._visual_id, s, keys, rows + np.float32(i), category
                )
                for i, s in enumerate(coming)
            ]
            self._manager.request_chunks(requests, self._visual_id)
        self.let_go()

    def let_go(self) -> None:
        """Leave what has arrived to the cache; call when a chunk is announced."""
        self._manager.take_ready(self._visual_id)

    def at_hand(
        self, keys: NDArray[np.int64], selections: Sequence[Selection]
    ) -> list[bool]:
        """Tell which time points could be shown without reading.

        Looks at no more than :data:`MOST_LOOKS` of the chunks, spread evenly.
        """
        step = max(1, len(keys) // MOST_LOOKS)
        looked = keys[::step].tolist()
        peek = self._manager.peek
        return [
            all(peek(selection, key) is not None for key in looked)
            for selection in selections
        ]

    def close(self) -> None:
        """Want nothing any more."""
        self._asked = None
        self._manager.release(self._visual_id)
