"""Which chunk files a local array has, from directory listings alone.

A sparse array may have a million million possible chunks and three files. So
nothing that might exist is ever asked for: a directory is listed when a chunk
below it is asked about, and its names are kept as sorted numbers. The listing
is that of the first question and is not refreshed.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from brickfield.sources.io.presence import Presence
from brickfield.sources.zarr.metadata import ZarrArrayMeta

Numbers = NDArray[np.int64]


class ChunkListing:
    """Knows the chunk files of one local array. Any thread may call it.

    Parameters
    ----------
    folder : Path
        The array's folder.
    ndim : int
        Numbers in a chunk's name.
    separator : {"/", "."}
        Between the numbers.
    prefix : str
        First part of every name, ``"c"`` or empty.
    """

    def __init__(self, folder: Path, ndim: int, separator: str, prefix: str) -> None:
        self._presence = Presence(folder)
        self._folder = folder / prefix if prefix and separator == "/" else folder
        self._prefix = f"{prefix}{separator}" if prefix and separator != "/" else ""
        self._ndim = ndim
        self._separator = separator
        self._names: dict[tuple[int, ...], Numbers] = {}
        self._lock = Lock()

    def absent(self, indices: Numbers) -> NDArray[np.bool_]:
        """Tell which chunks have no file.

        Parameters
        ----------
        indices : ndarray, shape (n, ndim), int64
            Positions in the grid of stored objects.

        Returns
        -------
        ndarray, shape (n,), bool
            All False when the array's folder is gone or a folder in it is a link to
            nothing: nothing is known then.
        """
        indices = np.asarray(indices, dtype=np.int64)
        try:
            return self._absent(indices)
        except _GoneError:
            return np.zeros(len(indices), dtype=np.bool_)

    def _absent(self, indices: Numbers) -> NDArray[np.bool_]:
        # Nested folders are listed one by one and only where a chunk is asked for: a
        # listing of a whole large array takes minutes.
        if self._separator == "/" and self._ndim > 1:
            absent = np.ones(len(indices), dtype=np.bool_)
            self._mark(indices, np.arange(len(indices)), (), absent)
            return absent
        return ~self._in_flat(indices)

    def _mark(
        self,
        indices: Numbers,
        rows: NDArray[np.intp],
        prefix: tuple[int, ...],
        absent: NDArray[np.bool_],
    ) -> None:
        """Walk down only where something is asked for and something is there."""
        depth = len(prefix)
        numbers = indices[rows, depth]
        present = self._numbers(prefix)
        rows = rows[_is_in(numbers, present)]
        if depth == self._ndim - 1:
            absent[rows] = False
            return
        numbers = indices[rows, depth]
        # Grouped by folder, so that each is listed once.
        order = np.argsort(numbers, kind="stable")
        rows, numbers = rows[order], numbers[order]
        values, starts = np.unique(numbers, return_index=True)
        for value, part in zip(
            values.tolist(), np.split(rows, starts[1:]), strict=False
        ):
            self._mark(indices, part, (*prefix, value), absent)

    def _numbers(self, prefix: tuple[int, ...]) -> Numbers:
        with self._lock:
            known = self._names.get(prefix)
        if known is not None:
            return known
        folder = self._folder.joinpath(*map(str, prefix))
        numbers = [int(n) for n in _names_in(folder, self._presence) if n.isdecimal()]
        found = np.array(sorted(numbers), dtype=np.int64)
        with self._lock:
            self._names[prefix] = found
        return found

    def _in_flat(self, indices: Numbers) -> NDArray[np.bool_]:
        with self._lock:
            if () not in self._names:
                self._names[()] = self._list_flat()
            listed = self._names[()].reshape(-1, max(1, self._ndim))
        if not len(listed) or not len(indices):
            return np.zeros(len(indices), dtype=np.bool_)
        # Rows become numbers, as np.isin compares no rows.
        ids = np.unique(np.vstack([listed, indices]), axis=0, return_inverse=True)[1]
        ids = ids.reshape(-1)
        return np.isin(ids[len(listed) :], ids[: len(listed)])

    def _list_flat(self) -> Numbers:
        found = []
        for name in _names_in(self._folder, self._presence):
            if not name.startswith(self._prefix):
                continue
            parts = name[len(self._prefix) :].split(self._separator)
            if len(parts) == self._ndim and all(p.isdecimal() for p in parts):
                found.append([int(p) for p in parts])
        return np.array(found, dtype=np.int64)


def listing_of(folder: Path, meta: ZarrArrayMeta) -> ChunkListing:
    """Make the listing of one zarr array's stored objects.

    Parameters
    ----------
    folder : Path
        Of the array.
    meta : ZarrArrayMeta
    """
    return ChunkListing(folder, len(meta.shape), meta.separator, meta.prefix)


def _is_in(numbers: Numbers, listed: Numbers) -> NDArray[np.bool_]:
    """Membership in sorted numbers, O(n log m)."""
    if not len(listed):
        return np.zeros(len(numbers), dtype=np.bool_)
    at = np.minimum(np.searchsorted(listed, numbers), len(listed) - 1)
    return np.asarray(listed[at] == numbers, dtype=np.bool_)


class _GoneError(Exception):
    """Raised when the array's own folder, or one in it, cannot be reached any more."""


def _names_in(folder: Path, array: Presence) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [e.name for e in entries]
    except (FileNotFoundError, NotADirectoryError):
        if array.is_gone or array.broken_link(folder) is not None:
            raise _GoneError from None
        return []
