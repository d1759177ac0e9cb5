"""A file for HDF5 that survives a kill: it is what it was at the last commit.

HDF5 overwrites its own metadata in place; a process that ends in between leaves a file
that no reader opens. Here everything that would change bytes of the last committed
state is held in memory, in pages, while what lies beyond that state goes to the disk
at once: the voxels, which are nearly all. A commit writes the pages to a log beside
the file first, checksum last, and only then into the file. Opening the file
finishes a whole log, drops a torn one, and cuts off what came after the commit.

The library does not bear an error of such a file: its caller checks
:attr:`CommittedFile.error` afterwards. Nothing is written once there is one.

Costs: one page in memory for each page of old metadata that changed; two syncs a
commit. Thread rule: used under the HDF5 lock.
"""

from __future__ import annotations

import os
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

from brickfield.errors import StoreWriteError

PAGE = 4096
_CLOSED = -1
_FLUSH_BYTES = 16 << 20
_HEAD = b"brickfield log 1"
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_END_OF_FILE = 28
"""Place of the file's length in a superblock of version 2."""


class CommittedFile:
    """A file opened for reading and writing, as h5py's driver for objects expects it.

    Parameters
    ----------
    path : Path
        Made if it is not there.
    restart : bool
        Empty it, whatever it holds.

    Raises
    ------
    StoreWriteError
        When it cannot be written.

    Attributes
    ----------
    error : OSError or None
        The first one of a write.
    """

    def __init__(self, path: Path, *, restart: bool = False) -> None:
        self.path = path
        self._log = path.with_name(f"{path.name}.log")
        self._pages: dict[int, bytearray] = {}
        self._at = 0
        self.error: OSError | None = None
        self._flushing = ThreadPoolExecutor(1, "imaris-flush")
        self._flush: Future[None] | None = None
        self._n_unflushed = 0
        if restart:
            remove(path)
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o666)
        except OSError as error:
            raise self._refusal(error) from error
        try:
            self._recover()
        except OSError as error:
            os.close(self._file)
            raise self._refusal(error) from error

    @property
    def is_new(self) -> bool:
        """Whether nothing is committed yet."""
        return self._committed == 0

    def read(self, size: int = -1) -> bytes:
        """Read from the present place."""
        size = self._size() - self._at if size < 0 else size
        buffer = bytearray(size)
        del buffer[self.readinto(buffer) :]
        return bytes(buffer)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill a buffer from the present place; returns the bytes read."""
        view = memoryview(buffer).cast("B")
        start, size = self._at, len(view)
        raw = _read(self._file, size, start)
        view[: len(raw)] = raw
        for number in range(start // PAGE, -(-(start + size) // PAGE)):
            page = self._pages.get(number)
            if page is None:
                continue
            low, high = (
                max(start, number * PAGE),
                min(start + size, (number + 1) * PAGE),
            )
            part = page[low - number * PAGE : high - number * PAGE]
            view[low - start : high - start] = part
        # Held pages may reach past the file's present end, so what was read from the
        # file does not tell the length.
        end = min(size, max(len(raw), self._size() - start))
        self._at += end
        return end

    def write(self, data: bytes | memoryview) -> int:
        """Write at the present place."""
        view = memoryview(data).cast("B")
        # Only bytes of the committed state are held back: what lies beyond it is not
        # found by a later opening, so it goes to the file at once.
        held = max(0, min(len(view), self._held_until() - self._at))
        if self.error is None:
            try:
                self._hold(view[:held])
                _write(self._file, view[held:], self._at + held)
            except OSError as error:
                self.error = error
        self._at += len(view)
        self._n_unflushed += len(view)
        if self._n_unflushed >= _FLUSH_BYTES:
            self._flush_beside()
        return len(view)

    def _flush_beside(self) -> None:
        """Have the disk write what came so far, so that a commit waits for the rest alone."""
        if self._flush is not None and not self._flush.done():
            return
        self._end_flush()
        self._n_unflushed = 0
        self._flush = self._flushing.submit(os.fsync, self._file)

    def _end_flush(self) -> None:
        """Wait for what is being flushed, and keep its error.

        The system tells a failed write once: a commit that syncs the file afterwards
        would hear of none.
        """
        error = None if self._flush is None else self._flush.exception()
        if isinstance(error, OSError):
            self.error = self.error or error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move the position in the file; return it.

        Parameters
        ----------
        offset : int
            Bytes.
        whence : int
            From the beginning, the position or the end, as for :meth:`io.IOBase.seek`.
        """
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size()}
        self._at = base[whence] + offset
        return self._at

    def tell(self) -> int:
        """Return the present place."""
        return self._at

    def truncate(self, size: int | None = None) -> int:
        """Set the length; never below what is committed."""
        size = self._at if size is None else size
        if self.error is None:
            try:
                # Never below the committed state: a later opening would miss its end.
                os.ftruncate(self._file, max(size, self._committed))
            except OSError as error:
                self.error = error
        return size

    def flush(self) -> None:
        """Do nothing: :meth:`commit` is what makes a state last."""

    def commit_first(self) -> None:
        """Make a new file's state the one that a later opening finds, without a wait.

        The disk writes it beside the work. A kill leaves this state; a power failure may
        leave none before :meth:`commit`.
        """
        self._flush_beside()
        self._committed = os.fstat(self._file).st_size

    def commit(self) -> None:
        """Make the present state the one that a later opening finds.

        HDF5 must have flushed its own buffers before.

        Raises
        ------
        StoreWriteError
            When there is no room; the last commit stands.
        """
        self._end_flush()
        if self.error is not None:
            raise self._refusal(self.error)
        try:
            os.fsync(self._file)
            if self._pages:
                # The log is whole and on disk before the file is touched, and goes only
                # when the file is on disk: a kill at any point leaves the old state or
                # the new one.
                self._write_log()
                self._apply(self._pages)
                os.fsync(self._file)
                self._log.unlink(missing_ok=True)
            self._pages.clear()
            self._committed = os.fstat(self._file).st_size
        except OSError as error:
            raise self._refusal(error) from error

    def close(self) -> None:
        """Let the file go; what was not committed is lost at the next opening."""
        self._flushing.shutdown()
        # Once: the number may be that of another open file afterwards.
        number, self._file = self._file, _CLOSED
        if number != _CLOSED:
            with suppress(OSError):
                os.close(number)

    def _size(self) -> int:
        return max(os.fstat(self._file).st_size, self._held_until())

    def _held_until(self) -> int:
        # A held page is written whole, so while there are any, the rest of the last
        # page is held too: a direct write there would be overwritten.
        return -(-self._committed // PAGE) * PAGE if self._pages else self._committed

    def _hold(self, view: memoryview) -> None:
        start, done = self._at, 0
        while done < len(view):
            number, inside = divmod(start + done, PAGE)
            page = self._pages.get(number)
            if page is None:
                raw = _read(self._file, PAGE, number * PAGE)
                page = self._pages[number] = bytearray(raw.ljust(PAGE, b"\0"))
            n = min(PAGE - inside, len(view) - done)
            page[inside : inside + n] = view[done : done + n]
            done += n

    def _apply(self, pages: dict[int, bytearray]) -> None:
        for number, page in pages.items():
            _write(self._file, memoryview(page), number * PAGE)

    def _write_log(self) -> None:
        parts = [_HEAD, struct.pack("<Q", len(self._pages))]
        for number, page in self._pages.items():
            parts += [struct.pack("<Q", number), bytes(page)]
        body = b"".join(parts)
        log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o666)
        try:
            # The checksum tells a whole log from one that a kill cut short.
            _write(log, memoryview(body + blake2b(body, digest_size=16).digest()), 0)
            os.fsync(log)
        finally:
            os.close(log)

    def _recover(self) -> None:
        pages = _read_log(self._log)
        if pages:
            self._apply(pages)
            os.fsync(self._file)
        self._log.unlink(missing_ok=True)
        stated = _stated_length(_read(self._file, 64, 0))
        # A file that was cut off later lacks a part of its tables: it is begun anew.
        is_whole = os.fstat(self._file).st_size >= stated
        self._committed = stated if is_whole else 0
        os.ftruncate(self._file, self._committed)

    def _refusal(self, error: OSError) -> StoreWriteError:
        reason = error.strerror or error
        return StoreWriteError(
            f"expected to write {self.path}; found: {reason}: make room or allow it"
        )


