"""The window's half of a live view: camera, options, and what the picture says.

Invariant: nothing in here waits, draws or loads. A change becomes a frozen
:class:`~brickfield.viewer.live_state.FrameState`, at most once an event-loop turn,
and pictures come back as reports. The layers belong to the scene (see
:mod:`brickfield.viewer.ports`), the GPU to the render thread; what is kept here is
the camera and how this view presents itself.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.errors import OptionError
from brickfield.model.appearance import MODES
from brickfield.model.camera import CameraState
from brickfield.model.scales import Vec3
from brickfield.render.render_thread import RenderThread, render_thread
from brickfield.store.layer import ChunkedLayer
from brickfield.viewer import presets
from brickfield.viewer.fit import orbit_camera
from brickfield.viewer.live_state import FrameState, LayerSnapshot, ViewReport
from brickfield.viewer.navigation import set_centre
from brickfield.viewer.ports import LayerPort, ScenePort

_T = TypeVar("_T")
REST_AFTER_S = 0.15
"""Stillness after which the camera counts as resting."""
KINDS = ("3D", "xy", "xz", "yz", "plane")


class LiveView:
    """One picture of a scene that follows its layers and its camera.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread; may be called from any thread.

    Attributes
    ----------
    reported : psygnal.SignalInstance
        Emits a :class:`ViewReport` whenever there is news.
    picked : psygnal.SignalInstance
        Emits a PickInfo, or None beside every volume, for the last hovered pixel.
    camera_changed : psygnal.SignalInstance
        Emits when the camera moved, whoever moved it.
    options_changed : psygnal.SignalInstance
        Emits when quality, level, budget or background changed.
    """

    reported = Signal(object)
    picked = Signal(object)
    camera_changed = Signal()
    options_changed = Signal()

    def __init__(
        self,
        kind: str,
        scene: ScenePort,
        deliver: Callable[[Callable[[], None]], None],
        *,
        thread: RenderThread | None = None,
    ) -> None:
        if kind not in KINDS:
            msg = f"expected a view out of {', '.join(KINDS)}; found {kind!r}"
            raise OptionError(msg)
        self.kind = kind
        self.scene = scene
        self.report = ViewReport()
        """What the picture has come to."""
        self._deliver = deliver
        self._thread = thread or render_thread()
        self._state = FrameState()
        self._drawer: Any = None
        self._layers: tuple[ChunkedLayer, ...] = ()
        self._is_posting = False
        self._is_closed = False
        self._hover: tuple[float, float] | None = None
        self._is_picking = False
        self._start_drawer()
        scene.layers_changed.connect(self._take_layers)
        self._take_layers()

    def _start_drawer(self) -> None:
        self._drawer = LazyDrawer(self._on_report, self._thread)
        self._thread.add(self._drawer)

    # -- layers ------------------------------------------------------------------

    @property
    def layers(self) -> tuple[ChunkedLayer, ...]:
        """What is drawn, first to last."""
        return self._layers

    def _take_layers(self) -> None:
        new = tuple(port.data for port in self.scene.layers)
        for layer in self._layers:
            if layer not in new:
                layer.render_callbacks.remove(self.refresh)
        for layer in new:
            if layer not in self._layers:
                layer.render_callbacks.append(self.refresh)
        was_empty, self._layers = not self._layers, new
        if was_empty and new and self.camera is None:
            self.fit()
        self.refresh()

    def refresh(self) -> None:
        """Look at the layers again before the next picture."""
        if not self._is_posting and not self._is_closed:
            self._is_posting = True
            self._deliver(self._post)

    def _post(self) -> None:
        self._is_posting = False
        if self._is_closed:
            return
        layers = tuple(LayerSnapshot.of(layer) for layer in self._layers)
        self._state = self.compose(replace(self._state, layers=layers))
        self._drawer.post(self._state)

    def compose(self, state: FrameState) -> FrameState:
        """Add what a kind of view shows besides; for subclasses."""
        return state

    def _change(self, **changes: Any) -> None:
        self._state = replace(self._state, **changes)
        self.refresh()

    # -- the widget --------------------------------------------------------------

    def resize(self, size: tuple[int, int], pixel_ratio: float = 1.0) -> None:
        """Take over the widget's size (logical pixels)."""
        size = (max(1, size[0]), max(1, size[1]))
        if (size, pixel_ratio) == (self._state.size, self._state.pixel_ratio):
            return
        camera = self.camera
        self._change(size=size, pixel_ratio=pixel_ratio)
        if camera is not None:
            self._change(camera=presets.resized(camera, self.viewport))
        elif self._layers:
            self.fit()

    @property
    def viewport(self) -> tuple[int, int]:
        """Width and height, physical pixels."""
        (w, h), ratio = self._state.size, self._state.pixel_ratio
        return (max(1, round(w * ratio)), max(1, round(h * ratio)))

    @property
    def is_shown(self) -> bool:
        """Whether anybody can see the picture; a hidden view does nothing."""
        return self._state.is_shown

    @is_shown.setter
    def is_shown(self, value: bool) -> None:
        if value != self._state.is_shown:
            self._change(is_shown=value)

    # -- camera ------------------------------------------------------------------

    @property
    def camera(self) -> CameraState | None:
        """Where the picture is taken from; None before there is anything to see."""
        return self._state.camera

    @camera.setter
    def camera(self, value: CameraState) -> None:
        self.move_to(value)

    def move_to(self, camera: CameraState, *, is_moving: bool = False) -> None:
        """Look from elsewhere.

        Parameters
        ----------
        camera : CameraState
            Its viewport is replaced by the widget's.
        is_moving : bool
            Whether more movement will follow soon: coarser and quicker until then.
        """
        camera = presets.resized(camera, self.viewport)
        until = monotonic() + REST_AFTER_S if is_moving else 0.0
        self._change(camera=camera, moving_until=until)
        self.camera_changed.emit()

    def navigate(self, move: Callable[[CameraState], CameraState]) -> None:
        """Move the camera as a person does, by a function of the present camera."""
        if self.camera is not None:
            self.move_to(move(self.camera), is_moving=True)

    def corners(self) -> NDArray[np.float64] | None:
        """Return corners of all visible layers, shape (n, 3), (z, y, x), world."""
        seen = [layer for layer in self._layers if layer.visible] or self._layers
        if not seen:
            return None
        return np.concatenate([corners_of(layer) for layer in seen])

    def scene_size(self) -> float | None:
        """Return the diagonal of everything, world units; None without layers."""
        corners = self.corners()
        if corners is None:
            return None
        return float(np.linalg.norm(corners.max(axis=0) - corners.min(axis=0)))

    def fit(self) -> None:
        """Show everything, from the direction of now."""
        corners = self.corners()
        if corners is not None:
            self.move_to(self.fitted(corners))

    def fitted(self, corners: NDArray[np.float64]) -> CameraState:
        """Return the camera that shows all of a box; for subclasses."""
        camera = self.camera
        if camera is None:
            return orbit_camera(corners, self.viewport, presets.OBLIQUE)
        return presets.fit(camera, corners)

    # -- what a person may choose ------------------------------------------------

    @property
    def mode(self) -> str:
        """How the image layers are projected; writes to their owner."""
        port = self._speaker()
        return port.mode if port is not None else "mip"

    @mode.setter
    def mode(self, value: str) -> None:
        if value not in MODES:
            msg = f"expected a mode out of {', '.join(MODES)}; found {value!r}"
            raise OptionError(msg)
        for port in self.scene.layers:
            if not port.is_labels:
                port.mode = value

    def _speaker(self) -> LayerPort | None:
        """The image layer that controls read: the active one or the last."""
        active = self.scene.active
        if active is not None and not active.is_labels:
            return active
        images = [p for p in self.scene.layers if not p.is_labels]
        return images[-1] if images else None

    def _option(self, name: str, value: Any) -> None:
        if getattr(self._state, name) != value:
            self._change(**{name: value})
            self.options_changed.emit()

    @property
    def quality(self) -> float:
        """Wanted size of a voxel on the screen, pixels: 1 is sharp."""
        return self._state.target_error_px

    @quality.setter
    def quality(self, value: float) -> None:
        if not 0 < value < float("inf"):
            msg = f"expected a quality above 0 pixels (1 is sharp); found {value}"
            raise OptionError(msg)
        self._option("target_error_px", float(value))

    @property
    def forced_level(self) -> int | None:
        """Level that is shown everywhere; None lets the view choose."""
        return self._state.forced_level

    @forced_level.setter
    def forced_level(self, value: int | None) -> None:
        self._option("forced_level", None if value is None else int(value))

    @property
    def show_levels(self) -> bool:
        """Whether colours tell levels instead of values."""
        return self._state.show_levels

    @show_levels.setter
    def show_levels(self, value: bool) -> None:
        self._option("show_levels", bool(value))

    @property
    def gpu_budget(self) -> int:
        """Most bytes for textures of this view."""
        return self._state.gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int) -> None:
        self._option("gpu_budget", int(value))

    @property
    def background(self) -> tuple[float, float, float]:
        """Colour behind everything, sRGB, 0 to 1."""
        return self._state.background

    @background.setter
    def background(self, value: tuple[float, float, float]) -> None:
        self._option("background", value)

    # -- asking the render thread ------------------------------------------------

    def ask(self, job: Callable[[Any], _T]) -> Future[_T]:
        """Run a function of the drawer on the render thread."""
        if self._is_posting:
            self._post()
        drawer = self._drawer
        return self._thread.submit(lambda: job(drawer.made()))

    def hover(self, at: tuple[float, float] | None) -> None:
        """Ask what lies under a pixel (logical); answered by :attr:`picked`.

        Only while nothing moves; of several questions the last is answered.
        """
        self._hover = at
        if at is None:
            self.picked.emit(None)
        elif not self._is_picking and self.report.image is not None:
            self._is_picking = True
            future = self.ask(lambda drawer: drawer.pick(*at))
            future.add_done_callback(
                lambda done: self._deliver(lambda: self._picked(at, done))
            )

    def _picked(self, at: tuple[float, float], done: Future[Any]) -> None:
        self._is_picking = False
        if self._is_closed or self._hover is None:
            return
        if self._hover != at:
            self.hover(self._hover)
        elif done.exception() is None:
            self.picked.emit(done.result())

    def pick(self, x: float, y: float) -> Future[Any]:
        """Find out what lies under a pixel (logical)."""
        return self.ask(lambda drawer: drawer.pick(x, y))

    def set_centre_at(self, x: float, y: float) -> None:
        """Turn round what lies under a pixel from now on."""

        def centre(done: Future[Any]) -> None:
            info = None if done.exception() else done.result()
            if info is not None and not self._is_closed:
                self._deliver(lambda: self._centre_on(info.world))

        self.pick(x, y).add_done_callback(centre)

    def _centre_on(self, point: Vec3) -> None:
        if self.camera is not None and not self._is_closed:
            self.move_to(set_centre(self.camera, point))

    def retry_failed(self) -> None:
        """Read again what could not be read."""
        self.ask(lambda drawer: drawer.retry_failed())

    def receipt_later(self) -> Future[Any]:
        """Find out what the picture cost."""
        return self.ask(lambda drawer: drawer.receipt())

    def picture_later(self, timeout_s: float) -> Future[Any]:
        """Load to the full quality and draw: picture and whether it is complete."""
        return self.ask(lambda drawer: drawer.picture(timeout_s))

    # -- reports -----------------------------------------------------------------

    def _on_report(self, report: ViewReport) -> None:
        # On the render thread.
        self._deliver(lambda: self._take_report(report))

    def _take_report(self, report: ViewReport) -> None:
        if self._is_closed:
            return
        if report.image is None and not report.error:
            report = replace(report, image=self.report.image)
        self.report = report
        self.reported.emit(report)

    # -- the end -----------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._is_closed

    def close(self) -> Future[None] | None:
        """Give everything back; may be called twice.

        Returns
        -------
        Future or None
            Done when the render thread has let go, too.
        """
        if self._is_closed:
            return None
        self._is_closed = True
        self.scene.layers_changed.disconnect(self._take_layers, missing_ok=True)
        for layer in self._layers:
            layer.render_callbacks.remove(self.refresh)
        self._layers = ()
        drawer = self._drawer
        return self._thread.remove(drawer, drawer.close)


