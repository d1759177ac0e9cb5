"""What an export will write and hold in memory: one frozen value, made of metadata.

Nothing is written and no voxel is read here, so a dialog can ask for a plan after every
change. All levels but the first are made again from the one before: the reference cuts
means off, other programs round them, and reading a level costs more than making it.

**Memory.** Every worker holds what it reads of the source, the tile and what its next
level becomes; every level above holds the few tiles that are not finished. Tiles are
chosen so that each storage chunk of the source lies in one of them, where the budget
allows it; where not, decoded chunks are kept until the last tile that needs them, in
memory as far as there is room and in the scratch folder beyond.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from math import lcm, prod
from typing import Any

import numpy as np

from brickfield.blockwise import format_bytes
from brickfield.errors import BudgetError
from brickfield.imaris.deflate import Encoder
from brickfield.imaris.dtypes import ValueChange, common_type, target_type, value_change
from brickfield.imaris.options import ImarisOptions
from brickfield.imaris.planning.levels import (
    chunk_shapes,
    factors_between,
    level_shapes,
    padded,
)
from brickfield.imaris.planning.metadata import (
    Space,
    find_space,
    find_times,
    recording_date,
)
from brickfield.imaris.planning.tiles import TileOrder, tile_shapes
from brickfield.imaris.reading.inputs import ChannelInput, ImarisInput, choose_input
from brickfield.imaris.reading.layers import INVERTED, TURNED
from brickfield.model import Int3
from brickfield.sources import ChunkSource
from brickfield.sources.images import (
    notes_on_placement,
    notes_on_room,
    notes_on_values,
)

MODEST_TILE_BYTES = 8 << 20
"""A tile grows up to this, so that a pass is not made of tiny pieces."""
_OVERHEAD_BYTES = 12 << 20
"""Of a worker: values being counted, a chunk being encoded."""
_PERCENT = 85
"""Of the budget that is planned with; the rest is the interpreter's waste."""


@dataclass(frozen=True, slots=True)
class PlannedLevel:
    """One level that is written.

    Attributes
    ----------
    shape, chunk_shape, tile_shape : tuple of int
        Voxels (z, y, x).
    """

    shape: Int3
    chunk_shape: Int3
    tile_shape: Int3


@dataclass(frozen=True)
class ExportPlan:
    """What will be written.

    Attributes
    ----------
    levels : tuple of PlannedLevel
    n_times, n_channels : int
    dtype : numpy.dtype
    changes : tuple of ValueChange
        One a channel.
    encoder : Encoder
    n_workers : int
    room_bytes : int
        For decoded chunks of the source that several tiles need.
    scratch_bytes : int
        That may go to the scratch folder at most; 0 when none is needed.
    notes : tuple of str
        What the user should know.
    """

    levels: tuple[PlannedLevel, ...]
    n_times: int
    n_channels: int
    dtype: np.dtype[Any]
    changes: tuple[ValueChange, ...]
    encoder: Encoder
    n_workers: int
    room_bytes: int
    scratch_bytes: int
    notes: tuple[str, ...]

    @property
    def order(self) -> TileOrder:
        """Which tiles make which."""
        shapes = [level.shape for level in self.levels]
        return TileOrder(
            tuple(shapes),
            tuple(level.tile_shape for level in self.levels),
            tuple(factors_between(shapes)),
        )

    @property
    def n_bytes(self) -> int:
        """Of all levels before compression, padding left out: the most written."""
        voxels = sum(prod(level.shape) for level in self.levels)
        return voxels * self.n_times * self.n_channels * self.dtype.itemsize

    @property
    def n_chunks(self) -> int:
        """Chunks that are written."""
        n = sum(
            prod(padded(level.shape, level.chunk_shape)) // prod(level.chunk_shape)
            for level in self.levels
        )
        return n * self.n_times * self.n_channels

    def as_dict(self) -> dict[str, Any]:
        """Return what tells this work from other work, in plain JSON values."""
        return {
            "levels": [[*lv.shape, *lv.chunk_shape] for lv in self.levels],
            "image": [self.n_times, self.n_channels, self.dtype.name],
            "values": [change.text for change in self.changes],
            "stored": [
                self.encoder.compression,
                self.encoder.level,
                self.encoder.shuffle,
            ],
        }


