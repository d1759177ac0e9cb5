"""The files and folders that a source reads, for whoever writes something.

A place is a path on this machine, or the address of what lies elsewhere. A folder
stands for all that lies below it. Writers ask here, so that none of them replaces
what it reads from, and so that work which goes on later can tell whether its
source is still the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from brickfield.sources.io.location import Location
from brickfield.sources.io.plain_files import local_path

Place = Path | str
MAX_DEPTH = 8
"""So deep are arrays that wrap arrays looked into."""
MAX_TASKS = 100_000
"""So many tasks of a layer of a dask graph are looked at."""


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


def places_of_array(array: Any) -> tuple[Place, ...]:
    """Return the files that an array of any library is read from.

    numpy maps, h5py, zarr and tensorstore say so themselves; in a dask graph the
    arrays and the names of existing files among the arguments are taken.
    """
    return tuple(dict.fromkeys(_of_array(array, 0)))


def _of_array(array: Any, depth: int) -> Iterator[Place]:
    if depth > MAX_DEPTH or array is None:
        return
    library = type(array).__module__.partition(".")[0]
    if library == "h5py" and hasattr(array, "file"):
        from brickfield.sources.hdf5.places import files_of

        yield from files_of(array)
    elif library == "zarr":
        yield from _of_store(getattr(array, "store", None))
    elif library == "tensorstore":
        spec = array.spec().to_json() if hasattr(array, "spec") else {}
        yield from _of_spec(spec.get("kvstore"))
    elif hasattr(array, "__dask_graph__"):
        yield from _of_graph(array.__dask_graph__(), depth)
    else:
        yield from _of_plain(array, depth)


def _of_plain(array: Any, depth: int) -> Iterator[Place]:
    """Look for a map's file, and through what wraps another array."""
    name = getattr(array, "filename", None)
    if isinstance(name, str | Path):
        yield Path(name).absolute()
    inner = getattr(array, "store", None)
    if inner is not None and hasattr(inner, "source"):  # a lazy level of ours
        yield from places_of(inner.source)
    encoding = getattr(array, "encoding", None)
    if isinstance(encoding, Mapping) and isinstance(encoding.get("source"), str):
        yield from _of_text(encoding["source"])
    for attribute in ("base", "data", "_data", "array"):
        below = getattr(array, attribute, None)
        if below is not array and hasattr(below, "shape") and hasattr(below, "dtype"):
            yield from _of_array(below, depth + 1)


def _of_store(store: Any) -> Iterator[Place]:
    for attribute in ("root", "path", "dir_path", "_store", "store"):
        value = getattr(store, attribute, None)
        if isinstance(value, Path):
            yield value.absolute()
        elif isinstance(value, str) and value:
            yield from _of_text(value)
        elif attribute.endswith("store") and value is not None and value is not store:
            yield from _of_store(value)
    handle = getattr(getattr(store, "_filecache", None), "files", None)
    for file in handle or ():
        yield from _of_text(str(getattr(file, "path", "")))


def _of_spec(kvstore: Any) -> Iterator[Place]:
    if isinstance(kvstore, str):
        yield from _of_text(kvstore)
    elif isinstance(kvstore, Mapping):
        if kvstore.get("driver") == "file":
            yield Path(str(kvstore.get("path", "")).rstrip("/") or "/")
        yield from _of_spec(kvstore.get("base"))


def _of_text(text: str) -> Iterator[Place]:
    """Take a text for a place when something is there."""
    if "\0" in text or not 0 < len(text) < 4096:
        return
    scheme, mark, _ = text.partition("://")
    if mark and scheme != "file":
        yield text
        return
    path = local_path(text)
    looks = "/" in text or "\\" in text or bool(path.suffix)
    try:
        if looks and path.exists():
            yield path.absolute()
    except OSError:
        return


def _of_graph(graph: Any, depth: int) -> Iterator[Place]:
    layers = getattr(graph, "layers", None)
    parts: Iterable[Any] = layers.values() if isinstance(layers, Mapping) else [graph]
    for part in parts:
        # A layer that is described by one task is not unrolled into millions.
        if hasattr(part, "io_deps"):
            yield from _of_argument(getattr(part, "task", None), depth + 1)
            yield from _of_argument(getattr(part, "dsk", None), depth + 1)
            yield from _of_argument(list(getattr(part, "indices", ())), depth + 1)
            continue
        tasks = getattr(part, "mapping", part)
        if isinstance(tasks, Mapping):
            for _, task in zip(range(MAX_TASKS), tasks.values(), strict=False):
                yield from _of_argument(task, depth + 1)


def _of_argument(value: Any, depth: int) -> Iterator[Place]:
    if depth > MAX_DEPTH or value is None:
        return
    if isinstance(value, str | Path):
        yield from _of_text(str(value))
    elif hasattr(value, "shape") and hasattr(value, "dtype"):
        yield from _of_array(value, depth + 1)
    else:
        for inner in _parts_of(value):
            yield from _of_argument(inner, depth + 1)


def _parts_of(value: Any) -> Iterator[Any]:
    """Yield what a collection, or a task of any age of dask, is made of."""
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    else:
        for attribute in ("value", "args", "kwargs", "keywords"):
            inner = getattr(value, attribute, None)
            if not callable(inner):
                yield inner
