"""What is stored of an image, as far as it is known without reading it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

import numpy as np

from brickfield.loading.io_counts import Requested, stored_under
from brickfield.loading.scheduler import Scheduler
from brickfield.loading.storage_layout import FlatIndex, LevelLayout, StorageName
from brickfield.sources import ChunkSource

logger = logging.getLogger(__name__)


class StoredChunks:
    """Names, presence and sizes of storage chunks. From any thread.

    Parameters
    ----------
    source : ChunkSource
    scheduler : Scheduler
        Has the layouts, and the counts of what was read.
    """

    def __init__(self, source: ChunkSource, scheduler: Scheduler) -> None:
        self.source = source
        self._scheduler = scheduler
        self._cannot_tell: set[int] = set()

    def key(self, name: StorageName) -> str:
        """Name a storage chunk for messages."""
        index = self._scheduler.layouts[name[0]].index_of(name[1])
        return self.source.storage_key(name[0], index)

    # -- presence ------------------------------------------------------------------

    def missing(self, layout: LevelLayout, flats: list[FlatIndex]) -> set[FlatIndex]:
        """Return those of a level's storage chunks that are known not to be stored.

        Parameters
        ----------
        layout : LevelLayout
        flats : list of int
            Flat indices.
        """
        if layout.level in self._cannot_tell:
            return set()
        array = np.array(flats, dtype=np.int64)
        try:
            known = self.source.missing_chunks(layout.level, layout.indices_of(array))
            if known is not None:
                return set(array[known].tolist())
        except Exception as error:  # noqa: BLE001  (reading will tell what is there)
            source_id = self.source.source_id
            logger.warning("%s cannot list its chunks: %s", source_id, error)
        self._cannot_tell.add(layout.level)
        return set()

    def absent_among(self, names: Iterable[StorageName]) -> set[StorageName]:
        """Return those of some storage chunks that are known not to be stored."""
        absent: set[StorageName] = set()
        unread: dict[int, list[FlatIndex]] = {}
        with self._scheduler.lock:
            for name in names:
                is_absent = self._scheduler.counts.is_absent(name)
                if is_absent:
                    absent.add(name)
                elif is_absent is None:
                    unread.setdefault(name[0], []).append(name[1])
        for level, flats in unread.items():
            missing = self.missing(self._scheduler.layouts[level], flats)
            absent |= {(level, flat) for flat in missing}
        return absent

    # -- sizes ---------------------------------------------------------------------

    def needed_bytes(
        self,
        needed: Requested,
        ended: Requested,
        n_entries: int,
        given_up: Callable[[Iterable[StorageName]], set[StorageName]],
    ) -> tuple[int, int]:
        """Return the stored bytes under needed chunks, by where they came from.

        Parameters
        ----------
        needed, ended : iterable of (selection, keys)
            All chunks, and those of them that reached their end.
        n_entries : int
            Storage chunks that were read before the picture began.
        given_up : callable
            Returns (locked) those of some storage chunks that could not be read.

        Returns
        -------
        read, at_hand : int
            As :meth:`brickfield.loading.manager.ChunkManager.needed_bytes` tells.
        """
        layouts, counts = self._scheduler.layouts, self._scheduler.counts
        under = stored_under(self.source, layouts, needed)
        here = stored_under(self.source, layouts, ended)
        with self._scheduler.lock:
            read = {name for name in under if counts.is_since(name, n_entries)}
            at_hand = here - read
            at_hand -= given_up(at_hand)
        return self._bytes_of(read), self._bytes_of(at_hand)

    def _bytes_of(self, names: set[StorageName]) -> int:
        with self._scheduler.lock:
            known = {name: self._scheduler.counts.stored_bytes(name) for name in names}
        return sum(
            self._size(name) if size is None else size for name, size in known.items()
        )

    def _size(self, name: StorageName) -> int:
        """Return how much is stored for a storage chunk; 0 if unknown."""
        index = self._scheduler.layouts[name[0]].index_of(name[1])
        return self.source.stored_bytes(name[0], index) or 0
