"""Pictures at once in napari's own canvas: slices that fill while they are shown.

Invariant: when napari slices a layer in a window, on the window's thread or on its
own slicing thread, no voxel is waited for. What is loaded is drawn, coarser data
are shown for what is not, and the layer is drawn again, at most ten times a second,
as chunks come in. All other callers that read voxels of a lazy level (scripts, writers,
other plugins) get them all.

Who asks is told from the calling frame (:mod:`brickfield.plugin.napari_names`). If
napari moves what is looked for there, the slices are read as everybody else's, which
waits but is right.

All of this runs on the window's thread but for what answers napari: a feed's lock
is held while it is asked, and while arrived chunks are handed to what was asked for.
Nothing is waited for under it, so napari may wait for its slicing thread.
"""

from __future__ import annotations

import sys
import threading
import weakref
from collections.abc import Callable
from itertools import count
from time import monotonic, sleep
from typing import Any

from numpy.typing import NDArray
from qtpy.QtCore import QCoreApplication

from brickfield.loading import ChunkManager
from brickfield.model.changes import ChunkChange
from brickfield.model.requests import Category, ChunkFailure
from brickfield.plugin.napari_names import (
    is_slicing,
    layer_above,
    layer_of_request,
)
from brickfield.plugin.slicing.growth import follow_grid, lengthen
from brickfield.plugin.slicing.progressive_slice import (
    HOLD_S,
    ProgressiveSlice,
    follows,
    move_between,
    names_ahead,
    refuse_what_cannot_fit,
)
from brickfield.plugin.window_thread import deliverer, is_window_thread, later, weakly
from brickfield.store import ChunkedImageStore, LazyLevel, load, requests_of

PAUSE_S = 0.1
"""Least time between two drawings of a layer while it loads."""
COLLECT_S = 0.02
"""Time between two turns of painting."""
HALFWAY_S = 2.0
"""Most time that napari takes from the first array of a slice to the last."""
LONGEST_PAUSE_S = 2.0
"""Most time, however long drawing takes."""
TURN_S = 0.008
"""Most time that painting arrived chunks takes at a time."""
first_shown: list[Callable[[Any], None]] = []
"""Called with a layer soon after it is sliced for the first time."""
soon_after_slicing: list[Callable[[Any], None]] = []
"""Called with a layer soon after napari asked for another slice of it."""
_numbers = count()


def answer(view: LazyLevel) -> NDArray[Any] | None:
    """Answer a slicing by napari, shape of the level; None for all others (a ``Reading``)."""
    # Frame 0 is here, 1 is the level's __array__, 2 is who turned it into an array.
    frame = sys._getframe(2)
    if not is_slicing(frame) or not view.size:
        return None
    # napari slices on the window's thread, or on a thread of its own with NAPARI_ASYNC;
    # the two keep the layer in different places.
    if threading.current_thread() is threading.main_thread():
        layer = layer_above(frame) if is_window_thread() else None
        if layer is None:
            return None
    else:
        has_windows = QCoreApplication.instance() is not None
        layer = layer_of_request(frame) if has_windows else None
        if layer is None:
            # On a slicing thread without a window: nobody would redraw, so the array is
            # filled first.
            return _read_leniently(view)
    return feed_of(layer, view).answer(view, frame.f_locals.get("self"))


def _read_leniently(view: LazyLevel) -> NDArray[Any]:
    """Read for a thread that no layer is told of: what fails is drawn coarser."""
    refuse_what_cannot_fit(view)
    store = view.store  # kept while it is read
    manager, mosaic = store.manager, view.mosaic()
    lacking = mosaic.paint_known(manager.peek)
    failed = load(manager, mosaic, lacking, is_strict=False)
    if failed:
        mosaic.paint_coarser(manager.peek)
    return view.as_shown(mosaic.out)


