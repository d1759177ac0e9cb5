"""Memory that a thread uses again for every block it works on.

A pass over a file of hundreds of gigabytes that allocates new memory for every block
spends much of its time on page faults, and its peak depends on when memory is given
back. With one buffer per thread the peak is known beforehand: as many buffers as
workers.
"""

from __future__ import annotations

from math import prod
from threading import local
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class ThreadBuffers:
    """One reusable buffer for each thread.

    Picklable, and empty when it arrives: workers of other processes have their own.
    What :meth:`take` returns is valid until the same thread takes again.
    """

    def __init__(self) -> None:
        self._own = local()

    def __reduce__(self) -> tuple[Any, ...]:
        return (ThreadBuffers, ())

    def take(self, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """Return an array over this thread's memory.

        Parameters
        ----------
        shape : tuple of int
        dtype : dtype-like

        Returns
        -------
        ndarray
            C order, writable, of whatever was there before. More memory is asked
            for only if no array before was as large.
        """
        kind = np.dtype(dtype)
        n_bytes = prod(shape) * kind.itemsize
        memory: NDArray[np.uint8] | None = getattr(self._own, "memory", None)
        if memory is None or memory.nbytes < n_bytes:
            # The old piece goes before the new one comes.
            self._own.memory = None
            memory = self._own.memory = np.empty(n_bytes, np.uint8)
        return memory[:n_bytes].view(kind).reshape(shape)
