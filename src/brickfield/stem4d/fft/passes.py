"""The two passes of a transform over a grid of chunks, safe to interrupt anywhere.

1. Blocks of scan positions: patterns are read, transformed along the detector (but
   for the mode ``scan``) and written as chunks. Doing one twice changes nothing.
2. Tiles of detector frequencies: all their chunks are read, transformed along the
   scan, and written where they were. Doing that twice would be wrong, so the journal
   says that a tile is begun before its first byte is written, and that it is done
   when all are on disk. A tile that is begun and not done is made again from the
   source before it is transformed again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from threading import Event, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import (
    Block,
    BlockGrid,
    Executor,
    GatherOptions,
    Journal,
    Progress,
    ThreadBuffers,
    gather,
)
from brickfield.errors import ChunkReadError
from brickfield.sources.scans import ScanData
from brickfield.stem4d.cache.bulk import Bulk, BulkFile
from brickfield.stem4d.fft.plan import VALUE_BYTES, FFTPlan

FIRST, BEGUN, SECOND = "positions", "begun", "tiles"
SPECTRUM_BYTES = 4 << 20
"""Of patterns that are transformed at once."""
NOTED_AT_ONCE = 32
"""Blocks of the first pass between two entries of the journal."""
Spectrum = NDArray[np.complex64]


class Begun:
    """Which tiles were begun to be written; read and noted from any thread.

    Threads note them in the journal. Workers of a cluster cannot: they make an empty
    file for each, in a folder beside the result.

    Parameters
    ----------
    folder : Path
    mask : bytearray
        Tiles that the journal says were begun.
    journal : Journal or None
        Where threads note; None in workers of a cluster.
    """

    def __init__(self, folder: Path, mask: bytearray, journal: Journal | None) -> None:
        self.folder, self._mask, self._journal = folder, mask, journal
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        # The journal belongs to one process; others note a tile by a file in the
        # folder.
        return (Begun, (self.folder, self._mask, None))

    def has(self, number: int) -> bool:
        """Whether a tile was begun, by anybody."""
        return bool(self._mask[number]) or (self.folder / str(number)).exists()

    def add(self, number: int) -> None:
        """Note a tile, on disk when this returns."""
        with self._lock:
            if self._journal is not None:
                self._journal.record(BEGUN, [number])
            else:
                self.folder.mkdir(exist_ok=True)
                with (self.folder / str(number)).open("wb") as file:
                    # Must be on disk before the first byte of the tile is overwritten.
                    os.fsync(file.fileno())
            self._mask[number] = 1

    def settle(self, job: str, numbers: list[int]) -> None:
        """Record blocks as done.

        Parameters
        ----------
        job : str
            Name of the job.
        numbers : list of int
            Numbers of the blocks.
        """
        with self._lock:
            if self._journal is not None:
                self._journal.record(job, numbers)

    def forget(self) -> None:
        """Delete what workers of a cluster noted."""
        rmtree(self.folder, ignore_errors=True)


@dataclass
class FFTBlocks:
    """The work on one block of either pass; picklable.

    Attributes
    ----------
    plan : FFTPlan
    data : ScanData
        What is transformed.
    bulk : Bulk
        Where the result lies.
    file : BulkFile
        Open for writing.
    begun : Begun
    cancel : Event or None
    is_remote : bool
        Whether it is in another process, whose blocks have to be on disk at once.
    """

    plan: FFTPlan
    data: ScanData
    bulk: Bulk
    file: BulkFile
    begun: Begun
    cancel: Event | None = None
    is_remote: bool = False
    _read: ThreadBuffers = field(default_factory=ThreadBuffers)
    _real: ThreadBuffers = field(default_factory=ThreadBuffers)
    _chunks: ThreadBuffers = field(default_factory=ThreadBuffers)
    _column: ThreadBuffers = field(default_factory=ThreadBuffers)

    def __reduce__(self) -> tuple[Any, ...]:
        own = (self.plan, self.data, self.bulk, self.file, self.begun, None, True)
        return (FFTBlocks, own)

    def position(self, block: Block) -> int:
        """Transform the patterns of some positions, and write their chunks."""
        tiles = list(self.plan.tiles)
        chunks = self._chunks.take((len(tiles), *self.bulk.chunks), self.bulk.dtype)
        if block.shape != self.bulk.chunks[:2] or self.plan.has_edge_tiles:
            chunks[...] = 0  # chunks at a far edge are stored whole
        for y, xs, found in self._spectra(block):
            for chunk, tile in zip(chunks, tiles, strict=True):
                rows, columns = tile.shape
                chunk[y, xs, :rows, :columns] = found[:, *tile.slices]
        n_bytes = 0
        for chunk, tile in zip(chunks, tiles, strict=True):
            n_bytes += self._write((*block.index, *tile.index), chunk)
        if self.is_remote:
            self.file.sync()
        return n_bytes

    def _spectra(self, block: Block) -> Iterator[tuple[int, slice, Spectrum]]:
        """Yield line and positions within a block with their transformed patterns.

        Few patterns at once: their transform stays in the processor's caches, and
        memory for it is had again without the system's help.
        """
        ys, xs = block.slices
        (n_y, n_x), (_, _, h, w) = block.shape, self.data.shape
        is_chunked = tuple(self.data.block) != (1, 1)
        most = max(1, SPECTRUM_BYTES // (h * w * VALUE_BYTES))
        # Chunks of several patterns are decoded whole: not one of them twice.
        whole = self.data.view(ys, xs, self._read) if is_chunked else None
        for y in range(n_y):
            line = slice(ys.start + y, ys.start + y + 1)
            for x in range(0, n_x, most):
                part = slice(x, min(x + most, n_x))
                at = slice(xs.start + part.start, xs.start + part.stop)
                if whole is None:
                    read = self.data.view(line, at, self._read)[0]
                else:
                    read = whole[y, part]
                yield y, part, self._transformed(read)

    def _transformed(self, patterns: NDArray[Any]) -> Spectrum:
        from scipy import fft

        # Transformed along the scan's axes only, which the second pass does.
        if self.plan.options.mode == "scan":
            return patterns  # made complex where it is stored
        real = self._real.take(patterns.shape, np.float32)
        np.copyto(real, patterns, casting="same_kind")
        if self.plan.options.half:
            return np.asarray(fft.rfft2(real, workers=1, overwrite_x=True))
        return np.asarray(fft.fft2(real, workers=1, overwrite_x=True))

    def _write(self, index: tuple[int, ...], chunk: Spectrum) -> int:
        return self.file.write(int(self.bulk.offsets[index]), chunk)

    def tile(self, tile: Block) -> int:
        """Transform all positions of some frequencies, where they lie."""
        from scipy import fft

        number = tile.index[0] * self.plan.tiles.grid[1] + tile.index[1]
        # The second pass transforms in place. A tile that was begun and not finished
        # may hold values of both passes, so the first pass is done again for it.
        if self.begun.has(number):
            self._restore(tile)
        column = self._column.take((*self.plan.shape[:2], *tile.shape), np.complex64)
        chunk = self._chunks.take(self.bulk.chunks, self.bulk.dtype)
        for block in self.plan.positions:
            self.file.read(int(self.bulk.offsets[*block.index, *tile.index]), chunk)
            column[block.slices] = chunk[self._within(block, tile)]
        column = fft.fft2(column, axes=(0, 1), workers=1, overwrite_x=True)
        # From here on the tile's values of the first pass are lost.
        self.begun.add(number)
        chunk[...] = 0
        n_bytes = 0
        for block in self.plan.positions:
            chunk[self._within(block, tile)] = column[block.slices]
            n_bytes += self._write((*block.index, *tile.index), chunk)
        self.file.sync()
        return n_bytes

    @staticmethod
    def _within(block: Block, tile: Block) -> tuple[slice, ...]:
        """Return which part of a chunk is within the spectrum."""
        return tuple(slice(0, n) for n in (*block.shape, *tile.shape))

    def _restore(self, tile: Block) -> None:
        """Make the first pass's chunks of one tile again, from the source."""
        rows, columns = tile.shape
        for block in self.plan.positions:
            if self.cancel is not None and self.cancel.is_set():
                msg = "expected to make a tile anew; found: it was cancelled"
                raise ChunkReadError(msg, is_transient=True)
            chunk = self._chunks.take(self.bulk.chunks, self.bulk.dtype)
            chunk[...] = 0
            for y, xs, found in self._spectra(block):
                chunk[y, xs, :rows, :columns] = found[:, *tile.slices]
            self._write((*block.index, *tile.index), chunk)


