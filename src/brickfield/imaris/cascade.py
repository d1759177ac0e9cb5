"""All levels of one time point and channel in one pass over level 0.

A worker reads a tile, counts it, writes its chunks and adds its halves to the tile of
the next level. The worker that adds the last part of a tile goes on with it in the same
way, up to the coarsest level. So nothing is read twice, and only tiles that are not
finished are held: a few for each level, whatever the size of the image.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block, BlockGrid, ThreadBuffers
from brickfield.imaris.halving import halve
from brickfield.imaris.output.file import ImarisFile
from brickfield.imaris.planning.plan import ExportPlan
from brickfield.imaris.planning.tiles import TileOrder
from brickfield.imaris.statistics import LevelStatistics
from brickfield.imaris.thumbnail import Projection
from brickfield.model import Int3

AnyArray = NDArray[Any]
ReadTile = Callable[[tuple[slice, ...]], AnyArray]
"""Voxels (z, y, x) of the region, counted from its own corner, ready to be written."""
Noted = Callable[[int, Int3, AnyArray], None]
"""Told level, place and voxels of a chunk that was written, padding included."""
_PROBE = 4099
_COMPILED_FROM = 128 << 20
"""Bytes of voxels whose counting and halving take longer than numba takes to import."""


@dataclass(eq=False)
class _Unfinished:
    """A tile that waits for the rest of its parts."""

    data: AnyArray
    n_missing: int


class Cascade:
    """The block function of one time point and channel. From any thread.

    Parameters
    ----------
    plan : ExportPlan
    order : TileOrder
    file : ImarisFile
    read : callable
    is_labels : bool
    projection : (int, Projection) or None
        The level that the thumbnail is taken from.
    note : callable or None

    Attributes
    ----------
    statistics : tuple of LevelStatistics
    """

    def __init__(  # noqa: PLR0913 -- all that a pass consists of
        self,
        plan: ExportPlan,
        order: TileOrder,
        file: ImarisFile,
        read: ReadTile,
        *,
        is_labels: bool = False,
        projection: tuple[int, Projection] | None = None,
        note: Noted | None = None,
    ) -> None:
        self._plan = plan
        self._order = order
        self._file = file
        self._read = read
        self._is_labels = is_labels
        self._projection = projection
        self._note = note
        self._loops = _loops_for(plan)
        self._chunks = ThreadBuffers()
        self._lock = threading.Lock()
        self._unfinished: dict[tuple[int, Int3], _Unfinished] = {}
        self._empty: dict[Int3, bytes] = {}
        self.statistics = tuple(LevelStatistics(plan.dtype) for _ in plan.levels)

    def __call__(self, block: Block) -> int:
        """Make a tile of level 0 and every tile that it completes.

        Returns
        -------
        int
            Bytes of the tile before compression.
        """
        data = self._read(block.slices)
        n_bytes = int(data.nbytes)
        index: Int3 = (block.index[0], block.index[1], block.index[2])
        self._finish(0, index, data)
        return n_bytes

    def count_again(self) -> None:
        """Count all levels a second time, of types whose range was not known before."""
        for number, statistics in enumerate(self.statistics):
            if not statistics.is_exact:
                self._count_level(number, statistics)

    def _count_level(self, number: int, statistics: LevelStatistics) -> None:
        from brickfield.sources.hdf5 import HDF5Dataset

        level = self._plan.levels[number]
        stored = HDF5Dataset(self._file.read_chunks(number))
        for block in BlockGrid(level.shape, level.chunk_shape):
            data = stored.read_chunk(block.index).data
            if data is not None:
                statistics.count(data[tuple(slice(n) for n in block.shape)])

    def _finish(self, level: int, index: Int3, data: AnyArray) -> None:
        """Write a whole tile and hand its halves on."""
        while True:
            region = self._order.region(level, index)
            # Above level 0 a tile may have no voxels, since halving drops the last
            # plane of an odd size; it is a part of the next tile all the same, which
            # waits for it.
            if data.size:
                self.statistics[level].add(data, self._loops)
                self._write(level, region, data)
                if self._projection is not None and self._projection[0] == level:
                    self._projection[1].add(data, [s.start for s in region])
            if level + 1 == len(self._plan.levels):
                return
            whole = self._hand_on(level, index, region, data)
            if whole is None:
                return
            level, index, data = level + 1, self._order.parent(level, index), whole

    def _hand_on(
        self, level: int, index: Int3, region: tuple[slice, ...], data: AnyArray
    ) -> AnyArray | None:
        """Add a tile to that of the next level; return that one when it is whole."""
        factors = self._order.factors[level]
        parent = self._order.parent(level, index)
        above = self._order.region(level + 1, parent)
        halves = halve(data, factors, is_labels=self._is_labels, loops=self._loops)
        place = tuple(
            slice(s.start // f - a.start, s.start // f - a.start + n)
            for s, f, a, n in zip(region, factors, above, halves.shape, strict=True)
        )
        key = (level + 1, parent)
        # Only the bookkeeping is guarded. Parts of one tile lie beside each other, so
        # several workers copy into it at once; the count decides who was last.
        with self._lock:
            tile = self._unfinished.get(key)
            if tile is None:
                shape = [s.stop - s.start for s in above]
                n = self._order.n_children(level + 1, parent)
                tile = self._unfinished[key] = _Unfinished(
                    np.zeros(shape, self._plan.dtype), n
                )
        if halves.size:
            tile.data[place] = halves
        with self._lock:
            tile.n_missing -= 1
            if tile.n_missing:
                return None
            # Given on by the one worker that completed it: no queue between levels, so
            # no tile waits for a free worker while its memory is held.
            del self._unfinished[key]
        return tile.data

    def _write(self, level: int, region: tuple[slice, ...], data: AnyArray) -> None:
        chunk = self._plan.levels[level].chunk_shape
        for part in BlockGrid(data.shape, chunk):
            voxels = data[part.slices]
            # The encoder takes the bytes as they lie; a part of a tile has gaps between
            # its rows.
            whole = self._chunks.take(chunk, data.dtype)
            # HDF5 stores whole chunks, also at the edge of the image; what lies beyond
            # is 0.
            if voxels.shape != chunk:
                whole[...] = 0
            whole[tuple(slice(n) for n in voxels.shape)] = voxels
            z, y, x = (
                s.start // c + i
                for s, c, i in zip(region, chunk, part.index, strict=True)
            )
            self._file.write_chunk(level, (z, y, x), self._encoded(whole))
            if self._note is not None:
                self._note(level, (z, y, x), whole)

    def _encoded(self, voxels: AnyArray) -> bytes:
        """Encode a chunk; an empty one, of which sparse data have many, once."""
        # A few voxels tell nearly always that it is not empty.
        if voxels.reshape(-1)[::_PROBE].any() or voxels.any():
            return self._plan.encoder.encode(voxels)
        shape: Int3 = (voxels.shape[0], voxels.shape[1], voxels.shape[2])
        if shape not in self._empty:
            # Two workers may both encode it; the result is the same, so no lock.
            self._empty[shape] = self._plan.encoder.encode(voxels)
        return self._empty[shape]


def _loops_for(plan: ExportPlan) -> Any:
    """Return compiled loops where numba is installed and worth its import."""
    is_small = plan.dtype.itemsize > 2 or plan.n_bytes < _COMPILED_FROM
    if is_small or find_spec("numba") is None:
        return None
    from brickfield.imaris import voxel_loops

    return voxel_loops
