"""Plays a camera's way in a view, as fast as it can be drawn.

It stops by itself when anything else moves the camera. Main thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import monotonic

from qtpy.QtCore import QObject, QTimer, Signal

from brickfield.model import CameraState
from brickfield.viewer.live import LiveView

TICK_MS = 30


class Preview(QObject):
    """Moves the camera of a view along a way, and back to where it was.

    Attributes
    ----------
    ended : Signal
        It came to the end or was stopped.
    """

    ended = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._tick)
        self._view: LiveView | None = None
        self._way: Sequence[CameraState] = ()
        self._fps = 25.0
        self._began = 0.0
        self._home: CameraState | None = None
        self._clock: Callable[[], float] = monotonic
        self._last: CameraState | None = None

    @property
    def is_playing(self) -> bool:
        """Whether the camera is on its way."""
        return bool(self._timer.isActive())

    def play(self, view: LiveView, way: Sequence[CameraState], fps: float) -> None:
        """Begin.

        Parameters
        ----------
        view : LiveView
        way : sequence of CameraState
        fps : float
            Cameras a second; those for which there is no time are left out.
        """
        self._view, self._way, self._fps = view, tuple(way), fps
        self._home, self._last = view.camera, view.camera
        self._began = self._clock()
        self._timer.start()
        self._tick()

    def stop(self) -> None:
        """Stop here; the camera goes back to where it was."""
        if self.is_playing:
            self._end(goes_home=True)

    def _tick(self) -> None:
        view = self._view
        if view is None or view.is_closed or view.camera != self._last:
            # Closed, or moved by the user.
            self._end(goes_home=False)
            return
        index = int((self._clock() - self._began) * self._fps)
        if index >= len(self._way):
            self._end(goes_home=True)
            return
        view.move_to(self._way[index], is_moving=True)
        self._last = view.camera

    def _end(self, *, goes_home: bool) -> None:
        self._timer.stop()
        view, self._view = self._view, None
        is_there = view is not None and not view.is_closed
        if goes_home and is_there and view is not None and self._home is not None:
            view.move_to(self._home)
        self.ended.emit()
