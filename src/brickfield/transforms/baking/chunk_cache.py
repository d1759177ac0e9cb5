"""Decoded storage chunks of a source, kept while blocks need them again.

Neighbouring output blocks of a turned volume need the same storage chunks. Within the
bytes given, a chunk is decoded once; two threads that want it at the same time share
one reading. One cache a process and piece of work, found by its name, so that what
refers to it can be sent to other processes.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, Slices, intersect, shift
from brickfield.transforms.operations.samples import SECTION_BYTES
from brickfield.writing import SourceReader

AnyArray = NDArray[Any]
MOST_CACHES = 4
"""Pieces of work whose chunks a process keeps."""
SHARED_BYTES = 2 * SECTION_BYTES
"""Of what many blocks share beside chunks."""


class ChunkCache:
    """Decoded chunks by their place, the least lately used go first. Any thread.

    Parameters
    ----------
    most_bytes : int
        Of chunks that are kept; one that is larger is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._coming: dict[Hashable, Future[Any]] = {}
        self._bytes = 0

    @property
    def n_bytes(self) -> int:
        """Bytes that are kept."""
        return self._bytes

    def get(self, index: Hashable, read: Callable[[], Any]) -> Any:
        """Return a chunk, read by the first thread that asks.

        Parameters
        ----------
        index : tuple of int
        read : callable
            What it raises reaches all who wait for this chunk.
        """
        own: Future[Any] = Future()
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
            coming = self._coming.setdefault(index, own)
        if coming is not own:
            return coming.result()
        try:
            data = read()
        except BaseException as error:
            with self._lock:
                del self._coming[index]
            own.set_exception(error)
            raise
        with self._lock:
            del self._coming[index]
            self._keep(index, data)
        own.set_result(data)
        return data

    def _keep(self, index: Hashable, data: Any) -> None:
        if data.nbytes > self._most:
            return
        self._kept[index] = data
        self._bytes += data.nbytes
        while self._bytes > self._most:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= gone.nbytes


_caches: dict[str, ChunkCache] = {}
_shared: dict[str, ChunkCache] = {}
_lock = Lock()


def _cache(caches: dict[str, ChunkCache], name: str, most_bytes: int) -> ChunkCache:
    with _lock:
        found = caches.get(name)
        if found is None:
            # Work of other processes ends without a word here.
            while len(caches) >= MOST_CACHES:
                del caches[next(iter(caches))]
            found = caches[name] = ChunkCache(most_bytes)
        return found


@dataclass(frozen=True)
class KeptReader:
    """A source's voxels by regions, through a cache of its chunks; picklable.

    Attributes
    ----------
    inner : SourceReader
    most_bytes : int
    name : str
        Of the cache.
    """

    inner: SourceReader
    most_bytes: int
    name: str

    def _cache(self) -> ChunkCache:
        return _cache(_caches, self.name, self.most_bytes)

    def share(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what is made of many chunks for many blocks, made once while it lasts.

        Parameters
        ----------
        key : hashable
        make : callable
            What it returns has ``nbytes``.
        """
        return _cache(_shared, self.name, SHARED_BYTES).get(key, make)

    def release(self) -> None:
        """Forget all chunks."""
        with _lock:
            _caches.pop(self.name, None)
            _shared.pop(self.name, None)

    def is_missing(self, region: Slices) -> bool:
        """Tell whether nothing of a region is stored, as far as is known cheaply."""
        return self.inner.is_missing(region)

    def read(self, region: Slices) -> AnyArray:
        """Read a region; axes in the written order.

        Raises
        ------
        ChunkReadError
            When a chunk cannot be read.
        """
        cache = self._cache()
        origin = tuple(s.start for s in region)
        out = np.empty([s.stop - s.start for s in region], self.inner.dtype)
        grid = BlockGrid(self.inner.shape, self.inner.chunk_shape)
        for chunk in grid.overlapping(region):
            slices = chunk.slices
            data = cache.get(chunk.index, lambda s=slices: self.inner.read(s))  # type: ignore[misc]
            common = intersect(slices, region)
            out[shift(common, origin)] = data[shift(common, chunk.start)]
        return out