@dataclass(frozen=True)
class _Left:
    """A block function of those blocks of a grid that are not done; picklable."""

    function: Callable[[Block], int]
    grid: BlockGrid
    left: NDArray[np.int64]

    def __call__(self, block: Block) -> int:
        return self.function(self.grid[int(self.left[block.index[0]])])


@dataclass
class FFTPasses:
    """The passes over one result, on the calling thread.

    Attributes
    ----------
    blocks : FFTBlocks
    journal : Journal
    executor : Executor
        Threads, or a cluster.
    progress : callable or None
        Told (bytes done, bytes in all, bytes done, seconds left or None).
    cancel : Event
    """

    blocks: FFTBlocks
    journal: Journal
    executor: Executor
    progress: Progress | None
    cancel: Event
    _waiting: list[int] = field(default_factory=list)

    @property
    def plan(self) -> FFTPlan:
        """What is written."""
        return self.blocks.plan

    def run(self) -> bool:
        """Do what is left; tell whether all of it is done."""
        n_passes = 2 if self.plan.has_second_pass else 1
        work = self.blocks
        try:
            is_done = self._pass(
                FIRST, self.plan.positions, work.position, (0, n_passes)
            )
        finally:
            self._note_first()
        if is_done and n_passes == 2:
            start = (self.plan.n_bytes, n_passes)
            is_done = self._pass(SECOND, self.plan.tiles, work.tile, start)
        if is_done:
            work.begun.forget()
        return is_done

    def _pass(
        self,
        job: str,
        grid: BlockGrid,
        function: Callable[[Block], int],
        place: tuple[int, int],
    ) -> bool:
        """Go over the blocks that are not done."""
        mask = self.journal.mask(job, len(grid))
        left = np.flatnonzero(np.frombuffer(mask, np.uint8) == 0)
        each = self.plan.n_bytes / len(grid)
        done_before = int(place[0] + each * (len(grid) - len(left)))
        total = self.plan.n_bytes * place[1]

        def merge(n_done: int, block: Block, _value: int) -> int:
            self._settle(job, int(left[block.index[0]]))
            return n_done + 1

        def tell(done: int, of: int, _n: int, seconds: float | None) -> None:
            if self.progress is not None and of:
                at = done_before + int(each * done)
                self.progress(at, total, at, seconds)

        options = GatherOptions(progress=tell, cancel=self.cancel, most_ahead=64)
        work = _Left(function, grid, left)
        found = gather(BlockGrid((len(left),), (1,)), work, merge, 0, self.executor,
                       options)  # fmt: skip
        if found.failures:
            found.require()
        return found.is_complete

    def _settle(self, job: str, number: int) -> None:
        """Note a block as done, on the calling thread."""
        if job == SECOND:
            self.blocks.begun.settle(SECOND, [number])
            return
        self._waiting.append(number)
        if len(self._waiting) >= NOTED_AT_ONCE:
            self._note_first()

    def _note_first(self) -> None:
        if self._waiting:
            # The voxels first, then the note: a block noted as done must be on disk.
            self.blocks.file.sync()
            self.blocks.begun.settle(FIRST, self._waiting)
            self._waiting.clear()


def write_polar(bulk: Bulk, amplitude: Bulk, phase: Bulk) -> None:
    """Write amplitude and phase of a result, chunk by chunk.

    Parameters
    ----------
    bulk : Bulk
        complex64.
    amplitude, phase : Bulk
        float32, chunked alike.
    """
    with BulkFile(bulk.path, is_writable=True) as file:
        chunk = np.empty(bulk.chunks, bulk.dtype)
        for index in np.ndindex(bulk.offsets.shape):
            file.read(int(bulk.offsets[index]), chunk)
            values: Any = np.abs(chunk).astype(np.float32)
            file.write(int(amplitude.offsets[index]), values)
            angles = np.angle(chunk).astype(np.float32)
            file.write(int(phase.offsets[index]), angles)
        file.sync()
