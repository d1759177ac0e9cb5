"""One zarr array that tensorstore cannot decode, through zarr-python.

zarr-python fills in missing chunks silently, and its blosc codec crashes the
interpreter on a truncated one (zarr-developers/numcodecs#228). So the stored
bytes are read first and looked at, and only bytes that can be decoded are given
to zarr-python, as the single object of a store in memory. A shard is read and
decoded whole.
"""

from __future__ import annotations

import json
import struct
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import prod
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import (
    ChunkReadError,
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreUnreachableError,
)
from brickfield.sources.arrays.stored import chunk_slices
from brickfield.sources.io.errors import (
    WEB_PAGE,
    ReadError,
    classify,
    looks_like_a_page,
)
from brickfield.sources.io.http_objects import body_of, is_plain_http
from brickfield.sources.io.in_flight import DECODED
from brickfield.sources.io.location import Location
from brickfield.sources.io.store_files import read_many
from brickfield.sources.limits.admission import admit, most_stored, read_bytes
from brickfield.sources.limits.inflation import check_inflation
from brickfield.sources.protocol import StorageChunk
from brickfield.sources.zarr.metadata import ZarrArrayMeta
from brickfield.sources.zarr.shard_index import decode_index
from brickfield.sources.zarr.stored_objects import StoredObjects

_BLOSC_HEADER = 16
_CHECKSUMS = ("crc32c", "crc32", "adler32", "fletcher32")
WIDENING = 8
"""How many times wider filters may store a voxel: 8 bytes for one."""


class ZarrPythonArray:
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
        If zarr-python cannot decode such an array either.
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
        self.chunk_shape = meta.file_shape
        self._meta = meta
        self._most = most_stored(WIDENING * prod(meta.file_shape) * meta.dtype.itemsize)
        self._location = location
        self._objects = StoredObjects(
            location, meta, denied_is_missing=denied_is_missing
        )
        self._memory: dict[str, Any] = {}
        # zarr-python decodes on one event loop anyway, so a lock costs little.
        self._lock = Lock()
        self._array = self._open()

    def _open(self) -> Any:
        import zarr
        from zarr.core.buffer import default_buffer_prototype
        from zarr.storage import MemoryStore

        self._buffer = default_buffer_prototype().buffer
        name = "zarr.json" if self._meta.zarr_format == 3 else ".zarray"
        raw = json.dumps(self._meta.stored).encode()
        self._memory[name] = self._buffer.from_bytes(raw)
        try:
            # Codecs outside the v3 specification are the reason to be here.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return zarr.open_array(MemoryStore(self._memory), mode="r")
        except Exception as exc:
            msg = (
                f"expected codecs that tensorstore or zarr-python can decode at"
                f" {self._location.uri}; found: {_one_line(exc)}"
            )
            raise StoreFormatError(msg) from exc

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one stored object, cut at the array's far edges.

        Raises
        ------
        ChunkReadError
        """
        region = chunk_slices(index, self.chunk_shape, self.shape)
        key, known = self.chunk_key(index), self.chunk_bytes(index)
        if known == 0:
            self._objects.expect_nothing(index, key)
            return StorageChunk(None, 0)
        self._objects.regular_file(index, key)
        self._admit(index, known)
        with self._stored(index) as raw:
            if raw is None:
                self._objects.expect_nothing(index, key)
                return StorageChunk(None, 0)
            return StorageChunk(self._decoded(raw, index, region), len(raw))

    def _decoded(
        self, raw: bytes, index: tuple[int, ...], region: tuple[slice, ...]
    ) -> NDArray[np.generic]:
        self._check_inflation(raw, self.chunk_key(index))
        reason = self._damage(raw)
        if reason:
            raise self._failure(index, reason)
        key = self._meta.file_key(index)
        with self._lock:
            self._memory[key] = self._buffer.from_bytes(raw)
            try:
                data = np.asarray(self._array[region])
            except Exception as exc:
                raise self._failure(index, _one_line(exc)) from exc
            finally:
                del self._memory[key]
        return data.astype(self.dtype, copy=False)

    @contextmanager
    def _stored(self, index: tuple[int, ...]) -> Iterator[bytes | None]:
        """Stored bytes of a chunk, with room for them while they are decoded."""
        if not is_plain_http(self._location):
            yield self._read(index)
            return
        with ExitStack() as stack:
            try:
                body = body_of(self._location, self._meta.file_key(index), self._most)
                raw = stack.enter_context(body).raw
                if looks_like_a_page(raw or b""):
                    raise ValueError(WEB_PAGE)
            except ValueError as exc:
                error = classify(exc)
                if not self._objects.is_absent(error):
                    raise self._objects.failure(error, self.chunk_key(index)) from exc
                raw = None
            decoded = self._widened() * prod(self.chunk_shape) * self.dtype.itemsize
            stack.enter_context(DECODED.room(read_bytes(decoded)))
            yield raw

    def _read(self, index: tuple[int, ...]) -> bytes | None:
        name, key = self._meta.file_key(index), self.chunk_key(index)
        denied = self._objects.denied_is_missing
        try:
            return read_many(
                self._location,
                [name],
                denied_is_missing=denied,
                limit=self._most,
                page_is_missing=False,
            )[name]
        except StoreUnreachableError as exc:
            raise ChunkReadError(str(exc), is_transient=True, key=key) from exc
        except (StoreAccessError, StoreFormatError, StoreNotFoundError) as exc:
            raise ChunkReadError(str(exc), key=key) from exc

    def _admit(self, index: tuple[int, ...], stored: int | None) -> None:
        """Refuse what does not fit into memory; filters may widen the voxels."""
        admit(
            self.chunk_shape,
            self.dtype.itemsize,
            stored,
            key=self.chunk_key(index),
            widening=self._widened(),
        )

    def _widened(self) -> int:
        return WIDENING if self._meta.stored.get("filters") else 1

    def _failure(self, index: tuple[int, ...], detail: str) -> ChunkReadError:
        error = ReadError("corrupt", detail)
        return self._objects.failure(error, self.chunk_key(index))

    def _check_inflation(self, raw: bytes, key: str) -> None:
        """Refuse a chunk whose outermost compressor gives too much."""
        kind = _outermost(self._meta)
        if kind is not None:
            decoded = prod(self.chunk_shape) * self.dtype.itemsize
            most = most_stored(decoded * WIDENING)
            check_inflation(kind, raw, most, key=key)

    def _damage(self, raw: bytes) -> str | None:
        """Say what makes stored bytes unfit for a decoder that trusts them."""
        if not raw:
            return "the chunk's file is empty"
        names = set(_codec_names(self._meta.stored))
        if "blosc" not in names:
            return None
        if not any("shard" in name for name in names):
            return None if _is_whole_blosc(raw) else "the blosc data is truncated"
        if self._meta.shards is None:
            return "blosc inside shards of this kind cannot be decoded safely"
        return self._damage_in_shard(raw)

    def _damage_in_shard(self, raw: bytes) -> str | None:
        shards = self._meta.shards
        assert shards is not None
        size = shards.index_bytes
        part = raw[-size:] if shards.is_at_end else raw[:size]
        index = decode_index(part, shards, len(raw))
        if index is None:
            return "the shard's index is damaged"
        for start, length in index.tolist():
            inner = raw[start : start + length]
            if start + length <= len(raw) and not _is_whole_blosc(inner):
                return "the blosc data is truncated"
        return None

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name in the store."""
        return self._objects.key(index)

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Stored bytes of a chunk, 0 when missing; None if not known cheaply."""
        return self._objects.n_bytes(index)

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which chunks, shape (n, ndim), have no object; None for a remote array."""
        return self._objects.absent(indices)


