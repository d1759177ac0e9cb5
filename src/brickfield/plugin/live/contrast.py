"""Contrast limits of layers whose image had no voxels when they were made.

Invariant: limits that the user chose, or that the data had when they were opened, are
left alone. Main thread only.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Sequence
from time import monotonic
from typing import Any

from brickfield.plugin.layers.auto_contrast import preliminary, room_around
from brickfield.plugin.layers.make import channel_of
from brickfield.qt import Background
from brickfield.store import ChunkedImageStore, contrast_of
from brickfield.viewer.live import unrecorded

logger = logging.getLogger(__name__)
PAUSE_S = 1.0
"""Least time from one choice to the next."""
MOST_CHOICES = 8
"""Choices that are made of voxels; looks that find none yet do not count."""
EDGE = 512
"""Voxels along each edge of the part of a plane that is looked at."""

Window = tuple[float, float]


class LiveContrast:
    """Chooses the limits of an image's layers while its first voxels come.

    Parameters
    ----------
    store : ChunkedImageStore
        Not kept alive.
    background : Background
        Where voxels are looked at.
    """

    def __init__(self, store: ChunkedImageStore, background: Background) -> None:
        self._store = weakref.ref(store)
        self._background = background
        self._chosen: dict[int, Window] = {}
        self._n_left = MOST_CHOICES
        self._chosen_at = 0.0
        self._is_looking = False

    def choose(self, layers: Sequence[Any], newest: int) -> None:
        """Choose limits again, of the newest time point, unless that was a moment ago.

        Parameters
        ----------
        layers : sequence of napari.layers.Layer
            Of the image.
        newest : int
            Index along the first axis.
        """
        store, now = self._store(), monotonic()
        open_layers = [one for one in layers if store and self._is_open(store, one)]
        is_due = self._n_left > 0 and now >= self._chosen_at + PAUSE_S
        if store is None or not open_layers or not is_due or self._is_looking:
            return
        self._is_looking, self._chosen_at = True, now
        selections = []
        for layer in open_layers:
            selection = list(store.default_selection(channel_of(layer) or 0))
            if 0 in store.pyramid.other_axes:
                selection[0] = newest
            selections.append(tuple(selection))

        def look() -> list[Window]:
            return [window_of(store, selection) for selection in selections]

        self._background.run(
            look, lambda found, error: self._set(open_layers, found, error)
        )

    def _is_open(self, store: ChunkedImageStore, layer: Any) -> bool:
        """Whether a layer's limits were never chosen."""
        if not hasattr(layer, "contrast_limits"):
            return False
        low, high = (float(v) for v in layer.contrast_limits)
        ours = self._chosen.get(id(layer))
        if ours is not None:
            return (low, high) == ours
        return (low, high) == preliminary(store) or is_empty((low, high))

    def _set(
        self,
        layers: Sequence[Any],
        found: Sequence[Window] | None,
        error: BaseException | None,
    ) -> None:
        self._is_looking = False
        store = self._store()
        if error is not None:
            logger.info("no contrast yet: %s", error)
        if found is None or store is None:
            return
        self._n_left -= not all(is_empty(window) for window in found)
        for layer, (low, high) in zip(layers, found, strict=True):
            if self._is_open(store, layer) and not is_empty((low, high)):
                self._chosen[id(layer)] = (float(low), float(high))
                with unrecorded():
                    ends = room_around((low, high), store.pyramid.dtype)
                    layer.contrast_limits_range = ends
                    layer.contrast_limits = (low, high)


def window_of(store: ChunkedImageStore, selection: tuple[int, ...]) -> Window:
    """Choose limits from the coarsest level, or from the finest where that is empty.

    A writer that is not fast enough leaves the coarse levels behind.

    Parameters
    ----------
    store : ChunkedImageStore
    selection : tuple of int
        Index on every non-spatial axis.
    """
    window = store.estimate_contrast(selection)
    if not is_empty(window) or store.pyramid.n_levels == 1:
        return window
    nz, ny, nx = store.pyramid.levels[0].shape_zyx
    z, y, x = nz // 2, max(ny - EDGE, 0) // 2, max(nx - EDGE, 0) // 2
    end = (z + 1, min(y + EDGE, ny), min(x + EDGE, nx))
    return contrast_of(store.read(0, ((z, y, x), end), selection))


def is_empty(window: Window) -> bool:
    """Tell whether limits are those of voxels that are all zero, or none."""
    low, high = window
    return low == 0 and high <= 1
