"""Sizes of levels and of chunks, by the rules of the reference writer.

Every function is pure. A level halves, rounded down, each axis a that is longer than
one voxel and for which (10 a)² is more than the product of the other two, until the
voxels fit in :data:`BLOCK_BYTES`. A chunk has :data:`BLOCK_BYTES`, powers of two along
all axes and x = y (Imaris draws chunks as textures); among those the one with the
fewest chunks in three slices through the middle is taken, then the one nearest to a
cube. Chunks of a level are never smaller than half of those before, so that a group of
them always lies in one chunk of the next level.
"""

from __future__ import annotations

from itertools import pairwise, product
from math import prod

from brickfield.errors import OptionError
from brickfield.model import Int3

BLOCK_BYTES = 1 << 20
"""Of a chunk before compression, and of the coarsest level at most."""
MOST_WASTE = 2.0
"""Padded voxels to voxels."""


def level_shapes(shape: Int3, itemsize: int, n_levels: int | None = None) -> list[Int3]:
    """Return the shapes (z, y, x) of all levels, the finest first.

    Parameters
    ----------
    shape : tuple of int
        Voxels (z, y, x) of level 0.
    itemsize : int
        Bytes of a voxel.
    n_levels : int, optional
        Levels wished; the rule may give fewer.

    Raises
    ------
    OptionError
        When less than one level is wished.
    """
    if n_levels is not None and n_levels < 1:
        msg = f"expected at least 1 level; found {n_levels}"
        raise OptionError(msg)
    shapes = [shape]
    while True:
        is_done = prod(shapes[-1]) * itemsize <= BLOCK_BYTES
        if is_done if n_levels is None else len(shapes) == n_levels:
            return shapes
        factors = halved(shapes[-1])
        if max(factors) == 1:
            return shapes
        z, y, x = (n // f for n, f in zip(shapes[-1], factors, strict=True))
        shapes.append((z, y, x))


def halved(shape: Int3) -> Int3:
    """Return by what each axis is divided for the next level: 1 or 2."""
    whole = prod(shape)
    z, y, x = (2 if n > 1 and (10 * n) ** 2 > whole // n else 1 for n in shape)
    return (z, y, x)


def factors_between(shapes: list[Int3]) -> list[Int3]:
    """Return the factors from each level to the next, one fewer than levels."""
    return [halved(shape) for shape, _ in pairwise(shapes)]


def chunk_shapes(
    shapes: list[Int3], itemsize: int, n_times: int = 1, chunk: Int3 | None = None
) -> list[Int3]:
    """Return the chunk (z, y, x) of every level.

    Parameters
    ----------
    shapes : list of tuple
        Levels.
    itemsize : int
    n_times : int
        Time points; the rule lets small images of many be laid together.
    chunk : tuple of int, optional
        The same chunk for all levels instead of the rule's.
    """
    if chunk is not None:
        return [chunk] * len(shapes)
    found: list[Int3] = []
    least: Int3 = (1, 1, 1)
    for shape, factors in zip(
        shapes, [*factors_between(shapes), (1, 1, 1)], strict=True
    ):
        found.append(_best_chunk(shape, n_times, itemsize, least))
        z, y, x = (max(1, c // f) for c, f in zip(found[-1], factors, strict=True))
        least = (z, y, x)
    return found


def padded(shape: Int3, chunk: Int3) -> Int3:
    """Return a shape rounded up to whole chunks.

    Parameters
    ----------
    shape : Int3
        Voxels (z, y, x).
    chunk : Int3
        Voxels (z, y, x).
    """
    z, y, x = (-(-n // c) * c for n, c in zip(shape, chunk, strict=True))
    return (z, y, x)


def _best_chunk(shape: Int3, n_times: int, itemsize: int, least: Int3) -> Int3:
    n_voxels = BLOCK_BYTES // itemsize
    if shape[0] == 1:
        least = (1, least[1], least[2])
    choices = [c for c in _choices(shape, n_voxels) if _is_at_least(c, least)]
    if not choices:
        return least

    def waste(chunk: Int3) -> float:
        # A block of the rule has BLOCK_BYTES in any case: what space leaves is time.
        span = n_voxels // prod(chunk)
        times = -(-n_times // span) * span
        return prod(padded(shape, chunk)) / prod(shape) * times / n_times

    choices.sort(key=lambda c: (_slice_cost(shape, c), _surface(c), waste(c)))
    return next((c for c in choices if waste(c) <= MOST_WASTE), choices[0])


def _choices(shape: Int3, n_voxels: int) -> list[Int3]:
    """Voxels of a chunk that suits graphics boards, at most."""
    sizes = [1 << i for i in range(n_voxels.bit_length())]
    is_flat = shape[0] == 1
    found: list[Int3] = []
    for z, y, x in product(sizes, repeat=3):
        is_square = y <= 4 * x and x <= 4 * y if is_flat else x == y
        if z * y * x <= n_voxels and is_square and (z == 1 if is_flat else z > 2):
            found.append((z, y, x))
    return found


def _is_at_least(chunk: Int3, least: Int3) -> bool:
    return all(c >= n for c, n in zip(chunk, least, strict=True))


def _slice_cost(shape: Int3, chunk: Int3) -> int:
    z, y, x = (-(-n // c) for n, c in zip(shape, chunk, strict=True))
    return 1 + x * y + x * z + y * z - x - y - z


def _surface(chunk: Int3) -> int:
    z, y, x = chunk
    return x * y + x * z + y * z
