"""One zarr array, read by tensorstore in whole storage chunks.

A read requests exactly one unit of decoding (the inner chunk of a
shard) and ends in one of three ways: voxels, "nothing is stored", or a
:class:`~brickfield.errors.ChunkReadError` with a sentence. Opening costs no
input or output, because the metadata has been read before.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError
from brickfield.sources.arrays.stored import chunk_slices
from brickfield.sources.io.byte_meter import meter
from brickfield.sources.io.cancellation import result_of
from brickfield.sources.io.errors import classify
from brickfield.sources.io.http_objects import is_plain_http
from brickfield.sources.io.location import Location
from brickfield.sources.io.plain_files import (
    open_regular,
    plain_chunk,
    read_exactly,
)
from brickfield.sources.io.store_files import shared_context
from brickfield.sources.limits.admission import admit, most_stored
from brickfield.sources.limits.inflation import HEADER_BYTES, check_inflation
from brickfield.sources.protocol import StorageChunk
from brickfield.sources.zarr.http_chunks import HttpChunks
from brickfield.sources.zarr.metadata import ZarrArrayMeta
from brickfield.sources.zarr.shard_index import ShardIndices
from brickfield.sources.zarr.stored_objects import StoredObjects


class TensorStoreArray:
    """One array. All methods may be called from any thread.

    Parameters
    ----------
    location : Location
        The array's folder.
    meta : ZarrArrayMeta
    denied_is_missing : bool
        Take a refusal (HTTP 403) for "nothing is stored".

    Raises
    ------
    StoreFormatError
        If tensorstore cannot decode such an array.
    """

    def __init__(
        self,
        location: Location,
        meta: ZarrArrayMeta,
        *,
        denied_is_missing: bool = False,
    ) -> None:
        self.shape = meta.shape
        self.dtype = meta.dtype
        self.fill_value = meta.fill_value
        self._meta = meta
        self._location = location
        self._store = self._open(location.spec, shared_context(), meta.metadata)
        layout = self._store.chunk_layout.read_chunk.shape
        self.chunk_shape = tuple(
            int(c or n) for c, n in zip(layout, meta.shape, strict=True)
        )
        self._per_file = tuple(
            f // c for f, c in zip(meta.file_shape, self.chunk_shape, strict=True)
        )
        self._is_sharded = (
            self.chunk_shape != meta.file_shape or meta.shards is not None
        )
        self._http: HttpChunks | None = None
        if is_plain_http(location):
            self._http = HttpChunks(location, meta, self._open)
        self._objects = StoredObjects(
            location, meta, denied_is_missing=denied_is_missing
        )
        has_files = self._objects.folder is not None
        self._indices = ShardIndices(meta.shards) if meta.shards and has_files else None
        self._meter = meter(location.driver)
        self._meter.settle()
        self._lock = Lock()
        self._known_shards: set[tuple[int, ...]] = set()

    def _open(self, kvstore: Any, context: Any, metadata: dict[str, Any]) -> Any:
        import tensorstore as ts

        spec: dict[str, Any] = {
            "driver": "zarr" if self._meta.zarr_format == 2 else "zarr3",
            "kvstore": kvstore,
            "metadata": metadata,
            "recheck_cached_data": False,
            "fill_missing_data_reads": False,
        }
        if self._meta.is_sharded and metadata is self._meta.metadata:
            spec["cache_pool"] = {"total_bytes_limit": _pool_bytes(self._meta)}
        try:
            return ts.open(
                spec, context=context, open=True, assume_metadata=True, read=True
            ).result()
        except (ValueError, OverflowError, TypeError) as exc:
            detail = classify(exc).detail
            msg = f"expected a zarr array at {self._location.uri}; found: {detail}"
            raise StoreFormatError(msg) from exc

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one storage chunk, cut at the array's far edges.

        Raises
        ------
        ChunkReadError
        """
        region = chunk_slices(index, self.chunk_shape, self.shape)
        known = self._admitted(index)
        if known == 0:
            self._expect_nothing(index)
            return StorageChunk(None, 0)
        try:
            found = self._read(index, region, known)
        except ValueError as exc:
            error = classify(exc)
            if self._objects.is_absent(error):
                self._expect_nothing(index)
                return StorageChunk(None, 0, requests=self._n_requests(index, 0))
            raise self._objects.failure(error, self.chunk_key(index)) from exc
        if found.data is None:
            self._expect_nothing(index)
        return found

    def _expect_nothing(self, index: tuple[int, ...]) -> None:
        file = self._file_of(index)
        self._objects.expect_nothing(file, self.chunk_key(index))

    def _n_requests(self, index: tuple[int, ...], n_data: int) -> int:
        """Count the reads for a chunk: with the shard's index where that is first read.

        Of a chunk that is not stored only the index is read, or the lack of its file.
        """
        if not self._is_sharded:
            return 1
        shard = self._file_of(index)
        with self._lock:
            is_first = shard not in self._known_shards
            self._known_shards.add(shard)
        n_own = self._indices.take_reads() if self._indices else 0
        return n_data + is_first + n_own

    def _read(
        self, index: tuple[int, ...], region: tuple[slice, ...], known: int | None
    ) -> StorageChunk:
        if self._http is not None:
            return self._http.read(index, self._file_of(index), region)
        with self._meter.reading():
            data = result_of(self._store[region].read())
            n_bytes = self._count(known)
        return StorageChunk(data, n_bytes, requests=self._n_requests(index, 1))

    def _admitted(self, index: tuple[int, ...]) -> int | None:
        """Stored bytes as far as known; refuse what does not fit or is no file."""
        key = self.chunk_key(index)
        shards = self._meta.shards
        if shards is not None:
            admit((shards.n_inner,), 16, key=f"{key}, index of the shard")
        path, known = self._look_at(index, key)
        if known != 0 and path is not None and self._meta.has_blosc:
            with plain_chunk(path, key):
                self._check_blosc(path, index, key)
        admit(self.chunk_shape, self.dtype.itemsize, known, key=key)
        return known

    def _look_at(
        self, index: tuple[int, ...], key: str
    ) -> tuple[Path | None, int | None]:
        """Return the file that a chunk lies in, and how many bytes are stored for it."""
        file = self._file_of(index)
        if not self._is_sharded:
            return self._objects.regular_size(file, key)
        known = self.chunk_bytes(index)
        path = None if known == 0 else self._objects.regular_file(file, key)
        return path, known

    def _check_blosc(self, path: Path, index: tuple[int, ...], key: str) -> None:
        """Refuse a chunk whose own header states more than its voxels take."""
        start: int | None = 0
        if self._is_sharded:
            place = int(self._place(np.array([index]))[0])
            start = self._indices.offset(path, place) if self._indices else None
        if start is None:
            return
        with open_regular(path) as file:
            file.seek(start)
            head = read_exactly(file, HEADER_BYTES)
        decoded = prod(self.chunk_shape) * self.dtype.itemsize
        check_inflation("blosc", head, most_stored(decoded), key=key)

    def _count(self, known: int | None) -> int:
        """Bytes of the read just done: the file's, or what was asked of the store."""
        if known is None or self._is_sharded:
            return self._meter.take()
        self._meter.exclude(known)
        return known

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name in the store; with the place inside the shard where there is one."""
        key = self._objects.key(self._file_of(index))
        if not self._is_sharded:
            return key
        inside = [i % n for i, n in zip(index, self._per_file, strict=True)]
        return f"{key}[{','.join(map(str, inside))}]"

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Stored bytes of a chunk, 0 when missing; None if not known cheaply."""
        file = self._file_of(index)
        if not self._is_sharded:
            return self._objects.n_bytes(file)
        return self._objects.n_bytes(file, lambda path: self._length(path, index))

    def _length(self, path: Path, index: tuple[int, ...]) -> int | None:
        """Stored bytes of a chunk inside a shard, 0 when missing; None if not known."""
        lengths = self._indices.lengths(path) if self._indices else None
        if lengths is None:
            return None
        return max(0, int(lengths[self._place(np.array([index]))[0]]))

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which chunks, shape (n, ndim), are not stored; None for a remote array."""
        indices = np.asarray(indices, dtype=np.int64).reshape(-1, len(self.shape))
        files = indices // np.array(self._per_file, dtype=np.int64)
        absent = self._objects.absent(files)
        if absent is None or self._indices is None or absent.all():
            return absent
        rows = np.flatnonzero(~absent)
        own, which = np.unique(files[rows], axis=0, return_inverse=True)
        places = self._place(indices[rows])
        for i, file in enumerate(own):
            path = self._objects.path(tuple(file.tolist()))
            assert path is not None
            in_file = which.reshape(-1) == i
            try:
                lengths = self._indices.lengths(path)
            except FileNotFoundError:
                # A link to nothing is no absent shard: its read has to fail.
                absent[rows[in_file]] = not path.is_symlink()
                continue
            if lengths is not None:
                absent[rows[in_file]] = lengths[places[in_file]] < 0
        return absent

    def _file_of(self, index: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(i // n for i, n in zip(index, self._per_file, strict=True))

    def _place(self, indices: NDArray[np.int64]) -> NDArray[np.intp]:
        """Positions in their shard's index, C order."""
        inside = indices % np.array(self._per_file, dtype=np.int64)
        return np.asarray(np.ravel_multi_index(tuple(inside.T), self._per_file))


def _pool_bytes(meta: ZarrArrayMeta) -> int:
    """Room for the indices of the shards in view beside a few decoded chunks.

    Without it every inner chunk would cost its shard's whole index again. Decoded
    chunks pass through the same pool, but indices are used at every read and stay.
    """
    index = meta.shards.index_bytes if meta.shards else 1 << 20
    chunk = prod(meta.chunk_shape) * meta.dtype.itemsize
    return min(64 << 20, max(4 << 20, 128 * index + 4 * chunk))
