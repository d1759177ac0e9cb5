"""Names of chunks, as values for people and as packed integers for arrays.

A chunk is the unit that is planned, requested and cached. Its place within one
selection of the non-spatial axes is a level and a grid index (z, y, x). A plan
holds thousands of chunks and changes with every camera move, so the packages
below the public interface pass *chunk keys*: one int64 each, sortable, hashable
and comparable with whole-array operations. :class:`ChunkId` is the same name
for people and for the public interface.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

INDEX_BITS = 19
"""Bits of a grid index in a chunk key: at most 524,288 chunks along an axis."""
MAX_LEVELS = 16
"""Levels a key can name (5 bits are kept free, 16 are used)."""

_MASK = (1 << INDEX_BITS) - 1

ChunkKey = int
"""A packed (level, z, y, x) grid index; see :func:`pack_keys`."""
Selection = tuple[int, ...]
"""Index on every non-spatial axis, in the array's axis order."""


@dataclass(frozen=True, slots=True, order=True)
class ChunkId:
    """The name of one chunk.

    Attributes
    ----------
    scale_level : int
        Level of the pyramid, 0 is the finest.
    index : tuple of int
        Grid index (z, y, x), counted in chunks of that level.
    selection : tuple of int
        Index on every non-spatial axis (time, channel, …), in axis order.
    """

    scale_level: int
    index: tuple[int, int, int]
    selection: Selection = ()

    @property
    def key(self) -> ChunkKey:
        """The packed key of level and grid index."""
        z, y, x = self.index
        return (
            ((self.scale_level << INDEX_BITS | z) << INDEX_BITS | y) << INDEX_BITS
        ) | x

    @classmethod
    def from_key(cls, key: ChunkKey, selection: Selection = ()) -> ChunkId:
        """Unpack a key.

        Parameters
        ----------
        key : ChunkKey
            As made by :func:`pack_keys`.
        selection : Selection
            Index on every non-spatial axis; the key does not hold it.
        """
        key = int(key)
        return cls(
            key >> (3 * INDEX_BITS),
            (
                (key >> (2 * INDEX_BITS)) & _MASK,
                (key >> INDEX_BITS) & _MASK,
                key & _MASK,
            ),
            selection,
        )


@dataclass(frozen=True, slots=True)
class ChunkMetadata:
    """What is known of a chunk without its voxels.

    Attributes
    ----------
    chunk_id : ChunkId
    scale_level : int
    priority : float
        Smaller is wanted sooner.
    world_bounds : tuple of tuple of float
        Lower and upper corner (z, y, x), world units.
    """

    chunk_id: ChunkId
    scale_level: int
    priority: float
    world_bounds: tuple[tuple[float, float, float], tuple[float, float, float]]


def pack_keys(
    level: int | NDArray[np.integer], indices: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Pack levels and grid indices into chunk keys.

    Parameters
    ----------
    level : int or ndarray, shape (n,)
        Level of every chunk.
    indices : ndarray, shape (n, 3), integer
        Grid indices (z, y, x).

    Returns
    -------
    ndarray, shape (n,), int64
        Keys; ordering them orders by level, then z, y, x.
    """
    i = np.asarray(indices, dtype=np.int64)
    head = np.asarray(level, dtype=np.int64) << INDEX_BITS
    return (((head | i[..., 0]) << INDEX_BITS | i[..., 1]) << INDEX_BITS) | i[..., 2]


def unpack_keys(
    keys: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Unpack chunk keys.

    Returns
    -------
    levels : ndarray, shape (n,), int64
    indices : ndarray, shape (n, 3), int64
        Grid indices (z, y, x).
    """
    k = np.asarray(keys, dtype=np.int64)
    indices = np.stack(
        [(k >> (2 * INDEX_BITS)) & _MASK, (k >> INDEX_BITS) & _MASK, k & _MASK], axis=-1
    )
    return k >> (3 * INDEX_BITS), indices
