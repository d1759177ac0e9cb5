"""Keeps the layers of one image up to date while it is written.

Invariant: the disk is looked at on a thread of its own, and only what it tells of is
read again. The image grows at its end while what is shown stays; a position that was
at the end stays there, if that is wished. Main thread only.
"""

from __future__ import annotations

import logging
import os
import weakref
from collections import deque
from dataclasses import dataclass
from time import monotonic, sleep, time
from typing import Any

from psygnal import Signal

from brickfield.blockwise import Slices as Box
from brickfield.errors import BrickfieldError, StoreFormatError
from brickfield.plugin.layers.make import level_of
from brickfield.plugin.live.contrast import LiveContrast
from brickfield.plugin.slicing.lazy import existing_feed
from brickfield.qt import Background
from brickfield.store import ChunkedImageStore, load_ahead, open_store
from brickfield.streaming import AcquisitionWatch, ImageUpdate
from brickfield.viewer.live import unrecorded

logger = logging.getLogger(__name__)
PERIOD_S = 0.1
"""From the end of one look to the next."""
MOST_FAILURES = 20
"""Looks in turn at which the levels have not one length: they are made longer one by one."""
WHOLE_S = 0.01
PATIENCE_S = 3.0
"""After which a time point is shown without its coarsest level."""
SLICE_S = 1.0
"""Most time that the slice of a new time point is waited for."""
RATE_S = 5.0
"""Over which frames a second are counted."""
LEAST_RATE_S = 2.0
"""Before which nothing is said of them: frames come to disk in bursts."""


@dataclass(frozen=True)
class LiveState:
    """How an acquisition is going.

    Attributes
    ----------
    name : str
    frames : int or None
        On disk; None where nothing says so.
    time_points : int
        Length of the first axis.
    fps : float
        Frames (without them: time points) a second, lately; 0 before that is known.
    is_complete : bool
    problem : str
        Why it is not followed any longer; empty while it is.
    """

    name: str
    frames: int | None = None
    time_points: int = 0
    fps: float = 0.0
    is_complete: bool = False
    problem: str = ""


