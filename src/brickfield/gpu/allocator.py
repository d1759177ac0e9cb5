"""Places in one texture: a grid of equal slots, each free or taken by one chunk.

A slot is named by its position (x, y, z) in the grid. Allocation and release
are O(1); no two chunks ever share a slot (property-tested).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from math import ceil, prod, sqrt
from typing import Any

Slot = tuple[int, int, int]
SLOTS_PER_AXIS = 64
"""Slots along one axis that a page-table entry can name (6 bits)."""


@dataclass(frozen=True, slots=True)
class TextureRegion:
    """A chunk's place in an atlas texture; sizes in texels, GPU order.

    Attributes
    ----------
    texture_id : str
        Name of the texture, for example ``"level-2"``.
    offset : tuple of int
        First texel (x, y, z) of the chunk's own voxels, after the border.
    size : tuple of int
        Width, height and depth of the chunk's own voxels.
    texture_coordinates : tuple of tuple of float
        The same box in normalised texture space, lower and upper corner.
    """

    texture_id: str
    offset: tuple[int, int, int]
    size: tuple[int, int, int]
    texture_coordinates: tuple[tuple[float, float, float], tuple[float, float, float]]


class SimpleTextureAllocator:
    """A grid of slots. Not thread-safe: render thread only.

    Parameters
    ----------
    texture_size : tuple of int
        Width, height, depth of the texture, texels.
    chunk_shape : tuple of int
        Width, height, depth of a slot, texels, border included.
    taken : mapping of chunk to slot, optional
        Chunks that have a slot from the beginning.
    """

    def __init__(
        self,
        texture_size: tuple[int, int, int],
        chunk_shape: tuple[int, int, int],
        taken: Mapping[Any, Slot] | None = None,
    ) -> None:
        self.texture_size = texture_size
        self.slot_size = chunk_shape
        self.grid: Slot = (
            texture_size[0] // chunk_shape[0],
            texture_size[1] // chunk_shape[1],
            texture_size[2] // chunk_shape[2],
        )
        gx, gy, gz = self.grid
        self._taken: dict[Hashable, Slot] = dict(taken or {})
        occupied = set(self._taken.values())
        self._free: list[Slot] = []
        # Slots that nobody had yet are named one by one: a list of thousands would take
        # milliseconds of the frame in which a texture is made.
        self._fresh = (
            (x, y, z)
            for z, y, x in product(range(gz), range(gy), range(gx))
            if (x, y, z) not in occupied
        )

    @property
    def capacity(self) -> int:
        """Slots in all."""
        return self.grid[0] * self.grid[1] * self.grid[2]

    @property
    def n_free(self) -> int:
        """Slots not taken."""
        return self.capacity - len(self._taken)

    def can_allocate(self, shape: tuple[int, int, int] | None = None) -> bool:
        """Tell whether a chunk of `shape` (texels, default a slot) finds a place."""
        fits = shape is None or all(
            s <= m for s, m in zip(shape, self.slot_size, strict=True)
        )
        return fits and self.n_free > 0

    def allocate(
        self, chunk_id: Hashable, shape: tuple[int, int, int] | None = None
    ) -> Slot | None:
        """Reserve a slot for a chunk; None when all are taken.

        Parameters
        ----------
        chunk_id : Hashable
            A chunk that has a slot gets the same one.
        shape : tuple of int, optional
            Width, height and depth (x, y, z) that must fit the slot, texels.

        Returns
        -------
        Slot or None
            Position in the grid of slots (x, y, z).
        """
        if chunk_id in self._taken:
            return self._taken[chunk_id]
        if not self.can_allocate(shape):
            return None
        slot = self._free.pop() if self._free else next(self._fresh)
        self._taken[chunk_id] = slot
        return slot

    def deallocate(self, chunk_id: Hashable) -> None:
        """Free a chunk's slot; nothing happens if it has none."""
        slot = self._taken.pop(chunk_id, None)
        if slot is not None:
            self._free.append(slot)

    def slot_of(self, chunk_id: Hashable) -> Slot | None:
        """Return a chunk's slot, None if it has none."""
        return self._taken.get(chunk_id)

    def taken(self) -> dict[Hashable, Slot]:
        """Return a copy of the slots by chunk."""
        return dict(self._taken)


def column_grid(n_slots: int, most: int, limits: Slot) -> Slot:
    """Choose a grid of at most `n_slots` that can grow along z alone.

    A texture that grows along z keeps all its slots, so that one copy moves them.

    Parameters
    ----------
    n_slots : int
    most : int
        Slots that the texture may ever need; so wide is the grid.
    limits : tuple of int
        Most slots along x, y and z that the device allows.

    Returns
    -------
    tuple of int
        Slots along x, y, z.
    """
    depth = min(limits[2], SLOTS_PER_AXIS)
    footprint = max(1, -(-most // depth))
    gx = min(limits[0], SLOTS_PER_AXIS, ceil(sqrt(footprint)))
    gy = min(limits[1], SLOTS_PER_AXIS, -(-footprint // gx))
    return gx, gy, max(1, min(depth, n_slots // (gx * gy)))


@lru_cache(maxsize=1024)
def choose_grid(n_slots: int, limits: Slot) -> Slot:
    """Choose the grid with the fewest slots that holds at least `n_slots`.

    Parameters
    ----------
    n_slots : int
    limits : tuple of int
        Most slots along x, y and z that the device allows.

    Returns
    -------
    tuple of int
        Slots along x, y, z; all of `limits` when even that is too small.
    """
    limits = (
        min(limits[0], SLOTS_PER_AXIS),
        min(limits[1], SLOTS_PER_AXIS),
        min(limits[2], SLOTS_PER_AXIS),
    )
    if n_slots >= limits[0] * limits[1] * limits[2]:
        return limits
    best: tuple[int, int, Slot] | None = None
    for gx in range(1, limits[0] + 1):
        for gy in range(1, min(gx, limits[1]) + 1):
            gz = -(-n_slots // (gx * gy))
            if gz > limits[2]:
                continue
            # Near-cubic grids win ties: they stay far from the size limits.
            rank = (gx * gy * gz, max(gx, gy, gz), (gx, gy, gz))
            if best is None or rank < best:
                best = rank
    return limits if best is None else best[2]


def fitting_grid(
    n_slots: int, need: int, most: int, limits: Slot, old: Slot | None
) -> Slot:
    """Choose a grid of at most `n_slots`, or of a few more than `need`.

    Parameters
    ----------
    n_slots, need, most : int
        Wished, least, and beyond which there is no use.
    limits : tuple of int
        Most slots along x, y and z.
    old : tuple of int or None
        Of the texture that is replaced.
    """
    grid = column_grid(n_slots, most, limits)
    if old is not None and limits[2] > 1:
        # As wide as before, so that the slots can stay where they are.
        gx, gy = old[:2]
        gz = n_slots // (gx * gy)
        if 1 <= gz <= min(limits[2], SLOTS_PER_AXIS) and gx * gy * gz >= need:
            return gx, gy, gz
    if need <= prod(grid) <= n_slots:
        return grid
    for n in range(n_slots, 0, -1):
        grid = choose_grid(n, limits)
        if prod(grid) <= n_slots:
            break
    return grid if prod(grid) >= need else choose_grid(need, limits)
