"""Reads what is likely to be shown next: later time points, planes further on.

What comes next is requested at the lowest priority and into the RAM cache only; the GPU
gets it when it is shown. Nothing stays pinned: what arrived is released at once and
lives in the cache as long as there is room. Render thread only.

:class:`Series` follows a series that is watched or played. Invariant: a time point is
shown when it is due; when it is not there yet, the ones after it are asked for coarser,
and finer again once they are in time.

:class:`Scrolling` follows a plane that is moved along its normal: the chunks further on
are read in advance, only in the direction of movement, and only when everything visible
is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from brickfield.loading import ChunkManager
from brickfield.model import Pyramid, Selection, pack_keys, unpack_keys
from brickfield.model.requests import Category, ChunkedDataRequest
from brickfield.planning import FramePlan
from brickfield.rendering import LayerRenderer, OffscreenView
from brickfield.viewer.live.frame_state import FrameState

CACHE_SHARE = 0.5
"""Share of the RAM budget that the next time points may take."""
MOST_LOOKS = 24
"""Chunks that are looked at to tell whether a time point is loaded."""
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
        # About as many voxels at every level, whatever the thickness of its chunks.
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
    # Duplicates come from leaves above one another; the nearest of each is kept.
    _, first = np.unique(keys, return_index=True)
    keys = keys[np.sort(first)]
    fresh: NDArray[np.int64] = keys[~np.isin(keys, plan.keys)]
    return fresh


class ChunkPrefetch:
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

    def reads_with(self, manager: ChunkManager) -> bool:
        """Tell whether it reads with a loader; an image on another grid has another."""
        return self._manager is manager

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
        # Only what fits half of the cache: more would evict the first before it is
        # shown.
        n_fit = room // max(1, len(keys) * chunk_bytes)
        coming = tuple(selections[:n_fit])
        # The same request again would only reset the reads that are on their way.
        asked = (hash(keys.tobytes()), coming)
        if asked != self._asked:
            self._asked = asked
            # Below 1, so that all of one time point come before the next one.
            rows = np.linspace(0, 0.999, len(keys), dtype=np.float32)
            category = np.full(len(keys), Category.PREFETCH, np.uint8)
            requests = [
                ChunkedDataRequest(
                    self._visual_id, s, keys, rows + np.float32(i), category
                )
                for i, s in enumerate(coming)
            ]
            self._manager.request_chunks(requests, self._visual_id)
        self.release_ready()

    def release_ready(self) -> None:
        """Leave what has arrived to the cache; call when a chunk is announced."""
        # Taking removes the pin; the voxels stay in the cache as long as there is room.
        self._manager.take_ready(self._visual_id)

    def at_hand(
        self, keys: NDArray[np.int64], selections: Sequence[Selection]
    ) -> list[bool]:
        """Tell which time points could be shown without reading.

        Looks at no more than :data:`MOST_LOOKS` of the chunks, spread evenly.

        Parameters
        ----------
        keys : ndarray, shape (n,), int64
            Chunks of a plan.
        selections : sequence of Selection
            One per time point.
        """
        step = max(1, len(keys) // MOST_LOOKS)
        # A sample is enough for a display, and looking at all would take long for each
        # report.
        looked = keys[::step].tolist()
        peek = self._manager.peek
        return [
            all(peek(selection, key) is not None for key in looked)
            for selection in selections
        ]

    def close(self) -> None:
        """Cancel all requests."""
        self._asked = None
        self._manager.release(self._visual_id)


HASTEN, RELAX, MOST_HASTE = 1.5, 0.93, 12.0
"""How a series that is played aims lower, and back."""


class Series:
    """What a live view prefetches.

    Attributes
    ----------
    haste : float
        Factor on the wanted size of a voxel on the screen, at least 1.
    at_hand : tuple of bool
        For each time point, whether it could be shown at once; as last looked.
    """

    def __init__(self) -> None:
        self.haste = 1.0
        self.at_hand: tuple[bool, ...] = ()
        self._aheads: dict[int, ChunkPrefetch] = {}

    def follow(self, view: OffscreenView, state: FrameState, old: FrameState) -> None:
        """Switch to another state; `view` still shows the old one.

        Parameters
        ----------
        view : OffscreenView
        state, old : FrameState
        """
        watched = {id(s.layer) for s in state.layers if s.timeline}
        for name in set(self._aheads) - watched:
            self._aheads.pop(name).close()
        if not state.is_playing:
            self.haste = 1.0
        elif old.is_playing and _times(state) != _times(old):
            # Drop levels before the rate.
            is_late = not view.is_complete
            # Quickly coarser, slowly finer again: the rate would oscillate otherwise.
            haste = self.haste * (HASTEN if is_late else RELAX)
            self.haste = min(max(haste, 1.0), MOST_HASTE)

    def look_ahead(self, view: OffscreenView, state: FrameState) -> None:
        """Request the next time points, and record which can be shown without reading.

        Parameters
        ----------
        view : OffscreenView
        state : FrameState
        """
        if not any(s.timeline for s in state.layers):
            return
        at_hand: list[bool] = []
        for renderer, snapshot in zip(
            view.manager.renderers, state.layers, strict=False
        ):
            plan, name = renderer.plan, id(snapshot.layer)
            if plan is None or not snapshot.timeline:
                continue
            ahead = self._aheads.get(name)
            loader = snapshot.loader
            if ahead is None or not ahead.reads_with(loader):
                ahead = self._aheads[name] = ChunkPrefetch(loader, renderer.visual_id)
            if snapshot.ahead:
                level = snapshot.store.pyramid.levels[0]
                chunk_bytes = int(np.prod(level.chunk_shape)) * level.dtype.itemsize
                ahead.want(plan.keys, chunk_bytes, snapshot.ahead)
            mine = ahead.at_hand(plan.keys, snapshot.timeline)
            # Of several layers, a time point counts when all have it.
            at_hand = [a and b for a, b in zip_longest(at_hand or mine, mine)]
        self.at_hand = tuple(bool(a) for a in at_hand)

    def close(self) -> None:
        """Cancel all reads."""
        for ahead in self._aheads.values():
            ahead.close()
        self._aheads = {}


def _times(state: FrameState) -> list[tuple[Selection, ...]]:
    return [s.selections for s in state.layers]


class Scrolling:
    """Where the plane of one view is going, and what is read for it."""

    def __init__(self) -> None:
        self._sign = 0
        self._aheads: dict[str, ChunkPrefetch] = {}

    def follow(self, state: FrameState, old: FrameState) -> None:
        """Record in which direction the plane moved.

        Parameters
        ----------
        state : FrameState
            The new one.
        old : FrameState
            The one before.
        """
        now, before = state.plane, old.plane
        if now is None or before is None or now.normal != before.normal:
            self._sign = 0
        elif now.point != before.point:
            self._sign = int(np.sign(before.distance(now.point)))

    def look_ahead(self, view: OffscreenView, state: FrameState) -> None:
        """Request what comes next, once everything visible is loaded.

        Parameters
        ----------
        view : OffscreenView
        state : FrameState
        """
        if not view.is_complete:
            return
        seen = [r for r in view.manager.renderers if r.layer.visible and self._sign]
        gone = self._aheads.keys() - {r.visual_id for r in seen}
        for name in gone:
            self._aheads.pop(name).close()
        for renderer in seen:
            self._look_ahead(renderer, state)

    def _look_ahead(self, renderer: LayerRenderer, state: FrameState) -> None:
        layer, plan, plane = renderer.layer, renderer.plan, state.plane
        if plan is None or plane is None:
            return
        slopes = plane.in_data(layer.world)[:3]
        # Of an oblique plane the axis that it moves along most.
        axis = int(np.abs(slopes).argmax())
        pyramid = renderer.bricks.pyramid
        sign = int(self._sign * np.sign(slopes[axis]))
        keys = chunks_ahead(plan, pyramid, axis, sign)
        ahead = self._aheads.get(renderer.visual_id)
        if ahead is None or not ahead.reads_with(layer.loader):
            name = f"{renderer.visual_id}-on"
            ahead = self._aheads[renderer.visual_id] = ChunkPrefetch(layer.loader, name)
        level = pyramid.levels[0]
        chunk_bytes = int(np.prod(level.chunk_shape)) * level.dtype.itemsize
        ahead.want(keys, chunk_bytes, tuple(dict.fromkeys(layer.selections)))

    def release_ready(self) -> None:
        """Leave what has arrived to the cache."""
        for ahead in self._aheads.values():
            ahead.release_ready()

    def close(self) -> None:
        """Cancel all reads."""
        for ahead in self._aheads.values():
            ahead.close()
        self._aheads = {}
