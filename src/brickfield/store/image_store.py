"""One image as data: geometry, requests, chunks and exact boxes.

Invariant: a store reads nothing until it is asked for voxels, starts no thread
before that, and knows nothing of cameras' pictures, textures or layers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from brickfield.errors import OptionError
from brickfield.loading import (
    ChangeLog,
    ChunkCache,
    ChunkManager,
    LevelLayout,
    LoadingProgressTracker,
    check_selection,
    default_cache,
    read_box,
)
from brickfield.model import (
    Axis,
    CameraState,
    Channel,
    Finding,
    ImageInfo,
    Pyramid,
    Selection,
    VersionCounter,
)
from brickfield.model.requests import ChunkedDataRequest, ChunkedDataResponse
from brickfield.sources import ChunkSource, ReplaceableSource
from brickfield.store import changing
from brickfield.store.base import CoarseRegion
from brickfield.store.contrast import ContrastLook, Look
from brickfield.store.indexing import Region, box_of
from brickfield.store.occupancy import Occupancy
from brickfield.store.requesting import (
    TILINGS,
    ViewOptions,
    as_corners,
    as_requests,
    cull_region,
    plan_camera,
    respond,
)


class ChunkedImageStore:
    """Data of one multiscale image.

    Thread rule: :meth:`read`, :meth:`get_data` and :attr:`manager` from any thread;
    the rest on the main thread.

    Parameters
    ----------
    source : ChunkSource
        Closed with the store.
    cache : ChunkCache, optional
        RAM cache; by default the one that the whole process shares.
    tracker : LoadingProgressTracker, optional
        Is told how loading goes; by default one of the store's own.

    Attributes
    ----------
    source : ChunkSource
    address : str or None
        What opens it again, with whatever gives access: not to be shown.
    is_preview : bool
        Whether it stands for finer data that are not there: no picture of it is final.
    tracker : LoadingProgressTracker
    data_version : VersionCounter
        Counts how often the voxels were forgotten, to be read again.
    reloaded : psygnal.SignalInstance
        Emits after the voxels were forgotten, on the thread that asked for it.
    changes : ChangeLog
        Counts and names what :meth:`mark_changed` was told.
    changed : psygnal.SignalInstance
        Emits each of these changes, on the thread that told it.
    grown : psygnal.SignalInstance
        Emits the new :class:`ImageInfo` after axes got longer.
    laid_out : psygnal.SignalInstance
        Emits by how many voxels (z, y, x) indices are larger, now that the grid is another.
    """

    reloaded = Signal()
    changed = Signal(object)
    grown = Signal(object)
    laid_out = Signal(object)
    stays_coarse: CoarseRegion | None = None  # what is not refined for now

    def __init__(
        self,
        source: ChunkSource,
        *,
        cache: ChunkCache | None = None,
        tracker: LoadingProgressTracker | None = None,
    ) -> None:
        self.source = source
        self.address: str | None = None
        self.is_preview = False
        self.tracker = tracker or LoadingProgressTracker()
        self._cache = cache
        self._lock = threading.Lock()
        self._manager: ChunkManager | None = None
        self._is_closed = False
        self._occupancy = Occupancy(source)
        self._looks: dict[Selection, ContrastLook] = {}
        self.data_version = VersionCounter()
        self.changes = ChangeLog()

    # -- what it is --------------------------------------------------------------

    @property
    def info(self) -> ImageInfo:
        """Everything known of the image."""
        return self.source.info

    @property
    def pyramid(self) -> Pyramid:
        """Levels and planned chunks."""
        return self.source.info.pyramid

    @property
    def transform(self) -> NDArray[np.float64]:
        """From voxel index of level 0 (centres) to world, shape (4, 4), (z, y, x, 1).

        Scale and translation only, unless the file turns, shears or mirrors the image.
        """
        return self.info.world.matrix

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Axes of the stored arrays."""
        return self.pyramid.axes

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels, one for each index of the channel axis."""
        return self.info.channels

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of label images beside it."""
        return self.info.labels

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was odd in the metadata."""
        return self.info.findings

    @property
    def ram_budget(self) -> int:
        """Bytes of the RAM cache that reads go through."""
        cache = default_cache() if self._cache is None else self._cache
        return cache.budget_bytes

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be read any more."""
        return self._is_closed

    @property
    def manager(self) -> ChunkManager:
        """Loader of chunks; made when it is asked for first."""
        with self._lock:
            if self._manager is None:
                self._manager = ChunkManager(
                    self.source, cache=self._cache, tracker=self.tracker
                )
                if self._is_closed:
                    # A late call that only releases something must start no thread.
                    self._manager.close(wait=False)
            return self._manager

    def default_selection(self, channel: int = 0) -> Selection:
        """Return index 0 on every non-spatial axis but the channel's."""
        axis = self.pyramid.channel_axis
        return tuple(channel if a == axis else 0 for a in self.pyramid.other_axes)

    # -- requests and chunks -----------------------------------------------------

    def get_data_request(
        self,
        selected_region: CameraState | ArrayLike,
        tiling_method: str = "frustum",
        visual_id: str = "",
        scene_id: str | None = None,
        *,
        options: ViewOptions | None = None,
    ) -> list[ChunkedDataRequest]:
        """Turn a view into requests.

        Parameters
        ----------
        selected_region : CameraState or array_like
            A camera, which is planned under a budget; or frustum corners, shape
            (2, 4, 3); or the lower and upper corner of a box, shape (2, 3), flat in
            one axis for a slice; (z, y, x), world.
        tiling_method : {"frustum", "inside"}
            Of a region: chunks that meet it, or those wholly inside.
        visual_id : str
            Id of the visual that requests.
        scene_id : str, optional
            Not used: all scenes share the data.
        options : ViewOptions, optional
            Selections, transform, budget; by default the first channel.

        Returns
        -------
        list of ChunkedDataRequest
            One for each selection, most wanted chunks first.

        Raises
        ------
        OptionError
            If the region or the tiling is of no known kind.
        """
        if tiling_method not in TILINGS:
            msg = f"expected a tiling out of {', '.join(TILINGS)}; found {tiling_method!r}"
            raise OptionError(msg)
        options = options or ViewOptions((self.default_selection(),))
        if options.world is None:
            options = replace(options, world=self.info.world)
        for selection in options.selections:
            check_selection(self.pyramid, selection)
        if isinstance(selected_region, CameraState):
            wanted = plan_camera(self.pyramid, selected_region, options, self.occupancy)
        else:
            corners = as_corners(selected_region)
            wanted = cull_region(self.pyramid, corners, TILINGS[tiling_method], options)
        return as_requests(wanted, visual_id, options)

    def get_data(
        self, request: ChunkedDataRequest | Sequence[ChunkedDataRequest]
    ) -> ChunkedDataResponse:
        """Answer with what is loaded, and fetch the rest in the background.

        Asking again with the same request gives what has arrived meanwhile.

        Parameters
        ----------
        request : ChunkedDataRequest or sequence of ChunkedDataRequest
            Of one visual; replaces what it asked for before.

        Raises
        ------
        OptionError
            If there is no request.
        """
        requests = [request] if isinstance(request, ChunkedDataRequest) else request
        if not requests:
            msg = "expected at least one request; found none"
            raise OptionError(msg)
        return respond(self.manager, requests, self.info)

    # -- voxels at once ----------------------------------------------------------

    def read(
        self,
        level: int,
        region: Region | None = None,
        selection: Selection | None = None,
    ) -> NDArray[np.generic]:
        """Read an exact box of voxels and wait for it.

        Parameters
        ----------
        level : int
        region : tuple of tuple of int, or three slices, optional
            Lower and upper corner (z, y, x), voxels of the level, upper excluded;
            default the whole level.
        selection : tuple of int, optional
            Index on every non-spatial axis; default all 0.

        Returns
        -------
        ndarray, shape (z, y, x)
            The fill value where nothing is stored.

        Raises
        ------
        OptionError
            If there is no such level, box or selection.
        ChunkReadError
            If some of it cannot be read.
        """
        n = self.pyramid.n_levels
        if not 0 <= level < n:
            msg = f"expected a level from 0 to {n - 1}; found {level}"
            raise OptionError(msg)
        selection = self.default_selection() if selection is None else selection
        check_selection(self.pyramid, selection)
        layout = LevelLayout.of(self.pyramid, level)
        box = box_of(region, layout.shape_zyx)
        budget = self.ram_budget
        return read_box(self.source, layout, box, selection, budget_bytes=budget)

    @property
    def occupancy(self) -> Occupancy:
        """Tells which planned chunks are known to hold nothing in any selection.

        To be called with a level and grid indices, see
        :meth:`brickfield.store.occupancy.Occupancy.__call__`.
        """
        return self._occupancy

    def estimate_contrast(
        self, selection: Selection | None = None, *, patience_s: float | None = None
    ) -> tuple[float, float]:
        """Choose contrast limits from the coarsest level.

        Parameters
        ----------
        selection : tuple of int, optional
            Default all 0.
        patience_s : float, optional
            Most seconds that the first voxels are waited for, 8 or more; default 60.

        Returns
        -------
        low, high : int or float
            About the 0.1 and 99.9 percentiles, low < high; ints for integer data. 0
            and 1 where nothing could be read: the next call looks again.
        """
        selection = self.default_selection() if selection is None else selection
        look = self._looks.get(selection)
        return (look or self.begin_look(selection, True, patience_s)()).window

    def begin_look(
        self, selection: Selection, begins: bool, patience_s: float | None = None
    ) -> Callable[[], ContrastLook]:
        """Request what contrast limits are chosen from; return what waits for it."""
        look = Look(self.manager, selection, self.read, begins, patience_s)
        return lambda: look.kept_in(self._looks)

    def is_dense(self, selection: Selection | None = None) -> bool | None:
        """Tell whether the voxels fill their contrast window, as solids do.

        Returns
        -------
        bool or None
            None before :meth:`estimate_contrast` has looked; nothing is read.
        """
        look = self._look(selection)
        return None if look is None else look.is_dense

    def is_constant(self, selection: Selection | None = None) -> bool | None:
        """Tell whether all voxels that the contrast was chosen from are equal.

        Returns
        -------
        bool or None
            None before :meth:`estimate_contrast` has seen any; nothing is read.
        """
        look = self._look(selection)
        return None if look is None else look.is_constant

    def _look(self, selection: Selection | None) -> ContrastLook | None:
        return self._looks.get(selection or self.default_selection())

    # -- ends --------------------------------------------------------------------

    def forget(self) -> None:
        """Forget all voxels, because the stored ones changed.

        Whoever asks from now on reads them anew, also what looks as it did before.
        Main thread only.
        """
        self.data_version.bump()
        self._occupancy.forget()
        self._looks.clear()
        if self._manager is not None:
            self._manager.forget()

    def reload(self) -> None:
        """Read everything again, because the stored voxels changed.

        Metadata are read again, where there are any, what the cache holds of this store
        is forgotten, and layers that show it are drawn again. Main thread only.

        Raises
        ------
        StoreFormatError
            If the image has other levels, shapes or voxel sizes now; it stays open
            as it was.
        StoreNotFoundError, StoreAccessError, StoreUnreachableError
            If it cannot be opened any more; it stays open as it was.
        """
        old = None
        if isinstance(self.source, ReplaceableSource):
            old = self.source.reopen()
        # Reads under way count as out of date from here on, so closing is safe.
        self.forget()
        if old is not None:
            old.close()
        self.reloaded.emit()

    def mark_changed(self, level: int, box: Sequence[slice] | None = None) -> None:
        """Have the voxels of a box read again, because they were written.

        Cache, views and lazy levels forget the chunks under it and no others; what
        is drawn stays until the new voxels are there. Main thread only. Of levels that
        are made from one another while they are read, each is to be named.

        Parameters
        ----------
        level : int
        box : sequence of slice, optional
            Voxels, along all stored axes or along z, y and x alone; default all.

        Raises
        ------
        OptionError
            If there is no such level or box.
        """
        change = changing.change_of(self.pyramid, level, box)
        self._occupancy.forget()
        self._looks.clear()
        old = changing.reopened_for(self.source, change)
        if self._manager is not None:
            self._manager.forget_changed(change, is_reopened=old is not None)
        if old is not None:
            old.close()
        self.changes.add(change)
        self.changed.emit(change)

    def grow(self, shape: Sequence[int]) -> None:
        """Accept that axes got longer, because more was written.

        Metadata are read again; :attr:`info` is another frozen value. All that is cached
        and drawn stays, but for chunks that the old ends cut short. Main thread only.

        Parameters
        ----------
        shape : sequence of int
            Of level 0, all stored axes; as many channels as before.

        Raises
        ------
        OptionError
            If it cannot grow to that shape, or cannot be reopened.
        StoreFormatError
            If the stored image is shorter or has another geometry.
        """
        before, manager = self.pyramid, self._manager
        layouts = () if manager is None else manager.layouts
        old = changing.reopened_grown(self.source, shape, layouts)
        if old is None:
            return
        changes = changing.ends_grown(before, self.pyramid)
        self._occupancy.forget()
        if manager is not None:
            manager.grow(changes)
        old.close()
        for change in changes:
            self.changes.add(change)
        self.grown.emit(self.info)
        for change in changes:
            self.changed.emit(change)

    def close(self, *, wait: bool = True) -> None:
        """End the threads and close the source. May be called twice.

        Parameters
        ----------
        wait : bool
            Whether to return only when reads have ended: a server can stall them.
        """
        with self._lock:
            self._is_closed = True
            manager = self._manager
        if manager is not None:
            manager.close(wait=wait)
        self.source.close()

    def __enter__(self) -> Self:
        """Return the store."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Close the store."""
        self.close()
