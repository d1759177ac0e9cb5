"""Whether two openings of a place read the same data.

Invariant: a name that :func:`data_identity` gives holds for these files only: a
chunk that is rewritten, added or taken away changes it. Large stores are
sampled, so that opening stays quick: of every folder its own time and so many
files, evenly spaced, that a few thousand are looked at. What is written over in
place in such a store may stay unnoticed; ``store.reload()`` reads it in any case.
"""

from __future__ import annotations

import hashlib
import os
from itertools import islice
from pathlib import Path
from typing import Any

MOST_FILES = 2048
"""Files and folders that are looked at."""
_MOST_LISTED = 100_000


def data_identity(*places: Path | None) -> str:
    """Digest of the files below some local places.

    Parameters
    ----------
    *places : Path or None
        Files or folders; None and what is not there count as nothing.

    Returns
    -------
    str
        Equal for equal names, sizes, times and inodes.
    """
    digest = hashlib.blake2b(digest_size=16)
    real = [p for p in places if p is not None]
    for place in real:
        try:
            about = place.stat()
        except OSError:
            continue
        _add(digest, str(place), about)
        if place.is_dir():
            _walk(digest, place, MOST_FILES // len(real))
    return digest.hexdigest()


def _add(digest: Any, name: str, about: os.stat_result) -> None:
    facts = (name, about.st_mtime_ns, about.st_size, about.st_ino)
    digest.update("|".join(map(str, facts)).encode("utf-8", "surrogateescape"))


def _walk(digest: Any, folder: Path, room: int) -> None:
    try:
        with os.scandir(folder) as listed:
            entries = sorted(islice(listed, _MOST_LISTED), key=lambda e: e.name)
    except OSError:
        return
    digest.update(str(len(entries)).encode())
    step = max(1, -(-len(entries) // max(1, room)))
    looked = entries[::step]
    inner = []
    for entry in looked:
        try:
            _add(digest, entry.name, entry.stat())
            if entry.is_dir():
                inner.append(entry.path)
        except OSError:
            continue
    left = room - len(looked)
    for path in inner if left > 0 else []:
        _walk(digest, Path(path), left // len(inner))
