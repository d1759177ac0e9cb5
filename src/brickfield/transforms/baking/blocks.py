"""The block function that makes voxels of a transformed image, and the order of blocks.

Blocks are gone over box by box (:class:`TiledGrid`), so that source chunks which a turn
brings into several blocks are still in memory. A block that needs no stored chunk is not
written: sparse data stay sparse.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from itertools import product
from math import prod
from threading import Event
from typing import Any

import numpy as np

from brickfield.blockwise import Block, BlockGrid, Slices
from brickfield.model import Int3
from brickfield.transforms.baking.chunk_cache import KeptReader
from brickfield.transforms.operations.grid import Region
from brickfield.transforms.operations.operation import AnyArray, Operation, Volume
from brickfield.writing import StoredLevel

CANCELLED = "cancelled"
"""Reason of a block that was given up because it is no longer wanted."""
TILE = 4
"""Blocks along each axis of space that are gone over together."""


@dataclass(frozen=True, slots=True)
class TiledGrid(BlockGrid):
    """A grid whose blocks are numbered box by box of :data:`TILE` blocks per axis.

    Attributes
    ----------
    n_space : int
        Last axes that are boxed.
    """

    n_space: int = 3

    def __getitem__(self, number: int) -> Block:
        """Return the block of a number."""
        if not 0 <= number < len(self):
            msg = f"block {number} of {len(self)}"
            raise IndexError(msg)
        n_lead = len(self.shape) - self.n_space
        lead, space = self.grid[:n_lead], self.grid[n_lead:]
        outer, number = divmod(number, prod(space))
        index = [int(i) for i in np.unravel_index(outer, lead)] if lead else []
        start: list[int] = []
        for axis, n in enumerate(space):
            # Blocks of one step along this axis, within the boxes chosen before.
            chosen = [min(TILE, m - s) for m, s in zip(space, start, strict=False)]
            layer = prod(chosen) * prod(space[axis + 1 :])
            step = min(number // (layer * TILE), (n - 1) // TILE)
            start.append(step * TILE)
            number -= step * TILE * layer
        sizes = [min(TILE, n - s) for n, s in zip(space, start, strict=True)]
        inner = np.unravel_index(number, sizes)
        index += [s + int(i) for s, i in zip(start, inner, strict=True)]
        return self.at(tuple(index))

    def __iter__(self) -> Iterator[Block]:
        """Iterate blocks in the order of their numbers."""
        n_lead = len(self.shape) - self.n_space
        space = self.grid[n_lead:]
        for lead in product(*map(range, self.grid[:n_lead])):
            for start in product(*(range(0, n, TILE) for n in space)):
                ends = (
                    range(s, min(s + TILE, n))
                    for s, n in zip(start, space, strict=True)
                )
                for inner in product(*ends):
                    yield self.at((*lead, *inner))


@dataclass(frozen=True)
class BakedBlock:
    """Makes one block of level 0; a block function.

    Attributes
    ----------
    source : KeptReader
        Axes in the written order.
    spatial_axes : tuple of int
        Positions of z, y, x; -1 for an absent one, which is one voxel thick.
    lead_start : tuple of int
        First index that is read, along all axes (0 along those of space).
    operation : Operation
    start : tuple of int
        First voxel (z, y, x) of the operation's output that is written.
    target : StoredLevel or None
        Where blocks are written.
    missing_value : float or int
        Of source chunks that are not stored.
    cancel : Event, optional
        Ends a block between its pieces; not sent to other processes.
    """

    source: KeptReader
    spatial_axes: Int3
    lead_start: tuple[int, ...]
    operation: Operation
    start: Int3
    target: StoredLevel | None
    missing_value: float | int
    cancel: Event | None = field(default=None, compare=False)

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            BakedBlock,
            (
                self.source,
                self.spatial_axes,
                self.lead_start,
                self.operation,
                self.start,
                self.target,
                self.missing_value,
            ),
        )

    def __call__(self, block: Block) -> int:
        """Make and write a block; returns the bytes written, before compression."""
        assert self.target is not None
        if not self._is_needed(block.slices, self.target.fill_value):
            return 0
        dtype = self.source.inner.dtype
        out = np.empty(block.shape, dtype)
        space = [a for a in self.spatial_axes if a >= 0]
        others = [a for a in range(out.ndim) if a not in space]
        for lead in np.ndindex(*(out.shape[a] for a in others)):
            at: list[Any] = [slice(None)] * out.ndim
            for axis, i in zip(others, lead, strict=True):
                at[axis] = i
            index = [
                int(i) + block.slices[a].start + self.lead_start[a]
                for a, i in zip(others, lead, strict=True)
            ]
            made = self._made(
                dict(zip(others, index, strict=True)), self._region(block.slices)
            )
            out[tuple(at)] = made.reshape(out[tuple(at)].shape)
        self.target.write(block.slices, out)
        return out.nbytes

    def _region(self, slices: Slices) -> Region:
        """Return the voxels of the operation's output that a block covers."""
        z, y, x = (
            slice(slices[a].start + s, slices[a].stop + s)
            if a >= 0
            else slice(s, s + 1)
            for a, s in zip(self.spatial_axes, self.start, strict=True)
        )
        return (z, y, x)

    @property
    def _shape(self) -> Int3:
        shape = self.source.inner.shape
        z, y, x = (shape[a] if a >= 0 else 1 for a in self.spatial_axes)
        return (z, y, x)

    def _stored(self, box: Region, lead: dict[int, int]) -> Slices:
        """Return a box (z, y, x) of one leading index in all axes of the source."""
        found = [
            slice(lead.get(a, 0), lead.get(a, 0) + 1)
            for a in range(len(self.source.inner.shape))
        ]
        for axis, part in zip(self.spatial_axes, box, strict=True):
            if axis >= 0:
                found[axis] = part
        return tuple(found)

    def _is_needed(self, slices: Slices, fill_value: float) -> bool:
        """Tell whether a block can differ from what is not written."""
        box = self.operation.box_of(self._region(slices), self._shape)
        if box is None:
            return False
        same = self.missing_value == fill_value
        if not same:
            return True
        lead = self._stored(box, {})
        whole = tuple(
            part
            if a in self.spatial_axes
            else slice(
                slices[a].start + self.lead_start[a],
                slices[a].stop + self.lead_start[a],
            )
            for a, part in enumerate(lead)
        )
        return not self.source.is_missing(whole)

    def sample(self, region: Region) -> AnyArray:
        """Make a region of the first time and channel that are written.

        Parameters
        ----------
        region : tuple of slice
            Voxels (z, y, x) of the operation's output.

        Returns
        -------
        ndarray, shape of the region (z, y, x)
        """
        others = [a for a in range(len(self.lead_start)) if a not in self.spatial_axes]
        return self._made({a: self.lead_start[a] for a in others}, region)

    def _made(self, lead: dict[int, int], region: Region) -> AnyArray:
        def read(box: Region) -> AnyArray:
            found = self.source.read(self._stored(box, lead))
            size = tuple(s.stop - s.start for s in box)
            # The written order has z, y, x last and in this order.
            return found.reshape(size)

        def shared(key: Hashable, make: Callable[[], Any]) -> Any:
            return self.source.share((*sorted(lead.items()), key), make)

        dtype = self.source.inner.dtype
        volume = Volume(self._shape, dtype, read, self._check, shared)
        return self.operation.make(volume, region)

    def _check(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise CancelledError(CANCELLED)
