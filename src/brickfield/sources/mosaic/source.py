"""Tiles as one image, made as it is read.

A storage chunk of the mosaic is made of the tiles that reach into it: of each the
level that is just fine enough is sampled, and what overlaps is blended. Nothing is
stored; the storage chunks of the tiles are kept for a while, since neighbouring
chunks of the mosaic need them too.

Invariant: what is read of one chunk depends on the tiles and the options alone, so
that pictures, slices, arrays and files of one mosaic agree to the voxel.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import ChunkReadError, OptionError
from brickfield.model import (
    AffineTransform,
    Finding,
    Int3,
    Pyramid,
    ScaleLevel,
)
from brickfield.sources.mosaic.blend import Blender
from brickfield.sources.mosaic.grid import MosaicOptions, make_grid
from brickfield.sources.mosaic.levels import pyramid_of
from brickfield.sources.mosaic.reading import Kept, Reading
from brickfield.sources.mosaic.sampling import TileLevel, sample
from brickfield.sources.mosaic.tile import Tile
from brickfield.sources.places import place_of_uri, places_of
from brickfield.sources.protocol import ChunkSource, StorageChunk

_OF_ONE_IMAGE = ("several-images", "moving-registration")
"""Findings on what was left out because one image was opened alone."""
KEPT_BYTES = 256 << 20
"""Decoded storage chunks of tiles that are kept."""


class MosaicSource:
    """Many images as one. All methods may be called from any thread.

    Parameters
    ----------
    tiles : sequence of Tile
        Closed with the source. Axes, channels and times are those of the first one.
    options : MosaicOptions, optional
    document : str, optional
        Scene, project or collection that all tiles are read from.
    uri, name : str
        For people.
    findings : sequence of Finding
        What is odd about how the tiles were found.

    Raises
    ------
    OptionError
        If there is no tile, or two have one name.
    StoreNotFoundError, StoreFormatError, StoreAccessError, StoreUnreachableError
        If the first tile cannot be opened.
    """

    def __init__(
        self,
        tiles: Sequence[Tile],
        options: MosaicOptions | None = None,
        *,
        document: str | None = None,
        uri: str = "mosaic",
        name: str = "mosaic",
        findings: Sequence[Finding] = (),
    ) -> None:
        _check_names(tiles)
        self.options = options or MosaicOptions()
        self._document = document
        self._findings = tuple(findings)
        self._tiles = list(tiles)
        self._lock = threading.Lock()
        self._kept = Kept(KEPT_BYTES)
        first = tiles[0].source
        self._first = first.info
        self.is_remote = first.is_remote
        self.concurrency = first.concurrency
        self.grid = make_grid([t.place for t in tiles], self.options)
        self._boxes = np.array([t.place.box() for t in tiles])
        pyramid = pyramid_of(self._first, self.grid)
        self.info = replace(
            self._first,
            uri=uri,
            name=name,
            format=f"mosaic of {len(tiles)} images ({self._first.format})",
            pyramid=pyramid,
            series=(),
            wells=(),
            labels=(),
            image="",
            findings=(
                *findings,
                *(f for f in self._first.findings if f.code not in _OF_ONE_IMAGE),
            ),
            placement=None,
            is_in_scene=False,
        )
        self._checked: set[str] = set()
        self.source_id = self._identity()

    def with_matrices(self, matrices: Mapping[str, AffineTransform]) -> MosaicSource:
        """Return a mosaic of the same tiles in other places.

        Parameters
        ----------
        matrices : mapping of str to AffineTransform
            By name; tiles that are not named stay. This mosaic is not used any more.
        """
        for tile in self._tiles:
            if tile.name in matrices:
                tile.put(matrices[tile.name])
        about = self.info
        return MosaicSource(
            self._tiles,
            self.options,
            document=self._document,
            uri=about.uri,
            name=about.name,
            findings=self._findings,
        )

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The tiles, in their order."""
        return tuple(self._tiles)

    def _identity(self) -> str:
        rows = [(t.name, t.place.matrix.rows, t.place.time) for t in self._tiles]
        facts = repr((self.info.uri, rows, self.options, self._first.uri))
        return f"mosaic|{hashlib.sha256(facts.encode()).hexdigest()}"

    # -- reading -----------------------------------------------------------------

    def read_storage_chunk(self, level: int, index: tuple[int, ...]) -> StorageChunk:
        """Make one storage chunk of the tiles that reach into it.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the level's storage grid, all axes.

        Raises
        ------
        ChunkReadError
            If what is needed of a tile cannot be read, or does not fit the others.
        """
        about = self.info.pyramid.levels[level]
        low, box = self._box(about, index)
        lead = tuple(index[a] for a in self.info.pyramid.other_axes)
        blender = Blender(box, about.dtype, self.options.overlap, about.fill_value)
        reading = Reading(self._kept)
        with self._lock:
            tiles = [self._tiles[i] for i in self._reaching(about, low, box)]
        for tile in tiles:
            if tile.place.time is None or self._time(lead) == tile.place.time:
                self._add(tile, about, (low, box), lead, blender, reading)
        if blender.is_empty:
            return StorageChunk(None, reading.stored_bytes, requests=reading.requests)
        data = blender.result().astype(about.dtype, copy=False)
        # Axes of the mosaic are those beside space, then z, y and x.
        data = data.reshape((1,) * len(lead) + data.shape)
        return StorageChunk(data, reading.stored_bytes, requests=reading.requests)

    def _add(
        self,
        tile: Tile,
        about: ScaleLevel,
        where: tuple[Int3, Int3],
        lead: tuple[int, ...],
        blender: Blender,
        reading: Reading,
    ) -> None:
        low, box = where
        source = self._fitting(tile)
        level = tile.level_for(about.voxel_size_zyx)
        stored = source.info.pyramid.levels[level]
        to_world = AffineTransform.of_level(about) @ _shift(low)
        own = tile.level_matrix(level)
        found = sample(
            TileLevel(own.inverse @ to_world, stored.shape_zyx, own.lengths),
            box,
            lambda a, b: reading.box(tile, level, lead, a, b),
            order=0 if self.info.is_labels else self.options.order,
            dtype=about.dtype,
        )
        if found is not None:
            blender.add(found.where, found.covered, found.values, found.depth)

    def _fitting(self, tile: Tile) -> ChunkSource:
        """Open a tile and make sure that it fits the first one."""
        source = tile.source
        if tile.name not in self._checked:
            other, ours = source.info.pyramid, self._first.pyramid
            wanted = _kind(ours)
            if _kind(other) != wanted:
                msg = (
                    f"expected the tile {tile.name!r} to have {_words(ours)} as the first"
                    f" one has; found {_words(other)}"
                )
                raise ChunkReadError(msg, key=tile.name)
            self._checked.add(tile.name)
        return source

    def _box(self, about: ScaleLevel, index: tuple[int, ...]) -> tuple[Int3, Int3]:
        low, size = [], []
        for axis, n, chunk in zip(
            about.spatial_axes, about.shape_zyx, about.storage_chunk_zyx, strict=True
        ):
            at = (index[axis] if axis >= 0 else 0) * chunk
            low.append(at)
            size.append(min(chunk, n - at))
        return (low[0], low[1], low[2]), (size[0], size[1], size[2])

    def _time(self, lead: tuple[int, ...]) -> int:
        pyramid = self.info.pyramid
        axis = pyramid.time_axis
        return 0 if axis is None else lead[pyramid.other_axes.index(axis)]

    def _reaching(self, about: ScaleLevel, low: Int3, box: Int3) -> list[int]:
        """Return the tiles whose boxes meet a box of voxels."""
        size = np.array(about.voxel_size_zyx)
        edge = np.array(about.translation_zyx) + (np.array(low) - 0.5) * size
        far = edge + np.array(box) * size
        meets = (self._boxes[:, 0] < far) & (self._boxes[:, 1] > edge)
        return [int(i) for i in np.nonzero(meets.all(axis=1))[0]]

    # -- what is known without reading -------------------------------------------

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name of a storage chunk for messages.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        return f"mosaic {level}/{'/'.join(map(str, index))}"

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int | None:
        """Bytes stored for one storage chunk: not known, since it is made.

        Parameters
        ----------
        level : int
        index : tuple of int
        """
        return None

    def missing_chunks(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which storage chunks no tile reaches into.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, ndim), int64

        Returns
        -------
        ndarray, shape (n,), bool
        """
        about = self.info.pyramid.levels[level]
        spatial = [a for a in about.spatial_axes if a >= 0]
        result = np.ones(len(indices), np.bool_)
        places, back = np.unique(indices[:, spatial], axis=0, return_inverse=True)
        known = np.ones(len(places), np.bool_)
        for i, place in enumerate(places):
            whole = np.zeros(len(about.shape), np.int64)
            whole[spatial] = place
            low, box = self._box(about, tuple(whole.tolist()))
            known[i] = not self._reaching(about, low, box)
        result[:] = known[back.reshape(-1)]
        return result

    def places(self) -> tuple[Path | str, ...]:
        """Return what the tiles read, those that nobody has opened yet included."""
        found: list[Path | str] = []
        if self._document is not None:
            place = place_of_uri(self._document)
            found += [] if place is None else [place]
        for tile in self._tiles:
            # Without a document the tiles were given open.
            if tile.is_open or self._document is None:
                found += places_of(tile.source)
        return tuple(dict.fromkeys(found))

    # -- changing ----------------------------------------------------------------

    def move(
        self, name: str, matrix: AffineTransform
    ) -> tuple[NDArray[np.float64], ...]:
        """Put a tile elsewhere.

        Parameters
        ----------
        name : str
        matrix : AffineTransform
            From voxel index of the tile's level 0 (centres) to world.

        Returns
        -------
        tuple of two ndarray, shape (2, 3)
            The boxes round the tile before and after: edges (z, y, x), world.

        Raises
        ------
        OptionError
            If there is no such tile, the matrix cannot be inverted, or the tile would
            lie outside of the mosaic's grid.
        """
        names = [t.name for t in self._tiles]
        if name not in names:
            known = ", ".join(names[:20])
            msg = f"expected the name of a tile ({known}); found {name!r}"
            raise OptionError(msg)
        check_matrix(name, matrix)
        at = names.index(name)
        old = self._tiles[at]
        new_box = replace(old.place, matrix=matrix).box()
        low, high = self.extent
        slack = 0.5 * np.array(self.grid.spacings[0])
        if (new_box[0] < low - slack).any() or (new_box[1] > high + slack).any():
            msg = (
                f"expected a place for {name!r} within the mosaic ({low.round(3).tolist()}"
                f" to {high.round(3).tolist()}); found {new_box.round(3).tolist()}: open"
                " the mosaic anew with a larger margin, or with these matrices"
            )
            raise OptionError(msg)
        with self._lock:
            old_box = self._boxes[at].copy()
            old.put(matrix)
            self._boxes[at] = new_box
        return old_box, new_box

    @property
    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper edge of the grid (z, y, x), world."""
        spacing = np.array(self.grid.spacings[0])
        low = np.array(self.grid.origins[0]) - 0.5 * spacing
        return low, low + spacing * self.grid.shapes[0]

    def close(self) -> None:
        """Close every tile."""
        for tile in self._tiles:
            tile.close()
        self._kept.clear()


