"""HDF5 files that are open in this process: one owner each, shared by all readers.

The HDF5 library lets a file that is open for reading not be opened for writing, and
what it has read of a file's structure stays in it. So a file has one handle here,
whatever reads it, and a writer has the whole file for a moment:

1. Readers take a share (:func:`share`). The file is opened by the first of them and
   closed with the last.
2. :func:`writing` waits for :data:`HDF5_LOCK`, closes the file, opens it for reading
   and writing, and gives it back, synced to the disk. Readers of other threads wait
   that long, so the work inside should be short: voxels in bulk are better written
   past the library into chunks that were allocated before.
3. The next read opens the file again, and every object of it that a reader holds as
   :class:`HeldObject`. Readers notice nothing.

Everything here, and every call of the HDF5 library in this package, happens under
:data:`HDF5_LOCK`. Files are told apart by device and inode: a file that replaced
another of that name is another file, and the readers of the old one keep it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet, WeakValueDictionary

from brickfield.errors import (
    StoreAccessError,
    StoreFormatError,
    StoreNotFoundError,
    StoreWriteError,
)
from brickfield.sources.io.plain_files import may_write

HDF5_LOCK = threading.RLock()
"""Held during every call of the HDF5 library."""
FileKey = tuple[int, int]
"""Device and inode."""


class _Handle:
    """One file, open or not; under the lock. Ends with the last that holds it."""

    def __init__(self, path: Path, key: FileKey) -> None:
        self.path, self.key = path, key
        # Weakly: a share that was forgotten without `close` must not keep the file
        # open.
        self.shares: WeakSet[SharedFile] = WeakSet()
        self._file: Any = None

    def file(self) -> Any:
        """Return the open file, opening it if a writer closed it."""
        if not self.shares:
            msg = f"expected {self.path} to be open; found it closed"
            raise ValueError(msg)
        # While a writer has the file, this process reads through the writer's handle.
        if self.key in _writers:
            return _writers[self.key]
        if not self._file:
            # Replaced on disk meanwhile (a rename puts another inode there): its
            # datasets are not those that the reader knows.
            if _key_of(self.path) != self.key:
                msg = (
                    f"expected {self.path} to be the file that was opened; found"
                    f" another in its place: open it again"
                )
                raise StoreFormatError(msg)
            self._file = _open(self.path)
        return self._file

    def holds(self, number: int) -> bool:
        """Tell whether the library knows this file, as it is open, by a number."""
        file = _writers.get(self.key, self._file)
        return bool(file) and _number_of(file) == number

    def close(self) -> None:
        """Close the file and all objects of it."""
        if self._file:
            self._file.close()
        self._file = None


_handles: WeakValueDictionary[FileKey, _Handle] = WeakValueDictionary()
_writers: dict[FileKey, Any] = {}
_unlocked: set[FileKey | None] = set()


class SharedFile:
    """One reader's share of an open file; see :func:`share`."""

    def __init__(self, handle: _Handle) -> None:
        self._handle = handle
        self._is_open = True
        handle.shares.add(self)

    @property
    def path(self) -> Path:
        """Where the file lies."""
        return self._handle.path

    @property
    def file(self) -> Any:
        """The h5py.File, valid while :data:`HDF5_LOCK` is held.

        Raises
        ------
        ValueError
            After :meth:`close`.
        OSError
            When it had to be reopened and cannot be.
        """
        with HDF5_LOCK:
            if not self._is_open:
                msg = f"expected {self.path} to be open; found it closed"
                raise ValueError(msg)
            return self._handle.file()

    def close(self) -> None:
        """Give the share back; the last one closes the file."""
        with HDF5_LOCK:
            if self._is_open:
                self._is_open = False
                self._handle.shares.discard(self)
                if not self._handle.shares:
                    self._handle.close()


class HeldObject:
    """A group or dataset of a file, found again after a writer had the file.

    Parameters
    ----------
    item : h5py.Group or h5py.Dataset
        Of a shared file; that of any other file is kept as it is.
    """

    def __init__(self, item: Any) -> None:
        self._item = item
        self.name = str(item.name)
        self.n_reopened = 0
        self._is_external = bool(getattr(item, "external", None))
        self._handle = _handle_of(item)

    def get(self) -> Any:
        """Return the object; call it, and use what it returns, under the lock.

        Raises
        ------
        KeyError, OSError, ValueError
            When it cannot be found again, or the file was closed.
        """
        if not self._item and self._handle is not None:
            file = self._handle.file()
            if self._is_external:
                self._item = beside_file(file, self.name)
            else:
                self._item = file[self.name]
            self.n_reopened += 1
        return self._item