def plan_export(image: ImarisInput, options: ImarisOptions) -> ExportPlan:
    """Decide what is written.

    Parameters
    ----------
    image : ImarisInput
    options : ImarisOptions

    Raises
    ------
    OptionError
        When values cannot be written without loss that was not asked for.
    BudgetError
        When the budget does not hold the smallest tiles.
    """
    dtype, changes, notes = _values(image, options)
    shapes = level_shapes(image.shape, dtype.itemsize, options.levels)
    n_times = len(image.time_points)
    chunks = chunk_shapes(shapes, dtype.itemsize, n_times, options.chunk_zyx)
    memory = _Memory(image, options, dtype, shapes, chunks)
    tiles, n_workers, room = memory.choose()
    return ExportPlan(
        levels=tuple(
            PlannedLevel(s, c, t) for s, c, t in zip(shapes, chunks, tiles, strict=True)
        ),
        n_times=n_times,
        n_channels=len(image.channels),
        dtype=dtype,
        changes=changes,
        encoder=options.encoder,
        n_workers=n_workers,
        room_bytes=room,
        scratch_bytes=memory.scratch_bytes(tiles[0], room, changes),
        notes=notes,
    )


def _values(
    image: ImarisInput, options: ImarisOptions
) -> tuple[np.dtype[Any], tuple[ValueChange, ...], tuple[str, ...]]:
    wanted = [
        target_type(c.about.dtype, options.dtype, is_labels=c.is_labels)
        for c in image.channels
    ]
    target = common_type(wanted)
    changes = tuple(_change(c, target, options) for c in image.channels)
    notes = [
        f"{c.name}: {change.text}"
        for c, change in zip(image.channels, changes, strict=True)
        if change.text
    ]
    return np.dtype(target), changes, tuple(notes)


def _change(channel: ChannelInput, target: str, options: ImarisOptions) -> ValueChange:
    source = np.dtype(channel.about.dtype).newbyteorder("=")
    is_auto = options.dtype == "auto"
    return value_change(source, target, is_auto=is_auto, window=channel.window)


