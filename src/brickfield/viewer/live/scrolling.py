"""A plane that is moved along its normal: the chunks further on are read in advance.

Only where somebody is going, and only when everything that is seen is there. Render
thread only.
"""

from __future__ import annotations

import numpy as np

from brickfield.rendering.layer_renderer import LayerRenderer
from brickfield.rendering.offscreen import OffscreenView
from brickfield.viewer.live.frame_state import FrameState
from brickfield.viewer.live.lookahead import Lookahead, chunks_ahead


class Scrolling:
    """Where the plane of one view is going, and what is read for it."""

    def __init__(self) -> None:
        self._sign = 0
        self._aheads: dict[str, Lookahead] = {}

    def follow(self, state: FrameState, old: FrameState) -> None:
        """Note which way the plane moved."""
        now, before = state.plane, old.plane
        if now is None or before is None or now.normal != before.normal:
            self._sign = 0
        elif now.point != before.point:
            self._sign = int(np.sign(before.distance(now.point)))

    def look_ahead(self, view: OffscreenView, state: FrameState) -> None:
        """Read what comes next, once everything that is seen is there."""
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
        axis = int(np.abs(slopes).argmax())
        pyramid = renderer.bricks.pyramid
        sign = int(self._sign * np.sign(slopes[axis]))
        keys = chunks_ahead(plan, pyramid, axis, sign)
        ahead = self._aheads.get(renderer.visual_id)
        if ahead is None:
            name = f"{renderer.visual_id}-on"
            ahead = self._aheads[renderer.visual_id] = Lookahead(
                layer.store.manager, name
            )
        level = pyramid.levels[0]
        chunk_bytes = int(np.prod(level.chunk_shape)) * level.dtype.itemsize
        ahead.want(keys, chunk_bytes, tuple(dict.fromkeys(layer.selections)))

    def let_go(self) -> None:
        """Leave what has arrived to the cache."""
        for ahead in self._aheads.values():
            ahead.let_go()

    def close(self) -> None:
        """Read nothing any more."""
        for ahead in self._aheads.values():
            ahead.close()
        self._aheads = {}
