"""Where every drawn chunk lies: a hash table that the shader walks downwards.

Invariant: a chunk is in the table exactly while it is *active* (drawn), and
every cell of a coarser level that overlaps an active chunk carries the FINER
flag. A ray therefore starts at the coarsest level, goes on to the cell of the
next finer level at the same point while FINER is set, and stops at the finest
active chunk. Consequences: a chunk that is not active costs nothing, an evicted
one uncovers its nearest active ancestor at once, and the table is as large as
what is active, never as large as the volume. Nothing assumes nested levels.

Costs: one 16-byte row for an activated chunk, and one for each ancestor whose
flag changes; lookups are O(1) by linear probing at a load of at most one half.

Row layout (uint32 x 4): packed name, low and high word; value; range. See
``wgsl/pages.wgsl`` for the reader's side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.gpu.allocator import Slot
from brickfield.gpu.layout import ParentFinder
from brickfield.gpu.names import Name, NameSet
from brickfield.model import INDEX_BITS, MAX_LEVELS, ChunkKey, Pyramid

DATA = 1 << 31
"""The row names a slot with voxels."""
CONSTANT = 1 << 30
"""Every voxel has the value in the range word (float32 bits)."""
FINER = 1 << 29
"""An active chunk of a finer level overlaps this cell."""
TARGET = 1 << 28
"""The chunk is a leaf of the present plan at or below the target error."""
NONFINITE = 1 << 27
"""The chunk holds NaN or infinity: filter by hand."""
FAILED = 1 << 26
"""The chunk could not be read; coarser data stand for it. With DATA: it has holes."""
OCTANTS = 18
"""Lowest of 8 bits: octant x + 2 y + 4 z holds nothing but the lowest value.

Of a chunk with DATA and FAILED: holes that nothing stands in for lie in it."""

# Names never have all bits set, so these words mark unused rows. A removed row must
# differ from an empty one: a search goes on past it, as some row after it may have
# been put there because this one was taken (open addressing).
_EMPTY = 0xFFFFFFFF
_REMOVED = 0xFFFFFFFE
_EMPTY_ROW, _REMOVED_ROW = (
    np.full(4, word, np.uint32).data for word in (_EMPTY, _REMOVED)
)
_MASK = (1 << INDEX_BITS) - 1
_LEVEL = 3 * INDEX_BITS
# 2 × 32 bits per name: 3 × 15 for the grid index, 4 for the level, 12 for the plane.
_GPU_BITS = 15
GAP = 48
"""Clean rows between changed ones that are sent along.

A call costs several microseconds, as much as copying kilobytes."""
MAX_PLANES = 4096


@dataclass(slots=True)
class _Node:
    value: int = 0
    range_word: int = 0
    n_finer: int = 0
    row: int = -1

    @property
    def is_active(self) -> bool:
        return self.value != 0

    @property
    def exists(self) -> bool:
        """Whether the cell has a row: drawn itself, or over something drawn."""
        return self.value != 0 or self.n_finer > 0


def slot_word(slot: Slot) -> int:
    """Pack a slot's grid position (x, y, z) into 18 bits."""
    return slot[0] | slot[1] << 6 | slot[2] << 12


class Holes(NamedTuple):
    """What is drawn where voxels of a chunk could not be read.

    Attributes
    ----------
    octants : int
        Bits (octant x + 2 y + 4 z) of the chunk's eighths in which nothing coarser was
        known either: pixels behind them count as failed.
    is_filled : bool
        Whether coarser voxels stand in somewhere: its pixels count as coarser.
    """

    octants: int
    is_filled: bool


