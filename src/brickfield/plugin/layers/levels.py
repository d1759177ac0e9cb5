"""The list of levels that an ``Image`` layer holds.

napari's own wrapper gives the coarsest level to a caller that needs an array of a whole
multiscale layer, and refuses a data type, so that saving such a layer as TIFF
fails. Here it is the finest level that fits easily in memory, and a notice when
that is not the finest one.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from brickfield.plugin.napari_names import multiscale_base
from brickfield.plugin.slicing.progressive_slice import available_bytes

logger = logging.getLogger(__name__)
SHARE = 0.25
"""Of the free memory, that one level as an array may take."""


_Base: Any = multiscale_base()


class LazyLevels(_Base):
    """Lazy levels, finest first, which are an array when they must be."""

    def __array__(
        self, dtype: DTypeLike | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Read the finest level that fits."""
        room = SHARE * available_bytes()
        sizes = [int(np.prod(level.shape)) * level.dtype.itemsize for level in self]
        fits = (i for i, size in enumerate(sizes) if size <= room)
        level = next(fits, len(sizes) - 1)
        if level:
            _tell(level, sizes[0])
        return np.asarray(self[level], dtype=dtype)


def _tell(level: int, nbytes: int) -> None:
    from napari.utils.notifications import show_warning

    show_warning(
        f"Full resolution takes {nbytes / 1e9:.1f} GB, more than fits easily in memory:"
        f" this is coarser (level {level}). Save as .ome.zarr to keep all of it."
    )
