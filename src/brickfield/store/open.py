"""From a place or arrays to a store, one call."""

from __future__ import annotations

from os import PathLike
from typing import Any, cast

from brickfield.sources import (
    ChunkSource,
    ReplaceableSource,
    foreign,
    open_source,
    with_coarse_level,
)
from brickfield.store.image_store import ChunkedImageStore


def open_store(uri_or_arrays: Any, **options: Any) -> ChunkedImageStore:
    """Open any supported image.

    Parameters
    ----------
    uri_or_arrays : str, Path, array or list of arrays
        A file, folder or URL; or one array (…, z, y, x), or one a level, finest
        first (numpy, memmap, dask, zarr, tensorstore, h5py).
    **options
        As for :func:`brickfield.sources.open.open_source`: `image` (a name
        that ``brickfield info`` lists), `series`, `well`, `field`, `label`, `scale` (world units a voxel), `axes`, …

    Returns
    -------
    ChunkedImageStore
        Nothing is read yet but metadata. Large data without a pyramid get a
        coarse level sampled on the fly, and a finding says so.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
        In one sentence: what was expected, what was found, what to do.
    """

    def opened() -> ChunkSource:
        source = open_source(uri_or_arrays, **options)
        with foreign(source.info.uri):
            return with_coarse_level(source)

    if not isinstance(uri_or_arrays, str | PathLike):
        return ChunkedImageStore(opened())
    # Its facts are read-only properties, which a protocol's members are not.
    store = ChunkedImageStore(cast("ChunkSource", ReplaceableSource(opened)))
    store.address = str(uri_or_arrays)
    return store
