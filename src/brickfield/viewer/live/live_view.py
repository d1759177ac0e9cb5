"""One view in a window or a program: the parts of a live view, joined.

Invariant: nothing is decided here. The :class:`RenderClient` talks with the render
thread, the :class:`Framing` owns the camera, the :class:`SlicePlane` of a slice view the
plane, the :class:`ViewOptions` how the view presents itself. Nothing is kept of the
layers, which belong to the scene, and nothing of the GPU, which belongs to the render
thread. Only :attr:`LiveView.receipt` and :meth:`LiveView.screenshot` wait (in a window,
inside its event loop); everything else returns at once.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import CameraState, PickInfo, Plane, Vec3
from brickfield.model.appearance import Light, Lighting
from brickfield.rendering import RenderThread
from brickfield.rendering.overlays import OverlayOptions, OverlayState
from brickfield.store import ChunkedLayer
from brickfield.viewer.live.frame_state import ViewReport
from brickfield.viewer.live.framing import Framing
from brickfield.viewer.live.history import History
from brickfield.viewer.live.picture_taking import PictureTaker
from brickfield.viewer.live.ports import ScenePort
from brickfield.viewer.live.render_client import RenderClient
from brickfield.viewer.live.slice_plane import NORMALS, SlicePlane
from brickfield.viewer.live.under_cursor import Cursor
from brickfield.viewer.live.view_options import ViewOptions
from brickfield.viewer.receipts.fidelity import Fidelity
from brickfield.viewer.receipts.receipt import Receipt

KINDS = ("3D", *NORMALS)
"""The volume, and the slices."""


class LiveView:
    """One picture of a scene that follows its layers and its camera.

    Parameters
    ----------
    kind : str
        One of :data:`KINDS`.
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread; may be called from any thread.
    thread : RenderThread, optional
        Default: the one of the process.

    Attributes
    ----------
    kind : str
    scene : ScenePort
    client : RenderClient
        Hands frames to the render thread and takes its reports.
    framing : Framing
        The camera, and whether it follows the extent of the data.
    slice : SlicePlane or None
        What a slice view shows; None of a volume view.
    cursor : Cursor
        What is under a pixel.
    options : ViewOptions
        How this view presents itself.
    pictures : PictureTaker
        Screenshots and receipts.
    reported : psygnal.SignalInstance
        Emits a :class:`ViewReport` whenever there is news.
    fidelity_changed : psygnal.SignalInstance
        Emits the new word of :attr:`fidelity`.
    camera_changed : psygnal.SignalInstance
        Emits when the camera moved, for whatever reason.
    options_changed : psygnal.SignalInstance
        Emits when quality, level, light, budget, background or overlays changed.
    picked : psygnal.SignalInstance
        Emits a PickInfo, or None beside every volume, for the last hovered pixel.

    Raises
    ------
    OptionError
        For an unknown kind.
    """

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
        self.client = client = RenderClient(scene, deliver, thread=thread)
        self.framing = framing = Framing(client)
        is_slice = kind in NORMALS
        self.slice = SlicePlane(kind, client, framing) if is_slice else None
        self.cursor = Cursor(client, framing)
        self.options = ViewOptions(client)
        self.pictures = PictureTaker(client)
        self.reported = client.reported
        self.fidelity_changed = client.fidelity_changed
        self.camera_changed = framing.camera_changed
        self.options_changed = self.options.changed
        self.picked = self.cursor.picked
        client.start()

    # -- what has become of the picture ------------------------------------------

    @property
    def layers(self) -> tuple[ChunkedLayer, ...]:
        """What is drawn, first to last."""
        return self.client.layers

    @property
    def report(self) -> ViewReport:
        """What the picture has come to."""
        return self.client.report

    @property
    def report_of_now(self) -> ViewReport:
        """The last report with all that is known better by now."""
        return self.client.report_of_now

    @property
    def fidelity(self) -> Fidelity:
        """How true the picture is to the data: one word.

        "improving" while anything better is on its way, also for a picture that is
        not of the present layers, camera and options; then "final" (every pixel is
        at its target), "limited" (parts are coarser: this budget or file allows no
        finer) or "failed" (parts could not be read or drawn).
        """
        return self.client.fidelity

    @property
    def is_settled(self) -> bool:
        """Whether the last picture is complete, at rest, and matches the current state."""
        return self.client.is_settled

    # -- the widget --------------------------------------------------------------

    def resize(self, size: tuple[int, int], pixel_ratio: float = 1.0) -> None:
        """Set the size of the widget.

        Parameters
        ----------
        size : tuple of int
            Width and height, logical pixels.
        pixel_ratio : float
            Physical pixels per logical one.
        """
        self.client.resize(size, pixel_ratio)

    @property
    def viewport(self) -> tuple[int, int]:
        """Width and height, physical pixels."""
        return self.client.viewport

    @property
    def is_shown(self) -> bool:
        """Whether the picture is visible; a hidden view does nothing."""
        return self.client.is_shown

    @is_shown.setter
    def is_shown(self, value: bool) -> None:
        self.client.is_shown = value

    # -- where it is taken from --------------------------------------------------

    @property
    def camera(self) -> CameraState | None:
        """Where the picture is taken from; None before there is anything to see."""
        return self.framing.camera

    @camera.setter
    def camera(self, value: CameraState) -> None:
        self.framing.camera = value

    def move_to(self, camera: CameraState, *, is_moving: bool = False) -> None:
        """Look from elsewhere.

        Parameters
        ----------
        camera : CameraState
            Its viewport is replaced by the widget's.
        is_moving : bool
            Whether more movement will follow soon: coarser and quicker until then.
        """
        self.framing.move_to(camera, is_moving=is_moving)

    def navigate(self, move: Callable[[CameraState], CameraState]) -> None:
        """Move the camera by a function of the present camera, as an action of the user."""
        self.framing.navigate(move)

    def fit(self, content: bool = False) -> None:
        """Show everything, from the present direction, until the camera is moved.

        Parameters
        ----------
        content : bool
            Frame only what can be seen under the present contrast (the non-empty
            extent of the coarsest level) instead of the whole box; the picture
            follows when it is known.
        """
        self.framing.fit(content)

    @property
    def history(self) -> History:
        """What can be undone; shared by all views of a scene."""
        return self.framing.history

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

    # -- the plane of a slice ----------------------------------------------------

    def _plane(self) -> SlicePlane:
        if self.slice is None:
            msg = (
                "expected a slice view, which shows a plane; found the volume view:"
                ' open one with open_views(viewer, "plane")'
            )
            raise OptionError(msg)
        return self.slice

    @property
    def plane(self) -> Plane:
        """What a slice view shows; an OptionError of a volume view."""
        return self._plane().plane

    @property
    def position(self) -> Vec3:
        """Point that the plane goes through, see :attr:`SlicePlane.position`."""
        return self._plane().position

    @position.setter
    def position(self, value: Vec3) -> None:
        self._plane().position = value

    @property
    def normal(self) -> Vec3:
        """Direction that the plane faces (z, y, x), world."""
        return self._plane().normal

    @normal.setter
    def normal(self, value: Vec3) -> None:
        self._plane().normal = value

    @property
    def angles(self) -> tuple[float, float]:
        """Tilt and turn of the plane, degrees, see :attr:`SlicePlane.angles`."""
        return self._plane().angles

    @angles.setter
    def angles(self, value: tuple[float, float]) -> None:
        self._plane().angles = value

    # -- options of the user -----------------------------------------------------

    @property
    def mode(self) -> str:
        """How the image layers are projected; writes to their owner."""
        return self.options.mode

    @mode.setter
    def mode(self, value: str) -> None:
        self.options.mode = value

    @property
    def quality(self) -> float:
        """Wanted size of a voxel on the screen, pixels: 1 is sharp."""
        return self.options.quality

    @quality.setter
    def quality(self, value: float) -> None:
        self.options.quality = value

    @property
    def forced_level(self) -> int | None:
        """Level that is shown everywhere; None lets the view choose."""
        return self.options.forced_level

    @forced_level.setter
    def forced_level(self, value: int | None) -> None:
        self.options.forced_level = value

    @property
    def show_levels(self) -> bool:
        """Whether colours tell levels instead of values."""
        return self.options.show_levels

    @show_levels.setter
    def show_levels(self, value: bool) -> None:
        self.options.show_levels = value

    @property
    def lighting(self) -> Lighting:
        """How volumes are lit; slices never are."""
        return self.options.lighting

    @lighting.setter
    def lighting(self, value: Lighting) -> None:
        self.options.lighting = value

    @property
    def light(self) -> Light:
        """Of surfaces: "headlight", or "raking", which shows relief."""
        return self.options.light

    @light.setter
    def light(self, value: Light) -> None:
        self.options.light = value

    @property
    def shading(self) -> bool:
        """Whether ``translucent`` is shaded by the gradient of the values."""
        return self.options.shading

    @shading.setter
    def shading(self, value: bool) -> None:
        self.options.shading = value

    @property
    def depth_colour(self) -> bool:
        """Whether colour tells depth in ``mip`` and ``iso``."""
        return self.options.depth_colour

    @depth_colour.setter
    def depth_colour(self, value: bool) -> None:
        self.options.depth_colour = value

    @property
    def gpu_budget(self) -> int:
        """Most bytes for textures of this view; text as "512 MiB" is taken, too."""
        return self.options.gpu_budget

    @gpu_budget.setter
    def gpu_budget(self, value: int | str) -> None:
        self.options.gpu_budget = value

    @property
    def background(self) -> tuple[float, float, float]:
        """Colour behind everything, sRGB, 0 to 1."""
        return self.options.background

    @background.setter
    def background(self, value: tuple[float, float, float]) -> None:
        self.options.background = value

    @property
    def overlays(self) -> OverlayState:
        """Options of all overlays; this view's alone, never saved."""
        return self.options.overlays

    def overlay_options(self, name: str) -> OverlayOptions:
        """Return the options of one overlay; an OptionError for an unknown name."""
        return self.options.overlay_options(name)

    def set_overlay_options(self, name: str, **options: Any) -> None:
        """Change how this view decorates its picture.

        Parameters
        ----------
        name : str
            One of ``scale_bar``, ``axes``, ``bounding_box``, ``tiles``, ``colorbar``,
            ``marker``, ``text``.
        **options
            For example ``visible=True``; see
            :mod:`brickfield.rendering.overlays.options`.

        Raises
        ------
        OptionError
            For an unknown overlay or option, or a value that cannot be used.
        """
        self.options.set_overlay_options(name, **options)

    # -- pictures and what they cost ---------------------------------------------

    @property
    def receipt(self) -> Receipt:
        """What the current picture cost.

        Waits for the render thread, a minute at most; never for data.

        Raises
        ------
        OptionError
            If there is no layer.
        ViewClosedError, ViewBusyError, AdapterError
        """
        return self.pictures.receipt

    def screenshot(
        self, path: Any = None, *, timeout: float = 60.0
    ) -> NDArray[np.uint8]:
        """Load to the full quality, draw, and write a PNG.

        In a window its event loop turns meanwhile: other views and windows go on,
        and what the hand does on this view is dropped.

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
            If there is no layer, or if the file belongs to what is drawn.
        ViewClosedError, ViewBusyError, AdapterError
        """
        return self.pictures.take(path, timeout_s=timeout)

    def screenshot_later(
        self, path: Any = None, *, timeout: float = 60.0
    ) -> Future[NDArray[np.uint8]]:
        """Take a screenshot, shape (h, w, 4), as :meth:`screenshot` does, without waiting.

        The future is done once the file is written, too; in it is what
        :meth:`screenshot` raises.
        """
        return self.pictures.take_later(path, timeout_s=timeout)

    def pick(self, x: float, y: float) -> Future[PickInfo | None]:
        """Find out what is under a pixel, see :meth:`Cursor.pick`."""
        return self.cursor.pick(x, y)

    def retry_failed(self) -> None:
        """Read again what could not be read."""
        self.client.retry_failed()

    # -- the end -----------------------------------------------------------------

    @property
    def is_closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self.client.is_closed

    def close(self) -> Future[None] | None:
        """Give everything back; may be called twice.

        Returns
        -------
        Future or None
            Done when the render thread has released it, too.
        """
        if self.slice is not None:
            self.slice.close()
        return self.client.close()
