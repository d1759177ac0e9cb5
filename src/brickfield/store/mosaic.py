"""An array put together from chunks, in any order, with coarser data where some lack.

Invariant: a voxel of the array holds the voxel of its own level once its chunk has
been painted, and is never painted over with anything coarser after that. Until then
it holds the finest coarser voxel that was loaded, nearest in world space, else the
fill value; so do voxels of a chunk that could not be read.

Nothing is read here. Painting costs one copy a chunk; 2000 × 2000 voxels of 64³
chunks are 1,024 copies, about 10 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import NDArray

from brickfield.model import ChunkKey, Pyramid, Selection, pack_keys
from brickfield.model.requests import ChunkState, LoadedChunk

Name = tuple[Selection, ChunkKey]
"""A chunk of one selection."""
Picks = tuple[range, range, range]
"""Picked indices along z, y and x, voxels of the level."""
Peek = Callable[[Selection, ChunkKey], LoadedChunk | None]
STEP_VOXELS = 1 << 20
"""Most voxels that are painted at once with what stands in."""
_Place = tuple[tuple[int, ...], tuple[slice, ...], tuple[int | slice, ...]]
"""Cell of the grid (selection, z, y, x), voxels of the chunk, voxels of the array."""


@dataclass(frozen=True, slots=True)
class AxisCut:
    """The picked indices of one axis that lie in one chunk.

    Attributes
    ----------
    index : int
        Grid index of the chunk.
    source, target : slice
        Where they lie in the chunk, and where in the array.
    """

    index: int
    source: slice
    target: slice


def cut_axis(picks: range, edge: int) -> list[AxisCut]:
    """Cut picked indices at the borders of chunks.

    Parameters
    ----------
    picks : range
        Ascending or descending, within the level.
    edge : int
        Voxels of a chunk along the axis.
    """
    if not picks:
        return []
    indices = np.arange(picks.start, picks.stop, picks.step)
    chunks = indices // edge
    # Picks may step, or run backwards: runs of equal chunk numbers are found, not
    # computed.
    starts = [0, *(np.flatnonzero(np.diff(chunks)) + 1).tolist(), len(indices)]
    cuts = []
    for a, b in pairwise(starts):
        chunk = int(chunks[a])
        first, last = picks[a] - chunk * edge, picks[b - 1] - chunk * edge
        stop = last + (1 if picks.step > 0 else -1)
        # A backward slice that ends at voxel 0 has no stop that can be written as a
        # number.
        source = slice(first, None if stop < 0 else stop, picks.step)
        cuts.append(AxisCut(chunk, source, slice(a, b)))
    return cuts


class Mosaic:
    """Voxels of one level, put together. Not thread-safe.

    Parameters
    ----------
    pyramid : Pyramid
    level : int
    picks : tuple of range
        Picked indices (z, y, x).
    selections : sequence of tuple of int
        One for each block along the first axis of :attr:`out`.
    dtype : numpy.dtype
        Of the array; complex voxels give their magnitude to a real one.

    Attributes
    ----------
    out : ndarray, shape (n selections, n z, n y, n x)
        Fill value at first.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        level: int,
        picks: Picks,
        selections: Sequence[Selection],
        dtype: np.dtype[np.generic],
    ) -> None:
        about = pyramid.levels[level]
        self._pyramid = pyramid
        self.level = level
        self.picks = picks
        self.selections = list(selections)
        self._fill = as_type(
            np.array(about.fill_value, about.dtype.newbyteorder("=")), dtype
        )
        shape = (len(self.selections), *(len(p) for p in picks))
        zero = np.zeros((), dtype)
        self.out = (
            np.zeros(shape, dtype)  # pages that are never touched cost nothing
            # Compared as bytes: a fill value of NaN equals nothing, and -0.0 is not 0.
            if self._fill.tobytes() == zero.tobytes()
            else np.full(shape, self._fill, dtype)
        )
        self._cuts = [
            cut_axis(p, c) for p, c in zip(picks, about.chunk_shape, strict=True)
        ]
        grid = tuple(len(cuts) for cuts in self._cuts)
        # By cell of the cut grid, so that stand-ins can ask for whole boxes of chunks.
        self._is_open = np.ones((len(self.selections), *grid), dtype=np.bool_)
        self._places = dict(self._name_all())
        self._damaged: dict[Name, LoadedChunk] = {}

    def _name_all(self) -> Iterator[tuple[Name, _Place]]:
        cuts = list(product(*self._cuts))
        indices = np.array([[c.index for c in cut] for cut in cuts], dtype=np.int64)
        keys = pack_keys(self.level, indices.reshape(-1, 3)).tolist()
        cells = list(np.ndindex(self._is_open.shape))
        n = 0
        for block, selection in enumerate(self.selections):
            for key, (z, y, x) in zip(keys, cuts, strict=True):
                source = (z.source, y.source, x.source)
                target = (block, z.target, y.target, x.target)
                yield (selection, key), (cells[n], source, target)
                n += 1

    @property
    def names(self) -> Iterable[Name]:
        """The chunks it is made of, each once, in C order."""
        return self._places.keys()

    def centre_first(self, names: Iterable[Name]) -> list[Name]:
        """Sort some of the chunks by their distance from the middle of the array."""
        known = list(names)
        cells = np.array([self._places[name][0] for name in known], dtype=np.float64)
        middle = (np.array(self._is_open.shape) - 1) / 2
        # The first column is the selection: all channels of a place are equally near.
        away = np.square(cells.reshape(-1, 4) - middle)[:, 1:].sum(axis=1)
        return [known[i] for i in np.argsort(away, kind="stable").tolist()]

    def __len__(self) -> int:
        """Count the chunks it is made of."""
        return len(self._places)

    def paint(self, chunk: LoadedChunk) -> bool:
        """Put the voxels of one chunk where they belong.

        Of a chunk with holes only those that were read.

        Returns
        -------
        bool
            Whether the chunk is one of :attr:`names` and every voxel of it was read.
        """
        name = (chunk.selection, chunk.key)
        place = self._places.get(name)
        if place is None or chunk.state is ChunkState.FAILED:
            return False
        cell, source, target = place
        if chunk.holes:
            # Kept, because coarser data are laid in afterwards and must not cover what
            # was read.
            self._damaged[name] = chunk
            self._paint_known_voxels(chunk)
            return False
        self._damaged.pop(name, None)
        if chunk.data is None:
            self.out[target] = self._fill
        else:
            self.out[target] = as_type(chunk.data[source], self.out.dtype)
        # From here on nothing coarser is painted over it.
        self._is_open[cell] = False
        return True

    def _paint_known_voxels(self, chunk: LoadedChunk) -> None:
        assert chunk.data is not None
        _, source, target = self._places[chunk.selection, chunk.key]
        data = as_type(chunk.data[source], self.out.dtype)
        np.copyto(self.out[target], data, where=chunk.is_known()[source])

    def paint_known(self, peek: Peek) -> list[Name]:
        """Paint every chunk that is loaded; return the others."""
        lacking = []
        for name in self._places:
            chunk = peek(*name)
            if chunk is None or not self.paint(chunk):
                lacking.append(name)
        return lacking

    # -- what stands in ----------------------------------------------------------

    def hold(self, pixels: NDArray[np.generic]) -> None:
        """Show other pixels wherever no chunk was painted yet.

        Parameters
        ----------
        pixels : ndarray, shape of :attr:`out`
        """
        if self._is_open.all():
            self.out[...] = pixels
            return
        for cell, _, target in self._places.values():
            if self._is_open[cell]:
                self.out[target] = pixels[target]

    def clear_open(self) -> None:
        """Show the fill value wherever no chunk was painted yet."""
        self.hold(np.broadcast_to(self._fill, self.out.shape))
        for damaged in self._damaged.values():
            self._paint_known_voxels(damaged)

    def paint_coarser(self, peek: Peek) -> None:
        """Paint what is loaded of coarser levels wherever no chunk was painted yet.

        Parameters
        ----------
        peek : callable
            ``(selection, key) -> LoadedChunk or None``.
        """
        for _ in self.coarser_steps(peek):
            pass

    def coarser_steps(self, peek: Peek) -> Iterator[None]:
        """Do as :meth:`paint_coarser`, a piece at each step.

        Chunks may be painted between the steps.
        """
        for block, selection in enumerate(self.selections):
            is_open = self._is_open[block]
            if is_open.any():
                found = self._stand_ins_for(peek, selection, is_open)
                # Coarsest first, so that finer data end on top.
                for part, chunk in reversed(found):
                    self._lay_under(self.out[block], part, chunk, is_open)
                    for damaged in self._damaged.values():
                        self._paint_known_voxels(damaged)
                    yield

    def _stand_ins_for(
        self, peek: Peek, selection: Selection, is_open: NDArray[np.bool_]
    ) -> list[tuple[_Part, LoadedChunk]]:
        """Find the finest stand-in of every open chunk, finest level first."""
        found = []
        for level in range(self.level + 1, self._pyramid.n_levels):
            # A level is looked up only where the finer ones left something open.
            still_open = np.zeros_like(is_open)
            for part in product(*self._stand_ins(level)):
                under = (part[0].under, part[1].under, part[2].under)
                if not is_open[under].any():
                    continue
                index = np.array([[p.index for p in part]], dtype=np.int64)
                chunk = peek(selection, int(pack_keys(level, index)[0]))
                if chunk is not None and chunk.state is not ChunkState.FAILED:
                    found.append((part, chunk))
                if chunk is None or not chunk.is_whole:
                    still_open[under] |= is_open[under]
            is_open = still_open
            if not is_open.any():
                break
        return found

    def _lay_under(
        self,
        out: NDArray[np.generic],
        part: _Part,
        chunk: LoadedChunk,
        is_open: NDArray[np.bool_],
    ) -> None:
        """Paint one coarser chunk, but not over chunks that are there."""
        under = is_open[part[0].under, part[1].under, part[2].under]
        if not under.any():
            return
        whole = (part[0].target, part[1].target, part[2].target)
        data: NDArray[np.generic] = self._fill
        if chunk.data is not None:
            # The axis that shrinks most (a slice) first.
            axes = sorted(range(3), key=lambda a: len(part[a].rows))
            data, is_known = chunk.data, chunk.is_known() if chunk.holes else None
            for axis in axes:
                data = data.take(part[axis].rows, axis)
                if is_known is not None:
                    is_known = is_known.take(part[axis].rows, axis)
            data = as_type(data, out.dtype)
            if is_known is not None:
                data = np.where(is_known, data, out[whole])
        # The usual case: one assignment for a whole box instead of one per chunk.
        if under.all():
            out[whole] = data
            return
        data = np.broadcast_to(data, tuple(len(p.rows) for p in part))
        for cell in np.argwhere(under).tolist():
            at = [i + p.under.start for i, p in zip(cell, part, strict=True)]
            cut = [self._cuts[k][i].target for k, i in enumerate(at)]
            both = [_common(c, p.target) for c, p in zip(cut, part, strict=True)]
            inner = tuple(
                slice(b.start - w.start, b.stop - w.start)
                for b, w in zip(both, whole, strict=True)
            )
            out[tuple(both)] = data[inner]

    def _stand_ins(self, level: int) -> list[list[_StandIn]]:
        here, pyramid = self.level, self._pyramid
        about = pyramid.levels[level]
        scale = pyramid.downscale[here] / pyramid.downscale[level]
        shift = (pyramid.offset[here] - pyramid.offset[level]) / pyramid.downscale[
            level
        ]
        parts: list[list[_StandIn]] = [[], [], []]
        n_voxels = 1
        for k in (2, 1, 0):
            picks, n = self.picks[k], about.shape_zyx[k]
            fine = np.arange(picks.start, picks.stop, picks.step)
            # Nearest voxel centre, as the display of labels needs; half a coarse voxel off at
            # most.
            coarse = np.rint(fine * scale[k] + shift[k]).astype(np.int64)
            rows = np.clip(coarse, 0, n - 1)
            ends = np.array([cut.target.stop for cut in self._cuts[k]])
            # Pieces of bounded size, x first: a step between two looks at the clock
            # stays short.
            most = max(1, STEP_VOXELS // n_voxels)
            parts[k] = list(_parts(rows, about.chunk_shape[k], ends, most))
            n_voxels *= max(len(part.rows) for part in parts[k])
        return parts


@dataclass(frozen=True, slots=True)
class _StandIn:
    """The part of one axis that one coarser chunk stands in for.

    Attributes
    ----------
    index : int
        Grid index of the coarser chunk.
    target : slice
        Where in the array.
    rows : ndarray, shape (n,), int64
        Index in the coarser chunk for each place.
    under : slice
        Which of the array's own chunks it meets.
    """

    index: int
    target: slice
    rows: NDArray[np.int64]
    under: slice


def _parts(
    rows: NDArray[np.int64], edge: int, ends: NDArray[np.int64], most: int
) -> Iterator[_StandIn]:
    """Divide places along an axis by coarser chunks, with a limit for each part."""
    chunks = rows // edge
    borders = [0, *(np.flatnonzero(np.diff(chunks)) + 1).tolist()]
    starts = {*borders, *range(0, len(rows), most)}
    for a, b in pairwise([*sorted(starts), len(rows)]):
        first = int(np.searchsorted(ends, a, side="right"))
        last = int(np.searchsorted(ends, b - 1, side="right"))
        chunk = int(chunks[a])
        yield _StandIn(
            chunk, slice(a, b), rows[a:b] - chunk * edge, slice(first, last + 1)
        )


_Part = tuple[_StandIn, ...]
"""One stand-in along z, y and x: a coarser chunk."""


def _common(a: slice, b: slice) -> slice:
    return slice(max(a.start, b.start), min(a.stop, b.stop))


def as_type(
    data: NDArray[np.generic], dtype: np.dtype[np.generic]
) -> NDArray[np.generic]:
    """Convert voxels; of complex ones the magnitude where real ones are wanted.

    Parameters
    ----------
    data : ndarray, any shape
    dtype : np.dtype
    """
    if data.dtype.kind == "c" and dtype.kind != "c":
        magnitude: NDArray[np.generic] = np.abs(data).astype(dtype)
        return magnitude
    return data if data.dtype == dtype else data.astype(dtype)
