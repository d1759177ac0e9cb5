"""A grid of aligned blocks that tile an n-dimensional array exactly once.

Block number i of a grid is computed, never stored: a grid of millions of blocks
costs nothing, and the number alone names a block in journals and messages.
Numbers run in C order (the last axis fastest); blocks at the far edges are cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from math import prod

from brickfield.errors import OptionError

Slices = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of an array.

    Attributes
    ----------
    index : tuple of int
        Position in the grid, counted in blocks.
    slices : tuple of slice
        Voxels it covers, all axes, start and stop given, step None.
    """

    index: tuple[int, ...]
    slices: Slices

    @property
    def start(self) -> tuple[int, ...]:
        """First voxel along every axis."""
        return tuple(s.start for s in self.slices)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels along every axis."""
        return tuple(s.stop - s.start for s in self.slices)

    @property
    def n_voxels(self) -> int:
        """Voxels of the block."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class BlockGrid:
    """All blocks of an array; a sequence that computes its items.

    Attributes
    ----------
    shape : tuple of int
        Array, voxels.
    block_shape : tuple of int
        Block, voxels; blocks start at its multiples.
    """

    shape: tuple[int, ...]
    block_shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if (
            len(self.shape) != len(self.block_shape)
            or min(self.block_shape, default=1) < 1
        ):
            msg = (
                f"expected a block of at least 1 voxel along each of the"
                f" {len(self.shape)} axes; found {self.block_shape}"
            )
            raise OptionError(msg)

    @property
    def grid(self) -> tuple[int, ...]:
        """Blocks along every axis."""
        return tuple(
            -(-n // b) for n, b in zip(self.shape, self.block_shape, strict=True)
        )

    def __len__(self) -> int:
        return prod(self.grid)

    def __getitem__(self, number: int) -> Block:
        if not 0 <= number < len(self):
            msg = f"block {number} of {len(self)}"
            raise IndexError(msg)
        index = []
        for n in reversed(self.grid):
            number, i = divmod(number, n)
            index.append(i)
        return self.at(tuple(reversed(index)))

    def __iter__(self) -> Iterator[Block]:
        for index in product(*map(range, self.grid)):
            yield self.at(index)

    def at(self, index: tuple[int, ...]) -> Block:
        """Return the block at a grid position."""
        slices = tuple(
            slice(i * b, min((i + 1) * b, n))
            for i, b, n in zip(index, self.block_shape, self.shape, strict=True)
        )
        return Block(index, slices)

    def overlapping(self, region: Slices) -> Iterator[Block]:
        """Iterate the blocks that share voxels with a region, in C order."""
        ranges = [
            range(s.start // b, min(-(-s.stop // b), n))
            if s.stop > s.start
            else range(0)
            for s, b, n in zip(region, self.block_shape, self.grid, strict=True)
        ]
        for index in product(*ranges):
            yield self.at(index)


def intersect(a: Slices, b: Slices) -> Slices:
    """Return the voxels common to two regions (empty slices when none are).

    Parameters
    ----------
    a : Slices
        One slice per axis, with start and stop.
    b : Slices
        Likewise.
    """
    return tuple(
        slice(max(p.start, q.start), max(min(p.stop, q.stop), p.start, q.start))
        for p, q in zip(a, b, strict=True)
    )


def shift(region: Slices, offset: tuple[int, ...]) -> Slices:
    """Return a region relative to an origin: moved by minus `offset`.

    Parameters
    ----------
    region : Slices
        One slice per axis, with start and stop.
    offset : tuple of int
        Voxels along every axis.
    """
    return tuple(
        slice(s.start - o, s.stop - o) for s, o in zip(region, offset, strict=True)
    )
