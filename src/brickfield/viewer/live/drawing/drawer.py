"""The render thread's half of a live view: loads, uploads and draws in small steps.

Invariant: a step never waits for data and is short, so that any action of the user
is answered soon however slow the device (:mod:`brickfield.viewer.live.drawing.frame_budget`
chooses). A picture that takes long is drawn in pieces, a step each; while it is,
nothing is uploaded, and a request for another picture ends it. What is called complete
is the same picture on every device: all pixels, the finest sampling, every brick.

Making a renderer and compiling takes longer than opening an image. So it begins before
there is a window to draw for (:func:`prepare_view`); the first drawer of the process
takes what is ready.

Everything here runs on the render thread, but for :meth:`LiveDrawer.take`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from math import inf
from time import monotonic, perf_counter

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import get_device
from brickfield.model import PickInfo
from brickfield.planning import EXPLORATION, PLAYBACK
from brickfield.rendering import UPLOAD_SLICE_S, ObjectSet, OffscreenView, pick
from brickfield.store import LayerSnapshot
from brickfield.viewer.live.drawing.content import content_points
from brickfield.viewer.live.drawing.frame_budget import (
    Painter,
    PictureQuality,
    ViewConditions,
)
from brickfield.viewer.live.drawing.prefetch import Scrolling, Series
from brickfield.viewer.live.frame_state import (
    FrameState,
    ViewReport,
    report_of,
    shows_same,
)
from brickfield.viewer.receipts.fidelity import Fidelity, fidelity_of
from brickfield.viewer.receipts.measure import Account, make_receipt
from brickfield.viewer.receipts.receipt import Receipt
from brickfield.viewer.sampling import sampling_step

REST_SLICE_S = 0.02
KEPT_WAY = 1.0
"""All levels over the leaves stay, once the camera was moved on a slow device."""
HEARTBEAT_S = 0.25
"""Time between reports while something is on its way."""
PREPARED_SIZE = (22, 18)
"""Pixels of what is drawn so that something is compiled; nobody sees it.

