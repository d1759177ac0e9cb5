"""The files and folders that a source reads, for writers.

A place is a path on this machine, or the address of what lies elsewhere. A folder
stands for all that lies below it. Writers check here, so that none of them replaces
what it reads from, and so that work which goes on later can tell whether its
source is still the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brickfield.sources.io.location import Location
from brickfield.sources.io.plain_files import local_path

Place = Path | str


def places_of(source: Any) -> tuple[Place, ...]:
    """Return what a source reads.

    Parameters
    ----------
    source : ChunkSource
        One that cannot say it itself is taken for what its address names.

    Returns
    -------
    tuple of Path or str
        Local files and folders as absolute paths, addresses as text.
    """
    told = getattr(source, "places", None)
    found = told() if callable(told) else (place_of_uri(str(source.info.uri)),)
    return tuple(dict.fromkeys(p for p in found if p is not None))


def local_places(source: Any) -> tuple[Path, ...]:
    """Return what a source reads on this machine."""
    return tuple(p for p in places_of(source) if isinstance(p, Path))


def place_of_uri(uri: str) -> Place | None:
    """Return what an address names; None for arrays in memory."""
    scheme, mark, _ = uri.partition("://")
    if uri.startswith("memory:"):
        return None
    if mark and scheme != "file":
        return uri
    return local_path(uri).absolute()


def place_of(location: Location) -> Place:
    """Return the folder of a location, or the zip file that it lies in."""
    if location.local is not None:
        return location.local
    base = location.spec.get("base", {})
    if base.get("driver") == "file":
        return Path(str(base["path"]))
    return location.uri
