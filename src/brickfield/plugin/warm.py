"""Getting the graphics ready while an image is still being opened.

Invariant: what the interpreter is set to meanwhile is as before afterwards.
"""

from __future__ import annotations

import gc
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from brickfield.plugin.window_thread import is_window_thread
from brickfield.rendering import render_thread

if TYPE_CHECKING:
    from brickfield.store import ChunkedLayer

logger = logging.getLogger(__name__)
_is_late_begun = threading.Event()
SWITCH_S = 0.0005
"""After so long a thread gives Python's interpreter to one that waits for it."""
RARELY = 100
"""So many times less often all objects are looked through for garbage."""
FIRST_OVERLAYS = ("scale_bar", "axes")
"""What the dock's volume view shows over its first picture."""


def warm_up() -> None:
    """Load the graphics libraries and find the device, on the render thread.

    Returns at once. What is ready already costs nothing; what goes wrong is said by
    the first view that needs it.
    """
    if is_window_thread() and not render_thread().has_device:
        render_thread().submit(_logged(_prepare))


def compile_ahead(layers: Sequence[Any]) -> None:
    """Compile what the first picture of napari layers needs, on the render thread.

    Returns at once. For layers of this project that are in no viewer yet; a process
    that has drawn before compiles with its next picture.

    Parameters
    ----------
    layers : sequence of napari.layers.Layer
    """
    if not is_window_thread() or render_thread().has_device:
        return
    from brickfield.store import LayerSnapshot

    drawn = [LayerSnapshot.of(x) for x in map(_drawn, layers) if x is not None]
    render_thread().submit(_logged(lambda: _prepare(drawn)))


def _drawn(layer: Any) -> ChunkedLayer | None:
    """Return what will be drawn of a napari layer."""
    from brickfield.plugin.layers.appearance import appearance_of
    from brickfield.plugin.layers.make import store_behind
    from brickfield.store import ChunkedLayer

    store = store_behind(layer)
    if store is None or not layer.visible:
        return None
    look = appearance_of(layer, store.info.world)
    selections = [store.default_selection(0)] * len(look.channels)
    return ChunkedLayer(store, look, selections)


def _prepare(layers: Sequence[Any] = ()) -> None:
    from brickfield.gpu import get_device

    get_device()
    from brickfield.viewer.live import prepare_view

    # A view that has come first has programs and a renderer of its own.
    if not render_thread().has_device:
        prepare_view(layers, FIRST_OVERLAYS)


def _logged(job: Callable[[], None]) -> Callable[[], None]:
    """Return a job that raises nothing: the first view that needs it says the same."""

    def run() -> None:
        try:
            with loading():
                job()
        except Exception:
            logger.debug("the graphics are not ready", exc_info=True)

    return run


class _WhileAnyone:
    """Changes a setting of the interpreter as long as anyone wants it changed.

    Invariant: it is changed by the first who begins and put back by the last who
    ends. From any thread.

    Parameters
    ----------
    change : callable
        Changes the setting and returns how it is put back.
    """

    def __init__(self, change: Callable[[], Callable[[], None]]) -> None:
        self._change = change
        self._lock = threading.Lock()
        self._n = 0
        self._put_back: Callable[[], None] | None = None

    def begin(self) -> None:
        with self._lock:
            self._n += 1
            if self._n == 1:
                self._put_back = self._change()

    def end(self) -> None:
        with self._lock:
            self._n -= 1
            if self._n == 0 and self._put_back is not None:
                self._put_back()


def _switch_sooner() -> Callable[[], None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, SWITCH_S))
    now = sys.getswitchinterval()

    def put_back() -> None:
        # Another value is somebody else's wish.
        if sys.getswitchinterval() == now:
            sys.setswitchinterval(before)

    return put_back


def _collect_rarely() -> Callable[[], None]:
    young, middle, before = gc.get_threshold()
    # 0 is never.
    gc.set_threshold(young, middle, RARELY * before)

    def put_back() -> None:
        young, middle, old = gc.get_threshold()
        if old != RARELY * before:
            return
        gc.set_threshold(young, middle, before)
        # The count towards the next full collection begins anew, or what has been put
        # off came at once. Objects that somebody froze stay as they are.
        if not gc.get_freeze_count():
            gc.freeze()
            gc.unfreeze()

    return put_back


_turns = _WhileAnyone(_switch_sooner)
_collections = _WhileAnyone(_collect_rarely)


@contextmanager
def quick_turns() -> Iterator[None]:
    """Give the interpreter to the window's thread soon while another one computes.

    A thread of Python that waits for a file, or calls OpenGL, gives the interpreter
    away, and another one that computes gives it back after 5 ms at the earliest: the
    window's thread does so dozens of times a turn, and stood still for 0.2 s. The
    interval becomes a tenth meanwhile.
    """
    _turns.begin()
    try:
        yield
    finally:
        _turns.end()


def begin_loading() -> Callable[[], None]:
    """Let the window have its turns while another thread loads much.

    Besides :func:`quick_turns`, full collections of garbage come a hundred times less
    often. Each looks through all objects of a napari process, 0.13 s in which no
    thread runs, and modules that are imported, which are no garbage, cause several.

    Returns
    -------
    callable
        Ends it; may be called twice.
    """
    ending = [_turns.end, _collections.end]
    _turns.begin()
    _collections.begin()

    def end() -> None:
        while ending:
            ending.pop()()

    return end


@contextmanager
def loading() -> Iterator[None]:
    """Let the window have its turns meanwhile; see :func:`begin_loading`."""
    end = begin_loading()
    try:
        yield
    finally:
        end()


def load_later() -> None:
    """Load on a thread what napari needs once its canvas is turned to 3D.

    Its camera loads scipy (half a second) when it is first asked which way it looks.
    Nothing of a dock needs it, so the first picture goes before.
    """
    if not _is_late_begun.is_set():
        _is_late_begun.set()
        threading.Thread(target=_load_late, name="brickfield-later").start()


def _load_late() -> None:
    with loading():
        import scipy.spatial.transform  # noqa: F401 - so that napari need not
