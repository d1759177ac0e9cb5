"""Puts patterns into the chunks of a dataset, from any thread.

Without compression bytes go by position to the place that each chunk has in the file,
past the HDF5 library and its lock. Compressed with gzip they are deflated in the
worker and handed over as they are to be stored; LZ4 is the library's own filter.
"""

from __future__ import annotations

import errno
import os
import zlib
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import StoreFormatError, StoreWriteError
from brickfield.sources import HDF5_LOCK
from brickfield.stem4d.emd_file import DATASET, GZIP_LEVEL, Target


class ChunkWriter:
    """Writes whole chunks; safe in threads.

    Parameters
    ----------
    path : Path
        A file that :func:`~brickfield.stem4d.emd_file.create` made.
    target : Target

    Raises
    ------
    StoreFormatError
        If the file cannot be gone on with.
    """

    def __init__(self, path: Path, target: Target) -> None:
        self.target, self._path = target, path
        self._number = -1
        self._file: Any = None
        self._offsets: NDArray[np.int64] | None = None
        self._open()

    def _open(self) -> None:
        import h5py

        try:
            with HDF5_LOCK:
                file = h5py.File(self._path, "r+")
                dataset = file[DATASET]
                self._check(dataset)
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

    def write(self, y: int, chunk: int, patterns: NDArray[Any]) -> int:
        """Write the patterns of one chunk.

        Parameters
        ----------
        y, chunk : int
            Line of the scan, and number of the chunk along it.
        patterns : ndarray, shape (n, detector y, detector x)
            Contiguous, of the target's data type.

        Returns
        -------
        int
            Bytes written.

        Raises
        ------
        StoreWriteError
            When there is no room.
        """
        try:
            if self._offsets is not None:
                return self._write_at(int(self._offsets[y, chunk]), patterns)
            return self._write_compressed(y, chunk, patterns)
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
        while done < len(view):
            done += os.pwrite(self._number, view[done:], offset + done)
        return done

    def _write_compressed(self, y: int, chunk: int, patterns: NDArray[Any]) -> int:
        n = self.target.chunk_shape[1]
        start = (y, chunk * n, 0, 0)
        if self.target.compression == "lz4":
            with HDF5_LOCK:
                dataset = self._file[DATASET]
                dataset[y, start[1] : start[1] + len(patterns)] = patterns
            return int(patterns.nbytes)
        if len(patterns) < n:  # a chunk is stored whole, also at the line's end
            whole = np.zeros((n, *patterns.shape[1:]), patterns.dtype)
            whole[: len(patterns)] = patterns
            patterns = whole
        raw = _deflated(patterns)
        with HDF5_LOCK:
            self._file[DATASET].id.write_direct_chunk(start, raw)
        return len(raw)

    def flush(self) -> None:
        """Let what was written be found after a kill.

        Raises
        ------
        StoreWriteError
        """
        if self._file is None:
            return
        try:
            with HDF5_LOCK:
                self._file.flush()
        except (OSError, RuntimeError) as error:
            raise self._no_room(error) from error

    def close(self) -> None:
        """Give the file back, its bytes on disk.

        Raises
        ------
        StoreWriteError
        """
        number, self._number = self._number, -1
        file, self._file = self._file, None
        try:
            if number >= 0:
                try:
                    os.fsync(number)
                finally:
                    os.close(number)
            if file is not None:
                with HDF5_LOCK:
                    file.close()
        except (OSError, RuntimeError) as error:
            raise self._no_room(error) from error

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
        found[y, x // n] = info.byte_offset

    dataset.id.chunk_iter(note)
    if not found.all():
        msg = "chunks without a place in the file"
        raise OSError(msg)
    return found


def _deflated(patterns: NDArray[Any]) -> bytes:
    """Shuffle and deflate a chunk as HDF5's own filters do."""
    size = patterns.dtype.itemsize
    plain = np.ascontiguousarray(patterns).reshape(-1).view(np.uint8)
    shuffled = plain.reshape(-1, size).T.tobytes() if size > 1 else plain.tobytes()
    try:
        from isal import isal_zlib
    except ImportError:
        return zlib.compress(shuffled, GZIP_LEVEL)
    return bytes(isal_zlib.compress(shuffled, GZIP_LEVEL))