class LazyDrawer:
    """A drawer that is made on the render thread, where its imports delay nobody."""

    def __init__(
        self, tell: Callable[[ViewReport], None], thread: RenderThread
    ) -> None:
        self._tell = tell
        self._thread = thread
        self._drawer: Any = None
        self._posted = FrameState()

    def post(self, state: FrameState) -> None:
        """Draw this from now on. From any thread."""
        self._posted = state
        self.wake()

    def wake(self) -> None:
        """Ask for a step. From any thread."""
        self._thread.wake(self)

    def made(self) -> Any:
        """Return the drawer itself; on the render thread."""
        if self._drawer is None:
            from brickfield.viewer.live_drawer import LiveDrawer

            self._drawer = LiveDrawer(self._tell, self.wake)
        self._drawer.take(self._posted)
        return self._drawer

    def step(self) -> float | None:
        """Do a short piece of work."""
        if not self._posted.is_shown:
            return None
        return cast("float | None", self.made().step())

    def fail(self, error: Exception) -> None:
        """Tell the window why there is no picture."""
        text = str(error) or type(error).__name__
        self._tell(ViewReport(state=self._posted, error=text))

    def close(self) -> None:
        """Give everything back."""
        drawer, self._drawer = self._drawer, None
        self._posted = FrameState()
        if drawer is not None:
            drawer.close()


def corners_of(layer: ChunkedLayer) -> NDArray[np.float64]:
    """Return the corners of a layer's data box, shape (8, 3), (z, y, x), world."""
    low, high = layer.store.pyramid.data_bounds
    ends = np.array([low, high])
    picks = np.indices((2, 2, 2)).reshape(3, -1).T
    return layer.world.apply(np.stack([ends[picks[:, a], a] for a in range(3)], axis=1))
