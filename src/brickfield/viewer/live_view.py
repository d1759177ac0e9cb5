"""The window's half of a live view: camera, options, and what the picture says.

Invariant: what is kept here is the camera and how this view presents itself,
nothing of the layers, which belong to the scene, and nothing of the GPU, which
belongs to the render thread (see :mod:`brickfield.viewer.view_core`). Only
:attr:`LiveView.receipt` and :meth:`LiveView.screenshot` wait; everything else
returns at once.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from operator import methodcaller
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.blockwise.budget import parse_bytes
from brickfield.errors import OptionError
from brickfield.model.appearance import MODES
from brickfield.model.camera import CameraState
from brickfield.model.scales import Vec3
from brickfield.render.overlays.options import OverlayOptions, OverlayState
from brickfield.store.layer import ChunkedLayer
from brickfield.viewer import presets
from brickfield.viewer.camera_spec import OrbitCamera
from brickfield.viewer.fidelity import Fidelity, notes_of
from brickfield.viewer.fit import orbit_camera
from brickfield.viewer.history import history_of
from brickfield.viewer.live_state import ViewReport
from brickfield.viewer.navigation import set_centre
from brickfield.viewer.png import write_png
from brickfield.viewer.ports import LayerPort, ScenePort
from brickfield.viewer.view_core import ViewCore, corners_of

PIECE_S = 0.25
"""Longest time for which a screenshot keeps other views from being drawn."""
USUAL_SIZE = (800, 600)
"""Width and height of the picture of a view that no window has given a size."""
REST_AFTER_S = 0.15
"""Stillness after which the camera counts as resting."""


@dataclass(frozen=True)
class Place:
    """Where a view is.

    Attributes
    ----------
    camera : CameraState or None
    is_fitting : bool
        Whether the camera follows the extent of the data.
    normal : tuple of float or None
        Direction that the plane of an oblique slice faces (z, y, x), world.
    """

    camera: CameraState | None
    is_fitting: bool
    normal: Vec3 | None = None


class LiveView(ViewCore):
    """One picture of a scene that follows its layers and its camera.

    Parameters
    ----------
    kind : str
        One of :data:`~brickfield.viewer.view_core.KINDS`.
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread; may be called from any thread.

    Attributes
    ----------
    picked : psygnal.SignalInstance
        Emits a PickInfo, or None beside every volume, for the last hovered pixel.
    camera_changed : psygnal.SignalInstance
        Emits when the camera moved, whoever moved it.
    options_changed : psygnal.SignalInstance
        Emits when quality, level, budget, background or overlays changed.
    """

    picked = Signal(object)
    camera_changed = Signal()
    options_changed = Signal()

    def __init__(
        self,
        kind: str,
        scene: ScenePort,
        deliver: Callable[[Callable[[], None]], None],
        **options: Any,
    ) -> None:
        self._is_fitting = True
        self._content: NDArray[np.float64] | None = None
        self._is_framed = self._is_framing = False
        self.frames_content = True
        """Whether the first picture of sparse data is framed by what can be seen."""
        self.history = history_of(scene)
        """What can be undone; shared by all views of a scene."""
        self._hover: tuple[float, float] | None = None
        self._is_picking = False
        super().__init__(kind, scene, deliver, **options)

    def _on_more_layers(self) -> None:
        if self._is_fitting:
            self._content, self._is_framed = None, False
            self._refit()

    def _on_report(self, report: ViewReport) -> None:
        # On the render thread.
        super()._on_report(report)
        if report.has_base and report.state.layers and not self._is_framed:
            self._deliver(self._frame_first)

    @property
    def _shall_frame(self) -> bool:
        """Whether the picture is still to be framed by what can be seen."""
        is_asked_for = self.kind == "3D" and self.frames_content and self._is_fitting
        return is_asked_for and not self._is_framed and bool(self._layers)

    def _frame_first(self) -> None:
        """Frame what can be seen once the overview is there, if nobody has moved."""
        if self._shall_frame and not self._is_framing and not self._is_closed:
            self._is_framing = True
            self._ask_for_content(is_act=False)

    @property
    def is_settled(self) -> bool:
        """Whether the last picture is complete, at rest, and of the state of now."""
        return super().is_settled and not self._shall_frame

    @property
    def fidelity(self) -> Fidelity:
        """How true the picture is to the data: one word.

        "improving" while anything better is on its way, also for a picture that is
        not of the present layers, camera and options; then "final" (every pixel is
        at its target), "limited" (parts are coarser: this budget or file allows no
        finer) or "failed" (parts could not be read or drawn).
        """
        word = super().fidelity
        return "improving" if self._shall_frame and word != "failed" else word

    def _on_resize(self) -> None:
        if self._is_fitting:
            self._refit()
        elif self.camera is not None:
            self._change(camera=presets.resized(self.camera, self.viewport))

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
        before = self.place
        self._is_fitting = False
        self._move(camera, is_moving=is_moving)
        self._record(before, is_going_on=is_moving)

    def _record(self, before: Place, *, is_going_on: bool = False) -> None:
        after = self.place
        if before.camera is not None and before != after:
            self.history.record(self, "place", before, after, is_going_on=is_going_on)

    @property
    def place(self) -> Place:
        """Where the picture is taken from and whether it follows the data's extent.

        Setting it puts back what was taken, also of another size.
        """
        return Place(self.camera, self._is_fitting, self._facing_of_plane)

    @place.setter
    def place(self, value: Place) -> None:
        self._facing_of_plane = value.normal
        self._is_fitting = value.is_fitting
        camera = value.camera
        if camera is not None:
            self._move(camera, is_moving=False)
        if value.is_fitting and (camera is None or camera.viewport != self.viewport):
            self._refit()

    @property
    def _facing_of_plane(self) -> Vec3 | None:
        """Normal of an oblique plane; for subclasses."""
        return None

    @_facing_of_plane.setter
    def _facing_of_plane(self, value: Vec3 | None) -> None:
        pass

    def follow(self, camera: CameraState, *, is_moving: bool = False) -> None:
        """Look from elsewhere because another view does: no act of its own."""
        self._move(camera, is_moving=is_moving)

    @property
    def is_fitting(self) -> bool:
        """Whether the picture follows the extent of the data."""
        return self._is_fitting

    # -- undo --------------------------------------------------------------------

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self.history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether there is something to do again."""
        return self.history.can_redo

    def undo(self) -> bool:
        """Take back the last change of camera, plane, clip box, contrast or curve.

        Of any view of the scene; one act of the hand is one step.

        Returns
        -------
        bool
            Whether there was something to take back.
        """
        return self.history.undo()

    def redo(self) -> bool:
        """Do again what was taken back last; tell whether there was anything."""
        return self.history.redo()

    def _move(self, camera: CameraState, *, is_moving: bool) -> None:
        if self._is_closed:
            return
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

    @property
    def is_flat(self) -> bool:
        """Whether all layers are one voxel thick along z."""
        return are_flat(self._layers)

    def scene_size(self) -> float | None:
        """Return the diagonal of everything, world units; None without layers."""
        corners = self.corners()
        if corners is None:
            return None
        return float(np.linalg.norm(corners.max(axis=0) - corners.min(axis=0)))

    def fit(self, content: bool = False) -> None:
        """Show everything, from the direction of now.

        It stays so while the widget changes its size and layers are added, until
        somebody moves the camera.

        Parameters
        ----------
        content : bool
            Frame only what can be seen under the present contrast (the non-empty
            extent of the coarsest level) instead of the whole box. It is looked for
            on the render thread; the picture follows when it is known.
        """
        if content:
            self._ask_for_content(is_act=True)
            return
        before = self.place
        self._is_fitting, self._content = True, None
        self._refit()
        self._record(before)

    @property
    def is_fitting_content(self) -> bool:
        """Whether the picture follows the extent of what can be seen."""
        return self._is_fitting and self._content is not None

    def _ask_for_content(self, *, is_act: bool) -> None:
        def answer(done: Future[Any]) -> None:
            points = None if done.cancelled() or done.exception() else done.result()
            self._deliver(lambda: self._fit_content(points, is_act=is_act))

        self.ask(lambda drawer: drawer.content()).add_done_callback(answer)

    def _fit_content(self, points: NDArray[np.float64] | None, *, is_act: bool) -> None:
        if not is_act:
            self._is_framed, self._is_framing = True, False
        if self._is_closed or (not is_act and not self._is_fitting):
            return
        before = self.place
        self._is_fitting, self._content = True, points
        self._refit()
        if is_act:
            self._record(before)
        self._tell_fidelity()

    def _refit(self) -> None:
        camera = self.fitting_camera()
        if camera is not None:
            self._move(camera, is_moving=False)

    def fitting_camera(self) -> CameraState | None:
        """Return the camera that shows everything, or what was asked to be framed."""
        corners = self.corners()
        if corners is None:
            return None
        if self._content is None:
            return self.fitted(corners)
        return self.fitted_to_content(self._content)

    def fitted_to_content(self, points: NDArray[np.float64]) -> CameraState:
        """Return the camera that shows all of some points; for subclasses."""
        camera = self.camera or self.fitted(points)
        return presets.fit_points(presets.resized(camera, self.viewport), points)

    def fitted(self, corners: NDArray[np.float64]) -> CameraState:
        """Return the camera that shows all of a box; for subclasses."""
        camera = self.camera
        if camera is None:
            # Flat data are seen from the front.
            way = OrbitCamera(0.0, 0.0) if self.is_flat else presets.OBLIQUE
            return orbit_camera(corners, self.viewport, way)
        return presets.fit(presets.resized(camera, self.viewport), corners)

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
        if getattr(self._state, name) != value and not self._is_closed:
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
        """Most bytes for textures of this view; text as "512 MiB" is taken, too."""
        return self._state.gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int | str) -> None:
        self._option("gpu_budget", parse_bytes(value))

    @property
    def background(self) -> tuple[float, float, float]:
        """Colour behind everything, sRGB, 0 to 1."""
        return self._state.background

    @background.setter
    def background(self, value: tuple[float, float, float]) -> None:
        self._option("background", value)

    # -- overlays ----------------------------------------------------------------

    @property
    def overlays(self) -> OverlayState:
        """Options of all overlays; this view's alone, never saved."""
        return self._state.overlays

    def overlay_options(self, name: str) -> OverlayOptions:
        """Return the options of one overlay.

        Raises
        ------
        OptionError
            For an unknown name; the message lists the known ones.
        """
        return self._state.overlays.options(name)

    def set_overlay_options(self, name: str, **options: Any) -> None:
        """Change how this view decorates its picture.

        Parameters
        ----------
        name : str
            One of ``scale_bar``, ``axes``, ``bounding_box``, ``colorbar``,
            ``marker``, ``text``.
        **options
            For example ``visible=True``; see
            :mod:`brickfield.render.overlays.options`.

        Raises
        ------
        OptionError
            For an unknown overlay or option, or a value that cannot be used.
        """
        changed = self._state.overlays.with_options(name, **options)
        if changed != self._state.overlays and not self._is_closed:
            self._change(overlays=changed)
            self.options_changed.emit()

    # -- asking the render thread ------------------------------------------------

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
        """Load to the full quality and draw: picture and whether it is complete.

        Nothing else is drawn meanwhile: ask for pieces of a second at most.
        """
        return self.ask(lambda drawer: drawer.picture(timeout_s))

    @property
    def receipt(self) -> Any:
        """What the picture of now cost (a :class:`~brickfield.viewer.receipt.Receipt`).

        Waits for the render thread, a minute at most; never for data.

        Raises
        ------
        OptionError
            If there is no layer.
        ViewClosedError, ViewBusyError, AdapterError
        """
        self._be_ready()
        return self.answer(lambda drawer: drawer.receipt())

    def screenshot(
        self, path: Any = None, *, timeout: float = 60.0
    ) -> NDArray[np.uint8]:
        """Load to the full quality, draw, and write a PNG.

        Parameters
        ----------
        path : str or Path, optional
            File to write.
        timeout : float
            Seconds after which the picture is taken as it is.

        Returns
        -------
        ndarray, shape (h, w, 4), uint8
            sRGB, straight alpha, row 0 on top; physical pixels.

        Raises
        ------
        OptionError
            If there is no layer.
        ViewClosedError, ViewBusyError, AdapterError
        """
        self._be_ready()
        end = monotonic() + timeout
        is_loaded = False
        while not is_loaded and (left := end - monotonic()) > 0:
            # In pieces: other views are drawn between them, and this one can end.
            is_loaded = self.answer(methodcaller("load", min(PIECE_S, left)))
        image: NDArray[np.uint8]
        image, _ = self.answer(lambda drawer: drawer.picture(0.0))
        if path is not None:
            fidelity = self.answer(methodcaller("fidelity"))
            write_png(Path(path), image, notes_of(fidelity))
        return image

    def _be_ready(self) -> None:
        """See to it that there is something to draw, and a size to draw it in."""
        if self._is_closed:
            return
        if self.camera is None:
            msg = "expected an image layer to take a picture of; found none: add one"
            raise OptionError(msg)
        if min(self._state.size) < 2:
            self.resize(USUAL_SIZE)


def are_flat(layers: Iterable[ChunkedLayer]) -> bool:
    """Tell whether there are layers, all of them one voxel thick along z."""
    shapes = [layer.store.pyramid.levels[0].shape_zyx for layer in layers]
    return bool(shapes) and all(shape[0] == 1 for shape in shapes)
