"""Where a layer's voxels are, and whether they are still what they were.

A place is noted twice, absolute and from the session's folder, so that data that
moved together with the session are found. What the data were like is told by a
few hundred files at most (metadata first), so that it costs milliseconds for a store
of a million chunks; a change of a chunk beyond them is not noticed.
"""

from __future__ import annotations

import os
import posixpath
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from brickfield.errors import BrickfieldError
from brickfield.sessions.document import SessionSource
from brickfield.sources import has_same_content, of_files, place_of_uri

Status = Literal["ok", "offline", "changed", "embedded"]
MOST_FILES = 512
"""Of a folder, whose sizes and times count."""
MOST_SAMPLED = 12
"""Of these, whose bytes are looked at."""
METADATA = ("zarr.json", ".zattrs", ".zgroup", ".zarray", "attributes.json", "info")
_STEPS_UP = 8


@dataclass(frozen=True)
class Found:
    """What became of a layer's data.

    Attributes
    ----------
    status : {"ok", "offline", "changed", "embedded"}
    uri : str or None
        Where they are now; where they were, when they are gone.
    message : str
        What to say of it; empty when all is well.
    """

    status: Status
    uri: str | None
    message: str = ""


def looked_at(uri: str) -> dict[str, Any]:
    """Tell what the data at an address are like now; nothing for what is remote."""
    place = place_of_uri(uri)
    if not isinstance(place, Path):
        return {}
    place = existing(place)
    if not place.is_dir():
        return of_files([place])
    # All begin with the folder, so that their order is that of what comes after it.
    files = sorted(_some_files(place))
    n_bytes = newest = 0
    for file in files:
        try:
            about = os.stat(file)  # noqa: PTH116 -- hundreds of them
        except OSError:
            continue
        n_bytes += about.st_size
        newest = max(newest, about.st_mtime_ns)
    # Metadata first: what was written anew differs there most surely.
    named = [f for f in files if f.rpartition(os.sep)[2] in METADATA]
    others = [f for f in files if f.rpartition(os.sep)[2] not in METADATA]
    step = max(1, len(others) // MOST_SAMPLED)
    sampled = [*named[:MOST_SAMPLED], *others[::step][:MOST_SAMPLED]]
    found = of_files(sampled)
    return {**found, "tree": {"files": len(files), "bytes": n_bytes, "newest": newest}}


def existing(place: Path) -> Path:
    """Return the file of an address that goes on inside it ("a.h5:/data").

    Parameters
    ----------
    place : Path
        It need not be there.
    """
    if os.path.lexists(place):
        return place
    text, mark, _ = str(place).rpartition(":")
    return Path(text) if mark and os.path.lexists(text) else place


def _some_files(folder: Path) -> Iterator[str]:
    """Yield the files that are looked at, those of outer folders first."""
    waiting, n = deque([str(folder)]), 0
    while waiting and n < MOST_FILES:
        try:
            with os.scandir(waiting.popleft()) as entries:
                found = sorted(entries, key=lambda e: e.name)
        except OSError:
            continue
        for entry in found:
            if entry.is_dir():
                waiting.append(entry.path)
            elif n < MOST_FILES:
                n += 1
                yield entry.path


def noted(uri: str, image: str, folder: Path) -> SessionSource:
    """Note where data are and what they are like.

    Parameters
    ----------
    uri : str
    image : str
        Number of the layer's image.
    folder : Path
        Of the session, in its final place.
    """
    place = place_of_uri(uri)
    if not isinstance(place, Path):
        return SessionSource(absolute=uri, image=image)
    absolute = os.path.normpath(place)
    return SessionSource(
        absolute=absolute,
        relative=relative_to(absolute, folder),
        fingerprint=looked_at(uri),
        image=image,
    )


def relative_to(absolute: str, folder: Path) -> str | None:
    """Return a path relative to a folder; None for another drive or a long way up.

    Parameters
    ----------
    absolute : str
        The path.
    folder : Path
    """
    try:
        path = os.path.relpath(absolute, os.path.normpath(folder.absolute()))
    except ValueError:  # another drive
        return None
    parts = Path(path).parts
    return None if parts.count("..") > _STEPS_UP else posixpath.join(*parts)


def find(source: SessionSource, folder: Path) -> Found:
    """Look for data relative to a session's folder first, then where they were.

    Parameters
    ----------
    source : SessionSource
    folder : Path
        Of the session.
    """
    if not isinstance(place_of_uri(source.absolute), Path):
        return _remote(source.absolute)
    places = [source.absolute]
    if source.relative:
        near = os.path.normpath(folder.absolute() / source.relative)
        places = list(dict.fromkeys([near, source.absolute]))
    there = [p for p in places if os.path.lexists(existing(Path(p)))]
    if not there:
        text = f"expected data at {source.absolute}; found nothing: preview shown"
        return Found("offline", source.absolute, text)
    # Data at both places: those that did not change are meant, wherever they are.
    changes = {place: _change(source, place) for place in there}
    same = next((place for place in there if not changes[place]), None)
    if same is not None:
        return Found("ok", same)
    return Found("changed", there[0], f"{there[0]}: {changes[there[0]]}")


def _remote(uri: str) -> Found:
    from brickfield.sources import find_format

    try:
        find_format(uri)
    except BrickfieldError as error:
        return Found("offline", uri, f"{error}: preview shown")
    return Found("ok", uri)


def _change(source: SessionSource, place: str) -> str:
    """Say what is other than when the session was saved; nothing if nothing is."""
    then, now = source.fingerprint, looked_at(place)
    if not then:
        return ""
    old, new = _tree(then), _tree(now)
    for name in ("files", "bytes"):
        if name in old and name in new and old[name] != new[name]:
            return f"expected {old[name]:,} {name}; found {new[name]:,}"
    if not has_same_content(then, now):
        return "expected the voxels of when it was saved; found others"
    # Elsewhere it is a copy, which has times of its own.
    is_here = os.path.normpath(place) == source.absolute
    if is_here and old.get("newest", 0) < new.get("newest", 0):
        return "expected files as old as the session; found newer ones"
    return ""


def _tree(found: Mapping[str, Any]) -> dict[str, int]:
    """Return the counts of a fingerprint; what is none is left out."""
    tree = found.get("tree")
    counts = tree if isinstance(tree, Mapping) else found
    return {
        name: value
        for name, value in counts.items()
        if isinstance(value, int) and not isinstance(value, bool)
    }
