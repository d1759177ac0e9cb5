"""What a live view's picture has come to, read off its renderers."""

from __future__ import annotations

from typing import Any

from brickfield.loading.cache import default_cache
from brickfield.render.offscreen import OffscreenView
from brickfield.viewer.accounting import drawn_levels
from brickfield.viewer.live_state import ViewReport


def report_of(view: OffscreenView, **known: Any) -> ViewReport:
    """Make a report; on the render thread.

    Parameters
    ----------
    view : OffscreenView
    **known
        Fields of the report that the drawer knows: `image`, `state`, `is_complete`,
        `is_moving`, `at_hand`, `frame_ms`.
    """
    manager, cache = view.manager, default_cache()
    renderers = [r for r in manager.renderers if r.layer.visible]
    loads = [r.layer.store.tracker.status(r.visual_id) for r in renderers]
    lefts = [s.seconds_left for s in loads if s.waiting]
    guesses = [s for s in lefts if s is not None]
    levels = drawn_levels(renderers)
    return ViewReport(
        has_base=view.has_base,
        wanted=sum(s.wanted for s in loads),
        done=sum(s.done for s in loads),
        rate=sum(s.rate for s in loads),
        # One layer's guess says nothing of another that has none.
        seconds_left=max(guesses) if len(guesses) == len(lefts) and lefts else None,
        levels=(min(levels), max(levels)) if levels else (),
        n_levels=max((r.bricks.pyramid.n_levels for r in renderers), default=0),
        is_coarsened=any(r.plan and r.plan.is_coarsened for r in renderers),
        failures=tuple(f for r in renderers for f in r.failures),
        gpu_bytes=manager.gpu_bytes,
        gpu_budget=manager.gpu_budget,
        ram_bytes=cache.nbytes,
        ram_budget=cache.budget_bytes,
        adapter=view.gpu.adapter,
        **known,
    )
