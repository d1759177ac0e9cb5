"""How finely and how often a live view draws, so that the next movement is answered.

Invariant: no piece of drawing takes much longer than :data:`PIECE_MS` as far as the
pictures before tell, and drawing takes about a sixth of the time while data arrive.
What a slow device cannot draw at once is first drawn with fewer pixels, then in pieces
between which something new is noticed. The picture at rest is the same on every device.

The choice is made of pure numbers: :class:`DrawingSpeed` neither draws nor waits.

:class:`Painter` draws one picture at a time, at once or in pieces, and learns how long
it takes. Invariant: of a picture that is drawn in pieces nothing is shown before the
last one; whatever plans, uploads or draws in the same view meanwhile has to
:meth:`abandon` it. Render thread only.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.rendering import Drawing, FrameOptions, OffscreenView

FLUENT_MS = 45.0
"""What a picture may take while the camera moves."""
QUICK_MS = 100.0
"""What a picture may take in one piece, and the first one after a change."""
PIECE_MS = 60.0
"""What a piece of a longer one should take."""
SCALES = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Shares of the pixels' edge lengths, where fewer pixels are drawn."""
UNKNOWN_SCALE = 0.35
"""Of the first picture on a device whose speed is not known."""
LOADING_SHARE = 1 / 8
"""Of the time since the picture began, what one picture may take while loading."""
BREAK = 5.0
"""Time between pictures while loading, in times that the last one took."""
SHORTEST_BREAK_S = 0.1
FEW_ROWS = 16
"""Of a piece while nothing is known."""
BLOCK_ROWS = 4
"""Software renderers draw blocks of so many rows; where a piece ends inside of one it is
drawn twice. With pieces of any number of rows a picture took a tenth longer."""
KINDS = 8
"""Kinds of pictures whose times are remembered."""
GREATEST_FACTOR = 4.0
"""Of what pictures of a kind take to what their amount of work tells."""
KEPT = 0.98
"""Of such an excess over 1, from picture to picture."""
COARSEST_PX = 8.0
"""No voxel is drawn larger than this in place of finer ones, logical pixels."""
BASE_WAIT_S = 0.15
"""What a picture waits for the first data, rather than show that there are none."""


class PictureQuality(NamedTuple):
    """How finely one picture is drawn.

    Attributes
    ----------
    scale : float
        Share of the pixels' edge lengths.
    step : float
        Distance of samples, voxels.
    is_final : bool
        Whether a picture at rest gets no finer.
    coarser : int
        Levels that it stays above the finest that the view shows at rest.
    """

    scale: float
    step: float = 1.0
    is_final: bool = False
    coarser: int = 0

    @property
    def amount(self) -> float:
        """Work, in full pictures with one sample per voxel."""
        # A third of the step takes twice as long: bricks are found as often as before.
        # A coarser level has half of the samples and of the bricks along a ray; setting
        # a ray up costs the same (measured: 0.40, 0.21, 0.13 of the time).
        levels = 0.08 + 0.92 * float(0.35**self.coarser)
        return self.scale**2 * max(1.0, 2 / (3 * self.step)) * levels

    def grain_px(self, voxel_px: float) -> float:
        """Return the smallest that the picture shows, pixels of the screen.

        Parameters
        ----------
        voxel_px : float
            Edge of the voxels of the finest level.
        """
        return max(1 / self.scale, voxel_px * (1 << self.coarser))


NOTHING = PictureQuality(0.0)


