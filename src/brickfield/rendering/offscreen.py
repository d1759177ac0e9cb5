"""A view without a window: draws to an array.

The same engine as in the dock. Nothing polls: the thread sleeps on the loader's
condition until a chunk is ready or the time is over.

:func:`picture_by` makes a picture that is there in time, however large it is.
Invariant: a picture is either drawn with every pixel, or as a whole with fewer of them;
never in part. Where the time could be too short volumes are drawn small first, which
tells what every pixel would take. Render thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import partial
from math import inf, sqrt
from threading import Event
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import prepare
from brickfield.loading import ChunkManager
from brickfield.model import CameraState, physical_size
from brickfield.rendering.manager import FrameStatistics
from brickfield.rendering.volume_view import ANY_SMALLER, VolumeView, new_renderer
from brickfield.store import LayerSnapshot

MAX_FEEDBACK_ROUNDS = 6
"""Times that a finished picture is improved by what its rays reached."""


class OffscreenView(VolumeView):
    """A :class:`VolumeView` of a fixed size.

    Parameters
    ----------
    size : tuple of int
        Width and height, pixels.
    **options
        As for :class:`VolumeView`.
    """

    def __init__(self, size: tuple[int, int], **options: Any) -> None:
        prepare()
        from rendercanvas.offscreen import OffscreenRenderCanvas

        self.canvas = OffscreenRenderCanvas(size=size, pixel_ratio=1)
        self._error: BaseException | None = None
        self._news = Event()
        self.on_news: Callable[[], None] | None = None
        """Called on a reading thread when a chunk is ready."""
        self._loaders: dict[int, ChunkManager] = {}
        self._n_feedback_rounds = 0
        self._auditor: Any = None
        self._image_s = 0.0
        self.compiled: set[Hashable] = set()
        """Kinds of pictures that :meth:`compile` has compiled for."""
        self.audit_scale = 1.0
        """Share of the pixels along each edge for which :meth:`classes` judges."""
        super().__init__(self.canvas, **options)
        self._to_paint: Callable[[], None] = self.draw
        # Set once; what it paints is set for each picture.
        self.canvas.request_draw(self._paint)

    def show(self, layers: Sequence[LayerSnapshot]) -> None:
        """Show these snapshots of layers and no others."""
        super().show(layers)
        # Those of before are kept: a store on another grid has another loader.
        before, loaders = self._loaders, [x.loader for x in self._shown]
        now = self._loaders = {id(loader): loader for loader in loaders}
        for name in before.keys() - now:
            before[name].chunk_ready.disconnect(self.wake, missing_ok=True)
        for name in now.keys() - before:
            now[name].chunk_ready.connect(self.wake)

    def wake(self, _visual_id: str = "") -> None:
        """End a pause of what loads; from any thread."""
        self._news.set()
        if self.on_news is not None:
            self.on_news()

    def resize(self, size: tuple[int, int], pixel_ratio: float = 1.0) -> None:
        """Change the size of the following pictures.

        Parameters
        ----------
        size : tuple of int
            Width and height, logical pixels.
        pixel_ratio : float
            Physical pixels per logical one.
        """
        self.canvas.set_pixel_ratio(pixel_ratio)
        self.canvas.set_physical_size(*physical_size(size, pixel_ratio))

    def _paint(self) -> None:
        # rendercanvas logs and swallows what a draw function raises.
        try:
            self._to_paint()
        except BaseException as error:
            self._error = error
            raise

    def _painted(self, to_paint: Callable[[], None]) -> NDArray[np.uint8]:
        self._error = None
        self._to_paint = to_paint
        start = perf_counter()
        # Read back into memory of its own each time.
        pixels = np.ascontiguousarray(self.canvas.draw(), dtype=np.uint8)
        self._image_s = perf_counter() - start
        if self._error is not None:
            raise self._error
        return pixels

    def image(self) -> NDArray[np.uint8]:
        """Draw one frame and return it, shape (h, w, 4), uint8, row 0 on top."""
        return self._painted(self.draw)

    def finished(self) -> NDArray[np.uint8]:
        """Return the frame whose volumes were drawn in pieces, shape (h, w, 4), uint8."""
        return self._painted(self.finish)

    def compile(self, layers: Sequence[LayerSnapshot]) -> None:
        """Compile what pictures of such layers need, before they are shown.

        Parameters
        ----------
        layers : sequence of LayerSnapshot
            None of their voxels are read.
        """
        self.show(layers)
        self.sync()
        self.camera = CameraState((0, 0, -2), (0, 0, 0), (0, -1, 0), (1, 1))
        # Programs are compiled where they are drawn with first, and the first picture
        # has few pixels. One with all of them needs others, but it comes later.
        self.renderer.pixel_scale = ANY_SMALLER
        self.image()
        self.compiled.add(self.kinds)
        self.show(())
        self.camera = None
        self.manager.statistics = FrameStatistics()

    def classes(self) -> NDArray[np.uint8]:
        """Draw the receipt's class of every pixel, shape (h, w), 0 = no volume.

        With targets of its own: what was drawn before can still be picked.
        """
        renderer, options = self.renderer, self.options
        if self._auditor is None:
            # Kept, because pygfx keeps the targets of renderers that are gone.
            self._auditor = new_renderer(self.canvas)
        self._auditor.pixel_scale = self.audit_scale
        # Classes are numbers with nothing between them.
        self._auditor.pixel_filter = "nearest" if self.audit_scale < 1 else "linear"
        # Another renderer, so that the visible picture's targets keep their content.
        self.renderer = self._auditor
        self.options = replace(options, audit=True)
        try:
            return self.image()[..., 0]
        finally:
            self.renderer, self.options = renderer, options

    def wait_until_complete(
        self,
        timeout_s: float,
        *,
        on_base: Callable[[], None] | None = None,
        carry_out: Callable[[Callable[[], bool]], bool] = lambda work: work(),
    ) -> bool:
        """Load until nothing is on its way or the time is over.

        Parameters
        ----------
        timeout_s : float
        on_base : callable, optional
            Called once, when every layer's base level is drawable.
        carry_out : callable
            Does each piece of work, for a caller on another thread; what is between
            them is waiting for data.

        Returns
        -------
        bool
            Whether every chunk that the plan names has ended.
        """
        end = perf_counter() + timeout_s
        to_do = [] if on_base is None else [on_base]
        self.reset_feedback()
        while not carry_out(partial(self._turn, to_do, end)):
            left = end - perf_counter()
            if left <= 0:
                return False
            if not self.has_work:
                self._news.wait(min(left, 0.5, self.rest_s))
            self._news.clear()
        return True

    def load_while(
        self,
        is_going_on: Callable[[], bool],
        *,
        carry_out: Callable[[Callable[[], bool]], bool] = lambda work: work(),
    ) -> None:
        """Load as long as something else goes on; :meth:`wake` tells of its end.

        Parameters
        ----------
        is_going_on : callable
        carry_out : callable
            As for :meth:`wait_until_complete`.
        """
        while is_going_on():
            carry_out(lambda: self.update(slice_s=0.05))
            if not self.has_work:
                self._news.wait(min(0.5, self.rest_s))
            self._news.clear()

    def _turn(self, on_base: list[Callable[[], None]], end: float) -> bool:
        """Load for a moment; tell whether nothing better will come."""
        # The base level is shown before anything finer takes its time.
        self.update(slice_s=0.004 if on_base else 0.05)
        if on_base and self.has_base:
            on_base.pop()()
        if not self.is_complete:
            return False
        # Feedback needs a draw: without the time for that the picture stays as it is.
        return (
            perf_counter() + self._image_s > end or not self.apply_occlusion_feedback()
        )

    def end_waiting(self, reason: str, patience_s: float = 1.0) -> None:
        """Draw what was read so far of chunks that are being read; the rest has failed.

        Parameters
        ----------
        reason : str
            Why, in half a sentence.
        patience_s : float
            Longest time for uploading it, and for coarser data in place of the rest.
        """
        end = perf_counter() + patience_s
        seen = [r for r in self.manager.renderers if r.layer.visible]
        for renderer in seen:
            renderer.layer.loader.end_waiting(renderer.visual_id, reason)
        while not self.is_complete and perf_counter() < end:
            self.update(slice_s=0.05)
            if not self.has_work:
                self._news.wait(0.02)
            self._news.clear()

    def forgive(self) -> None:
        """Forget what failed because of the deadline, so that others may wait for it."""
        for renderer in self.manager.renderers:
            # A chunk that is corrupt stays failed: reading it again gives the same.
            late = [f for f in renderer.failures_by_chunk if f.is_transient]
            renderer.layer.loader.clear_failures(late)

    @property
    def has_work(self) -> bool:
        """Whether there is work left that will not be announced again."""
        seen = [r for r in self.manager.renderers if r.layer.visible]
        return any(r.upload_queue.has_more or r.bricks.has_repairs for r in seen)

    @property
    def rest_s(self) -> float:
        """Seconds until there is work again that is not announced; inf without any."""
        seen = [r.bricks for r in self.manager.renderers if r.layer.visible]
        due = min((bricks.held_until for bricks in seen), default=inf)
        return max(0.0, due - perf_counter())

    def reset_feedback(self) -> None:
        """Allow feedback rounds again, because camera or layers changed."""
        self._n_feedback_rounds = 0

    def apply_occlusion_feedback(self, *, is_drawn: bool = False) -> bool:
        """Free the slots of hidden chunks for visible ones, a few times at most.

        Parameters
        ----------
        is_drawn : bool
            Whether the current picture has been drawn already.

        Returns
        -------
        bool
            Whether it helped: there is more to load then.
        """
        if self._n_feedback_rounds >= MAX_FEEDBACK_ROUNDS or not any(
            r.can_use_feedback for r in self.manager.renderers
        ):
            return False
        self._n_feedback_rounds += 1
        if not is_drawn:
            self.image()
        helped = {
            r.visual_id for r in self.manager.renderers if r.apply_occlusion_feedback()
        }
        return bool(helped)

    @property
    def has_base(self) -> bool:
        """Whether every visible layer's base level is drawable."""
        return all(r.has_base for r in self.manager.renderers if r.layer.visible)

    def close(self) -> None:
        """Give everything back, the canvas too."""
        super().close()
        self.canvas.close()


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
    """Draw a view's current picture before a deadline.

    A late picture has at least 1/8 of the pixels along each edge.

    Parameters
    ----------
    view : OffscreenView
    end : float
        Time of :func:`time.perf_counter`.
    """
    cost_s = cost_of(view, end)
    scale = scale_for(cost_s, end)
    view.renderer.pixel_scale = scale
    try:
        return TimedPicture(view.image(), scale, cost_s)
    finally:
        view.renderer.pixel_scale = 1


