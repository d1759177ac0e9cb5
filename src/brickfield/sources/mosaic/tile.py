"""One image of a mosaic: where it lies, and its voxels once they are wanted.

Invariant: what is known of a tile without opening it suffices to plan with it. Its
source is opened when a voxel of it is first wanted, and only once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError
from brickfield.model import AffineTransform, Int3
from brickfield.sources.protocol import ChunkSource

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TilePlace:
    """What is known of a tile without opening it.

    Attributes
    ----------
    name : str
        Unlike that of any other tile of the mosaic.
    matrix : AffineTransform
        From voxel index of level 0 (centres, z, y, x) to world.
    shape : tuple of int
        Voxels of level 0, (z, y, x).
    time : int or None
        Index of the one time point that it belongs to; None for all.
    channels : tuple of int or None
        Which channel of the mosaic each of its own is; None where they are the same.
    attributes : tuple of (str, str)
        What it is one of, for example ``("angle", "45")``.
    absent : tuple of int
        Indices of the time points at which it is not there.
    """

    name: str
    matrix: AffineTransform
    shape: Int3
    time: int | None = None
    channels: tuple[int, ...] | None = None
    attributes: tuple[tuple[str, str], ...] = ()
    absent: tuple[int, ...] = ()

    @property
    def voxel_size(self) -> F64:
        """Length of a step along each of its own axes (z, y, x), world units."""
        return self.matrix.lengths

    def box(self) -> F64:
        """Return the box round it, shape (2, 3): edges (z, y, x), world."""
        edges = [(-0.5, n - 0.5) for n in self.shape]
        corners = self.matrix.apply(np.array(list(product(*edges))))
        return np.array([corners.min(axis=0), corners.max(axis=0)])


class Tile:
    """One image of a mosaic, opened when it is first read. Any thread.

    Parameters
    ----------
    place : TilePlace
    open_source : callable
        Returns its source.
    is_ours : bool
        Whether closing the tile closes the source.
    first : AffineTransform, optional
        Where it lies by its file; default where it is now.

    Attributes
    ----------
    place : TilePlace
        Where it is now.
    first : AffineTransform
    """

    def __init__(
        self,
        place: TilePlace,
        open_source: Callable[[], ChunkSource],
        *,
        is_ours: bool = True,
        first: AffineTransform | None = None,
    ) -> None:
        self.place = place
        self.first = place.matrix if first is None else first
        self._open = open_source
        self._is_ours = is_ours
        self._original: Tile | None = None
        self._lock = threading.Lock()
        self._source: ChunkSource | None = None
        self._is_closed = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.place.name

    @property
    def source(self) -> ChunkSource:
        """Its voxels.

        Raises
        ------
        ChunkReadError
            If the mosaic was closed.
        BrickfieldError
            If it cannot be opened.
        """
        with self._lock:
            if self._is_closed:
                msg = f"expected an open mosaic; {self.name} was closed before the read"
                raise ChunkReadError(msg, key=self.name)
            if self._source is None:
                self._source = self._open()
            return self._source

    def shared(self) -> Tile:
        """Return a tile of the same voxels that lies where this one does now."""
        other = Tile(self.place, lambda: self.source, is_ours=False, first=self.first)
        other._original = self
        return other

    def put(self, matrix: AffineTransform) -> None:
        """Put it elsewhere.

        Parameters
        ----------
        matrix : AffineTransform
            From voxel index of level 0 (centres, z, y, x) to world.
        """
        self.place = replace(self.place, matrix=matrix)

    def reopen(self) -> None:
        """Have its source opened anew when it is next wanted."""
        with self._lock:
            source, self._source = self._source, None
        if self._original is not None:
            self._original.reopen()
        elif source is not None and self._is_ours:
            source.close()

    @property
    def is_open(self) -> bool:
        """Whether its source has been opened."""
        original = self._original
        return self._source is not None or (original is not None and original.is_open)

    def close(self) -> None:
        """Give its files back, if the mosaic opened them."""
        with self._lock:
            self._is_closed = True
            source, self._source = self._source, None
        if source is not None and self._is_ours:
            source.close()
