"""The files that an HDF5 file's voxels lie in.

Beside the file itself: files that links lead to, raw files of external storage, and
the sources of virtual datasets, all of them again with what they lead to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from brickfield.sources.hdf5.handles import HDF5_LOCK, SharedFile, beside_file

MAX_FILES = 10_000
_COUNTER = re.compile(r"%(%|b)")
_FAILURES = (OSError, KeyError, RuntimeError, ValueError, TypeError)


def files_of(item: Any) -> tuple[Path, ...]:
    """Return the files below an open file, group or dataset.

    Parameters
    ----------
    item : h5py.File, h5py.Group or h5py.Dataset
        All links of its file are followed, whichever dataset it is: a source opens
        further ones while it is read.
    """
    with HDF5_LOCK:
        found: dict[Path, None] = {}
        _collect(item.file, found)
        return tuple(found)


def files_of_shared(shared: SharedFile) -> tuple[Path, ...]:
    """Return the files below a shared one; itself alone when it is gone or closed."""
    with HDF5_LOCK:
        try:
            return files_of(shared.file)
        except _FAILURES:
            return (shared.path,)


def _collect(file: Any, found: dict[Path, None]) -> None:
    path = Path(os.fsdecode(file.filename)).absolute()
    found[path] = None
    for other, is_hdf5 in list(_named(file, path.parent)):
        if other in found or len(found) >= MAX_FILES:
            continue
        found[other] = None
        if is_hdf5 and other.is_file():
            with suppress(*_FAILURES):
                _open_and_collect(other, found)


def _open_and_collect(path: Path, found: dict[Path, None]) -> None:
    import h5py

    with h5py.File(path, "r", locking="best-effort") as file:
        _collect(file, found)


def _named(file: Any, folder: Path) -> Iterator[tuple[Path, bool]]:
    """Yield the files that one file names, and whether each is HDF5."""
    import h5py

    links: list[tuple[str, Any]] = []
    with suppress(*_FAILURES):
        file.visititems_links(lambda name, link: links.append((name, link)))
    for name, link in links:
        if isinstance(link, h5py.ExternalLink):
            yield from ((p, True) for p in _files(str(link.filename), folder))
        elif isinstance(link, h5py.HardLink):
            item = _opened(file, name)
            if isinstance(item, h5py.Dataset):
                yield from _storage_of(item, folder)


def _opened(file: Any, name: str) -> Any:
    with suppress(*_FAILURES):
        return file[name]
    with suppress(*_FAILURES):  # open already, and looks for raw files beside it
        return beside_file(file, name)
    return None


def _storage_of(dataset: Any, folder: Path) -> Iterator[tuple[Path, bool]]:
    with suppress(*_FAILURES):
        for name, _, _ in dataset.external or ():
            prefix = os.environ.get("HDF5_EXTFILE_PREFIX", "").replace(
                "${ORIGIN}", str(folder)
            )
            bases = [Path(prefix)] if prefix else []
            for base in (*bases, folder, Path.cwd()):
                yield base / os.fsdecode(name), False
    with suppress(*_FAILURES):
        if dataset.is_virtual:
            for source in dataset.virtual_sources():
                if source.file_name != ".":
                    yield from ((p, True) for p in _files(source.file_name, folder))


def _files(name: str, folder: Path) -> list[Path]:
    """Return what a name may mean: beside the file or in the working folder."""
    has_counter = "%b" in name
    plain = _COUNTER.sub(lambda m: "%" if m[1] == "%" else "*", name)
    found = []
    for base in (folder, Path.cwd()):
        path = base / plain
        if has_counter:
            found += sorted(path.parent.glob(path.name))
        elif path.exists():
            found.append(path)
    # Where nothing is, its first meaning is kept: it would be read if it came.
    return found or ([] if has_counter else [folder / plain])
