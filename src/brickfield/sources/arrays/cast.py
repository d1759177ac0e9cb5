"""A stored array whose voxels are given out in another data type.

Some writers average a pyramid in floats and leave it so. All levels of an image
must share one type, that of the finest: floats are rounded to whole numbers and
everything is clipped to the new range, so that no value wraps.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.sources.protocol import StorageChunk, StoredArray


class CastArray:
    """One array in another type. All methods may be called from any thread.

    Parameters
    ----------
    array : StoredArray
    dtype : numpy.dtype
    """

    def __init__(self, array: StoredArray, dtype: np.dtype[np.generic]) -> None:
        self._array = array
        self.dtype = dtype
        self.shape = array.shape
        self.chunk_shape = array.chunk_shape

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read one storage chunk; see the protocol."""
        chunk = self._array.read_chunk(index)
        if chunk.data is None:
            return chunk
        return replace(chunk, data=cast(chunk.data, self.dtype))

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name in the store."""
        return self._array.chunk_key(index)

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Stored bytes of a chunk; None if not known cheaply."""
        return self._array.chunk_bytes(index)

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which storage chunks, shape (n, ndim), are not stored."""
        return self._array.missing_chunks(indices)


def cast(data: NDArray[np.generic], dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Convert voxels: rounded and clipped for integers, where NaN becomes 0.

    Parameters
    ----------
    data : ndarray, any shape
    dtype : np.dtype
        Of the result.
    """
    values: NDArray[Any] = data
    kind: np.dtype[Any] = dtype
    if kind.kind == "b":
        return np.asarray(values != 0)
    if kind.kind == "f" or values.dtype.kind == "b":
        return np.asarray(values.astype(kind))
    limits = np.iinfo(kind)
    if values.dtype.kind == "f":
        values, low, high = np.rint(values.astype(np.float64)), limits.min, limits.max
        if limits.bits == 64:
            # As floats the limits of 64 bits round up: stay one float inside.
            low, high = int(np.nextafter(low, 0.0)), int(np.nextafter(high, 0.0))
        values = np.nan_to_num(values, posinf=high, neginf=low)
    else:
        own = np.iinfo(values.dtype)
        low, high = max(limits.min, own.min), min(limits.max, own.max)
    return np.asarray(np.clip(values, low, high).astype(kind))
