"""Large items: their place in the file is made at once, voxels go past the library.

The HDF5 library is used twice, shortly: to allocate, and to mark the item as
complete. In between voxels are written by position, from any thread, so that readers
of the file do not wait, and a process that was killed leaves a file that opens and
an item that is not complete. The file must not be repacked meanwhile.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Slices
from brickfield.errors import ChunkReadError, StoreWriteError
from brickfield.sources.hdf5 import HDF5_LOCK, share
from brickfield.stem4d.cache.items import (
    PATHS,
    ROOT,
    Source,
    dataset_of,
    describe,
    log,
    sync,
)
from brickfield.stem4d.cache.places import LONG_S, writing_soon


@dataclass(frozen=True)
class Bulk:
    """Where the voxels of a dataset without filters lie.

    Attributes
    ----------
    path : Path
    shape : tuple of int
    dtype : numpy.dtype
    chunks : tuple of int
        The whole shape where the dataset lies in one piece.
    offsets : ndarray of int64, one axis for each of the dataset's
        The byte at which each chunk begins.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[int, ...]
    offsets: NDArray[np.int64]

    @property
    def chunk_bytes(self) -> int:
        """Of one chunk; those at the far edges are stored whole."""
        return prod(self.chunks) * self.dtype.itemsize

    @classmethod
    def of(cls, dataset: Any, path: Path) -> Bulk:
        """Find the chunks of a dataset; call with the HDF5 lock held.

        Parameters
        ----------
        dataset : h5py.Dataset
        path : Path
            Of the file.

        Raises
        ------
        ChunkReadError
            When some have no place, or are compressed.
        """
        shape = tuple(int(n) for n in dataset.shape)
        chunks = shape if dataset.chunks is None else tuple(dataset.chunks)
        grid = [-(-n // c) for n, c in zip(shape, chunks, strict=True)]
        offsets = np.zeros(grid, np.int64)
        if dataset.chunks is None:
            offsets[...] = dataset.id.get_offset() or 0
        else:
            size = np.asarray(chunks)

            def note(info: Any) -> None:
                offsets[tuple(np.asarray(info.chunk_offset) // size)] = info.byte_offset

            dataset.id.chunk_iter(note)
        # Offset 0 is the file's signature, so no chunk lies there: it has no place.
        if not offsets.all() or dataset.id.get_create_plist().get_nfilters():
            msg = f"expected all of {dataset.name} in {path}; found parts missing"
            raise ChunkReadError(msg, key=str(dataset.name))
        return cls(path, shape, np.dtype(dataset.dtype), chunks, offsets)


def find_bulk(path: Path, name: str) -> Bulk:
    """Return where the voxels of a stored item are.

    Parameters
    ----------
    path : Path
    name : str
        Of the item.

    Raises
    ------
    ChunkReadError
    """
    shared = share(path)
    try:
        with HDF5_LOCK:
            dataset = dataset_of(shared.file, name)
            if dataset is None:
                msg = f"expected {name} in {path}; found nothing"
                raise ChunkReadError(msg, key=name)
            return Bulk.of(dataset, path)
    finally:
        shared.close()


def allocate(
    path: Path,
    name: str,
    like: tuple[Sequence[int], Any, Sequence[int] | None],
    source: Source,
    **attributes: Any,
) -> Bulk:
    """Make an item's place in a file; it is not complete.

    Parameters
    ----------
    path : Path
        An HDF5 file that is there.
    name : str
    like : tuple
        Shape, data type, and chunk shape (None for one piece).
    source : Source
    **attributes
        Further attributes of the dataset.

    Raises
    ------
    StoreAccessError
        When another program has the file open.
    StoreWriteError
        When there is no room, or no right.
    """
    import h5py

    shape, dtype, chunks = tuple(like[0]), np.dtype(like[1]), like[2]
    where = f"{ROOT}/{PATHS[name]}"
    try:
        with writing_soon(path) as file:
            old = dataset_of(file, name)
            is_alike = old is not None and (old.shape, old.dtype) == (shape, dtype)
            if is_alike and old.chunks == (None if chunks is None else tuple(chunks)):
                dataset = old
            else:
                if where in file:
                    del file[where]
                group = file.require_group(where.rpartition("/")[0])
                properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
                if chunks is not None:
                    properties.set_chunk(tuple(chunks))
                # Early: all chunks get their places now, so they can be written past
                # HDF5. Never filled: each is written once, zeros before that would
                # double the work.
                properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
                properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
                space = h5py.h5s.create_simple(shape)
                kind = h5py.h5t.py_create(dtype, logical=True)
                last = where.rpartition("/")[2].encode()
                h5py.h5d.create(group.id, last, kind, space, properties)
                dataset = file[where]
            describe(dataset, source, **attributes)
            return Bulk.of(dataset, path)
    except (OSError, RuntimeError) as error:
        raise _refined(error, path) from error


def complete(path: Path, name: str, source: Source) -> None:
    """Mark an item as complete: its voxels are on disk.

    Parameters
    ----------
    path : Path
    name : str
        Of the item.
    source : Source
        What it was computed from.

    Raises
    ------
    StoreAccessError, StoreWriteError
    """
    with writing_soon(path, LONG_S) as file:
        dataset = dataset_of(file, name)
        log(file, "computed", [name], source)
        # The voxels first: a file that says complete must be so after a power cut.
        sync(file)
        dataset.attrs["complete"] = 1


def _refined(error: Exception, path: Path) -> Exception:
    from brickfield.errors import BrickfieldError

    if isinstance(error, BrickfieldError):
        return error
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    reason = "the disk is full" if full else str(error)
    return StoreWriteError(f"expected to write {path}; found: {reason}: make room")


class BulkFile:
    """Reads and writes voxels of a :class:`Bulk` by position; safe in threads.

    Picklable: where it arrives, the file is opened anew.

    Parameters
    ----------
    path : Path
    is_writable : bool
    is_open : bool
        Open it at once, and not before it is used.
    """

    def __init__(self, path: Path, *, is_writable: bool, is_open: bool = True) -> None:
        self.path, self._is_writable = path, is_writable
        self._lock, self._number = Lock(), -1
        if is_open:
            self._opened()

    def __reduce__(self) -> tuple[Any, ...]:
        again = partial(BulkFile, is_writable=self._is_writable, is_open=False)
        return (again, (self.path,))

    def _opened(self) -> int:
        """Return the file's number, opening it where it has none."""
        with self._lock:
            if self._number < 0:
                flags = os.O_RDWR if self._is_writable else os.O_RDONLY
                try:
                    self._number = os.open(self.path, flags)
                except OSError as error:
                    kind = StoreWriteError if self._is_writable else ChunkReadError
                    msg = f"cannot open {self.path}: {error.strerror or error}"
                    raise kind(msg) from error
            return self._number

    def __del__(self) -> None:
        self.close()

    def write(self, offset: int, values: NDArray[Any]) -> int:
        """Write a contiguous array, any shape; return its bytes.

        Parameters
        ----------
        offset : int
            Byte in the file.
        values : ndarray

        Raises
        ------
        StoreWriteError
        """
        view = values.reshape(-1).view(np.uint8).data
        done, number = 0, self._opened()
        try:
            while done < len(view):
                done += os.pwrite(number, view[done:], offset + done)
        except OSError as error:
            raise _refined(error, self.path) from error
        return done

    def read(self, offset: int, into: NDArray[Any]) -> None:
        """Fill a contiguous array, any shape.

        Parameters
        ----------
        offset : int
            Byte in the file.
        into : ndarray
            Receives the values.

        Raises
        ------
        ChunkReadError
            When the file cannot be read, or ends before.
        """
        view = into.reshape(-1).view(np.uint8).data
        done, number = 0, self._opened()
        while done < len(view):
            try:
                n = os.preadv(number, [view[done:]], offset + done)
            except OSError as error:
                msg = f"cannot read {self.path}: {error.strerror or error}"
                raise ChunkReadError(msg) from error
            if not n:
                msg = f"expected {len(view)} bytes at byte {offset} of {self.path}; found its end"
                raise ChunkReadError(msg)
            done += n

    def sync(self) -> None:
        """Have what was written on disk.

        Raises
        ------
        StoreWriteError
        """
        try:
            os.fdatasync(self._opened())
        except OSError as error:
            raise _refined(error, self.path) from error

    def close(self) -> None:
        """Give the file back."""
        number, self._number = getattr(self, "_number", -1), -1
        if number >= 0:
            os.close(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class BulkSink:
    """Takes the parts of an item whose first two axes are the scan's.

    Parameters
    ----------
    bulk : Bulk
        In one piece.
    file : BulkFile
    """

    def __init__(self, bulk: Bulk, file: BulkFile) -> None:
        self._bulk, self._file = bulk, file
        self._start = int(bulk.offsets.flat[0])
        self._each = prod(bulk.shape[2:]) * bulk.dtype.itemsize

    def write(self, slices: Slices, part: NDArray[Any]) -> None:
        """Write a part of an item.

        Parameters
        ----------
        slices : Slices
            Rows and columns of the scan.
        part : ndarray, shape (n_y, n_x, …)

        Raises
        ------
        StoreWriteError
        """
        values = np.ascontiguousarray(part, self._bulk.dtype)
        for y, line in enumerate(values, slices[0].start):
            at = y * self._bulk.shape[1] + slices[1].start
            self._file.write(self._start + at * self._each, line)
