"""Whether the data of a source are still the same, without reading all of them.

Two tiers. The first is what the file system says of every file: name, size, time of
change, inode. The second is for data that were rewritten within one tick of the
clock, or whose times were set back: blake2b of head, tail and up to 64 pages spread
over a file, of up to 4096 files spread over all. A full hash is taken on request, and
stands beside the others: where one fingerprint lacks it, the sample decides.

What lies on a server is told by its entity tags or times of change, where it gives
them, and by the voxels of a few storage chunks. Two fingerprints are compared by what
both of them know, so that a server that failed to answer once changes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b
from math import prod
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import Request, urlopen

import numpy as np

from brickfield.errors import BrickfieldError
from brickfield.sources.places import places_of
from brickfield.sources.protocol import ChunkSource

PAGE_BYTES = 4096
MOST_PAGES = 64
"""Read of one file, besides its head and tail."""
MOST_FILES = 4096
"""Of which pages are read."""
MOST_PAGES_IN_ALL = 1 << 14
MOST_ASKED = 512
"""Objects of a server that are asked for their tags."""
MOST_CHUNKS = 27
"""Storage chunks of a remote source whose voxels are read."""
_AT_ONCE = 16
_TIMEOUT_S = 10

Fingerprint = dict[str, Any]
"""Plain JSON values."""


def fingerprint(
    source: ChunkSource, level: int = 0, *, reads_voxels: bool = True
) -> Fingerprint:
    """Tell what the data of one level of a source are like now.

    Parameters
    ----------
    source : ChunkSource
        Open. Arrays in memory have nothing to tell.
    level : int
        Where levels are folders of their own, the others do not count.
    reads_voxels : bool
        Whether storage chunks of remote data are read.

    Returns
    -------
    dict
        To be compared by :func:`is_same`.
    """
    name = source.info.pyramid.levels[level].path.strip("/")
    places = places_of(source)
    local = [p for p in places if isinstance(p, Path)]
    own = [p for p in local if name and p.as_posix().endswith(f"/{name}")]
    if own:
        local = [max(own, key=lambda p: len(p.parts))]
    found: Fingerprint = of_files(local) if local else {}
    if len(local) < len(places) and source.is_remote:
        found["tags"] = _tags(source, level)
        if reads_voxels:
            found["voxels"] = _voxels(source, level)
    return found


def of_files(
    places: Iterable[Path | str],
    *,
    full: bool = False,
    on_read: Callable[[int], None] | None = None,
) -> Fingerprint:
    """Tell what files, and all files below folders, are like now.

    Parameters
    ----------
    places : iterable of Path or str
    full : bool
        Whether every byte is read, too.
    on_read : callable, optional
        Told the bytes of each part that the full hash read, up to 1 MiB; what it raises
        ends the reading.

    Returns
    -------
    dict
        ``files`` and ``bytes`` in all, ``stat`` (names, sizes, times, inodes) and
        ``sample`` (pages) as hexadecimal digests, and ``full`` where it was asked for.
    """
    files = sorted({f for place in places for f in _files(place)})
    about, sample = blake2b(digest_size=16), blake2b(digest_size=16)
    step = max(1, -(-len(files) // MOST_FILES))
    n_pages = min(MOST_PAGES, MOST_PAGES_IN_ALL // max(1, len(files) // step))
    n_bytes = 0
    for number, file in enumerate(files):
        try:
            facts = os.stat(file)  # noqa: PTH116 -- a million of them
            line = f"{file}|{facts.st_size}|{facts.st_mtime_ns}|{facts.st_ino}\n"
            about.update(line.encode("utf-8", "surrogateescape"))
            n_bytes += facts.st_size
            if number % step == 0:
                for part in _pages(file, facts.st_size, n_pages):
                    sample.update(part)
        except OSError as error:
            about.update(f"{file}|{error.errno}\n".encode("utf-8", "surrogateescape"))
    found: Fingerprint = {
        "files": len(files),
        "bytes": n_bytes,
        "stat": about.hexdigest(),
        "sample": sample.hexdigest(),
    }
    if full:
        found["full"] = _whole(files, on_read)
    return found


def _whole(files: list[str], on_read: Callable[[int], None] | None) -> str:
    """Hash every byte of files, and where one ends."""
    digest = blake2b(digest_size=16)
    for file in files:
        parts, n_bytes = _pages(file, 0, None), 0
        while True:
            try:
                part = next(parts, b"")
            except OSError as error:
                digest.update(f"|{error.errno}".encode())
                break
            if not part:
                break
            digest.update(part)
            n_bytes += len(part)
            if on_read is not None:  # what it raises is no failure to read
                on_read(len(part))
        digest.update(f"|{n_bytes}\n".encode())
    return digest.hexdigest()


def is_same(first: Any, second: Any) -> bool:
    """Tell whether two fingerprints describe the same data, as far as both know.

    Parameters
    ----------
    first : mapping
        A fingerprint; anything else is never the same.
    second : mapping
        Likewise.
    """
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return False
    for key in ("files", "stat", "sample"):
        if first.get(key) != second.get(key):
            return False
    if not _agree(first, second, "full"):
        return False
    for key in ("tags", "voxels"):
        one, two = first.get(key) or {}, second.get(key) or {}
        if any(one[name] != two[name] for name in one.keys() & two.keys()):
            return False
    return True


def has_same_content(first: Any, second: Any) -> bool:
    """Tell whether two fingerprints are of equal bytes, wherever and whenever written.

    Names, times and inodes do not count, so that data that were moved or copied are
    found again. Sure where both have a full hash; else as sure as samples are.

    Parameters
    ----------
    first : mapping
        A fingerprint; anything else is never the same.
    second : mapping
        Likewise.
    """
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return False
    if first.get("sample") is None:
        return False
    return all(first.get(key) == second.get(key) for key in ("files", "sample")) and (
        _agree(first, second, "bytes") and _agree(first, second, "full")
    )


def _agree(first: Mapping[str, Any], second: Mapping[str, Any], key: str) -> bool:
    one, two = first.get(key), second.get(key)
    return one is None or two is None or one == two


def _files(place: Path | str) -> Iterator[str]:
    if not os.path.isdir(place):  # noqa: PTH112 -- a million of them
        yield str(place)
        return
    waiting, seen = [str(place)], set[tuple[int, int]]()
    while waiting:
        here = waiting.pop()
        try:
            about = os.stat(here)  # noqa: PTH116
            at = (about.st_dev, about.st_ino)
            with os.scandir(here) as entries:
                found = [] if at in seen else list(entries)
        except OSError:
            continue
        seen.add(at)
        for entry in found:
            if entry.is_dir():
                waiting.append(entry.path)
            else:
                yield entry.path


def _pages(file: str, size: int, n_pages: int | None) -> Iterator[bytes]:
    """Yield head, pages spread between, and tail; everything for None."""
    if not os.path.isfile(file):  # noqa: PTH113 -- thousands of them
        return
    with open(file, "rb") as opened:  # noqa: PTH123 -- thousands of them
        if n_pages is None or size <= (n_pages + 2) * PAGE_BYTES:
            while part := opened.read(1 << 20):
                yield part
            return
        starts = np.linspace(0, size - PAGE_BYTES, n_pages + 2).astype(np.int64)
        for start in starts.tolist():
            opened.seek(start)
            yield opened.read(PAGE_BYTES)


def _some_chunks(source: ChunkSource, level: int, most: int) -> list[tuple[int, ...]]:
    """Return storage chunks spread evenly over a level, the first and last too."""
    about = source.info.pyramid.levels[level]
    shape = [
        -(-n // c) for n, c in zip(about.shape, about.storage_chunk_shape, strict=True)
    ]
    n = prod(shape)
    # In whole numbers: a level may claim more chunks than a float can count.
    count = min(n, most)
    numbers = {i * (n - 1) // max(1, count - 1) for i in range(count)}
    found = []
    for number in sorted(numbers):
        index = []
        for axis in reversed(shape):
            number, at = divmod(number, axis)
            index.append(at)
        found.append(tuple(reversed(index)))
    return found


def _voxels(source: ChunkSource, level: int) -> dict[str, str]:
    def read(index: tuple[int, ...]) -> tuple[str, str] | None:
        try:
            data = source.read_storage_chunk(level, index).data
        except BrickfieldError:
            return None
        raw = b"" if data is None else np.ascontiguousarray(data).tobytes()
        return str(index), blake2b(raw, digest_size=8).hexdigest()

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-look") as pool:
        found = list(pool.map(read, _some_chunks(source, level, MOST_CHUNKS)))
    return dict(pair for pair in found if pair is not None)


def _tags(source: ChunkSource, level: int) -> dict[str, str]:
    parts = urlsplit(str(source.info.uri).removeprefix("precomputed://"))
    if parts.scheme not in ("http", "https") or "@" in parts.netloc:
        return {}
    chunks = _some_chunks(source, level, MOST_ASKED)
    keys = {source.storage_key(level, index).partition("[")[0] for index in chunks}

    def ask(key: str) -> tuple[str, str] | None:
        path = f"{parts.path.rstrip('/')}/{quote(key)}"
        url = urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))
        tag = _tag_of(url)
        return None if tag is None else (key, tag)

    names = sorted(keys)
    if not names or (ask(names[0]) is None and ask(names[-1]) is None):
        return {}  # a server that tells none, or other names: one is not asked on
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="brickfield-look") as pool:
        found = list(pool.map(ask, names))
    return dict(pair for pair in found if pair is not None)


def _tag_of(url: str) -> str | None:
    request = Request(url, method="HEAD")  # noqa: S310 -- http and https alone
    try:
        with urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            told = answer.headers
    except (URLError, OSError, ValueError):
        return None
    tag = told.get("ETag") or told.get("Last-Modified")
    return None if tag is None else f"{tag}|{told.get('Content-Length', '')}"
