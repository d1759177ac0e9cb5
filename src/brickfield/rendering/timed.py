"""Pictures that are there in time, however large they are.

Invariant: a picture is either drawn with every pixel, or as a whole with fewer of
them; never in part. Where the time could be too short volumes are drawn small
first, which tells what every pixel would take. Render thread only.
"""

from __future__ import annotations

from math import sqrt
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.rendering.offscreen import OffscreenView

GRACE_S = 1.0
"""What a picture may take beyond its time, so that there is one at all."""
SMALL = 1 / 8
"""Share of the pixels along each edge of the smallest picture."""
AMPLE_PX_A_S = 20_000
"""Pixels a second that any device draws: with time for that nothing is tried first."""


class TimedPicture(NamedTuple):
    """A picture and how it was drawn.

    Attributes
    ----------
    image : ndarray, shape (h, w, 4), uint8
    scale : float
        Drawn pixels along each edge, as a share; 1 for every pixel.
    cost_s : float
        Seconds that drawing every pixel takes.
    """

    image: NDArray[np.uint8]
    scale: float
    cost_s: float


def picture_by(view: OffscreenView, end: float) -> TimedPicture:
    """Draw a view's picture of now until a time of :func:`time.perf_counter`.

    A late picture has at least 1/8 of the pixels along each edge.
    """
    cost_s = cost_of(view, end)
    scale = scale_for(cost_s, end)
    view.renderer.pixel_scale = scale
    try:
        return TimedPicture(view.image(), scale, cost_s)
    finally:
        view.renderer.pixel_scale = 1


def cost_of(view: OffscreenView, end: float) -> float:
    """Return the seconds that the picture takes, about; 0 with ample time for it."""
    width, height = view.renderer.physical_size
    if width * height < AMPLE_PX_A_S * (end - perf_counter()):
        return 0.0
    view.renderer.pixel_scale = SMALL
    try:
        drawing = view.begin()
        # The first row compiles programs, which tells nothing of the others.
        drawing.draw_rows(1)
        start = perf_counter()
        while not drawing.is_done:
            drawing.draw_rows(drawing.n_rows)
        return (perf_counter() - start) / SMALL**2
    finally:
        view.renderer.pixel_scale = 1


def fits(cost_s: float, end: float) -> bool:
    """Tell whether something that takes so long is done at `end`, or a little later."""
    return perf_counter() + cost_s < end + GRACE_S


def scale_for(cost_s: float, end: float) -> float:
    """Return the share of pixels along an edge that can be drawn until `end`."""
    if fits(cost_s, end):
        return 1.0
    left_s = max(GRACE_S, end - perf_counter())
    return max(SMALL, min(1.0, sqrt(left_s / cost_s)))
