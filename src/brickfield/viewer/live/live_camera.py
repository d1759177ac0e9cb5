"""Where a live view is: camera, framing, and undo.

Invariant: a camera that the user set stays until they change it. Only while the user
has not moved it does it follow the extent of the data and the size of the widget, which
is no act that could be undone.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.camera import OrbitCamera, orbit_camera, presets
from brickfield.model import CameraState, Vec3
from brickfield.store import ChunkedLayer
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.live.history import history_of
from brickfield.viewer.live.ports import ScenePort
from brickfield.viewer.live.render_client import ViewCore, corners_of
from brickfield.viewer.receipts.fidelity import Fidelity

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


class CameraView(ViewCore):
    """A view with a camera of its own.

    Parameters
    ----------
    kind : str
        One of :data:`~brickfield.viewer.live.render_client.KINDS`.
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread; may be called from any thread.

    Attributes
    ----------
    camera_changed : psygnal.SignalInstance
        Emits when the camera moved, for whatever reason.
    framing_chosen : psygnal.SignalInstance
        Emits whether the user who saw both framings of the data, by their box and by
        what can be seen (True), wants the second.
    """

    camera_changed = Signal()
    framing_chosen = Signal(bool)

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
        """Frame what can be seen once the overview is there, if the camera was not moved."""
        if self._shall_frame and not self._is_framing and not self._is_closed:
            self._is_framing = True
            self._ask_for_content(is_act=False)

    @property
    def is_settled(self) -> bool:
        """Whether the last picture is complete, at rest, and matches the current state."""
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
        """Adopt the camera of another view; this is no action of the user's here.

        Parameters
        ----------
        camera : CameraState
        is_moving : bool
            Whether it will move on.
        """
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

    def keep_moving(self) -> float:
        """Count as moving for a moment, though the camera rests: the data are moved.

        Returns
        -------
        float
            Until when: ``moving_until`` of the states that pictures are drawn of.
        """
        until = monotonic() + 2 * REST_AFTER_S
        self._change(moving_until=until)
        return until

    def navigate(self, move: Callable[[CameraState], CameraState]) -> None:
        """Move the camera by a function of the present camera, as an action of the user."""
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
        the camera is moved.

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

    def fit_again(self) -> None:
        """Show everything; a second time in a row only what can be seen.

        A request for the other framing while one is shown chooses it.
        """
        content = self.is_fitting and not self.is_fitting_content
        is_choice = self.is_fitting
        self.fit(content=content)
        if is_choice:
            self.frames_content = content
            self.framing_chosen.emit(content)

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
        """Return the camera that shows all points, shape (n, 3), world; for subclasses."""
        camera = self.camera or self.fitted(points)
        return presets.fit_points(presets.resized(camera, self.viewport), points)

    def fitted(self, corners: NDArray[np.float64]) -> CameraState:
        """Return the camera that shows all corners, shape (8, 3), world; for subclasses."""
        camera = self.camera
        if camera is None:
            # Flat data are seen from the front.
            way = OrbitCamera(0.0, 0.0) if self.is_flat else presets.OBLIQUE
            return orbit_camera(corners, self.viewport, way)
        return presets.fit(presets.resized(camera, self.viewport), corners)


def are_flat(layers: Iterable[ChunkedLayer]) -> bool:
    """Tell whether there are layers, and all lie in one plane across the world's z.

    They are one voxel thick, not tilted, and none lies more than half of the thinnest
    one's thickness above another: planes above each other are a volume.
    """
    layers = list(layers)
    if not layers or any(x.store.pyramid.levels[0].shape_zyx[0] != 1 for x in layers):
        return False
    # Of each layer the lower and the upper face, four corners each.
    z = np.array([corners_of(layer)[:, 0].reshape(2, 4) for layer in layers])
    thickness = np.abs(z[:, 1] - z[:, 0]).min()
    return bool(np.ptp(z.mean(axis=1)) <= thickness / 2)
