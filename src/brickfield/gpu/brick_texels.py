"""The texels of bricks: chunks, and the border of one voxel that their neighbours have.

:class:`BrickEncoder` makes the texels of a slot from a chunk, and knows which bricks
wait for a neighbour. A brick whose neighbours are still on their way is drawn with its
own faces repeated, and made again once all of them have arrived: nothing is made a
second time while one of them is missing.

Invariant: of two neighbours on the GPU each has the other's voxels in its border once
nothing is due, whatever has left memory. What the RAM cache has no longer is copied from
the neighbour's slot, and a brick that it has no longer gets the parts of its border
alone. Thread rule: render thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from itertools import repeat
from math import inf
from time import perf_counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.formats import TextureFormat
from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.names import Name, named_among
from brickfield.gpu.page_table import CONSTANT, NONFINITE, OCTANTS
from brickfield.gpu.texels.copying import Copy
from brickfield.gpu.texels.padding import (
    fill_slot,
    is_beside,
    pad_brick,
    reached,
    source_of,
)
from brickfield.gpu.texels.parts import (
    BITS,
    Cell,
    Content,
    bits_of,
    odd_parts,
    parts_to_take,
)
from brickfield.gpu.texels.ranges import bounds_of, empty_octants, pack_bounds, range_of
from brickfield.gpu.texels.waiting import WaitingBricks
from brickfield.model import INDEX_BITS, Int3, Pyramid
from brickfield.model.requests import ChunkState, LoadedChunk

_MASK = (1 << INDEX_BITS) - 1
_Y, _Z, _LEVEL = INDEX_BITS, 2 * INDEX_BITS, 3 * INDEX_BITS


@lru_cache(maxsize=64)
def _steps(
    ends: tuple[tuple[bool, bool], ...], border: Int3
) -> tuple[tuple[Int3, int], ...]:
    """Return the offsets round a chunk, and how far the keys there are from its own.

    Parameters
    ----------
    ends : tuple of (bool, bool)
        Whether it is the first, and the last, along z, y and x: none lies beyond.
    border : tuple of int
    """
    return tuple(
        ((z, y, x), (z << _Z) + (y << _Y) + x)
        for z, y, x in reached(border)
        if not any(
            (step < 0 and is_first) or (step > 0 and is_last)
            for step, (is_first, is_last) in zip((z, y, x), ends, strict=True)
        )
    )


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
    data : ndarray or None
        Fills the slot, in the format's upload type. Valid until the next brick is
        made. None where only parts of the border are sent.
    parts : tuple of (tuple of int, ndarray)
        Parts of the border and where in the slot they go, (z, y, x).
    copies : tuple of Copy
        Parts that neighbours on the GPU lend, to be copied after the others.
    range_word, flags : int
        For the page table.
    """

    data: Voxels | None
    parts: tuple[tuple[Int3, Voxels], ...]
    copies: tuple[Copy, ...]
    range_word: int
    flags: int