def draw_small(view: OffscreenView) -> float:
    """Draw a view's current picture with the fewest pixels, and wait until it is there.

    Overlays are left out. What has to be compiled for the whole picture is compiled.

    Parameters
    ----------
    view : OffscreenView

    Returns
    -------
    float
        Seconds that its pixels took.
    """
    view.renderer.pixel_scale = SMALL
    try:
        drawing = view.begin()
        # What a picture of any size takes before its first pixel does not count.
        start = perf_counter()
        while not drawing.is_done:
            drawing.draw_rows(drawing.n_rows)
        return perf_counter() - start
    finally:
        view.renderer.pixel_scale = 1


def cost_of(view: OffscreenView, end: float) -> float:
    """Estimate the seconds that the picture takes; 0 with ample time for it.

    Parameters
    ----------
    view : OffscreenView
    end : float
        Time of :func:`time.perf_counter`.
    """
    width, height = view.renderer.physical_size
    if width * height < AMPLE_PX_A_S * (end - perf_counter()):
        return 0.0
    # The first one may compile programs, which tells nothing of the pixels; and where
    # the machine is busy with something else, the quicker one is nearer the truth.
    return min(draw_small(view) for _ in range(3)) / SMALL**2


def fits(cost_s: float, end: float) -> bool:
    """Tell whether something that takes `cost_s` is done at `end`, or a little later.

    Parameters
    ----------
    cost_s : float
        Seconds.
    end : float
        Time of :func:`time.perf_counter`.
    """
    return perf_counter() + cost_s < end + GRACE_S


def scale_for(cost_s: float, end: float) -> float:
    """Return the share of pixels along each edge that can be drawn before `end`.

    Parameters
    ----------
    cost_s : float
        Seconds for all pixels.
    end : float
        Time of :func:`time.perf_counter`.
    """
    if fits(cost_s, end):
        return 1.0
    left_s = max(GRACE_S, end - perf_counter())
    # Cost grows with the number of pixels, the square of the share along an edge.
    return max(SMALL, min(1.0, sqrt(left_s / cost_s)))
