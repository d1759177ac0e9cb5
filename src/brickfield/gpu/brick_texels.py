"""Padded copies: a chunk and the border of one voxel that its neighbours have.

Linear sampling at the face of a brick reads one voxel beyond it. That voxel belongs to
the neighbour; where no neighbour of the same level is loaded, the nearest own voxel is
repeated, which is also right at the edges of the volume.

:class:`BrickEncoder` makes the texels of a slot from a chunk, and knows which bricks
wait for a neighbour. A brick whose neighbours are still on their way is drawn with its
own faces repeated, and made again once all of them have arrived: nothing is made a
second time while one of them is missing. Thread rule: render thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import product
from math import inf
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.formats import TextureFormat, bounds_of, empty_octants, pack_range
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.names import Name
from brickfield.gpu.page_table import CONSTANT, NONFINITE, OCTANTS
from brickfield.model import INDEX_BITS, Pyramid
from brickfield.model.requests import ChunkState, LoadedChunk

Int3 = tuple[int, int, int]
NEIGHBOURS: tuple[Int3, ...] = tuple(
    (dz, dy, dx)
    for dz, dy, dx in product((-1, 0, 1), repeat=3)
    if (dz, dy, dx) != (0, 0, 0)
)
"""The 26 offsets (z, y, x) round a chunk."""


def _lenders(offset: Int3) -> tuple[Int3, ...]:
    z, y, x = ((o, 0) if o else (0,) for o in offset)
    # The diagonal neighbour itself first, then those that share more of the place.
    found = sorted(product(z, y, x), key=lambda o: -sum(map(abs, o)))
    return tuple(o for o in found if o != (0, 0, 0))


_LENDERS = {offset: _lenders(offset) for offset in NEIGHBOURS}
"""Return which chunk provides the voxels at an offset: the one there, or the nearest.

At the edge of the volume there is none beyond, but the adjacent chunk still has the
voxels nearest to the corner.
"""


class _Place(NamedTuple):
    """One of the 26 parts of a border, and where its voxels come from."""

    target: tuple[slice, ...]
    lenders: tuple[tuple[Int3, tuple[slice, ...]], ...]
    own: tuple[slice, ...]


def pad_brick(
    data: NDArray[np.generic],
    border: Int3,
    neighbour: Callable[[Int3], NDArray[np.generic] | None],
    *,
    out: NDArray[np.generic] | None = None,
) -> NDArray[np.generic]:
    """Make the padded copy of a chunk.

    Parameters
    ----------
    data : ndarray, shape (z, y, x)
        The chunk's own voxels.
    border : tuple of int
        Voxels added on both sides of z, y and x: 0 or 1.
    neighbour : callable
        Gives the voxels of the chunk at an offset (dz, dy, dx), or None. Asked once
        for each offset that a border reaches.
    out : ndarray, optional
        Written to in place of a new array; as large or larger.

    Returns
    -------
    ndarray
        Shape of `data` plus twice the border, same dtype; C-contiguous, or the
        lower corner of `out`.
    """
    shape = tuple(n + 2 * b for n, b in zip(data.shape, border, strict=True))
    if out is None:
        out = np.empty(shape, data.dtype)
    padded = out if out.shape == shape else out[tuple(map(slice, shape))]
    middle, places = _places(data.shape, border)
    padded[middle] = data
    lent: dict[Int3, NDArray[np.generic]] = {}
    for offset in _reached(border):
        # Looked up once for all parts of the border that it lends to.
        other = neighbour(offset)
        if other is not None and _is_beside(other.shape, data.shape, offset):
            lent[offset] = other
    for target, lenders, own in places:
        for lender, source in lenders:
            if lender in lent:
                padded[target] = lent[lender][source]
                break
        else:
            # Nobody lends: the nearest own voxel, which is right at the edge of the
            # volume, and until the neighbour comes.
            padded[target] = data[own]
    return padded


def fill_slot(
    padded: NDArray[np.generic],
    slot: tuple[int, ...],
    *,
    out: NDArray[np.generic] | None = None,
) -> NDArray[np.generic]:
    """Repeat the far faces of a cut brick until it fills its slot.

    Rays at the far edge may lie beyond the voxels of a coarse level by part of a
    voxel; they must not meet what another brick left in the slot.

    Parameters
    ----------
    padded : ndarray, shape (z, y, x)
    slot : tuple of int
    out : ndarray, shape `slot`, optional
        The array whose lower corner `padded` is.
    """
    if padded.shape == slot:
        return padded
    z, y, x = padded.shape
    if out is None:
        out = np.empty(slot, padded.dtype)
        out[:z, :y, :x] = padded
    out[:z, :y, x:] = out[:z, :y, x - 1 : x]
    out[:z, y:] = out[:z, y - 1 : y]
    out[z:] = out[z - 1 : z]
    return out


@lru_cache(maxsize=8)
def _reached(border: Int3) -> tuple[Int3, ...]:
    """List the offsets that a border reaches."""
    return tuple(
        o
        for o in NEIGHBOURS
        if all(b or not step for step, b in zip(o, border, strict=True))
    )


def _is_beside(other: tuple[int, ...], shape: tuple[int, ...], offset: Int3) -> bool:
    """Tell whether a chunk is as wide as the one that it lends voxels to."""
    # At the far edge of the volume chunks are cut, but then a whole row of them is.
    return other == shape or all(
        step or m == n for step, m, n in zip(offset, other, shape, strict=True)
    )


@lru_cache(maxsize=256)
def _places(
    shape: tuple[int, ...], border: Int3
) -> tuple[tuple[slice, ...], tuple[_Place, ...]]:
    """Return where a chunk's own voxels go, and all parts of its border."""
    middle = tuple(slice(b, b + n) for n, b in zip(shape, border, strict=True))
    places = []
    for offset in _reached(border):
        lenders = tuple(
            (lender, _source(shape, offset, lender)) for lender in _LENDERS[offset]
        )
        target = tuple(
            _TARGETS[step](b, n)
            for step, n, b in zip(offset, shape, border, strict=True)
        )
        places.append(_Place(target, lenders, _source(shape, offset, (0, 0, 0))))
    return middle, tuple(places)


