"""The window's half of a live view: camera, options, and what the picture says.

Invariant: what is kept here is the camera and how this view presents itself,
nothing of the layers, which belong to the scene, and nothing of the GPU, which
belongs to the render thread (see :mod:`brickfield.viewer.live.render_client`). Only
:attr:`LiveView.receipt` and :meth:`LiveView.screenshot` wait (in a window, inside its
event loop); everything else returns at once.

Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.blockwise import parse_bytes
from brickfield.camera import set_centre
from brickfield.errors import OptionError
from brickfield.loading import AsynchronousDataSlicer
from brickfield.model import Vec3
from brickfield.model.appearance import MODES, Light, Lighting
from brickfield.rendering.overlays import OverlayOptions, OverlayState
from brickfield.viewer.export.files import SCENE_KEY, write_png
from brickfield.viewer.live.live_camera import CameraView
from brickfield.viewer.live.picture_taking import (
    Picture,
    picture_steps,
    take_later,
    take_now,
)
from brickfield.viewer.live.ports import LayerPort, ScenePort
from brickfield.viewer.live.render_client import PATIENCE_S
from brickfield.viewer.live.under_cursor import is_forgotten, read_again
from brickfield.viewer.receipts.fidelity import notes_of
from brickfield.writing import check_file

USUAL_SIZE = (800, 600)
"""Width and height of the picture of a view that no window has given a size."""


class LiveView(CameraView):
    """One picture of a scene that follows its layers and its camera.

    Parameters
    ----------
    kind : str
        One of :data:`~brickfield.viewer.live.render_client.KINDS`.
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread; may be called from any thread.

    Attributes
    ----------
    picked : psygnal.SignalInstance
        Emits a PickInfo, or None beside every volume, for the last hovered pixel.
    options_changed : psygnal.SignalInstance
        Emits when quality, level, light, budget, background or overlays changed.
    """

    picked = Signal(object)
    options_changed = Signal()

    def __init__(
        self,
        kind: str,
        scene: ScenePort,
        deliver: Callable[[Callable[[], None]], None],
        **options: Any,
    ) -> None:
        self._hover: tuple[float, float] | None = None
        self._is_picking = self._is_reading = False
        super().__init__(kind, scene, deliver, **options)

    # -- options of the user -----------------------------------------------------

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
    def lighting(self) -> Lighting:
        """How volumes are lit; slices never are."""
        return self._state.lighting

    @lighting.setter
    def lighting(self, value: Lighting) -> None:
        self._option("lighting", value)

    @property
    def light(self) -> Light:
        """Of surfaces: "headlight", or "raking", which shows relief."""
        return self.lighting.light

    @light.setter
    def light(self, value: Light) -> None:
        self.lighting = replace(self.lighting, light=value)

    @property
    def shading(self) -> bool:
        """Whether ``translucent`` is shaded by the gradient of the values."""
        return self.lighting.shading

    @shading.setter
    def shading(self, value: bool) -> None:
        self.lighting = replace(self.lighting, shading=bool(value))

    @property
    def depth_colour(self) -> bool:
        """Whether colour tells depth in ``mip`` and ``iso``."""
        return self.lighting.depth_colour

    @depth_colour.setter
    def depth_colour(self, value: bool) -> None:
        self.lighting = replace(self.lighting, depth_colour=bool(value))

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
            :mod:`brickfield.rendering.overlays.options`.

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
        """Request what is under a pixel (logical); answered by :attr:`picked`.

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
            info = done.result()
            self.picked.emit(info)
            if info is not None and is_forgotten(info) and not self._is_reading:
                self._is_reading = True
                _reader().submit(
                    read_again,
                    info,
                    callback=lambda read: self._deliver(lambda: self._read(at, read)),
                )

    def _read(self, at: tuple[float, float], done: Future[Any]) -> None:
        """Take values that had to be read again."""
        self._is_reading = False
        if self._is_closed or self._hover is None:
            return
        if self._hover != at:
            self.hover(self._hover)
        elif not done.cancelled() and done.exception() is None:
            self.picked.emit(done.result())

    def pick(self, x: float, y: float) -> Future[Any]:
        """Find out what is under a pixel.

        Parameters
        ----------
        x : float
            Column, logical pixels.
        y : float
            Row, logical pixels.
        """
        return self.ask(lambda drawer: drawer.pick(x, y))

    def set_centre_at(self, x: float, y: float) -> None:
        """Make what is under a pixel the centre of rotation.

        Parameters
        ----------
        x : float
            Column, logical pixels.
        y : float
            Row, logical pixels.
        """

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
        """What the current picture cost (a :class:`~brickfield.viewer.receipts.receipt.Receipt`).

        Waits for the render thread, a minute at most; never for data.

        Raises
        ------
        OptionError
            If there is no layer.
        ViewClosedError, ViewBusyError, AdapterError
        """
        self._be_ready()
        receipt = self.answer(lambda drawer: drawer.receipt())
        # A picture that is still to be framed is not the one that was asked for.
        if self.is_shown and self.fidelity == "improving":
            return replace(receipt, fidelity="improving")
        return receipt

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
        self._check_target(path)
        if self.wait_for is not None and not self._thread.is_current:
            future = self.screenshot_later(path, timeout=timeout)
            try:
                return self._waited_for(future, timeout + PATIENCE_S)
            finally:
                future.cancel()
        self._be_ready()
        notes = self.scene_notes() if path is not None else {}
        image, fidelity = take_now(picture_steps(timeout), self.answer)
        if path is not None:
            write_png(Path(path), image, notes_of(fidelity) | notes)
        return image

    def screenshot_later(
        self, path: Any = None, *, timeout: float = 60.0
    ) -> Future[NDArray[np.uint8]]:
        """Take a screenshot, shape (h, w, 4), as :meth:`screenshot` does, without waiting.

        Parameters
        ----------
        path : str or Path, optional
            Where to write a PNG.
        timeout : float
            Seconds.

        Returns
        -------
        Future
            Of the picture; done once the file is written, too. In it is what
            :meth:`screenshot` raises.
        """
        self._check_target(path)
        self._be_ready()
        notes = self.scene_notes() if path is not None else {}

        def finish(picture: Picture) -> NDArray[np.uint8]:
            image, fidelity = picture
            if path is not None:
                write_png(Path(path), image, notes_of(fidelity) | notes)
            return image

        return take_later(picture_steps(timeout), self.ask, finish)

    def scene_notes(self) -> dict[str, str]:
        """Return the text with which a picture taken now tells its scene."""
        text = "" if self.scene_text is None else self.scene_text()
        return {SCENE_KEY: text} if text else {}

    def _check_target(self, path: Any) -> None:
        """Refuse to write over what is drawn."""
        if path is not None:
            check_file(Path(path), [layer.store.source for layer in self.layers])

    def _be_ready(self) -> None:
        """See to it that there is something to draw, and a size to draw it in."""
        if self._is_closed:
            return
        if self.camera is None:
            msg = "expected an image layer to take a picture of; found none: add one"
            raise OptionError(msg)
        if min(self._state.size) < 2:
            self.resize(USUAL_SIZE)


@cache
def _reader() -> AsynchronousDataSlicer:
    """Return the thread that reads values under the cursor again."""
    return AsynchronousDataSlicer(1, name="brickfield-hover")
