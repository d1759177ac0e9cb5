"""Where a live view looks from: camera, framing, and undo.

Invariant: a camera that the user set stays until they change it. Only while the user
has not moved it does it follow the extent of the data and the size of the widget, which
is no act that could be undone.

What a camera is fitted to, the volume or a plane, is a :class:`Subject`: a framing asks
it and never the kind of the view.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.camera import OrbitCamera, navigation, orbit_camera, presets
from brickfield.model import CameraState, Vec3
from brickfield.store import ChunkedLayer
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.live.history import history_of
from brickfield.viewer.live.render_client import RenderClient

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


class Subject(Protocol):
    """What the camera of a view is fitted to.

    Attributes
    ----------
    is_volume : bool
        Whether it has depth, so that what can be seen of sparse data is framed first.
    facing : tuple of float or None
        Direction (z, y, x), world, that the user turned it to and can undo; None where
        nothing can be turned. Setting None changes nothing.
    """

    is_volume: bool
    facing: Vec3 | None

    def fitted(
        self,
        corners: NDArray[np.float64],
        camera: CameraState | None,
        viewport: tuple[int, int],
    ) -> CameraState:
        """Return the camera that shows all corners of a box.

        Parameters
        ----------
        corners : ndarray, shape (n, 3), float64
            (z, y, x), world.
        camera : CameraState or None
            The present one, whose direction may be kept.
        viewport : tuple of int
            Width and height, physical pixels.
        """
        ...

    def fitted_to_content(
        self,
        points: NDArray[np.float64],
        camera: CameraState | None,
        viewport: tuple[int, int],
    ) -> CameraState:
        """Return the camera that shows all points, tightly.

        Parameters
        ----------
        points : ndarray, shape (n, 3), float64
            (z, y, x), world.
        camera : CameraState or None
            The present one, whose direction may be kept.
        viewport : tuple of int
            Width and height, physical pixels.
        """
        ...


class Volume:
    """The volume itself as :class:`Subject`: seen from any side.

    Parameters
    ----------
    is_flat : callable
        Tells whether all of it lies in one plane across z.
    """

    is_volume = True
    facing: Vec3 | None = None

    def __init__(self, is_flat: Callable[[], bool]) -> None:
        self._is_flat = is_flat

    def fitted(
        self,
        corners: NDArray[np.float64],
        camera: CameraState | None,
        viewport: tuple[int, int],
    ) -> CameraState:
        """Show all corners, shape (n, 3), from the present direction."""
        if camera is None:
            # Flat data are seen from the front.
            way = OrbitCamera(0.0, 0.0) if self._is_flat() else presets.OBLIQUE
            return orbit_camera(corners, viewport, way)
        return presets.fit(presets.resized(camera, viewport), corners)

    def fitted_to_content(
        self,
        points: NDArray[np.float64],
        camera: CameraState | None,
        viewport: tuple[int, int],
    ) -> CameraState:
        """Show all points, shape (n, 3), from the present direction."""
        camera = camera or self.fitted(points, camera, viewport)
        return presets.fit_points(presets.resized(camera, viewport), points)


class Framing:
    """Camera of a view, and whether it follows the extent of the data.

    Parameters
    ----------
    client : RenderClient
        Not started yet: the framing sets what it calls.

    Attributes
    ----------
    camera_changed : psygnal.SignalInstance
        Emits when the camera moved, for whatever reason.
    framing_chosen : psygnal.SignalInstance
        Emits whether the user who saw both framings of the data, by their box and by
        what can be seen (True), wants the second.
    subject : Subject
        The volume, unless a plane takes its place.
    history : History
        What can be undone; shared by all views of a scene.
    """

    camera_changed = Signal()
    framing_chosen = Signal(bool)

    def __init__(self, client: RenderClient) -> None:
        self._client = client
        self._is_fitting = True
        self._content: NDArray[np.float64] | None = None
        self._is_framed = self._is_framing = False
        self.frames_content = True
        """Whether the first picture of sparse data is framed by what can be seen."""
        self.subject: Subject = Volume(lambda: are_flat(client.layers))
        self.history = history_of(client.scene)
        client.on_more_layers = self._on_more_layers
        client.on_resize = self._on_resize
        client.on_report = self._on_report
        client.is_provisional = self._shall_frame

    @property
    def is_closed(self) -> bool:
        """Whether the view was closed: nothing can be undone in it."""
        return self._client.is_closed

    def _on_more_layers(self) -> None:
        if self._is_fitting:
            self._content, self._is_framed = None, False
            self.refit()

    def _on_report(self, report: ViewReport) -> None:
        # On the render thread.
        if report.has_base and report.state.layers and not self._is_framed:
            self._client.deliver(self._frame_first)

    def _shall_frame(self) -> bool:
        """Whether the picture is still to be framed by what can be seen."""
        is_asked_for = self.frames_content and self.subject.is_volume
        has_layers = bool(self._client.layers)
        return is_asked_for and self._is_fitting and not self._is_framed and has_layers

    def _frame_first(self) -> None:
        """Frame what can be seen once the overview is there, if the camera was not moved."""
        if self._shall_frame() and not self._is_framing and not self.is_closed:
            self._is_framing = True
            self._ask_for_content(is_act=False)

    def _on_resize(self) -> None:
        if self._is_fitting:
            self.refit()
        elif self.camera is not None:
            camera = presets.resized(self.camera, self._client.viewport)
            self._client.change(camera=camera)

    # -- camera ------------------------------------------------------------------

    @property
    def camera(self) -> CameraState | None:
        """Where the picture is taken from; None before there is anything to see."""
        return self._client.state.camera

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
        self.record_place(before, is_going_on=is_moving)

    def record_place(self, before: Place, *, is_going_on: bool = False) -> None:
        """Record the present place as an action of the user's, if it is another one.

        Parameters
        ----------
        before : Place
            Where the view was.
        is_going_on : bool
            Whether more of the same act may follow soon.
        """
        after = self.place
        if before.camera is not None and before != after:
            self.history.record(self, "place", before, after, is_going_on=is_going_on)

    @property
    def place(self) -> Place:
        """Where the picture is taken from and whether it follows the data's extent.

        Setting it puts back what was taken, also of another size.
        """
        return Place(self.camera, self._is_fitting, self.subject.facing)

    @place.setter
    def place(self, value: Place) -> None:
        if value.normal is not None:
            self.subject.facing = value.normal
        self._is_fitting = value.is_fitting
        camera = value.camera
        if camera is not None:
            self._move(camera, is_moving=False)
        if value.is_fitting and (
            camera is None or camera.viewport != self._client.viewport
        ):
            self.refit()

    def follow(self, camera: CameraState, *, is_moving: bool = False) -> None:
        """Adopt the camera of another view; this is no action of the user's here.

        Parameters
        ----------
        camera : CameraState
        is_moving : bool
            Whether it will move on.
        """
        self._move(camera, is_moving=is_moving)

    def keep_in_view(self, before: CameraState) -> None:
        """See as much along the shorter side as in a picture of another shape.

        A camera keeps what it sees from top to bottom, so a narrower picture would cut
        off what a person had in view. Where the view follows the data's extent it does
        so by itself.

        Parameters
        ----------
        before : CameraState
            The camera as it was, with the size of the picture then.
        """
        camera = self.camera
        if camera is None or self._is_fitting:
            return
        now, then = (min(1.0, w / h) for w, h in (camera.viewport, before.viewport))
        if now != then:
            self.follow(navigation.zoom(camera, now / then))

    @property
    def is_fitting(self) -> bool:
        """Whether the picture follows the extent of the data."""
        return self._is_fitting

    def _move(self, camera: CameraState, *, is_moving: bool) -> None:
        if self.is_closed:
            return
        camera = presets.resized(camera, self._client.viewport)
        until = monotonic() + REST_AFTER_S if is_moving else 0.0
        self._client.change(camera=camera, moving_until=until)
        self.camera_changed.emit()

    def keep_moving(self) -> float:
        """Count as moving for a moment, though the camera rests: the data are moved.

        Returns
        -------
        float
            Until when: ``moving_until`` of the states that pictures are drawn of.
        """
        until = monotonic() + 2 * REST_AFTER_S
        self._client.change(moving_until=until)
        return until

    def navigate(self, move: Callable[[CameraState], CameraState]) -> None:
        """Move the camera by a function of the present camera, as an action of the user."""
        if self.camera is not None:
            self.move_to(move(self.camera), is_moving=True)

    @property
    def seen(self) -> list[ChunkedLayer]:
        """The visible layers, or all where none is."""
        layers = self._client.layers
        return [layer for layer in layers if layer.visible] or list(layers)

    def corners(self) -> NDArray[np.float64] | None:
        """Return corners of all visible layers, shape (n, 3), (z, y, x), world."""
        corners = [corners_of(layer) for layer in self.seen]
        return np.concatenate(corners) if corners else None

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
        self.refit()
        self.record_place(before)

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
            self._client.deliver(lambda: self._fit_content(points, is_act=is_act))

        self._client.ask(lambda drawer: drawer.content()).add_done_callback(answer)

    def _fit_content(self, points: NDArray[np.float64] | None, *, is_act: bool) -> None:
        if not is_act:
            self._is_framed, self._is_framing = True, False
        if self.is_closed or (not is_act and not self._is_fitting):
            return
        before = self.place
        self._is_fitting, self._content = True, points
        self.refit()
        if is_act:
            self.record_place(before)
        self._client.tell_fidelity()

    def refit(self) -> None:
        """Fit the camera again, as no action of the user's."""
        camera = self.fitting_camera()
        if camera is not None:
            self._move(camera, is_moving=False)

    def fitting_camera(self) -> CameraState | None:
        """Return the camera that shows everything, or what was asked to be framed."""
        corners = self.corners()
        if corners is None:
            return None
        subject, viewport = self.subject, self._client.viewport
        if self._content is None:
            return subject.fitted(corners, self.camera, viewport)
        return subject.fitted_to_content(self._content, self.camera, viewport)


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


def corners_of(layer: ChunkedLayer) -> NDArray[np.float64]:
    """Return the corners of a layer's data box, shape (8, 3), (z, y, x), world."""
    low, high = layer.store.pyramid.data_bounds
    ends = np.array([low, high])
    picks = np.indices((2, 2, 2)).reshape(3, -1).T
    return layer.world.apply(np.stack([ends[picks[:, a], a] for a in range(3)], axis=1))
