"""Refuses to write where a source is read from.

Files are compared by device and inode, never by their names alone, so that links,
other spellings and mounted folders make no difference. A target is refused when

- it is a place that the source reads, or lies in a folder that it reads,
- it holds such a place,
- something below the target is the same file as one of the source's (a hard link),
  or a link to one, or a file of the source is a link into the target.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from brickfield.errors import OptionError, StoreWriteError
from brickfield.sources import local_places
from brickfield.sources.io import may_write

FileId = tuple[int, int]
"""Device and inode."""
MOST_ENTRIES = 200_000
"""Most files of a source that are compared with one output file for links."""


def check_folder(folder: Path, source: Any, *, within: Path | None = None) -> None:
    """Refuse a folder that must not be written to, since the source is read there.

    Parameters
    ----------
    folder : Path
        To be written, whether it is there or not.
    source : ChunkSource
        Open.
    within : Path, optional
        A folder of the source in which new folders may be made.

    Raises
    ------
    OptionError
        Naming what of the source would be written over.
    StoreWriteError
        If the folder, or the one that it would be made in, is read-only.
    """
    check_folder_for_all(folder, [source], within=within)


def check_folder_for_all(
    folder: Path, sources: Iterable[Any], *, within: Path | None = None
) -> None:
    """Refuse a folder that must not be written to, since a source is read there.

    Parameters
    ----------
    folder : Path
        To be written, whether it is there or not.
    sources : iterable of ChunkSource
        Open.
    within : Path, optional
        A folder of the sources in which new folders may be made.

    Raises
    ------
    OptionError
        Naming what of a source would be written over.
    StoreWriteError
        If the folder, or the one that it would be made in, is read-only.
    """
    check_writable(folder)
    target, is_filled = _Target(folder), _is_filled(folder)
    if is_filled:
        target.look_inside()
    for source in sources:
        places = [p for p in local_places(source) if not _is_same(p, within)]
        _check_places(target, places)
        if is_filled:
            _check_links(target, places, most=None)


def check_writable(folder: Path) -> None:
    """Refuse a folder that is marked read-only, also where a superuser could write.

    Parameters
    ----------
    folder : Path
        To be written; where it is not there, the first one above it counts.

    Raises
    ------
    StoreWriteError
    """
    there = folder.absolute()
    while not there.is_dir() and there != there.parent:
        there = there.parent
    if not may_write(there):
        msg = f"expected a folder that may be written to; found {there} read-only"
        raise StoreWriteError(msg)


def check_file(file: Path, sources: Iterable[Any]) -> None:
    """Refuse a file that a source reads, or one inside a folder that it reads.

    Parameters
    ----------
    file : Path
        To be written, whether it is there or not.
    sources : iterable of ChunkSource
        Open; the sources of what is drawn or written.

    Raises
    ------
    OptionError
    """
    target = _Target(file)
    for source in sources:
        places = list(local_places(source))
        _check_places(target, places)
        if file.exists():
            _check_links(target, places, most=MOST_ENTRIES)


@dataclass(frozen=True)
class _Over:
    """Folders that something lies in: device and inode, and name, of each."""

    ids: frozenset[FileId | None] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass
class _Target:
    """What is to be written.

    Attributes
    ----------
    path : Path
    real : Path
        Links followed.
    ids : set
        Files with more than one name, below the target or itself.
    links : list of Path
        Where links below the target lead, links followed.
    known, folders : dict
        What was looked at for this check; many sources lie in the same folders.
    """

    path: Path
    real: Path = field(init=False)
    ids: set[FileId] = field(default_factory=set)
    links: list[Path] = field(default_factory=list)
    known: dict[str, FileId | None] = field(default_factory=dict)
    folders: dict[str, _Over] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.real = Path(os.path.realpath(self.path))
        about = _stat(self.real)
        # Another name of the same file: writing over it would change the source through
        # it.
        if about is not None and stat.S_ISREG(about.st_mode) and about.st_nlink > 1:
            self.ids.add((about.st_dev, about.st_ino))

    def look_inside(self) -> None:
        """Find links and files of several names; links are not gone through."""
        for entry in _entries(self.real, follows=False):
            if entry.is_symlink():
                self.links.append(Path(os.path.realpath(entry.path)))
            elif entry.is_file():
                about = entry.stat(follow_symlinks=False)
                if about.st_nlink > 1:
                    self.ids.add((about.st_dev, about.st_ino))

    def id_of(self, path: str) -> FileId | None:
        """Return device and inode of a file or folder; asked for once."""
        if path not in self.known:
            self.known[path] = _id(path)
        return self.known[path]

    def over(self, path: str) -> _Over:
        """Return all folders that a path lies in, by whatever names its parents have."""
        missing = []
        folder = os.path.dirname(path)  # noqa: PTH120 - many sources, many folders each
        while folder not in self.folders and folder != path:
            missing.append(folder)
            path, folder = folder, os.path.dirname(folder)  # noqa: PTH120 - likewise
        found = self.folders.get(folder, _Over())
        for folder in reversed(missing):
            found = _Over(found.ids | {self.id_of(folder)}, found.names | {_n(folder)})
            self.folders[folder] = found
        return found

    def refuse(self, how: str, place: Path) -> OptionError:
        """Make the error."""
        return OptionError(
            f"expected to write beside the source, never over it; found that {self.path}"
            f" {how} {place}, which is read: write to another place"
        )


def _check_places(target: _Target, places: list[Path]) -> None:
    own_path = str(target.real)
    own, own_name = target.id_of(own_path), _n(own_path)
    # By device and inode: names differ through links, mounts and letter case.
    round_target = target.over(own_path)
    for place in places:
        real = os.path.realpath(place)
        at, name = target.id_of(real), _n(real)
        if own_name == name or (at is not None and at == own):
            raise target.refuse("is", place)
        if (at is not None and at in round_target.ids) or name in round_target.names:
            raise target.refuse("lies in", place)
        # Both ways up: through the link and from where it leads.
        holders = target.over(real)
        linked = target.over(str(place.absolute()))
        is_over = own is not None and (own in holders.ids or own in linked.ids)
        if is_over or own_name in holders.names:
            raise target.refuse("holds", place)


def _check_links(target: _Target, places: list[Path], most: int | None) -> None:
    for place in places:
        real = Path(os.path.realpath(place))
        for link in target.links:
            if link == real or real in link.parents or link in real.parents:
                raise target.refuse("has a link to", place)
        if target.ids and _id(place) in target.ids:
            raise target.refuse("shares a file with", place)
        for entry in islice(_entries(place, follows=True), most):
            _check_entry(target, entry)


def _check_entry(target: _Target, entry: os.DirEntry[str]) -> None:
    """Refuse when a file of the source lies in the target, by a link of any kind."""
    if entry.is_symlink():
        to = Path(os.path.realpath(entry.path))
        if to == target.real or target.real in to.parents:
            raise target.refuse("holds what is linked at", Path(entry.path))
    if target.ids and _id(entry.path) in target.ids:
        raise target.refuse("shares a file with", Path(entry.path))


def _entries(folder: Path, *, follows: bool) -> Iterator[os.DirEntry[str]]:
    """Yield all entries below a folder; each folder once, however it is linked."""
    waiting, seen = [str(folder)], set[FileId | None]()
    while waiting:
        here = waiting.pop()
        # A folder may be linked inside of itself: each is looked at once.
        at = _id(here)
        if at in seen:
            continue
        seen.add(at)
        try:
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError:
            continue
        for entry in found:
            yield entry
            if entry.is_dir(follow_symlinks=follows):
                waiting.append(entry.path)


def _is_filled(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is not None
    except OSError:
        return False


def _is_same(place: Path, other: Path | None) -> bool:
    return other is not None and _id(place) is not None and _id(place) == _id(other)


def _n(path: str) -> str:
    """Return a name as the system compares it."""
    return os.path.normcase(path)


def _id(path: Path | str) -> FileId | None:
    about = _stat(path)
    return None if about is None else (about.st_dev, about.st_ino)


def _stat(path: Path | str) -> os.stat_result | None:
    try:
        return os.stat(path)  # noqa: PTH116 - of thousands of names, quicker than a Path
    except (OSError, ValueError):
        return None
