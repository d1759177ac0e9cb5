"""Fills the holes of damaged chunks from coarser levels, before they are uploaded.

Invariant: a voxel that was read is never changed; a voxel in a hole takes the value
of the finest coarser voxel loaded, nearest in world space, else the fill value. A
hole is filled again when something better arrives. Chunks that could help and are
not loaded are *wished* for, each once for each damaged chunk. Render thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu import CONSTANT, DATA, FAILED, Holes, Name
from brickfield.model import ChunkId, Pyramid, pack_keys
from brickfield.model.requests import ChunkState, Hole, LoadedChunk

Indices = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Mended:
    """A damaged chunk, as good as it can be made now.

    Attributes
    ----------
    chunk : LoadedChunk
        With filled holes, still named in it.
    holes : Holes
        What became of them.
    wishes : frozenset of name
        Coarser chunks to be loaded, since they would help.
    """

    chunk: LoadedChunk
    holes: Holes
    wishes: frozenset[Name]


class Mender:
    """Fills holes for one layer in one view.

    Parameters
    ----------
    pyramid : Pyramid
    peek : callable
        Looks for a chunk in the RAM cache.
    value_of : callable
        Gives the page table's value of a chunk.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        *,
        peek: Callable[[Name], LoadedChunk | None],
        value_of: Callable[[Name], int],
    ) -> None:
        self.pyramid = pyramid
        self._peek = peek
        self._value_of = value_of
        self._waiting: dict[Name, frozenset[Name]] = {}
        self._wished: set[tuple[Name, Name]] = set()

    def mend(self, name: Name, chunk: LoadedChunk) -> Mended:
        """Fill the holes of a chunk with what is loaded of coarser levels.

        Parameters
        ----------
        name : Name
            Plane and key of the chunk.
        chunk : LoadedChunk
            With voxels.
        """
        assert chunk.data is not None
        # The cache's array is shared by all views and read-only.
        data = chunk.data.copy()
        lacking = ~chunk.is_known()
        n_lost = np.count_nonzero(lacking)
        wishes: set[Name] = set()
        for hole in chunk.holes:
            self._fill(name, hole, data, lacking, wishes)
        # Once per pair: a coarser chunk that does not come must not be requested each
        # frame.
        fresh = frozenset(w for w in wishes if (name, w) not in self._wished)
        self._wished |= {(name, w) for w in fresh}
        self._waiting[name] = frozenset(wishes)
        edges = self.pyramid.levels[chunk.chunk_id.scale_level].chunk_shape
        is_filled = bool(np.count_nonzero(lacking) < n_lost)
        holes = Holes(octants_of(lacking, edges), is_filled)
        return Mended(replace(chunk, data=data), holes, fresh)

    def waiting_for(self, coarser: Name) -> list[Name]:
        """List the damaged chunks that a coarser one, which ended, could help."""
        return [name for name, wishes in self._waiting.items() if coarser in wishes]

    def forget(self, name: Name) -> None:
        """Forget that a chunk was damaged: it is read again."""
        self._waiting.pop(name, None)
        self._wished = {pair for pair in self._wished if pair[0] != name}

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._wished.clear()

    def _fill(
        self,
        name: Name,
        hole: Hole,
        data: NDArray[np.generic],
        lacking: Mask,
        wishes: set[Name],
    ) -> None:
        box, todo = data[hole.box], lacking[hole.box]
        is_wished = False
        chunk = ChunkId.from_key(name[1])
        for level in range(chunk.scale_level + 1, self.pyramid.n_levels):
            if not todo.any():
                break
            rows = coarser_rows(self.pyramid, chunk, hole, level)
            for part, index, inner in _parts(rows, self.pyramid, level):
                other = (name[0], int(pack_keys(level, index)[0]))
                stand_in = self._at_hand(other, level)
                if stand_in is not None:
                    lay_in(box[part], todo[part], stand_in, inner)
                elif not is_wished and not self._is_lost(other):
                    wishes.add(other)
            # One level of wishes is enough: a coarser one would be covered by it.
            is_wished = is_wished or bool(wishes)

    def _at_hand(self, name: Name, level: int) -> LoadedChunk | None:
        chunk = self._peek(name)
        if chunk is not None and chunk.state is not ChunkState.FAILED:
            return chunk
        if self._value_of(name) & CONSTANT:
            fill = float(self.pyramid.levels[level].fill_value)
            return LoadedChunk(name[1], (), ChunkState.MISSING, None, fill, fill)
        return None

    def _is_lost(self, name: Name) -> bool:
        # FAILED alone: with DATA it has voxels, and only holes.
        return self._value_of(name) & (DATA | FAILED) == FAILED


