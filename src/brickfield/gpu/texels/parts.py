"""The 26 parts of a brick's border: where they lie in slots, and what they hold.

A neighbour that has left memory lends its voxels from its own slot. What they lie
between is not known then, but what its whole brick lies between is, and which of its
eighths hold its lowest value alone: bounds that are joined with those are never too
narrow, and mostly no wider than measured ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.gpu.layout import LevelLayout
from brickfield.gpu.texels.padding import LENDERS, NEIGHBOURS
from brickfield.gpu.texels.ranges import Range
from brickfield.model import Int3

BITS = {offset: 1 << i for i, offset in enumerate(NEIGHBOURS)}
"""One bit for each neighbour, so that sets of them are numbers."""
ALL_OCTANTS = 0xFF


def bits_of(offsets: Iterable[Int3]) -> int:
    """Return a set of neighbours as a number."""
    bits = 0
    for offset in offsets:
        bits |= BITS[offset]
    return bits


class Cell(NamedTuple):
    """A chunk in the grid of its level.

    Attributes
    ----------
    place, grid, size : tuple of int
        Index of the chunk, number of chunks, and the chunk's own voxels, (z, y, x).
    layout : LevelLayout
    """

    place: Int3
    grid: Int3
    size: Int3
    layout: LevelLayout

    def target(self, offset: Int3) -> tuple[Int3, Int3]:
        """Return where a part of the border lies in the slot: first texel and extent.

        Up to the end of the slot where the chunk is cut, as of bricks that are sent.
        """
        layout = self.layout
        axes = zip(offset, self.size, layout.border_zyx, layout.slot_zyx, strict=True)
        found = [
            (0, 1)
            if step < 0
            else (border + n, slot - border - n)
            if step > 0
            else (border, n if border else slot)
            for step, n, border, slot in axes
        ]
        (z, d), (y, h), (x, w) = found
        return (z, y, x), (d, h, w)

    def source(self, offset: Int3, lender: Int3) -> Int3:
        """Return where in its slot a neighbour has the voxels for a part of the border.

        Parameters
        ----------
        offset : tuple of int
            Of the part.
        lender : tuple of int
            Offset of the neighbour.
        """
        first, _ = self.target(offset)
        layout = self.layout
        start = []
        for axis, (step, lent) in enumerate(zip(offset, lender, strict=True)):
            border, brick = layout.border_zyx[axis], layout.brick_zyx[axis]
            is_end = not 0 <= self.place[axis] + step < self.grid[axis]
            if step == 0 or (is_end and not lent):
                # Both end here, and have the same texels beyond it.
                start.append(first[axis])
            elif lent:
                # On the lower side its last voxel: no chunk is cut before the end.
                start.append(border + brick - 1 if step < 0 else border)
            else:
                last = border + self.size[axis] - 1
                start.append(border if step < 0 else last)
        z, y, x = start
        return z, y, x

    def octants(self, offset: Int3, lender: Int3) -> list[tuple[int, int]]:
        """Pair the eighths of the brick at a part of its border with the lender's there.

        Parameters
        ----------
        offset, lender : tuple of int
        """
        halves, flips = [], 0
        for axis, (step, lent) in enumerate(zip(offset, lender, strict=True)):
            brick = self.layout.brick_zyx[axis]
            # Of a whole brick: a cut one may end in its lower half.
            is_one = step < 0 or (step > 0 and self.size[axis] == brick)
            is_one = is_one and brick >= _DIVIDED
            halves.append((int(step > 0),) if is_one else (0, 1))
            # What is above here is below there.
            flips |= (4 >> axis) if lent else 0
        own = [4 * z + 2 * y + x for z, y, x in product(*halves)]
        return [(octant, octant ^ flips) for octant in own]


_DIVIDED = 4
"""Voxels along an axis from which on each half of a brick has a face of its own."""


def parts_to_take(cell: Cell, there: int, given: int = 0) -> list[tuple[Int3, Int3]]:
    """List the parts of a border that neighbours can lend now, and who does.

    Parameters
    ----------
    cell : Cell
    there : int
        Bits of the neighbours that can lend.
    given : int
        Bits of those whose voxels the border has; nobody who is further away from a
        part than one of these lends to it.

    Returns
    -------
    list of (offset, offset)
        Of the part and of the lender.
    """
    found = []
    for offset in NEIGHBOURS:
        for lender in LENDERS[offset]:
            if given & BITS[lender]:
                break
            if there & BITS[lender]:
                found.append((offset, lender))
                break
    borders = cell.layout.border_zyx
    return [
        (offset, lender)
        for offset, lender in found
        if all(b or not step for b, step in zip(borders, offset, strict=True))
    ]


@dataclass(slots=True)
class Content:
    """What is known of the texels of a brick.

    Attributes
    ----------
    low, high : number
        As of :class:`Range`, in the stored type.
    is_finite : bool
    octants : int
        Bits of the eighths that hold nothing but the lowest value, of labels nothing
        but background; of a brick of one value all.
    odd_parts : int
        Bits of its own faces, edges and corners with voxels that are no finite number.
    given : int
        Bits of the neighbours whose voxels are in its border.
    """

    low: Any
    high: Any
    is_finite: bool
    octants: int
    odd_parts: int = 0
    given: int = 0

    @classmethod
    def of(cls, found: Range, octants: int, *, is_labels: bool) -> Content:
        """Make it of a range and of octants as the page table has them."""
        is_one = found.is_finite and found.low == found.high
        # The table says nothing of them then; to what comes beside them it matters.
        if is_one and not (is_labels and found.low):
            octants = ALL_OCTANTS
        return cls(found.low, found.high, found.is_finite, octants)

    def join(
        self,
        lent: Content,
        octants: list[tuple[int, int]],
        *,
        is_finite: bool,
        is_labels: bool,
    ) -> None:
        """Take note of a part of the border that another brick lent.

        Parameters
        ----------
        lent : Content
            Of the lender.
        octants : list of (int, int)
            The eighths here and there that the part lies at.
        is_finite : bool
            Whether all voxels of the part are finite numbers.
        is_labels : bool
        """
        before = 0 if is_labels else self.low
        lowest = 0 if is_labels else lent.low
        # Mostly in sparse data: the part holds background, whatever is further inside.
        is_bare = all(lent.octants >> there & 1 for _, there in octants)
        self.low = min(self.low, lowest if is_bare else lent.low)
        self.high = max(self.high, lowest if is_bare else lent.high)
        self.is_finite = self.is_finite and is_finite
        if not is_labels and self.low < before:
            # None holds the lowest value of now.
            self.octants = 0
            return
        for here, there in octants:
            if not (lent.octants >> there & 1 and lowest == before):
                self.octants &= ~(1 << here)

    @property
    def octant_bits(self) -> int:
        """As the page table has them: none where all are alike."""
        return 0 if self.octants == ALL_OCTANTS else self.octants


def odd_parts(texels: NDArray[np.generic]) -> int:
    """Tell which faces, edges and corners of a chunk hold what is no finite number.

    Parameters
    ----------
    texels : ndarray, shape (z, y, x)
        Its own, in the type of the GPU.

    Returns
    -------
    int
        Bits of the neighbours that each of them lies at.
    """
    is_odd = ~np.isfinite(texels)
    ends = {-1: slice(0, 1), 0: slice(None), 1: slice(-1, None)}
    return bits_of(
        offset
        for offset in NEIGHBOURS
        if is_odd[tuple(ends[step] for step in offset)].any()
    )