class Feed:
    """What one napari layer shows and waits for.

    Window's thread only, but for :meth:`answer`.

    Parameters
    ----------
    layer : napari layer
        Not kept alive.
    manager : ChunkManager
        Of the store that the layer shows.
    """

    def __init__(self, layer: Any, manager: ChunkManager) -> None:
        self.manager = manager
        self.visual_id = f"napari-{next(_numbers)}"
        # Names of their own, so that the callback below does not keep the feed alive.
        deliver, visual_id = deliverer(), self.visual_id
        self._layer = weakref.ref(
            layer, lambda _: deliver(lambda: manager.release(visual_id))
        )
        self._lock = threading.RLock()
        self._slices: dict[Any, ProgressiveSlice] = {}
        self._before: dict[Any, ProgressiveSlice] = {}
        self._kept: dict[Any, ProgressiveSlice] = {}
        self._request: weakref.ref[Any] | None = None
        self._sent: set[Any] = set()
        self._is_sending = False
        self._is_waking = threading.Event()
        self._asked_at = 0.0
        self._drawn_at = 0.0
        self._is_dirty = False
        self._pause_s = PAUSE_S
        manager.chunk_ready.connect(self._on_ready)

    # -- called by napari --------------------------------------------------------

    def answer(self, view: LazyLevel, request: Any) -> NDArray[Any]:
        """Return the array of a view, and have it filled; shape of the view.

        On the window's thread, or on napari's slicing thread.

        Parameters
        ----------
        view : LazyLevel
        request : object or None
            Of napari: what is asked for one request is wanted together, and what was
            asked for the one before is not wanted any more.
        """
        with self._lock:
            return self._answer(view, request)

    def _answer(self, view: LazyLevel, request: Any) -> NDArray[Any]:
        # Part of the key, so that data that changed are never shown from an old array.
        version = view.store.data_version.value, view.store.changes.version
        key = (version, view.level, view.picks, view.dtype)
        if request is None:
            # A flat layer's thumbnail, which napari requests only once.
            self._kept = {k: a for k, a in self._kept.items() if k[0] == version}
            slices = self._kept
        else:
            # A new request of napari. The arrays of the one before stay until this one
            # is known to be complete, since parts of it may be asked for again.
            if self._request is None or request is not self._request():
                self._before, self._slices = self._slices, {}
                self._request = weakref.ref(request)
            slices = self._slices
            self._asked_at = monotonic()
        # The same array again: napari draws what is filled in meanwhile without a copy.
        sliced = slices.get(key) or self._before.get(key)
        if sliced is None:
            refuse_what_cannot_fit(view)
            olds = (one for one in self._before.values() if follows(one.view, view))
            sliced = ProgressiveSlice(view, self.manager, next(olds, None))
            self._look_ahead(sliced)
            if sliced.held_until:
                later(self._end_holds, HOLD_S)
        # Chunks will not come any more: what is there counts as the picture.
        if view.store.is_closed:
            sliced.give_up()
        slices[key] = sliced
        if not self._is_sending:
            self._is_sending = True
            # One request to the loader for all levels of all channels of a slice, not
            # one each.
            later(self._send)
        return sliced.array

    def _look_ahead(self, sliced: ProgressiveSlice) -> None:
        """Prefetch if this is the next of the planes or time points shown."""
        for old in self._before.values():
            move = move_between(old.view, sliced.view)
            if move is not None:
                sliced.ahead = names_ahead(sliced.mosaic.names, move, sliced.view)

    def _send(self) -> None:
        """Want what the present slices lack, in place of what was wanted before."""
        layer = self._layer()
        for call in soon_after_slicing if layer is not None else ():
            call(layer)
        with self._lock:
            self._is_sending = False
            # On its own thread, napari may be halfway through a request, which
            # asks more than once: what it asked before may be asked again.
            is_late = monotonic() > self._asked_at + HALFWAY_S
            if not (_has_slice(layer) or is_late):
                later(self._send, COLLECT_S)
            else:
                self._before = {}
            keys = {*self._slices, *self._before, *self._kept}
        self._go_on()
        if keys == self._sent:
            return
        self._sent = keys
        self._want()

    def _want(self) -> None:
        # The coarsest level is small and stands in for all of the rest.
        slices = sorted(self._all_slices(), key=lambda sliced: not sliced.is_coarsest)
        names = dict.fromkeys(name for sliced in slices for name in sliced.lacking)
        # Known to have failed: named, so that they stay listed.
        names.update(dict.fromkeys(name for sliced in slices for name in sliced.failed))
        requests = requests_of(self.visual_id, list(names))
        ahead = dict.fromkeys(
            n for sliced in slices for n in sliced.ahead if n not in names
        )
        requests += requests_of(self.visual_id, list(ahead), Category.PREFETCH)
        begins = not self.manager.gathering.is_on
        self.manager.request_chunks(requests, self.visual_id, begins=begins)

    def _all_slices(self) -> list[ProgressiveSlice]:
        with self._lock:
            every = (
                *self._slices.values(),
                *self._before.values(),
                *self._kept.values(),
            )
        return list(dict.fromkeys(every))

    # -- chunks arrive -----------------------------------------------------------

    def _on_ready(self, visual_id: str) -> None:
        """Hear of a chunk, on a reading thread."""
        if visual_id == self.visual_id and not self._is_waking.is_set():
            # On a reading thread: only wakes the window, once until it has looked.
            self._is_waking.set()
            deliverer()(weakly(self._wake))

    def _wake(self) -> None:
        later(self._collect, COLLECT_S)

    def _collect(self) -> None:
        """Paint what has arrived, a little at a time."""
        # Before taking: a chunk that comes during the work must wake the window again.
        self._is_waking.clear()
        end = monotonic() + TURN_S
        is_new = self._take(end)
        for sliced in self._all_slices():
            is_new = sliced.end_hold(self.manager) or sliced.go_on(end) or is_new
        self._is_dirty = self._is_dirty or is_new
        self._go_on()
        later(self._draw_when_due)

    def _take(self, end: float) -> bool:
        """Paint chunks until the time is over; tell whether any was new."""
        is_new = has_coarse = False
        while True:
            # What is asked for meanwhile looks at the cache after this or is told.
            with self._lock:
                slices = self._all_slices()
                # Few at once, so that the clock is looked at between them: this is the
                # window's thread.
                taken = self.manager.take_ready(self.visual_id, 8)
                takers = [
                    sliced for chunk in taken for sliced in slices if sliced.take(chunk)
                ]
            is_new = is_new or bool(takers)
            has_coarse = has_coarse or any(sliced.is_coarsest for sliced in takers)
            if not taken:
                break
            if monotonic() > end:
                self._on_ready(self.visual_id)
                break
        if has_coarse:
            for sliced in slices:
                # The overview has come: it shows everywhere where nothing better is
                # yet.
                sliced.stand_in(self.manager, end)
        return is_new

    def _go_on(self) -> None:
        """Come back for coarser data that are still to be painted."""
        if any(sliced.has_steps for sliced in self._all_slices()):
            self._on_ready(self.visual_id)

    def _end_holds(self) -> None:
        """Show what is there, in place of what was shown before."""
        changed = [sliced.end_hold(self.manager) for sliced in self._all_slices()]
        if any(changed):
            self._is_dirty = True
            self._draw_when_due()

    def _draw_when_due(self) -> None:
        """Have the layer drawn again, unless it was drawn a moment ago."""
        layer = self._layer()
        if layer is None or not self._is_dirty:
            return
        # The last picture comes soon; those before at a rate that the canvas can bear.
        pause_s = PAUSE_S if self.is_complete else self._pause_s
        left = self._drawn_at + pause_s - monotonic()
        if left > 0:
            later(self._draw_when_due, left)
            return
        self._is_dirty = False
        self._drawn_at = monotonic()
        # napari slices again and gets the same array. Nothing but the picture changed.
        layer.refresh(extent=False, thumbnail=self.is_complete, highlight=False)
        # Painting of windows comes before a timer that is due meanwhile.
        later(self._note_drawn, COLLECT_S)

    def _note_drawn(self) -> None:
        """Draw the less often the longer it takes: a volume may take a second."""
        now = monotonic()
        took = now - self._drawn_at - COLLECT_S
        # Twice what a redraw took, so that half of the window's time is left for the
        # user.
        self._pause_s = min(max(PAUSE_S, 2 * took), LONGEST_PAUSE_S)
        self._drawn_at = now

    def tell_first_shown(self) -> None:
        """Call the functions that wait for layers to be shown."""
        for call in first_shown:
            layer = self._layer()
            if layer is not None:
                call(layer)

    def show_anew(self) -> None:
        """Have the layer sliced again, because its voxels changed."""
        layer = self._layer()
        if layer is not None:
            layer.refresh(extent=False)

    def show_changed(self, change: ChunkChange) -> None:
        """Have the layer sliced again, if it shows voxels that changed."""
        if any(
            change.covers(selection)
            for sliced in self._all_slices()
            for selection in sliced.view.selections
        ):
            self.show_anew()

    def lengthen(self) -> None:
        """Let the layer's sliders reach as far as its image does now."""
        layer = self._layer()
        if layer is not None:
            lengthen(layer)

    def follow_grid(self) -> None:
        """Let the layer follow its image to another grid."""
        layer = self._layer()
        if layer is not None:
            follow_grid(layer)

    # -- how it stands -----------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether nothing is on its way."""
        return not any(
            sliced.lacking or sliced.has_steps for sliced in self._all_slices()
        )

    @property
    def is_shown(self) -> bool:
        """Whether the layer was drawn with all of it."""
        return self.is_complete and not self._is_dirty

    @property
    def views(self) -> list[LazyLevel]:
        """What napari asked for last."""
        return [sliced.view for sliced in self._all_slices()]

    @property
    def failures(self) -> list[ChunkFailure]:
        """Chunks on show that could not be read."""
        failed = {name for sliced in self._all_slices() for name in sliced.failed}
        found = self.manager.failures(self.visual_id)
        return [f for f in found if (f.chunk_id.selection, f.chunk_id.key) in failed]

    def retry_failed(self) -> int:
        """Read failed chunks again; return how many."""
        for sliced in self._all_slices():
            sliced.retry()
        n = self.manager.retry_failed(self.visual_id)
        self._want()
        return n


