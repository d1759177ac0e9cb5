"""Single stored arrays, and a source put together from them.

A :class:`StoredArray` is one array in one place, read in whole storage chunks.
Most formats keep one such array for each level, and some (Imaris, BDV) a further
one for each time point and channel. :class:`AssembledSource` turns either into a
:class:`~brickfield.sources.protocol.ChunkSource`: leading axes that the format
spreads over many arrays become axes with storage chunks one index thick, and
voxels beyond a level's shape (padding) are cut off. Nothing is cached here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.model import ImageInfo
from brickfield.model.secrets import hide_secrets
from brickfield.sources.io.cancellation import while_wanted
from brickfield.sources.protocol import StorageChunk, StoredArray

LOCAL_CONCURRENCY = 4
REMOTE_CONCURRENCY = 16


FindPart = Callable[[int, tuple[int, ...]], StoredArray | None]
"""Level and index on the spread axes to the array there; None if there is none."""


class AssembledSource:
    """A source made of stored arrays. All methods may be called from any thread.

    Parameters
    ----------
    info : ImageInfo
    source_id : str
    find_part : callable
        Level and index on the spread axes to the stored array there, or None.
        May open it; called for every read, so it must remember what it opened.
    n_spread : int
        Leading axes of the levels that `find_part` selects from.
    places : callable or None
        Tells the files and folders that are read; what `info.uri` names if None.
    close : callable or None
        Gives files back.
    is_remote : bool

    Attributes
    ----------
    in_memory : tuple of ndarray
        The levels where they are plain arrays, for those who need no chunks; else empty.
    """

    def __init__(  # noqa: PLR0913 -- all that a source is made of
        self,
        info: ImageInfo,
        source_id: str,
        find_part: FindPart,
        *,
        n_spread: int = 0,
        places: Callable[[], Iterable[Path | str]] | None = None,
        close: Callable[[], None] | None = None,
        is_remote: bool = False,
    ) -> None:
        self.info = info
        # In journals and messages; a new token makes no other image.
        self.source_id = hide_secrets(source_id)
        self.is_remote = is_remote
        self.concurrency = REMOTE_CONCURRENCY if is_remote else LOCAL_CONCURRENCY
        self._find_part = find_part
        self._n_spread = n_spread
        self._places = places
        self._close = close
        self._is_closed = False
        self.in_memory: tuple[NDArray[np.generic], ...] = ()

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
            If it cannot be read, or the source is closed.
        """
        if self._is_closed:
            msg = f"expected an open source; {self.info.uri} was closed before the read"
            raise ChunkReadError(msg, key=f"{level}{list(index)}")
        n = self._n_spread
        part = self._find_part(level, index[:n])
        if part is None:
            return StorageChunk(None, 0)
        with while_wanted(lambda: not self._is_closed):
            chunk = part.read_chunk(index[n:])
        if chunk.data is None:
            return chunk
        data = chunk.data[(None,) * n] if n else chunk.data
        return replace(chunk, data=self._cut(data, level, index))

    def _cut(
        self, data: NDArray[np.generic], level: int, index: tuple[int, ...]
    ) -> NDArray[np.generic]:
        about = self.info.pyramid.levels[level]
        room = [
            max(0, n - i * c)
            for n, i, c in zip(
                about.shape, index, about.storage_chunk_shape, strict=True
            )
        ]
        if all(have <= may for have, may in zip(data.shape, room, strict=True)):
            return data
        return np.ascontiguousarray(data[tuple(slice(may) for may in room)])

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        n = self._n_spread
        part = None if self._is_closed else self._known_part(level, index[:n])
        if part is None:
            path = self.info.pyramid.levels[level].path
            return f"{path}/{'/'.join(map(str, index))}"
        return part.chunk_key(index[n:])

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk; None if not known cheaply.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        if self._is_closed:
            return None
        try:
            part = self._find_part(level, index[: self._n_spread])
        except ChunkReadError:
            return None
        return 0 if part is None else part.chunk_bytes(index[self._n_spread :])

    def _known_part(self, level: int, lead: tuple[int, ...]) -> StoredArray | None:
        """Array of a level; None also where it cannot be opened, which reads tell."""
        try:
            return self._find_part(level, lead)
        except ChunkReadError:
            return None

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
        if self._is_closed:
            return None
        n = self._n_spread
        leads, which = np.unique(indices[:, :n], axis=0, return_inverse=True)
        which = which.reshape(-1)
        missing = np.zeros(len(indices), dtype=np.bool_)
        for i, lead in enumerate(leads):
            rows = which == i
            try:
                part = self._find_part(level, tuple(int(v) for v in lead))
            except ChunkReadError:
                continue
            if part is None:
                missing[rows] = True
                continue
            answer = part.missing_chunks(indices[rows, n:])
            if answer is None:
                return None
            missing[rows] = answer
        return missing

    def places(self) -> tuple[Path | str, ...]:
        """Files and folders that are read, absolute, and addresses."""
        if self._places is not None:
            return tuple(dict.fromkeys(self._places()))
        from brickfield.sources.places import place_of_uri

        place = place_of_uri(self.info.uri)
        return () if place is None else (place,)

    def close(self) -> None:
        """Give files and connections back; reading afterwards fails cleanly."""
        if not self._is_closed:
            self._is_closed = True
            if self._close is not None:
                self._close()


def chunk_slices(
    index: Sequence[int], chunk_shape: Sequence[int], shape: Sequence[int]
) -> tuple[slice, ...]:
    """Return the voxels of one storage chunk, cut at the array's far edges.

    Parameters
    ----------
    index : sequence of int
        Position in the storage grid.
    chunk_shape : sequence of int
        Voxels.
    shape : sequence of int
        Of the array, voxels.

    Raises
    ------
    ChunkReadError
        If the index lies outside the storage grid.
    """
    slices = tuple(
        slice(i * c, min((i + 1) * c, n))
        for i, c, n in zip(index, chunk_shape, shape, strict=True)
    )
    if any(s.start < 0 or s.start >= s.stop for s in slices):
        msg = (
            f"expected a storage chunk inside the array of shape {tuple(shape)};"
            f" found the index {tuple(index)}"
        )
        raise ChunkReadError(msg, key="/".join(map(str, index)))
    return slices


def native(dtype: np.dtype[np.generic]) -> np.dtype[np.generic]:
    """Return the data type in this machine's byte order."""
    return dtype.newbyteorder("=")


def identity_of(path: Path, *further: object) -> str:
    """Make a source id from a path, its modification time, size and inode."""
    about = path.stat()
    facts = (path.resolve(), about.st_mtime_ns, about.st_size, about.st_ino, *further)
    return "|".join(str(fact) for fact in facts)