@dataclass(frozen=True)
class _Memory:
    """Tiles that fit the budget."""

    image: ImarisInput
    options: ImarisOptions
    dtype: np.dtype[Any]
    shapes: list[Int3]
    chunks: list[Int3]

    def choose(self) -> tuple[list[Int3], int, int]:
        """Return tiles of all levels, workers, and the room that is left."""
        budget = self.options.budget_bytes * _PERCENT // 100
        most = self.options.workers or max(2, os.cpu_count() or 1)
        least = self._tiles(self.chunks[0])
        for workers in sorted({most, most // 2, 2, 1} - {0}, reverse=True):
            if workers > most or self._needed(least, workers) > budget:
                continue
            fitting = (
                tiles
                for tiles in self._candidates()
                if self._needed(tiles, workers) <= budget
            )
            tiles = max(fitting, key=self._worth, default=least)
            return tiles, workers, budget - self._needed(tiles, workers)
        needed = self._needed(least, 1) * 100 // _PERCENT
        msg = (
            f"expected a budget of at least {format_bytes(needed)} for chunks of"
            f" {'x'.join(map(str, self.chunks[0]))} voxels and those of the source;"
            f" found {format_bytes(self.options.budget_bytes)}: raise it"
        )
        raise BudgetError(msg)

    def scratch_bytes(
        self, tile: Int3, room: int, changes: tuple[ValueChange, ...]
    ) -> int:
        """Return what may have to lie on disk while the pass goes on."""
        shared = sum(
            prod(self.shapes[0]) * len(self.image.time_points) * c.about.dtype.itemsize
            for c, change in zip(self.image.channels, changes, strict=True)
            if not self._is_whole(c, tile) or (change.needs_range and c.is_costly)
        )
        return shared if shared > room else 0

    def _candidates(self) -> Iterator[list[Int3]]:
        """Tiles of level 0: along each axis chunks, whole storage chunks, everything."""
        stored = self.image.channels[0].about.storage_chunk_zyx
        choices = []
        for axis in range(3):
            n, c, s = self.shapes[0][axis], self.chunks[0][axis], stored[axis]
            sizes = {c, lcm(c, s), -(-n // c) * c}
            sizes |= {k * m for k in tuple(sizes) for m in (2, 4, 8)}
            choices.append(sorted(k for k in sizes if k < 2 * max(n, c)))
        for z, y, x in product(*choices):
            yield self._tiles((z, y, x))

    def _worth(self, tiles: list[Int3]) -> tuple[int, int, int]:
        first = tiles[0]
        whole = sum(self._is_whole(c, first) for c in self.image.channels)
        n_bytes = prod(first) * self.dtype.itemsize
        # As large as is useful, and no larger.
        modest = min(n_bytes, MODEST_TILE_BYTES)
        along = min(first[2], self.shapes[0][2])
        return (whole, modest - max(0, n_bytes - MODEST_TILE_BYTES) // 16, along)

    def _is_whole(self, channel: ChannelInput, tile: Int3) -> bool:
        """Whether no storage chunk of a channel lies in two tiles."""
        about = channel.about
        spatial = about.spatial_axes
        lead = [c for i, c in enumerate(about.storage_chunk_shape) if i not in spatial]
        if max(lead, default=1) > 1:
            return False
        return all(
            tile[a] >= self.shapes[0][a]
            or (tile[a] % stored == 0 and self.image.origin[a] % stored == 0)
            for a, stored in enumerate(about.storage_chunk_zyx)
        )

    def _tiles(self, first: Int3) -> list[Int3]:
        return tile_shapes(first, self.chunks, factors_between(self.shapes))

    def _needed(self, tiles: list[Int3], workers: int) -> int:
        first = _cut(tiles[0], padded(self.shapes[0], self.chunks[0]))
        widest = max(c.about.dtype.itemsize for c in self.image.channels)
        stored = max(
            prod(c.about.storage_chunk_shape) * c.about.dtype.itemsize
            for c in self.image.channels
        )
        own = first * (widest + 2 * self.dtype.itemsize) + 2 * stored + _OVERHEAD_BYTES
        above = sum(
            _cut(tile, padded(shape, chunk))
            for tile, shape, chunk in zip(
                tiles[1:], self.shapes[1:], self.chunks[1:], strict=True
            )
        )
        return workers * own + (workers + 2) * above * self.dtype.itemsize


def _cut(tile: Int3, shape: Int3) -> int:
    return prod(min(t, n) for t, n in zip(tile, shape, strict=True))


@dataclass(frozen=True, eq=False)
class PreparedExport:
    """Everything that is known before the first voxel is read.

    What a dialog shows: nothing is written, and it is made again after every change.

    Attributes
    ----------
    image : ImarisInput
    plan : ExportPlan
    space : Space
    times : tuple of datetime
    notes : tuple of str
    """

    image: ImarisInput
    plan: ExportPlan
    space: Space
    times: tuple[datetime, ...]
    notes: tuple[str, ...]


def prepare(
    sources: list[ChunkSource], options: ImarisOptions, taken: Sequence[str] = ()
) -> PreparedExport:
    """Decide everything about an export.

    Parameters
    ----------
    sources : list of ChunkSource
        Open; several become the channels of one image.
    options : ImarisOptions
    taken : sequence of str
        Notes on which image of several was taken.

    Raises
    ------
    OptionError, BudgetError
        What would be refused, with what to do.
    """
    image = choose_input(sources, options)
    plan = plan_export(image, options)
    space = find_space(image, options.units)
    times, told = find_times(image, options.times, recording_date(sources[0]))
    turned = [
        f.text for s in sources for f in s.info.findings if f.code in (TURNED, INVERTED)
    ]
    masked = [n for s in sources for n in notes_on_values(s.info)]
    placed = [n for s in sources for n in notes_on_placement(s.info)]
    room = dict.fromkeys(n for s in sources for n in notes_on_room(s.info))
    odd = (*turned, *masked, *placed, *room)
    notes = (*plan.notes, *space.notes, *told, *odd, *taken)
    return PreparedExport(image, plan, space, tuple(times), notes)
