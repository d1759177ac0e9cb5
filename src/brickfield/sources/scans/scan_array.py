"""A scan as the readers of images see it: one stored array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import ThreadBuffers
from brickfield.sources.arrays.stored import chunk_slices
from brickfield.sources.limits.admission import admit
from brickfield.sources.protocol import StorageChunk
from brickfield.sources.scans.frame_stack import ScanData


class ScanArray:
    """A scan as one stored array, one storage chunk per pattern; safe in threads.

    Parameters
    ----------
    data : ScanData
    name : str
        For messages.
    """

    def __init__(self, data: ScanData, name: str) -> None:
        self.shape: tuple[int, ...] = data.shape
        self.dtype = data.dtype
        self.chunk_shape: tuple[int, ...] = (1, 1, *data.shape[2:])
        self._data, self._name = data, name
        self._buffers = ThreadBuffers()

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read the pattern at a position of the scan."""
        ys, xs, _, _ = chunk_slices(index, self.chunk_shape, self.shape)
        key = self.chunk_key(index)
        admit(self.chunk_shape, self.dtype.itemsize, key=key)
        found = self._data.view(ys, xs, self._buffers)
        data = np.array(found, self.dtype, order="C")
        return StorageChunk(data, self._data.stored_frame_bytes)

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name and index."""
        return "/".join([self._name, *map(str, index)])

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes of a pattern in its file."""
        chunk_slices(index, self.chunk_shape, self.shape)
        return self._data.stored_frame_bytes

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Return False for all chunks, shape (n, ndim): a scan is complete."""
        return np.zeros(len(indices), dtype=np.bool_)
