"""Where overlays stand: each has a corner, and those of one corner are stacked."""

from __future__ import annotations

from brickfield.rendering.overlays.context import OverlayContext
from brickfield.rendering.overlays.options import Corner

MARGIN = 10.0
"""Between the picture's edge and what stands in its corner, logical pixels."""
GAP = 6.0
"""Between what stands in one corner."""


class Layout:
    """Places of one frame.

    Parameters
    ----------
    context : OverlayContext
    """

    def __init__(self, context: OverlayContext) -> None:
        self._context = context
        self._used: dict[str, float] = {}
        # A thumbnail has no room to give away.
        self._margin = min(MARGIN, 0.04 * min(context.size))

    def place(self, corner: Corner, width: float, height: float) -> tuple[float, float]:
        """Reserve the next place of a rectangle in a corner.

        Parameters
        ----------
        corner : Corner
            Such as "bottom_left".
        width : float
            Logical pixels.
        height : float
            Logical pixels.

        Returns
        -------
        tuple of float
            Its left and bottom, logical pixels, on whole physical ones.
        """
        used = self._used.get(corner, self._margin)
        self._used[corner] = used + height + GAP
        w, h = self._context.size
        left = self._margin if corner.endswith("left") else w - self._margin - width
        bottom = used if corner.startswith("bottom") else h - used - height
        snap = self._context.snap
        return (snap(max(left, 0.0)), snap(bottom))
