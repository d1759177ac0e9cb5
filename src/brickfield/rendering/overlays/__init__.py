"""Overlays of one view: view-local presentation, neither saved nor shared.

:class:`~brickfield.rendering.overlays.options.OverlayState` holds the options and
needs no GPU; :class:`~brickfield.rendering.overlays.overlay_set.OverlaySet` draws.
"""

from __future__ import annotations

from brickfield._faces import lazily

TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickfield.rendering.overlays.options import NAMES as NAMES
    from brickfield.rendering.overlays.options import TITLES as TITLES
    from brickfield.rendering.overlays.options import OverlayOptions as OverlayOptions
    from brickfield.rendering.overlays.options import OverlayState as OverlayState

__all__ = [
    "NAMES",  # All overlays, drawn first to last.
    "TITLES",  # Title and tooltip of each overlay, for menus.
    "OverlayOptions",  # What all overlays have.
    "OverlayState",  # Options of every overlay of a view, by name.
]

_HOME = {
    "NAMES": "options",
    "OverlayOptions": "options",
    "OverlayState": "options",
    "TITLES": "options",
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOME)
