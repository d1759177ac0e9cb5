"""What a view needs of a layer and of its data; the package ``store`` provides it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brickfield.loading import ChunkManager
from brickfield.model import (
    AffineTransform,
    ImageInfo,
    Pyramid,
    Selection,
    VersionCounter,
)
from brickfield.model.appearance import Appearance


class StoreLike(Protocol):
    """Data of one image."""

    @property
    def info(self) -> ImageInfo:
        """Describe the image."""
        ...

    @property
    def pyramid(self) -> Pyramid:
        """Levels and planned chunks."""
        ...

    @property
    def manager(self) -> ChunkManager:
        """Loader of chunks."""
        ...

    def occupancy(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which planned chunks are known to hold nothing.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, 3), int64
            Grid indices (z, y, x).

        Returns
        -------
        ndarray, shape (n,), bool, or None
            None where nothing is known.
        """
        ...


class LayerLike(Protocol):
    """Data, appearance and versions of one layer; holds nothing of the GPU."""

    data_version: VersionCounter
    colormap_version: VersionCounter
    geometry_version: VersionCounter

    @property
    def store(self) -> Any:
        """The data (:class:`StoreLike`)."""
        ...

    @property
    def appearance(self) -> Appearance:
        """How it looks."""
        ...

    @property
    def world(self) -> AffineTransform:
        """Data space (level-0 index) to world."""
        ...

    @property
    def selections(self) -> Sequence[Selection]:
        """Index on the non-spatial axes, one for each drawn channel."""
        ...

    @property
    def visible(self) -> bool:
        """Whether it is drawn."""
        ...
