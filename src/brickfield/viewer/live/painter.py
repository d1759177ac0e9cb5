"""Draws one picture at a time, at once or in pieces, and learns how long it takes.

Invariant: of a picture that is drawn in pieces nothing is shown before the last one;
whatever plans, uploads or draws in the same view meanwhile has to :meth:`abandon` it.
Render thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from brickfield.rendering.banded_draw import Drawing
from brickfield.rendering.frame_uniforms import FrameOptions
from brickfield.rendering.offscreen import OffscreenView
from brickfield.viewer.live.frame_budget import NOTHING, Effort, Pace, next_rows

Image = NDArray[np.uint8]


@dataclass
class Ongoing:
    """A picture that is drawn in pieces."""

    drawing: Drawing
    effort: Effort
    usual: int
    n_rows: int
    ms: float = 0.0


class Painter:
    """Makes the pictures of one view.

    Attributes
    ----------
    pace : Pace
    shown : Effort
        Of the last picture.
    frame_ms : float
        What that took.
    drawn_at : float
        When it was there (:func:`time.perf_counter`).
    """

    def __init__(self) -> None:
        self.pace = Pace()
        self.shown = NOTHING
        self.frame_ms = 0.0
        self.drawn_at = 0.0
        self._programs: set[object] = set()
        self._ongoing: Ongoing | None = None

    @property
    def is_at_it(self) -> bool:
        """Whether a picture has been begun."""
        return self._ongoing is not None

    def abandon(self) -> bool:
        """Leave a picture that has been begun; tell whether there was one."""
        was_at_it, self._ongoing = self.is_at_it, None
        return was_at_it

    def draw(
        self, view: OffscreenView, effort: Effort, *, at_once: bool = False
    ) -> Image | None:
        """Draw a picture, or begin it if it takes long.

        Returns
        -------
        ndarray, shape (h, w, 4), uint8, or None
            None when there are pieces left, see :meth:`go_on`.
        """
        view.renderer.pixel_scale = effort.scale
        view.options = FrameOptions(step_factor=effort.step)
        start = perf_counter()
        drawing = view.begin()
        if effort.scale == 1.0 and not (at_once or self.pace.is_quick(effort)):
            usual = self.pace.usual_rows(effort, drawing.n_rows_of_all)
            ms = 1e3 * (perf_counter() - start)
            self._ongoing = Ongoing(drawing, effort, usual, usual, ms)
            return None
        drawing_s = None
        if (programs := view.programs) not in self._programs:
            self._programs.add(programs)
            drawing_s = _draw_warming_up(drawing)
        drawing.draw_rest()
        image = view.finished()
        took_s = perf_counter() - start if drawing_s is None else drawing_s
        return self._shown(view, image, effort, 1e3 * took_s)

    def go_on(self, view: OffscreenView) -> Image | None:
        """Draw the next piece; return the picture after the last one."""
        on = self._ongoing
        assert on is not None
        start = perf_counter()
        on.drawing.draw_rows(on.n_rows)
        took_ms = 1e3 * (perf_counter() - start)
        on.ms += took_ms
        on.n_rows = next_rows(on.n_rows, took_ms, on.usual)
        if not on.drawing.is_done:
            return None
        self._ongoing = None
        return self._shown(view, view.finished(), on.effort, on.ms)

    def _shown(
        self, view: OffscreenView, image: Image, effort: Effort, ms: float
    ) -> Image:
        self.shown, self.frame_ms = effort, ms
        self.drawn_at = perf_counter()
        if view.has_base:
            # Nothing is drawn quickly: that tells nothing.
            self.pace.note(effort, ms)
        return image


def _draw_warming_up(drawing: Drawing) -> float:
    """Draw a picture whose programs are new; return the seconds without compiling."""
    drawing_s = 0.0
    while not drawing.is_done:
        drawing.draw_rows(1)
        start = perf_counter()
        drawing.draw_rows(drawing.n_rows)
        drawing_s += perf_counter() - start
    return drawing_s