_TARGETS: dict[int, Callable[[int, int], slice]] = {
    -1: lambda _, __: slice(0, 1),
    0: lambda b, n: slice(b, b + n),
    1: lambda b, n: slice(b + n, b + n + 1),
}


def _source(shape: tuple[int, ...], offset: Int3, lender: Int3) -> tuple[slice, ...]:
    """Return which voxels of the chunk at `lender` are nearest to those at `offset`."""
    source = []
    for n, step, lent in zip(shape, offset, lender, strict=True):
        if step == 0:
            source.append(slice(0, n))
        # On the lower side the neighbour lends its last voxel and the chunk itself its
        # first; on the upper side the other way round.
        elif (step < 0) == bool(lent):
            source.append(slice(-1, None))
        else:
            source.append(slice(0, 1))
    return tuple(source)


_MASK = (1 << INDEX_BITS) - 1
_Y, _Z, _LEVEL = INDEX_BITS, 2 * INDEX_BITS, 3 * INDEX_BITS


@lru_cache(maxsize=64)
def _steps(ends: tuple[tuple[bool, bool], ...]) -> dict[Int3, int]:
    """Return how far the keys round a chunk are from its own; none beyond the grid.

    Parameters
    ----------
    ends : tuple of (bool, bool)
        Whether it is the first, and the last, along z, y and x.
    """
    return {
        (z, y, x): (z << _Z) + (y << _Y) + x
        for z, y, x in NEIGHBOURS
        if not any(
            (step < 0 and is_first) or (step > 0 and is_last)
            for step, (is_first, is_last) in zip((z, y, x), ends, strict=True)
        )
    }


HOLD_S = 1.0
"""Seconds for which a chunk waits for its neighbours before it is drawn without."""
PAUSE_S = 0.15
"""Seconds without any arrival after which none waits longer: the source is slow."""
Peek = Callable[[Name], LoadedChunk | None]
"""Gives a chunk from the RAM cache, None if it is not there."""
Voxels = NDArray[np.generic]


class Texels(NamedTuple):
    """What is sent of one brick.

    Attributes
    ----------
    data : ndarray
        Fills the slot, in the format's upload type. Valid until the next brick is
        made.
    range_word, flags : int
        For the page table.
    """

    data: Voxels
    range_word: int
    flags: int