class PageTable:
    """The table's CPU side. Render thread only.

    Parameters
    ----------
    pyramid : Pyramid
        Geometry of the chunks.
    capacity : int
        Rows at first, a power of two; doubles when half full.
    """

    def __init__(self, pyramid: Pyramid, capacity: int = 1 << 12) -> None:
        longest = int(pyramid.grids_zyx.max())
        if longest > 1 << _GPU_BITS or pyramid.n_levels > MAX_LEVELS:
            msg = (
                f"expected at most {1 << _GPU_BITS} chunks along an axis and"
                f" {MAX_LEVELS} levels; found {longest} and {pyramid.n_levels}: open"
                " the image with a larger chunk_edge"
            )
            raise OptionError(msg)
        self._parents = ParentFinder(pyramid)
        self._n_levels = pyramid.n_levels
        self._nodes: dict[Name, _Node] = {}
        self._active = NameSet()
        self._n_active = [0] * pyramid.n_levels
        self._n_of_plane: Counter[int] = Counter()
        self._n_used = 0
        self._dirty: set[int] = set()
        self._names: dict[int, Name] = {}
        self._set_rows(np.full((capacity, 4), _EMPTY, np.uint32))
        self.generation = 0
        """Counts how often the whole table had to be sent again."""

    def _set_rows(self, rows: NDArray[np.uint32]) -> None:
        self.rows: NDArray[np.uint32] = rows
        # The same words: single ones are read and written several times as fast.
        self._words = rows.reshape(-1).data

    def __len__(self) -> int:
        return len(self._nodes)

    def __contains__(self, name: Name) -> bool:
        node = self._nodes.get(name)
        return node is not None and node.is_active

    def value_of(self, name: Name) -> int:
        """Return the value word of a chunk without FINER; 0 if it is not active."""
        node = self._nodes.get(name)
        return node.value if node is not None else 0

    def has_finer(self, name: Name) -> bool:
        """Tell whether something finer than an active chunk is drawn over its cell."""
        node = self._nodes.get(name)
        return node is not None and node.is_active and node.n_finer > 0

    @property
    def active(self) -> NameSet:
        """The names of all active chunks."""
        return self._active

    @property
    def planes(self) -> set[int]:
        """The planes of which something is active."""
        return {plane for plane, n in self._n_of_plane.items() if n}

    @property
    def n_active(self) -> tuple[int, ...]:
        """How many chunks of every level are active, finest first."""
        return tuple(self._n_active)

    def set(self, name: Name, value: int, range_word: int) -> None:
        """Activate a chunk, or change an active one's value.

        Parameters
        ----------
        name : (plane, key)
        value : int
            DATA with a slot word, or CONSTANT, or FAILED; TARGET, NONFINITE added.
        range_word : int
            Bounds of its voxels, packed as the shader expects for the format.
        """
        node = self._nodes.get(name)
        if node is None:
            # Only cells with a row have a node: the table grows with what is drawn, not
            # with the volume.
            node = self._nodes[name] = _Node()
        # Most chunks of a plan are drawn already: no row is sent again for them.
        if node.value == value and node.range_word == range_word and value:
            return
        existed = node.exists
        if not node.value:
            self._n_active[name[1] >> _LEVEL] += 1
            self._n_of_plane[name[0]] += 1
            self._active.add(name)
        node.value, node.range_word = value, range_word
        self._write(name, node)
        # A cell that was flagged FINER is linked to its parents already.
        if not existed:
            self._add_to_parents(name, 1)

    def remove(self, name: Name) -> None:
        """Deactivate a chunk; nothing happens if it is not active."""
        node = self._nodes.get(name)
        if node is None or not node.is_active:
            return
        self._active.discard(name)
        self._n_active[name[1] >> _LEVEL] -= 1
        self._n_of_plane[name[0]] -= 1
        node.value = node.range_word = 0
        self._keep_or_drop(name, node)
        # A cell that stays because of finer ones must still be found from above.
        if not node.exists:
            self._add_to_parents(name, -1)

    def clear(self) -> None:
        """Deactivate everything."""
        self._nodes.clear()
        self._active.clear()
        self._n_active = [0] * self._n_levels
        self._n_of_plane.clear()
        self._names.clear()
        self._dirty.clear()
        self._n_used = 0
        self.rows[:] = _EMPTY
        self.generation += 1

    def grow(self, pyramid: Pyramid) -> None:
        """Follow longer axes of the image: chunks keep their names and rows.

        Cells at the old ends reached outwards without end; they may lie below others now.

        Parameters
        ----------
        pyramid : Pyramid
        """
        before, after = self._parents, self._parents.grown(pyramid)
        for level in range(self._n_levels - 1):
            # Level by level: what is linked above goes on as it was until its turn.
            names = [n for n in self._nodes if n[1] >> _LEVEL == level]
            for name in names:
                old, new = before.of(name[1]), after.of(name[1])
                if old != new:
                    self._add_to(name[0], old, -1)
                    self._add_to(name[0], new, 1)
        self._parents = after

    def names_of(self, rows: Iterable[int]) -> list[Name]:
        """Return the names that some rows hold now; unused rows are left out."""
        return [self._names[row] for row in rows if row in self._names]

    def parents_of(self, key: ChunkKey) -> tuple[ChunkKey, ...]:
        """Return the chunks of the next coarser level over a chunk; none at the top."""
        if key >> _LEVEL >= self._n_levels - 1:
            return ()
        return self._parents.of(key)

    def take_dirty(self) -> NDArray[np.int64]:
        """Return the rows changed since the last call, ascending, shape (n,)."""
        rows = np.sort(np.fromiter(self._dirty, np.int64, len(self._dirty)))
        self._dirty.clear()
        return rows

    def _add_to_parents(self, name: Name, change: int) -> None:
        self._add_to(name[0], self.parents_of(name[1]), change)

    def _add_to(self, plane: int, parents: Iterable[ChunkKey], change: int) -> None:
        # Recursion up to the coarsest level, at most 16 calls deep; it stops at the
        # first level where nothing changes, usually the next.
        for parent_key in parents:
            parent = (plane, parent_key)
            node = self._nodes.get(parent)
            if node is None:
                node = self._nodes[parent] = _Node()
            # Counted, not flagged: in pyramids that are not nested several finer cells
            # share a parent, and the flag goes with the last one.
            had_finer, existed = node.n_finer > 0, node.exists
            node.n_finer += change
            if had_finer != (node.n_finer > 0):
                self._keep_or_drop(parent, node)
            # A cell that is only flagged must itself be found from above.
            if existed != node.exists:
                self._add_to_parents(parent, 1 if node.exists else -1)

    def _keep_or_drop(self, name: Name, node: _Node) -> None:
        if node.exists:
            self._write(name, node)
            return
        if node.row >= 0:
            self._names.pop(node.row, None)
            self._free(node.row)
        del self._nodes[name]

    def _free(self, row: int) -> None:
        """Mark a row as removed; empty it where no search has to go on past it."""
        words, mask = self._words, len(self.rows) - 1
        words[4 * row : 4 * row + 4] = _REMOVED_ROW
        self._dirty.add(row)
        after = 4 * ((row + 1) & mask)
        if words[after] != _EMPTY or words[after + 1] != _EMPTY:
            return
        # Mostly so at this load. Without it a table of constant size would fill with
        # removed rows, and be rebuilt and sent whole every few seconds of movement.
        while words[4 * row] == _REMOVED and words[4 * row + 1] == _REMOVED:
            words[4 * row : 4 * row + 4] = _EMPTY_ROW
            self._dirty.add(row)
            self._n_used -= 1
            row = (row - 1) & mask

    def _write(self, name: Name, node: _Node) -> None:
        if node.row < 0:
            # At most half full, removed rows included, so that the shader's search is
            # short.
            if 2 * (self._n_used + 1) > len(self.rows):
                self._rebuild()
            node.row = self._insert(name)
        self._words[4 * node.row + 2] = node.value | (FINER if node.n_finer else 0)
        self._words[4 * node.row + 3] = node.range_word
        self._dirty.add(node.row)

    def _insert(self, name: Name) -> int:
        low, high = pack_name(name)
        words, mask = self._words, len(self.rows) - 1
        # Linear probing, with the same steps as in the shader: the row that it finds
        # first must be the right one.
        row = hash_words(low, high) & mask
        while True:
            first = words[4 * row]
            if first >= _REMOVED and first == words[4 * row + 1]:
                break
            row = (row + 1) & mask
        # A removed row that is used again is counted already.
        if words[4 * row] == _EMPTY:
            self._n_used += 1
        words[4 * row] = low
        words[4 * row + 1] = high
        self._names[row] = name
        return row

    def _rebuild(self) -> None:
        """Rebuild without removed rows, twice as large if it is really full."""
        capacity = len(self.rows)
        # Where removed rows took the room, the same size is enough.
        if 4 * len(self._nodes) > capacity:
            capacity *= 2
        before, names = self.rows, self._names
        rows = np.fromiter(names, np.int64, len(names))
        self._set_rows(np.full((capacity, 4), _EMPTY, np.uint32))
        self._n_used = len(rows)
        self.generation += 1
        self._dirty.clear()
        places = _places(before[rows, 0], before[rows, 1], capacity)
        self.rows[places] = before[rows]
        self._names = dict(zip(places.tolist(), names.values(), strict=True))
        for row, name in self._names.items():
            self._nodes[name].row = row


