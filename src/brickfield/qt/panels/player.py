"""Plays a series: moves a slider at a rate, and counts what did not come in time.

Nothing waits. A timer checks whether the picture of the last move is drawn; if so the
slider moves on, else the moment is skipped and counted. Views are told that a series
is played, so that they prefetch and show a coarser picture rather than a late one.
"""

from __future__ import annotations

from math import ceil
from typing import Any

from qtpy.QtCore import QObject, Qt, QTimer, Signal

from brickfield.qt.host import Host
from brickfield.qt.port_watch import Connections
from brickfield.viewer.live import LiveView, SliderAxis

USUAL_RATE = 10.0
RATES = (0.1, 60.0)
PATIENCE_S = 2.0
"""Longest time for which one picture may hold up all others."""
AHEAD_S = 2.0
"""How far prefetching goes, seconds of playing."""


class Player(QObject):
    """Moves one slider of a scene. Main thread only.

    Parameters
    ----------
    host : Host
    connections : Connections
        When these are released, the player stops.

    Attributes
    ----------
    changed : Signal
        It plays or not, another slider, or counted.
    axis_index : int or None
        Slider that it moves (:attr:`SliderAxis.index`).
    is_looping : bool
    is_watching : bool
        Whether views report what is loaded though nothing is played.
    n_shown, n_dropped : int
        Moves and skipped moments since it was started.
    """

    changed = Signal()

    def __init__(
        self, host: Host, connections: Connections, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._host = host
        self._connections = connections
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.tick)
        self._rate = USUAL_RATE
        self._images: dict[LiveView, Any] = {}
        self._drawn: dict[LiveView, Any] = {}
        self._told: tuple[Any, ...] | None = None
        self._n_waits = 0
        self.axis_index: int | None = None
        self.is_looping = True
        self.is_watching = False
        self.n_shown = self.n_dropped = 0
        connections.bind(host.scene.axes_changed, self.follow)
        connections.bind(host.views_changed, self._follow_views)
        self._follow_views()

    # -- what is played ----------------------------------------------------------

    @property
    def axis(self) -> SliderAxis | None:
        """The slider that is or would be played: the chosen one, time, or the first."""
        axes = self._host.scene.axes
        chosen = [a for a in axes if a.index == self.axis_index]
        times = [a for a in axes if a.is_time]
        return next(iter([*chosen, *times, *axes]), None)

    @property
    def rate(self) -> float:
        """Steps a second."""
        return self._rate

    @rate.setter
    def rate(self, value: float) -> None:
        low, high = RATES
        self._rate = min(max(value, low), high)
        self._timer.setInterval(round(1000 / self._rate))
        self.follow()

    @property
    def is_playing(self) -> bool:
        """Whether the slider moves by itself."""
        return bool(self._timer.isActive())

    def play(self, axis_index: int | None = None) -> None:
        """Start at the present step, or at the first if this is the last."""
        if axis_index is not None:
            self.axis_index = axis_index
        axis = self.axis
        if axis is None:
            return
        self.axis_index = axis.index
        self.n_shown = self.n_dropped = self._n_waits = 0
        self._timer.start(round(1000 / self._rate))
        if axis.position >= axis.n_steps - 1:
            self._host.scene.move_slider(axis.index, 0)
        self.follow()

    def pause(self) -> None:
        """Stay where it is."""
        self._timer.stop()
        self.follow()

    def toggle(self, axis_index: int | None = None) -> None:
        """Play or pause; another slider is played at once."""
        is_same = axis_index in (None, self.axis_index)
        if self.is_playing and is_same:
            self.pause()
        else:
            self.play(axis_index)

    # -- time --------------------------------------------------------------------

    def tick(self) -> None:
        """Move on, if the picture of the last move is drawn."""
        axis = self.axis
        if axis is None or self._connections.is_released:
            self._timer.stop()
            self.changed.emit()
            return
        if not self.is_drawn and self._n_waits < PATIENCE_S * self._rate:
            self._n_waits += 1
            self.n_dropped += 1
            self.changed.emit()
            return
        self._n_waits = 0
        following = axis.position + 1
        if following >= axis.n_steps:
            if not self.is_looping:
                self.pause()
                return
            following = 0
        self.n_shown += 1
        self._host.scene.move_slider(axis.index, following)

    @property
    def is_drawn(self) -> bool:
        """Whether all views that are seen show the present step, at least coarsely."""
        now = tuple(port.data.selections for port in self._host.scene.layers)
        seen = [view for view in self._host.views if view.is_shown]
        return all(self._drawn.get(view) == now for view in seen)

    def _on_report(self, _report: object) -> None:
        for view in self._host.views:
            report = view.report
            # A report without a picture of its own hands on the one before.
            if report.image is None or report.image is self._images.get(view):
                continue
            self._images[view] = report.image
            if report.has_base:
                layers = report.state.layers
                self._drawn[view] = tuple(layer.selections for layer in layers)
        if self.is_watching:
            self.changed.emit()

    # -- views -------------------------------------------------------------------

    def _follow_views(self) -> None:
        views = self._host.views
        for view in [v for v in self._images if v not in views]:
            self._connections.unbind(view.reported)
            del self._images[view]
            self._drawn.pop(view, None)
        for view in views:
            if view not in self._images:
                self._images[view] = None
                self._connections.bind(view.reported, self._on_report)
        self._told = None
        self.follow()

    def follow(self) -> None:
        """Tell the views what is played, or watched, and where."""
        is_playing = self.is_playing
        axis = self.axis if is_playing or self.is_watching else None
        n_ahead = 0
        if axis is not None and is_playing:
            n_ahead = min(axis.n_steps - 1, max(2, ceil(AHEAD_S * self._rate)))
        told = (axis, is_playing, n_ahead)
        if told != self._told:
            self._told = told
            for view in self._host.views:
                view.client.watch_axis(axis, is_playing=is_playing, n_ahead=n_ahead)
        self.changed.emit()

    @property
    def at_hand(self) -> tuple[bool, ...]:
        """For each step whether it could be shown at once; empty while not known."""
        known = [v.report.at_hand for v in self._host.views if v.is_shown]
        known = [steps for steps in known if steps]
        if not known or len({len(steps) for steps in known}) != 1:
            return ()
        return tuple(all(steps) for steps in zip(*known, strict=True))
