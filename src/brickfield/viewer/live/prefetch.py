"""A series that is watched or played: what comes next is read, levels give way first.

Invariant: a time point is shown when it is due; when it is not there yet, the ones
after it are asked for coarser, and finer again once they are in time. Render thread
only.
"""

from __future__ import annotations

from itertools import zip_longest

import numpy as np

from brickfield.model.chunks import Selection
from brickfield.rendering.offscreen import OffscreenView
from brickfield.viewer.live.frame_state import FrameState
from brickfield.viewer.live.lookahead import Lookahead

HASTEN, RELAX, MOST_HASTE = 1.5, 0.93, 12.0
"""How a series that is played aims lower, and back."""


class Series:
    """What a live view reads ahead.

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
        self._aheads: dict[int, Lookahead] = {}

    def follow(self, view: OffscreenView, state: FrameState, old: FrameState) -> None:
        """Take another state over; `view` still shows the old one."""
        watched = {id(s.layer) for s in state.layers if s.timeline}
        for name in set(self._aheads) - watched:
            self._aheads.pop(name).close()
        if not state.is_playing:
            self.haste = 1.0
        elif old.is_playing and _times(state) != _times(old):
            # Drop levels before the rate.
            is_late = not view.is_complete
            haste = self.haste * (HASTEN if is_late else RELAX)
            self.haste = min(max(haste, 1.0), MOST_HASTE)

    def look_ahead(self, view: OffscreenView, state: FrameState) -> None:
        """Read what comes next, and note which time points are at hand."""
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
            if ahead is None:
                loader = snapshot.store.manager
                ahead = self._aheads[name] = Lookahead(loader, renderer.visual_id)
            if snapshot.ahead:
                level = snapshot.store.pyramid.levels[0]
                chunk_bytes = int(np.prod(level.chunk_shape)) * level.dtype.itemsize
                ahead.want(plan.keys, chunk_bytes, snapshot.ahead)
            mine = ahead.at_hand(plan.keys, snapshot.timeline)
            at_hand = [a and b for a, b in zip_longest(at_hand or mine, mine)]
        self.at_hand = tuple(bool(a) for a in at_hand)

    def close(self) -> None:
        """Read nothing any more."""
        for ahead in self._aheads.values():
            ahead.close()
        self._aheads = {}


def _times(state: FrameState) -> list[tuple[Selection, ...]]:
    return [s.selections for s in state.layers]
