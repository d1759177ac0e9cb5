"""Calls on the thread of the windows, now or from its event loop.

Listeners to napari log what they cannot do instead of raising it (:func:`logs_errors`):
napari calls listeners inside its own setters: an error of one would end what the person
did, though only the volume view cannot follow.
"""

from __future__ import annotations

import logging
import threading
import weakref
from collections.abc import Callable
from functools import cache, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from qtpy.QtCore import QCoreApplication, QTimer

from brickfield.errors import BrickfieldError
from brickfield.qt import Background, Deliverer

if TYPE_CHECKING:  # this module is light, for what napari loads at its start
    from brickfield.loading import ChunkManager
    from brickfield.sources import ChunkSource
    from brickfield.store import ChunkedImageStore


def is_window_thread() -> bool:
    """Whether this is the thread of a Qt application's windows."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and QCoreApplication.instance() is not None


_has_deliverer = threading.Event()


@cache
def deliverer() -> Deliverer:
    """Return the way to the window's thread; made when it is first needed."""
    _has_deliverer.set()
    made = Deliverer()
    app = QCoreApplication.instance()
    if app is not None:
        made.move_beside(app)
    return made


def on_window_thread(function: Callable[[], None]) -> None:
    """Run a function soon on the window's thread; from any thread.

    Dropped where no layer was ever shown in a window.
    """
    if _has_deliverer.is_set():
        deliverer()(function)


def close_soon(manager: ChunkManager, source: ChunkSource) -> None:
    """Close the manager and the source of a store; from any thread, whatever locks it holds.

    Parameters
    ----------
    manager : ChunkManager
    source : ChunkSource
    """

    def close() -> None:
        manager.close(wait=False)
        source.close()

    on_window_thread(close)


def close_when_unused(store: ChunkedImageStore) -> None:
    """See to it that a store is closed once no layer, view or script has it."""
    # The end may come on any thread that holds any lock, so it only says so.
    end = weakref.finalize(store, close_soon, store.manager, store.source)
    end.atexit = False
    known = weakref.ref(store)

    def follow(_: object) -> None:
        # On another grid it has another loader and another source.
        found = known()
        if found is not None:
            again = weakref.finalize(found, close_soon, found.manager, found.source)
            again.atexit = False

    store.laid_out.connect(follow)


def weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls a method as long as its object lives."""
    ref = weakref.WeakMethod(method)

    def call() -> None:
        found = ref()
        if found is not None:
            found()

    return call


def later(method: Callable[[], None], delay_s: float = 0.0) -> None:
    """Call a method from the window's event loop, if its object still exists.

    On any thread; from another one than the window's, without the delay.

    Parameters
    ----------
    method : callable
        Bound; its object is held weakly.
    delay_s : float
        Seconds; only on the window's own thread.
    """
    if is_window_thread():
        QTimer.singleShot(round(1000 * delay_s), weakly(method))
    else:
        deliverer()(weakly(method))


_running: set[Background] = set()


def in_background(
    job: Callable[[], Any],
    on_done: Callable[[Any, BaseException | None], object],
) -> None:
    """Run a function on a thread of its own; its end is told on this one.

    Parameters
    ----------
    job : callable
        Must not touch windows or layers.
    on_done : callable
        Takes what came of it and the error, one of them None.
    """
    background = Background()
    _running.add(background)

    def done(result: Any, error: BaseException | None) -> None:
        _running.discard(background)
        background.close()
        on_done(result, error)

    background.run(job, done)


logger = logging.getLogger(__name__)
_F = TypeVar("_F", bound=Callable[..., None])


def logs_errors(listener: _F) -> _F:
    """Log what a method of a port cannot do, in place of raising it.

    Parameters
    ----------
    listener : method
        Of something with a `layer`.
    """

    @wraps(listener)
    def listen(self: Any, *args: Any, **options: Any) -> None:
        try:
            listener(self, *args, **options)
        except (BrickfieldError, ValueError, TypeError, IndexError) as error:
            name = self.layer.name
            logger.warning("the volume view cannot follow %s: %s", name, error)

    return cast("_F", listen)