def runs_of(rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the runs (first, end) of some rows, ascending; short gaps are in them."""
    if not len(rows):
        return []
    ends = np.flatnonzero(np.diff(rows) > GAP)
    first = rows[np.concatenate([[0], ends + 1])]
    end = rows[np.concatenate([ends, [-1]])] + 1
    return list(zip(first.tolist(), end.tolist(), strict=True))


def pack_name(name: Name) -> tuple[int, int]:
    """Pack plane, level and grid index into two 32-bit words."""
    plane, key = name
    x, y = key & _MASK, (key >> INDEX_BITS) & _MASK
    z, level = (key >> (2 * INDEX_BITS)) & _MASK, key >> _LEVEL
    # z is split over both words: 15 + 15 + 2 bits, then 13 + 4 + 12 (and 3 unused).
    low = x | y << _GPU_BITS | (z & 3) << (2 * _GPU_BITS)
    return low, z >> 2 | level << 13 | plane << 17


def hash_words(low: int, high: int) -> int:
    """Mix two words as the shader does (``page_hash`` in pages.wgsl).

    Parameters
    ----------
    low : int
        Lower 32 bits of the row's name.
    high : int
        Upper 32 bits.
    """
    h = ((low * 0x9E3779B1) & 0xFFFFFFFF) ^ ((high * 0x85EBCA77) & 0xFFFFFFFF)
    # Multiplication mixes upwards only: the shifts bring high bits down, since the row
    # is taken from the low ones.
    h ^= h >> 15
    h = (h * 0x2C1B3C6D) & 0xFFFFFFFF
    return h ^ (h >> 13)


def _places(
    low: NDArray[np.uint32], high: NDArray[np.uint32], capacity: int
) -> NDArray[np.int64]:
    """Find a row for each of many names in an empty table, by linear probing.

    Parameters
    ----------
    low, high : ndarray, shape (n,), uint32
        Words of the names, each name once.
    capacity : int
        Rows of the table, a power of two above n.

    Returns
    -------
    ndarray, shape (n,), int64
    """
    mask = capacity - 1
    # Products of two words stay below 64 bits; what is above 32 of them is cut off.
    h = low.astype(np.uint64) * 0x9E3779B1 ^ high.astype(np.uint64) * 0x85EBCA77
    h &= 0xFFFFFFFF
    h ^= h >> 15
    h *= 0x2C1B3C6D
    h &= 0xFFFFFFFF
    at = ((h ^ (h >> 13)) & mask).view(np.int64)
    owner = np.full(capacity, -1, dtype=np.int64)
    # All at once: who finds its row taken tries the next one in the following round.
    left = np.arange(len(at))
    while len(left):
        is_free = owner[at[left]] < 0
        owner[at[left[is_free]]] = left[is_free]
        left = left[owner[at[left]] != left]
        at[left] = (at[left] + 1) & mask
    return at
