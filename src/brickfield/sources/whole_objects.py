"""Storage chunks of one array out of objects that are fetched whole.

For web servers that know no ranges (a shard's index and inner chunks are ranges of
it) or send every object somewhere else. An object is fetched once and kept while
its chunks are asked for, in bounded memory; tensorstore decodes it from there.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from brickfield.sources.http_objects import fetch
from brickfield.sources.kvstore import Location
from brickfield.sources.waiting import result_of

MAX_OBJECT_BYTES = 256 << 20
"""Largest object that is fetched whole."""
KEPT_BYTES = 256 << 20
"""Objects kept, of one array."""


class WholeObjects:
    """Objects of one array. Any thread may call it.

    Parameters
    ----------
    location : Location
        The array's folder, on a web server.
    open_array : callable
        A tensorstore key-value store's spec and context to the array in it.
    """

    def __init__(
        self, location: Location, open_array: Callable[[Any, Any], Any]
    ) -> None:
        self._location = location
        self._open_array = open_array
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}
        self._kept: OrderedDict[str, bytes | None] = OrderedDict()
        self._own = threading.local()

    def read(self, key: str, region: tuple[slice, ...]) -> tuple[Any, int]:
        """Read a region that lies in one object.

        Returns
        -------
        data : ndarray
        n_bytes : int
            Fetched for this read: 0 when the object was at hand.

        Raises
        ------
        ValueError
            Beginning with a status name, as tensorstore's.
        """
        raw, n_bytes = self._object(key)
        if raw is None:
            msg = f"NOT_FOUND: nothing is stored at {key}"
            raise ValueError(msg)
        if not hasattr(self._own, "array"):
            import tensorstore as ts

            context = ts.Context({"cache_pool": {"total_bytes_limit": 0}})
            memory = {"driver": "memory"}
            self._own.store = ts.KvStore.open(memory, context=context).result()
            self._own.array = self._open_array(memory, context)
        self._own.store.write(key, raw).result()
        try:
            return result_of(self._own.array[region].read()), n_bytes
        finally:
            self._own.store.write(key, None).result()

    def _object(self, key: str) -> tuple[bytes | None, int]:
        with self._lock:
            own = self._fetching.setdefault(key, threading.Lock())
        with own:
            with self._lock:
                if key in self._kept:
                    self._kept.move_to_end(key)
                    return self._kept[key], 0
            raw: bytes | None = fetch(self._location, key, MAX_OBJECT_BYTES)
            with self._lock:
                self._kept[key] = raw
                while len(self._kept) > 1 and self._n_bytes() > KEPT_BYTES:
                    self._kept.popitem(last=False)
                self._fetching.pop(key, None)
        return raw, len(raw or b"")

    def _n_bytes(self) -> int:
        return sum(len(raw or b"") for raw in self._kept.values())
