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
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import (
    AffineTransform,
    Finding,
    ImageInfo,
    Int3,
    ScaleLevel,
)
from brickfield.sources.mosaic.checks import check_matrix, check_tiles, first_open
from brickfield.sources.mosaic.fusing import Part, TileFuser
from brickfield.sources.mosaic.grid import (
    Grid,
    MosaicOptions,
    grow_grid,
    make_grid,
    tight_grid,
)
from brickfield.sources.mosaic.groups import Grouping, group
from brickfield.sources.mosaic.levels import pyramid_of, room_left_out
from brickfield.sources.mosaic.reading import Kept
from brickfield.sources.mosaic.tile import Tile
from brickfield.sources.places import place_of_uri, places_of
from brickfield.sources.protocol import PartlyReadError, StorageChunk

_OF_ONE_IMAGE = ("several-images", "moving-registration")
"""Findings on what was left out because one image was opened alone."""
KEPT_BYTES = 384 << 20
"""Decoded storage chunks of tiles that are kept."""


class MosaicSource:
    """Many images as one. All methods may be called from any thread.

    Parameters
    ----------
    tiles : sequence of Tile
        Closed with the source. Axes, channels and times are those of the first one that
        can be opened.
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
        If none of the first tiles can be opened.
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
        check_tiles(tiles)
        self.options = options or MosaicOptions()
        self._document = document
        self._findings = tuple(findings)
        self._tiles = list(tiles)
        self._positions = {t.name: i for i, t in enumerate(self._tiles)}
        first, told = first_open(tiles)
        self._told = told
        self._first = first.info
        self.is_remote = first.is_remote
        self.concurrency = first.concurrency
        self.grid = make_grid([t.place for t in tiles], self.options)
        places = [t.place for t in tiles]
        grouping = group(places, self._first.channels, self.options.colour_by)
        self._fuser = TileFuser(
            self._tiles,
            self._first,
            self.options,
            concurrency=self.concurrency,
            kept=Kept(KEPT_BYTES),
            grouping=grouping,
        )
        self.info = self._described(grouping, uri, name)
        self.source_id = self._identity()

    def _described(self, grouping: Grouping | None, uri: str, name: str) -> ImageInfo:
        n_channels = None if grouping is None else len(grouping.channels)
        pyramid = pyramid_of(self._first, self.grid, n_channels)
        return replace(
            self._first,
            uri=uri,
            name=name,
            format=f"mosaic of {len(self._tiles)} images ({self._first.format})",
            pyramid=pyramid,
            channels=self._first.channels if grouping is None else grouping.channels,
            series=(),
            wells=(),
            labels=(),
            image="",
            findings=(
                *self._findings,
                *self._told,
                *(f for f in self._first.findings if f.code not in _OF_ONE_IMAGE),
            ),
            placement=None,
            is_in_scene=False,
            n_images=len(self._tiles),
        )

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

    def seen_as(self, options: MosaicOptions) -> MosaicSource:
        """Return another mosaic of the same tiles, which shares what is read of them.

        Parameters
        ----------
        options : MosaicOptions
            What it is made with; region and room are taken over.
        """
        about = self.info
        other = MosaicSource(
            [tile.shared() for tile in self._tiles],
            replace(
                options,
                region=self.grid.as_region(0.25),
                margin=0.0,
                anchor=self.grid.origins[0],
                has_room=self.has_room,
            ),
            document=self._document,
            uri=about.uri,
            name=about.name,
            findings=self._findings,
        )
        other._fuser.share_kept(self._fuser)
        return other

    def grown_to(
        self, low: NDArray[np.float64], high: NDArray[np.float64]
    ) -> tuple[MosaicSource, Int3]:
        """Return this mosaic on a grid that reaches further.

        Tiles and all that was read of them are shared; one of both is to be closed.

        Parameters
        ----------
        low, high : ndarray, shape (3,)
            Edges (z, y, x), world, that it shall reach to at least.

        Returns
        -------
        source : MosaicSource
        shift : tuple of int
            Voxels of level 0 by which an index of this mosaic is larger in it.

        Raises
        ------
        OptionError
            If it would have too many voxels.
        """
        grid, shift = grow_grid(self.grid, low, high)
        return self._on_grid(grid, self._fuser.on_other_grid()), shift

    def without_room(self, level: int = 0) -> MosaicSource:
        """Return this mosaic as it is now, on a grid that ends with the tiles shown.

        A region that was asked for holds. It does not follow moves, and needs no closing.

        Parameters
        ----------
        level : int
            The coarsest whose voxels stay where they are.

        Returns
        -------
        MosaicSource
            This one where no room is to be left out; a finding tells of it where it is.
        """
        if not self.has_room:
            return self
        fuser = self._fuser.snapshot()
        box = fuser.table.extent()
        grid = self.grid if box is None else tight_grid(self.grid, box, level)
        if grid is self.grid:
            return self
        other = self._on_grid(grid, fuser)
        other._tiles = list(fuser.tiles)
        finding = room_left_out(grid.shapes[0], self.grid.shapes[0])
        other.info = replace(other.info, findings=(*other.info.findings, finding))
        return other

    @property
    def has_room(self) -> bool:
        """Whether the grid is as large as it is by itself, not by what was asked for."""
        return self.options.region is None or self.options.has_room

    def _on_grid(self, grid: Grid, fuser: TileFuser) -> MosaicSource:
        other = copy(self)
        other.grid, other._fuser = grid, fuser
        other.options = replace(
            self.options,
            region=grid.as_region(),
            anchor=grid.origins[0],
            has_room=True,
        )
        n_channels = len(self.info.channels) if fuser.is_grouped else None
        pyramid = pyramid_of(self._first, grid, n_channels)
        other.info = replace(self.info, pyramid=pyramid)
        other.source_id = other._identity()
        return other

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
        PartlyReadError
            If something of a tile cannot be read, or it does not fit the others; in it
            is what the other tiles give.
        ChunkReadError
            If there is nothing else.
        """
        about = self.info.pyramid.levels[level]
        low, shape = self._box(about, index)
        lead = tuple(index[a] for a in self.info.pyramid.other_axes)
        time, channel = self._on_axis("time", lead), self._on_axis("channel", lead)
        part = Part(about, (level, index), low, shape, lead, time, channel)
        try:
            data, reading = self._fuser.make(part)
        except PartlyReadError as error:
            whole = error.data.reshape((1,) * len(lead) + error.data.shape)
            transient = error.is_transient
            raise PartlyReadError(whole, error.lost, is_transient=transient) from error
        if data is not None:
            # Axes of the mosaic are those beside space, then z, y and x.
            data = data.reshape((1,) * len(lead) + data.shape)
        return StorageChunk(data, reading.stored_bytes, requests=reading.requests)

    def _box(self, about: ScaleLevel, index: tuple[int, ...]) -> tuple[Int3, Int3]:
        low, size = [], []
        for axis, n, chunk in zip(
            about.spatial_axes, about.shape_zyx, about.storage_chunk_zyx, strict=True
        ):
            at = (index[axis] if axis >= 0 else 0) * chunk
            low.append(at)
            size.append(min(chunk, n - at))
        return (low[0], low[1], low[2]), (size[0], size[1], size[2])

    def _on_axis(self, kind: str, lead: tuple[int, ...]) -> int:
        """Return the index on the first axis of a kind; 0 without one."""
        pyramid = self.info.pyramid
        kinds = [pyramid.axes[a].kind for a in pyramid.other_axes]
        return lead[kinds.index(kind)] if kind in kinds else 0

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
        cells = np.zeros((len(indices), 3), np.int64)
        for i, axis in enumerate(about.spatial_axes):
            if axis >= 0:
                cells[:, i] = indices[:, axis]
        with self._fuser.lock:
            return self._fuser.table.untouched(level, about, cells)

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
        at = self._position(name)
        check_matrix(name, matrix)
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
        with self._fuser.lock:
            old_box = self._fuser.table.boxes[at].copy()
            old.put(matrix)
            self._fuser.table.put(at, matrix)
        return old_box, new_box

    def show(self, name: str, *, is_shown: bool) -> NDArray[np.float64]:
        """Take a tile into the mosaic, or leave it out.

        Parameters
        ----------
        name : str
        is_shown : bool

        Returns
        -------
        ndarray, shape (2, 3)
            The box round the tile: edges (z, y, x), world.

        Raises
        ------
        OptionError
            If there is no such tile.
        """
        at = self._position(name)
        with self._fuser.lock:
            self._fuser.table.show(at, is_shown)
            box: NDArray[np.float64] = self._fuser.table.boxes[at].copy()
        return box

    def tile(self, name: str) -> Tile:
        """Return a tile by its name.

        Parameters
        ----------
        name : str

        Raises
        ------
        OptionError
            If there is no such tile.
        """
        return self._tiles[self._position(name)]

    def is_shown(self, name: str) -> bool:
        """Whether a tile is part of the mosaic."""
        return self._fuser.table.is_shown(self._position(name))

    def keep_parts(self, is_moving: bool) -> None:
        """Keep what each tile gives to chunks, too, while some of them are moved."""
        self._fuser.keep_parts(is_moving)

    def set_overlap(self, overlap: str) -> None:
        """Blend what overlaps in another way from now on.

        Parameters
        ----------
        overlap : {"max", "mean", "feather", "first", "difference"}

        Raises
        ------
        OptionError
            If there is no such way.
        """
        self.options = replace(self.options, overlap=overlap)  # type: ignore[arg-type]  # checked there
        self._fuser.overlap = self.options.overlap

    def forget(self) -> None:
        """Forget all voxels of tiles, because the stored ones changed."""
        self._fuser.forget()

    def _position(self, name: str) -> int:
        at = self._positions.get(name)
        if at is None:
            known = ", ".join(t.name for t in self._tiles[:20])
            msg = f"expected the name of a tile ({known}); found {name!r}"
            raise OptionError(msg)
        return at

    @property
    def extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper edge of the grid (z, y, x), world."""
        return self.grid.extent

    def close(self) -> None:
        """Close every tile."""
        for tile in self._tiles:
            tile.close()
        self._fuser.forget()
