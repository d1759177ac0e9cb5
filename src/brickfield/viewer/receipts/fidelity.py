"""How true a picture is: one word, by one rule for views, receipts and files.

Invariant: a picture is called final only when every chunk on its rays is as fine as
was asked for and nothing is on its way. What a budget, the file or a fault keeps
from that has a word of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # windows know these names before pygfx is imported
    from brickfield.rendering import LayerRenderer

Fidelity = Literal["improving", "final", "limited", "failed"]
"""Better is on its way; every pixel is at its target; nothing finer is possible with
this budget or file; parts could not be read."""


def fidelity_of(renderers: Iterable[LayerRenderer], *, is_done: bool) -> Fidelity:
    """Judge the picture that renderers draw.

    Parameters
    ----------
    renderers : iterable of LayerRenderer
        Of the visible layers.
    is_done : bool
        Whether nothing is on its way and the picture is drawn at full quality.
    """
    if not is_done:
        return "improving"
    seen = list(renderers)
    if any(renderer.failures for renderer in seen):
        return "failed"
    return "limited" if any(map(_is_below_target, seen)) else "final"


def least_true(fidelities: Iterable[str]) -> str:
    """Return the word that speaks for several pictures; "" without any."""
    order = ("final", "limited", "failed", "improving")
    return max(fidelities, key=order.index, default="")


def notes_of(fidelity: str) -> dict[str, str]:
    """Return what a picture's file says of itself, by PNG keyword."""
    said = {
        "final": "complete",
        "limited": "complete; parts are coarser than asked for",
        "failed": "incomplete: not all data could be read",
        "improving": "incomplete: not all data had been read",
    }
    return {
        "Software": "napari-brickfield",
        "Description": said[fidelity],
        "brickfield-fidelity": fidelity,
    }


def _is_below_target(renderer: LayerRenderer) -> bool:
    # Only where something was drawn: it brings pygfx with it.
    from brickfield.rendering import target_rows

    plan = renderer.plan
    if plan is None:
        return False
    if renderer.layer.store.is_preview:
        return True
    return bool((plan.is_leaf & ~target_rows(plan)).any())