def share(path: str | os.PathLike[str]) -> SharedFile:
    """Share a file, and open it for reading if it is not open.

    Parameters
    ----------
    path : path-like
        Local file.

    Raises
    ------
    StoreNotFoundError
        When nothing is there.
    OSError
        Of the HDF5 library, when it cannot be opened.
    """
    with HDF5_LOCK:
        place = Path(path).absolute()
        key = _key_of(place)
        if key is None:
            msg = f"expected an HDF5 file at {place}; found nothing: check the path"
            raise StoreNotFoundError(msg)
        handle = _handles.get(key)
        # An unused handle is of an earlier file, whose inode number was used again.
        if handle is None or not handle.shares:
            handle = _Handle(place, key)
            _handles[key] = handle
        elif _key_of(handle.path) != key:
            handle.path = place  # it was renamed
        shared = SharedFile(handle)
        try:
            handle.file()
        except BaseException:
            shared.close()
            raise
        return shared


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a file for reading and writing, while others in this process read it.

    Inside, readers of the same thread get the writer's file. Asked for twice in one
    thread, the inner one has the file of the outer one.

    Parameters
    ----------
    path : path-like
        An HDF5 file that is there.

    Yields
    ------
    h5py.File
        Mode ``r+``; on disk (fsync) when the block ends.

    Raises
    ------
    StoreNotFoundError
        When nothing is there.
    StoreAccessError
        When another program has it open, or this one past this module.
    StoreWriteError
        When it may not be written to, or there is no room.
    """
    with HDF5_LOCK:
        place = Path(path).absolute()
        key = _key_of(place)
        if key is None:
            msg = f"expected an HDF5 file at {place}; found nothing: check the path"
            raise StoreNotFoundError(msg)
        if key in _writers:
            yield _writers[key]
            return
        handle = _handles.get(key)
        if handle is not None:
            # HDF5 allows no second opening with other rights: readers' objects become
            # invalid and find themselves again through `HeldObject.get`.
            handle.close()
        _writers[key] = _open_to_write(place)
        try:
            yield _writers[key]
        finally:
            _finish(_writers.pop(key), place)


def is_shared(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file is open for reading in this process."""
    with HDF5_LOCK:
        key = _key_of(Path(path))
        handle = None if key is None else _handles.get(key)
        return handle is not None and len(handle.shares) > 0


def beside_file(file: Any, name: str) -> Any:
    """Open a dataset so that external files are looked for beside its own file.

    Parameters
    ----------
    file : h5py.File
    name : str
        Of the dataset.

    Returns
    -------
    h5py.Dataset
    """
    import h5py

    folder = Path(os.fsdecode(file.filename)).absolute().parent
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_efile_prefix(os.fsencode(folder))
    return h5py.Dataset(h5py.h5d.open(file.id, name.encode(), access))


def read_unlocked(path: Path) -> None:
    """Take no lock on a file from now on, so that its writer need not wait.

    For workers of a cluster: the process that gave them work writes to the file, and
    to nothing of it that they read.
    """
    with HDF5_LOCK:
        _unlocked.add(_key_of(path))


def _open(path: Path) -> Any:
    import h5py

    is_unlocked = _key_of(path) in _unlocked
    return h5py.File(path, "r", locking=False if is_unlocked else "best-effort")


def _open_to_write(path: Path) -> Any:
    import h5py

    if not may_write(path):
        msg = f"expected to write to {path}; the system refuses: check its permissions"
        raise StoreWriteError(msg)
    try:
        return h5py.File(path, "r+", locking="best-effort")
    except OSError as error:
        if "lock" in str(error) or "already open" in str(error):
            msg = (
                f"expected to write to {path}; found it open elsewhere: close it there"
            )
            raise StoreAccessError(msg) from error
        msg = f"expected an HDF5 file to write to; {path} cannot be opened: {error}"
        kind = StoreFormatError if error.errno is None else StoreWriteError
        raise kind(msg) from error


def _finish(file: Any, path: Path) -> None:
    try:
        file.close()
    except (OSError, RuntimeError) as error:
        msg = f"expected to write to {path}; found: {error}: make room or allow it"
        raise StoreWriteError(msg) from error
    with suppress(OSError), path.open("rb") as opened:
        # HDF5 flushes to the operating system only.
        os.fsync(opened.fileno())


def _handle_of(item: Any) -> _Handle | None:
    """Find the handle that an object's file is open through.

    Not by the name of the file: it may have been renamed or replaced since.
    """
    number = _number_of(item)
    return next((h for h in list(_handles.values()) if h.holds(number)), None)


def _number_of(item: Any) -> int:
    import h5py

    # HDF5's own number of an open file: the same for every object of it, whatever path
    # it was opened by.
    return int(h5py.h5o.get_info(item.id).fileno)


def _key_of(path: Path) -> FileKey | None:
    try:
        about = path.stat()
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino
