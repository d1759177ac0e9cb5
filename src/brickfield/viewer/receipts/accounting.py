"""Adds up what a picture cost: bytes, requests, levels and classes of pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from brickfield.rendering.layer_renderer import LayerRenderer
from brickfield.store.image_store import ChunkedImageStore

_CLASSES = {1: "at_target", 2: "coarser", 3: "empty", 4: "failed"}


class Account:
    """Counts from its making on what a store was asked for."""

    def __init__(self, store: ChunkedImageStore) -> None:
        self.store = store
        self._start = store.manager.counters

    @property
    def bytes_read(self) -> int:
        """Stored bytes asked of the store since then."""
        return self.store.manager.counters.bytes_read - self._start.bytes_read

    @property
    def requests(self) -> int:
        """Reads sent to the store since then."""
        return self.store.manager.counters.requests - self._start.requests

    def needed_bytes(self, *renderers: LayerRenderer) -> tuple[int, int]:
        """Return the stored bytes that the pictures need, each storage chunk once.

        Needed is what is drawn in the end: not what is read beside it so that
        something is seen meanwhile.

        Returns
        -------
        minimum, in_memory : int
            Of the storage chunks that had to be read since then, never more than
            :attr:`bytes_read`; and of those that were in memory.
        """
        needed = [wish for r in renderers for wish in r.needed()]
        ended = [wish for r in renderers for wish in r.needed(is_ended=True)]
        return self.store.manager.needed_bytes(needed, ended, since=self._start)


def drawn_levels(renderers: Iterable[LayerRenderer]) -> dict[int, int]:
    """Return how many bricks of every level are drawn, finest level first.

    What lies whole under finer bricks, as the overview of a finished picture does,
    is not drawn.
    """
    counts: Counter[int] = Counter()
    for renderer in renderers:
        counts.update(dict(enumerate(renderer.bricks.table.n_active)))
        counts.subtract(_covered(renderer))
    return {level: counts[level] for level in sorted(counts) if counts[level]}


def _covered(renderer: LayerRenderer) -> Counter[int]:
    """Count the chunks that the plan keeps only to fall back to, if none is needed."""
    plan = renderer.plan
    if plan is None or not renderer.is_complete or renderer.failures:
        return Counter()
    active = renderer.bricks.table.active
    planes = [renderer.bricks.atlas.plane_of(s) for s in renderer.shown]
    rows = np.flatnonzero(~plan.is_leaf)
    keys, levels = plan.keys[rows].tolist(), plan.levels[rows].tolist()
    return Counter(
        level
        for key, level in zip(keys, levels, strict=True)
        for plane in planes
        if (plane, key) in active
    )


def pixel_shares(
    classes: NDArray[np.uint8], *, is_reduced: bool = False
) -> dict[str, float]:
    """Return the shares of the classes among the pixels that the volume covers.

    Parameters
    ----------
    classes : ndarray, shape (h, w), uint8
        1 at target, 2 coarser, 3 nothing loaded, 4 failed, 0 no volume there.
    is_reduced : bool
        Whether the picture was drawn with fewer pixels: none is at the target then.
    """
    if is_reduced:
        classes = np.where(classes == 1, np.uint8(2), classes)
    covered = int(np.count_nonzero(classes))
    return {
        name: float(np.count_nonzero(classes == value)) / covered if covered else 0.0
        for value, name in _CLASSES.items()
    }


def quantiles(values: Iterable[float]) -> dict[str, float]:
    """Return median and p99; zeros without values."""
    v = np.fromiter(values, dtype=np.float64)
    if not v.size:
        return {"median": 0.0, "p99": 0.0}
    return {"median": float(np.median(v)), "p99": float(np.percentile(v, 99))}
