"""The smallest and the largest value of a channel, before it is scaled by them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from brickfield.blockwise import Block
from brickfield.imaris.dtypes import extent


class RangeSearch:
    """The block function that looks at one time point and channel. From any thread.

    Parameters
    ----------
    read : callable
        Returns the voxels (z, y, x) of a region, in values of the source.

    Attributes
    ----------
    span : (float, float) or None
        Of the finite values seen so far; None when there are none.
    """

    def __init__(self, read: Callable[[tuple[slice, ...]], NDArray[Any]]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self.span: tuple[float, float] | None = None

    def __call__(self, block: Block) -> int:
        """Look at a tile; nothing is written."""
        found = extent(self._read(block.slices))
        if found is not None:
            with self._lock:
                low, high = self.span or found
                self.span = (min(low, found[0]), max(high, found[1]))
        return 0