def check_matrix(name: str, matrix: AffineTransform) -> None:
    """Refuse a matrix that maps a volume onto a plane, or that holds no numbers.

    Parameters
    ----------
    name : str
        Of the tile, for messages.
    matrix : AffineTransform

    Raises
    ------
    OptionError
    """
    linear = matrix.matrix[:3]
    size = np.linalg.norm(linear[:, :3], axis=0)
    usable = np.isfinite(linear).all() and size.all()
    if not usable or np.linalg.cond(linear[:, :3] / size) > 1e12:
        msg = (
            f"expected a matrix for {name!r} that can be inverted; found"
            f" {matrix.rows!r:.120}"
        )
        raise OptionError(msg)


def _check_names(tiles: Sequence[Tile]) -> None:
    if not tiles:
        msg = "expected at least one tile; found none"
        raise OptionError(msg)
    names = [t.name for t in tiles]
    if len(set(names)) < len(names):
        twice = next(n for n in names if names.count(n) > 1)
        msg = f"expected tiles of different names; found {twice!r} twice"
        raise OptionError(msg)
    for tile in tiles:
        check_matrix(tile.name, tile.place.matrix)


def _kind(pyramid: Pyramid) -> tuple[np.dtype[np.generic], list[tuple[str, int]]]:
    level = pyramid.levels[0]
    lead = [(pyramid.axes[a].name, level.shape[a]) for a in pyramid.other_axes]
    return level.dtype, lead


def _words(pyramid: Pyramid) -> str:
    dtype, lead = _kind(pyramid)
    text = ", ".join(f"{name} {n}" for name, n in lead)
    return f"voxels of type {dtype}" + (f" and {text}" if text else "")


def _shift(low: Int3) -> AffineTransform:
    return AffineTransform.from_scale((1.0, 1.0, 1.0), low)
