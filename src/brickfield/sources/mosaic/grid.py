"""The voxels that a mosaic is given: one grid along the axes of the world.

The grid is as fine as the finest tile. Where the first tile lies along the axes, its
voxels are voxels of the grid, so that tiles which are only shifted by whole voxels
are copied exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import MAX_LEVELS, Int3, Vec3
from brickfield.sources.mosaic.blend import OVERLAPS, Overlap
from brickfield.sources.mosaic.table import boxes_of, matrices_of
from brickfield.sources.mosaic.tile import TilePlace

F64 = NDArray[np.float64]
Region = tuple[Vec3, Vec3]
CHUNK = 64
_MOST_VOXELS = 1 << 40
"""Along one axis: beyond, a matrix or a spacing is wrong."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class MosaicOptions:
    """What a mosaic is made with.

    Attributes
    ----------
    overlap : {"max", "mean", "feather", "first", "difference"}
    order : {0, 1}
        Between voxels of a tile: the nearest, or linear.
    spacing : tuple of float or None
        World units a voxel of level 0 (z, y, x); None for that of the finest tile.
    region : tuple of (low, high) or None
        Edges (z, y, x), world; None for all tiles.
    margin : float
        Room round the tiles, to move them in, as a share of the largest.
    colour_by : str or None
        Whether the channels are groups of tiles: ``"tile"``, or an attribute of theirs
        such as ``"angle"``. Of each tile the first channel is shown.
    anchor : tuple of float or None
        Where the grid has the centre of a voxel (z, y, x), world; None for that of the
        first tile.
    has_room : bool
        Whether the region is the reach of another grid, room to move tiles in included,
        and was not asked for.
    """

    overlap: Overlap = "max"
    order: int = 1
    spacing: Vec3 | None = None
    region: Region | None = None
    margin: float = 0.0
    colour_by: str | None = None
    anchor: Vec3 | None = None
    has_room: bool = False

    def __post_init__(self) -> None:
        if self.overlap not in OVERLAPS:
            msg = f"expected an overlap out of {', '.join(OVERLAPS)}; found {self.overlap!r}"
            raise OptionError(msg)
        if self.order not in (0, 1):
            msg = f"expected the order 0 or 1; found {self.order!r}"
            raise OptionError(msg)
        if self.spacing is not None and not all(
            np.isfinite(s) and s > 0 for s in self.spacing
        ):
            msg = f"expected a spacing of numbers above 0; found {self.spacing}"
            raise OptionError(msg)


@dataclass(frozen=True)
class Grid:
    """Levels of a mosaic.

    Attributes
    ----------
    shapes : tuple of tuple of int
        Voxels (z, y, x) of each level.
    spacings : tuple of tuple of float
        World units a voxel (z, y, x) of each level.
    origins : tuple of tuple of float
        Centre of voxel 0 (z, y, x) of each level, world.
    """

    shapes: tuple[Int3, ...]
    spacings: tuple[Vec3, ...]
    origins: tuple[Vec3, ...]

    @property
    def extent(self) -> tuple[F64, F64]:
        """Lower and upper edge (z, y, x), world."""
        spacing = np.array(self.spacings[0])
        low = np.array(self.origins[0]) - 0.5 * spacing
        return low, low + spacing * self.shapes[0]

    def as_region(self, slack: float = 0.0) -> Region:
        """Return the edges, drawn in by a share of a voxel."""
        low, high = self.extent
        inwards = slack * np.array(self.spacings[0])
        return _vec(low + inwards), _vec(high - inwards)


def make_grid(places: Sequence[TilePlace], options: MosaicOptions) -> Grid:
    """Lay a grid over tiles.

    Parameters
    ----------
    places : sequence of TilePlace
        At least one.
    options : MosaicOptions

    Raises
    ------
    OptionError
        If there is nothing in the region, or the grid has too many voxels.
    """
    spacing = np.array(options.spacing or finest_spacing(places))
    low, high = _extent(places, options)
    anchor = _anchor(places[0], spacing)
    if options.anchor is not None:
        anchor = np.array(options.anchor, dtype=np.float64)
    first = [ceil(v - _ROUNDING) for v in (low - anchor) / spacing]
    last = [floor(v + _ROUNDING) for v in (high - anchor) / spacing]
    shape = [b - a + 1 for a, b in zip(first, last, strict=True)]
    shape = [max(n, 1) for n in shape]
    _check_size(shape)
    origin = anchor + spacing * first
    return _levels(shape, spacing, origin)


def grow_grid(grid: Grid, low: F64, high: F64) -> tuple[Grid, Int3]:
    """Lay a grid that reaches further; the voxels of each level stay where they are.

    Parameters
    ----------
    grid : Grid
    low, high : ndarray, shape (3,)
        Edges (z, y, x), world, that it shall reach to at least.

    Returns
    -------
    grid : Grid
        With as many levels.
    shift : tuple of int
        Voxels of level 0 (z, y, x) by which an index of the old grid is larger in it.

    Raises
    ------
    OptionError
        If it would have too many voxels.
    """
    spacing, origin = np.array(grid.spacings[0]), np.array(grid.origins[0])
    edge, before = origin - 0.5 * spacing, np.array(grid.shapes[0])
    # By whole voxels of the coarsest level, so that those of no level move.
    coarsest = np.array(grid.spacings[-1])
    below = np.ceil(np.maximum(edge - low, 0.0) / coarsest - _ROUNDING)
    shift = np.rint(below * coarsest / spacing)
    above = np.maximum(high - edge - before * spacing, 0.0) / spacing
    shape = before + shift + np.ceil(above - _ROUNDING)
    _check_size(shape.tolist())
    return _with_shape(grid, shape, -shift), _counts(shift)


