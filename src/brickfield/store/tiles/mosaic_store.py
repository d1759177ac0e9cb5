"""Many images as one, which can be moved and whose places can be saved.

Invariant: the files that tiles are read from are never written to. What a move
changes are the chunks of the mosaic that the tile was or is in.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from psygnal import Signal

from brickfield.errors import OptionError
from brickfield.model import AffineTransform, Int3, Selection
from brickfield.sources import ChunkSource
from brickfield.sources.mosaic import (
    MosaicSource,
    TilePlace,
    changes_of,
    check_matrix,
)
from brickfield.store.image_store import ChunkedImageStore
from brickfield.store.occupancy import Occupancy
from brickfield.store.tiles.moving import StaysCoarse
from brickfield.store.tiles.saving import matrix_of, save_transforms

ROOM = 1.0
"""Share of the largest edge of a tile by which the mosaic reaches beyond one that left it."""


class MosaicStore(ChunkedImageStore):
    """Data of many images, each where its matrix puts it.

    Thread rule: as for the base; :meth:`move` on the main thread.

    Parameters
    ----------
    source : MosaicSource
        Closed with the store.
    document : str or None
        The BigDataViewer project that the tiles are of.
    held : sequence of ChunkedImageStore
        Stores of tiles that the caller closes.

    Attributes
    ----------
    tiles_changed : psygnal.SignalInstance
        Emits after tiles were moved, left out or taken in; no arguments.
    opens_by_itself : bool
        Whether opening its address, with nothing said, gives a mosaic like it.
    """

    tiles_changed = Signal()
    stays_coarse: StaysCoarse | None = None
    opens_by_itself = False

    def __init__(
        self,
        source: MosaicSource,
        *,
        document: str | None = None,
        held: Sequence[ChunkedImageStore] = (),
    ) -> None:
        super().__init__(source)
        self._mosaic = source
        self._document = document
        self._held = tuple(held)
        self._first = {t.name: t.first for t in source.tiles}
        self._like: list[weakref.ref[MosaicStore]] = []
        # A look keeps what it reads from open.
        self._looked_at: MosaicStore | None = None

    @property
    def tiles(
        self,
    ) -> tuple[tuple[str, ChunkSource | ChunkedImageStore, NDArray[Any]], ...]:
        """Name, data and matrix of each tile.

        The matrix, shape (4, 4), leads from voxel index of the tile's level 0 (centres,
        z, y, x, 1) to world. The data are the store that was given, else a source, which
        is opened by asking.
        """
        stores = {id(s.source): s for s in self._held}
        return tuple(
            (t.name, stores.get(id(t.source), t.source), t.place.matrix.matrix)
            for t in self._mosaic.tiles
        )

    @property
    def tile_changes(self) -> dict[str, Any]:
        """How it differs from what its file says, as plain values; else nothing.

        :func:`brickfield.store.open_store` takes it as `tiles`.
        """
        return changes_of(self._mosaic, in_full=not self.opens_by_itself)

    @property
    def places(self) -> tuple[TilePlace, ...]:
        """Name, matrix and shape of each tile, without opening any."""
        return tuple(t.place for t in self._mosaic.tiles)

    def places_shown(self, selections: Sequence[Selection]) -> list[TilePlace]:
        """Return the tiles that pictures of some selections are made of. Any thread.

        Parameters
        ----------
        selections : sequence of tuple of int
            Index on the axes beside space of each drawn channel.
        """
        axes = self.pyramid.other_axes
        kinds = [self.pyramid.axes[a].kind for a in axes]
        at = kinds.index("time") if "time" in kinds else None
        times = {0 if at is None else selection[at] for selection in selections}
        return [
            place
            for place in self.places
            if self.is_shown(place.name)
            and (place.time is None or place.time in times)
            and not times <= set(place.absent)
        ]

    def move(self, name: str, matrix: ArrayLike) -> None:
        """Put a tile elsewhere; what shows the mosaic follows.

        The mosaic grows with a tile that leaves it: its voxels stay where they are in the
        world, and get other indices where it grows at a lower end.

        Parameters
        ----------
        name : str
        matrix : array-like, shape (4, 4) or (3, 4)
            From voxel index of the tile's level 0 (centres, z, y, x, 1) to world.

        Raises
        ------
        OptionError
            If there is no such tile, the matrix cannot be inverted, or the mosaic would
            get too large to be drawn.
        """
        self._put(name, matrix_of(name, matrix))
        self.tiles_changed.emit()

    def _put(self, name: str, matrix: AffineTransform) -> None:
        check_matrix(name, matrix)
        self._make_room(replace(self.place_of(name), matrix=matrix).box())
        before, after = self._mosaic.move(name, matrix)
        if self.stays_coarse is not None:
            self.stays_coarse = self.stays_coarse.with_box(self.pyramid, after)
        self._mark(before, after)
        for other in self._others():
            other.move(name, matrix.matrix)

    def _make_room(self, box: NDArray[np.float64]) -> None:
        """Have the grid reach as far as a box, edges (z, y, x) in world, and further."""
        low, high = self._mosaic.extent
        slack = 0.5 * np.array(self._mosaic.grid.spacings[0])
        is_below, is_above = box[0] < low - slack, box[1] > high + slack
        if not (is_below.any() or is_above.any()):
            return
        # All that is drawn is made anew for another grid, so a hand shall not come to
        # its end at every step.
        room = ROOM * (box[1] - box[0]).max()
        low = np.where(is_below, box[0] - room, low)
        high = np.where(is_above, box[1] + room, high)
        self._lay_out(*self._mosaic.grown_to(low, high))

    def _lay_out(self, source: MosaicSource, shift: Int3) -> None:
        """Go on with the same tiles on another grid; what shows the mosaic follows."""
        with self._lock:
            manager, self._manager = self._manager, None
            self._mosaic = self.source = source
        self._occupancy = Occupancy(source)
        # Reads on their way are of the old grid: its loader ends with them.
        if manager is not None:
            manager.close(wait=False)
        self.laid_out.emit(shift)

    def _others(self) -> list[MosaicStore]:
        """Return the other looks of the same tiles that are still open."""
        found = [store for reference in self._like if (store := reference())]
        return [store for store in found if not store.is_closed]

    def place_of(self, name: str) -> TilePlace:
        """Return name, matrix, shape and attributes of a tile.

        Parameters
        ----------
        name : str

        Raises
        ------
        OptionError
            If there is no such tile.
        """
        return self._mosaic.tile(name).place

    def first_matrix(self, name: str) -> NDArray[np.float64]:
        """Return where a tile was when the mosaic was opened, shape (4, 4).

        Parameters
        ----------
        name : str
        """
        return self._first[name].matrix

    @property
    def overlap(self) -> str:
        """How voxels of several tiles at one place become one."""
        return self._mosaic.options.overlap

    def set_overlap(self, overlap: str) -> None:
        """Have voxels of several tiles at one place become one in another way.

        Nothing is read for it that is still kept; what shows the mosaic follows.

        Parameters
        ----------
        overlap : {"max", "mean", "feather", "first", "difference"}

        Raises
        ------
        OptionError
            If there is no such way.
        """
        if overlap != self.overlap:
            self._mosaic.set_overlap(overlap)
            for number in reversed(range(self.pyramid.n_levels)):
                self.mark_changed(number)
            self.tiles_changed.emit()

    def seen_as(
        self, *, colour_by: str | None = None, overlap: str | None = None
    ) -> MosaicStore:
        """Return another look of the same tiles, which follows their moves.

        Parameters
        ----------
        colour_by : str, optional
            ``"tile"``, or an attribute of the tiles such as ``"angle"``: the channels are
            groups of tiles in different colours.
        overlap : {"max", "mean", "feather", "first", "difference"}, optional
            Default as here.

        Returns
        -------
        MosaicStore
            To be closed before this one, from which it reads.

        Raises
        ------
        OptionError
            If there is no such way, or no tile has such an attribute.
        """
        options = self._mosaic.options
        wanted = replace(
            options,
            colour_by=colour_by,
            overlap=options.overlap if overlap is None else overlap,  # type: ignore[arg-type]  # checked there
        )
        other = MosaicStore(self._mosaic.seen_as(wanted), document=self._document)
        hidden = [t.name for t in self._mosaic.tiles if not self.is_shown(t.name)]
        other.show(*hidden, is_shown=False)
        other._looked_at = self
        other.address = self.address
        self._like.append(weakref.ref(other))
        return other

    @property
    def original(self) -> MosaicStore:
        """The mosaic that this is a look of, whose moves it follows; itself if of none."""
        return self if self._looked_at is None else self._looked_at.original

    def is_look_of(self, other: MosaicStore) -> bool:
        """Whether this is another look of a mosaic.

        Parameters
        ----------
        other : MosaicStore
        """
        return self is not other and self.original is other

    @property
    def colour_by(self) -> str | None:
        """By what tiles are coloured; None where they are as they are."""
        return self._mosaic.options.colour_by

    def _mark(
        self, *boxes: NDArray[np.float64], levels: Sequence[int] | None = None
    ) -> None:
        """Have what lies in boxes, edges (z, y, x) in world, made again; coarse first.

        Of all levels, if none are named.
        """
        if len(boxes) == 2:
            first, second = boxes
            both = np.array(
                [np.minimum(first[0], second[0]), np.maximum(first[1], second[1])]
            )
            # Of a short way one box is not much more than two.
            if np.prod(both[1] - both[0]) < 1.5 * np.prod(first[1] - first[0]):
                boxes = (both,)
        wanted = range(self.pyramid.n_levels) if levels is None else levels
        for number in reversed(wanted):
            level = self.pyramid.levels[number]
            size = np.array(level.voxel_size_zyx)
            origin = np.array(level.translation_zyx)
            for low, high in boxes:
                first = np.floor((low - origin) / size - 0.5).astype(int)
                last = np.ceil((high - origin) / size + 1.5).astype(int)
                first = np.clip(first, 0, np.array(level.shape_zyx) - 1)
                last = np.clip(last, first + 1, level.shape_zyx)
                box = [slice(a, b) for a, b in zip(first, last, strict=True)]
                self.mark_changed(number, box)

    def show(self, *names: str, is_shown: bool = True) -> None:
        """Take tiles into the mosaic, or leave them out; what shows it follows.

        Parameters
        ----------
        *names : str
        is_shown : bool

        Raises
        ------
        OptionError
            If there is no such tile.
        """
        changed = [n for n in names if self._mosaic.is_shown(n) != is_shown]
        for name in changed:
            self._mark(self._mosaic.show(name, is_shown=is_shown))
        for other in self._others():
            other.show(*changed, is_shown=is_shown)
        if changed:
            self.tiles_changed.emit()

    def is_shown(self, name: str) -> bool:
        """Whether a tile is part of the mosaic.

        Parameters
        ----------
        name : str

        Raises
        ------
        OptionError
            If there is no such tile.
        """
        return self._mosaic.is_shown(name)

    def forget(self) -> None:
        """Forget all voxels, those kept of the tiles as well."""
        self._mosaic.forget()
        super().forget()

    def reset(self, *names: str) -> None:
        """Put tiles back where they were when the mosaic was opened.

        Parameters
        ----------
        *names : str
            Default all.
        """
        wanted = names or tuple(t.name for t in self._mosaic.tiles)
        self.put({name: self._first[name] for name in wanted if name in self._first})

    def put(self, places: Mapping[str, AffineTransform]) -> None:
        """Put several tiles elsewhere, or none if one of them cannot be there.

        Parameters
        ----------
        places : mapping of str to AffineTransform
            By name, from voxel index of the tile's level 0 to world.

        Raises
        ------
        OptionError
            As for :meth:`move`.
        """
        before = {name: self.place_of(name).matrix for name in places}
        moved: list[str] = []
        try:
            for name, matrix in places.items():
                if matrix != before[name]:
                    self._put(name, matrix)
                    moved.append(name)
        except OptionError:
            for name in moved:
                self._put(name, before[name])
            raise
        if moved:
            self.tiles_changed.emit()

    def begin_move(self, *names: str) -> None:
        """Show tiles no finer than a few chunks of theirs, because they begin to move.

        Each step of a move is made anew sooner then. Ends with :meth:`end_move`.

        Parameters
        ----------
        *names : str

        Raises
        ------
        OptionError
            If there is no such tile.
        """
        boxes = np.array([self.place_of(name).box() for name in names])
        if not len(boxes):
            return
        box = np.array([boxes[:, 0].min(axis=0), boxes[:, 1].max(axis=0)])
        known = self.stays_coarse
        self._mosaic.keep_parts(True)
        self.stays_coarse = (
            StaysCoarse(self.pyramid, box)
            if known is None
            else known.with_box(self.pyramid, box)
        )
        for other in self._others():
            other.begin_move(*names)

    def end_move(self) -> None:
        """Show all tiles as finely as ever again."""
        known, self.stays_coarse = self.stays_coarse, None
        self._mosaic.keep_parts(False)
        if known is not None:
            # Of the coarsest level alone, so that what shows it looks again.
            self._mark(known.box, levels=[self.pyramid.n_levels - 1])
        for other in self._others():
            other.end_move()

    def save_transforms(self, path: str | PathLike[str]) -> Path:
        """Write where the tiles lie to a new file.

        Parameters
        ----------
        path : str or Path
            ``.json`` for the matrices by name; ``.xml`` for a BigDataViewer project like
            the one that was opened, with the new registrations; ``.zarr`` for a scene of
            OME-Zarr 0.6 with the images of the one that was opened, beside that one.

        Raises
        ------
        OptionError
            If the end of the name is another, the file would lie in a source, or ``.xml``
            or ``.zarr`` is asked of tiles that are of no such project or scene.
        StoreWriteError
            If there is a file already, or it cannot be written.
        """
        return save_transforms(
            path,
            [t.place for t in self._mosaic.tiles],
            self._first,
            source=self.source,
            document=self._document,
        )
