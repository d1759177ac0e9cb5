"""What all live views have in common: layers in, frames out, reports back.

Invariant: nothing in here waits, draws or loads. A change becomes a frozen
:class:`~brickfield.viewer.live.frame_state.FrameState`, at most once an event-loop
turn, and pictures come back as reports. The layers belong to the scene (see
:mod:`brickfield.viewer.live.ports`), the GPU to the render thread.

Main thread only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal

from brickfield.errors import OptionError, ViewBusyError, ViewClosedError
from brickfield.model import Selection, physical_size
from brickfield.rendering import RenderThread, render_thread
from brickfield.store import ChunkedLayer, LayerSnapshot
from brickfield.viewer.live.drawer_guard import LazyDrawer
from brickfield.viewer.live.frame_state import (
    FrameState,
    ViewReport,
    shows_same,
)
from brickfield.viewer.live.ports import LayerPort, ScenePort, SliderAxis
from brickfield.viewer.receipts.fidelity import Fidelity

_T = TypeVar("_T")
PATIENCE_S = 60.0
"""Seconds in which the render thread must have answered."""
_CLOSED = "expected an open view; found a closed one: ask brickfield.view_of(viewer)"
KINDS = ("3D", "xy", "xz", "yz", "plane")


class ViewCore:
    """Follows a scene and hands frames to the render thread.

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
    fidelity_changed : psygnal.SignalInstance
        Emits the new word of :attr:`fidelity`.
    seen_changed : psygnal.SignalInstance
        Emits when a picture of layers begins or ends to be seen; no arguments.
    """

    reported = Signal(object)
    fidelity_changed = Signal(str)
    seen_changed = Signal()

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
        self.wait_for: Callable[[Future[Any], float], bool] | None = None
        """How a window waits for a future, with a limit in seconds; tells whether it could."""
        self.scene_text: Callable[[], str] | None = None
        """What gives the scene document that pictures carry; on the owner's thread."""
        self._deliver = deliver
        self._thread = thread or render_thread()
        self._state = FrameState()
        self._drawer: Any = None
        self._layers: tuple[ChunkedLayer, ...] = ()
        self._axis: SliderAxis | None = None
        self._n_ahead = 0
        self._is_posting = False
        self._is_closed = False
        self._told_fidelity = "improving"
        self._was_seen = False
        # Views belong to the thread that makes them, usually the window's.
        self._owner = threading.get_ident()
        self._start_drawer()
        scene.layers_changed.connect(self._take_layers)
        scene.objects_changed.connect(self.refresh)
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
        has_more = bool(set(new) - set(self._layers))
        self._layers = new
        self._drop_report_of_others()
        if has_more:
            self._on_more_layers()
        self.refresh()

    def _drop_report_of_others(self) -> None:
        """Show and tell nothing of layers that are all gone."""
        told = {snapshot.layer for snapshot in self.report.state.layers}
        is_of_none = not told & set(self._layers)
        if self._layers and is_of_none and not self.report.is_starting:
            self._replace_report(ViewReport(is_starting=True))
        elif told and not self._layers:
            # Told in the next turn: others are still hearing that the layers are gone,
            # and whoever is told may close the window under them.
            self.report = report = ViewReport()
            self._deliver(lambda: self._tell_unless_replaced(report))

    def _tell_unless_replaced(self, report: ViewReport) -> None:
        if self.report is report and not self._is_closed:
            self._replace_report(report)

    def refresh(self) -> None:
        """Look at the layers again before the next picture."""
        if not self._is_posting and not self._is_closed:
            self._is_posting = True
            # In the next turn of the event loop: many changes of one turn become one
            # state.
            self._deliver(self._post)
            # No later than the change: the picture is not of these layers any more.
            self._tell_fidelity()

    def _post(self) -> None:
        self._is_posting = False
        if self._is_closed:
            return
        self._state = self._state_of_now()
        self._drawer.post(self._state)
        self._tell_fidelity()

    def _state_of_now(self) -> FrameState:
        """Look at layers and objects as they are."""
        ports = {port.data: port for port in self.scene.layers}
        layers = tuple(
            LayerSnapshot.of(layer, **self._times_of(ports.get(layer)))
            for layer in self._layers
        )
        objects = self.scene.objects
        return self.compose(replace(self._state, layers=layers, objects=objects))

    def _times_of(self, port: LayerPort | None) -> dict[str, tuple[Selection, ...]]:
        axis = self._axis
        if axis is None or port is None:
            return {}
        timeline = port.selections_along(axis.index)
        if not self._state.is_playing or not timeline:
            return {"timeline": timeline}
        # Round the end, since a series is played in a loop.
        ahead = [(axis.position + 1 + i) % len(timeline) for i in range(self._n_ahead)]
        return {"timeline": timeline, "ahead": tuple(timeline[i] for i in ahead)}

    def watch_axis(
        self, axis: SliderAxis | None, *, is_playing: bool = False, n_ahead: int = 0
    ) -> None:
        """Report which time points of a series are loaded, and prefetch while it is played.

        Parameters
        ----------
        axis : SliderAxis or None
            At its present position; None watches nothing.
        is_playing : bool
        n_ahead : int
            Time points that are worth reading in advance.
        """
        self._axis, self._n_ahead = axis, n_ahead
        self._change(is_playing=is_playing)

    def compose(self, state: FrameState) -> FrameState:
        """Add what a kind of view shows besides; for subclasses."""
        return state

    def _change(self, **changes: Any) -> None:
        if not self._is_closed:
            self._state = replace(self._state, **changes)
            self.refresh()

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
        size = (max(1, size[0]), max(1, size[1]))
        if (size, pixel_ratio) == (self._state.size, self._state.pixel_ratio):
            return
        self._change(size=size, pixel_ratio=pixel_ratio)
        self._on_resize()

    @property
    def viewport(self) -> tuple[int, int]:
        """Width and height, physical pixels."""
        return physical_size(self._state.size, self._state.pixel_ratio)

    @property
    def is_shown(self) -> bool:
        """Whether the picture is visible; a hidden view does nothing."""
        return self._state.is_shown

    @is_shown.setter
    def is_shown(self, value: bool) -> None:
        if value != self._state.is_shown:
            self._change(is_shown=value)

    def _on_resize(self) -> None:
        """The picture has another size; for subclasses."""

    def _on_more_layers(self) -> None:
        """Layers were added; for subclasses."""

    # -- the render thread -------------------------------------------------------

    def ask(self, job: Callable[[Any], _T]) -> Future[_T]:
        """Run a function of the drawer on the render thread.

        Returns
        -------
        Future
            Of a closed view it raises a ViewClosedError. To wait for it without
            holding the view up, use :meth:`answer`.
        """
        if self._is_closed:
            return _refused()
        # The job shall see the changes that were made before it was requested.
        if self._is_posting and threading.get_ident() == self._owner:
            self._post()
        drawer = self._drawer
        return self._thread.submit(lambda: drawer.run(job))

    def answer(self, job: Callable[[Any], _T], timeout_s: float = PATIENCE_S) -> _T:
        """Run a function of the drawer on the render thread and wait for it.

        Parameters
        ----------
        job : callable
            Called with the drawer, on the render thread.
        timeout_s : float
            Seconds.

        Raises
        ------
        ViewClosedError
            If the view was closed, before or meanwhile.
        ViewBusyError
            If there is no answer in time.
        """
        # On the render thread: waiting for it here would wait for ever.
        if self._thread.is_current:
            return cast("_T", self._drawer.run(job))
        return self._waited_for(self.ask(job), timeout_s)

    def _waited_for(self, future: Future[_T], timeout_s: float) -> _T:
        """Return what a future comes to; the window goes on meanwhile, if there is one."""
        end = monotonic() + timeout_s
        wait, is_owner = self.wait_for, threading.get_ident() == self._owner
        has_waited = wait is not None and is_owner and wait(future, timeout_s)
        if has_waited and not future.done() and monotonic() < end:
            # Before its time is over: the application ends.
            future.cancel()
        try:
            return future.result(max(0.0, end - monotonic()))
        except CancelledError:
            raise ViewClosedError(_CLOSED) from None
        except TimeoutError:
            if future.done():
                raise
            future.cancel()
            msg = (
                f"expected an answer of the graphics device within {timeout_s:g} s;"
                " found none: it is busy with something else; ask again later"
            )
            raise ViewBusyError(msg) from None

    # -- reports -----------------------------------------------------------------

    def _on_report(self, report: ViewReport) -> None:
        # On the render thread.
        self._deliver(lambda: self._take_report(report))

    def _take_report(self, report: ViewReport) -> None:
        told = {snapshot.layer for snapshot in report.state.layers}
        if self._is_closed or (told and not told & set(self._layers)):
            # What is on its way is of layers that are gone.
            return
        # A report of progress alone: the last picture stays.
        if report.image is None and not report.error:
            report = replace(report, image=self.report.image)
        self._replace_report(report)

    def _replace_report(self, report: ViewReport) -> None:
        self.report = report
        self.reported.emit(report)
        self._tell_fidelity()

    @property
    def report_of_now(self) -> ViewReport:
        """The last report with all that is known better by now.

        Reads go on, the camera comes to rest and layers change while the render
        thread is in the middle of a drawing and reports nothing.
        """
        report = self.report.counted_again()
        if report.error:
            return report
        if report.is_starting:
            return replace(report, has_renderer=self._thread.has_device)
        word, is_moving = self.fidelity, monotonic() < self._state.moving_until
        is_outdated = report.fidelity != word or report.is_moving
        return replace(
            report,
            fidelity=word,
            is_moving=is_moving,
            is_complete=report.is_complete and not is_outdated,
            is_drawing=report.is_drawing or (report.is_complete and is_outdated),
        )

    @property
    def fidelity(self) -> Fidelity:
        """How true the picture is to the data: one word."""
        report = self.report
        if report.error:
            return "failed"
        if not report.state.layers:
            return "improving"
        # What has changed and is not handed on yet counts, too.
        now = self._state_of_now() if self._is_posting else self._state
        return report.fidelity if shows_same(report.state, now) else "improving"

    def _tell_fidelity(self) -> None:
        if self._is_closed:
            return
        if (word := self.fidelity) != self._told_fidelity:
            self._told_fidelity = word
            self.fidelity_changed.emit(word)
        if (is_seen := self.is_shown and bool(self._layers)) != self._was_seen:
            self._was_seen = is_seen
            self.seen_changed.emit()

    @property
    def is_settled(self) -> bool:
        """Whether the last picture is complete, at rest, and matches the current state."""
        report = self.report
        is_of_now = not self._is_posting and report.state is self._state
        is_done = report.is_complete and not report.is_moving
        return is_of_now and is_done and report.image is not None

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
            Done when the render thread has released it, too.
        """
        if self._is_closed:
            return None
        self._is_closed = True
        self.scene.layers_changed.disconnect(self._take_layers, missing_ok=True)
        self.scene.objects_changed.disconnect(self.refresh, missing_ok=True)
        for layer in self._layers:
            layer.render_callbacks.remove(self.refresh)
        self._layers = ()
        # A reference to the view must keep no image alive.
        self._state = replace(self._state, layers=(), objects={})
        self.report = ViewReport()
        drawer = self._drawer
        return self._thread.remove(drawer, drawer.close)


def _refused() -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(ViewClosedError(_CLOSED))
    return future


def corners_of(layer: ChunkedLayer) -> NDArray[np.float64]:
    """Return the corners of a layer's data box, shape (8, 3), (z, y, x), world."""
    low, high = layer.store.pyramid.data_bounds
    ends = np.array([low, high])
    picks = np.indices((2, 2, 2)).reshape(3, -1).T
    return layer.world.apply(np.stack([ends[picks[:, a], a] for a in range(3)], axis=1))
