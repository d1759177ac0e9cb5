"""The levels of an image to be written: shapes, factors and where voxels lie.

A voxel of level k+1 is the join of ``f`` voxels of level k along an axis, so its
size is f times theirs and its centre is the mean of their centres: half of
``f - 1`` voxels beyond the first. A cut voxel at the far edge joins fewer and
keeps its place in the grid. Pure: no files, no voxels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm, prod

from brickfield.blockwise import format_bytes
from brickfield.errors import BudgetError, OptionError
from brickfield.model import Int3
from brickfield.writing.options import LevelOptions

__all__ = [
    "LevelPlan",
    "coarser_levels",
    "image_levels",
    "level_names",
    "make_level",
    "written_order",
]

ISOTROPY = 1.5
"""Voxels up to this many times as large as the smallest are halved with it."""
SMALLEST_PIECE = 16
"""Edge, voxels, below which reading piece by piece is no longer worth it."""
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LevelPlan:
    """One level to be written, or the one that the next is made from.

    Attributes
    ----------
    path : str
        Name of the array in its group.
    shape : tuple of int
        All axes, in the written order.
    voxel_size, translation : tuple of float
        As written in the metadata, all axes.
    factors : tuple of int
        Voxels of the level before joined into one; 1 for a copy.
    chunk_shape, write_shape : tuple of int
        Storage chunk; shard, or the chunk again without shards.
    """

    path: str
    shape: Shape
    voxel_size: tuple[float, ...]
    translation: tuple[float, ...]
    factors: Shape
    chunk_shape: Shape
    write_shape: Shape


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """How a level is gone over.

    Attributes
    ----------
    block_shape : tuple of int
        Written by one call, a multiple of the write shape.
    piece_shape : tuple of int
        Part of a block, in voxels of the written level, that is read at once.
    n_bytes : int
        Memory that one worker needs.
    """

    block_shape: Shape
    piece_shape: Shape
    n_bytes: int


def make_level(
    path: str,
    shape: Shape,
    geometry: tuple[tuple[float, ...], tuple[float, ...]],
    spatial_axes: Int3,
    options: LevelOptions,
) -> LevelPlan:
    """Make the plan of a copied level.

    Parameters
    ----------
    path : str
        Of the array below the group.
    shape : Shape
        All axes, voxels.
    geometry : tuple of tuple of float
        Voxel size and translation, all axes, world units.
    spatial_axes : Int3
        Positions of z, y and x; -1 where there is none.
    options : LevelOptions
        Chunk and shard shapes.
    """
    chunk = _on_axes(options.chunk_zyx, spatial_axes, len(shape))
    chunk = tuple(min(c, n) for c, n in zip(chunk, shape, strict=True))
    write = chunk
    if options.shard_zyx is not None:
        shard = _on_axes(options.shard_zyx, spatial_axes, len(shape))
        write = tuple(
            min(s // c, -(-n // c)) * c if s >= c else c
            for s, c, n in zip(shard, chunk, shape, strict=True)
        )
    ones = (1,) * len(shape)
    return LevelPlan(path, shape, *geometry, ones, chunk, write)


def _on_axes(zyx: Int3, spatial_axes: Int3, ndim: int) -> Shape:
    values = [1] * ndim
    for value, axis in zip(zyx, spatial_axes, strict=True):
        if axis >= 0:
            values[axis] = value
    return tuple(values)


def coarser_levels(
    first: LevelPlan,
    spatial_axes: Int3,
    names: list[str],
    options: LevelOptions,
    n_new: int | None = None,
) -> list[LevelPlan]:
    """Plan the levels that follow one, each made from the one before.

    Parameters
    ----------
    first : LevelPlan
        The finest of them is made from this.
    spatial_axes : tuple of int
        Positions of z, y, x; -1 for an absent one.
    names : list of str
        Paths for new levels; more than are ever needed.
    options : LevelOptions
    n_new : int, optional
        Levels to plan; until the coarsest fits in one chunk if not given.
    """
    levels: list[LevelPlan] = []
    last = first
    while True:
        factors = next_factors(last, spatial_axes, options)
        is_enough = (
            _fits(last, spatial_axes, options)
            if n_new is None
            else len(levels) >= n_new
        )
        if is_enough or prod(factors) == 1:
            return levels
        size = tuple(s * f for s, f in zip(last.voxel_size, factors, strict=True))
        shift = tuple(
            t + s * (f - 1) / 2
            for t, s, f in zip(last.translation, last.voxel_size, factors, strict=True)
        )
        shape = tuple(-(-n // f) for n, f in zip(last.shape, factors, strict=True))
        plan = make_level(
            names[len(levels)], shape, (size, shift), spatial_axes, options
        )
        last = LevelPlan(
            plan.path, shape, size, shift, factors, plan.chunk_shape, plan.write_shape
        )
        levels.append(last)


def image_levels(
    shape: Shape,
    geometry: tuple[tuple[float, ...], tuple[float, ...]],
    spatial_axes: Int3,
    options: LevelOptions,
    n_levels: int | None = None,
) -> tuple[LevelPlan, ...]:
    """Plan all levels of a new image, named from 0 on.

    Parameters
    ----------
    shape : tuple of int
        Of level 0, all axes, in the written order.
    geometry : tuple
        Voxel size and translation of level 0, all axes.
    spatial_axes : tuple of int
        Positions of z, y, x; -1 for an absent one.
    options : LevelOptions
    n_levels : int, optional
        Levels in all; until the coarsest fits in one chunk if not given.
    """
    first = make_level("0", shape, geometry, spatial_axes, options)
    n_new = None if n_levels is None else n_levels - 1
    names = level_names(["0"])
    return (first, *coarser_levels(first, spatial_axes, names, options, n_new))


def next_factors(level: LevelPlan, spatial_axes: Int3, options: LevelOptions) -> Shape:
    """Choose how many voxels are joined along every axis; all 1 when none can be.

    Parameters
    ----------
    level : LevelPlan
        The finer level.
    spatial_axes : Int3
        Positions of z, y and x; -1 where there is none.
    options : LevelOptions
        Fixed factors and the size of the coarsest level.
    """
    factors = [1] * len(level.shape)
    axes = [a for a in spatial_axes if a >= 0 and level.shape[a] > 1]
    fixed = options.fixed_factors
    if fixed is not None:
        for factor, axis in zip(fixed, spatial_axes, strict=True):
            if axis in axes:
                factors[axis] = factor
        return tuple(factors)
    limits = _on_axes(_coarsest(options), spatial_axes, len(level.shape))
    # Only long axes set the pace: a short axis of tiny voxels must not hold back
    # the others while it shrinks to nothing.
    long = [a for a in axes if level.shape[a] > limits[a]] or axes
    smallest = min((abs(level.voxel_size[a]) for a in long), default=1.0)
    for axis in axes:
        if abs(level.voxel_size[axis]) <= ISOTROPY * smallest:
            factors[axis] = 2
    return tuple(factors)


def _coarsest(options: LevelOptions) -> Int3:
    z, y, x = (min(max(c, 64), 128) for c in options.chunk_zyx)
    return (z, y, x)


def _fits(level: LevelPlan, spatial_axes: Int3, options: LevelOptions) -> bool:
    limits = _coarsest(options)
    return all(
        a < 0 or level.shape[a] <= limit
        for a, limit in zip(spatial_axes, limits, strict=True)
    )


def level_names(taken: list[str]) -> list[str]:
    """Name new levels as the present ones are named, numbers going on."""
    stem = taken[-1].rstrip("0123456789")
    numbers = [name.removeprefix(stem) for name in taken]
    if all(
        n.isdecimal() and name == stem + n
        for n, name in zip(numbers, taken, strict=True)
    ):
        first = max(map(int, numbers)) + 1
    else:
        stem, first = "level_", len(taken)
    return [f"{stem}{first + i}" for i in range(64)]


def plan_blocks(
    level: LevelPlan, input_chunk: Shape, itemsize: int, room_bytes: int
) -> BlockPlan:
    """Choose the blocks of a level, so that input chunks are decoded about once.

    Parameters
    ----------
    level : LevelPlan
    input_chunk : tuple of int
        Storage chunk of what is read, in its voxels.
    itemsize : int
        Bytes of a voxel.
    room_bytes : int
        Memory of one worker.

    Raises
    ------
    BudgetError
        When one chunk (or shard) to write does not fit.
    """
    unit = level.write_shape
    steps = [
        _wished_steps(c, f, u, n)
        for c, f, u, n in zip(
            input_chunk, level.factors, unit, level.shape, strict=True
        )
    ]
    while True:
        block = tuple(
            min(s * u, n) for s, u, n in zip(steps, unit, level.shape, strict=True)
        )
        piece, n_bytes = _fitting_piece(level, block, input_chunk, itemsize, room_bytes)
        if n_bytes <= room_bytes:
            return BlockPlan(
                tuple(s * u for s, u in zip(steps, unit, strict=True)), piece, n_bytes
            )
        widest = max(range(len(steps)), key=lambda a: steps[a])
        if steps[widest] == 1:
            msg = (
                f"expected a budget of at least {format_bytes(n_bytes)} a worker for"
                f" blocks of {'x'.join(map(str, unit))} voxels; found"
                f" {format_bytes(room_bytes)}: raise the budget or write smaller"
                f" chunks or shards"
            )
            raise BudgetError(msg)
        steps[widest] = -(-steps[widest] // 2)


def _wished_steps(chunk: int, factor: int, unit: int, length: int) -> int:
    """Write units that a block spans, so that it covers whole input chunks."""
    span = unit * factor
    if span % chunk == 0:
        return 1
    whole = lcm(span, chunk)
    if whole > 8 * max(span, chunk):
        whole = 4 * max(span, chunk)
    return max(1, min(-(-whole // span), -(-length // unit)))


def _fitting_piece(
    level: LevelPlan, block: Shape, input_chunk: Shape, itemsize: int, room: int
) -> tuple[Shape, int]:
    # The block and its encoded copy; the input, its float64 sums; a decoded chunk.
    fixed = 2 * prod(block) * itemsize + prod(input_chunk) * itemsize
    gain = prod(level.factors)
    piece = list(block)
    while True:
        n_bytes = fixed
        if gain > 1:
            n_bytes += prod(piece) * (gain * itemsize + gain * 4 + 16)
        axis = max(range(len(piece)), key=lambda a: piece[a])
        if n_bytes <= room or piece[axis] <= SMALLEST_PIECE or gain == 1:
            return tuple(piece), n_bytes
        piece[axis] = -(-piece[axis] // 2)


def written_order(kinds: list[str], spatial_axes: Int3) -> Shape:
    """Order stored axes as OME-Zarr wants: time, channel, others, then z, y, x.

    Parameters
    ----------
    kinds : list of str
        Kind of every stored axis.
    spatial_axes : Int3
        Positions of z, y and x; -1 where there is none.

    Returns
    -------
    Shape
        Positions of the stored axes in the order to write.

    Raises
    ------
    OptionError
        When there are more axes than OME-Zarr has.
    """
    if len(kinds) > 5:
        msg = f"expected at most 5 axes in OME-Zarr; found {len(kinds)}"
        raise OptionError(msg)
    first = [i for i, kind in enumerate(kinds) if kind == "time"]
    second = [i for i, kind in enumerate(kinds) if kind == "channel"]
    space = [a for a in spatial_axes if a >= 0]
    rest = [i for i in range(len(kinds)) if i not in (*first, *second, *space)]
    return (*first, *second, *rest, *space)
