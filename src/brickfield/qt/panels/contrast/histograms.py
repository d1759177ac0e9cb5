"""Histograms of layers, counted in the background and remembered.

A histogram is of one selection of one version of a store's data. A request
is answered at once, with nothing at first, and a signal tells when there is more.
Main thread only; counting happens on two threads of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from threading import Event
from typing import Any
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from brickfield.loading import AsynchronousDataSlicer
from brickfield.model import Selection
from brickfield.qt.deliver import Deliverer
from brickfield.store import ChunkedImageStore
from brickfield.viewer.controls import Histogram, coarsest_histogram, exact_histogram
from brickfield.viewer.live import LayerPort

MOST_KEPT = 16
"""Selections of one store whose histograms are remembered."""
_Key = tuple[Selection, int]


class Histograms(QObject):
    """Counts in the background.

    Parameters
    ----------
    deliver : Deliverer

    Attributes
    ----------
    changed : Signal
        There is a new histogram, or an exact one has come further.
    progress : float or None
        Share of an exact count that is done; None when none runs.
    problem : str
        Why the last count came to nothing; "" otherwise.
    """

    changed = Signal()

    def __init__(self, deliver: Deliverer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._deliver = deliver
        self._workers = AsynchronousDataSlicer(2, name="brickfield-count")
        self._kept: WeakKeyDictionary[ChunkedImageStore, dict[_Key, Histogram]]
        self._kept = WeakKeyDictionary()
        self._exact: WeakKeyDictionary[ChunkedImageStore, set[_Key]]
        self._exact = WeakKeyDictionary()
        self._asked: set[tuple[int, _Key]] = set()
        self._stop = Event()
        self._is_over = Event()
        self.progress: float | None = None
        self.problem = ""

    def closer(self) -> Callable[[], object]:
        """Return what ends all counting; keeps no widget alive."""
        return partial(_close, self._workers, self._is_over)

    # -- asking ------------------------------------------------------------------

    def of(self, port: LayerPort) -> Histogram | None:
        """Return what is known of the shown selection's values."""
        return self._kept.get(port.data.store, {}).get(_key(port))

    def is_exact(self, port: LayerPort) -> bool:
        """Whether every voxel of level 0 was counted."""
        return _key(port) in self._exact.get(port.data.store, ())

    def ask(self, port: LayerPort) -> None:
        """Count the coarsest level, unless that is done or under way."""
        store, key = port.data.store, _key(port)
        name = (id(store), key)
        if self.of(port) is not None or name in self._asked:
            return
        self._asked.add(name)
        take = partial(self._take, store, key, is_exact=False)
        self._submit(take, coarsest_histogram, store, key[0])

    def ask_exact(self, port: LayerPort) -> None:
        """Count every voxel of level 0; reads all of it."""
        self.cancel()
        store, key = port.data.store, _key(port)
        self._stop = stop = Event()
        self.progress = 0.0
        count = partial(
            exact_histogram,
            on_progress=partial(self._say, stop),
            cancelled=partial(_is_any_set, stop, self._is_over),
        )
        take = partial(self._take, store, key, is_exact=True, stop=stop)
        self._submit(take, count, store, 0, key[0])
        self.changed.emit()

    def cancel(self) -> None:
        """Give up an exact count."""
        self._stop.set()
        if self.progress is not None:
            self.progress = None
            self.changed.emit()

    def _submit(self, take: Callable[[Future[Any]], None], *work: Any) -> None:
        is_over = self._is_over

        def answer(future: Future[Any]) -> None:
            # The window may be gone by then.
            if not is_over.is_set():
                take(future)

        def done(future: Future[Any]) -> None:
            self._deliver(lambda: answer(future))

        self._workers.submit(*work, callback=done)

    # -- answers -----------------------------------------------------------------

    def _say(self, stop: Event, n_done: int, n_blocks: int) -> None:
        # On a worker's thread.
        self._deliver(lambda: self._come_further(stop, n_done / n_blocks))

    def _come_further(self, stop: Event, share: float) -> None:
        if stop is self._stop and not _is_any_set(stop, self._is_over):
            self.progress = share
            self.changed.emit()

    def _take(
        self,
        store: ChunkedImageStore,
        key: _Key,
        future: Future[Any],
        *,
        is_exact: bool,
        stop: Event | None = None,
    ) -> None:
        self._asked.discard((id(store), key))
        if is_exact and stop is self._stop:
            self.progress = None
        if future.cancelled():
            return
        error = future.exception()
        self.problem = "" if error is None else str(error)
        found = None if error else future.result()
        exact = self._exact.setdefault(store, set())
        if found is not None and (is_exact or key not in exact):
            kept = self._kept.setdefault(store, {})
            kept.pop(key, None)
            kept[key] = found
            if is_exact:
                exact.add(key)
            while len(kept) > MOST_KEPT:
                oldest = next(iter(kept))
                del kept[oldest]
                exact.discard(oldest)
        self.changed.emit()


def _key(port: LayerPort) -> _Key:
    return port.data.selections[0], port.data.data_version.value


def _is_any_set(*events: Event) -> bool:
    return any(event.is_set() for event in events)


def _close(workers: AsynchronousDataSlicer, is_over: Event) -> None:
    is_over.set()
    workers.shutdown(wait=False)
