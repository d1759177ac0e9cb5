"""One level of one channel as an array that reads nothing until it must.

Invariant: indexing gives another lazy array and reads nothing; voxels are read when
the array itself is asked for (``numpy.asarray``), and are then complete and exact,
or an error says why not. What may answer otherwise is a *reading* that the level
was given: it sees every request first and can hand out an array of its own, for
example one that is filled while it is shown. Only its giver knows when it does.

Reads of moderate size go through the RAM cache that all views share, so that a
slice which is shown already costs a copy. Large ones go past it, straight from the
source, so that saving a level does not empty the cache.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Protocol, Self, SupportsIndex, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray

from brickfield.errors import OptionError
from brickfield.model import Int3, Pyramid, Selection
from brickfield.store.chunk_loading import load
from brickfield.store.hold import StoreHold
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.indexing import checked_indices, expanded
from brickfield.store.mosaic import Mosaic, Picks, as_type
from brickfield.store.room import TightImage, without_room

CACHE_SHARE = 0.25
"""What would take more than this share of the RAM cache is read past it."""


class Reading(Protocol):
    """Sees every request for voxels of a lazy level before it is read."""

    def __call__(self, view: LazyLevel, /) -> NDArray[np.generic] | None:
        """Answer a request, or return None to have it read."""
        ...


class LazyLevel:
    """One level of an image as an nD array. May be read from any thread.

    Axes are the non-spatial ones but the channel's, in stored order, then z (left
    out when the image has none), y and x.

    Parameters
    ----------
    store : ChunkedImageStore or StoreHold
        Stays open as long as there is a lazy level of it, if nobody closes it and
        no hold is released.
    level : int
        0 is the finest.
    channel : int or None
        Channel that is shown; None keeps the channel axis.
    dtype : dtype, optional
        Given out instead of the stored type. By default the stored one in native
        byte order; for complex voxels their magnitude.
    reading : Reading, optional

    Raises
    ------
    OptionError
        If there is no such level or channel.
    """

    __slots__ = (
        "__weakref__", "_axes", "_begins", "_has_all", "_picks", "dtype", "hold", "level",
        "reading",
    )  # fmt: skip

    def __init__(
        self,
        store: ChunkedImageStore | StoreHold,
        level: int,
        channel: int | None = 0,
        *,
        dtype: DTypeLike | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.hold = store if isinstance(store, StoreHold) else StoreHold(store)
        pyramid = self.hold.pyramid
        _check("a level", level, pyramid.n_levels)
        about = pyramid.levels[level]
        others, spatial = pyramid.other_axes, pyramid.spatial_axes
        self.level = level
        self.reading = reading
        self.dtype: np.dtype[Any] = (
            _shown_type(about.dtype) if dtype is None else np.dtype(dtype)
        )
        # Of each stored non-spatial axis, then z, y and x: what is picked of it.
        picks: list[range | int] = [range(about.shape[a]) for a in others]
        picks += [range(n) for n in about.shape_zyx]
        axis = pyramid.channel_axis
        if axis is not None and channel is not None:
            _check("a channel", channel, about.shape[axis])
            picks[others.index(axis)] = int(channel)
        # An image without z is shown with two axes, not with one of length 1.
        if spatial[0] < 0:
            picks[-3] = 0
        self._picks = tuple(picks)
        self._begins = about.translation_zyx
        self._axes = (*others, *spatial)
        # Axes that the array has all of: it follows an image that grows along them.
        self._has_all = tuple(isinstance(p, range) for p in picks)

    # -- what it is --------------------------------------------------------------

    @property
    def store(self) -> ChunkedImageStore:
        """The store, opened again if it was released and has ended."""
        return self.hold.store

    @property
    def pyramid(self) -> Pyramid:
        """Of the store, which is not asked for it."""
        return self.hold.pyramid

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of every axis."""
        return tuple(len(p) for p in self._picks if isinstance(p, range))

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of voxels."""
        # Python's int: numpy's product would overflow for the largest images.
        n = 1
        for length in self.shape:
            n *= length
        return n

    @property
    def nbytes(self) -> int:
        """Bytes of the array once it is read."""
        return self.size * self.dtype.itemsize

    @property
    def chunks(self) -> tuple[int, ...]:
        """Planned chunk along every axis, 1 along the non-spatial ones."""
        planned = self.pyramid.levels[self.level].chunk_shape
        edges = (*(1 for _ in self._picks[:-3]), *planned)
        return tuple(
            # dask and others choose their blocks by this, so a stepped view tells fewer
            # voxels.
            max(1, min(edge // abs(p.step), len(p)))
            for p, edge in zip(self._picks, edges, strict=True)
            if isinstance(p, range)
        )

    @property
    def axis_names(self) -> tuple[str, ...]:
        """Name of every axis."""
        axes = self.pyramid.axes
        spatial = zip(self._axes[-3:], "zyx", strict=True)
        names = [axes[a].name for a in self._axes[:-3]]
        names += [axes[a].name if a >= 0 else letter for a, letter in spatial]
        pairs = zip(names, self._picks, strict=True)
        return tuple(name for name, p in pairs if isinstance(p, range))

    @property
    def stored_axes(self) -> tuple[int, ...]:
        """Position of every axis among the stored ones."""
        return tuple(
            a
            for a, p in zip(self._axes, self._picks, strict=True)
            if isinstance(p, range)
        )

    @property
    def n_spatial(self) -> int:
        """How many of the last axes are spatial ones."""
        return sum(isinstance(p, range) for p in self._picks[-3:])

    @property
    def is_whole(self) -> bool:
        """Whether it is all of level 0: it lies where the store's image lies."""
        full = LazyLevel(self.hold, 0, channel=None)._picks
        same = [p == f for p, f in zip(self._picks, full, strict=True)]
        return self.level == 0 and all(same[-3:])

    def follow_growth(self) -> bool:
        """Accept that axes of the stored image got longer; tell whether any did.

        Only axes that the array has all of. Main thread only.
        """
        about = self.pyramid.levels[self.level]
        lengths = [about.shape[a] if a >= 0 else 1 for a in self._axes]
        picks = tuple(
            range(n) if is_all and isinstance(p, range) else p
            for p, n, is_all in zip(self._picks, lengths, self._has_all, strict=True)
        )
        has_grown, self._picks = picks != self._picks, picks
        return has_grown

    def follow_grid(self) -> Int3:
        """Accept that the image has another grid in space. Main thread only.

        Only along axes that the array has all of.

        Returns
        -------
        tuple of int
            Voxels of the level (z, y, x) by which its indices are larger than before.
        """
        about = self.pyramid.levels[self.level]
        before, self._begins = self._begins, about.translation_zyx
        self.follow_growth()
        steps = zip(before, self._begins, about.voxel_size_zyx, strict=True)
        z, y, x = (round((a - b) / size) for a, b, size in steps)
        return z, y, x

    def selection_at(self, indices: tuple[int, ...] = ()) -> Selection:
        """Return the store's selection for indices on the leading axes.

        Parameters
        ----------
        indices : tuple of int
            On this array's non-spatial axes, in order; further ones are ignored and
            lacking ones are 0. Indices beyond an axis are moved to its end.
        """
        given = iter(indices)
        selection = []
        for p in self._picks[:-3]:
            if isinstance(p, range):
                at = min(max(0, int(next(given, 0))), len(p) - 1)
                selection.append(p[at])
            else:
                selection.append(p)
        return tuple(selection)

    def __len__(self) -> int:
        """Length of the first axis."""
        if not self.shape:
            msg = "len() of an array without axes"
            raise TypeError(msg)
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        """Go along the first axis, lazily."""
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        """Say what it is, not what it holds."""
        name = self.hold.name
        return f"<LazyLevel {name!r} level {self.level} {self.shape} {self.dtype}>"

    def moved_to(self, axis: int, index: int) -> LazyLevel:
        """Return this view at another place of one axis, where it holds one index of it.

        Parameters
        ----------
        axis : int
            Position among the stored axes.
        index : int
            Along that axis, voxels of level 0.
        """
        at = self._axes.index(axis) if axis in self._axes else None
        pick = None if at is None else self._picks[at]
        if at is None or (isinstance(pick, range) and len(pick) != 1):
            return self
        first, about = self.pyramid.levels[0], self.pyramid.levels[self.level]
        index = int(index * first.voxel_size[axis] / about.voxel_size[axis])
        index = max(0, min(index, about.shape[axis] - 1))
        other = self._view([slice(None)] * self.ndim)
        picks = list(self._picks)
        picks[at] = range(index, index + 1) if isinstance(pick, range) else index
        other._picks = tuple(picks)
        return other

    # -- indexing ----------------------------------------------------------------

    def __getitem__(self, index: Any) -> Any:
        """Index as numpy does, without reading.

        Returns
        -------
        LazyLevel or ndarray or scalar
            Lazy for integers, slices and an ellipsis; with arrays, lists or None the
            box around them is read and indexed; a single voxel is read.
        """
        items = expanded(index, self.ndim)
        if all(isinstance(i, slice | int) for i in items):
            view = self._view(items)
            return view if view.ndim or not self.ndim else view.read()[()]
        return self._read_fancy(items)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Refuse: stores are only read."""
        msg = (
            "expected an array in memory to write to; found data of a store, which are"
            " only read: make a copy with numpy.asarray, as a new layer"
        )
        raise TypeError(msg)

    def _view(self, items: list[Any]) -> Self:
        given = iter(items)
        picks = tuple(
            p[next(given)] if isinstance(p, range) else p for p in self._picks
        )
        # Without __init__: napari makes several views per slice, and all values are
        # known.
        other = object.__new__(type(self))
        other.hold, other.level, other.reading = self.hold, self.level, self.reading
        other.dtype, other._axes, other._picks = self.dtype, self._axes, picks
        other._begins = self._begins
        other._has_all = tuple(
            is_all and p == q
            for is_all, p, q in zip(self._has_all, picks, self._picks, strict=True)
        )
        return other

    def _read_fancy(self, items: list[Any]) -> NDArray[np.generic]:
        box: list[Any] = []
        rest: list[Any] = []
        lengths = iter(self.shape)
        for item in items:
            if item is None:
                rest.append(None)
                continue
            n = next(lengths)
            if isinstance(item, slice):
                box.append(item)
                rest.append(slice(None))
                continue
            at = checked_indices(item, n)
            # The smallest box that holds all indices is read, and indexed in memory.
            low, high = (int(at.min()), int(at.max()) + 1) if at.size else (0, 0)
            box.append(slice(low, high))
            rest.append(at - low if isinstance(item, np.ndarray) else int(at) - low)
        found: NDArray[np.generic] = self._view(box).read()[tuple(rest)]
        return found

    def on_store(self, store: ChunkedImageStore) -> LazyLevel:
        """Return the same level of a store of the same image on another grid."""
        other = LazyLevel(store, self.level, None, dtype=self.dtype)
        other._picks = (*self._picks[:-3], *other._picks[-3:])
        return other

    def without_room(self, level: int = 0) -> TightImage | None:
        """Return a mosaic of which it is all of level 0, ending with its tiles.

        Else None. :meth:`on_store` gives levels of that image.
        """
        return without_room(self.store, level) if self.is_whole else None

    # -- voxels ------------------------------------------------------------------

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return the voxels, as the level's reading answers or else as read."""
        if copy is False:
            msg = "expected copy=None or copy=True, since the voxels have to be read; found copy=False"
            raise ValueError(msg)
        answer = None if self.reading is None else self.reading(self)
        data = self.read() if answer is None else answer
        return data if dtype is None else data.astype(dtype, copy=False)

    def astype(self, dtype: DTypeLike, **options: Any) -> NDArray[Any]:
        """Read the voxels, shape of the level, and convert them.

        Parameters
        ----------
        dtype : DTypeLike
            Of the result.
        **options

        Raises
        ------
        ChunkReadError
            If some of them cannot be read.
        """
        return self.read().astype(dtype, **options)

    def read(self) -> NDArray[Any]:
        """Read the voxels, shape of the level, and wait for them, whatever the reading says.

        Raises
        ------
        ChunkReadError
            If some of them cannot be read.
        """
        if not self.size:
            return np.empty(self.shape, self.dtype)
        # Kept here: the hold may be released meanwhile.
        store = self.store
        manager = store.manager
        about = self.pyramid.levels[self.level]
        chunk_bytes = int(np.prod(about.chunk_shape)) * about.dtype.itemsize
        room = int(CACHE_SHARE * manager.cache.budget_bytes) // chunk_bytes
        # Small reads go through the cache, where views find them again. Larger ones
        # would evict everything that is on screen, so they are read past it.
        if self._n_chunks <= 4 * room:
            mosaic = self.mosaic()
            lacking = mosaic.paint_known(manager.peek)
            if len(lacking) <= room:
                load(manager, mosaic, lacking)
                return self.as_shown(mosaic.out)
        blocks = [self._read_past_cache(s, self.spatial_picks) for s in self.selections]
        data = blocks[0][None] if len(blocks) == 1 else np.stack(blocks)
        return self.as_shown(data)

    @property
    def _n_chunks(self) -> int:
        """Chunks that lie under it, at most."""
        edges = self.pyramid.levels[self.level].chunk_shape
        n = len(self.selections)
        for p, edge in zip(self.spatial_picks, edges, strict=True):
            n *= min(len(p), abs(p[-1] - p[0]) // edge + 2)
        return n

    def _read_past_cache(self, selection: Selection, picks: Picks) -> NDArray[Any]:
        """Read one selection in slabs as thick as storage chunks."""
        store, level = self.store, self.level
        low = tuple(min(p[0], p[-1]) for p in picks)
        high = tuple(max(p[0], p[-1]) + 1 for p in picks)
        if all(p.step == 1 or len(p) == 1 for p in picks):
            region = cast("Any", (low, high))
            return as_type(store.read(level, region, selection), self.dtype)
        out = np.empty([len(p) for p in picks], self.dtype)
        # Slab by slab of storage chunks: a stepped read of a large level needs no array
        # of all of it.
        depth = max(1, self.pyramid.levels[level].storage_chunk_zyx[0])
        for first in range(low[0] // depth * depth, high[0], depth):
            rows = [i for i, z in enumerate(picks[0]) if first <= z < first + depth]
            if not rows:
                continue
            depths = [picks[0][i] for i in rows]
            corner = (min(depths), *low[1:]), (max(depths) + 1, *high[1:])
            slab = store.read(level, cast("Any", corner), selection)
            at = [np.array(depths) - corner[0][0]]
            at += [np.array(p) - o for p, o in zip(picks[1:], low[1:], strict=True)]
            out[rows] = as_type(slab[np.ix_(*at)], self.dtype)
        return out

    # -- for callers that assemble the array themselves --------------------------

    @property
    def selections(self) -> list[Selection]:
        """Selections it is made of, in C order."""
        picks = [p if isinstance(p, range) else (p,) for p in self._picks[:-3]]
        return list(product(*picks))

    @property
    def spatial_picks(self) -> Picks:
        """Picked voxels along z, y and x; one where the axis is left out."""
        z, y, x = (
            p if isinstance(p, range) else range(p, p + 1) for p in self._picks[-3:]
        )
        return (z, y, x)

    @property
    def picks(self) -> tuple[range | int, ...]:
        """What is picked of every stored non-spatial axis, and of z, y and x."""
        return self._picks

    def mosaic(self) -> Mosaic:
        """Return the voxels' frame, nothing painted yet."""
        return Mosaic(
            self.pyramid,
            self.level,
            self.spatial_picks,
            self.selections,
            self.dtype,
        )

    def as_shown(self, blocks: NDArray[Any]) -> NDArray[Any]:
        """Give a mosaic's array, shape (n, z, y, x), this array's axes; a view."""
        full = [len(p) if isinstance(p, range) else 1 for p in self._picks]
        drop = tuple(slice(None) if isinstance(p, range) else 0 for p in self._picks)
        return blocks.reshape(full)[drop]


def _shown_type(dtype: np.dtype[np.generic]) -> np.dtype[Any]:
    if dtype.kind == "c":
        return np.dtype(f"f{dtype.itemsize // 2}")
    return dtype.newbyteorder("=")


def _check(what: str, value: SupportsIndex, n: int) -> None:
    if not 0 <= int(value) < n:
        msg = f"expected {what} from 0 to {n - 1}; found {value}"
        raise OptionError(msg)
