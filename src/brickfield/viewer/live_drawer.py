"""The render thread's half of a live view: loads, uploads and draws in small steps.

Invariant: a step never waits for data, and it draws only what is worth it. A
picture is drawn at once when something that a person did asks for it; what
arrives from storage is shown a few times a second, so that drawing takes at most
about a third of the time while loading, however slow the device. In motion the
picture has fewer pixels, as few as keep it fluent; at rest it has all of them.

Everything here runs on the render thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import zip_longest
from time import monotonic, perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.device import get_device
from brickfield.model.camera import CameraState
from brickfield.model.picked import PickInfo
from brickfield.model.versions import VersionCounter
from brickfield.planning.policy import EXPLORATION
from brickfield.render.frame_uniforms import FrameOptions
from brickfield.render.lookahead import Lookahead
from brickfield.render.manager import UPLOAD_SLICE_S
from brickfield.render.objects.object_set import ObjectSet
from brickfield.render.offscreen import OffscreenView
from brickfield.render.picking import pick
from brickfield.viewer.accounting import Account
from brickfield.viewer.billing import make_receipt
from brickfield.viewer.live_report import report_of
from brickfield.viewer.live_state import FrameState, LayerSnapshot, ViewReport
from brickfield.viewer.receipt import Receipt

FLUENT_MS = 45.0
"""What a picture may take while the camera moves."""
PATIENT_MS = 1200.0
"""What the finest sampling may take at rest; a slower device keeps one sample a
voxel, so that the next movement is answered soon."""
SCALES = (1.0, 0.7, 0.5, 0.35, 0.25)
"""Shares of the pixels' edge lengths, in motion."""
REST_SLICE_S = 0.02
HASTEN, RELAX, MOST_HASTE = 1.5, 0.93, 12.0
"""How a series that is played aims lower, and back."""
HEARTBEAT_S = 0.25
"""Time between reports while something is on its way."""


class ShownLayer:
    """A layer as the render thread knows it: the latest snapshot."""

    def __init__(self, snapshot: LayerSnapshot) -> None:
        self.data_version = VersionCounter()
        self.colormap_version = VersionCounter()
        self.geometry_version = VersionCounter()
        self.source = snapshot.layer
        self.take(snapshot, show_levels=False)

    def take(self, snapshot: LayerSnapshot, *, show_levels: bool) -> None:
        """Show this from now on."""
        self.store = snapshot.store
        self.appearance = replace(snapshot.appearance, show_levels=show_levels)
        self.selections = snapshot.selections
        self.world = snapshot.world
        self.visible = snapshot.visible
        mine = (self.data_version, self.colormap_version, self.geometry_version)
        for counter, value in zip(mine, snapshot.versions, strict=True):
            while counter.value < value:
                counter.bump()