# -- feeds of layers -------------------------------------------------------------

# By layer, weakly: a layer that is gone has no feed, and the feed keeps no layer.
_feeds: weakref.WeakKeyDictionary[Any, Feed] = weakref.WeakKeyDictionary()
_feeds_lock = threading.Lock()


def feed_of(layer: Any, view: LazyLevel) -> Feed:
    """Return the feed of a layer; a new one if the layer shows another store now.

    Parameters
    ----------
    layer : napari.layers.Layer
    view : LazyLevel
        Level of the layer.
    """
    manager = view.store.manager
    with _feeds_lock:
        before = _feeds.get(layer)
        if before is not None and before.manager is manager:
            return before
        feed = _feeds[layer] = Feed(layer, manager)
    if before is not None:
        before.manager.release(before.visual_id)
    view.store.reloaded.connect(feed.show_anew)
    view.store.changed.connect(feed.show_changed)
    view.store.grown.connect(feed.lengthen)
    view.store.laid_out.connect(feed.follow_grid)
    later(feed.tell_first_shown)
    return feed


def drop_feed(layer: Any) -> None:
    """Cancel the requests of a layer; it gets a new feed when it is sliced again."""
    feed = _feeds.pop(layer, None)
    if feed is not None:
        feed.manager.release(feed.visual_id)


