"""A source whose storage chunks are read and decoded by the workers of a dask cluster.

One process writes the file, so the cluster does what costs most before that: it reads,
decodes, and evaluates the graphs of dask arrays. A worker opens an address again, once;
an array is sent to all workers first. The chunks that a tile needs are asked for
together, so that many workers read for one tile.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from brickfield.blockwise import Executor
from brickfield.errors import ChunkReadError, OptionError
from brickfield.sources import ChunkSource, StorageChunk, open_source

Index = tuple[int, ...]
_Opening = tuple[tuple[str, Any], ...]


class ClusterSource:
    """A source that is read elsewhere. All methods may be called from any thread.

    Everything but the reading is asked of the source that is open here.

    Parameters
    ----------
    source : ChunkSource
    executor : Executor
    opening : mapping
        Options with which its address was opened.

    Raises
    ------
    OptionError
        When its address alone does not lead to the same image.
    """

    def __init__(
        self, source: ChunkSource, executor: Executor, opening: Mapping[str, Any]
    ) -> None:
        self._source = source
        self._executor = executor
        self._lock = threading.Lock()
        self._asked: dict[tuple[int, Index], Any] = {}
        options = tuple(sorted(opening.items()))
        if source.info.uri.startswith("memory:"):
            self._sent = executor.share(source)
        else:
            _check_address(source, options)
            self._sent = (source.info.uri, options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def announce(self, level: int, indices: Sequence[Index]) -> None:
        """Begin to read chunks that will be needed.

        Parameters
        ----------
        level : int
        indices : sequence of Index
            Positions in the storage grid, all axes.
        """
        with self._lock:
            for index in indices:
                if (level, index) not in self._asked:
                    self._asked[level, index] = self._submit(level, index)

    def read_storage_chunk(self, level: int, index: Index) -> StorageChunk:
        """Read and decode one storage chunk on a worker; see the protocol.

        Parameters
        ----------
        level : int
        index : Index
            Position in the storage grid, all axes.

        Raises
        ------
        ChunkReadError
            If no worker could read it.
        """
        with self._lock:
            asked = self._asked.pop((level, index), None)
        asked = asked or self._submit(level, index)
        try:
            found, reason, key = asked.result()
        except Exception as error:
            msg = f"no worker could read it ({type(error).__name__}: {error})"
            key = self._source.storage_key(level, index)
            raise ChunkReadError(msg, key=key, is_transient=True) from error
        if found is None:
            raise ChunkReadError(reason, key=key)
        chunk: StorageChunk = found
        return chunk

    def _submit(self, level: int, index: Index) -> Any:
        return self._executor.submit(_read, self._sent, level, index)


def _read(sent: Any, level: int, index: Index) -> tuple[StorageChunk | None, str, str]:
    """Read a chunk on a worker; failures are told, since errors travel badly."""
    source = _opened(*sent) if isinstance(sent, tuple) else sent
    try:
        return source.read_storage_chunk(level, index), "", ""
    except ChunkReadError as error:
        return None, error.reason, str(error.key)


@lru_cache(maxsize=4)
def _opened(uri: str, opening: _Opening) -> ChunkSource:
    return open_source(uri, **dict(opening))


def _check_address(source: ChunkSource, opening: _Opening) -> None:
    found = open_source(source.info.uri, **dict(opening))
    try:
        is_same = _grids(found) == _grids(source)
    finally:
        found.close()
    if not is_same:
        msg = (
            "expected a source that workers can open by its address; found another image"
            f' at {source.info.uri}: give the address and "opening" instead of the source'
        )
        raise OptionError(msg)


def _grids(source: ChunkSource) -> list[Any]:
    levels = source.info.pyramid.levels
    return [(v.shape, v.storage_chunk_shape, v.dtype) for v in levels]
