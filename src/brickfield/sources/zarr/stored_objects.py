"""The stored objects of one zarr array: where they lie, and what a failed read means.

An object is what the store has one key for: a chunk, or a shard with many of them.
Both readers of zarr arrays ask here, so that they name a chunk alike, agree on when
it is missing, and fail with the same sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.sources.io.errors import ReadError, chunk_failure, is_absent
from brickfield.sources.io.location import Location
from brickfield.sources.io.plain_files import check_regular, plain_chunk
from brickfield.sources.io.presence import Presence
from brickfield.sources.zarr.chunk_listing import listing_of
from brickfield.sources.zarr.metadata import ZarrArrayMeta


def _file_size(path: Path) -> int | None:
    # An empty file is a damaged chunk, not a missing one.
    return path.stat().st_size or None


class StoredObjects:
    """Objects of one array. Any thread may call it.

    Parameters
    ----------
    location : Location
        The array's folder.
    meta : ZarrArrayMeta
    denied_is_missing : bool
        Take a refusal (HTTP 403) for "nothing is stored".

    Attributes
    ----------
    folder : Path or None
        None for a remote array.
    denied_is_missing : bool
    """

    def __init__(
        self, location: Location, meta: ZarrArrayMeta, *, denied_is_missing: bool
    ) -> None:
        self.folder = location.local
        self._uri = location.uri
        self._meta = meta
        self.denied_is_missing = denied_is_missing
        self._presence = Presence(self.folder)
        self._listing = None if self.folder is None else listing_of(self.folder, meta)

    def key(self, file: tuple[int, ...]) -> str:
        """Name of an object in the store.

        Parameters
        ----------
        file : tuple of int
            Position in the grid of stored objects.
        """
        return f"{self._meta.path}/{self._meta.file_key(file)}".lstrip("/")

    def path(self, file: tuple[int, ...]) -> Path | None:
        """Where an object lies on this machine; None for a remote array.

        Parameters
        ----------
        file : tuple of int
            Position in the grid of stored objects.
        """
        return None if self.folder is None else self.folder / self._meta.file_key(file)

    def n_bytes(
        self,
        file: tuple[int, ...],
        measure: Callable[[Path], int | None] = _file_size,
    ) -> int | None:
        """Bytes of an object, 0 when there is none; None if not known cheaply.

        Parameters
        ----------
        file : tuple of int
            Position in the grid of stored objects.
        measure : callable
            Looks at a local file; its OSError counts as "not known", and that of a
            file which is not there as nothing.
        """
        path = self.path(file)
        if path is None:
            return None
        try:
            return measure(path)
        except (FileNotFoundError, NotADirectoryError):
            return 0
        except OSError:
            return None

    def regular_file(self, file: tuple[int, ...], key: str) -> Path | None:
        """Return where an object lies on this machine, once it is seen to be a file.

        Parameters
        ----------
        file : tuple of int
            Position in the grid of stored objects.
        key : str
            Of the chunk, for the message.

        Returns
        -------
        Path or None
            None for a remote array.

        Raises
        ------
        ChunkReadError
            If it is a folder, a pipe or a device, or out of reach.
        """
        path = self.path(file)
        if path is not None:
            with plain_chunk(path, key):
                check_regular(path, path.stat())
        return path

    def regular_size(
        self, file: tuple[int, ...], key: str
    ) -> tuple[Path | None, int | None]:
        """As :meth:`regular_file` and :meth:`n_bytes`, with one look at the disk.

        Parameters
        ----------
        file : tuple of int
            Position in the grid of stored objects.
        key : str
            Of the chunk, for the message.

        Raises
        ------
        ChunkReadError
            If it is a folder, a pipe or a device, or out of reach.
        """
        path = self.path(file)
        if path is None:
            return None, None
        with plain_chunk(path, key):
            try:
                found = path.stat()
            except (FileNotFoundError, NotADirectoryError):
                return path, 0
            check_regular(path, found)
        # As in `_file_size`.
        return path, found.st_size or None

    def absent(self, files: NDArray[np.int64]) -> NDArray[np.bool_] | None:
        """Tell which objects there are not, shape (n,); None for a remote array.

        Parameters
        ----------
        files : ndarray, shape (n, ndim), int64
            Positions in the grid of stored objects.
        """
        return None if self._listing is None else self._listing.absent(files)

    def expect_nothing(self, file: tuple[int, ...], key: str) -> None:
        """Refuse to call a chunk missing whose object is only out of reach.

        Parameters
        ----------
        file : tuple of int
            Position in the grid of stored objects.
        key : str
            Of the chunk, for the message.

        Raises
        ------
        ChunkReadError
            If the array's folder is gone, or a link leads to nothing.
        """
        self._presence.expect(key, self.path(file))

    def is_absent(self, error: ReadError) -> bool:
        """Whether a failed read only says that nothing is stored."""
        return is_absent(error, denied_is_missing=self.denied_is_missing)

    def failure(self, error: ReadError, key: str) -> ChunkReadError:
        """Return what to raise for a failed read of the chunk `key`."""
        return chunk_failure(error, key, self._uri)