def coarser_rows(pyramid: Pyramid, chunk: ChunkId, hole: Hole, level: int) -> Indices:
    """Return which voxels of a coarser level are nearest to those of a hole.

    Parameters
    ----------
    pyramid : Pyramid
    chunk : ChunkId
    hole : Hole
    level : int
        The coarser level.

    Returns
    -------
    tuple of ndarray, shape (n,), int64
        Along z, y and x, for each voxel of the hole.
    """
    here, about = chunk.scale_level, pyramid.levels[level]
    scale = pyramid.downscale[here] / pyramid.downscale[level]
    shift = pyramid.offset[here] - pyramid.offset[level]
    shift = shift / pyramid.downscale[level]
    edges = pyramid.levels[here].chunk_shape
    rows = []
    for k in range(3):
        first = chunk.index[k] * edges[k]
        fine = np.arange(first + hole.low[k], first + hole.high[k])
        coarse = np.rint(fine * scale[k] + shift[k]).astype(np.int64)
        rows.append(np.clip(coarse, 0, about.shape_zyx[k] - 1))
    return rows[0], rows[1], rows[2]


def _parts(
    rows: Indices, pyramid: Pyramid, level: int
) -> Iterator[tuple[tuple[slice, ...], NDArray[np.int64], Indices]]:
    """Cut a hole by the coarser chunks over it.

    Yields the part of the hole, the chunk's grid index, and indices in the chunk.
    """
    edges = pyramid.levels[level].chunk_shape
    cuts: list[list[tuple[slice, int, NDArray[np.int64]]]] = []
    for axis, edge in zip(rows, edges, strict=True):
        chunks = axis // edge
        starts = [0, *(np.flatnonzero(np.diff(chunks)) + 1).tolist(), len(axis)]
        cuts.append(
            [
                (slice(a, b), int(chunks[a]), axis[a:b] - int(chunks[a]) * edge)
                for a, b in pairwise(starts)
            ]
        )
    for z, y, x in product(*cuts):
        index = np.array([[z[1], y[1], x[1]]], dtype=np.int64)
        yield (z[0], y[0], x[0]), index, (z[2], y[2], x[2])


def lay_in(
    box: NDArray[np.generic], todo: Mask, stand_in: LoadedChunk, inner: Indices
) -> None:
    """Give voxels that lack the values of a coarser chunk, and strike them off.

    Parameters
    ----------
    box, todo : ndarray, shape (z, y, x)
        Part of a hole, and which of its voxels lack. Written to.
    stand_in : LoadedChunk
    inner : tuple of ndarray
        Indices in it along z, y and x.
    """
    # Holes of the stand-in itself stay open for the next coarser level.
    can = todo.copy()
    at = np.ix_(*inner)
    if stand_in.holes:
        can &= stand_in.is_known()[at]
    if stand_in.data is None:
        values = np.full(box.shape, stand_in.minimum).astype(box.dtype)
    else:
        values = stand_in.data[at].astype(box.dtype, copy=False)
    box[can] = values[can]
    # In place: `todo` is a view of the chunk's mask.
    todo &= ~can


def octants_of(lacking: Mask, edges: tuple[int, ...]) -> int:
    """Return the bits of the eighths of a chunk in which a voxel lacks.

    Parameters
    ----------
    lacking : ndarray, shape (z, y, x), bool
    edges : tuple of int
        Voxels of a whole chunk; the eighths part in its middle.
    """
    # Of a whole chunk, as in `empty_octants`: the shader divides slots, not voxels.
    halves = [(slice(0, n // 2), slice(n // 2, None)) for n in edges]
    bits = 0
    for octant in range(8):
        z, y, x = octant >> 2, octant >> 1 & 1, octant & 1
        if lacking[halves[0][z], halves[1][y], halves[2][x]].any():
            bits |= 1 << octant
    return bits
