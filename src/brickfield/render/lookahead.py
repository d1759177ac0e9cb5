"""Reads the next time points while one is shown.

What comes next is asked for with the present plan's chunks, at the lowest priority,
into the RAM cache only; the GPU takes it when its time comes. Nothing stays pinned:
what arrived is let go of at once and lives in the cache as long as there is room.
Render thread only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.manager import ChunkManager
from brickfield.model.chunks import Selection
from brickfield.model.requests import Category, ChunkedDataRequest

CACHE_SHARE = 0.5
"""Share of the RAM budget that the next time points may take."""
MOST_LOOKS = 24
"""Chunks that are looked at to tell whether a time point is at hand."""


class Lookahead:
    """The next time points of one layer in one view.

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
        """Read these chunks of the time points that come next, the nearest first.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Chunks of the present plan, most wanted first.
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
