"""What the dock *Transforms* shows."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.qt.transforms.panel import TransformsPanel as TransformsPanel
    from brickfield.qt.transforms.turn import Turn as Turn

__all__ = [
    "TransformsPanel",  # A layer, its turn and shift, and what baking takes.
    "Turn",  # What the user chose for one image.
]

_HOME = {"TransformsPanel": "panel", "Turn": "turn"}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
