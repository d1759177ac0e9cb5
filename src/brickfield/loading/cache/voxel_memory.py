"""Memory for the voxels of chunks, cut from blocks of huge pages.

What the C library gives for a chunk of 64³ voxels is mostly memory that nothing has
touched. The system hands it over page by page, at the first write to each, and that
takes twice as long as the copying of the voxels. A block has few, large pages, and a
slot of it that was used before costs nothing.

Invariants: a slot is used again only when no array that shows any part of it is left;
a free slot is used before another block is made; of blocks without a used slot one
stays, at most. So blocks take what chunks took at the most at one time, and the rest
of one block for each size of a chunk. When fewer chunks are to be kept than before, the
system takes back what lies between those that stay.
"""

from __future__ import annotations

import mmap
import threading
from collections import deque
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 4 << 20
HUGE_PAGE_BYTES = 2 << 20
LEAST_BYTES, MOST_BYTES = 1 << 16, BLOCK_BYTES // 2
"""Chunks of other sizes are left to the C library."""

_PRIVATE: dict[str, int] = (
    {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS}
    if hasattr(mmap, "MAP_PRIVATE")
    else {}
)


class _Slot:
    """Owns a slot for as long as an array shows any of it."""

    __slots__ = ("__array_interface__", "_block", "_number")

    def __init__(self, block: _Block, number: int, about: dict[str, Any]) -> None:
        self._block, self._number = block, number
        self.__array_interface__ = about

    def __del__(self) -> None:
        # At any moment, on any thread, perhaps one that holds the pool's lock.
        block = self._block
        block.freed.append(self._number)
        if block.is_unused:
            block.pool.collect(wait=False)


class _Block:
    """Memory for some slots of one size. Guarded by the pool's lock, but for `freed`."""

    def __init__(self, pool: VoxelMemory, size: int) -> None:
        self.pool = pool
        self.size = size
        self.n = BLOCK_BYTES // size
        self.freed: deque[int] = deque(range(self.n))
        # What lies before and after the huge pages is never touched.
        length = BLOCK_BYTES + HUGE_PAGE_BYTES
        self._memory = mmap.mmap(-1, length, **_PRIVATE)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            self._memory.madvise(mmap.MADV_HUGEPAGE)
            # Apart from the next block, or the system shows them as one large mapping,
            # which is what graphics drivers have.
            last = length - mmap.PAGESIZE
            self._memory.madvise(mmap.MADV_NOHUGEPAGE, last, mmap.PAGESIZE)
        start = np.frombuffer(self._memory, np.uint8).ctypes.data
        self._start = -(-start // HUGE_PAGE_BYTES) * HUGE_PAGE_BYTES
        self._first = self._start - start
        self.given_back: set[int] = set()

    @property
    def is_unused(self) -> bool:
        return len(self.freed) == self.n

    def take(self, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Any:
        # The one that was freed last is the likeliest to be in the processor's cache.
        number = self.freed.pop()
        self.given_back.discard(number)
        at = self._start + number * self.size
        about = {
            "shape": shape,
            "typestr": dtype.str,
            "data": (at, False),
            "version": 3,
        }
        return np.asarray(_Slot(self, number, about))

    def trim(self) -> None:
        """Let the system take the memory of free slots, until they are written to."""
        if not hasattr(mmap, "MADV_DONTNEED"):
            return
        for number in set(self.freed) - self.given_back:
            at = self._first + number * self.size
            self._memory.madvise(mmap.MADV_DONTNEED, at, self.size)
            self.given_back.add(number)


class VoxelMemory:
    """Gives arrays for whole chunks. From any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[int, list[_Block]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of all blocks, without what was given back of them."""
        with self._lock:
            return sum(
                BLOCK_BYTES - block.size * len(block.given_back)
                for blocks in self._blocks.values()
                for block in blocks
            )

    def empty(
        self, shape: tuple[int, ...], dtype: np.dtype[np.generic]
    ) -> NDArray[np.generic]:
        """Return an array whose voxels are anything.

        Parameters
        ----------
        shape : tuple of int
        dtype : numpy.dtype

        Returns
        -------
        ndarray
            C-contiguous and writable.
        """
        nbytes = prod(shape) * dtype.itemsize
        if not LEAST_BYTES <= nbytes <= MOST_BYTES:
            return np.empty(shape, dtype)
        size = -(-nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
        with self._lock:
            blocks = self._blocks.setdefault(size, [])
            block = next((b for b in blocks if b.freed), None)
            if block is None:
                block = _Block(self, size)
                blocks.append(block)
            array: NDArray[np.generic] = block.take(shape, dtype)
        return array

    def trim(self) -> None:
        """Give the memory of free slots to the system: fewer chunks are kept now."""
        with self._lock:
            for blocks in self._blocks.values():
                for block in blocks:
                    block.trim()

    def collect(self, *, wait: bool = True) -> None:
        """Give the blocks back that have no used slot, all but one.

        Parameters
        ----------
        wait : bool
            Whether to wait where another thread takes memory.
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            n_spare = 0
            for size, blocks in self._blocks.items():
                for block in [b for b in blocks if b.is_unused]:
                    n_spare += 1
                    if n_spare > 1:
                        self._blocks[size].remove(block)
        finally:
            self._lock.release()


VOXEL_MEMORY = VoxelMemory()
"""Of this process: all caches share it."""


def own_voxels(
    part: NDArray[np.generic], whole: NDArray[np.generic]
) -> NDArray[np.generic] | None:
    """Return voxels that keep nothing else alive; None where they must be copied."""
    # A small view of a large decoded array would keep all of it in memory, past every
    # budget; a memory map would keep a file open.
    base = whole if whole.base is None else whole.base
    is_mapped = isinstance(base, mmap.mmap)
    is_all = not is_mapped and part.nbytes == getattr(base, "nbytes", whole.nbytes)
    if part.flags.c_contiguous and is_all and part.dtype.isnative:
        # A view of our own: the read-only flag must not reach the source's array.
        return part.view()
    return None


def rows_of(voxels: NDArray[np.generic], width: int) -> NDArray[np.void] | None:
    """Return rows of voxels as single elements, a view; None where they do not lie so.

    Numpy hands the interpreter to another thread at every copy of more than 500
    elements. Of pieces one voxel thick there are thousands: handed over at each, they
    take six times as long beside another thread. A row as one element is copied
    as quickly, and a piece has few of them.

    Parameters
    ----------
    voxels : ndarray, shape (z, y, x)
    width : int
        Voxels of a row.

    Returns
    -------
    ndarray, shape (z, y, n), or None
        Whole rows along x, the first from 0 on.
    """
    n, size = voxels.shape[2] // width, voxels.dtype.itemsize
    if not n or not voxels.flags.c_contiguous or not voxels.dtype.isnative:
        return None
    dtype, strides = np.dtype((np.void, width * size)), voxels.strides
    rows: NDArray[np.void] = np.ndarray(
        (*voxels.shape[:2], n), dtype, voxels, 0, (*strides[:2], width * size)
    )
    return rows
