"""What a live view's picture has come to, read off its renderers."""

from __future__ import annotations

from typing import Any

from brickfield.loading.cache import default_cache
from brickfield.rendering.offscreen import OffscreenView
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.receipts.accounting import drawn_levels
from brickfield.viewer.receipts.fidelity import fidelity_of
from brickfield.viewer.receipts.level_names import LevelNames


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
    names = LevelNames.of(r.bricks.pyramid for r in renderers)
    is_done = bool(known["is_complete"]) and not known["is_moving"]
    return ViewReport(
        has_base=view.has_base,
        is_drawing=view.is_complete and not is_done,
        fidelity=fidelity_of(renderers, is_done=is_done),
        waiting=sum(s.waiting for s in loads),
        to_draw=sum(len(r.bricks.wanted) for r in renderers),
        drawn=sum(len(r.bricks.wanted) - len(r.bricks.missing) for r in renderers),
        factors=tuple(names.factors[n] for n in (min(levels), max(levels)))
        if levels
        else (),
        wanted=sum(s.wanted for s in loads),
        done=sum(s.done for s in loads),
        rate=sum(s.rate for s in loads),
        # One layer's guess says nothing of another that has none.
        seconds_left=max(guesses) if len(guesses) == len(lefts) and lefts else None,
        levels=(min(levels), max(levels)) if levels else (),
        level_names=names,
        n_levels=len(names.factors),
        is_coarsened=any(r.plan and r.plan.is_coarsened for r in renderers),
        failures=tuple(f for r in renderers for f in r.failures),
        gpu_bytes=manager.gpu_bytes,
        gpu_budget=manager.gpu_budget,
        ram_bytes=cache.nbytes,
        ram_budget=cache.budget_bytes,
        adapter=view.gpu.adapter,
        **known,
    )
