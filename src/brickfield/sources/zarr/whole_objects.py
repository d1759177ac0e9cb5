"""Storage chunks of one array out of objects that are fetched whole.

For web servers that know no ranges (a shard's index and inner chunks are ranges of
it) or send every object somewhere else. An object is fetched once and kept while
its chunks are asked for, in bounded memory; tensorstore decodes it from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brickfield.sources.io.http_objects import fetch
from brickfield.sources.io.location import Location
from brickfield.sources.limits.kept_once import KeptOnce
from brickfield.sources.zarr.memory_array import MemoryArray

MAX_OBJECT_BYTES = 256 << 20
"""Largest object that is fetched whole."""
KEPT_BYTES = 64 << 20
"""Objects kept, of one array; the one in use is, whatever its size."""


class WholeObjects:
    """Objects of one array. Any thread may call it.

    Parameters
    ----------
    location : Location
        The array's folder, on a web server.
    open_array : callable
        A tensorstore key-value store's spec and context to the array in it.
    most_bytes : int
        Largest object that there can be.
    """

    def __init__(
        self,
        location: Location,
        open_array: Callable[[Any, Any], Any],
        most_bytes: int = MAX_OBJECT_BYTES,
    ) -> None:
        self._location = location
        self._array = MemoryArray(open_array)
        self._most = min(most_bytes, MAX_OBJECT_BYTES)
        self._objects = KeptOnce(self._fetch, lambda raw: len(raw or b""), KEPT_BYTES)

    def read(self, key: str, region: tuple[slice, ...]) -> tuple[Any, int]:
        """Read a region that lies in one object.

        Parameters
        ----------
        key : str
            Of the object.
        region : tuple of slice
            Voxels, one slice per axis.

        Returns
        -------
        data : ndarray
        n_bytes : int
            Fetched for this read: 0 when the object was kept.

        Raises
        ------
        ValueError
            Beginning with a status name, as tensorstore's.
        """
        raw, n_bytes, _ = self._objects.get(key)
        if raw is None:
            msg = f"NOT_FOUND: nothing is stored at {key}"
            raise ValueError(msg)
        return self._array.decode(key, raw, region), n_bytes

    def _fetch(self, key: str) -> tuple[bytes | None, int, int]:
        raw = fetch(self._location, key, self._most)
        return raw, len(raw or b""), 1
