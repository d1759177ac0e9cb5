"""Single files: what may be replaced, and writing that is whole or not at all.

A file is written beside its target under a name that begins with a dot and put in
place by one rename, on disk by then. What fails leaves the old file, or none. What a
killed run left beside a target goes with the next file that is written there.
"""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from brickfield.errors import OptionError, StoreWriteError
from brickfield.writing.guard import check_file

MOST_LETTERS = 255
"""Bytes of a file's name that file systems allow."""
_NO_NAMES = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)
_KINDS = {
    "png": "a PNG picture",
    "receipt": "a receipt (JSON)",
    "benchmark": "a benchmark's result (JSON)",
    "benchmark table": "a benchmark's table (CSV)",
}
"""What may be replaced, for messages."""
_STARTS = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "benchmark table": (b"test,size,dtype,iterations", b"name,value,unit,about"),
}
"""How such a file may begin."""
_FIELDS = {"receipt": {"bytes_read"}, "benchmark": {"adapter", "versions", "values"}}
"""Fields that such a JSON document has."""
_MOST_RECEIPT_BYTES = 64 << 20


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def usable_path(path: str | os.PathLike[str], what: str = "a path") -> Path:
    """Return a path that the operating system accepts.

    Parameters
    ----------
    path : str or os.PathLike
    what : str
        Named in the message.

    Raises
    ------
    OptionError
        When it holds a zero character, is longer than the system allows, or is an
        address elsewhere.
    """
    text = os.fspath(path)
    # As a path, "https://a" is "https:/a", a folder below the current one.
    if _ADDRESS.match(text) and not Path(Path(text).parts[0]).exists():
        msg = (
            f"expected {what} on this machine to write to; found {text}: write to a local"
            " place and copy it there"
        )
        raise OptionError(msg)
    if "\0" in text:
        msg = f"expected {what} without NUL characters; found {text[:80]!r}"
        raise OptionError(msg)
    found = Path(text).expanduser()
    try:
        found.lstat()
    except (OSError, ValueError) as error:
        if getattr(error, "errno", errno.EINVAL) not in _NO_NAMES:
            return found
        reason = getattr(error, "strerror", None) or str(error)
        shown = text if len(text) <= 120 else f"{text[:80]}… ({len(text)} characters)"
        msg = f"expected {what} that can be written; found {shown}: {reason}"
        raise OptionError(msg) from error
    return found


def check_output(
    path: Path, sources: Iterable[Any], *, option: str = "a file", kind: str = ""
) -> None:
    """Refuse a file to write that a source reads, or that is something else's.

    Parameters
    ----------
    path : Path
    sources : iterable of ChunkSource
        Open, whose files are never written to.
    option : str
        What the file was asked for by.
    kind : {"png", "receipt", "benchmark", "benchmark table", ""}
        What an existing file must be to be replaced.

    Raises
    ------
    OptionError
    """
    check_file(path, sources)
    check_replaceable_file(path, option=option, kind=kind)


def check_replaceable_file(path: Path, *, option: str, kind: str) -> None:
    """Refuse to replace an existing file of another kind than is written.

    Parameters
    ----------
    path : Path
    option : str
        Name of the parameter, for the message.
    kind : str
        What is written, such as "png".

    Raises
    ------
    OptionError
        If something else exists there.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if stat.S_ISDIR(mode) or stat.S_ISBLK(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "a disk"
        msg = f"expected {option} to be a file; found {what}: {path}"
        raise OptionError(msg)
    if stat.S_ISREG(mode) and not _is_kind(path, kind):
        msg = (
            f"expected {option} to be a new file or {_KINDS[kind]} to replace; found"
            f" that {path} is none: give another name or remove it"
        )
        raise OptionError(msg)


def _is_kind(path: Path, kind: str) -> bool:
    if not kind or path.stat().st_size == 0:
        return True
    if kind in _STARTS:
        with path.open("rb") as file:
            return file.read(64).startswith(_STARTS[kind])
    if path.stat().st_size > _MOST_RECEIPT_BYTES:
        return False
    try:
        document = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and _FIELDS[kind] <= document.keys()


def write_text(path: Path, text: str, *, syncs: bool = True) -> None:
    """Write a text file in UTF-8 completely, or leave what was there.

    Parameters
    ----------
    path : Path
    text : str
    syncs : bool
        Wait until it is on disk.

    Raises
    ------
    StoreWriteError
        When there is no room or no right to write.
    """
    write_whole(path, lambda file: file.write(text.encode("utf-8")), syncs=syncs)


def write_whole(
    path: Path, write: Callable[[IO[bytes]], object], *, syncs: bool = True
) -> None:
    """Write a file whole, or leave what was there.

    A link is kept: the file that it names is replaced. What is no ordinary file (a
    pipe, the null device) is written to as it is.

    Parameters
    ----------
    path : Path
    write : callable
        Takes the open binary file.
    syncs : bool
        Wait until it is on disk.

    Raises
    ------
    StoreWriteError
        When there is no room or no right to write.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            with path.open("wb") as file:
                write(file)
            return
        _replace(Path(os.path.realpath(path)), write, syncs=syncs)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"expected to write {path}; found: {reason}: make room or allow it"
        raise StoreWriteError(msg) from error


def _replace(path: Path, write: Callable[[IO[bytes]], object], *, syncs: bool) -> None:
    remove_partials(path)
    partial = partial_of(path)
    try:
        with partial.open("wb") as file:
            write(file)
            if syncs:
                file.flush()
                os.fsync(file.fileno())
        with suppress(OSError):
            partial.chmod(stat.S_IMODE(path.stat().st_mode))
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def partial_of(path: Path) -> Path:
    """Return where a file lies while it is written, of this process alone."""
    end = f".{os.getpid()}.partial"
    name = path.name.encode()[: MOST_LETTERS - len(end) - 1].decode(errors="ignore")
    return path.with_name(f".{name}{end}")


def remove_partials(path: Path) -> None:
    """Remove what runs that are over left of a file beside it."""
    own = partial_of(path).name
    start = own.removesuffix(f"{os.getpid()}.partial")
    pattern = re.compile(re.escape(start) + r"(\d+)\.partial")
    with suppress(OSError):
        for name in os.listdir(path.parent):  # noqa: PTH208 -- names are enough
            match = pattern.fullmatch(name)
            if match and not _is_running(int(match[1])):
                with suppress(OSError):
                    (path.parent / name).unlink()


def _is_running(process: int) -> bool:
    if os.name != "posix":
        return True  # asking would end it there
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