class LiveDrawer:
    """Draws what was posted last.

    Parameters
    ----------
    tell : callable
        Takes a :class:`ViewReport`; called on the render thread.
    wake : callable
        Asks for a step; may be called from any thread.
    """

    def __init__(
        self,
        tell: Callable[[ViewReport], None],
        wake: Callable[[], None],
    ) -> None:
        self._tell = tell
        self._wake = wake
        self._posted = FrameState()
        self._state = FrameState()
        self.view: OffscreenView | None = None
        self._objects: ObjectSet | None = None
        self._layers: dict[int, ShownLayer] = {}
        self._accounts: list[Account] = []
        self._aheads: dict[int, Lookahead] = {}
        self._at_hand: tuple[bool, ...] = ()
        self._haste = 1.0
        self._is_asked = False
        self._has_news = False
        self._was_moving = False
        self._drawn_at = 0.0
        self._told_at = 0.0
        self._full_ms = 0.0
        self._frame_ms = 0.0
        self._began_at = perf_counter()
        self._first_s: float | None = None
        self._complete_s: float | None = None

    def take(self, state: FrameState) -> None:
        """Draw this from now on."""
        self._posted = state

    # -- steps -------------------------------------------------------------------

    def step(self) -> float | None:
        """Load, upload and draw for a moment."""
        state = self._posted
        if not state.is_shown or state.camera is None or min(state.size) < 2:
            return None
        view = self._opened(state)
        now = monotonic()
        is_moving = now < state.moving_until
        if state is not self._state:
            self._apply(view, state)
        if self._was_moving and not is_moving:
            self._is_asked = True
        self._was_moving = is_moving
        slice_s = UPLOAD_SLICE_S if is_moving else REST_SLICE_S
        self._has_news |= view.update(is_moving=is_moving, slice_s=slice_s)
        if self._is_due(view, is_moving=is_moving):
            self._draw(view, is_moving=is_moving)
        elif now - self._told_at >= HEARTBEAT_S and not (
            view.is_complete and not state.is_playing
        ):
            self._report(view, None, is_moving=is_moving)
        return self._pause(view, is_moving=is_moving)

    def _opened(self, state: FrameState) -> OffscreenView:
        if self.view is None:
            get_device()
            view = OffscreenView(state.size, policy=EXPLORATION)
            view.on_news = self._wake
            self.view = view
            self._objects = ObjectSet(view.objects)
        return self.view

    def _apply(self, view: OffscreenView, state: FrameState) -> None:
        old, self._state = self._state, state
        self._is_asked = True
        if (state.size, state.pixel_ratio) != (old.size, old.pixel_ratio):
            view.resize(state.size, state.pixel_ratio)
        view.background = state.background
        policy = replace(
            EXPLORATION,
            target_error_px=state.target_error_px * self._haste,
            forced_level=state.forced_level,
        )
        manager = view.manager
        if manager.gpu_budget != state.gpu_budget:
            manager.gpu_budget = state.gpu_budget
            manager.forget_plan()
        manager.policy = policy
        for name in set(self._aheads) - {
            id(s.layer) for s in state.layers if s.timeline
        }:
            self._aheads.pop(name).close()
        self._hurry(view, state, old)
        self._take_layers(view, state)
        if view.camera != state.camera or state.layers is not old.layers:
            self._begin_picture(view)
        view.camera = state.camera
        view.plane = state.plane
        assert self._objects is not None
        self._objects.show(state.objects)
        view.overlays.state = state.overlays

    def _take_layers(self, view: OffscreenView, state: FrameState) -> None:
        layers: dict[int, ShownLayer] = {}
        for snapshot in state.layers:
            name = id(snapshot.layer)
            layers[name] = self._layers.get(name) or ShownLayer(snapshot)
            layers[name].take(snapshot, show_levels=state.show_levels)
        if list(layers) != list(self._layers):
            view.set_layers(list(layers.values()))
            stores = {id(s.store): s.store for s in state.layers}
            kept = {id(a.store): a for a in self._accounts}
            self._accounts = [kept.get(n) or Account(s) for n, s in stores.items()]
        self._layers = layers
        for renderer in view.manager.renderers:
            renderer.is_hurried = state.is_playing

    def _hurry(self, view: OffscreenView, state: FrameState, old: FrameState) -> None:
        """Drop levels before the rate of a series: aim lower after each that was late."""
        if not state.is_playing:
            self._haste = 1.0
        elif old.is_playing and _times(state) != _times(old):
            is_late = not view.is_complete
            haste = self._haste * (HASTEN if is_late else RELAX)
            self._haste = min(max(haste, 1.0), MOST_HASTE)

    def _look_ahead(self, view: OffscreenView) -> tuple[bool, ...]:
        """Read what comes next; tell which time points are at hand."""
        at_hand: list[bool] = []
        for renderer, snapshot in zip(
            view.manager.renderers, self._state.layers, strict=False
        ):
            plan, name = renderer.plan, id(snapshot.layer)
            if plan is None or not snapshot.timeline:
                continue
            ahead = self._aheads.get(name)
            if ahead is None:
                loader = snapshot.store.manager
                ahead = self._aheads[name] = Lookahead(loader, renderer.visual_id)
            if snapshot.ahead:
                level = snapshot.store.pyramid.levels[0]
                chunk_bytes = int(np.prod(level.chunk_shape)) * level.dtype.itemsize
                ahead.want(plan.keys, chunk_bytes, snapshot.ahead)
            mine = ahead.at_hand(plan.keys, snapshot.timeline)
            at_hand = [a and b for a, b in zip_longest(at_hand or mine, mine)]
        return tuple(bool(a) for a in at_hand)

    def _begin_picture(self, view: OffscreenView) -> None:
        view.begin_looks()
        self._began_at = perf_counter()
        self._first_s = self._complete_s = None

    def _is_due(self, view: OffscreenView, *, is_moving: bool) -> bool:
        if self._is_asked:
            return True
        if not self._has_news:
            return False
        if self._first_s is None and view.has_base:
            return True
        if view.is_complete:
            return True
        rest_s = max(0.1, 2e-3 * self._frame_ms)
        return is_moving or perf_counter() - self._drawn_at > rest_s

    def _draw(self, view: OffscreenView, *, is_moving: bool) -> None:
        scale, step = self._effort(view, is_moving=is_moving)
        view.renderer.pixel_scale = scale
        view.options = FrameOptions(step_factor=step)
        self._is_asked = self._has_news = False
        start = perf_counter()
        image = view.image()
        self._drawn_at = perf_counter()
        self._frame_ms = 1e3 * (self._drawn_at - start)
        # One sample a voxel and all pixels, so that efforts can be compared.
        full = self._frame_ms / scale**2 * min(1.0, 1.5 * step)
        self._full_ms = full if not self._full_ms else 0.5 * (self._full_ms + full)
        if self._first_s is None and view.has_base:
            self._first_s = self._drawn_at - self._began_at
        if view.is_complete and view.look_back(is_drawn=True):
            self._has_news = True
        elif view.is_complete and self._complete_s is None:
            self._complete_s = self._drawn_at - self._began_at
        self._report(view, image, is_moving=is_moving)

    def _effort(self, view: OffscreenView, *, is_moving: bool) -> tuple[float, float]:
        """Choose the share of pixels and the distance of samples."""
        if self._state.plane is not None:
            return 1.0, 1.0
        if is_moving:
            fits = [s for s in SCALES if self._full_ms * s * s <= FLUENT_MS]
            return (fits[0] if fits else SCALES[-1]), 1.0
        fine = rest_step(view.camera, self._state.layers)
        if view.is_complete and self._full_ms / fine <= PATIENT_MS:
            return 1.0, fine
        return 1.0, 1.0

    def _pause(self, view: OffscreenView, *, is_moving: bool) -> float | None:
        if self._is_asked or self._has_news or view.has_work:
            return 0.0
        if is_moving:
            return max(0.0, self._state.moving_until - monotonic())
        if view.is_complete and not self._state.is_playing:
            return None
        return HEARTBEAT_S

    # -- reports -----------------------------------------------------------------

    def _report(
        self, view: OffscreenView, image: NDArray[np.uint8] | None, *, is_moving: bool
    ) -> None:
        self._told_at = monotonic()
        if any(s.timeline for s in self._state.layers):
            self._at_hand = self._look_ahead(view)
        report = report_of(
            view,
            image=image,
            state=self._state,
            is_moving=is_moving,
            at_hand=self._at_hand,
            frame_ms=self._frame_ms,
        )
        self._tell(report)

    # -- jobs --------------------------------------------------------------------

    def receipt(self) -> Receipt:
        """Say what the picture of now cost; draws once to judge every pixel."""
        view = self._ready()
        view.renderer.pixel_scale = 1.0
        times = (self._first_s, self._complete_s)
        ended = view.is_complete
        return make_receipt(view, self._accounts, ended=ended, times_s=times)

    def picture(self, timeout_s: float) -> tuple[NDArray[np.uint8], bool]:
        """Wait until the picture is complete and return it at full quality."""
        view = self._ready()
        is_complete = view.wait_until_complete(timeout_s)
        view.renderer.pixel_scale = 1.0
        step = rest_step(view.camera, self._state.layers)
        view.options = FrameOptions(step_factor=step)
        self._is_asked = True
        self._wake()
        return view.image(), is_complete and not any(
            r.failures for r in view.manager.renderers if r.layer.visible
        )

    def pick(self, x: float, y: float) -> PickInfo | None:
        """Tell what lies under a pixel (logical) of the last picture."""
        info = None if self.view is None else pick(self.view, x, y)
        return None if info is None else replace(info, layer=info.layer.source)

    def retry_failed(self) -> int:
        """Ask again for what could not be read; return how many chunks."""
        if self.view is None:
            return 0
        n = sum(r.retry_failed() for r in self.view.manager.renderers)
        self._begin_picture(self.view)
        self._is_asked = True
        self._wake()
        return n

    def _ready(self) -> OffscreenView:
        """Return the view with the posted state applied, shown or not."""
        state = self._posted
        view = self._opened(state)
        if state is not self._state:
            self._apply(view, state)
        view.update()
        return view

    def close(self) -> None:
        """Give everything back."""
        view, self.view = self.view, None
        for ahead in self._aheads.values():
            ahead.close()
        self._aheads = {}
        self._posted = self._state = FrameState()
        self._layers, self._accounts = {}, []
        if view is not None:
            if self._objects is not None:
                self._objects.close()
            view.on_news = None
            view.close()


def _times(state: FrameState) -> list[Any]:
    return [s.selections for s in state.layers]


def rest_step(camera: CameraState | None, layers: Iterable[LayerSnapshot]) -> float:
    """Choose the distance of samples for a picture at rest, voxels.

    Along an axis one sample a voxel sees every voxel exactly; rays at an angle
    take three, so that thin bright structures do not break up.
    """
    exact = {"mip", "minip", "average"}
    is_exact = all(s.appearance.mode in exact for s in layers if s.visible)
    if camera is None or not (is_exact and camera.orthographic):
        return 1 / 3
    is_straight = float(np.abs(camera.forward).max()) > 1 - 1e-9
    return 1.0 if is_straight else 1 / 3