def tight_grid(grid: Grid, box: F64, level: int = 0) -> Grid:
    """Lay a grid that ends with a box; the voxels that are left stay where they are.

    Parameters
    ----------
    grid : Grid
    box : ndarray, shape (2, 3)
        Edges (z, y, x), world. Voxels that they cut are left.
    level : int
        The coarsest whose voxels stay where they are, too.

    Returns
    -------
    Grid
        With as many levels; the same one where nothing of it lies outside.
    """
    spacing, before = np.array(grid.spacings[0]), np.array(grid.shapes[0])
    step = np.rint(np.array(grid.spacings[level]) / spacing)
    first, last = (box - grid.extent[0]) / spacing
    first = np.maximum(np.floor(first + _ROUNDING), 0) // step * step
    last = np.ceil(last - _ROUNDING)
    shape = np.minimum(last, before) - first
    if (shape < 1).any() or (shape == before).all():
        return grid
    return _with_shape(grid, shape, first)


def _with_shape(grid: Grid, shape: F64, first: F64) -> Grid:
    """Return a grid of as many levels that begins at a voxel of level 0 of another."""
    spacing = np.array(grid.spacings[0])
    sizes = [np.array(s) for s in grid.spacings]
    shapes = [_counts(np.ceil(shape / np.rint(s / spacing))) for s in sizes]
    origins = [_vec(np.array(o) + first * spacing) for o in grid.origins]
    return Grid(tuple(shapes), grid.spacings, tuple(origins))


def finest_spacing(places: Sequence[TilePlace]) -> Vec3:
    """Return the smallest voxel size of tiles along the axes of the world (z, y, x)."""
    linear = matrices_of(places)[:, :, :3]
    size = np.abs(linear)
    largest = size.max(axis=(1, 2), keepdims=True)
    is_straight = (np.count_nonzero(size > largest * 1e-9, axis=1) == 1).all(axis=1)
    # Of a turned tile no axis is one of the world: its smallest edge counts.
    smallest = np.linalg.norm(linear, axis=1).min(axis=1)[:, None]
    found = np.where(is_straight[:, None], size.max(axis=2), smallest)
    z, y, x = found.min(axis=0).tolist()
    return (z, y, x)


def _check_size(shape: Sequence[float]) -> None:
    if max(shape) > _MOST_VOXELS:
        size = " × ".join(f"{n:.0f}" for n in shape)
        msg = f"expected a mosaic of a size that can be drawn; found {size} voxels"
        raise OptionError(msg)


def _extent(places: Sequence[TilePlace], options: MosaicOptions) -> tuple[F64, F64]:
    boxes = boxes_of(places)
    low, high = boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)
    room = options.margin * (boxes[:, 1] - boxes[:, 0]).max(axis=0)
    low, high = low - room, high + room
    if options.region is not None:
        wanted_low, wanted_high = np.array(options.region, dtype=np.float64)
        if not (wanted_low < wanted_high).all():
            msg = f"expected a region whose ends rise; found {options.region}"
            raise OptionError(msg)
        if (wanted_low >= high).any() or (wanted_high <= low).any():
            text = f"{low.round(3).tolist()} to {high.round(3).tolist()}"
            msg = f"expected a region that meets the tiles ({text}); found {options.region}"
            raise OptionError(msg)
        low, high = wanted_low, wanted_high
    return low, high


def _anchor(place: TilePlace, spacing: F64) -> F64:
    """Return a place at which the grid shall have the centre of a voxel."""
    matrix = place.matrix.matrix
    corners = place.box()
    is_straight = np.count_nonzero(matrix[:3, :3]) == 3
    return matrix[:3, 3].copy() if is_straight else corners[0] + 0.5 * spacing


def _levels(shape: Sequence[int], spacing: F64, origin: F64) -> Grid:
    factor = np.ones(3)
    shapes, spacings, origins = [], [], []
    for _ in range(MAX_LEVELS):
        size = spacing * factor
        now = [max(1, ceil(n / f)) for n, f in zip(shape, factor, strict=True)]
        shapes.append((now[0], now[1], now[2]))
        spacings.append(_vec(size))
        origins.append(_vec(origin + (factor - 1) / 2 * spacing))
        if max(now) <= CHUNK:
            break
        # Axes with large voxels wait until the others have caught up.
        halved = (size < 2 * size.min()) & (np.array(now) > 1)
        halved = halved if halved.any() else np.array(now) > 1
        factor = np.where(halved, factor * 2, factor)
    return Grid(tuple(shapes), tuple(spacings), tuple(origins))


def _counts(values: F64) -> Int3:
    z, y, x = (int(v) for v in values)
    return z, y, x


def _vec(values: F64) -> Vec3:
    z, y, x = values.tolist()
    return (z, y, x)
