"""Anything that can be sliced, behind the interface of a stored array.

What comes back is always a copy that no array shares, so a cache may own it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.sources.arrays.stored import chunk_slices, native
from brickfield.sources.limits.admission import admit
from brickfield.sources.protocol import StorageChunk

Fetch = Callable[[tuple[slice, ...]], Any]


class SlicedArray:
    """An array read by slicing; safe in threads when the array's slicing is.

    Parameters
    ----------
    shape, chunk_shape : tuple of int
    dtype : numpy.dtype
    fetch : callable
        Slices to something numpy can turn into an array.
    name : str
        Place in the list of levels, for messages.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        chunk_shape: tuple[int, ...],
        dtype: np.dtype[np.generic],
        fetch: Fetch,
        name: str,
    ) -> None:
        self.shape = shape
        self.chunk_shape = chunk_shape
        self.dtype = native(dtype)
        self._fetch = fetch
        self._name = name

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Slice one storage chunk out and copy it.

        Raises
        ------
        ChunkReadError
            If slicing the array fails or gives another shape.
        """
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        expected = tuple(s.stop - s.start for s in slices)
        admit(expected, self.dtype.itemsize, key=self.chunk_key(index))
        try:
            data = np.array(self._fetch(slices), dtype=self.dtype, order="C")
        except ChunkReadError:
            raise
        except Exception as error:  # an array of any library, so any error
            msg = f"the array refused to be sliced: {type(error).__name__}: {error}"
            raise ChunkReadError(msg, key=self.chunk_key(index)) from error
        if data.shape != expected:
            msg = f"expected {expected} voxels from the array; found {data.shape}"
            raise ChunkReadError(msg, key=self.chunk_key(index))
        return StorageChunk(data, data.nbytes)

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Level and index."""
        return "/".join([self._name, *map(str, index)])

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes of the chunk in memory."""
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        n = int(np.prod([s.stop - s.start for s in slices], dtype=np.int64))
        return n * self.dtype.itemsize

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Return False for all chunks, shape (n, ndim): all of an array in memory exists."""
        return np.zeros(len(indices), dtype=np.bool_)
