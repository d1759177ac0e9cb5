"""Makes boxes of a mosaic's voxels out of the tiles that reach into them.

Few tiles are sampled one by one, which suits large parts of each; many tiles together
(see :mod:`~brickfield.sources.mosaic.many`). What many tiles gave for a box is kept, so
that one of them can be moved without sampling the others again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import BrickfieldError, ChunkReadError
from brickfield.model import AffineTransform, ImageInfo, Int3, Pyramid, ScaleLevel
from brickfield.sources.io.cancellation import carried
from brickfield.sources.mosaic.blend import AnyArray, Blender
from brickfield.sources.mosaic.grid import MosaicOptions
from brickfield.sources.mosaic.groups import Grouping
from brickfield.sources.mosaic.many import Given, blend_many, sample_many
from brickfield.sources.mosaic.reading import Kept, KeptGiven, PartKey, Reading
from brickfield.sources.mosaic.sampling import Sampled, TileLevel, sample
from brickfield.sources.mosaic.table import LevelsOfTiles, TileTable
from brickfield.sources.mosaic.tile import Tile, TilePlace
from brickfield.sources.protocol import LostPart, PartlyReadError, UnlikeError

F64 = NDArray[np.float64]
Ints = NDArray[np.int64]
FEW = 8
"""Up to so many tiles are sampled one by one."""
KEPT_GIVEN_BYTES = 64 << 20
"""Of what many tiles gave for boxes that were made last."""
_WORTH_A_THREAD = 8
"""Tiles to open or to read for which another thread is begun."""
_Job = tuple[int, int, Int3, Int3]
"""A box to read: position of the tile, its level, corners (z, y, x)."""


@dataclass(frozen=True)
class Part:
    """A box of voxels of one level of the mosaic.

    Attributes
    ----------
    about : ScaleLevel
    key : tuple of (int, tuple of int)
        Level and index in its storage grid.
    low, shape : tuple of int
        First voxel, and voxels (z, y, x).
    lead : tuple of int
        Index on the axes beside space.
    time, channel : int
        Index of the time point and of the channel.
    """

    about: ScaleLevel
    key: PartKey
    low: Int3
    shape: Int3
    lead: tuple[int, ...]
    time: int
    channel: int

    @property
    def edges(self) -> tuple[F64, F64]:
        """Lower and upper edge (z, y, x), world."""
        size = np.array(self.about.voxel_size_zyx)
        low = np.array(self.about.translation_zyx) + (np.array(self.low) - 0.5) * size
        return low, low + np.array(self.shape) * size

    @property
    def to_world(self) -> AffineTransform:
        """From index in the box to world."""
        shift = AffineTransform.from_scale((1.0, 1.0, 1.0), self.low)
        return AffineTransform.of_level(self.about) @ shift


class TileFuser:
    """Makes boxes of voxels. Any thread.

    Parameters
    ----------
    tiles : sequence of Tile
    first : ImageInfo
        Of the first tile: all have its data type, channels and times.
    options : MosaicOptions
    concurrency : int
        Reads worth having in flight at once.
    kept : Kept
        Decoded storage chunks.
    grouping : Grouping, optional
        Channels of the mosaic, where they are not those of each tile.

    Attributes
    ----------
    table : TileTable
        Where the tiles lie; to be changed under :attr:`lock`.
    lock : threading.Lock
    tiles : sequence of Tile
    is_grouped : bool
        Whether channels of the mosaic are not those of each tile.
    overlap : {"max", "mean", "feather", "first", "difference"}
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        first: ImageInfo,
        options: MosaicOptions,
        *,
        concurrency: int,
        kept: Kept,
        grouping: Grouping | None = None,
    ) -> None:
        self.tiles = tiles
        self._first = first.pyramid
        self.overlap = options.overlap
        # Between the numbers of objects there is nothing.
        self._order = 0 if first.is_labels else options.order
        self._concurrency = concurrency
        self._kept = kept
        self._given: KeptGiven[Given] = KeptGiven(KEPT_GIVEN_BYTES)
        self._moving: KeptGiven[Sampled] | None = None
        self.is_grouped = grouping is not None
        own = None if grouping is None else grouping.own
        self.table = TileTable(tiles, own)
        self.lock = threading.Lock()

    def forget(self) -> None:
        """Forget all voxels, because the stored ones changed."""
        self._kept.clear()
        self._given.clear()
        if self._moving is not None:
            self._moving.clear()

    def keep_parts(self, is_moving: bool) -> None:
        """Keep what each of a few tiles gives, too, while some of them are moved.

        Then each step of a move samples what was moved alone.
        """
        if is_moving and self._moving is None:
            self._moving = KeptGiven(KEPT_GIVEN_BYTES)
        elif not is_moving:
            self._moving = None

    def share_kept(self, other: TileFuser) -> None:
        """Keep storage chunks with another fuser of the same tiles."""
        self._kept = other._kept

    def on_other_grid(self) -> TileFuser:
        """Return a fuser of the same tiles for another grid; what is kept is shared."""
        other = copy(self)
        # Kept by boxes of the old grid, whose keys mean other voxels on the new one.
        other._given = KeptGiven(KEPT_GIVEN_BYTES)
        if self._moving is not None:
            other._moving = KeptGiven(KEPT_GIVEN_BYTES)
        with self.lock:
            other.table = self.table.on_other_grid()
        return other

    def snapshot(self) -> TileFuser:
        """Return a fuser for another grid whose tiles stay where they are now."""
        other = copy(self)
        other._given, other._moving = KeptGiven(KEPT_GIVEN_BYTES), None
        with self.lock:
            other.tiles = [tile.shared() for tile in self.tiles]
            other.table = self.table.snapshot()
        return other

    def make(self, part: Part) -> tuple[AnyArray | None, Reading]:
        """Make the voxels of a box, shape (z, y, x); None where no tile is.

        Parameters
        ----------
        part : Part

        Raises
        ------
        PartlyReadError
            If something of a tile cannot be read, or it does not fit the others; in it
            is what the other tiles give.
        ChunkReadError
            If there is nothing else.
        """
        while True:
            reading = Reading(self._kept)
            with self.lock:
                ids = self.table.reaching(*part.edges, part.time, part.channel)
            try:
                data = self._made(part, self._learned(ids, reading), reading)
            except UnlikeError:
                # Opened as any other image from now on, so this comes to an end.
                continue
            if reading.failed:
                self._tell(part, data, reading.failed)
            return data, reading

    def _tell(
        self, part: Part, data: AnyArray | None, failed: Mapping[int, ChunkReadError]
    ) -> NoReturn:
        """Raise for the tiles of which something could not be read."""
        if data is None:
            raise next(iter(failed.values()))
        covered = self._covered(part, failed)
        lost = []
        for at, error in failed.items():
            alone = np.zeros(part.shape, np.bool_)
            box = self._voxels_under(part, at)
            alone[box] = ~covered[box]
            low, high = _box_round(alone)
            # Where another tile is, coarser voxels must not take the place of its own.
            if covered[
                tuple(slice(a, b) for a, b in zip(low, high, strict=True))
            ].any():
                high = low
            name = self.tiles[at].name
            lost.append(
                LostPart(low, high, error.key or name, f"{name}: {error.reason}")
            )
        raise PartlyReadError(
            data, lost, is_transient=any(e.is_transient for e in failed.values())
        )

    def _covered(self, part: Part, failed: Collection[int]) -> NDArray[np.bool_]:
        """Tell of the voxels of a part whether the box round a readable tile has them."""
        covered = np.zeros(part.shape, np.bool_)
        with self.lock:
            ids = self.table.reaching(*part.edges, part.time, part.channel)
        for at in set(ids.tolist()) - set(failed):
            covered[self._voxels_under(part, at)] = True
        return covered

    def _voxels_under(self, part: Part, at: int) -> tuple[slice, ...]:
        """Return the voxels of a part under the box round a tile."""
        size = np.array(part.about.voxel_size_zyx)
        with self.lock:
            ends = (self.table.boxes[at] - part.edges[0]) / size
        low = np.clip(np.floor(ends[0]), 0, part.shape).astype(int)
        high = np.clip(np.ceil(ends[1]), low, part.shape).astype(int)
        return tuple(map(slice, low.tolist(), high.tolist()))

    def _made(self, part: Part, ids: Ints, reading: Reading) -> AnyArray | None:
        """Make the voxels of a part; None where no tile is."""
        if not len(ids):
            return None
        with self.lock:
            tiles = self.table.levels_for(ids, part.about)
            places = [self.tiles[i].place for i in ids.tolist()]
        # Many tiles give few voxels each: a loop over them would cost more than these.
        if len(ids) > FEW:
            return self._of_many(part, tiles, places, reading)
        return self._of_few(part, tiles, places, reading)

    def _of_few(
        self,
        part: Part,
        tiles: LevelsOfTiles,
        places: Sequence[TilePlace],
        reading: Reading,
    ) -> AnyArray | None:
        about, overlap, kept = part.about, self.overlap, self._moving
        blender = Blender(part.shape, about.dtype, overlap, about.fill_value)
        # Values that were kept without their distances to the edge cannot be faded.
        key = (*part.key, overlap == "feather")
        given = {} if kept is None else kept.find(key)
        for row, at in enumerate(tiles.ids.tolist()):
            # A place is another value after each move.
            if at not in given or given[at][0] is not places[row]:
                found = self._of_one(part, tiles, row, reading)
                given.pop(at, None)
                if at in reading.failed:
                    continue
                given[at] = (places[row], found)
            sampled = given[at][1]
            if sampled is not None:
                blender.add(
                    sampled.where, sampled.covered, sampled.values, sampled.depth
                )
        if kept is not None:
            kept.keep(key, given)
        if blender.is_empty:
            return None
        return blender.result().astype(about.dtype, copy=False)

    def _of_one(
        self, part: Part, tiles: LevelsOfTiles, row: int, reading: Reading
    ) -> Sampled | None:
        """Sample one tile; None where it is not in the part, or cannot be read."""
        at, level = int(tiles.ids[row]), int(tiles.level[row])
        if at in reading.failed:
            return None
        to_index = AffineTransform.from_matrix(tiles.from_world[row]) @ part.to_world
        z, y, x = tiles.shape[row].tolist()

        def read(a: Int3, b: Int3) -> AnyArray:
            return self._read([(at, level, a, b)], part, reading)[0]

        return sample(
            TileLevel(to_index, (z, y, x), tiles.voxel_size[row]),
            part.shape,
            read,
            order=self._order,
            dtype=part.about.dtype,
            has_depth=self.overlap == "feather",
        )

    def _of_many(
        self,
        part: Part,
        tiles: LevelsOfTiles,
        places: Sequence[TilePlace],
        reading: Reading,
    ) -> AnyArray | None:
        """Make the voxels of a part; of what tiles gave before, what moved is made anew."""
        about = part.about
        given = self._given.find(part.key)
        ids = tiles.ids.tolist()
        # A place is another value after each move.
        new = [
            row
            for row, (at, place) in enumerate(zip(ids, places, strict=True))
            if at not in given or given[at][0] is not place
        ]
        if new:
            found = self._sampled(part, tiles.take(np.array(new)), reading)
            for i, row in enumerate(new):
                # Of what failed nothing is kept, so that it is read again.
                given.pop(ids[row], None)
                if ids[row] not in reading.failed:
                    given[ids[row]] = (places[row], found.get(i))
            self._given.keep(part.key, given)
        there = [given[at][1] for at in ids if at in given]
        return blend_many(
            [g for g in there if g is not None],
            part.shape,
            about.dtype,
            self.overlap,
            about.fill_value,
        )

    def _sampled(
        self, part: Part, tiles: LevelsOfTiles, reading: Reading
    ) -> dict[int, Given]:
        ids, levels = tiles.ids.tolist(), tiles.level.tolist()

        def read(wanted: Sequence[tuple[int, Int3, Int3]]) -> list[AnyArray]:
            jobs = [(ids[row], levels[row], a, b) for row, a, b in wanted]
            return self._read(jobs, part, reading)

        return sample_many(
            tiles,
            part.to_world.matrix[:3],
            part.shape,
            read,
            order=self._order,
            dtype=part.about.dtype,
        )

    def _read(
        self,
        jobs: Sequence[_Job],
        part: Part,
        reading: Reading,
    ) -> list[AnyArray]:
        """Read boxes of tiles: position of the tile, level and corners.

        Of what cannot be read the reading takes note; the box is of zeros then.
        """

        def read(job: _Job) -> tuple[Any, Reading]:
            at, level, low, high = job
            own = Reading(self._kept)
            try:
                tile = self.tiles[at]
                lead = self._lead_of(at, tile.source.info.pyramid, part)
                return own.box(tile, level, lead, low, high), own
            except UnlikeError as error:
                return error, own
            except BrickfieldError as error:
                own.fail(at, error)
                return np.zeros(np.subtract(high, low), part.about.dtype), own

        found = self._together(read, jobs)
        for _, own in found:
            reading.add(own)
        unlike = [
            (job[0], result)
            for job, (result, _) in zip(jobs, found, strict=True)
            if isinstance(result, UnlikeError)
        ]
        for at, _ in unlike:
            self.tiles[at].reopen()
            with self.lock:
                self.table.forget(at)
        if unlike:
            raise unlike[0][1]
        return [result for result, _ in found]

    def _lead_of(self, at: int, own: Pyramid, part: Part) -> tuple[int, ...]:
        """Return the index of a tile on its axes beside space."""
        if not self.is_grouped:
            return part.lead
        channel = self.table.own_channel(at, part.channel)
        found = {"time": part.time, "channel": channel}
        return tuple(found.get(own.axes[a].kind, 0) for a in own.other_axes)

    def _together(self, work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
        """Do something for many tiles, a few at a time."""
        n = min(self._concurrency, len(items) // _WORTH_A_THREAD)
        if n < 2:
            return [work(item) for item in items]
        with ThreadPoolExecutor(n, thread_name_prefix="brickfield-tiles") as pool:
            # Carried: the threads give up when the read that they work for is cancelled.
            return list(pool.map(carried(work), items))

    def _learned(self, ids: Ints, reading: Reading) -> Ints:
        """Open the tiles whose levels are not known yet; return those that fit."""
        with self.lock:
            new = self.table.unknown(ids).tolist()

        def pyramid_of(at: int) -> Pyramid | BrickfieldError:
            try:
                return self._fitting(self.tiles[at])
            except UnlikeError:
                raise
            except BrickfieldError as error:
                return error

        # Opening may ask a server, and every part looks its tiles up under the lock.
        pyramids = self._together(pyramid_of, new)
        with self.lock:
            for at, found in zip(new, pyramids, strict=True):
                if isinstance(found, Pyramid):
                    self.table.learn(at, found)
                else:
                    reading.fail(at, found)
        return ids[~np.isin(ids, list(reading.failed))]

    def _fitting(self, tile: Tile) -> Pyramid:
        """Open a tile and make sure that it fits the first one."""
        other, ours = tile.source.info.pyramid, self._first
        # Tiles that are laid out alike share one pyramid.
        wanted = _kind(ours, has_channels=not self.is_grouped)
        if other is not ours and wanted != _kind(
            other, has_channels=not self.is_grouped
        ):
            msg = (
                f"expected the tile {tile.name!r} to have {_words(ours)} as the first"
                f" one has; found {_words(other)}"
            )
            raise ChunkReadError(msg, key=tile.name)
        return other


def _box_round(mask: NDArray[np.bool_]) -> tuple[Int3, Int3]:
    """Return the corners of the box round what is true; an empty one for nothing."""
    at = np.argwhere(mask)
    if not len(at):
        return (0, 0, 0), (0, 0, 0)
    (z, y, x), (d, h, w) = at.min(axis=0).tolist(), (at.max(axis=0) + 1).tolist()
    return (z, y, x), (d, h, w)


def _kind(
    pyramid: Pyramid, *, has_channels: bool = True
) -> tuple[np.dtype[np.generic], list[tuple[str, int]]]:
    level = pyramid.levels[0]
    lead = [
        (pyramid.axes[a].name, level.shape[a])
        for a in pyramid.other_axes
        if has_channels or a != pyramid.channel_axis
    ]
    return level.dtype, lead


def _words(pyramid: Pyramid) -> str:
    dtype, lead = _kind(pyramid)
    text = ", ".join(f"{name} {n}" for name, n in lead)
    return f"voxels of type {dtype}" + (f" and {text}" if text else "")