class BrickEncoder:
    """Makes texels of chunks and records which borders wait for which neighbours.

    Parameters
    ----------
    pyramid : Pyramid
    layouts : sequence of LevelLayout
    fmt : TextureFormat
    peek : callable
        Looks into the RAM cache for border voxels.
    value_of : callable
        Gives the page table's value of a chunk.
    is_expected : callable
        Whether a chunk that is not loaded is on its way.
    """

    def __init__(
        self,
        pyramid: Pyramid,
        layouts: Sequence[LevelLayout],
        fmt: TextureFormat,
        *,
        peek: Peek,
        value_of: Callable[[Name], int],
        is_expected: Callable[[Name], bool],
    ) -> None:
        self._layouts = layouts
        self._format = fmt
        self._peek = peek
        self._value_of = value_of
        self._is_expected = is_expected
        self._grids = [level.grid_zyx for level in pyramid.levels]
        self._fills = [level.fill_value for level in pyramid.levels]
        # Reused, because sending a brick copies it at once.
        self._slots: dict[tuple[Int3, np.dtype[np.generic]], Voxels] = {}
        self._awaited: dict[Name, set[Name]] = {}
        self._lenders: dict[Name, set[Name]] = {}
        self._held: dict[Name, tuple[LoadedChunk, float]] = {}
        self._arrived_at = 0.0
        self.repairs: deque[Name] = deque()
        """Bricks to be made again: all that they waited for has arrived."""

    def grow(self, pyramid: Pyramid, layouts: Sequence[LevelLayout]) -> None:
        """Follow an image that has grown.

        Parameters
        ----------
        pyramid : Pyramid
        layouts : sequence of LevelLayout
        """
        self._layouts = layouts
        self._grids = [level.grid_zyx for level in pyramid.levels]

    def make(self, name: Name, data: Voxels) -> Texels:
        """Make the texels of a chunk with the border voxels that its neighbours have now.

        Parameters
        ----------
        name : (plane, key)
        data : ndarray, shape (z, y, x)
            The chunk's own voxels.
        """
        self.forget(name)
        awaited: set[Name] = set()
        layout = self._layouts[name[1] >> _LEVEL]
        brick, border, slot = layout.brick_zyx, layout.border_zyx, layout.slot_zyx
        out = self._slots.get((slot, data.dtype))
        if out is None:
            out = self._slots[slot, data.dtype] = np.empty(slot, data.dtype)
        neighbour = self._neighbours(name, data, awaited)
        # Range and octants are measured with the border: a sample near a face mixes it
        # in.
        padded = pad_brick(data, border, neighbour, out=out)
        bounds = bounds_of(padded)
        word, is_finite = pack_range(padded, self._format, bounds)
        octants = empty_octants(padded, brick, border, self._format, bounds)
        texels = self._format.convert(fill_slot(padded, slot, out=out))
        self._wait(name, awaited)
        flags = octants << OCTANTS | (0 if is_finite else NONFINITE)
        return Texels(texels, word, flags)

    def hold(self, name: Name, chunk: LoadedChunk) -> bool:
        """Keep a chunk while neighbours are on their way, for :data:`HOLD_S` at most.

        So a brick is mostly sent once, with its border, and not again for it.

        Parameters
        ----------
        name : (plane, key)
            Chunk that is not resident.
        chunk : LoadedChunk
            With voxels.

        Returns
        -------
        bool
            Whether it is kept; :meth:`next_due` gives it back.
        """
        if name in self._held:
            return True
        self.forget(name)
        awaited: set[Name] = set()
        neighbour = self._neighbours(name, _NO_VOXELS, awaited)
        for offset in _reached(self._layouts[name[1] >> _LEVEL].border_zyx):
            neighbour(offset)
        if awaited:
            self._wait(name, awaited)
            self._held[name] = chunk, perf_counter() + HOLD_S
            # Who waits for it may take its voxels from here.
            self.arrived(name)
        return bool(awaited)

    def release(self, names: Collection[Name]) -> None:
        """Give up chunks that are held: not wanted any more, or their voxels changed."""
        for name in self._held.keys() & names if self._held else ():
            del self._held[name]

    @property
    def held(self) -> Collection[Name]:
        """The chunks that are held, as they are now and later."""
        return self._held.keys()

    @property
    def held_until(self) -> float:
        """When the first held chunk is due at the latest (perf_counter, seconds)."""
        end = next((end for _, end in self._held.values()), inf)
        return end if end == inf else min(end, self._arrived_at + PAUSE_S)

    @property
    def is_due(self) -> bool:
        """Whether a brick is to be made, or to be made again."""
        return bool(self.repairs) or self.held_until <= perf_counter()

    def next_due(self) -> tuple[Name, LoadedChunk | None]:
        """Return what is due first, and its chunk where it was held."""
        name = self.repairs.popleft() if self.repairs else next(iter(self._held))
        held, _ = self._held.pop(name, (None, 0.0))
        return name, held

    def _wait(self, name: Name, awaited: set[Name]) -> None:
        if awaited:
            self._awaited[name] = awaited
            for other in awaited:
                self._lenders.setdefault(other, set()).add(name)

    def _neighbours(
        self, name: Name, data: Voxels, awaited: set[Name]
    ) -> Callable[[Int3], Voxels | None]:
        """Return the chunk that provides the voxels at an offset; record expected ones."""
        plane, key = name
        level = key >> _LEVEL
        ends = self._grids[level]
        at = key >> _Z & _MASK, key >> _Y & _MASK, key & _MASK
        steps = _steps(
            tuple((i == 0, i == n - 1) for i, n in zip(at, ends, strict=True))
        )

        def neighbour(offset: Int3) -> Voxels | None:
            step = steps.get(offset)
            if step is None:
                return None
            other = (plane, key + step)
            held = self._held.get(other)
            chunk = self._peek(other) if held is None else held[0]
            if chunk is not None:
                if chunk.data is not None:
                    return chunk.data
                if chunk.state is ChunkState.MISSING:
                    return _filled(data, chunk.minimum)
            # Known to be constant from the plan, though the cache has no entry of it.
            if self._value_of(other) & CONSTANT:
                return _filled(data, self._fills[level])
            if self._is_expected(other):
                # Drawn now with a repeated voxel, and made again once it is there:
                # nothing waits.
                awaited.add(other)
            return None

        return neighbour

    def arrived(self, name: Name) -> None:
        """Record that a chunk is loaded, or that it never will be."""
        self._arrived_at = perf_counter()
        for borrower in self._lenders.pop(name, ()):
            awaited = self._awaited.get(borrower)
            if awaited is None:
                continue
            awaited.discard(name)
            # Once, when the last one came, not once for each of up to 26 neighbours.
            if not awaited:
                del self._awaited[borrower]
                self.repairs.append(borrower)

    def lend_again(self, name: Name, is_here: Callable[[Name], bool]) -> None:
        """Schedule new borders for the neighbours of a chunk whose voxels changed.

        Parameters
        ----------
        name : Name
            Plane and key of the chunk.
        is_here : callable
            Whether a chunk is resident.
        """
        plane, key = name
        level = key >> _LEVEL
        z, y, x = key >> _Z & _MASK, key >> _Y & _MASK, key & _MASK
        for dz, dy, dx in NEIGHBOURS:
            at = (z + dz, y + dy, x + dx)
            if all(0 <= i < n for i, n in zip(at, self._grids[level], strict=True)):
                k, j, i = at
                other = (plane, level << _LEVEL | k << _Z | j << _Y | i)
                if is_here(other) and other not in self._awaited:
                    self.repairs.append(other)

    def forget(self, name: Name) -> None:
        """Cancel all waiting of a chunk."""
        for other in self._awaited.pop(name, ()):
            waiting = self._lenders.get(other)
            if waiting is not None:
                waiting.discard(name)

    def clear(self) -> None:
        """Forget everything."""
        self._awaited.clear()
        self._lenders.clear()
        self._held.clear()
        self.repairs.clear()


_NO_VOXELS: Voxels = np.empty((1, 1, 1), np.uint8)


def _filled(like: Voxels, value: float) -> Voxels:
    # One value suffices for every border this neighbour could lend.
    return np.broadcast_to(np.asarray(value).astype(like.dtype), like.shape)
