"""From a chunk to the texels of its slot, and which bricks wait for a neighbour.

A brick whose neighbours are still on their way is drawn with its own faces
repeated, and made again once all of them have arrived: nothing is made a second
time while one of them is missing. Thread rule: render thread only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.brick_texels import NEIGHBOURS, Int3, fill_slot, pad_brick
from brickfield.gpu.formats import TextureFormat
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.page_table import CONSTANT, NONFINITE, OCTANTS, Name
from brickfield.gpu.ranges import bounds_of, empty_octants, pack_range
from brickfield.model.chunks import INDEX_BITS
from brickfield.model.requests import ChunkState, LoadedChunk
from brickfield.model.scales import Pyramid

_MASK = (1 << INDEX_BITS) - 1
_Y, _Z, _LEVEL = INDEX_BITS, 2 * INDEX_BITS, 3 * INDEX_BITS
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


class BrickMaker:
    """Makes texels of chunks and remembers who waits for whom.

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
        Whether a chunk that is not at hand is on its way.
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
        self.repairs: deque[Name] = deque()
        """Bricks to be made again: all that they waited for has arrived."""

    def make(self, name: Name, data: Voxels) -> Texels:
        """Make the texels of a chunk with what its neighbours lend now.

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
        padded = pad_brick(data, border, neighbour, out=out)
        bounds = bounds_of(padded)
        word, is_finite = pack_range(padded, self._format, bounds)
        octants = empty_octants(padded, brick, border, self._format, bounds)
        texels = self._format.convert(fill_slot(padded, slot, out=out))
        if awaited:
            self._awaited[name] = awaited
            for other in awaited:
                self._lenders.setdefault(other, set()).add(name)
        flags = octants << OCTANTS | (0 if is_finite else NONFINITE)
        return Texels(texels, word, flags)

    def _neighbours(
        self, name: Name, data: Voxels, awaited: set[Name]
    ) -> Callable[[Int3], Voxels | None]:
        """Return who gives the voxels at an offset, noting those on their way."""
        plane, key = name
        level = key >> _LEVEL
        depth, height, width = self._grids[level]
        z, y, x = key >> _Z & _MASK, key >> _Y & _MASK, key & _MASK

        def neighbour(offset: Int3) -> Voxels | None:
            k, j, i = z + offset[0], y + offset[1], x + offset[2]
            if not (0 <= k < depth and 0 <= j < height and 0 <= i < width):
                return None
            other = (plane, level << _LEVEL | k << _Z | j << _Y | i)
            chunk = self._peek(other)
            if chunk is not None:
                if chunk.data is not None:
                    return chunk.data
                if chunk.state is ChunkState.MISSING:
                    return _filled(data, chunk.minimum)
            if self._value_of(other) & CONSTANT:
                return _filled(data, self._fills[level])
            if self._is_expected(other):
                awaited.add(other)
            return None

        return neighbour

    def arrived(self, name: Name) -> None:
        """Note that a chunk is at hand, or that it will never be."""
        for borrower in self._lenders.pop(name, ()):
            awaited = self._awaited.get(borrower)
            if awaited is None:
                continue
            awaited.discard(name)
            if not awaited:
                del self._awaited[borrower]
                self.repairs.append(borrower)

    def lend_again(self, name: Name, is_here: Callable[[Name], bool]) -> None:
        """Have the neighbours of a chunk made again, whose voxels changed."""
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
        """Wait for nobody on behalf of a chunk."""
        for other in self._awaited.pop(name, ()):
            waiting = self._lenders.get(other)
            if waiting is not None:
                waiting.discard(name)

    def clear(self) -> None:
        """Forget everything."""
        self._awaited.clear()
        self._lenders.clear()
        self.repairs.clear()


def _filled(like: Voxels, value: float) -> Voxels:
    # One value suffices for every border this neighbour could lend.
    return np.broadcast_to(np.asarray(value).astype(like.dtype), like.shape)
