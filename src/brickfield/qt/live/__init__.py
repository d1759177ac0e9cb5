"""The parts of the dock *Live acquisition* that know nothing of napari."""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.qt.live.panel import LivePanel as LivePanel
    from brickfield.qt.live.panel import LiveText as LiveText

__all__ = [
    "LivePanel",  # What the dock *Live acquisition* shows.
    "LiveText",  # What is said of an acquisition.
]

_HOME = {
    "LivePanel": "panel",
    "LiveText": "panel",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
