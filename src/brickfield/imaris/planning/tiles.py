"""Tiles of every level, and the order in which those of level 0 are made.

A tile is a whole number of chunks. Tiles of one level, taken together as the factors to
the next one say, lie in exactly one tile of it; so once they are done, that one is,
too. Going through level 0 in that order (a Z curve) leaves at most a few tiles of each
level unfinished, whatever the size of the image: the memory of a pass does not depend
on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd, lcm, prod

from brickfield.blockwise import Block, BlockGrid
from brickfield.model import Int3


def tile_shapes(
    first: Int3, chunks: Sequence[Int3], factors: Sequence[Int3]
) -> list[Int3]:
    """Return the smallest tiles of all levels, given that of level 0.

    Parameters
    ----------
    first : tuple of int
        A multiple of the first chunk.
    chunks : sequence of tuple
        Chunk of every level.
    factors : sequence of tuple
        From each level to the next.
    """
    shapes = [first]
    for chunk, factor in zip(chunks[1:], factors, strict=True):
        z, y, x = (
            lcm(c, t // gcd(t, f))
            for c, t, f in zip(chunk, shapes[-1], factor, strict=True)
        )
        shapes.append((z, y, x))
    return shapes


@dataclass(frozen=True)
class TileOrder:
    """Which tiles make which.

    Attributes
    ----------
    shapes, tiles : tuple of tuple
        Voxels of every level and of its tiles.
    factors : tuple of tuple
        From each level to the next.
    """

    shapes: tuple[Int3, ...]
    tiles: tuple[Int3, ...]
    factors: tuple[Int3, ...]

    @cached_property
    def _groups(self) -> tuple[Int3, ...]:
        """Tiles along each axis that make one of the next level."""
        found = []
        for i, factor in enumerate(self.factors):
            z, y, x = (
                big * f // small
                for big, f, small in zip(
                    self.tiles[i + 1], factor, self.tiles[i], strict=True
                )
            )
            found.append((z, y, x))
        return tuple(found)

    @cached_property
    def _grids(self) -> tuple[Int3, ...]:
        """Tiles of every level, those counted that only the far edge has."""
        grids = [self._grid0]
        for group in self._groups:
            z, y, x = (-(-n // g) for n, g in zip(grids[-1], group, strict=True))
            grids.append((z, y, x))
        return tuple(grids)

    @property
    def _grid0(self) -> Int3:
        z, y, x = (
            -(-n // t) for n, t in zip(self.shapes[0], self.tiles[0], strict=True)
        )
        return (z, y, x)

    def parent(self, level: int, index: Int3) -> Int3:
        """Return the tile of the next level that contains a tile.

        Parameters
        ----------
        level : int
        index : Int3
            Position in the grid of tiles (z, y, x).
        """
        z, y, x = (i // g for i, g in zip(index, self._groups[level], strict=True))
        return (z, y, x)

    def n_children(self, level: int, index: Int3) -> int:
        """Return how many tiles of the finer level make up a tile.

        Parameters
        ----------
        level : int
        index : Int3
            Position in the grid of tiles (z, y, x).
        """
        return prod(len(r) for r in self._children(level, index))

    def region(self, level: int, index: Int3) -> tuple[slice, ...]:
        """Return the voxels of a tile, cut at the far edges; may be empty above level 0.

        Parameters
        ----------
        level : int
        index : Int3
            Position in the grid of tiles (z, y, x).
        """
        return tuple(
            slice(min(i * t, n), min((i + 1) * t, n))
            for i, t, n in zip(
                index, self.tiles[level], self.shapes[level], strict=True
            )
        )

    def at(self, number: int) -> Int3:
        """Return the tile of level 0 at a position of the order.

        Raises
        ------
        IndexError
            If it is beyond the last.
        """
        level = len(self.tiles) - 1
        nodes: Iterator[Int3] = _all(tuple(range(n) for n in self._grids[level]))
        while True:
            for node in nodes:
                n = self._n_leaves(level, node)
                if number < n:
                    break
                number -= n
            else:
                msg = f"tile {number} beyond the last"
                raise IndexError(msg)
            if level == 0:
                return node
            nodes = _all(self._children(level, node))
            level -= 1

    def _children(self, level: int, index: Int3) -> tuple[range, ...]:
        return tuple(
            range(i * g, min((i + 1) * g, n))
            for i, g, n in zip(
                index, self._groups[level - 1], self._grids[level - 1], strict=True
            )
        )

    def _n_leaves(self, level: int, index: Int3) -> int:
        n = 1
        for axis in range(3):
            span = prod(group[axis] for group in self._groups[:level])
            low, high = index[axis] * span, (index[axis] + 1) * span
            n *= max(0, min(high, self._grid0[axis]) - low)
        return n


@dataclass(frozen=True, slots=True)
class OrderedGrid(BlockGrid):
    """The tiles of level 0 as blocks, numbered in the order of making.

    Attributes
    ----------
    order : TileOrder
    """

    order: TileOrder | None = None

    def __getitem__(self, number: int) -> Block:
        """Return the block at a place of the order."""
        if self.order is None or not 0 <= number < len(self):
            msg = f"block {number} of {len(self)}"
            raise IndexError(msg)
        return self.at(self.order.at(number))


def ordered_grid(order: TileOrder) -> OrderedGrid:
    """Make the grid of an order."""
    return OrderedGrid(order.shapes[0], order.tiles[0], order)


def _all(ranges: tuple[range, ...]) -> Iterator[Int3]:
    for z in ranges[0]:
        for y in ranges[1]:
            for x in ranges[2]:
                yield (z, y, x)
