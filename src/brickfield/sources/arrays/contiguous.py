"""Arrays that lie in a file in one uncompressed piece, C order.

No library is involved in a read: the file is opened for each read and closed at
once, so nothing has to be closed, no lock is shared and a file that was cut off
meanwhile is an error (a memory map of it would end the process).
"""

from __future__ import annotations

import os
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.arrays.stored import chunk_slices, native
from brickfield.sources.io.plain_files import open_regular
from brickfield.sources.limits.admission import admit
from brickfield.sources.protocol import StorageChunk

CHUNK_EDGE = 64
MAX_CHUNK_BYTES = 32 << 20


class ContiguousArray:
    """A C-ordered array at an offset of a file; safe in threads.

    Storage chunks are made up: whole rows, 64 of them, and as many planes of those
    as fit in 32 MiB, at most 64. One read is then one piece of the file per plane.

    Parameters
    ----------
    path : Path
    offset : int
        Byte of the first voxel.
    shape : tuple of int
        Two or more axes.
    dtype : numpy.dtype
        As stored, with its byte order.
    name : str
        For messages.
    depth_axis : int or None
        Axis along which planes are put together to one storage chunk; None: every plane
        is one, so that a file that was cut off gives the planes before its end.
    """

    def __init__(
        self,
        path: Path,
        offset: int,
        shape: tuple[int, ...],
        *,
        dtype: np.dtype[np.generic],
        name: str = "",
        depth_axis: int | None = -3,
    ) -> None:
        self.shape = shape
        self.dtype = native(dtype)
        self.chunk_shape = _row_chunks(shape, dtype.itemsize, depth_axis)
        self._path = path
        self._offset = offset
        self._stored = dtype
        self._name = name or path.name

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read one storage chunk, plane by plane.

        Raises
        ------
        ChunkReadError
            If the file is shorter, damaged or cannot be read.
        """
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        *lead, rows, _ = slices
        size = tuple(s.stop - s.start for s in slices)
        admit(size, self._stored.itemsize, key=self.chunk_key(index))
        data = np.empty((prod(size[:-2]), *size[-2:]), dtype=self._stored)
        strides = _byte_strides(self.shape, self._stored.itemsize)
        try:
            with open_regular(self._path) as file:
                for plane, at in zip(data, np.ndindex(*size[:-2]), strict=True):
                    start = self._offset + rows.start * strides[-2]
                    for axis, (part, i) in enumerate(zip(lead, at, strict=True)):
                        start += (part.start + i) * strides[axis]
                    file.seek(start, os.SEEK_SET)
                    self._fill(file, plane, self.chunk_key(index))
        except ChunkReadError:
            raise
        except StoreFormatError as error:
            raise ChunkReadError(str(error), key=self.chunk_key(index)) from error
        except OSError as error:
            msg = f"cannot read {self._path}: {error.strerror or error}"
            raise ChunkReadError(msg, key=self.chunk_key(index)) from error
        data = data.reshape(size).astype(self.dtype, copy=False)
        return StorageChunk(data, data.nbytes)

    def _fill(self, file: Any, plane: NDArray[np.generic], key: str) -> None:
        view = plane.reshape(-1).view(np.uint8).data
        done = 0
        while done < len(view):
            n = file.readinto(view[done:])
            if not n:
                msg = (
                    f"expected {len(view)} bytes of voxels in {self._path}; the file"
                    f" ends after {done}: it was cut off"
                )
                raise ChunkReadError(msg, key=key)
            done += n

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name and index."""
        return "/".join([self._name, *map(str, index)])

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes of the chunk in the file."""
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        return int(prod(s.stop - s.start for s in slices)) * self._stored.itemsize

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Return False for all chunks, shape (n, ndim): the array is one piece."""
        return np.zeros(len(indices), dtype=np.bool_)


def _row_chunks(
    shape: tuple[int, ...], itemsize: int, depth_axis: int | None
) -> tuple[int, ...]:
    *lead, n_rows, row = shape
    rows = max(1, min(CHUNK_EDGE, n_rows, MAX_CHUNK_BYTES // (row * itemsize)))
    chunk = [1] * len(lead) + [rows, row]
    axis = None if depth_axis is None else depth_axis % len(shape)
    if axis is not None and axis < len(lead):
        planes = max(1, min(CHUNK_EDGE, MAX_CHUNK_BYTES // (rows * row * itemsize)))
        planes = 1 << (planes.bit_length() - 1)
        chunk[axis] = min(planes, shape[axis])
    return tuple(chunk)


def _byte_strides(shape: tuple[int, ...], itemsize: int) -> list[int]:
    return [prod(shape[axis + 1 :]) * itemsize for axis in range(len(shape))]