@dataclass(frozen=True, slots=True)
class ViewConditions:
    """What a view shows and waits for at one moment.

    Attributes
    ----------
    is_moving, is_playing : bool
        Whether the camera moves; whether a series is played.
    is_flat : bool
        Whether a slice is shown: it costs nearly nothing and is drawn at its best.
    is_asked, has_news : bool
        Whether an action of the user, or data that arrived, are not drawn yet.
    has_base, is_complete : bool
        Whether the overview is there, and everything.
    is_bare : bool
        Whether the overview was not drawn yet.
    shown : PictureQuality
        Of the last picture.
    frame_ms : float
        What that took.
    idle_s, elapsed_s : float
        Since it was drawn, and since something else was asked for.
    voxel_px : float
        Edge of the finest voxels of the view, pixels of the screen.
    n_coarser : int
        Levels above theirs.
    """

    is_moving: bool = False
    is_playing: bool = False
    is_flat: bool = False
    is_asked: bool = False
    has_news: bool = False
    has_base: bool = True
    is_bare: bool = False
    is_complete: bool = False
    shown: PictureQuality = NOTHING
    frame_ms: float = 0.0
    idle_s: float = 0.0
    elapsed_s: float = 0.0
    voxel_px: float = 1.0
    n_coarser: int = 0


