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

from collections.abc import Callable
from dataclasses import dataclass, field
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
from brickfield.sources import ScanData
from brickfield.stem4d.cache.bulk import Bulk, BulkFile
from brickfield.stem4d.fft.plan import FFTPlan

FIRST, BEGUN, SECOND = "positions", "begun", "tiles"
NOTED_AT_ONCE = 8
"""Blocks of the first pass between two entries of the journal."""
Spectrum = NDArray[np.complex64]


@dataclass
class FFTPasses:
    """The work on one result.

    Attributes
    ----------
    plan : FFTPlan
    data : ScanData
        What is transformed.
    bulk : Bulk
        Where the result lies.
    file : BulkFile
        Open for writing.
    journal : Journal
    executor : Executor
        Threads.
    progress : callable or None
        Told (bytes done, bytes in all, bytes done, seconds left or None).
    cancel : Event
    """

    plan: FFTPlan
    data: ScanData
    bulk: Bulk
    file: BulkFile
    journal: Journal
    executor: Executor
    progress: Progress | None
    cancel: Event
    _begun: bytearray = field(default_factory=bytearray)
    _lock: Lock = field(default_factory=Lock)
    _buffers: ThreadBuffers = field(default_factory=ThreadBuffers)
    _waiting: list[int] = field(default_factory=list)

    def run(self) -> bool:
        """Do what is left; tell whether all of it is done."""
        total = self.plan.n_bytes
        n_passes = 2 if self.plan.has_second_pass else 1
        try:
            is_done = self._pass(
                FIRST, self.plan.positions, self._position, (0, n_passes)
            )
        finally:
            self._note_first()
        if not is_done or n_passes == 1:
            return is_done
        self._begun = bytearray(self.journal.mask(BEGUN, len(self.plan.tiles)))
        return self._pass(SECOND, self.plan.tiles, self._tile, (total, n_passes))

    def _pass(
        self,
        job: str,
        grid: BlockGrid,
        function: Callable[[Block], int],
        place: tuple[int, int],
    ) -> bool:
        """Go over the blocks that are not done."""
        mask = self.journal.mask(job, len(grid))
        left = [i for i in range(len(grid)) if not mask[i]]
        each = self.plan.n_bytes / len(grid)
        done_before = int(place[0] + each * (len(grid) - len(left)))
        total = self.plan.n_bytes * place[1]

        def work(block: Block) -> int:
            return function(grid[left[block.index[0]]])

        def merge(n_done: int, block: Block, _value: int) -> int:
            self._settle(job, left[block.index[0]])
            return n_done + 1

        def tell(done: int, of: int, _n: int, seconds: float | None) -> None:
            if self.progress is not None and of:
                at = done_before + int(each * done)
                self.progress(at, total, at, seconds)

        options = GatherOptions(progress=tell, cancel=self.cancel, most_ahead=64)
        found = gather(BlockGrid((len(left),), (1,)), work, merge, 0, self.executor,
                       options)  # fmt: skip
        if found.failures:
            found.require()
        return found.is_complete

    def _settle(self, job: str, number: int) -> None:
        """Note a block as done, on the calling thread."""
        if job == SECOND:
            with self._lock:
                self.journal.record(SECOND, [number])
            return
        self._waiting.append(number)
        if len(self._waiting) >= NOTED_AT_ONCE:
            self._note_first()

    def _note_first(self) -> None:
        if self._waiting:
            self.file.sync()
            self.journal.record(FIRST, self._waiting)
            self._waiting.clear()

    def _position(self, block: Block) -> int:
        """Transform the patterns of some positions, and write their chunks."""
        spectrum = self._spectrum(block)
        n_bytes = 0
        for tile in self.plan.tiles:
            part = spectrum[:, :, *tile.slices]
            n_bytes += self._write((*block.index, *tile.index), part)
        return n_bytes

    def _spectrum(self, block: Block) -> Spectrum:
        from scipy import fft

        ys, xs = block.slices
        patterns = self.data.view(ys, xs, self._buffers)
        if self.plan.options.mode == "scan":
            return patterns.astype(np.complex64)
        real = patterns.astype(np.float32)
        if self.plan.options.half:
            found = fft.rfft2(real, workers=1, overwrite_x=True)
        else:
            found = fft.fft2(real, workers=1, overwrite_x=True)
        return np.asarray(found, np.complex64)

    def _write(self, index: tuple[int, ...], part: Spectrum) -> int:
        if part.shape != self.bulk.chunks:  # at a far edge
            whole = np.zeros(self.bulk.chunks, np.complex64)
            whole[tuple(slice(0, n) for n in part.shape)] = part
            part = whole
        values = np.ascontiguousarray(part, self.bulk.dtype)
        return self.file.write(int(self.bulk.offsets[index]), values)

    def _tile(self, tile: Block) -> int:
        """Transform all positions of some frequencies, where they lie."""
        from scipy import fft

        number = tile.index[0] * self.plan.tiles.grid[1] + tile.index[1]
        if self._begun[number]:
            self._restore(tile)
        column = np.empty((*self.plan.shape[:2], *tile.shape), np.complex64)
        for block in self.plan.positions:
            chunk = np.empty(self.bulk.chunks, self.bulk.dtype)
            self.file.read(int(self.bulk.offsets[*block.index, *tile.index]), chunk)
            shape = (*block.shape, *tile.shape)
            column[block.slices] = chunk[tuple(slice(0, n) for n in shape)]
        column = fft.fft2(column, axes=(0, 1), workers=1, overwrite_x=True)
        with self._lock:
            self.journal.record(BEGUN, [number])
            self._begun[number] = 1
        n_bytes = 0
        for block in self.plan.positions:
            part = column[block.slices]
            n_bytes += self._write((*block.index, *tile.index), part)
        self.file.sync()
        return n_bytes

    def _restore(self, tile: Block) -> None:
        """Make the first pass's chunks of one tile again, from the source."""
        for block in self.plan.positions:
            if self.cancel.is_set():
                msg = "expected to make a tile anew; found: it was cancelled"
                raise ChunkReadError(msg, is_transient=True)
            part = self._spectrum(block)[:, :, *tile.slices]
            self._write((*block.index, *tile.index), part)


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
