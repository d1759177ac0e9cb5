"""Where all tiles of a mosaic lie, as arrays: what is asked for every brick.

Whatever is asked of many tiles at once is answered by array operations over all of
them; a tile is touched on its own only when it is opened and when its voxels are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brickfield.model import AffineTransform, Pyramid, ScaleLevel
from brickfield.sources.mosaic.tile import Tile, TilePlace

F64 = NDArray[np.float64]
Ints = NDArray[np.int64]
_CORNERS = np.array(list(product((0.0, 1.0), repeat=3)))
_SLACK = 1.01
"""A level whose voxels are larger by so little still counts as fine enough."""
_MOST_CELLS = 1 << 22
"""Storage chunks of a level whose tiles are counted one by one."""


def matrices_of(places: Sequence[TilePlace]) -> F64:
    """Return the maps of tiles from voxel index to world, shape (n, 3, 4).

    Parameters
    ----------
    places : sequence of TilePlace
    """
    return np.array([p.matrix.rows for p in places], np.float64).reshape(-1, 3, 4)


def boxes_of(places: Sequence[TilePlace]) -> F64:
    """Return the boxes round tiles, shape (n, 2, 3): edges (z, y, x), world.

    Parameters
    ----------
    places : sequence of TilePlace
    """
    shapes = np.array([p.shape for p in places], np.float64).reshape(-1, 3)
    return _boxes(matrices_of(places), shapes)


def _boxes(matrices: F64, shapes: F64) -> F64:
    corners = _CORNERS * shapes[:, None, :] - 0.5
    world = np.einsum("nij,ncj->nci", matrices[:, :, :3], corners)
    world += matrices[:, None, :, 3]
    return np.stack([world.min(axis=1), world.max(axis=1)], axis=1)


def inverse_of(matrices: F64) -> F64:
    """Return the inverses of affine maps, shape (n, 3, 4).

    Parameters
    ----------
    matrices : ndarray, shape (n, 3, 4)
    """
    linear = np.linalg.inv(matrices[:, :, :3])
    shift = -np.einsum("nij,nj->ni", linear, matrices[:, :, 3])
    return np.concatenate([linear, shift[:, :, None]], axis=2)


@dataclass(frozen=True)
class _Kind:
    """Levels of tiles that have one pyramid: one row per level, (z, y, x).

    Level index = (index in level 0 - shift) / scale.
    """

    scale: F64
    shift: F64
    shape: Ints
    volume: F64

    @classmethod
    def of(cls, pyramid: Pyramid) -> _Kind:
        size = np.array([level.voxel_size_zyx for level in pyramid.levels])
        origin = np.array([level.translation_zyx for level in pyramid.levels])
        scale = size / size[0]
        shape = np.array([level.shape_zyx for level in pyramid.levels], np.int64)
        shift = (origin - origin[0]) / size[0]
        return cls(scale, shift, shape, scale.prod(axis=1))


@dataclass(frozen=True)
class LevelsOfTiles:
    """Of each of k tiles the level that a level of the mosaic is made of.

    Attributes
    ----------
    ids : ndarray, shape (k,), int64
        Positions of the tiles in the mosaic.
    level : ndarray, shape (k,), int64
    from_world : ndarray, shape (k, 3, 4)
        From world to index in that level (centres, z, y, x).
    shape : ndarray, shape (k, 3), int64
        Voxels of that level.
    voxel_size : ndarray, shape (k, 3)
        World units.
    """

    ids: Ints
    level: Ints
    from_world: F64
    shape: Ints
    voxel_size: F64

    def take(self, rows: Ints) -> LevelsOfTiles:
        """Return some of the tiles."""
        return LevelsOfTiles(
            self.ids[rows],
            self.level[rows],
            self.from_world[rows],
            self.shape[rows],
            self.voxel_size[rows],
        )


class _Counts:
    """How many boxes of tiles meet each storage chunk of a level of the mosaic.

    Parameters
    ----------
    about : ScaleLevel
    boxes : ndarray, shape (n, 2, 3)
        Edges (z, y, x), world.
    """

    def __init__(self, about: ScaleLevel, boxes: F64) -> None:
        size, chunk = np.array(about.voxel_size_zyx), np.array(about.storage_chunk_zyx)
        grid = -(-np.array(about.shape_zyx) // chunk)
        # Of a grid too large to count in, blocks of chunks are counted.
        self._block = 1
        while np.prod(-(-grid // self._block), dtype=np.float64) > _MOST_CELLS:
            self._block *= 2
        self._grid = -(-grid // self._block)
        self._cell = size * chunk * self._block
        self._edge = np.array(about.translation_zyx) - 0.5 * size
        # Steps at the corners of each box, summed along the axes afterwards: the work
        # does not grow with the size of the boxes.
        ends = self._cells(boxes)
        steps = np.zeros(self._grid + 1, np.int32)
        for corner in product((0, 1), repeat=3):
            at = np.where(np.array(corner, np.bool_), ends[:, 1], ends[:, 0])
            np.add.at(steps, tuple(at.T), -1 if sum(corner) % 2 else 1)
        for axis in range(3):
            np.cumsum(steps, axis=axis, out=steps)
        self._counts = steps[:-1, :-1, :-1]

    def _cells(self, boxes: F64) -> Ints:
        ends = (boxes - self._edge) / self._cell
        first, last = np.floor(ends[..., 0, :]), np.ceil(ends[..., 1, :])
        found = np.stack([first, last], axis=-2).astype(np.int64)
        return np.clip(found, 0, self._grid)

    def add(self, box: F64, n: int) -> None:
        """Add a number in all cells that a box, shape (2, 3), meets."""
        low, high = self._cells(box)
        self._counts[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] += n

    def is_zero(self, cells: Ints) -> NDArray[np.bool_]:
        """Tell of storage chunks, shape (m, 3), whether no box meets them."""
        z, y, x = (cells // self._block).T
        result: NDArray[np.bool_] = self._counts[z, y, x] == 0
        return result


class TileTable:
    """Places of tiles. Its caller sees to it that one thread at a time is in it.

    Parameters
    ----------
    tiles : sequence of Tile
    own_channels : ndarray, shape (n, n channels), optional
        Channel of each tile that each channel of the mosaic is, -1 for none; default all
        as they are.

    Attributes
    ----------
    boxes : ndarray, shape (n, 2, 3)
        Round each tile: edges (z, y, x), world.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        own_channels: NDArray[np.int16] | None = None,
    ) -> None:
        self._own_channels = own_channels
        places = [t.place for t in tiles]
        matrices = matrices_of(places)
        self._shapes = np.array([p.shape for p in places], np.float64).reshape(-1, 3)
        times = [-1 if p.time is None else p.time for p in places]
        self._times = np.array(times, np.int64)
        self._absent: dict[int, list[int]] = {}
        for at, place in enumerate(places):
            for time in place.absent:
                self._absent.setdefault(time, []).append(at)
        self.boxes = _boxes(matrices, self._shapes)
        self._from_world = inverse_of(matrices)
        self._sizes = np.linalg.norm(matrices[:, :, :3], axis=1)
        self._kind = np.full(len(tiles), -1, np.int64)
        self._kinds: list[_Kind] = []
        self._known: dict[int, int] = {}
        self._pyramids: list[Pyramid] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._counts: dict[int, _Counts] = {}
        self._is_shown = np.ones(len(tiles), np.bool_)

    def on_other_grid(self) -> TileTable:
        """Return a table of the same tiles, changed together, for another grid."""
        other = copy(self)
        other._counts = {}
        return other

    def snapshot(self) -> TileTable:
        """Return a table of the same tiles that does not follow what is changed."""
        other = self.on_other_grid()
        for name in ("boxes", "_from_world", "_sizes", "_kind", "_is_shown"):
            setattr(other, name, getattr(self, name).copy())
        return other

    def extent(self) -> F64 | None:
        """Return the box round the tiles that are shown, shape (2, 3); None without any."""
        boxes = self.boxes[self._is_shown]
        if not len(boxes):
            return None
        return np.array([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])

    def put(self, at: int, matrix: AffineTransform) -> None:
        """Put a tile elsewhere.

        Parameters
        ----------
        at : int
            Position of the tile.
        matrix : AffineTransform
            From voxel index of its level 0 to world.
        """
        own = np.array([matrix.rows])
        before = self.boxes[at].copy()
        self.boxes[at] = _boxes(own, self._shapes[at : at + 1])[0]
        self._from_world[at] = inverse_of(own)[0]
        self._sizes[at] = np.linalg.norm(own[0, :, :3], axis=0)
        if self._is_shown[at]:
            for counts in self._counts.values():
                counts.add(before, -1)
                counts.add(self.boxes[at], 1)

    def show(self, at: int, is_shown: bool) -> None:
        """Take a tile into the mosaic, or leave it out.

        Parameters
        ----------
        at : int
            Position of the tile.
        is_shown : bool
        """
        if self._is_shown[at] != is_shown:
            self._is_shown[at] = is_shown
            for counts in self._counts.values():
                counts.add(self.boxes[at], 1 if is_shown else -1)

    def is_shown(self, at: int) -> bool:
        """Whether a tile is part of the mosaic."""
        return bool(self._is_shown[at])

    # -- what reaches where ------------------------------------------------------

    def reaching(self, low: F64, high: F64, time: int, channel: int = 0) -> Ints:
        """Return the tiles whose boxes meet a box, in their order.

        Parameters
        ----------
        low, high : ndarray, shape (3,)
            Edges (z, y, x), world.
        time, channel : int
            Index of the time point and of the mosaic's channel.
        """
        boxes = self.boxes
        meets = self._is_shown & ((self._times < 0) | (self._times == time))
        meets[self._absent.get(time, [])] = False
        if self._own_channels is not None:
            meets &= self._own_channels[:, channel] >= 0
        for axis in range(3):
            meets &= boxes[:, 0, axis] < high[axis]
            meets &= boxes[:, 1, axis] > low[axis]
        return np.flatnonzero(meets)

    def untouched(
        self, level: int, about: ScaleLevel, cells: Ints
    ) -> NDArray[np.bool_]:
        """Tell which storage chunks no tile reaches into, at any time.

        Parameters
        ----------
        level : int
        about : ScaleLevel
            Of the mosaic.
        cells : ndarray, shape (m, 3), int64
            Positions in the storage grid (z, y, x).

        Returns
        -------
        ndarray, shape (m,), bool
            False also where this is not known cheaply.
        """
        if level not in self._counts:
            self._counts[level] = _Counts(about, self.boxes[self._is_shown])
        return self._counts[level].is_zero(np.asarray(cells, np.int64))

    def own_channel(self, at: int, channel: int) -> int:
        """Return which channel of a tile a channel of the mosaic is.

        Parameters
        ----------
        at : int
            Position of the tile, which has the channel.
        channel : int
        """
        own = self._own_channels
        return channel if own is None else int(own[at, channel])

    # -- levels of tiles ---------------------------------------------------------

    def unknown(self, ids: Ints) -> Ints:
        """Return those of some tiles whose levels are not known yet."""
        return ids[self._kind[ids] < 0]

    def learn(self, at: int, pyramid: Pyramid) -> None:
        """Take in the levels of a tile that was opened.

        Parameters
        ----------
        at : int
            Position of the tile.
        pyramid : Pyramid
        """
        number = self._known.get(id(pyramid))
        if number is None:
            number = self._number_of(pyramid)
            # The pyramid is kept, so that its id belongs to no other one.
            self._pyramids.append(pyramid)
            self._known[id(pyramid)] = number
        self._kind[at] = number

    def _number_of(self, pyramid: Pyramid) -> int:
        levels = tuple(
            (lv.shape_zyx, lv.voxel_size_zyx, lv.translation_zyx)
            for lv in pyramid.levels
        )
        if levels not in self._numbers:
            self._numbers[levels] = len(self._kinds)
            self._kinds.append(_Kind.of(pyramid))
        return self._numbers[levels]

    def forget(self, at: int) -> None:
        """Forget the levels of a tile, which turned out to be others."""
        self._kind[at] = -1

    def levels_for(self, ids: Ints, about: ScaleLevel) -> LevelsOfTiles:
        """Choose the coarsest level of each tile that is fine enough.

        Parameters
        ----------
        ids : ndarray, shape (k,), int64
            Tiles whose levels are known.
        about : ScaleLevel
            Of the mosaic.
        """
        wanted = float(np.prod(about.voxel_size_zyx)) * _SLACK
        kinds = self._kind[ids]
        k = len(ids)
        level, scale = np.zeros(k, np.int64), np.ones((k, 3))
        shift, shape = np.zeros((k, 3)), np.ones((k, 3), np.int64)
        volume = self._sizes[ids].prod(axis=1)
        for number in np.unique(kinds):
            kind, own = self._kinds[number], np.flatnonzero(kinds == number)
            fits = volume[own, None] * kind.volume <= wanted
            last = len(kind.volume) - 1 - fits[:, ::-1].argmax(axis=1)
            chosen = np.where(fits.any(axis=1), last, 0)
            level[own] = chosen
            scale[own], shift[own] = kind.scale[chosen], kind.shift[chosen]
            shape[own] = kind.shape[chosen]
        from_world = self._from_world[ids].copy()
        from_world[:, :, 3] -= shift
        from_world /= scale[:, :, None]
        return LevelsOfTiles(ids, level, from_world, shape, self._sizes[ids] * scale)