def _outermost(meta: ZarrArrayMeta) -> str | None:
    """Name of the codec that stored bytes are first given to."""
    if meta.zarr_format == 2:
        filters = meta.stored.get("filters") or []
        chain = [*filters, meta.stored.get("compressor")]
        names = [c.get("id") for c in chain if isinstance(c, dict)]
    else:
        chain = meta.stored["codecs"]
        names = [c.get("name") if isinstance(c, dict) else c for c in chain]
    kept = [str(n).rpartition(".")[2] for n in names]
    kept = [n for n in kept if n not in _CHECKSUMS]
    return kept[-1] if kept else None


def _codec_names(value: Any) -> list[str]:
    """Names of all codecs anywhere in array metadata, without their family."""
    if isinstance(value, dict):
        own = [str(value[k]) for k in ("id", "name") if isinstance(value.get(k), str)]
        deeper = [n for v in value.values() for n in _codec_names(v)]
        return [n.rpartition(".")[2] for n in own] + deeper
    if isinstance(value, list):
        return [n for v in value for n in _codec_names(v)]
    return []


def _is_whole_blosc(raw: bytes) -> bool:
    """Whether a blosc header's length is that of the data after it."""
    if len(raw) < _BLOSC_HEADER:
        return False
    (length,) = struct.unpack_from("<I", raw, 12)
    return bool(_BLOSC_HEADER <= length <= len(raw))


def _one_line(exc: Exception) -> str:
    text = " ".join(str(exc).split()) or type(exc).__name__
    return text if len(text) <= 300 else text[:299] + "…"