_BINARY = getattr(os, "O_BINARY", 0)


def remove(path: Path) -> None:
    """Remove such a file and its log."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.log").unlink(missing_ok=True)


def _read_log(path: Path) -> dict[int, bytearray]:
    """Pages of a whole log; none of a torn or absent one."""
    try:
        raw = path.read_bytes()
    except OSError:
        return {}
    body, check = raw[:-16], raw[-16:]
    # A torn log means that the file was not touched yet: dropping it is right.
    if not body.startswith(_HEAD) or blake2b(body, digest_size=16).digest() != check:
        return {}
    (count,) = struct.unpack_from("<Q", body, len(_HEAD))
    pages, at = {}, len(_HEAD) + 8
    for _ in range(count):
        (number,) = struct.unpack_from("<Q", body, at)
        pages[number] = bytearray(body[at + 8 : at + 8 + PAGE])
        at += 8 + PAGE
    return pages


def _stated_length(head: bytes) -> int:
    """Length that an HDF5 file says it has; 0 for none of ours."""
    # Byte 8 is the superblock's version; in 2 the end of file is at byte 28. Any other
    # file was never committed by this class.
    if len(head) < 48 or not head.startswith(_SIGNATURE) or head[8] != 2:
        return 0
    (length,) = struct.unpack_from("<Q", head, _END_OF_FILE)
    return int(length)


def _read(file: int, size: int, start: int) -> bytes:
    os.lseek(file, start, os.SEEK_SET)
    parts = []
    while size > 0 and (part := os.read(file, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _write(file: int, view: memoryview, start: int) -> None:
    os.lseek(file, start, os.SEEK_SET)
    while len(view):
        view = view[os.write(file, view) :]
