"""Which stored voxels changed, as a value that says which chunks lie under it."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.model.chunks import INDEX_BITS, ChunkId, ChunkKey, Selection
from brickfield.model.scales import Int3

__all__ = [
    "ChunkChange",
    "Range",
]

Range = tuple[int, int]
"""First index, and the one after the last."""
_LEVEL = 3 * INDEX_BITS
_MASK = (1 << INDEX_BITS) - 1


@dataclass(frozen=True, slots=True)
class ChunkChange:
    """Voxels of one level that are others now.

    Attributes
    ----------
    level : int
    box : tuple of Range
        Voxels along all stored axes.
    selection : tuple of Range
        Of the non-spatial axes alone.
    low, high : tuple of int
        Grid indices (z, y, x) of the planned chunks that meet the box, upper excluded.
    """

    level: int
    box: tuple[Range, ...]
    selection: tuple[Range, ...]
    low: Int3
    high: Int3

    def covers(self, selection: Selection) -> bool:
        """Tell whether a selection has changed voxels."""
        return len(selection) == len(self.selection) and all(
            a <= i < b for i, (a, b) in zip(selection, self.selection, strict=True)
        )

    def has(self, selection: Selection, key: ChunkKey) -> bool:
        """Tell whether a chunk has changed voxels.

        Parameters
        ----------
        selection : Selection
            Index on every non-spatial axis.
        key : ChunkKey
            Packed level and grid index.
        """
        # Asked of every chunk that is kept, for every level: most are of another one.
        if key >> _LEVEL != self.level:
            return False
        (z, y, x), (d, h, w) = self.low, self.high
        return (
            x <= key & _MASK < w
            and y <= key >> INDEX_BITS & _MASK < h
            and z <= key >> 2 * INDEX_BITS & _MASK < d
            and self.covers(selection)
        )

    @property
    def ends(self) -> tuple[ChunkKey, ChunkKey]:
        """Keys between which those of all its chunks lie, and some others, inclusive."""
        z, y, x = (n - 1 for n in self.high)
        return ChunkId(self.level, self.low).key, ChunkId(self.level, (z, y, x)).key

    def meets(self, index: tuple[int, ...], chunk_shape: tuple[int, ...]) -> bool:
        """Tell whether a storage chunk of the level has changed voxels.

        Parameters
        ----------
        index : tuple of int
            Position in the storage grid, all axes.
        chunk_shape : tuple of int
            Storage chunk, voxels, all axes.
        """
        return all(
            i * n < b and a < (i + 1) * n
            for i, n, (a, b) in zip(index, chunk_shape, self.box, strict=True)
        )
