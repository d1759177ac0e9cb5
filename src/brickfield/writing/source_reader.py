"""One level of any source, shown in the written axis order.

Frozen and picklable: sent to another process without open files, where the
source reopens, once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import BlockGrid, Slices, intersect, shift
from brickfield.errors import ChunkReadError
from brickfield.model import ImageInfo
from brickfield.model.secrets import hide_secrets
from brickfield.sources import ChunkSource, PartlyReadError, places_of

AnyArray = NDArray[np.generic]
_MOST_PLACES = 4
"""Places in the name of a source, which may be made of thousands of files."""


class IncompleteRegionError(ChunkReadError):
    """Raised when chunks of a region cannot be read, with what could be.

    Parameters
    ----------
    first : ChunkReadError
        Of the first of them.
    data : ndarray
        The region; chunks that cannot be read have the fill value.
    """

    def __init__(self, first: ChunkReadError, data: AnyArray) -> None:
        super().__init__(first.reason, is_transient=first.is_transient, key=first.key)
        self.data = data


@dataclass(frozen=True)
class SourceReader:
    """One level of a source, axes in another order.

    Attributes
    ----------
    level : int
    order : tuple of int
        Axis of the source at every axis shown.
    uri : str or None
        To open it in another process; the source itself is sent if not given.
    source : ChunkSource or None
    opening : tuple of (str, object)
        Options with which the source is opened.
    skip_failed : bool
        Whether a region with chunks that cannot be read is read to its end first.
    """

    level: int
    order: tuple[int, ...]
    uri: str | None = field(default=None, repr=False)
    source: ChunkSource | None = field(default=None, repr=False)
    opening: tuple[tuple[str, Any], ...] = ()
    skip_failed: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        sent = None if self.uri else self.source
        facts = (self.level, self.order, self.uri, sent, self.opening, self.skip_failed)
        return (SourceReader, facts)

    def journal_name(self, source: ChunkSource, info: ImageInfo) -> str:
        """Say which level of which source this is, whatever its data are like now.

        Parameters
        ----------
        source : ChunkSource
            Open.
        info : ImageInfo
            Of the source, as it was first opened.
        """
        places = places_of(source)
        if not places or info.uri.startswith("memory:"):
            return source.source_id
        level = info.pyramid.levels[self.level].path
        # A journal is a file that others may read.
        where = [hide_secrets(str(place)) for place in places[:_MOST_PLACES]]
        return "|".join([*where, info.name, level])

    def _opened(self) -> ChunkSource:
        return self.source or _open_source(str(self.uri), self.opening)

    def _shown(self, values: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(values[a] for a in self.order)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels, axes as shown."""
        return self._shown(self._opened().info.pyramid.levels[self.level].shape)

    @property
    def chunk_shape(self) -> tuple[int, ...]:
        """Unit of decoding, axes as shown."""
        level = self._opened().info.pyramid.levels[self.level]
        return self._shown(level.storage_chunk_shape)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Type of the voxels, native byte order."""
        level = self._opened().info.pyramid.levels[self.level]
        return np.dtype(level.dtype).newbyteorder("=")

    def _stored(self, region: Slices) -> tuple[BlockGrid, Slices]:
        level = self._opened().info.pyramid.levels[self.level]
        stored = [slice(0, 0)] * len(self.order)
        for shown, axis in enumerate(self.order):
            stored[axis] = region[shown]
        return BlockGrid(level.shape, level.storage_chunk_shape), tuple(stored)

    def is_missing(self, region: Slices) -> bool:
        """Tell whether nothing of a region is stored, as far as is known cheaply."""
        grid, stored = self._stored(region)
        indices = np.array([b.index for b in grid.overlapping(stored)], np.int64)
        missing = self._opened().missing_chunks(self.level, indices)
        return missing is not None and bool(np.all(missing))

    def read(self, region: Slices) -> AnyArray:
        """Read a region, each storage chunk once.

        Raises
        ------
        ChunkReadError
            When a chunk cannot be read.
        IncompleteRegionError
            Instead, with `skip_failed`: the others are in it, and what there is of this
            one.
        """
        source = self._opened()
        level = source.info.pyramid.levels[self.level]
        grid, stored = self._stored(region)
        origin = tuple(s.start for s in stored)
        failed: ChunkReadError | None = None
        out = np.empty([s.stop - s.start for s in stored], self.dtype)
        for chunk in grid.overlapping(stored):
            common = intersect(chunk.slices, stored)
            try:
                data = source.read_storage_chunk(self.level, chunk.index).data
            except ChunkReadError as error:
                if not self.skip_failed:
                    raise
                failed = failed or error
                # Of a mosaic the other tiles are there.
                data = error.data if isinstance(error, PartlyReadError) else None
            part = (
                level.fill_value if data is None else data[shift(common, chunk.start)]
            )
            out[shift(common, origin)] = part
        whole = np.ascontiguousarray(out.transpose(self.order))
        if failed is not None:
            raise IncompleteRegionError(failed, whole) from failed
        return whole


@lru_cache(maxsize=4)
def _open_source(uri: str, opening: tuple[tuple[str, Any], ...]) -> ChunkSource:
    from brickfield.sources import open_source

    return open_source(uri, **dict(opening))
