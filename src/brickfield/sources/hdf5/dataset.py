"""One HDF5 dataset behind the interface of a stored array.

Every call of the HDF5 library in this package happens under
:data:`~brickfield.sources.hdf5.handles.HDF5_LOCK`.
Only the raw bytes of a chunk are fetched under it; shuffle and deflate are undone
outside, so that threads decode in parallel. Datasets in one uncompressed piece are
read without the library. What remains (rare filters, compact and external data) is
read by the library under the lock.
"""

from __future__ import annotations

import os
from contextlib import suppress
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError, MissingExtraError
from brickfield.sources.arrays.contiguous import ContiguousArray
from brickfield.sources.arrays.stored import chunk_slices, native
from brickfield.sources.hdf5 import filters as hdf5_filters
from brickfield.sources.hdf5.handles import HDF5_LOCK, HeldObject
from brickfield.sources.limits.admission import admit, most_stored
from brickfield.sources.limits.inflation import check_inflation
from brickfield.sources.protocol import StorageChunk, StoredArray

MAX_INDEXED_CHUNKS = 1 << 18
"""A dataset with more storage chunks is asked for each one separately."""


class HDF5Dataset:
    """A chunked (or otherwise not plain) dataset; safe in threads.

    Parameters
    ----------
    dataset : h5py.Dataset
        Its file must stay open, or shared, while this is used.
    """

    def __init__(self, dataset: Any) -> None:
        self._index: NDArray[np.int64] | None = None
        self._index_of = 0
        with HDF5_LOCK:
            self._held = HeldObject(dataset)
            self.shape = tuple(int(n) for n in dataset.shape)
            self._stored = np.dtype(dataset.dtype)
            self._name = str(dataset.name)
            self._is_chunked = dataset.chunks is not None
            self._codes = [c for c, _ in hdf5_filters.filter_codes(dataset.id)]
            chunks = dataset.chunks
            self.fill_value = fill_value_of(dataset)
        self.dtype: np.dtype[np.generic] = native(self._stored)
        self.chunk_shape = (
            _made_up_chunks(self.shape) if chunks is None else tuple(chunks)
        )
        self._is_direct = self._is_chunked and hdf5_filters.is_understood(self._codes)

    @property
    def _dataset(self) -> Any:
        """The dataset, reopened where a writer had the file; under the lock."""
        dataset = self._held.get()
        if self._index_of != self._held.n_reopened:
            # Chunks may have been added.
            self._index, self._index_of = None, self._held.n_reopened
        return dataset

    @staticmethod
    def of(dataset: Any) -> StoredArray:
        """Wrap a dataset in the fastest reader that fits how it is stored."""
        with HDF5_LOCK:
            check_filters(dataset)
            offset = dataset.id.get_offset()
            is_plain = dataset.chunks is None and offset is not None
            path = Path(os.fsdecode(dataset.file.filename))
            is_plain = is_plain and dataset.ndim >= 2 and dataset.file.driver == "sec2"
            if not is_plain or dataset.external or dataset.is_virtual:
                return HDF5Dataset(dataset)
            shape = tuple(int(n) for n in dataset.shape)
            dtype = np.dtype(dataset.dtype)
            return ContiguousArray(
                path, offset, shape, dtype=dtype, name=str(dataset.name)
            )

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one storage chunk, cut at the far edges.

        Raises
        ------
        ChunkReadError
            If it cannot be read or decoded.
        """
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        key = self.chunk_key(index)
        self._admit(index, key)
        try:
            if not self._is_direct:
                return self._through_library(slices, index)
            with HDF5_LOCK:
                where = self._store_info(index)
                if where is None:
                    return StorageChunk(None, 0)
                offset = tuple(s.start for s in slices)
                mask, raw = self._dataset.id.read_direct_chunk(offset)
        except ChunkReadError:
            raise
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            msg = f"cannot read chunk {index} of {self._name}: {error}"
            raise ChunkReadError(msg, key=key) from error
        return StorageChunk(self._decoded(raw, mask, slices, key), len(raw))

    def _admit(self, index: tuple[int, ...], key: str) -> None:
        itemsize = self._stored.itemsize
        if not self._is_chunked:
            admit(self.chunk_shape, itemsize, key=key)
            return
        stored = self.chunk_bytes(index)
        if stored != 0:
            admit(self.chunk_shape, itemsize, stored, key=key)

    def _decoded(
        self, raw: bytes, mask: int, slices: tuple[slice, ...], key: str
    ) -> NDArray[np.generic]:
        itemsize = self._stored.itemsize
        size = prod(self.chunk_shape) * itemsize
        try:
            voxels = hdf5_filters.decode(
                raw, codes=self._codes, mask=mask, itemsize=itemsize, size=size
            )
        except ValueError as error:
            msg = f"cannot decode the chunk {key}: {error}"
            raise ChunkReadError(msg, key=key) from error
        whole = np.frombuffer(voxels, self._stored).reshape(self.chunk_shape)
        room = tuple(slice(s.stop - s.start) for s in slices)
        return np.ascontiguousarray(whole[room], dtype=self.dtype)

    def _check_inflation(self, slices: tuple[slice, ...], key: str) -> None:
        """Refuse a chunk that the library would inflate without end (locked)."""
        kind = hdf5_filters.compressor_of(self._codes)
        if kind is None:
            return
        offset = tuple(s.start for s in slices)
        mask, raw = self._dataset.id.read_direct_chunk(offset)
        if mask == 0:
            decoded = prod(self.chunk_shape) * self._stored.itemsize
            check_inflation(kind, raw, most_stored(decoded), key=key)

    def _through_library(
        self, slices: tuple[slice, ...], index: tuple[int, ...]
    ) -> StorageChunk:
        with HDF5_LOCK:
            n_bytes = None
            if self._is_chunked:
                where = self._store_info(index)
                if where is None:
                    return StorageChunk(None, 0)
                n_bytes = where
                self._check_inflation(slices, self.chunk_key(index))
            data = np.ascontiguousarray(self._dataset[slices], dtype=self.dtype)
        return StorageChunk(data, data.nbytes if n_bytes is None else n_bytes)

    def _store_info(self, index: tuple[int, ...]) -> int | None:
        """Stored bytes of a chunk, None when it is not allocated."""
        dataset = self._dataset  # first: it may forget the index
        if self._index is not None:
            n = int(self._index[index])
            return None if n < 0 else n
        offset = tuple(i * c for i, c in zip(index, self.chunk_shape, strict=True))
        info = dataset.id.get_chunk_info_by_coord(offset)
        return None if info.byte_offset is None else int(info.size)

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Path in the file and index."""
        return "/".join([self._name, *map(str, index)])

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one chunk, from the file's chunk index."""
        if not self._is_chunked:
            slices = chunk_slices(index, self.chunk_shape, self.shape)
            n_voxels = prod(s.stop - s.start for s in slices)
            return int(n_voxels * self._stored.itemsize)
        try:
            with HDF5_LOCK:
                return self._store_info(index) or 0
        except (OSError, RuntimeError, ValueError):
            return None

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which chunks, shape (n, ndim), are not allocated, from the file's chunk index."""
        if not self._is_chunked:
            return np.zeros(len(indices), dtype=np.bool_)
        try:
            with HDF5_LOCK:
                _ = self._dataset  # it may forget the index
                if self._index is None:
                    self._index = self._made_index()
                index = self._index
        except (OSError, RuntimeError, ValueError, KeyError):
            return None
        if index is None:
            return None
        return np.asarray(index[tuple(np.asarray(indices).T)] < 0)

    def _made_index(self) -> NDArray[np.int64] | None:
        grid = [ceil(n / c) for n, c in zip(self.shape, self.chunk_shape, strict=True)]
        if prod(grid) > MAX_INDEXED_CHUNKS:
            return None
        stored = np.full(grid, -1, dtype=np.int64)

        def note(info: Any) -> None:
            at = zip(info.chunk_offset, self.chunk_shape, strict=True)
            place = tuple(o // c for o, c in at)
            if all(i < n for i, n in zip(place, grid, strict=True)):
                stored[place] = info.size

        try:
            with HDF5_LOCK:
                self._dataset.id.chunk_iter(note)
        except (OSError, RuntimeError, ValueError, AttributeError):
            return None
        return stored


def check_filters(dataset: Any) -> None:
    """Make sure that the dataset's filters can be undone here.

    Raises
    ------
    MissingExtraError
        If a filter is neither built in nor provided by hdf5plugin.
    """
    import h5py

    with HDF5_LOCK:
        for code, name in hdf5_filters.filter_codes(dataset.id):
            if h5py.h5z.filter_avail(code):
                continue
            with suppress(ImportError):
                import hdf5plugin  # noqa: F401 - registers its filters
            if not h5py.h5z.filter_avail(code):
                msg = (
                    f"expected a filter known here for {dataset.name}; found"
                    f" {name or 'number'} ({code}): pip install hdf5plugin, or"
                    " rewrite the file with gzip"
                )
                raise MissingExtraError(msg)


def fill_value_of(dataset: Any) -> float | int:
    """Value of voxels that are not stored, 0 when the file does not say."""
    try:
        value = dataset.fillvalue
    except RuntimeError:
        return 0
    return 0 if value is None or np.ndim(value) else np.asarray(value).item()


def _made_up_chunks(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(1 if i < len(shape) - 3 else min(n, 64) for i, n in enumerate(shape))
