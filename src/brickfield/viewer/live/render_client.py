"""A view's client of the render thread: layers in, frames out, reports back.

Invariant: nothing in here waits, draws or loads. A change becomes a frozen
:class:`~brickfield.viewer.live.frame_state.FrameState`, at most once an event-loop
turn, and pictures come back as reports. The layers belong to the scene (see
:mod:`brickfield.viewer.live.ports`), the GPU to the render thread.

A view owns one client. What else the view shows, and what it does when layers are added
or the picture has another size, are callables that its other parts set before
:meth:`RenderClient.start`.

Main thread only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from time import monotonic
from typing import Any, TypeVar, cast

from psygnal import Signal

from brickfield.errors import ViewBusyError, ViewClosedError
from brickfield.model import Selection, physical_size
from brickfield.rendering import RenderThread, render_thread
from brickfield.store import ChunkedLayer, LayerSnapshot
from brickfield.viewer.live.drawing.drawer_guard import LazyDrawer
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


class RenderClient:
    """Follows a scene and hands frames to the render thread.

    Parameters
    ----------
    scene : ScenePort
    deliver : callable
        Runs a function later on the main thread; may be called from any thread.
    thread : RenderThread, optional
        Default: the one of the process.

    Attributes
    ----------
    reported : psygnal.SignalInstance
        Emits a :class:`ViewReport` whenever there is news.
    fidelity_changed : psygnal.SignalInstance
        Emits the new word of :attr:`fidelity`.
    seen_changed : psygnal.SignalInstance
        Emits when a picture of layers begins or ends to be seen; no arguments.
    state : FrameState
        What is handed to the render thread next; changed by :meth:`change` alone.
    report : ViewReport
        What the picture has come to.
    deliver : callable
        As given.
    """

    reported = Signal(object)
    fidelity_changed = Signal(str)
    seen_changed = Signal()

    def __init__(
        self,
        scene: ScenePort,
        deliver: Callable[[Callable[[], None]], None],
        *,
        thread: RenderThread | None = None,
    ) -> None:
        self.scene = scene
        self.deliver = deliver
        self.state = FrameState()
        self.report = ViewReport()
        self.wait_for: Callable[[Future[Any], float], bool] | None = None
        """How a window waits for a future, with a limit in seconds; tells whether it could."""
        self.compose: Callable[[FrameState], FrameState] = _unchanged
        """Adds to a state what else the view shows, such as a plane."""
        self.on_more_layers: Callable[[], None] = _nothing
        """Called when layers were added, before they are drawn."""
        self.on_resize: Callable[[], None] = _nothing
        """Called when the picture has another size."""
        self.on_report: Callable[[ViewReport], None] = _nothing
        """Called with each report, on the render thread."""
        self.is_provisional: Callable[[], bool] = _never
        """Tells whether the view will replace even a complete picture by itself."""
        self._thread = thread or render_thread()
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

    def start(self) -> None:
        """Begin to draw the layers of the scene, and to follow them."""
        self._drawer = LazyDrawer(self._on_report, self._thread)
        self._thread.add(self._drawer)
        self.scene.layers_changed.connect(self._take_layers)
        self.scene.objects_changed.connect(self.refresh)
        self._take_layers()

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
            self.on_more_layers()
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
            self.deliver(lambda: self._tell_unless_replaced(report))

    def _tell_unless_replaced(self, report: ViewReport) -> None:
        if self.report is report and not self._is_closed:
            self._replace_report(report)

    def refresh(self) -> None:
        """Look at the layers again before the next picture."""
        if not self._is_posting and not self._is_closed:
            self._is_posting = True
            # In the next turn of the event loop: many changes of one turn become one
            # state.
            self.deliver(self._post)
            # No later than the change: the picture is not of these layers any more.
            self.tell_fidelity()

    def _post(self) -> None:
        self._is_posting = False
        if self._is_closed:
            return
        self.state = self._state_of_now()
        self._drawer.post(self.state)
        self.tell_fidelity()

    def _state_of_now(self) -> FrameState:
        """Look at layers and objects as they are."""
        ports = {port.data: port for port in self.scene.layers}
        layers = tuple(
            LayerSnapshot.of(layer, **self._times_of(ports.get(layer)))
            for layer in self._layers
        )
        objects = self.scene.objects
        return self.compose(replace(self.state, layers=layers, objects=objects))

    def _times_of(self, port: LayerPort | None) -> dict[str, tuple[Selection, ...]]:
        axis = self._axis
        if axis is None or port is None:
            return {}
        timeline = port.selections_along(axis.index)
        if not self.state.is_playing or not timeline:
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
        self.change(is_playing=is_playing)

    def change(self, **changes: Any) -> None:
        """Change fields of the state; of a closed view nothing is changed.

        Parameters
        ----------
        **changes
            Fields of :class:`FrameState`.
        """
        if not self._is_closed:
            self.state = replace(self.state, **changes)
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
        if (size, pixel_ratio) == (self.state.size, self.state.pixel_ratio):
            return
        self.change(size=size, pixel_ratio=pixel_ratio)
        self.on_resize()

    @property
    def viewport(self) -> tuple[int, int]:
        """Width and height, physical pixels."""
        return physical_size(self.state.size, self.state.pixel_ratio)

    @property
    def is_shown(self) -> bool:
        """Whether the picture is visible; a hidden view does nothing."""
        return self.state.is_shown

    @is_shown.setter
    def is_shown(self, value: bool) -> None:
        if value != self.state.is_shown:
            self.change(is_shown=value)

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

    def retry_failed(self) -> None:
        """Read again what could not be read."""
        self.ask(lambda drawer: drawer.retry_failed())

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
        return self.waited_for(self.ask(job), timeout_s)

    @property
    def is_on_render_thread(self) -> bool:
        """Whether the caller runs on the render thread, which must never wait for itself."""
        return self._thread.is_current

    def waited_for(self, future: Future[_T], timeout_s: float) -> _T:
        """Return what a future comes to; the window goes on meanwhile, if there is one.

        Parameters
        ----------
        future : Future
        timeout_s : float
            Seconds.

        Raises
        ------
        ViewClosedError
            If it was cancelled, as the futures of a closed view are.
        ViewBusyError
            If there is no result in time.
        """
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
        self.deliver(lambda: self.take_report(report))
        self.on_report(report)

    def take_report(self, report: ViewReport) -> None:
        """Make a report the present one, unless it is of layers that are gone."""
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
        self.tell_fidelity()

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
        word, is_moving = self.fidelity, monotonic() < self.state.moving_until
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
        """How true the picture is to the data: one word.

        "improving" while anything better is on its way, also for a picture that is
        not of the present layers, camera and options; then "final" (every pixel is
        at its target), "limited" (parts are coarser: this budget or file allows no
        finer) or "failed" (parts could not be read or drawn).
        """
        word = self._fidelity_of_picture()
        return "improving" if word != "failed" and self.is_provisional() else word

    def _fidelity_of_picture(self) -> Fidelity:
        report = self.report
        if report.error:
            return "failed"
        if not report.state.layers:
            return "improving"
        # What has changed and is not handed on yet counts, too.
        now = self._state_of_now() if self._is_posting else self.state
        return report.fidelity if shows_same(report.state, now) else "improving"

    def tell_fidelity(self) -> None:
        """Emit what has changed of :attr:`fidelity` and of whether the picture is seen."""
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
        is_of_now = not self._is_posting and report.state is self.state
        is_done = report.is_complete and not report.is_moving
        has_picture = is_of_now and is_done and report.image is not None
        return has_picture and not self.is_provisional()

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
        self.state = replace(self.state, layers=(), objects={})
        self.report = ViewReport()
        drawer = self._drawer
        return self._thread.remove(drawer, drawer.close)


def _refused() -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(ViewClosedError(_CLOSED))
    return future


def _unchanged(state: FrameState) -> FrameState:
    return state


def _nothing(*_: object) -> None:
    pass


def _never() -> bool:
    return False
