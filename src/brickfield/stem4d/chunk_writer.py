"""Puts patterns into the chunks of a dataset, from any thread.

Without compression bytes go by position to the place that each chunk has in the file,
past the HDF5 library and its lock. Compressed with gzip they are deflated in the
worker and handed over as they are to be stored; LZ4 is the library's own filter.
"""

from __future__ import annotations

import errno
import os
import zlib
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError, StoreWriteError
from brickfield.sources.hdf5 import HDF5_LOCK
from brickfield.stem4d.emd_file import DATASET, GZIP_LEVEL, Target

Index = tuple[int, ...]


class ChunkWriter:
    """Writes whole chunks; safe in threads.

    Picklable. In another process chunks without compression are written as here, and
    those with it are given back, to be stored by the process that has the file.

    Parameters
    ----------
    path : Path
        A file that :func:`~brickfield.stem4d.emd_file.create` made.
    target : Target
    offsets : ndarray of int64, optional
        The byte that each chunk begins at, if another process found it.

    Raises
    ------
    StoreFormatError
        If the file cannot be gone on with.
    """

    def __init__(
        self,
        path: Path,
        target: Target,
        offsets: NDArray[np.int64] | None = None,
        *,
        is_remote: bool = False,
    ) -> None:
        self.target, self._path = target, path
        self._number = -1
        self._file: Any = None
        self._offsets = offsets
        self._is_remote = is_remote
        self._lock = Lock()
        if not is_remote:
            self._open()

    def __reduce__(self) -> tuple[Any, ...]:
        again = partial(ChunkWriter, is_remote=True)
        return (again, (self._path, self.target, self._offsets))

    def _open(self) -> None:
        import h5py

        try:
            with HDF5_LOCK:
                file = h5py.File(self._path, "r+")
                dataset = file[DATASET]
                self._check(dataset)
                # Unfiltered chunks have fixed places, so threads and processes write
                # them past HDF5, without its lock.
                if self.target.compression == "none":
                    self._offsets = _offsets(dataset)
                    file.close()
                    self._number = os.open(self._path, os.O_WRONLY)
                else:
                    self._file = file
        except (OSError, KeyError, RuntimeError) as error:
            msg = f"expected a file to go on with in {self._path}; found: {error}"
            raise StoreFormatError(msg) from error

    def _check(self, dataset: Any) -> None:
        shape, kind, chunks = dataset.shape, dataset.dtype, dataset.chunks
        wanted = (self.target.shape, self.target.dtype, self.target.chunk_shape)
        if (shape, kind, chunks) != wanted:
            msg = f"expected {wanted} in {self._path}; found {(shape, kind, chunks)}"
            raise StoreFormatError(msg)

    def is_stored(self, y: int, chunk: int) -> bool:
        """Tell whether a chunk is allocated in the file.

        Parameters
        ----------
        y : int
            Row of the scan.
        chunk : int
            Position along the row, chunks.
        """
        if self._offsets is not None:
            return bool(self._offsets[y, chunk] > 0)
        start = (y, chunk * self.target.chunk_shape[1], 0, 0)
        with HDF5_LOCK:
            info = self._file[DATASET].id.get_chunk_info_by_coord(start)
        return info.byte_offset is not None

    def write(
        self, index: Index, patterns: NDArray[Any]
    ) -> tuple[int, bytes | NDArray[Any] | None]:
        """Write the patterns of one chunk.

        Parameters
        ----------
        index : tuple of int
            Line of the scan, and number of the chunk along it.
        patterns : ndarray, shape (n, detector y, detector x)
            Contiguous, of the target's data type.

        Returns
        -------
        n_bytes : int
            Bytes written.
        raw : bytes, ndarray or None
            What :meth:`store` has to write where the file is open; None if all is.

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        try:
            if self._offsets is not None:
                return self._write_at(int(self._offsets[index]), patterns), None
            raw = self._packed(patterns)
        except (OSError, RuntimeError) as error:
            raise self._no_room(error) from error
        return (0, raw) if self._is_remote else (self.store(index, raw), None)

    def _packed(self, patterns: NDArray[Any]) -> bytes | NDArray[Any]:
        if self.target.compression == "lz4":
            # The library's filter encodes LZ4 on writing. A worker's patterns are a
            # view of a buffer that the next block overwrites, so they are copied.
            return patterns.copy() if self._is_remote else patterns
        n = self.target.chunk_shape[1]
        if len(patterns) < n:  # a chunk is stored whole, also at the line's end
            whole = np.zeros((n, *patterns.shape[1:]), patterns.dtype)
            whole[: len(patterns)] = patterns
            patterns = whole
        return _deflated(patterns)

    def store(self, index: Index, raw: bytes | NDArray[Any]) -> int:
        """Hand a chunk to the library, encoded or to be encoded by its filter; return its bytes.

        Parameters
        ----------
        index : Index
            Row of the scan and position along it, chunks.
        raw : bytes or ndarray, shape (n, rows, columns)
            Encoded, or patterns.

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        y = index[0]
        start = (y, index[1] * self.target.chunk_shape[1], 0, 0)
        try:
            with HDF5_LOCK:
                dataset = self._file[DATASET]
                if not isinstance(raw, bytes):
                    dataset[y, start[1] : start[1] + len(raw)] = raw
                    return int(raw.nbytes)
                # Encoded already, outside the lock: the library only files the bytes.
                dataset.id.write_direct_chunk(start, raw)
                return len(raw)
        except (OSError, RuntimeError) as error:
            raise self._no_room(error) from error

    def _no_room(self, error: Exception) -> StoreWriteError:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else str(error)
        return StoreWriteError(
            f"expected to write {self._path}; found: {reason}: make room, go on"
        )

    def _write_at(self, offset: int, patterns: NDArray[Any]) -> int:
        view = patterns.reshape(-1).view(np.uint8).data
        done = 0
        with self._lock:
            if self._is_remote and self._number < 0:
                self._number = os.open(self._path, os.O_WRONLY)
        while done < len(view):
            done += os.pwrite(self._number, view[done:], offset + done)
        if self._is_remote:  # nobody else can have it on disk
            os.fdatasync(self._number)
        else:
            _begin_storing(self._number, offset, done)
        return done

    def flush(self) -> None:
        """Let what was written be found after a kill.

        Without compression it is on disk when this returns.

        Raises
        ------
        StoreWriteError
        """
        try:
            if self._number >= 0:
                os.fdatasync(self._number)
            if self._file is not None:
                with HDF5_LOCK:
                    self._file.flush()
        except (OSError, RuntimeError) as error:
            raise self._no_room(error) from error

    def close(self) -> None:
        """Give the file back; what was not flushed need not be on disk.

        Raises
        ------
        StoreWriteError
        """
        number, self._number = self._number, -1
        file, self._file = self._file, None
        try:
            if number >= 0:
                os.close(number)
            if file is not None:
                with HDF5_LOCK:
                    file.close()
        except (OSError, RuntimeError) as error:
            raise self._no_room(error) from error

    def __del__(self) -> None:
        if getattr(self, "_is_remote", False) and self._number >= 0:
            os.close(self._number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _offsets(dataset: Any) -> NDArray[np.int64]:
    """Return the byte that each chunk begins at, shape (lines, chunks along one)."""
    ny, nx = dataset.shape[:2]
    n = dataset.chunks[1]
    found = np.zeros((ny, -(-nx // n)), np.int64)

    def note(info: Any) -> None:
        y, x = info.chunk_offset[:2]
        # One walk over the file's index; a query for each chunk takes quadratic time.
        found[y, x // n] = info.byte_offset

    dataset.id.chunk_iter(note)
    if not found.all():
        msg = "chunks without a place in the file"
        raise OSError(msg)
    return found


def _begin_storing(number: int, offset: int, n_bytes: int) -> None:
    """Have the system write a part of a file to disk from now on, and do not wait.

    Else it begins when much memory waits to be written, or when it is told to finish:
    the disk would rest while the processor works, and the other way round.
    """
    if hasattr(os, "posix_fadvise"):
        # Linux answers this advice by writing; what is not yet written stays cached.
        os.posix_fadvise(number, offset, n_bytes, os.POSIX_FADV_DONTNEED)


def _deflated(patterns: NDArray[Any]) -> bytes:
    """Shuffle and deflate a chunk as HDF5's own filters do."""
    size = patterns.dtype.itemsize
    plain = np.ascontiguousarray(patterns).reshape(-1).view(np.uint8)
    shuffled = plain.reshape(-1, size).T.tobytes() if size > 1 else plain.tobytes()
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compress(shuffled, GZIP_LEVEL)
    # The same format as zlib, made faster; readers see no difference.
    return bytes(isal_zlib.compress(shuffled, GZIP_LEVEL))
