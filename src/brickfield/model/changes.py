"""Which stored voxels changed, as a value that says which chunks lie under it."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.model.chunks import ChunkId, ChunkKey, Selection
from brickfield.model.scales import Int3

__all__ = [
    "ChunkChange",
    "Range",
]

Range = tuple[int, int]
"""First index, and the one after the last."""


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
        if not self.covers(selection):
            return False
        name = ChunkId.from_key(key, selection)
        return name.scale_level == self.level and all(
            a <= i < b for i, a, b in zip(name.index, self.low, self.high, strict=True)
        )

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
