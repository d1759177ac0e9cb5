"""Access to files on this machine: regular files alone, sized before reading.

A named pipe blocks its reader, and a device never ends. So a file is opened
without waiting, looked at, and only then read; and what is read whole has a limit.
"""

from __future__ import annotations

import os
import stat
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from brickfield.blockwise import format_bytes
from brickfield.errors import ChunkReadError, StoreFormatError

METADATA_BYTES = 64 << 20
"""Most bytes of a metadata file: a hundred times what large stores have."""
_KINDS = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def open_regular(path: Path) -> IO[bytes]:
    """Open a regular file for reading, unbuffered; never wait for a pipe's writer.

    Raises
    ------
    StoreFormatError
        If it is a pipe, a device or a socket.
    OSError
        As of any opening; IsADirectoryError for a folder.
    """
    # Opening a device can do harm: look first, and again at what was opened.
    check_regular(path, path.stat())
    number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    try:
        check_regular(path, os.fstat(number))
        return os.fdopen(number, "rb", buffering=0)
    except BaseException:
        os.close(number)
        raise


_BINARY = getattr(os, "O_BINARY", 0)


def check_regular(path: Path, about: os.stat_result) -> None:
    """Refuse what is no regular file.

    Parameters
    ----------
    path : Path
    about : os.stat_result
        Of the file.

    Raises
    ------
    StoreFormatError
        If it is a pipe, a device or a socket.
    IsADirectoryError
    """
    if stat.S_ISREG(about.st_mode):
        return
    if stat.S_ISDIR(about.st_mode):
        raise IsADirectoryError(21, "it is a folder", str(path))
    kind = next((name for is_it, name in _KINDS if is_it(about.st_mode)), "no file")
    msg = f"expected a regular file at {path}; found {kind}: it is not read"
    raise StoreFormatError(msg)


def refuse_pointer(path: Path, head: bytes) -> None:
    """Refuse a file that only names data which Git LFS keeps elsewhere.

    Parameters
    ----------
    path : Path
    head : bytes
        First bytes of the file.

    Raises
    ------
    StoreFormatError
    """
    if head.startswith(_LFS):
        msg = (
            f"expected data in {path}; found a pointer of Git LFS, which keeps them"
            " elsewhere: fetch them with git lfs pull"
        )
        raise StoreFormatError(msg)


_LFS = b"version https://git-lfs.github.com/spec/"


def may_write(path: Path) -> bool:
    """Tell whether a file or folder may be written to.

    A superuser may write everywhere; what is marked read-only is left alone all the
    same, for it was marked on purpose.

    Parameters
    ----------
    path : Path
        A file or folder that exists.
    """
    return os.access(path, os.W_OK) and bool(path.stat().st_mode & 0o222)


def read_head(path: Path, n_bytes: int) -> bytes:
    """Read the first bytes of a file, fewer where it is shorter.

    Parameters
    ----------
    path : Path
    n_bytes : int

    Raises
    ------
    StoreFormatError, OSError
    """
    with open_regular(path) as file:
        return read_exactly(file, n_bytes)


def read_whole(path: Path, limit: int = METADATA_BYTES) -> bytes:
    """Read a whole file of at most `limit` bytes.

    Parameters
    ----------
    path : Path
    limit : int
        Bytes.

    Raises
    ------
    StoreFormatError
        If it is longer, or no regular file.
    OSError
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            raise too_long(str(path), size, limit)
        # Some files of the system have no size and yet never end.
        raw = read_exactly(file, max(size + 1, min(limit, 1 << 16)))
    if len(raw) > limit:
        raise too_long(str(path), len(raw), limit)
    return raw


def read_exactly(file: IO[bytes], n_bytes: int) -> bytes:
    """Read `n_bytes`; fewer only at the end of the file.

    Parameters
    ----------
    file : IO
    n_bytes : int
    """
    parts: list[bytes] = []
    while n_bytes > 0 and (part := file.read(n_bytes)):
        parts.append(part)
        n_bytes -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_long(where: str, size: int, limit: int) -> StoreFormatError:
    """Make the error of a file that is too long to be what it should be.

    Parameters
    ----------
    where : str
        Its path.
    size : int
        Bytes.
    limit : int
        Bytes that are allowed.
    """
    msg = (
        f"expected at most {format_bytes(limit)} in {where}; found"
        f" {format_bytes(size)}: it is not read, check what wrote it"
    )
    return StoreFormatError(msg)


@contextmanager
def plain_chunk(path: Path, key: str) -> Iterator[None]:
    """Turn what keeps a chunk's file from being read into a failure of the chunk.

    That nothing is there is left to the next call.

    Parameters
    ----------
    path : Path
    key : str
        The chunk's name.

    Raises
    ------
    ChunkReadError
    """
    try:
        yield
    except (FileNotFoundError, NotADirectoryError):
        return
    except ChunkReadError:
        raise
    except StoreFormatError as error:
        raise ChunkReadError(str(error), key=key) from error
    except OSError as error:
        msg = f"expected to read {path}; found: {error.strerror or error}"
        raise ChunkReadError(msg, key=key) from error


def local_path(uri: str | os.PathLike[str]) -> Path:
    """Path of a local file or folder, given as a path or a ``file://`` URI."""
    text = os.fspath(uri)
    if text.startswith("file://"):
        text = urllib.parse.unquote(urllib.parse.urlsplit(text).path)
    return Path(text).expanduser()
