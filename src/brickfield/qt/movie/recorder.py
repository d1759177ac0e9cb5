"""Records movies of a volume without occupying the view that the user works with.

Invariant: frames are drawn by an invisible view of the recorder's own, one
after another on the render thread, between the pictures of the dock. Files are
written on a thread. Neither the window nor the render thread waits for the other,
and :meth:`Recorder.close` ends everything at any moment.

The recorded view shows the scene as it is: changing a layer meanwhile changes
the movie. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, fields, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from brickfield.errors import BrickfieldError
from brickfield.model import CameraState
from brickfield.qt.background import Background
from brickfield.qt.view.capture import Capture, CapturedPicture
from brickfield.rendering.overlays import NAMES
from brickfield.sources.io import is_ending
from brickfield.viewer.export import Movie, MovieOptions, MovieResult, write_movie
from brickfield.viewer.live import LiveView, ScenePort

LISTEN_S = 0.2
"""Time after which the writing thread notices that it is not wanted any more."""
Frame = tuple[NDArray[np.uint8], bool, Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Recording:
    """What to record, and where to.

    Attributes
    ----------
    movie : Movie
    folder : Path
        For the frames.
    options : MovieOptions
    size : tuple of int
        Width and height, logical pixels: those that overlays are measured in.
    ratio : float
        Physical pixels a logical one.
    gpu_budget : int
        Bytes, beside what the dock's views have.
    """

    movie: Movie
    folder: Path
    options: MovieOptions
    size: tuple[int, int]
    ratio: float
    gpu_budget: int


class _Stopped(Exception):  # noqa: N818 - not an error
    """The recording was stopped."""


class Recorder(QObject):
    """Draws and writes one movie at a time.

    Parameters
    ----------
    scene : ScenePort

    Attributes
    ----------
    progressed : Signal
        Emits how many frames are on disk, of how many.
    ended : Signal
        Emits a MovieResult or None, and the error that ended it or None; both None
        when it was stopped between two frames.
    """

    progressed = Signal(int, int)
    ended = Signal(object, object)

    def __init__(self, scene: ScenePort, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scene = scene
        self._background = Background()
        self._view: LiveView | None = None
        self._shot: Capture | None = None
        self._stop = Event()

    @property
    def is_running(self) -> bool:
        """Whether a movie is being made."""
        return self._view is not None

    def start(self, recording: Recording, like: LiveView) -> None:
        """Begin; returns at once.

        Parameters
        ----------
        recording : Recording
        like : LiveView
            Whose quality, background and overlays the movie has.

        Raises
        ------
        BrickfieldError
            While another movie is being made.
        """
        if self.is_running:
            msg = (
                "expected the previous movie to be finished; found it still being"
                " recorded: wait for it, or stop it"
            )
            raise BrickfieldError(msg)
        self._stop = Event()
        view = _copy(self._scene, like, self._background)
        view.gpu_budget = recording.gpu_budget
        view.resize(recording.size, recording.ratio)
        self._view = view
        sources = tuple(port.data.store.source for port in self._scene.layers)
        options = replace(recording.options, sources=sources)
        job = _Job(self, replace(recording, options=options), self._stop)
        self._background.run(job, self._on_done)

    def stop(self) -> None:
        """Stop soon; the frames so far stay, and can be gone on with."""
        self._stop.set()
        if self._shot is not None:
            self._shot.cancel()

    def close(self) -> None:
        """Stop, and give everything back."""
        self.stop()
        self._background.close()
        self._release()

    def _release(self) -> None:
        view, self._view, self._shot = self._view, None, None
        if view is not None:
            view.close()

    def _on_done(self, result: MovieResult | None, error: BaseException | None) -> None:
        self._release()
        self.ended.emit(result, None if isinstance(error, _Stopped) else error)

    # -- called by the writing thread --------------------------------------------

    def later(self, call: Callable[[], None]) -> None:
        """Run something on the main thread. From any thread."""
        self._background.deliver(call)

    def shoot(
        self, camera: CameraState, time: int, timeout_s: float, frame: Future[Frame]
    ) -> None:
        """Record one frame.

        Parameters
        ----------
        camera : CameraState
        time : int
            Position of the time slider.
        timeout_s : float
            Seconds until the frame is taken as it is.
        frame : Future
            Receives the picture once it is complete.
        """
        view = self._view
        if view is None or self._stop.is_set():
            frame.cancel()
            return
        self._go_to(time)
        view.move_to(camera)

        def taken(result: CapturedPicture) -> None:
            if result.image is None:
                frame.set_exception(BrickfieldError(result.problem))
                return
            levels = list(view.report.levels)
            info = {"levels": levels, "failed_chunks": len(view.report.failures)}
            frame.set_result((result.image, result.is_complete, info))

        self._shot = Capture(view, self._background, taken, timeout_s=timeout_s)

    def _go_to(self, time: int) -> None:
        axis = time_axis(self._scene)
        if axis is not None and axis[1] != time:
            self._scene.move_slider(axis[0], time)


class _Job:
    """Writes the movie, on a thread of its own.

    It knows the recorder by what it hands to the main thread alone.
    """

    def __init__(self, recorder: Recorder, recording: Recording, stop: Event) -> None:
        self._recorder = recorder
        self._recording = recording
        self._stop = stop

    def __call__(self) -> MovieResult:
        what = self._recording
        return write_movie(
            what.movie,
            what.folder,
            self._draw,
            what.options,
            on_progress=self._tell,
            cancelled=self._is_over,
        )

    def _draw(self, camera: CameraState, index: int, timeout_s: float) -> Frame:
        frame: Future[Frame] = Future()
        time = self._recording.movie.frames[index].time
        recorder = self._recorder
        recorder.later(lambda: recorder.shoot(camera, time, timeout_s, frame))
        while not self._is_over():
            try:
                return frame.result(LISTEN_S)
            except NotYet:
                continue
            except CancelledError:
                break
        raise _Stopped

    def _is_over(self) -> bool:
        # At the end of the program nothing else stops it.
        return self._stop.is_set() or is_ending()

    def _tell(self, n_done: int, n: int) -> None:
        recorder = self._recorder
        recorder.later(lambda: recorder.progressed.emit(n_done, n))


def time_axis(scene: ScenePort) -> tuple[int, int] | None:
    """Return the slider of time and its position; None without one."""
    for axis in scene.axes:
        if axis.is_time:
            return axis.index, axis.position
    return None


def _copy(scene: ScenePort, like: LiveView, background: Background) -> LiveView:
    """Make an invisible view that shows the same and loads."""
    view = LiveView("3D", scene, background.deliver)
    view.quality = like.quality
    view.forced_level = like.forced_level
    view.show_levels = like.show_levels
    view.lighting = like.lighting
    view.background = like.background
    for name in NAMES:
        options = like.overlay_options(name)
        chosen = {f.name: getattr(options, f.name) for f in fields(options)}
        view.set_overlay_options(name, **chosen)
    view.is_shown = True
    return view
