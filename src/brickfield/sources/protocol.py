"""The interface of everything that can be drawn: :class:`ChunkSource`.

A source knows the geometry of an image and reads *storage chunks*, the units of
decoding, each whole and once. It keeps no voxels and starts no threads: the
loading storey calls it from a thread pool, splits what comes back into planned
chunks and caches them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.model import ImageInfo, Int3


class UnlikeError(ChunkReadError):
    """Raised when an image is not laid out as the one that it was taken to be like."""


@dataclass(frozen=True, slots=True)
class LostPart:
    """A box of a storage chunk that could not be made.

    Attributes
    ----------
    low, high : tuple of int
        First voxel and the one past the last, (z, y, x), within the storage chunk. The
        same where what else there is fills the box, so that only the failure is told.
    key, reason : str
        What could not be read, and one sentence for the user.
    """

    low: Int3
    high: Int3
    key: str
    reason: str


class PartlyReadError(ChunkReadError):
    """Raised when of a storage chunk that is made of several things some cannot be read.

    Whoever writes voxels fails with it; a view draws what there is.

    Parameters
    ----------
    data : ndarray
        Voxels as of a whole storage chunk, the fill value where nothing else is.
    lost : sequence of LostPart
        At least one.
    is_transient : bool
        Whether a retry can help.
    """

    def __init__(
        self,
        data: NDArray[np.generic],
        lost: Sequence[LostPart],
        *,
        is_transient: bool = False,
    ) -> None:
        first = lost[0]
        super().__init__(first.reason, is_transient=is_transient, key=first.key)
        self.data = data
        self.lost = tuple(lost)


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One storage chunk that was read of the store for another.

    Attributes
    ----------
    level : int
    index : tuple of int
        Position in that level's storage grid, all axes.
    stored_bytes : int
    is_stored : bool
    requests : int
        Reads sent for it.
    """

    level: int
    index: tuple[int, ...]
    stored_bytes: int
    is_stored: bool
    requests: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class StorageChunk:
    """One storage chunk as read.

    Attributes
    ----------
    data : ndarray or None
        Decoded voxels, all axes in stored order, native byte order, cut at the
        array's far edges. None when nothing is stored (the fill value stands).
    stored_bytes : int
        Bytes asked of the store for it, compressed; 0 when missing.
    parts : tuple of StoredPart or None
        What was read of the store for it, where that is not the chunk itself: the
        stored chunks that a sampled one is made of; nothing where the chunk was kept
        since another was made of it.
    requests : int
        Reads sent to the store for it, those of a shard's index included. Told by the
        parts where there are any.
    """

    data: NDArray[np.generic] | None
    stored_bytes: int
    parts: tuple[StoredPart, ...] | None = field(default=None, compare=False)
    requests: int = field(default=1, compare=False)


@runtime_checkable
class ChunkSource(Protocol):
    """Reads storage chunks. All methods may be called from any thread.

    Attributes
    ----------
    info : ImageInfo
        Pyramid, channels, findings; never changes.
    source_id : str
        Equal for two sources exactly when they read the same data, so that they
        can share a cache (URI, series and modification time, or a unique name).
    concurrency : int
        Reads worth having in flight at once (local files 4, remote 16).
    is_remote : bool
    """

    info: ImageInfo
    source_id: str
    concurrency: int
    is_remote: bool

    def read_storage_chunk(self, level: int, index: tuple[int, ...]) -> StorageChunk:
        """Read and decode one storage chunk.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the level's storage grid, all axes.

        Raises
        ------
        ChunkReadError
            With ``is_transient`` set when a retry can help.
        """
        ...

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages, for example ``"0/c/0/1/2"``.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        ...

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk; None if that is not known cheaply.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        ...

    def missing_chunks(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which storage chunks are known not to be stored.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, ndim), int64

        Returns
        -------
        ndarray, shape (n,), bool, or None
            None when the source cannot tell without reading. Must be quick
            (no request per chunk): the answer comes from a listing or an index.
        """
        ...

    def places(self) -> tuple[Path | str, ...]:
        """Files and folders that are read, absolute; addresses of what is elsewhere.

        A folder stands for all below it. Called while the source is open.
        """
        ...

    def close(self) -> None:
        """Give files and connections back; reading afterwards fails cleanly."""
        ...


class StorageChunkCache(Protocol):
    """Keeps decoded storage chunks for as long as there is memory for them."""

    def keep(self, index: tuple[int, ...], chunk: StorageChunk) -> None:
        """Keep a chunk, or drop it at once if there is no room.

        Parameters
        ----------
        index : tuple of int
            Position in the storage grid, all axes.
        chunk : StorageChunk
        """
        ...

    def find(self, index: tuple[int, ...]) -> StorageChunk | None:
        """Return a chunk that is kept, else None."""
        ...

    def drop(self, index: tuple[int, ...]) -> None:
        """Forget a chunk that is not needed again."""
        ...

    def is_awaited(self, index: tuple[int, ...]) -> bool:
        """Tell whether a chunk that is made of it is being read."""
        ...

    def pass_on(self, index: tuple[int, ...], chunk: StorageChunk) -> bool:
        """Hand a chunk that was read for another level to who waits for it.

        Called without a lock; takes a while where there is no room.

        Returns
        -------
        bool
            Whether it need not be kept.
        """
        ...


@runtime_checkable
class MadeOfParts(Protocol):
    """A source some levels of which are made of the storage chunks of another.

    Attributes
    ----------
    shared_level : int
        The level whose storage chunks those are.
    """

    shared_level: int

    def share(self, cache: StorageChunkCache | None) -> None:
        """Use a cache for storage chunks that two levels need; None uses none."""
        ...

    def parts_of(
        self, level: int, index: tuple[int, ...]
    ) -> list[tuple[int, tuple[int, ...]]]:
        """List the stored chunks, as (level, index), that one chunk is made of.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        ...


class StoredArray(Protocol):
    """One array in one place. All methods may be called from any thread.

    Attributes
    ----------
    shape : tuple of int
    dtype : numpy.dtype
        Of the voxels as read (native byte order).
    chunk_shape : tuple of int
        Unit of decoding.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    @property
    def dtype(self) -> np.dtype[np.generic]: ...  # noqa: D102

    @property
    def chunk_shape(self) -> tuple[int, ...]: ...  # noqa: D102

    def read_chunk(self, index: tuple[int, ...]) -> StorageChunk:
        """Read one storage chunk, cut at the array's far edges."""
        ...

    def chunk_key(self, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages."""
        ...

    def chunk_bytes(self, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk; None if not known cheaply."""
        ...

    def missing_chunks(self, indices: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which storage chunks, shape (n, ndim), are not stored."""
        ...


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """Shape, data type, storage chunk and fill value of one array, all axes."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    chunk_shape: tuple[int, ...]
    fill_value: float | int = 0

    @classmethod
    def of(cls, array: StoredArray, spread: Sequence[int] = ()) -> ArrayHeader:
        """Describe an array, or many alike spread over leading axes.

        Parameters
        ----------
        array : StoredArray
        spread : sequence of int
            Lengths of leading axes over which equal arrays are spread.
        """
        lead = tuple(spread)
        chunk = (1,) * len(lead) + tuple(array.chunk_shape)
        fill = getattr(array, "fill_value", 0)
        return cls(lead + tuple(array.shape), array.dtype, chunk, fill)