class DrawingSpeed:
    """What a view knows of the speed of its device.

    Attributes
    ----------
    full_ms : float
        What all pixels with one sample per voxel add to a picture; 0 while unknown.
    fixed_ms : float
        What every picture takes, however few its pixels: it is enlarged, decorated
        and read back.
    """

    def __init__(self) -> None:
        self.full_ms = 0.0
        self.fixed_ms = 0.0
        self._took: dict[float, float] = {}
        # By amount: how many times as long pictures of a kind take as it tells.
        self._factors: dict[float, float] = {}
        self._last_amount = 0.0

    def note(self, quality: PictureQuality, ms: float) -> None:
        """Update the estimate of how long pictures take.

        Parameters
        ----------
        quality : PictureQuality
            How the picture was drawn.
        ms : float
            What it took.
        """
        self._took.pop(quality.amount, None)
        self._took[quality.amount] = ms
        if len(self._took) > KINDS:
            del self._took[next(iter(self._took))]
        self.fixed_ms = self._fixed()
        # What all pixels at full sampling would take: pictures of any quality can be
        # compared.
        full = max(ms - self.fixed_ms, 0.1 * ms) / quality.amount
        # A kind that was slow once gets another chance after a while.
        self._factors = {k: 1 + KEPT * (f - 1) for k, f in self._factors.items()}
        known = self._factors.get(quality.amount, 1.0)
        if self.full_ms and quality.amount != self._last_amount:
            # The view is that of a moment ago, so that the difference is of the kind.
            # Otherwise two kinds would take turns, each chosen at the cost of the other.
            factor = min(max(full / self.full_ms, 1.0), GREATEST_FACTOR)
            known = self._factors[quality.amount] = 0.5 * (known + factor)
        self._last_amount = quality.amount
        full /= known
        # Half old, half new: follows a change of the view within a few pictures, and
        # one slow picture does not decide alone.
        self.full_ms = 0.5 * (self.full_ms + full) if self.full_ms else full

    def _fixed(self) -> float:
        """Find what pictures of much and of little work have in common."""
        little, much = min(self._took), max(self._took)
        if much < 4 * little:
            return self.fixed_ms
        at_little, at_much = self._took[little], self._took[much]
        # A line through both, down to no work at all.
        found = (at_little * much - at_much * little) / (much - little)
        return min(max(found, 0.0), 0.9 * at_little)

    def cost_ms(self, quality: PictureQuality) -> float:
        """Guess how long a picture will take; infinite while nothing is known."""
        if not self.full_ms:
            return float("inf")
        known = self._factors.get(quality.amount, 1.0)
        return self.fixed_ms + self.full_ms * known * quality.amount

    def is_quick(self, quality: PictureQuality) -> bool:
        """Tell whether a picture can be drawn in one piece."""
        return self.cost_ms(quality) <= QUICK_MS

    @property
    def is_slow(self) -> bool:
        """Whether a picture of all pixels is known not to be fluent."""
        return self.full_ms > FLUENT_MS

    def within(
        self, ms: float, *, voxel_px: float = 1.0, n_coarser: int = 0
    ) -> PictureQuality:
        """Return the finest picture that can be drawn in a time.

        Fewer pixels show no voxels that are smaller than they are, so that a coarser
        level is mostly no loss: it is chosen together with the pixels.

        Parameters
        ----------
        ms : float
        voxel_px : float
            Edge of the finest voxels of the view, pixels of the screen.
        n_coarser : int
            Levels above theirs.
        """
        if not self.full_ms:
            return PictureQuality(UNKNOWN_SCALE)
        qualities = [
            PictureQuality(scale, coarser=coarser)
            for scale in SCALES
            for coarser in range(n_coarser + 1)
            if not coarser or voxel_px * 2**coarser <= COARSEST_PX
        ]
        fits = [e for e in qualities if self.cost_ms(e) <= ms]
        # Of equal grain the one with more pixels, then with the finer voxels.
        return min(
            fits or qualities[-1:],
            key=lambda e: (e.grain_px(voxel_px), -e.scale, e.coarser),
        )

    def choose(
        self, now: ViewConditions, best: PictureQuality
    ) -> PictureQuality | float:
        """Decide whether to draw, and how.

        Parameters
        ----------
        now : ViewConditions
        best : PictureQuality
            Of a complete picture at rest.

        Returns
        -------
        PictureQuality or float
            How to draw at once, or the seconds after which to ask again: infinite
            when there is no use before something happens.
        """
        if now.is_moving:
            is_due = now.is_asked or now.has_news
            return self._within(FLUENT_MS, now) if is_due else inf
        # The overview is waited for this long: before it the picture would be empty.
        if not now.has_base and now.elapsed_s < BASE_WAIT_S:
            return BASE_WAIT_S - now.elapsed_s
        return self._whole(now, best) if now.is_complete else self._partial(now)

    def _whole(
        self, now: ViewConditions, best: PictureQuality
    ) -> PictureQuality | float:
        """Choose for a picture at rest whose chunks are all loaded."""
        # No coarse picture in between where the best one is quick.
        if now.is_flat or self.is_quick(best):
            is_due = now.is_asked or now.has_news or not now.shown.is_final
            return best if is_due else inf
        # An action is answered by a quick picture first, and the best one follows.
        if now.is_asked:
            return self._within(QUICK_MS, now)
        if now.is_playing:
            # The next time point comes before the best picture would be there.
            return self._within(QUICK_MS, now) if now.has_news else inf
        return best if now.has_news or not now.shown.is_final else inf

    def _partial(self, now: ViewConditions) -> PictureQuality | float:
        """Choose for a picture at rest while something is on its way.

        The longer the user has waited, the more complete a picture is shown.
        """
        # The longer it has taken to load, the longer a picture may take: drawing stays
        # a fixed share of the time.
        ms = max(QUICK_MS, 1e3 * now.elapsed_s * LOADING_SHARE)
        quality = PictureQuality(1.0) if now.is_flat else self.within(ms)
        if now.is_asked or (now.is_bare and now.has_base):
            return quality
        # A break after each picture, in proportion to what it took, for loading and
        # uploads.
        left_s = max(SHORTEST_BREAK_S, 1e-3 * BREAK * now.frame_ms) - now.idle_s
        if now.has_news:
            return quality if left_s <= 0 else left_s
        # Nothing arrives: time for all the pixels of what there is.
        return quality if quality.scale > now.shown.scale and left_s <= 0 else inf

    def _within(self, ms: float, now: ViewConditions) -> PictureQuality:
        if now.is_flat:
            return PictureQuality(1.0)
        return self.within(ms, voxel_px=now.voxel_px, n_coarser=now.n_coarser)

    def usual_rows(self, quality: PictureQuality, n_rows: int) -> int:
        """Choose how many rows a piece has if all of the rows are alike.

        A picture has its rows once for each volume.

        Parameters
        ----------
        quality : PictureQuality
            How the picture is drawn.
        n_rows : int
            Of all volumes together.
        """
        cost = self.cost_ms(quality)
        if cost == float("inf"):
            return min(n_rows, FEW_ROWS)
        return min(n_rows, _whole_blocks(n_rows * PIECE_MS / max(cost, 1e-3)))


