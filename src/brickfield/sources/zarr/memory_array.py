"""One array of tensorstore whose stored objects are put into memory to be decoded."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.sources.io.cancellation import result_of


class MemoryArray:
    """Decodes stored objects, one per thread at a time. Any thread may call it.

    Parameters
    ----------
    open_array : callable
        A tensorstore key-value store's spec and context to the array in it.
    """

    def __init__(self, open_array: Callable[[Any, Any], Any]) -> None:
        self._open_array = open_array
        self._own = threading.local()

    def decode(
        self, key: str, raw: bytes, region: tuple[slice, ...]
    ) -> NDArray[np.generic]:
        """Read a region that lies in one object.

        Parameters
        ----------
        key : str
            Of the object.
        raw : bytes
            As stored.
        region : tuple of slice
            Voxels.

        Returns
        -------
        ndarray, shape of the region

        Raises
        ------
        ValueError
            As tensorstore's.
        """
        own = self._own
        if not hasattr(own, "array"):
            import tensorstore as ts

            context = ts.Context({"cache_pool": {"total_bytes_limit": 0}})
            memory = {"driver": "memory"}
            own.store = ts.KvStore.open(memory, context=context).result()
            own.array = self._open_array(memory, context)
        own.store.write(key, raw).result()
        try:
            data: NDArray[np.generic] = result_of(own.array[region].read())
        finally:
            own.store.write(key, None).result()
        return data
