"""A folder that is whole or not there: built beside its place, moved by one rename.

While a store ``NAME`` is built there is a folder ``.NAME.TOKEN.unfinished`` beside it,
with

- ``lock``, held by the process that builds for as long as it lives,
- ``new``, what is built, and
- ``old``, for a moment: what stood under the name before.

Putting in place moves ``NAME`` to ``old`` and ``new`` to ``NAME``; other processes that
do the same wait that long. A run that was killed leaves its folder, and the next
one that builds under that name removes it, since its lock is free; if the
kill came between the two renames, it first puts the old store back.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from brickfield.errors import BrickfieldError, OptionError, StoreWriteError
from brickfield.writing.files import MOST_LETTERS, usable_path
from brickfield.writing.guard import check_folder_for_all
from brickfield.writing.stores import check_replaceable

_END = ".unfinished"
_SYNCS_AT_ONCE = 16
"""The system puts what is asked for together into one commit of its journal."""
_MOST_TRIES, _BETWEEN_S = 10, 0.05
_TOKEN = 12
"""Letters that tell the folders of different runs apart."""


@contextmanager
def building(
    target: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    sources: Iterable[Any] = (),
    syncs: bool = False,
) -> Iterator[Path]:
    """Give a new folder to build a store in, and put it in place at the end.

    What is raised inside (a cancelled save, too) leaves what was under the name, and
    nothing else. Metadata that make the folder a store belong last into it, so that
    what a killed run left is never taken for one.

    Parameters
    ----------
    target : path-like
        Final place; its parent folders are made.
    overwrite : bool
        Replace a store that is there.
    sources : iterable of ChunkSource
        Open, whose files must not be replaced.
    syncs : bool
        Wait at the end until every file is on disk: for one who wrote them without
        waiting, which is faster by far for many small files.

    Yields
    ------
    Path
        An empty folder on the same disk.

    Raises
    ------
    OptionError
        When something is under the name that may not be replaced, or is read.
    StoreWriteError
        When there is no room or no right to write, or another run writes there.

    Examples
    --------
    >>> import tempfile
    >>> place = Path(tempfile.mkdtemp()) / "a.ome.zarr"
    >>> with building(place) as folder:
    ...     _ = (folder / "zarr.json").write_text("{}")
    >>> sorted(p.name for p in place.parent.iterdir())
    ['a.ome.zarr']
    """
    place, readers = usable_path(target, "a folder").absolute(), tuple(sources)
    with _told_as_ours(place), ExitStack() as held:
        place.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(place)
        _check(place, readers, overwrite=overwrite)
        beside = place.with_name(_start(place) + uuid4().hex[:_TOKEN] + _END)
        with _swapping(place.parent):  # it is never visible without its lock
            _expect_no_other(place)
            beside.mkdir()
            # Registered before the lock: it is released first, and then the folder
            # removed.
            held.push(partial(_remove, beside))
            held.enter_context(_locked(beside / "lock"))
        new = beside / "new"
        new.mkdir()
        yield new
        if syncs:
            sync_tree(new)
        with _swapping(place.parent):
            _check(place, readers, overwrite=overwrite)
            _put(new, place, beside / "old")


def _remove(beside: Path, error: type[BaseException] | None, *_whole: object) -> None:
    """Remove what is left of a run.

    Of a run that failed, other chunks may still be on their way to disk, and make
    their folder anew: it counts as removed when it stays away for a moment.
    """
    shutil.rmtree(beside, ignore_errors=True)
    n_away = 2 if error is None else 0
    for _ in range(_MOST_TRIES):
        if n_away == 2:
            return
        time.sleep(_BETWEEN_S)
        n_away = 0 if beside.exists() else n_away + 1
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def changing(target: str | os.PathLike[str]) -> Iterator[None]:
    """Keep other runs from replacing a folder while some files in it are changed.

    Parameters
    ----------
    target : path-like
        The folder; it is there.

    Raises
    ------
    StoreWriteError
        When another run is writing a store to put in its place.
    """
    place = Path(target).absolute()
    with _swapping(place.parent):
        _expect_no_other(place)
        yield


def _expect_no_other(place: Path) -> None:
    if any(_is_held(beside / "lock") for beside in _unfinished(place)):
        msg = (
            f"expected to be the only one who writes {place}; found that another window"
            " or command is writing it: wait until it is done, or write elsewhere"
        )
        raise StoreWriteError(msg)


def _unfinished(target: Path) -> list[Path]:
    """List the folders that runs for a place have, or left, beside it."""
    pattern = re.compile(
        re.escape(_start(target)) + f"[0-9a-f]{{{_TOKEN}}}" + re.escape(_END)
    )
    try:
        names = os.listdir(target.parent)  # noqa: PTH208 -- names are enough
    except OSError:
        return []
    return [target.parent / name for name in names if pattern.fullmatch(name)]


def remove_leftovers(target: Path) -> None:
    """Remove what killed runs left beside a place, and put back what they moved away.

    Folders of runs that are under way stay.
    """
    with suppress(OSError):
        for beside in _unfinished(target):
            _remove_leftover(beside, target)


def _remove_leftover(beside: Path, target: Path) -> None:
    with _swapping(target.parent):
        lock = _try_lock(beside / "lock")
        if lock is None:
            return
        old = beside / "old"
        with suppress(OSError):
            # Killed between the two renames: the store that was there is put back.
            if old.exists() and not os.path.lexists(target):
                old.rename(target)
    with lock:
        shutil.rmtree(beside, ignore_errors=True)


def _check(place: Path, sources: tuple[Any, ...], *, overwrite: bool) -> None:
    is_free = not os.path.lexists(place)
    if is_free or (place.is_dir() and not any(place.iterdir())):
        check_folder_for_all(place, sources)  # not in a folder that is read, either
        return
    if not place.is_dir():
        msg = f"expected a folder to write to; found the file {place}"
        raise OptionError(msg)
    if not overwrite:
        msg = (
            f"expected a new or empty folder; found {place} with something in it: give"
            f" another one, or overwrite"
        )
        raise OptionError(msg)
    check_folder_for_all(place, sources)
    check_replaceable(place)


def _put(new: Path, place: Path, old: Path) -> None:
    real = Path(os.path.realpath(place))  # a link stays, what it names is replaced
    if os.path.lexists(real):
        _move(real, old)
    try:
        _move(new, real)
    except BaseException:
        if old.exists():
            # The second rename failed: the old store comes back before anyone is told.
            _move(old, real)
        raise
    # A rename is on disk only once its folder is.
    _sync(real.parent)


def _move(this: Path, there: Path) -> None:
    try:
        this.rename(there)
    except OSError:
        # Through a link the place may lie on another disk.
        # On the same disk it is another error, which a copy would not mend.
        if this.stat().st_dev == there.parent.stat().st_dev:
            raise
        shutil.move(this, there)


def _start(place: Path) -> str:
    # Names have a limit in bytes: a long one is cut at a whole character.
    room = MOST_LETTERS - len(_END) - _TOKEN - 2
    return f".{place.name.encode()[:room].decode(errors='ignore')}."


@contextmanager
def _told_as_ours(place: Path) -> Iterator[None]:
    try:
        yield
    except BrickfieldError:
        raise
    except OSError as error:
        reason = error.strerror or error
        msg = f"expected to write {place}; found: {reason}: make room or allow it"
        raise StoreWriteError(msg) from error


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("wb") as file:
        _lock(file.fileno(), waits=False)
        yield


def _try_lock(path: Path) -> IO[bytes] | None:
    """Take the lock of a run that is over; None while it is held."""
    try:
        # Its lock may never have been made.
        file = path.open("ab")
    except OSError:
        return None
    if _lock(file.fileno(), waits=False):
        return file
    file.close()
    return None


def _is_held(path: Path) -> bool:
    """Tell whether a run holds a lock; not where the file system knows no locks."""
    try:
        import fcntl

        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


def _lock(descriptor: int, *, waits: bool) -> bool:
    try:
        import fcntl
    except ImportError:
        return _lock_on_windows(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if waits else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: no run is known to be dead
        return False
    return True


def _lock_on_windows(descriptor: int) -> bool:
    import importlib

    windows: Any = importlib.import_module("msvcrt")
    try:
        windows.locking(descriptor, windows.LK_NBLCK, 1)
    except OSError:
        return False
    return True


@contextmanager
def _swapping(folder: Path) -> Iterator[None]:
    """Let one process at a time put stores in place in a folder."""
    if os.name != "posix":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # On the folder: two runs for the same place must not swap at the same time.
        _lock(descriptor, waits=True)
        yield
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Wait until all files below a folder, and the folders themselves, are on disk."""
    places = [str(folder)]
    for root, folders, files in os.walk(folder):
        places += [os.path.join(root, name) for name in (*folders, *files)]  # noqa: PTH118 -- thousands
    sync_places(places)


def begin_sync(file: Path) -> None:
    """Have the system begin to bring a file to disk, without waiting for it.

    Else it lies in its cache until it is synced, which would do all of it at once.

    Parameters
    ----------
    file : Path
        Need not be there.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    with suppress(OSError):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            # Pages that are not on disk yet are not dropped by this, only written.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def sync_places(places: Iterable[str | Path]) -> None:
    """Wait until files and folders are on disk; those that are not there are left out.

    Together they take a fraction of what they take one by one.

    Parameters
    ----------
    places : iterable of path-like
    """
    every = list(places)
    try:
        with ThreadPoolExecutor(_SYNCS_AT_ONCE, "brickfield-sync") as pool:
            list(pool.map(_sync_if_there, every))
    except RuntimeError:  # no thread begins any more while the program ends
        for place in every:
            _sync_if_there(place)


def _sync_if_there(place: str | Path) -> None:
    with suppress(FileNotFoundError):
        _sync(place)


def _sync(place: str | Path) -> None:
    is_posix = os.name == "posix"
    if not is_posix and Path(place).is_dir():
        return
    # Windows syncs only what is open for writing.
    descriptor = os.open(place, os.O_RDONLY if is_posix else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