def next_rows(n_rows: int, took_ms: float, usual: int) -> int:
    """Choose how many rows the next piece has.

    What lies beyond rows of nothing may be as dense as anything: a piece has at
    most twice the usual.

    Parameters
    ----------
    n_rows : int
        Of the last piece.
    took_ms : float
        What it took.
    usual : int
        Rows of a piece if all rows were alike.
    """
    fitting = n_rows * PIECE_MS / max(took_ms, 1e-3)
    return _whole_blocks(min(fitting, 2 * usual))


def _whole_blocks(n_rows: float) -> int:
    """Return the rows of whole blocks in a number of rows; of a part of one, that part."""
    if n_rows < BLOCK_ROWS:
        return max(1, int(n_rows))
    return BLOCK_ROWS * int(n_rows // BLOCK_ROWS)


Image = NDArray[np.uint8]


@dataclass
class Ongoing:
    """A picture that is drawn in pieces."""

    drawing: Drawing
    quality: PictureQuality
    usual: int
    n_rows: int
    ms: float = 0.0


class Painter:
    """Makes the pictures of one view.

    Attributes
    ----------
    speed : DrawingSpeed
    shown : PictureQuality
        Of the last picture.
    frame_ms : float
        What that took.
    drawn_at : float
        When it was there (:func:`time.perf_counter`).
    """

    def __init__(self) -> None:
        self.speed = DrawingSpeed()
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

    def has_compiled(self, view: OffscreenView) -> bool:
        """Tell whether pictures of a view's layers need no new programs."""
        return view.programs in self._programs or view.kinds in view.compiled

    def compile(self, view: OffscreenView) -> None:
        """Compile the programs of a view's layers, if they are new."""
        if self.has_compiled(view):
            return
        self._programs.add(view.programs)
        # Programs are compiled where they are drawn with first: a small picture.
        view.renderer.pixel_scale = SCALES[-1]
        with view.without_overlays():
            view.begin().draw_rest()
            view.finished()

    def draw(
        self, view: OffscreenView, quality: PictureQuality, *, at_once: bool = False
    ) -> Image | None:
        """Draw a picture, or begin it if it takes long.

        Parameters
        ----------
        view : OffscreenView
        quality : PictureQuality
            Share of pixels and sampling step.
        at_once : bool
            Draw all of it, however long it takes.

        Returns
        -------
        ndarray, shape (h, w, 4), uint8, or None
            None when there are pieces left, see :meth:`go_on`.
        """
        # What that takes says nothing about the speed of drawing.
        self.compile(view)
        view.renderer.pixel_scale = quality.scale
        view.options = FrameOptions(step_factor=quality.step, coarser=quality.coarser)
        start = perf_counter()
        drawing = view.begin()
        if quality.scale == 1.0 and not (at_once or self.speed.is_quick(quality)):
            usual = self.speed.usual_rows(quality, drawing.n_rows_of_all)
            ms = 1e3 * (perf_counter() - start)
            self._ongoing = Ongoing(drawing, quality, usual, usual, ms)
            return None
        drawing.draw_rest()
        image = view.finished()
        return self._shown(view, image, quality, 1e3 * (perf_counter() - start))

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
        return self._shown(view, view.finished(), on.quality, on.ms)

    def _shown(
        self, view: OffscreenView, image: Image, quality: PictureQuality, ms: float
    ) -> Image:
        self.shown, self.frame_ms = quality, ms
        self.drawn_at = perf_counter()
        if view.has_base:
            # Nothing is drawn quickly: that tells nothing.
            self.speed.note(quality, ms)
        return image
