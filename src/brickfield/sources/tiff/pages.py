"""One level of a TIFF series behind the interface of a stored array.

A storage chunk is a tile where pages are tiled, or a strip of a very large page,
else a whole page. Stored bytes are read without a shared file position and decoded
by tifffile outside any lock. Segments that the file does not have (no bytes, no
page) are missing; segments that lie beyond the end of the file are failures.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError, StoreFormatError
from brickfield.sources.arrays.stored import chunk_slices, native
from brickfield.sources.io.plain_files import open_regular, read_exactly
from brickfield.sources.limits.admission import admit, most_stored
from brickfield.sources.limits.inflation import check_inflation
from brickfield.sources.protocol import StorageChunk

MAX_PAGE_BYTES = 32 << 20
"""A striped page larger than this is read strip by strip."""


_COMPRESSORS = {8: "zlib", 32946: "zlib", 34925: "lzma", 50000: "zstd", 34926: "zstd"}
"""Those of TIFF's compressions that decompressors do not bound."""


class TiffPages:
    """Pages of one level; safe in threads.

    Parameters
    ----------
    level : tifffile.TiffPageSeries
    name : str
        For messages.
    lock : threading.RLock
        Of the file, held while pages are looked up.
    absent : sequence of str
        Files that hold pages and are not there: a page that is not found is then a
        failure, not a page that was never written.

    Raises
    ------
    StoreFormatError
        If the pages do not make up the level's shape.
    """

    def __init__(
        self,
        level: Any,
        name: str,
        lock: threading.RLock,
        *,
        absent: Sequence[str] = (),
    ) -> None:
        self._absent = tuple(absent)
        self._level = level
        self._keyframe = level.keyframe
        self._name = name
        self._lock = lock
        self.shape = tuple(int(n) for n in level.shape)
        self.dtype: np.dtype[np.generic] = native(np.dtype(level.dtype))
        page_shape = tuple(int(n) for n in self._keyframe.shape)
        self._n_lead = len(self.shape) - len(page_shape)
        lead = self.shape[: self._n_lead]
        has_pages = self._n_lead >= 0 and self.shape[self._n_lead :] == page_shape
        # Fewer pages: the file was cut off, and what is there is still worth seeing.
        if not has_pages or not 0 < len(level) <= prod(lead):
            msg = (
                f"expected {prod(lead)} pages for the shape {self.shape} of {name};"
                f" found {len(level)} of shape {page_shape}"
            )
            raise StoreFormatError(msg)
        chunk = self._segment_shape(page_shape)
        self._is_whole = chunk is None
        self.chunk_shape = (1,) * self._n_lead + (chunk or page_shape)

    def _segment_shape(self, page_shape: tuple[int, ...]) -> tuple[int, ...] | None:
        """Shape of tiles or strips when those are the storage chunks."""
        page = self._keyframe
        n_bytes = prod(page_shape) * self.dtype.itemsize
        chunks = tuple(int(n) for n in page.chunks)
        is_split = page.is_tiled or n_bytes > MAX_PAGE_BYTES
        if page.is_contiguous or not is_split or len(chunks) != len(page_shape):
            return None
        if chunks == page_shape or 0 in chunks:
            return None
        return tuple(min(c, n) for c, n in zip(chunks, page_shape, strict=True))

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one page, tile or strip.

        Raises
        ------
        ChunkReadError
            If it cannot be read or decoded.
        """
        slices = chunk_slices(index, self.chunk_shape, self.shape)
        key = self.chunk_key(index)
        try:
            page = self._page(index)
            if page is None:
                self._fail_if_absent(key)
                return StorageChunk(None, 0)
            wanted = self._segments(page, index)
            parts = [(i, page.dataoffsets[i], page.databytecounts[i]) for i in wanted]
            stored = sum(n for _, _, n in parts)
            if stored == 0:
                return StorageChunk(None, 0)
            admit(self.chunk_shape, self.dtype.itemsize, stored, key=key)
            raws = self._read(Path(page.parent.filehandle.path), parts, key)
            self._check_inflation(raws, key)
            data = self._assembled(page, raws)
        except ChunkReadError:
            raise
        except Exception as error:  # a codec of tifffile, so any error
            msg = f"cannot decode {key}: {error}"
            raise ChunkReadError(msg, key=key) from error
        size = tuple(s.stop - s.start for s in slices)
        if data.size != prod(size):
            msg = f"expected {prod(size)} voxels in {key}; found {data.size}"
            raise ChunkReadError(msg, key=key)
        whole = np.ascontiguousarray(data.reshape(size), dtype=self.dtype)
        return StorageChunk(whole, stored)

    def _fail_if_absent(self, key: str) -> None:
        if self._absent:
            msg = (
                f"expected {key} in {', '.join(self._absent[:3])}; found no such file:"
                " put it beside the others"
            )
            raise ChunkReadError(msg, key=key)

    def _page(self, index: tuple[int, ...]) -> Any:
        lead = index[: self._n_lead]
        number = 0
        for i, n in zip(lead, self.shape, strict=False):
            number = number * n + i
        if number >= len(self._level):
            key = self.chunk_key(index)
            msg = (
                f"expected {prod(self.shape[: self._n_lead])} pages; found"
                f" {len(self._level)} and none for {key}: the file is truncated"
            )
            raise ChunkReadError(msg, key=key)
        with self._lock:
            return self._level[number]

    def _segments(self, page: Any, index: tuple[int, ...]) -> list[int]:
        if self._is_whole:
            return list(range(len(page.dataoffsets)))
        grid = self._keyframe.chunked
        return [int(np.ravel_multi_index(index[self._n_lead :], grid))]

    def _read(
        self, path: Path, parts: list[tuple[int, int, int]], key: str
    ) -> list[tuple[int, bytes | None]]:
        raws: list[tuple[int, bytes | None]] = []
        with open_regular(path) as file:
            for i, offset, n_bytes in parts:
                file.seek(offset)
                raw = read_exactly(file, n_bytes) if n_bytes else None
                if raw is not None and len(raw) < n_bytes:
                    msg = (
                        f"expected {n_bytes} bytes at {offset} of {path}; the file ends"
                        f" after {len(raw)}: it is truncated"
                    )
                    raise ChunkReadError(msg, key=key)
                raws.append((i, raw))
        return raws

    def _check_inflation(self, raws: list[tuple[int, bytes | None]], key: str) -> None:
        """Refuse segments that inflate to more than a segment may have."""
        kind = _COMPRESSORS.get(int(self._keyframe.compression))
        if kind is None:
            return
        voxels = max(prod(self._keyframe.chunks), prod(self.chunk_shape))
        for _, raw in raws:
            if raw:
                most = most_stored(voxels * self.dtype.itemsize)
                check_inflation(kind, raw, most, key=key)

    def _assembled(
        self, page: Any, raws: list[tuple[int, bytes | None]]
    ) -> NDArray[np.generic]:
        keyframe = self._keyframe
        stored = np.dtype(keyframe.parent.byteorder + keyframe.dtype.char)
        is_plain = keyframe.predictor == 1 and keyframe.fillorder == 1
        if keyframe.is_contiguous and is_plain:
            return np.frombuffer(raws[0][1] or b"", stored)[: prod(keyframe.shaped)]
        if keyframe.is_contiguous:
            with self._lock:
                return np.asarray(page.asarray())
        whole = np.zeros(keyframe.shaped if self._is_whole else (0,), self.dtype)
        for i, raw in raws:
            tables = page.jpegtables
            segment, at, size = keyframe.decode(
                raw, i, jpegtables=tables, _fullsize=False
            )
            if segment is None:
                continue
            s, d, h, w, _ = at
            depth, rows, columns = keyframe.shaped[1:4]
            segment = segment[: depth - d, : rows - h, : columns - w]
            if not self._is_whole:
                return np.asarray(segment)
            room = whole[s, d : d + size[0], h : h + size[1], w : w + size[2]]
            room[...] = segment[: room.shape[0], : room.shape[1], : room.shape[2]]
        return whole

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Level and index."""
        return "/".join([self._name, *map(str, index)])

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Not known without looking the page up."""
        return None

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Return None: whether chunks, shape (n, ndim), are stored is only known from pages."""
        return None
