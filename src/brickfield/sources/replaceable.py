"""A source that can be reopened while it is read.

Invariant: a :class:`ReplaceableSource` always reads from the source that was
opened last; what changes under them are voxels, and the lengths of axes where they
ask for that (:meth:`ReplaceableSource.reopen_grown`). Nothing else does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError
from brickfield.model import ImageInfo, Pyramid
from brickfield.sources.places import places_of
from brickfield.sources.protocol import (
    ChunkSource,
    MadeOfParts,
    StorageChunk,
    StorageChunkCache,
)


class ReplaceableSource:
    """Hands everything on to the source opened last. Any thread may call it.

    Parameters
    ----------
    reopen : callable
        Opens the source; called at once and by every :meth:`reopen`.
    """

    def __init__(self, reopen: Callable[[], ChunkSource]) -> None:
        self._reopen = reopen
        self._source = reopen()
        self._info: ImageInfo | None = None
        self._cache: StorageChunkCache | None = None

    @property
    def info(self) -> ImageInfo:
        """Pyramid, channels, findings."""
        return self._info or self._source.info

    @property
    def source_id(self) -> str:
        """Identity of what was opened last."""
        return self._source.source_id

    @property
    def concurrency(self) -> int:
        """Reads worth having in flight at once."""
        return self._source.concurrency

    @concurrency.setter
    def concurrency(self, value: int) -> None:
        self._source.concurrency = value

    @property
    def is_remote(self) -> bool:
        """Whether voxels come over a network."""
        return self._source.is_remote

    def reopen(self, *, may_be_longer: bool = False) -> ChunkSource:
        """Open the source again; return the old one, for the caller to close.

        Parameters
        ----------
        may_be_longer : bool
            Whether axes may have grown; what lies beyond the old end is not shown then.

        Raises
        ------
        StoreFormatError
            If the image has another geometry now. The old source stays.
        BrickfieldError
            If it cannot be opened any more. The old source stays.
        """
        new, before = self._reopen(), self.info.pyramid
        is_same = new.info.pyramid == before
        if is_same:
            return self._replaced_by(new, None)
        shape = before.levels[0].shape
        kept = before.grown_to(shape, new.info.pyramid) if may_be_longer else None
        if kept is None:
            new.close()
            raise StoreFormatError(_other_geometry(self.info.uri))
        return self._replaced_by(new, kept)

    def reopen_grown(
        self,
        shape: tuple[int, ...],
        accept: Callable[[Pyramid], object] = lambda _: None,
    ) -> ChunkSource:
        """Open the source again, whose axes got longer; return the old one.

        Parameters
        ----------
        shape : tuple of int
            Of level 0 from here on, all axes. It may have grown further.
        accept : callable, optional
            Given the new pyramid; what it raises leaves all as it was.

        Raises
        ------
        StoreFormatError
            If an axis is shorter, or anything else differs. The old source stays.
        BrickfieldError
            If it cannot be opened any more. The old source stays.
        """
        new, before = self._reopen(), self.info.pyramid
        try:
            grown = before.grown_to(shape, new.info.pyramid)
            if grown is None:
                what = f"and a shape of {shape} or more"
                raise StoreFormatError(_other_geometry(self.info.uri, what))
            accept(grown)
        except BaseException:
            new.close()
            raise
        return self._replaced_by(new, grown)

    def _replaced_by(self, new: ChunkSource, shown: Pyramid | None) -> ChunkSource:
        old = self._source
        # Frozen: what is written beyond it meanwhile is not shown.
        self._info = None if shown is None else replace(new.info, pyramid=shown)
        new.concurrency = old.concurrency
        if isinstance(old, MadeOfParts):
            # What it is reading now must not be taken for what is there now.
            old.share(None)
        self._source = new
        self.share(self._cache)
        return old

    def read_storage_chunk(self, level: int, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one storage chunk; see the protocol.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.

        Raises
        ------
        ChunkReadError
            If it cannot be read.
        """
        chunk = self._source.read_storage_chunk(level, index)
        if self._info is None or chunk.data is None:
            return chunk
        about = self._info.pyramid.levels[level]
        inside = tuple(
            slice(0, n - i * s)
            for n, i, s in zip(
                about.shape, index, about.storage_chunk_shape, strict=True
            )
        )
        return replace(chunk, data=chunk.data[inside])

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        return self._source.storage_key(level, index)

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk; None if not known cheaply.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        return self._source.stored_bytes(level, index)

    def missing_chunks(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which storage chunks are known not to be stored.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, ndim), int64
            Positions in the storage grid.

        Returns
        -------
        ndarray, shape (n,), bool, or None
            None where it cannot be told without reading.
        """
        return self._source.missing_chunks(level, indices)

    @property
    def shared_level(self) -> int:
        """Level whose storage chunks others are made of; see `MadeOfParts`."""
        if isinstance(self._source, MadeOfParts):
            return self._source.shared_level
        return self.info.pyramid.n_levels - 1

    def share(self, cache: StorageChunkCache | None) -> None:
        """Use a cache for storage chunks that two levels need; None uses none."""
        self._cache = cache
        if isinstance(self._source, MadeOfParts):
            self._source.share(cache)

    def parts_of(
        self, level: int, index: tuple[int, ...]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """List the stored chunks that one chunk is made of: most are themselves.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        if isinstance(self._source, MadeOfParts):
            return self._source.parts_of(level, index)
        return [(level, index)]

    def places(self) -> tuple[Path | str, ...]:
        """Files and folders that are read, absolute, and addresses."""
        return places_of(self._source)

    def close(self) -> None:
        """Give files and connections back."""
        self._source.close()


def _other_geometry(uri: str, further: str = "") -> str:
    with_what = f"that it was opened with {further}".strip()
    return (
        f"expected {uri} with the axes, levels, shapes and voxel sizes {with_what};"
        " found others: open it again"
    )
