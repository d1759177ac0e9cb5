"""Contrast limits of layers whose image had no voxels when they were made.

Invariant: limits that the user chose, or that the data had when they were opened, are
left alone. Main thread only.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from time import monotonic
from typing import Any

from brickfield.plugin.layers.auto_contrast import preliminary, room_around
from brickfield.plugin.layers.make import channel_of
from brickfield.qt import Background
from brickfield.store import ChunkedImageStore
from brickfield.viewer.live import unrecorded

PAUSE_S = 1.0
"""Least time from one choice to the next."""
MOST_CHOICES = 8

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
        if store is None or not open_layers or not is_due:
            return
        self._n_left -= 1
        self._chosen_at = now
        selections = []
        for layer in open_layers:
            selection = list(store.default_selection(channel_of(layer) or 0))
            if 0 in store.pyramid.other_axes:
                selection[0] = newest
            selections.append(tuple(selection))

        def look() -> list[Window]:
            return [store.estimate_contrast(selection) for selection in selections]

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
        return (low, high) == preliminary(store) or (low == 0 and high <= 1)

    def _set(
        self,
        layers: Sequence[Any],
        found: Sequence[Window] | None,
        error: BaseException | None,
    ) -> None:
        store = self._store()
        if found is None or error is not None or store is None:
            return
        for layer, (low, high) in zip(layers, found, strict=True):
            is_empty = low == 0 and high <= 1
            if self._is_open(store, layer) and not is_empty:
                self._chosen[id(layer)] = (float(low), float(high))
                with unrecorded():
                    ends = room_around((low, high), store.pyramid.dtype)
                    layer.contrast_limits_range = ends
                    layer.contrast_limits = (low, high)
