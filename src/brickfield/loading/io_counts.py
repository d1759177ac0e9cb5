"""What reading has cost, as counts that can be checked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from brickfield.loading.storage_layout import LevelLayout, StorageName, storage_names
from brickfield.model import Selection
from brickfield.model.requests import ChunkFailure, distinct
from brickfield.sources import ChunkSource, MadeOfParts, StorageChunk

Requested = Iterable[tuple[Selection, NDArray[np.int64]]]

_ABSENT = -1


@dataclass(frozen=True, slots=True)
class IoCounters:
    """Totals of one manager.

    Attributes
    ----------
    bytes_read : int
        Stored (compressed) bytes asked of the store.
    requests : int
        Reads sent, retries included.
    decoded_chunks : int
        Storage chunks decoded.
    rereads : int
        Storage chunks decoded that had been decoded before.
    retries : int
        Reads sent again after a transient failure.
    failed_reads : int
        Storage chunks given up.
    cancelled_before_send : int
        Chunks dropped before anything was read for them.
    n_entries : int
        Storage chunks entered so far: a place in time, see :meth:`IoCounts.is_since`.
    """

    bytes_read: int = 0
    requests: int = 0
    decoded_chunks: int = 0
    rereads: int = 0
    retries: int = 0
    failed_reads: int = 0
    cancelled_before_send: int = 0
    n_entries: int = 0


class IoCounts:
    """Counts reads. Guarded by the scheduler's lock."""

    def __init__(self) -> None:
        self.bytes_read = 0
        self.requests = 0
        self.decoded_chunks = 0
        self.rereads = 0
        self.retries = 0
        self.failed_reads = 0
        self.cancelled_before_send = 0
        # One int a storage chunk ever read: a level's flat indices leave room for
        # the level in the lowest bits.
        self._bytes_of: dict[int, int] = {}
        self._entered_at: dict[int, int] = {}
        self._n_entries = 0

    def enter(
        self, name: StorageName, chunk: StorageChunk, layouts: Sequence[LevelLayout]
    ) -> None:
        """Count what a storage chunk cost; one request was counted when it was sent.

        Parameters
        ----------
        name : (level, flat index)
        chunk : StorageChunk
        layouts : sequence of LevelLayout
            One for each level.
        """
        is_stored = chunk.data is not None
        read = (chunk,) if chunk.parts is None else chunk.parts
        self.requests += sum(part.requests for part in read) - 1
        if chunk.parts is None:
            self.decoded(name, chunk.stored_bytes, is_stored=is_stored)
            return
        for part in chunk.parts:
            place = (part.level, layouts[part.level].flat_of(part.index))
            self.decoded(place, part.stored_bytes, is_stored=part.is_stored)
        self.made(name, is_stored=is_stored)

    def decoded(self, name: StorageName, stored_bytes: int, *, is_stored: bool) -> None:
        """Count one storage chunk that was read (or found not to be stored).

        Parameters
        ----------
        name : StorageName
            Level and flat index.
        stored_bytes : int
            Compressed.
        is_stored : bool
            Whether there were voxels.
        """
        number = name[1] << 5 | name[0]
        self.bytes_read += stored_bytes
        if is_stored:
            self.decoded_chunks += 1
            # What was only made, or found in the cache, cost no read.
            self.rereads += number in self._entered_at
        self._n_entries += 1
        self._bytes_of[number] = stored_bytes if is_stored else _ABSENT
        self._entered_at[number] = self._n_entries

    def made(self, name: StorageName, *, is_stored: bool) -> None:
        """Record one storage chunk that was made of others: it cost no read of its own.

        Parameters
        ----------
        name : StorageName
            Level and flat index.
        is_stored : bool
            Whether there were voxels.
        """
        number = name[1] << 5 | name[0]
        self._bytes_of.setdefault(number, 0 if is_stored else _ABSENT)

    def is_since(self, name: StorageName, n_entries: int) -> bool:
        """Tell whether a storage chunk was read after a number of entries.

        Parameters
        ----------
        name : StorageName
            Level and flat index.
        n_entries : int
            Entries that were counted before.
        """
        return self._entered_at.get(name[1] << 5 | name[0], 0) > n_entries

    def stored_bytes(self, name: StorageName) -> int | None:
        """Return what one storage chunk cost when it was read; None if never."""
        known = self._bytes_of.get(name[1] << 5 | name[0])
        return None if known is None else max(0, known)

    def is_absent(self, name: StorageName) -> bool | None:
        """Whether a storage chunk was read and is not stored; None if never read."""
        known = self._bytes_of.get(name[1] << 5 | name[0])
        return None if known is None else known == _ABSENT

    def totals(self) -> IoCounters:
        """Return the current counts."""
        return IoCounters(
            self.bytes_read,
            self.requests,
            self.decoded_chunks,
            self.rereads,
            self.retries,
            self.failed_reads,
            self.cancelled_before_send,
            self._n_entries,
        )


def stored_under(
    source: ChunkSource, layouts: Sequence[LevelLayout], requested: Requested
) -> set[StorageName]:
    """Name the stored chunks under some chunks; of sampled ones, their parts.

    Parameters
    ----------
    source : ChunkSource
    layouts : sequence of LevelLayout
        Of its levels.
    requested : iterable of (selection, keys)
    """
    names = set(storage_names(layouts, requested))
    if not isinstance(source, MadeOfParts):
        return names
    # A level that is sampled while it is read has no storage of its own.
    return {
        (level, layouts[level].flat_of(index))
        for name in names
        for level, index in source.parts_of(name[0], layouts[name[0]].index_of(name[1]))
    }


def storage_counts(
    layouts: Sequence[LevelLayout],
    wanted: Requested,
    ended: Requested,
    failures: Iterable[ChunkFailure],
    absent_among: Callable[[Iterable[StorageName]], Collection[StorageName]],
) -> dict[str, int]:
    """Count the storage chunks under some chunks, each once.

    Parameters
    ----------
    layouts : sequence of LevelLayout
        One for each level.
    wanted, ended : iterable of (selection, keys)
        All chunks, and those of them that reached their end.
    failures : iterable of ChunkFailure
        What could not be read of them.
    absent_among : callable
        Returns those of some storage chunks that are not stored.

    Returns
    -------
    dict
        Wanted, loaded, missing (not stored), failed.
    """
    under, here = storage_names(layouts, wanted), storage_names(layouts, ended)
    n_failed = len(distinct(failures))
    n_missing = len(absent_among(here))
    return {
        "wanted": len(under),
        "loaded": max(0, len(here) - n_missing - n_failed),
        "missing": n_missing,
        "failed": n_failed,
    }
