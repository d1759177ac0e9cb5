"""Voxels that wait to be written, and which of them are there.

A *part* is what is written by one turn: a slab of whole frames, or one storage unit of
a slab that single blocks were written to. Both lie in memory as storage units, each in
one piece, so that a frame is copied once and a storage unit is encoded from where it
is.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Slices
from brickfield.streaming.buffer.memory import Bytes, Room

AnyArray = NDArray[Any]
PartKey = tuple[tuple[int, ...], tuple[int, int] | None]
"""Slab on the leading axes; storage unit (y, x) within it, None for a whole slab."""


@dataclass(eq=False)
class Part:
    """Voxels of a slab, or of one storage unit of it.

    Attributes
    ----------
    key : PartKey
    start : tuple of int
        First voxel, all axes.
    edges : tuple of int
        Rows and columns of a storage unit.
    extent : tuple of int
        Frames along the leading axes, and rows and columns that are in the image.
    first_frame : int or None
        The first frame in it that came by order.
    since : float
        When the first voxels came.
    memory : ndarray or None
        What holds voxels and coverage; None while only skipped frames came.
    is_busy : bool
        While voxels are copied into it.
    is_last : bool
        Whether its last frame by order came, so that all of it is on disk or here.
    """

    key: PartKey
    start: tuple[int, ...]
    edges: tuple[int, int]
    extent: tuple[int, ...]
    dtype: np.dtype[Any]
    since: float
    first_frame: int | None = None
    memory: Bytes | None = None
    is_busy: bool = False
    is_last: bool = False
    voxels: AnyArray | None = None
    covered: NDArray[np.bool_] | None = None
    n_left: int = 0

    @property
    def is_slab(self) -> bool:
        """Whether it holds whole frames."""
        return self.key[1] is None

    @property
    def lead(self) -> tuple[int, ...]:
        """Frames along the leading axes."""
        return self.extent[:-2]

    @property
    def grid(self) -> tuple[int, int]:
        """Storage units along y and x."""
        y, x = (ceil(n / e) for n, e in zip(self.extent[-2:], self.edges, strict=True))
        return (y, x)

    @property
    def n_bytes(self) -> int:
        """Memory that it takes."""
        if self.is_slab:
            # Whole storage units, also at the edges of the frame: each lies in one
            # piece and is encoded from there without a copy.
            grid, size = prod(self.grid), prod(self.edges)
            return grid * prod(self.lead) * size * self.dtype.itemsize
        return prod(self.extent) * (self.dtype.itemsize + 1)

    def use(self, memory: Bytes) -> None:
        """Take memory for the voxels."""
        self.memory = memory
        if self.is_slab:
            shape = (*self.grid, *self.lead, *self.edges)
            self.voxels = memory.view(self.dtype).reshape(shape)
            # Frames that were skipped before.
            assert self.covered is not None
            for at in np.argwhere(self.covered):
                self.clear_frame(tuple(at.tolist()))
            return
        n = prod(self.extent) * self.dtype.itemsize
        self.voxels = memory[:n].view(self.dtype).reshape(self.extent)
        self.covered = memory[n:].view(np.bool_).reshape(self.extent)
        self.covered[...] = False
        self.n_left = prod(self.extent)

    # -- frames ------------------------------------------------------------------

    def begin_frames(self) -> None:
        """Count frames from here on."""
        self.covered = np.zeros(self.lead, np.bool_)
        self.n_left = prod(self.lead)

    def put_frame(self, at: tuple[int, ...], frame: AnyArray) -> None:
        """Copy a frame to its place on the leading axes.

        Parameters
        ----------
        at : tuple of int
            Index on each leading axis.
        frame : ndarray, shape (y, x)
        """
        assert self.voxels is not None
        target = self.voxels[_frame_at(at)]
        (h, w), (ch, cw) = frame.shape, self.edges
        ny, nx = h // ch, w // cw
        if frame.flags.c_contiguous and ny and nx:
            main = frame[: ny * ch, : nx * cw]
            rows, columns = main.strides
            # All whole units in one call of numpy; only those at the edges are copied
            # one by one.
            view = np.lib.stride_tricks.as_strided(
                main, (ny, nx, ch, cw), (ch * rows, cw * columns, rows, columns)
            )
            target[:ny, :nx] = view
        else:
            ny = nx = 0
        for i, j in np.ndindex(*self.grid):
            if i >= ny or j >= nx:
                piece = frame[i * ch : (i + 1) * ch, j * cw : (j + 1) * cw]
                target[i, j, : piece.shape[0], : piece.shape[1]] = piece

    def count_frame(self, at: tuple[int, ...]) -> None:
        """Note that a frame came, or will not come."""
        assert self.covered is not None
        if not self.covered[at]:
            self.covered[at] = True
            self.n_left -= 1

    def clear_frame(self, at: tuple[int, ...]) -> None:
        """Give a frame that will not come the fill value."""
        if self.voxels is not None:
            self.voxels[_frame_at(at)] = 0

    # -- blocks ------------------------------------------------------------------

    def put_block(self, region: Slices, block: AnyArray) -> None:
        """Copy voxels to a region, counted from the part's first voxel.

        Parameters
        ----------
        region : Slices
            One slice per axis, relative to the part's first voxel.
        block : ndarray, shape of the region
        """
        assert self.voxels is not None
        assert self.covered is not None
        self.voxels[region] = block
        there = self.covered[region]
        self.n_left -= there.size - int(np.count_nonzero(there))
        there[...] = True

    # -- to be written -----------------------------------------------------------

    def pieces(self) -> Iterator[tuple[Slices, AnyArray, NDArray[np.bool_] | None]]:
        """Yield region, voxels and coverage of every storage unit.

        Coverage is None where all is there; else it has the shape of the voxels, or
        that of the leading axes followed by ones.
        """
        assert self.voxels is not None
        assert self.covered is not None
        covered = None if self.n_left == 0 and self.covered.all() else self.covered
        if not self.is_slab:
            yield self._region(self.start, self.extent), self.voxels, covered
            return
        (h, w), (ch, cw) = self.extent[-2:], self.edges
        if covered is not None:
            covered = covered[..., None, None]
        for i, j in np.ndindex(*self.grid):
            y, x = i * ch, j * cw
            rows, columns = min(ch, h - y), min(cw, w - x)
            start = (*self.start[:-2], self.start[-2] + y, self.start[-1] + x)
            voxels = self.voxels[i, j][..., :rows, :columns]
            yield self._region(start, voxels.shape), voxels, covered

    @staticmethod
    def _region(start: tuple[int, ...], shape: tuple[int, ...]) -> Slices:
        return tuple(slice(a, a + n) for a, n in zip(start, shape, strict=True))

    @property
    def region(self) -> Slices:
        """All of it, voxels of the image."""
        return self._region(self.start, self.extent)


def _frame_at(at: tuple[int, ...]) -> tuple[Any, ...]:
    return (slice(None), slice(None), *at)


@dataclass
class Buffer:
    """Parts that are open, and those that wait to be written.

    Thread rule: its lock is held by the thread that touches it.

    Attributes
    ----------
    lock : threading.Condition
        Told whenever room came free, a part was closed or an error was met.
    """

    room: Room
    lock: threading.Condition = field(default_factory=threading.Condition)
    open: dict[PartKey, Part] = field(default_factory=dict)
    waiting: list[Part] = field(default_factory=list)
    writing: list[Part] = field(default_factory=list)
    error: Exception | None = None
    is_ending: bool = False

    def close_part(self, part: Part) -> None:
        """Let nothing more come into a part: it is to be written."""
        if self.open.pop(part.key, None) is not None:
            self.waiting.append(part)
            self.lock.notify_all()

    def close_all(self) -> None:
        """Close every part."""
        for part in list(self.open.values()):
            self.close_part(part)

    def close_older(self, than: float) -> None:
        """Close the parts whose first voxels came before a time."""
        for part in list(self.open.values()):
            # A busy part is being copied into, without the lock.
            if part.since <= than and not part.is_busy and part.memory is not None:
                self.close_part(part)

    def oldest_since(self) -> float | None:
        """Return when the first voxels of the oldest open part came."""
        times = [p.since for p in self.open.values() if p.memory is not None]
        return min(times, default=None)

    def pending(self) -> Iterator[Part]:
        """Go through everything that is not on disk."""
        yield from self.open.values()
        yield from self.waiting
        yield from self.writing

    def first_frame(self, frames: int, besides: Part | None = None) -> int:
        """Return the first frame that is not on disk, `frames` when all are.

        Parameters
        ----------
        frames : int
            That came.
        besides : Part, optional
            Left out: it is on disk.
        """
        firsts = (p.first_frame for p in self.pending() if p is not besides)
        return min((f for f in firsts if f is not None), default=frames)
