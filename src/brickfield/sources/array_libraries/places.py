"""The files that an array of any library is read from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from brickfield.sources.io.plain_files import local_path
from brickfield.sources.places import Place, places_of

MAX_DEPTH = 8
"""So deep are arrays that wrap arrays looked into."""
MAX_TASKS = 100_000
"""So many tasks of a layer of a dask graph are looked at."""


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
