"""From a place or arrays to a store, one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from os import PathLike
from typing import Any, cast

from numpy.typing import ArrayLike

from brickfield.errors import (
    BrickfieldError,
    OptionError,
    StoreFormatError,
    StoreNotFoundError,
)
from brickfield.model import Finding
from brickfield.sources import (
    ChunkSource,
    ReplaceableSource,
    foreign,
    open_source,
    with_coarse_level,
)
from brickfield.sources.mosaic import (
    MosaicOptions,
    MosaicSource,
    Tile,
    TilePlace,
    is_scene,
    open_changed,
    open_mosaic_source,
)
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.tiles import MosaicStore, matrix_of

MARGIN = 0.1
"""Room round the tiles to move them in, as a share of the largest."""
Matrices = Mapping[str, ArrayLike] | Sequence[ArrayLike]
_READING = ("treat_403_as_missing", "follow_links")


def open_store(
    uri_or_arrays: Any,
    *,
    mosaic: bool | None = None,
    overlap: str | None = None,
    colour_by: str | None = None,
    margin: float = 0.0,
    tiles: Mapping[str, Any] | None = None,
    **options: Any,
) -> ChunkedImageStore:
    """Open any supported image.

    The images of an OME-Zarr 0.6 scene and of a BigDataViewer project are opened
    together, each where it lies, unless one is chosen.

    Parameters
    ----------
    uri_or_arrays : str, Path, array or list of arrays
        A file, folder or URL; or one array (…, z, y, x), or one per level, finest
        first (numpy, memmap, dask, zarr, tensorstore, h5py).
    mosaic : bool, optional
        Whether all images of a store are opened as one: also those of a collection
        (True), or only the first one (False).
    overlap : {"max", "mean", "feather", "first", "difference"}, optional
        How voxels of several images at one place become one; ``"max"`` by default.
    colour_by : str, optional
        ``"tile"``, or an attribute of the images such as ``"angle"``: channels are groups
        of them in different colours.
    margin : float
        Room round several images to move them in, as a share of the largest.
    tiles : mapping, optional
        Where several images lie and which are shown, as ``MosaicStore.tile_changes`` says it.
    **options
        As for :func:`brickfield.sources.open_source`: `image` (a name
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
    if overlap is not None:
        MosaicOptions(overlap=overlap)  # type: ignore[arg-type]  # checked there
    is_place = isinstance(uri_or_arrays, str | PathLike)
    is_free = not set(options) - set(_READING)
    is_one = mosaic or (colour_by is not None and mosaic is None)
    is_apart = colour_by is not None and mosaic is False
    if is_apart or ((is_one or tiles) and not (is_place and is_free)):
        msg = "expected all images of a store as one, or one chosen; found both"
        raise OptionError(msg)
    together = {"overlap": overlap or "max", "colour_by": colour_by, "margin": margin}

    def opened() -> ChunkSource:
        source = open_source(uri_or_arrays, **options)
        with foreign(source.info.uri):
            return with_coarse_level(source)

    if not is_place:
        return ChunkedImageStore(opened())
    if tiles:
        return _changed(str(uri_or_arrays), tiles, options)
    if is_one:
        return _together(uri_or_arrays, together | options)
    can_be_several = mosaic is None and is_free
    return _opened(str(uri_or_arrays), opened, together | options, can_be_several)


def _opened(
    uri: str,
    opened: Callable[[], ChunkSource],
    together: dict[str, Any],
    can_be_several: bool,
) -> ChunkedImageStore:
    """Open an image, or all of a scene or project as one where that can be meant."""
    try:
        store = _replaceable(opened, uri)
    except (StoreFormatError, StoreNotFoundError):
        # Of a scene or project whose first image is gone the others are still there.
        if can_be_several and is_scene(uri):
            return _together(uri, together)
        raise
    if not (can_be_several and store.info.is_in_scene):
        return store
    try:
        mosaic = _together(uri, together)
    except BrickfieldError as error:
        # The first one is better than nothing, as long as it says that it is alone.
        reason = str(error)
        store.close()
        return _replaceable(lambda: _alone(opened(), reason), uri)
    mosaic.opens_by_itself = True
    store.close()
    return mosaic


def _replaceable(opened: Callable[[], ChunkSource], uri: str) -> ChunkedImageStore:
    # Its facts are read-only properties, which a protocol's members are not.
    store = ChunkedImageStore(cast("ChunkSource", ReplaceableSource(opened)))
    store.address = uri
    return store


def _alone(source: ChunkSource, reason: str) -> ChunkSource:
    """Add to the first image of several why the others are not shown with it."""
    text = f"{reason}; opened the first image alone"
    finding = Finding("error", "images-apart", "", text)
    source.info = replace(source.info, findings=(*source.info.findings, finding))
    return source


def _together(uri: str | PathLike[str], options: dict[str, Any]) -> MosaicStore:
    """Open all images of a store as one."""
    store = open_mosaic(uri, **options)
    store.address = str(uri)
    return store


def _changed(
    uri: str, changes: Mapping[str, Any], reading: dict[str, Any]
) -> ChunkedImageStore:
    """Open all images of a store as one, as it was changed by hand before."""
    source = open_changed(uri, changes, **reading)
    # The mosaic's own places are those of its file: resetting goes back to them.
    store = MosaicStore(source, document=_project(uri))
    store.address = uri
    return store


def _project(uri: str) -> str | None:
    """Return the address of a BigDataViewer project; None for any other."""
    is_project = uri.lower().endswith(".xml") and "://" not in uri
    return uri if is_project else None


def open_mosaic(
    uri_or_stores: Any,
    matrices: Matrices | None = None,
    overlap: str = "max",
    **options: Any,
) -> MosaicStore:
    """Open many images as one, each where it lies.

    Parameters
    ----------
    uri_or_stores : str, Path, or sequence of stores, paths or arrays
        An OME-Zarr 0.6 scene, a BigDataViewer project or a collection of images; or the
        images themselves, as :func:`open_store` takes them.
    matrices : mapping of str to array-like, or sequence of array-like, optional
        (4, 4) matrices from voxel index (centres, z, y, x, 1) to world, by the name of
        the tile or in the order of the tiles; default what the files say.
    overlap : {"max", "mean", "feather", "first"}
        How voxels of several tiles at one place become one.
    **options
        `order` (0 nearest, 1 linear), `spacing` (world units a voxel, z, y, x), `region`
        (two corners, z, y, x, world), `margin` (room to move tiles in, as a share of the
        largest), `treat_403_as_missing`, `follow_links`.

    Returns
    -------
    MosaicStore
        Only metadata, and the first tile, have been opened.

    Raises
    ------
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
    OptionError
    """
    reading = {
        k: options.pop(k)
        for k in ("treat_403_as_missing", "follow_links")
        if k in options
    }
    made_with = MosaicOptions(overlap=overlap, **({"margin": MARGIN} | options))  # type: ignore[arg-type]  # checked there
    if isinstance(uri_or_stores, str | PathLike):
        uri = str(uri_or_stores)
        source = open_mosaic_source(uri, made_with, **reading)
        document = _project(uri)
        held: list[ChunkedImageStore] = []
    else:
        document = None
        source, held = _of_stores(uri_or_stores, made_with)
    if matrices is not None:
        source = _placed(source, matrices)
        if not isinstance(uri_or_stores, str | PathLike):
            # Of stores and arrays no file says where else they lie.
            for tile in source.tiles:
                tile.first = tile.place.matrix
    return MosaicStore(source, document=document, held=held)


def _of_stores(
    given: Sequence[Any], made_with: MosaicOptions
) -> tuple[MosaicSource, list[ChunkedImageStore]]:
    tiles, held = [], []
    names: dict[str, int] = {}
    for item in given:
        is_store = isinstance(item, ChunkedImageStore)
        store = item if is_store else open_store(item)
        if is_store:
            held.append(store)
        name = store.info.name
        names[name] = names.get(name, 0) + 1
        unlike = name if names[name] == 1 else f"{name} {names[name]}"
        shape = store.pyramid.levels[0].shape_zyx
        place = TilePlace(unlike, store.info.world, shape)
        tiles.append(Tile(place, partial(_same, store.source), is_ours=not is_store))
    return MosaicSource(tiles, made_with), held


def _same(source: ChunkSource) -> ChunkSource:
    return source


def _placed(source: MosaicSource, matrices: Matrices) -> MosaicSource:
    """Make a mosaic anew with other matrices."""
    names = [t.name for t in source.tiles]
    if isinstance(matrices, Mapping):
        unknown = [n for n in matrices if n not in names]
        if unknown:
            msg = f"expected names of tiles ({', '.join(names[:20])}); found {unknown[0]!r}"
            raise OptionError(msg)
        given = dict(matrices)
    else:
        if len(matrices) != len(names):
            msg = f"expected a matrix for each of {len(names)} tiles; found {len(matrices)}"
            raise OptionError(msg)
        given = dict(zip(names, matrices, strict=True))
    placed = {name: matrix_of(name, matrix) for name, matrix in given.items()}
    return source.with_matrices(placed)
