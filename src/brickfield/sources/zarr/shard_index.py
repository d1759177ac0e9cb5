"""The index of a shard: where each inner chunk lies, read once and kept.

An index whose checksum or offsets are wrong tells nothing: its chunks count as
stored, so that reading them ends in a failure and not in silent fill values.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError
from brickfield.sources.io.plain_files import open_regular, read_exactly
from brickfield.sources.limits.admission import admit
from brickfield.sources.zarr.codecs import Shards

ABSENT = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Offset and length of an inner chunk that is not stored."""
_KEPT_BYTES = 32 << 20

Index = NDArray[np.uint64]
"""Shape (n_inner, 2): offset and length of every inner chunk, C order."""


def decode_index(raw: bytes, shards: Shards, file_bytes: int) -> Index | None:
    """Decode an index; None when it is damaged.

    Parameters
    ----------
    raw : bytes
        The index as stored.
    shards : Shards
    file_bytes : int
        Length of the whole shard: no inner chunk may lie beyond it.
    """
    if len(raw) != shards.index_bytes:
        return None
    body = raw[: 16 * shards.n_inner]
    if shards.has_checksum:
        import google_crc32c

        if google_crc32c.value(body) != int.from_bytes(raw[len(body) :], "little"):
            return None
    index = np.frombuffer(body, dtype="<u8").reshape(-1, 2).astype(np.uint64)
    # Places beyond the end of the file would make a reader allocate what a damaged or
    # hostile index names.
    stored = index[(index != ABSENT).any(axis=1)]
    limit = np.uint64(file_bytes)
    # Both alone as well: a sum of huge numbers wraps round.
    if (stored > limit).any() or (stored.sum(axis=1) > limit).any():
        return None
    return index


class ShardIndices:
    """Indices of the shards of one local array. Any thread may call it.

    Parameters
    ----------
    shards : Shards
    """

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        self._kept: OrderedDict[Path, Index | None] = OrderedDict()
        self._room = max(4, _KEPT_BYTES // shards.index_bytes)
        self._lock = Lock()
        self._n_reads = 0

    def take_reads(self) -> int:
        """Return how many indices were read and not told of yet."""
        with self._lock:
            n, self._n_reads = self._n_reads, 0
        return n

    def lengths(self, path: Path) -> NDArray[np.int64] | None:
        """Stored bytes of every inner chunk, C order; -1 for an absent one.

        Returns
        -------
        ndarray, shape (n_inner,), int64, or None
            None when the index is damaged or cannot be read.

        Raises
        ------
        FileNotFoundError
            If there is no such shard.
        """
        index = self._index(path)
        if index is None:
            return None
        is_absent = (index == ABSENT).all(axis=1)
        return np.where(is_absent, np.int64(-1), index[:, 1].astype(np.int64))

    def offset(self, path: Path, place: int) -> int | None:
        """Return the first byte of an inner chunk in its shard; None when it is not known.

        Parameters
        ----------
        path : Path
            Of the shard.
        place : int
            Position of the inner chunk in the shard, C order.
        """
        index = self._index(path)
        return None if index is None else int(index[place, 0])

    def _index(self, path: Path) -> Index | None:
        with self._lock:
            if path in self._kept:
                self._kept.move_to_end(path)
                return self._kept[path]
        # Without the lock: another thread may read another index meanwhile. Two that
        # read the same one only waste a read.
        index = self._read(path)
        with self._lock:
            self._n_reads += 1
            self._kept[path] = index
            while len(self._kept) > self._room:
                self._kept.popitem(last=False)
        return index

    def _read(self, path: Path) -> Index | None:
        size = self._shards.index_bytes
        try:
            admit((self._shards.n_inner,), 16, key=str(path))
            with open_regular(path) as file:
                total = file.seek(0, os.SEEK_END)
                file.seek(max(0, total - size) if self._shards.is_at_end else 0)
                return decode_index(read_exactly(file, size), self._shards, total)
        except FileNotFoundError:
            raise
        except (OSError, StoreFormatError):
            return None