class _Around(NamedTuple):
    """The neighbours of a brick: those that lend from memory and from the GPU."""

    lent: dict[Int3, Voxels]
    resident: dict[Int3, Name]
    awaited: set[Name]
    others: set[Name]
    """Neither here nor expected."""

    @property
    def there(self) -> int:
        """Bits of those that lend."""
        return bits_of((*self.lent, *self.resident))


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
        self._format = fmt
        self._peek = peek
        self._value_of = value_of
        self._is_expected = is_expected
        self._fills = [level.fill_value for level in pyramid.levels]
        self.grow(pyramid, layouts)
        # Reused, because sending a brick copies it at once.
        self._slots: dict[tuple[Int3, np.dtype[np.generic]], Voxels] = {}
        self._contents: dict[Name, Content] = {}
        self._waiting = WaitingBricks()
        self._held: dict[Name, tuple[LoadedChunk, float]] = {}
        self._arrived_at = 0.0

    def grow(self, pyramid: Pyramid, layouts: Sequence[LevelLayout]) -> None:
        """Follow an image that has grown.

        Parameters
        ----------
        pyramid : Pyramid
        layouts : sequence of LevelLayout
        """
        self._layouts = layouts
        self._grids = [level.grid_zyx for level in pyramid.levels]
        self._shapes = [level.shape_zyx for level in pyramid.levels]
        self._dtype = pyramid.dtype

    def make(self, name: Name, data: Voxels) -> Texels:
        """Make the texels of a chunk with the border voxels that its neighbours have now.

        Parameters
        ----------
        name : (plane, key)
        data : ndarray, shape (z, y, x)
            The chunk's own voxels.
        """
        self._waiting.forget(name)
        layout, fmt = self._layouts[name[1] >> _LEVEL], self._format
        brick, border, slot = layout.brick_zyx, layout.border_zyx, layout.slot_zyx
        out = self._slots.get((slot, data.dtype))
        if out is None:
            out = self._slots[slot, data.dtype] = np.empty(slot, data.dtype)
        around = self._look_around(name, data)
        # Range and octants are measured with the border: a sample near a face mixes it
        # in.
        padded = pad_brick(data, border, around.lent.get, out=out)
        bounds = bounds_of(padded)
        found = range_of(padded, fmt, bounds)
        octants = empty_octants(padded, brick, border, fmt, bounds)
        texels = fmt.convert(fill_slot(padded, slot, out=out))
        content = Content.of(found, octants, is_labels=fmt.is_integer)
        content.given = around.there
        if not found.is_finite:
            content.odd_parts = odd_parts(fmt.convert(data))
        # What is repeated where only the GPU has the neighbour is overwritten there.
        copies: tuple[Copy, ...] = ()
        if around.resident:
            cell, lent = self._cell(name), bits_of(around.lent)
            taken = parts_to_take(cell, around.there, lent)
            copies = tuple(
                self._borrow(cell, content, around.resident[lender], offset, lender)
                for offset, lender in taken
            )
        self._contents[name] = content
        self._waiting.add(name, around.awaited, around.others)
        return self._texels(content, texels, (), copies)

    def mend(self, name: Name, data: Voxels | None) -> Texels | None:
        """Make what the border of a brick on the GPU lacks, if anybody lends it now.

        Parameters
        ----------
        name : (plane, key)
        data : ndarray or None, shape (z, y, x)
            The chunk's own voxels, where they are still in memory.
        """
        content = self._contents.get(name)
        if content is None:
            return None
        cell = self._cell(name)
        like = np.broadcast_to(np.zeros(1, self._dtype), cell.size)
        around = self._look_around(name, like)
        self._waiting.forget(name)
        self._waiting.add(name, around.awaited, around.others)
        there = around.there
        if around.awaited or not there & ~content.given:
            return None
        # Sent anew it costs less than by parts, and its range is measured; but what only
        # its border has by now would be lost.
        if data is not None and not content.given & ~there:
            return self.make(name, data)
        # What left since the brick was made stays in its border.
        parts, copies = [], []
        for offset, lender in parts_to_take(cell, there, content.given):
            if lender in around.resident:
                other = around.resident[lender]
                copies.append(self._borrow(cell, content, other, offset, lender))
            elif is_beside(around.lent[lender].shape, cell.size, lender):
                voxels = around.lent[lender]
                parts.append(self._lay(cell, content, voxels, offset, lender))
        content.given |= there
        return self._texels(content, None, tuple(parts), tuple(copies))

    def _texels(
        self,
        content: Content,
        data: Voxels | None,
        parts: tuple[tuple[Int3, Voxels], ...],
        copies: tuple[Copy, ...],
    ) -> Texels:
        word = pack_bounds(content.low, content.high, self._format)
        flags = content.octant_bits << OCTANTS
        flags |= 0 if content.is_finite else NONFINITE
        return Texels(data, parts, copies, word, flags)

    def _borrow(
        self, cell: Cell, content: Content, other: Name, offset: Int3, lender: Int3
    ) -> Copy:
        """Return the copy of a part that a neighbour on the GPU lends; take note of it."""
        target, size = cell.target(offset)
        lent, octants = self._contents[other], cell.octants(offset, lender)
        # Across from the brick, so that its lower face touches the lender's upper one.
        z, y, x = (-b if b else a for a, b in zip(offset, lender, strict=True))
        is_finite = not lent.odd_parts & BITS[z, y, x]
        is_labels = self._format.is_integer
        content.join(lent, octants, is_finite=is_finite, is_labels=is_labels)
        across = next(k for k, step in enumerate(lender) if step)
        return Copy(other, across, cell.source(offset, lender), target, size)

    def _lay(
        self, cell: Cell, content: Content, voxels: Voxels, offset: Int3, lender: Int3
    ) -> tuple[Int3, Voxels]:
        """Return a part that a neighbour lends from memory, and its place; note it."""
        target, size = cell.target(offset)
        voxels = voxels[source_of(cell.size, offset, lender)]
        octants, is_labels = cell.octants(offset, lender), self._format.is_integer
        lent = Content.of(range_of(voxels, self._format), 0, is_labels=is_labels)
        content.join(lent, octants, is_finite=lent.is_finite, is_labels=is_labels)
        # At the far ends up to the end of the slot, as in bricks that are sent whole.
        more = [(0, n - m) for n, m in zip(size, voxels.shape, strict=True)]
        return target, self._format.convert(np.pad(voxels, more, mode="edge"))

    def _cell(self, name: Name) -> Cell:
        key = name[1]
        level = key >> _LEVEL
        layout, shape = self._layouts[level], self._shapes[level]
        index = (key >> _Z & _MASK, key >> _Y & _MASK, key & _MASK)
        z, y, x = (
            min(edge, n - i * edge)
            for i, edge, n in zip(index, layout.brick_zyx, shape, strict=True)
        )
        return Cell(index, self._grids[level], (z, y, x), layout)

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
        around = self._look_around(name, _NO_VOXELS)
        if around.awaited:
            self._waiting.add(name, around.awaited, ())
            self._held[name] = chunk, perf_counter() + HOLD_S
            # Who waits for it may take its voxels from here.
            self.arrived(name)
        return bool(around.awaited)

    def release(self, names: Collection[Name]) -> None:
        """Give up chunks that are held: not wanted any more, or their voxels changed."""
        for name in self._held.keys() & names:
            del self._held[name]

    @property
    def held_until(self) -> float:
        """When the first held chunk is due at the latest (perf_counter, seconds)."""
        end = next((end for _, end in self._held.values()), inf)
        return end if end == inf else min(end, self._arrived_at + PAUSE_S)

    @property
    def is_due(self) -> bool:
        """Whether a brick is to be made, or to be made again."""
        return self._waiting.is_due or self.held_until <= perf_counter()

    def next_due(self) -> tuple[Name, LoadedChunk | None]:
        """Return what is due first, and its chunk where it was held."""
        if self._waiting.is_due:
            name = self._waiting.next_due()
        else:
            name = next(iter(self._held))
        held, _ = self._held.pop(name, (None, 0.0))
        return name, held

    def _look_around(self, name: Name, like: Voxels) -> _Around:
        """Find out who lends voxels to a brick; `like` has their type and shape."""
        plane, key = name
        around = _Around({}, {}, set(), set())
        for offset, step in self._steps_from(key):
            other = (plane, key + step)
            voxels = self._in_memory(other, like)
            if voxels is not None:
                around.lent[offset] = voxels
            elif other in self._contents:
                around.resident[offset] = other
            elif self._is_expected(other):
                # Drawn now with a repeated voxel, and made again once it is there:
                # nothing waits.
                around.awaited.add(other)
            else:
                around.others.add(other)
        return around

    def _steps_from(self, key: int) -> tuple[tuple[Int3, int], ...]:
        level = key >> _LEVEL
        at = key >> _Z & _MASK, key >> _Y & _MASK, key & _MASK
        pairs = zip(at, self._grids[level], strict=True)
        ends = tuple((i == 0, i == n - 1) for i, n in pairs)
        return _steps(ends, self._layouts[level].border_zyx)

    def _in_memory(self, name: Name, like: Voxels) -> Voxels | None:
        """Return the voxels of a chunk that is in memory or known to be constant."""
        held = self._held.get(name)
        chunk = self._peek(name) if held is None else held[0]
        if chunk is not None:
            if chunk.data is not None:
                return chunk.data
            if chunk.state is ChunkState.MISSING:
                return _filled(like, chunk.minimum)
        # Known to be constant from the plan, though the cache has no entry of it.
        if self._value_of(name) & CONSTANT:
            return _filled(like, self._fills[name[1] >> _LEVEL])
        return None

    def arrived(self, name: Name) -> None:
        """Record that a chunk is loaded, or that it never will be."""
        self._arrived_at = perf_counter()
        self._waiting.arrived(name)

    def known(self, name: Name) -> None:
        """Record that a chunk holds one value, as the plan tells."""
        self._waiting.arrived(name)

    def give_up(self, plane: int, keys: NDArray[np.int64]) -> None:
        """Expect chunks no longer, and hold none: the plan does not name them any more.

        Parameters
        ----------
        plane : int
        keys : ndarray, shape (n,), int64
            Ascending.
        """
        if self._held:
            self.release(named_among(self._held.keys(), plane, keys))
        if self._waiting.is_waiting:
            self._waiting.give_up(set(zip(repeat(plane), keys.tolist())))

    def repair(self, names: Collection[Name]) -> None:
        """Look soon what the borders of some bricks lack."""
        self._waiting.plan(names)

    def lend_again(self, name: Name) -> None:
        """Schedule new borders for the neighbours of a chunk whose voxels changed.

        Parameters
        ----------
        name : Name
            Plane and key of the chunk.
        """
        plane, key = name
        for (z, y, x), step in self._steps_from(key):
            content = self._contents.get((plane, key + step))
            if content is not None:
                # What the border has of it is out of date.
                content.given &= ~BITS[-z, -y, -x]
                self.repair(((plane, key + step),))

    def forget(self, *names: Name) -> None:
        """Cancel all waiting of chunks, and forget what of them is on the GPU."""
        for name in names:
            self._waiting.forget(name)
            self._contents.pop(name, None)

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._contents.clear()
        self._held.clear()


_NO_VOXELS: Voxels = np.empty((1, 1, 1), np.uint8)


def _filled(like: Voxels, value: float) -> Voxels:
    # One value suffices for every border this neighbour could lend.
    return np.broadcast_to(np.asarray(value).astype(like.dtype), like.shape)
