"""Arrays that a tensorstore driver decodes, with their axes reversed.

N5 and neuroglancer count axes x, y, z; here the last axis is always x. Where every
storage chunk has a key of its own, its stored bytes are fetched first and decoded
from memory, one memory store per thread: so the bytes asked for are known exactly
and nothing is asked for twice. Chunks inside shards are read by the driver itself,
and their bytes are told by the meter of the kind of store.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.arrays.stored import chunk_slices, native
from brickfield.sources.io.byte_meter import meter
from brickfield.sources.io.cancellation import result_of
from brickfield.sources.io.errors import chunk_failure, classify, is_absent
from brickfield.sources.io.http_objects import Fetched, body_of, is_plain_http
from brickfield.sources.io.in_flight import DECODED
from brickfield.sources.io.location import Location
from brickfield.sources.io.plain_files import read_whole
from brickfield.sources.io.presence import Presence
from brickfield.sources.io.store_files import shared_context
from brickfield.sources.limits.admission import admit, most_stored, read_bytes
from brickfield.sources.n5.precomputed_shards import HttpShards
from brickfield.sources.protocol import StorageChunk

KeyOf = Callable[["DriverArray", tuple[int, ...]], str]
"""Array and index (reversed axes) to the key of a chunk below the array's folder."""


class DriverArray:
    """One array of a tensorstore driver; safe in threads.

    Parameters
    ----------
    location : Location
        Folder of the metadata.
    spec : mapping
        Driver and its options, without the key-value store. With ``metadata`` the
        driver never reads a metadata file itself.
    folder : str
        Folder of the chunks below `location`, "" for the same; the driver must
        find it by itself.
    metadata : tuple of str and bytes, optional
        Name and content of the metadata file, unless `spec` has it.
    key_of : callable or None
        None for shards.
    decode : callable, optional
        Stored bytes to what the driver decodes; raises ValueError for damaged ones.
    suffix : str
        End of the names of chunk files that the driver does not know of.
    denied_is_missing : bool
        Take a server's refusal (HTTP 403) for "nothing is stored".
    shards : HttpShards, optional
        In which the chunks are that `key_of` names; `metadata` knows of no shards.

    Raises
    ------
    StoreFormatError
        If the driver cannot decode the array.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each trait of a format
        self,
        location: Location,
        spec: Mapping[str, Any],
        *,
        folder: str = "",
        metadata: tuple[str, bytes] | None = None,
        key_of: KeyOf | None,
        decode: Callable[[bytes], bytes] | None = None,
        suffix: str = "",
        denied_is_missing: bool = False,
        shards: HttpShards | None = None,
    ) -> None:
        self._location = location
        self._shards = shards
        self._denied_is_missing = denied_is_missing
        self._folder = folder
        local = location.local
        self._presence = Presence(None if local is None else local / folder)
        self._key_of = key_of
        self._metadata = metadata
        self._decode = decode
        self._suffix = suffix
        self._spec = dict(spec) | {"fill_missing_data_reads": False}
        if key_of is None:
            # Keeps shard indices, or every chunk would cost its index again.
            self._spec["cache_pool"] = {"total_bytes_limit": 64 << 20}
        self._own = threading.local()
        self._meter = meter(location.driver)
        self._requests = meter(location.driver, "read")
        if is_plain_http(location):
            # tensorstore would read metadata itself, and accept any answer.
            opened = self._in_memory()
        else:
            opened = self._opened(location.spec, shared_context())
        self._meter.take()
        self._direct = opened
        self.origin = tuple(int(n) for n in opened.domain.origin[::-1])
        self.shape = tuple(int(n) for n in opened.shape[::-1])
        self.dtype: np.dtype[np.generic] = native(np.dtype(opened.dtype.numpy_dtype))
        chunk = opened.chunk_layout.read_chunk.shape[::-1]
        self.chunk_shape = tuple(
            int(c) if c else n for c, n in zip(chunk, self.shape, strict=True)
        )

    def _opened(self, kvstore: Any, context: Any) -> Any:
        import tensorstore

        spec = self._spec | {"kvstore": kvstore, "recheck_cached_data": False}
        knows = "metadata" in spec
        try:
            return tensorstore.open(
                spec, context=context, open=True, read=True, assume_metadata=knows
            ).result()
        except (ValueError, OSError, OverflowError, TypeError) as error:
            found = classify(error).detail
            msg = f"expected a decodable array at {self._location.uri}; found: {found}"
            raise StoreFormatError(msg) from error

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one storage chunk, cut at the far edges.

        Raises
        ------
        ChunkReadError
            If it cannot be read or decoded.
        """
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        key, stored = self.chunk_key(index), self.chunk_bytes(index)
        admit(self.chunk_shape, self.dtype.itemsize, stored, key=key)
        try:
            if self._key_of is None:
                self._requests.settle()
                with self._requests.reading():
                    data = self._decoded(self._direct, slices)
                    n_requests = self._requests.take()
                return StorageChunk(data, self._meter.take(), requests=n_requests)
            with self._stored(index) as (body, n):
                if body.raw is None:
                    self._presence.expect(key, self._file(index))
                    return StorageChunk(None, body.n_bytes, requests=n)
                raw = body.raw
                plain = raw if self._decode is None else self._decode(raw)
                data = self._from_memory(plain, index, slices)
                return StorageChunk(data, body.n_bytes, requests=n)
        except ChunkReadError:
            raise
        except (ValueError, OSError) as error:
            found = classify(error)
            if is_absent(found, denied_is_missing=self._denied_is_missing):
                self._presence.expect(key, self._file(index))
                return StorageChunk(None, 0)
            raise chunk_failure(found, key, self._location.uri) from error

    @contextmanager
    def _stored(self, index: tuple[int, ...]) -> Iterator[tuple[Fetched, int]]:
        """Stored bytes of a chunk, None when nothing is, and the requests for them."""
        key = self.chunk_key(index) + self._suffix
        decoded = prod(self.chunk_shape) * self.dtype.itemsize
        most = most_stored(decoded)
        if is_plain_http(self._location):
            if self._shards is None:
                body = _in_one_request(body_of(self._location, key, most))
            else:
                body = self._shards.chunk(*self._grid_place(index), most)
            with body as found, DECODED.room(read_bytes(decoded)):
                yield found
            return
        local = self._location.local
        raw = self._asked(key) if local is None else _of_file(local / key, most, key)
        yield Fetched(raw, len(raw or b"")), 1

    def _grid_place(self, index: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """Return the place of a chunk, and the chunks along each axis, x, y, z."""
        grid = [-(-n // c) for n, c in zip(self.shape, self.chunk_shape, strict=True)]
        return list(index[:-4:-1]), grid[:-4:-1]

    def _asked(self, key: str) -> bytes | None:
        if not hasattr(self._own, "store"):
            import tensorstore

            self._own.store = tensorstore.KvStore.open(
                self._location.spec, context=shared_context()
            ).result()
        found = result_of(self._own.store.read(key))
        if found.state != "value":
            return None
        raw: bytes = found.value
        self._meter.exclude(len(raw))
        return raw

    def _from_memory(
        self, raw: bytes, index: tuple[int, ...], slices: tuple[slice, ...]
    ) -> NDArray[np.generic]:
        array = self._in_memory()
        key = self.chunk_key(index)
        self._own.bytes.write(key, raw).result()
        try:
            return self._decoded(array, slices)
        finally:
            self._own.bytes.write(key, None).result()

    def _in_memory(self) -> Any:
        """Return this thread's array, whose chunks are written to its memory first."""
        if not hasattr(self._own, "array"):
            import tensorstore

            context = tensorstore.Context()
            memory = {"driver": "memory"}
            self._own.bytes = tensorstore.KvStore.open(memory, context=context).result()
            if self._metadata is not None:
                self._own.bytes.write(*self._metadata).result()
            self._own.array = self._opened(memory, context)
        return self._own.array

    def _decoded(self, array: Any, slices: tuple[slice, ...]) -> NDArray[np.generic]:
        region = tuple(
            slice(s.start + o, s.stop + o)
            for s, o in zip(slices, self.origin, strict=True)
        )
        data = result_of(array[region[::-1]].read())
        return np.array(data.T, dtype=self.dtype, order="C", copy=True)

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Key below the metadata, or folder and index of a chunk inside a shard."""
        if self._key_of is None:
            inside = "/".join(map(str, index))
        else:
            inside = self._key_of(self, index)
        return f"{self._folder}/{inside}".lstrip("/")

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Size of the chunk's file when it is local."""
        file = self._file(index)
        if file is None:
            return None
        try:
            return file.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError:
            return None

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which chunks, shape (n, ndim), have no file; None where it is remote."""
        root = self._location.local
        if self._key_of is None or root is None:
            return None
        if self._presence.is_gone:
            return None
        found = np.asarray(indices).tolist()
        files = (root / (self.chunk_key(tuple(i)) + self._suffix) for i in found)
        return np.array([self._is_absent(file) for file in files], dtype=np.bool_)

    def _is_absent(self, file: Path) -> bool:
        # What cannot be looked at, as links in a circle, is left to the read to tell.
        if os.path.exists(file):  # noqa: PTH110 - Path.exists raises for such links
            return False
        return self._presence.broken_link(file) is None

    def _file(self, index: tuple[int, ...]) -> Path | None:
        """Where a chunk lies on this machine; None where it lies elsewhere."""
        root = self._location.local
        if self._key_of is None or root is None:
            return None
        return root / (self.chunk_key(index) + self._suffix)

    def edges(self, index: tuple[int, ...]) -> list[tuple[int, int]]:
        """First and past-the-last voxel of a chunk along every axis, with origin."""
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        return [
            (s.start + o, s.stop + o) for s, o in zip(slices, self.origin, strict=True)
        ]


@contextmanager
def _in_one_request(
    body: AbstractContextManager[Fetched],
) -> Iterator[tuple[Fetched, int]]:
    with body as found:
        yield found, 1


def _of_file(path: Path, most: int, key: str) -> bytes | None:
    try:
        return read_whole(path, most)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        msg = f"PERMISSION_DENIED: {error.strerror}"
        raise ValueError(msg) from error
    except StoreFormatError as error:
        raise ChunkReadError(str(error), key=key) from error