No power of two, nor is a half of it: for textures of such sizes Mesa's software
renderer compiles programs of their own.
"""
_ready: list[OffscreenView] = []
"""At most one; views share the render thread."""


def prepare_view(
    layers: Sequence[LayerSnapshot] = (), overlays: Sequence[str] = ()
) -> None:
    """Make a view and compile what pictures of such layers need.

    Parameters
    ----------
    layers : sequence of LayerSnapshot
        None of their voxels are read.
    overlays : sequence of str
        Names of what decorates the pictures, from the second one on.
    """
    if not _ready:
        _ready.append(OffscreenView(PREPARED_SIZE, policy=EXPLORATION))
    (view,) = _ready
    for name in overlays:
        view.overlays.set_options(name, visible=True)
    with nullcontext() if overlays else view.without_overlays():
        view.compile(layers)


def take_prepared() -> OffscreenView | None:
    """Hand the view over to who draws with it and closes it; None without one."""
    return _ready.pop() if _ready else None


class LiveDrawer:
    """Draws what was posted last.

    Parameters
    ----------
    tell : callable
        Takes a :class:`ViewReport`; called on the render thread.
    wake : callable
        Requests a step; may be called from any thread.
    """

    def __init__(
        self,
        tell: Callable[[ViewReport], None],
        wake: Callable[[], None],
    ) -> None:
        self._tell = tell
        self._wake = wake
        self.most_bytes: int | None = None
        """GPU bytes that the device had room for, where that is known."""
        self._posted = FrameState()
        self._state = FrameState()
        self.view: OffscreenView | None = None
        self._objects: ObjectSet | None = None
        self._accounts: list[Account] = []
        self._series = Series()
        self._scrolling = Scrolling()
        self._is_asked = False
        self._has_news = False
        self._was_moving = False
        self._keeps_way = False
        self._has_shown_data = False
        self._painter = Painter()
        self._told_at = 0.0
        self._began_at = perf_counter()
        self._first_s: float | None = None
        self._complete_s: float | None = None

    def take(self, state: FrameState) -> None:
        """Draw this from now on. From any thread."""
        # One assignment, so no lock: the render thread sees the old state or the new
        # one, both whole.
        self._posted = state

    # -- steps -------------------------------------------------------------------

    def step(self) -> float | None:
        """Load, upload and draw for a moment."""
        state = self._posted
        if not state.is_shown or state.camera is None or min(state.size) < 2:
            return None
        view = self._opened(state)
        if state is not self._state:
            self._apply(view, state)
        if self._painter.is_at_it:
            self._show(view, self._painter.go_on(view))
            return 0.0
        now = monotonic()
        is_moving = now < state.moving_until
        self._follow_movement(view, state, is_moving=is_moving)
        # A moving picture must stay fluent; at rest uploads may take longer at a time.
        slice_s = UPLOAD_SLICE_S if is_moving else REST_SLICE_S
        self._has_news |= view.update(is_moving=is_moving, slice_s=slice_s)
        if not self._painter.has_compiled(view):
            if not self._painter.drawn_at:
                # The first time takes long.
                self._report(view, None)
            # At once, while data are read; what has come meanwhile is taken in by the
            # next step, before the picture.
            self._painter.compile(view)
            return 0.0
        # Prefetched chunks that arrived would stay pinned until they are taken.
        self._scrolling.release_ready()
        choice = self._painter.speed.choose(self._conditions(view), self._best(view))
        if isinstance(choice, PictureQuality):
            self._draw(view, choice)
            return 0.0
        if now - self._told_at >= HEARTBEAT_S and self._is_under_way(view):
            self._report(view, None)
        return self._pause(view, choice)

    def _follow_movement(
        self, view: OffscreenView, state: FrameState, *, is_moving: bool
    ) -> None:
        """Note that a movement goes on, or that it has ended."""
        # Movement has ended: the coarse picture of the move has to be replaced, though
        # nothing else changed. It answers the last camera already, so that the final
        # picture needs no quick one before it.
        if self._was_moving and not is_moving:
            self._has_news |= view.is_complete
            self._is_asked |= not view.is_complete
        self._was_moving = is_moving
        if is_moving and not self._keeps_way and self._painter.speed.is_slow:
            self._keeps_way = True
            self._set_policy(view, state)

    def _is_under_way(self, view: OffscreenView) -> bool:
        return self._state.is_playing or not view.is_complete

    def _pause(self, view: OffscreenView, delay_s: float) -> float | None:
        """Return when the next step is due if none is requested."""
        # Chunks that were not taken in time: no signal will announce them again.
        if view.has_work:
            return 0.0
        delay_s = min(delay_s, view.rest_s)
        # Come back when the movement ends, which no event tells.
        if self._was_moving:
            delay_s = min(delay_s, max(0.0, self._state.moving_until - monotonic()))
        if self._is_under_way(view):
            delay_s = min(delay_s, HEARTBEAT_S)
        return None if delay_s == inf else delay_s

    def _opened(self, state: FrameState) -> OffscreenView:
        if self.view is None:
            get_device()
            view = take_prepared() or OffscreenView(state.size, policy=EXPLORATION)
            view.on_news = self._wake
            self.view = view
            self._objects = ObjectSet(view.objects)
        return self.view

    def _apply(self, view: OffscreenView, state: FrameState) -> None:
        old, self._state = self._state, state
        # A picture in pieces is of the old state: its rest would not fit.
        if not (is_same := shows_same(old, state)):
            self._is_asked = True
        if not is_same or state.moving_until > monotonic():
            self._painter.abandon()
        if (state.size, state.pixel_ratio) != (old.size, old.pixel_ratio):
            view.resize(state.size, state.pixel_ratio)
        view.background = state.background
        self._series.follow(view, state, old)
        self._scrolling.follow(state, old)
        manager = view.manager
        budget = min(state.gpu_budget, self.most_bytes or state.gpu_budget)
        if manager.gpu_budget != budget:
            manager.gpu_budget = budget
            manager.forget_plan()
        self._set_policy(view, state)
        self._take_layers(view, state)
        if not is_same:
            self._begin_picture(view)
        view.camera = state.camera
        view.plane = state.plane
        assert self._objects is not None
        self._objects.show(state.objects)
        view.overlays.state = state.overlays
        if is_same and not self._painter.is_at_it:
            # Nothing to draw, but it is of this state from now on.
            self._report(view, None)

    def _set_policy(self, view: OffscreenView, state: FrameState) -> None:
        way_share = (PLAYBACK if state.is_playing else EXPLORATION).way_share
        view.manager.policy = replace(
            EXPLORATION,
            target_error_px=state.target_error_px * self._series.haste,
            forced_level=state.forced_level,
            way_share=KEPT_WAY if self._keeps_way else way_share,
        )

    def _take_layers(self, view: OffscreenView, state: FrameState) -> None:
        view.show(
            [x.lit(state.lighting, show_levels=state.show_levels) for x in state.layers]
        )
        stores = {id(s.store): s.store for s in state.layers}
        # The receipt counts from the first picture on: accounts survive a change of
        # layers.
        kept = {id(a.store): a for a in self._accounts}
        self._accounts = [kept.get(n) or Account(s) for n, s in stores.items()]
        for renderer in view.manager.renderers:
            renderer.is_hurried = state.is_playing

    def _begin_picture(self, view: OffscreenView) -> None:
        # Another picture may have other hidden chunks, and rounds of feedback are
        # limited.
        view.reset_feedback()
        self._began_at = perf_counter()
        self._first_s = self._complete_s = None

    # -- drawing -----------------------------------------------------------------

    def _conditions(self, view: OffscreenView) -> ViewConditions:
        now = perf_counter()
        voxel_px, n_coarser = view.manager.coarser_levels
        return ViewConditions(
            is_moving=self._was_moving,
            is_playing=self._state.is_playing,
            is_flat=self._state.plane is not None,
            is_asked=self._is_asked,
            has_news=self._has_news,
            has_base=view.has_base,
            is_bare=self._first_s is None,
            is_complete=view.is_complete,
            shown=self._painter.shown,
            frame_ms=self._painter.frame_ms,
            idle_s=now - self._painter.drawn_at,
            elapsed_s=now - self._began_at,
            voxel_px=voxel_px,
            n_coarser=n_coarser,
        )

    def _best(self, view: OffscreenView) -> PictureQuality:
        """Return how finely a picture at rest is drawn in the end."""
        is_slice = self._state.plane is not None
        step = sampling_step(view.camera, self._state.layers, is_slice=is_slice)
        return PictureQuality(1.0, step, is_final=True)

    def _draw(self, view: OffscreenView, quality: PictureQuality) -> None:
        self._is_asked = self._has_news = False
        if not self._has_shown_data:
            self._draw_first(view, quality)
            return
        is_flat = self._state.plane is not None
        self._show(view, self._painter.draw(view, quality, at_once=is_flat))

    def _draw_first(self, view: OffscreenView, quality: PictureQuality) -> None:
        """Draw without overlays: compiling those takes as long as all the rest."""
        self._has_shown_data = view.has_base
        is_plain = not view.overlays.is_visible
        quality = quality._replace(is_final=quality.is_final and is_plain)
        with view.without_overlays():
            self._show(view, self._painter.draw(view, quality, at_once=True))

    def _show(self, view: OffscreenView, image: NDArray[np.uint8] | None) -> None:
        """Report a picture, if it is ready."""
        if image is None:
            return
        elapsed_s = self._painter.drawn_at - self._began_at
        if self._first_s is None and view.has_base:
            self._first_s = elapsed_s
        if self._painter.shown.is_final and view.is_complete:
            # Slots became free for what is seen: the picture is drawn once more.
            if view.apply_occlusion_feedback(is_drawn=True):
                self._has_news = True
            elif self._complete_s is None:
                self._complete_s = elapsed_s
        self._report(view, image)

    # -- reports -----------------------------------------------------------------

    def _report(self, view: OffscreenView, image: NDArray[np.uint8] | None) -> None:
        self._told_at = monotonic()
        self._series.look_ahead(view, self._state)
        self._scrolling.look_ahead(view, self._state)
        is_moving = self._was_moving
        report = report_of(
            view,
            image=image,
            state=self._state,
            is_complete=view.is_complete
            and (is_moving or self._painter.shown.is_final),
            is_moving=is_moving,
            at_hand=self._series.at_hand,
            frame_ms=self._painter.frame_ms,
        )
        self._tell(report)

    # -- jobs --------------------------------------------------------------------

    def receipt(self) -> Receipt:
        """Say what the picture of now cost; draws once to judge every pixel."""
        view = self._ready()
        times = (self._first_s, self._complete_s)
        is_drawn = self._painter.shown.is_final and not self._is_asked
        return make_receipt(
            view,
            self._accounts,
            ended=view.is_complete,
            # What nobody sees is drawn when it is asked for.
            is_drawn=is_drawn or not self._state.is_shown,
            times_s=times,
        )

    def load(self, timeout_s: float) -> bool:
        """Load for a while; tell whether nothing better will come."""
        return self._ready().wait_until_complete(timeout_s)

    def picture(self, timeout_s: float) -> tuple[NDArray[np.uint8], bool]:
        """Wait until the picture is complete; return it at full quality, shape (h, w, 4)."""
        view = self._ready()
        is_complete = view.wait_until_complete(timeout_s)
        quality = self._best(view)._replace(is_final=view.is_complete)
        image = self._painter.draw(view, quality, at_once=True)
        assert image is not None
        if self._state.is_shown:
            self._is_asked = False
            self._show(view, image)
            self._wake()
        return image, is_complete and not any(
            r.failures for r in view.manager.renderers if r.layer.visible
        )

    def content(self) -> NDArray[np.float64] | None:
        """Return points round what can be seen, shape (n, 3); None if not known."""
        return None if self.view is None else content_points(self.view)

    def fidelity(self) -> Fidelity:
        """Say how true the picture is that :meth:`picture` gives."""
        view = self._ready()
        seen = [r for r in view.manager.renderers if r.layer.visible]
        return fidelity_of(seen, is_done=view.is_complete)

    def pick(self, x: float, y: float) -> PickInfo | None:
        """Return what is under a pixel of the last picture.

        Of one that is just being drawn the rest is drawn first, unless another one
        is asked for meanwhile.

        Parameters
        ----------
        x : float
            Column, logical pixels.
        y : float
            Row, logical pixels.
        """
        view = self.view
        if view is None:
            return None
        while self._painter.is_at_it:
            # Another picture is wanted: what lies under the cursor of the old one is of
            # no use.
            if self._posted is not self._state:
                return None
            self._show(view, self._painter.go_on(view))
        return pick(view, x, y)

    def retry_failed(self) -> int:
        """Request again what could not be read; return how many chunks."""
        if self.view is None:
            return 0
        n = sum(r.retry_failed() for r in self.view.manager.renderers)
        self._begin_picture(self.view)
        self._is_asked = True
        self._painter.abandon()
        self._wake()
        return n

    def _ready(self) -> OffscreenView:
        """Return the view with the posted state applied, shown or not."""
        state = self._posted
        view = self._opened(state)
        if state is not self._state:
            self._apply(view, state)
        # The picture that was being drawn is overwritten.
        if self._painter.abandon():
            self._is_asked = True
            self._wake()
        view.update()
        return view

    def close(self) -> None:
        """Give everything back."""
        view, self.view = self.view, None
        self._painter.abandon()
        self._series.close()
        self._scrolling.close()
        self._posted = self._state = FrameState()
        self._accounts = []
        if view is not None:
            if self._objects is not None:
                self._objects.close()
            view.on_news = None
            view.close()