def existing_feed(layer: Any) -> Feed | None:
    """Return what a layer waits for; None if it never was sliced progressively."""
    return _feeds.get(layer)


def layers_shown(store: ChunkedImageStore) -> list[Any]:
    """List the layers of a store that were sliced progressively."""
    shown = []
    for layer in list(_feeds):
        level = layer.data[0] if layer.multiscale else layer.data
        if isinstance(level, LazyLevel) and level.hold.is_held and level.store is store:
            shown.append(layer)
    return shown


def is_loaded(layer: Any) -> bool:
    """Whether napari's canvas shows all of a layer's present slice."""
    feed = existing_feed(layer)
    return feed is None or (feed.is_shown and _has_slice(layer))


def _has_slice(layer: Any) -> bool:
    """Whether napari has got all slices that its slicing thread was asked for."""
    return bool(getattr(layer, "loaded", True))


def failures_of(layer: Any) -> list[ChunkFailure]:
    """Chunks of the present slice that could not be read."""
    feed = existing_feed(layer)
    return [] if feed is None else feed.failures


def retry_failed(layer: Any) -> int:
    """Read the failed chunks of the present slice again; return how many."""
    feed = existing_feed(layer)
    return 0 if feed is None else feed.retry_failed()


def wait_until_loaded(layers: Any, timeout_s: float = 60.0) -> bool:
    """Keep the window alive until slices are complete; tell whether they are.

    Parameters
    ----------
    layers : napari layer or iterable of them
    timeout_s : float
    """
    every = list(layers) if hasattr(layers, "__iter__") else [layers]
    end = monotonic() + timeout_s
    app = QCoreApplication.instance()
    while True:
        if app is not None:
            # Chunks arrive through the event loop: without it the wait would never end.
            app.processEvents()
        if all(is_loaded(layer) for layer in every):
            return True
        if monotonic() > end:
            return False
        sleep(0.005)