class LiveFollower:
    """Follows one image on disk.

    Parameters
    ----------
    viewer : napari.Viewer
        Not kept alive.
    store : ChunkedImageStore
        Of the image; not kept alive, and not closed.
    watch : AcquisitionWatch
    follows_newest : bool
        Whether the viewer shows the newest time point.

    Attributes
    ----------
    state : LiveState
    changed : psygnal.SignalInstance
        Emits the state, after each look that brought something.
    is_over : bool
        Whether it has stopped.
    """

    changed = Signal(object)

    def __init__(
        self,
        viewer: Any,
        store: ChunkedImageStore,
        watch: AcquisitionWatch,
        *,
        follows_newest: bool = True,
    ) -> None:
        self.state = LiveState(store.info.name, time_points=watch.shape[0])
        self.follows_newest = follows_newest
        self.root = watch.root
        self.is_over = False
        self._viewer, self._store = weakref.ref(viewer), weakref.ref(store)
        self._watch = watch
        self._background = Background()
        self._contrast = LiveContrast(store, self._background)
        self._changes: list[tuple[int, Box]] = []
        self._n_failed = 0
        self._coarse_at, self._coarse_end = monotonic(), 0
        self._rates: deque[tuple[float, int]] = deque()
        self._timer = self._background.timer(self._look)
        self._timer.start(0)

    def stop(self) -> None:
        """Stop following the image. May be called twice."""
        self._timer.stop()
        if not self.is_over:
            self.is_over = True
            self._background.close()

    # -- looking -----------------------------------------------------------------

    def _there(self) -> tuple[Any, ChunkedImageStore] | None:
        viewer, store = self._viewer(), self._store()
        if viewer is None or store is None or store.is_closed or self.is_over:
            self.stop()
            return None
        return viewer, store

    def _look(self) -> None:
        if self._there() is not None:
            self._background.run(self._watch.look, self._looked)

    def _looked(self, update: ImageUpdate | None, error: BaseException | None) -> None:
        there = self._there()
        if there is None:
            return
        try:
            if error is not None:
                raise error
            assert update is not None
            self._take_up(*there, update)
        except BrickfieldError as caught:
            logger.warning("%s", caught)
            self._tell(LiveState(self.state.name, problem=str(caught)))
            self.stop()
            return
        if update.is_complete:
            # Behind a choice of contrast that is still looked for.
            self._background.run(lambda: None, lambda *_: self.stop())
        else:
            self._timer.start(round(1000 * PERIOD_S))

    def _take_up(
        self, viewer: Any, store: ChunkedImageStore, update: ImageUpdate
    ) -> None:
        self._changes += update.changes
        try:
            changes = self._apply(store, update)
        except StoreFormatError:
            # It was met in the middle of growing: the next look finds it whole.
            self._n_failed += 1
            if self._n_failed > MOST_FAILURES:
                raise
            return
        self._n_failed = 0
        n = store.pyramid.levels[0].shape[0]
        layers = [one for one in viewer.layers if _shows(one, store)]
        coarsest = store.pyramid.n_levels - 1
        # The coarsest level comes last: with it there is something to see at once.
        ends = [_end(store, *one) for one in changes if one[0] == coarsest]
        if ends:
            self._coarse_at = monotonic()
            self._coarse_end = max(self._coarse_end, *ends)
        elif changes and monotonic() > self._coarse_at + PATIENCE_S:
            # A stack that takes long, or levels that fall behind.
            ends = [_end(store, *one) for one in changes]
        fps = self._rate(n if update.frames is None else update.frames)
        name = self.state.name
        state = LiveState(name, update.frames, n, fps, update.is_complete)
        if layers and ends:
            newest = min(n, max(ends)) - 1
            # Where the coarsest level falls behind, it tells of an earlier one.
            self._contrast.choose(layers, min(self._coarse_end or n, newest + 1) - 1)
            if self.follows_newest:
                self._bring(layers, newest, state)
                return
        self._tell(state)

    def _apply(
        self, store: ChunkedImageStore, update: ImageUpdate
    ) -> list[tuple[int, Box]]:
        """Let the image grow and read again what changed; return that."""
        shown = store.pyramid.levels[0].shape
        if len(shown) == len(update.shape):
            store.grow([max(pair) for pair in zip(shown, update.shape, strict=True)])
        changes, later = [], []
        for level, box in self._changes:
            shape = store.pyramid.levels[level].shape
            inside = tuple(
                slice(part.start, min(part.stop, n))
                for part, n in zip(box, shape, strict=True)
            )
            if all(part.start < part.stop for part in inside):
                store.mark_changed(level, inside)
                changes.append((level, inside))
            if inside != box:
                later.append((level, box))
        self._changes = later
        return changes

    def _tell(self, state: LiveState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit(state)

    def _rate(self, count: int) -> float:
        """Return how many came in each second of the last few."""
        now = monotonic()
        self._rates.append((now, count))
        while now - self._rates[0][0] > RATE_S:
            self._rates.popleft()
        first_at, first = self._rates[0]
        passed = now - first_at
        return (count - first) / passed if passed >= LEAST_RATE_S else 0.0

    def _bring(self, layers: list[Any], newest: int, state: LiveState) -> None:
        """Load what layers show of the newest index, then go there and tell the state.

        Many time points a second would be black slices, were each shown before its
        chunks are there.
        """
        feeds = [existing_feed(layer) for layer in layers]
        views = [
            view.moved_to(0, newest)
            for feed in feeds
            if feed is not None
            # Of the coarsest level first, which stands in for the others.
            for view in sorted(feed.views, key=lambda view: -view.level)
        ]

        def load() -> None:
            names = [name for view in views for name in view.mosaic().names]
            if names:
                load_ahead(views[0].store.manager, names, SLICE_S)

        def show(_: object, error: BaseException | None) -> None:
            if error is not None:
                logger.info("%s: not loaded ahead: %s", self.state.name, error)
            there = self._there()
            if there is not None and self.follows_newest:
                self._show_newest(*there, layers[0], newest)
            self._tell(state)

        self._background.run(load, show)

    def _show_newest(
        self, viewer: Any, store: ChunkedImageStore, layer: Any, newest: int
    ) -> None:
        """Move the viewer along a first axis that grows to where voxels came last."""
        axis = viewer.dims.ndim - layer.ndim
        if store.pyramid.channel_axis == 0 or axis in viewer.dims.displayed:
            return
        world = float(layer.data_to_world([newest] + [0] * (layer.ndim - 1))[0])
        if viewer.dims.point[axis] < world:
            with unrecorded():
                viewer.dims.set_point(axis, world)


def _end(store: ChunkedImageStore, level: int, box: Box) -> int:
    """Return where changed voxels end along the first axis, voxels of level 0."""
    first, about = store.pyramid.levels[0], store.pyramid.levels[level]
    return round(float(box[0].stop) * about.voxel_size[0] / first.voxel_size[0])


def _shows(layer: Any, store: ChunkedImageStore) -> bool:
    level = level_of(layer)
    return level is not None and level.hold.is_held and level.store is store


_followers: weakref.WeakKeyDictionary[Any, list[LiveFollower]] = (
    weakref.WeakKeyDictionary()
)


def follow(
    viewer: Any,
    store: ChunkedImageStore,
    root: str | os.PathLike[str],
    *,
    since: float | None = None,
) -> LiveFollower:
    """Follow an image in a viewer; there is one follower for each image.

    Parameters
    ----------
    viewer : napari.Viewer
    store : ChunkedImageStore
        Of the image that layers of the viewer show.
    root : path-like
        Its folder.
    since : float, optional
        Time from which on changes are taken up; default now.

    Raises
    ------
    OptionError
        When it is no local OME-Zarr image.
    """
    watch = AcquisitionWatch(root, since)
    others = _followers.setdefault(viewer, [])
    for other in others:
        if other.root == watch.root:
            other.stop()
    made = LiveFollower(viewer, store, watch)
    _followers[viewer] = [one for one in others if not one.is_over] + [made]
    return made


def followers_of(viewer: Any) -> list[LiveFollower]:
    """Return what is or was followed in a viewer, the last one last.

    Parameters
    ----------
    viewer : napari.Viewer
    """
    return list(_followers.get(viewer, ()))


def open_live(uri: str, viewer: Any, **options: Any) -> LiveFollower:
    """Open an image in the volume view and follow it.

    Parameters
    ----------
    uri : str
        Local folder of an OME-Zarr image, ``file://`` or a path.
    viewer : napari.Viewer
    **options
        As for :func:`brickfield.open_volume`.

    Raises
    ------
    OptionError
        When it is no local OME-Zarr image.
    StoreNotFoundError, StoreFormatError, StoreAccessError
    """
    from brickfield.plugin.views import open_volume
    from brickfield.sources.io import local_path

    root = local_path(uri)
    since = time()
    n_levels = AcquisitionWatch(root).n_levels
    for _ in range(MOST_FAILURES):
        with open_store(uri) as store:
            is_whole = store.pyramid.n_levels >= n_levels
        if is_whole:
            break
        sleep(WHOLE_S)  # it was met in the middle of growing
    layers = open_volume(uri, viewer, **options)
    level = level_of(layers[0])
    assert level is not None
    return follow(viewer, level.store, root, since=since)
