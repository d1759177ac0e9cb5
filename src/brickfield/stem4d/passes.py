"""One pass over all patterns of a scan, within a budget of memory.

A function is given the patterns of a rectangle of the scan as they lie in memory that
its thread uses again, and returns a small value; values are merged in order on the
calling thread (:mod:`brickfield.blockwise.gathering`), so that results do not depend on
the number of threads. Rectangles are whole lines, or parts of one line, and as large
as the budget lets every thread hold at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any, TypeVar

import numpy as np

from brickfield.blockwise import (
    Block,
    BlockGrid,
    Executor,
    Gathered,
    GatherOptions,
    Progress,
    ThreadBuffers,
    block_shape,
    format_bytes,
    gather,
    open_executor,
    parse_bytes,
    usable_bytes,
)
from brickfield.errors import BudgetError
from brickfield.sources.scans import ScanData
from brickfield.stem4d.summing.pieces import Pieces, Region

S = TypeVar("S")
V = TypeVar("V")

DEFAULT_BUDGET = "256 MB"
MOST_BLOCK_BYTES = 32 << 20
"""Blocks are read in pieces; larger ones make nothing faster and stop later."""
FIRST_BLOCK_BYTES = 4 << 20
"""Of blocks of which some go first, so that these are many and spread."""
MOST_AHEAD = 4
"""Blocks handed out for each worker: with more, one would end long after the others."""
COPIES = 4
"""Blocks' worth of memory that a thread takes: as read, and what is made of it."""


@dataclass(frozen=True, slots=True)
class PassOptions:
    """How a pass is made.

    Attributes
    ----------
    budget : str or int
        Memory for the work; never more than 80 % of what the machine has left.
    workers : int or None
        Threads; one per core if None.
    scheduler : str or None
        Address of a dask scheduler instead of threads.
    progress : callable or None
        Told (bytes done, bytes in all, bytes done, seconds left or None).
    cancel : Event or None
    stride : int
        Every `stride`-th block goes first.
    preview : callable or None
        Told the state after the first pass over every `stride`-th block.
    """

    budget: str | int = DEFAULT_BUDGET
    workers: int | None = None
    scheduler: str | None = None
    progress: Progress | None = None
    cancel: Event | None = None
    stride: int = 1
    preview: Callable[[Any], None] | None = None

    @property
    def budget_bytes(self) -> int:
        """Bytes that the work may take on this machine now."""
        return min(parse_bytes(self.budget), usable_bytes())


def scan_pass(
    data: ScanData,
    function: Callable[[Block, Pieces], V],
    merge: Callable[[S, Block, V], S],
    start: S,
    options: PassOptions | None = None,
    region: Region | None = None,
) -> Gathered[S]:
    """Go over the patterns of a scan once.

    Parameters
    ----------
    data : ScanData
    function : callable
        (block, patterns) to a value, in a worker. `patterns` is a
        :class:`~brickfield.stem4d.summing.pieces.Pieces`, to be read during the call alone.
    merge : callable
        (state, block, value) to state, on the calling thread. `block.slices` count
        scan positions within `region`.
    start : object
        State before the first block.
    options : PassOptions, optional
    region : tuple of slice, optional
        Scan rows and columns, starts and stops given; all if None.

    Returns
    -------
    Gathered
        ``require()`` returns the state of a whole pass, and else raises.
    """
    options = options or PassOptions()
    ys, xs = region or (slice(0, data.shape[0]), slice(0, data.shape[1]))
    executor = open_executor(options.scheduler, options.workers)
    try:
        grid = scan_blocks(data, (ys, xs), options, executor)
        reading = _Reading(data, (ys.start, xs.start), function)
        return gather(
            grid,
            reading,
            merge,
            start,
            executor,
            GatherOptions(
                budget_bytes=max(options.budget_bytes // COPIES, 1),
                bytes_per_voxel=data.stored_frame_bytes,
                progress=options.progress,
                cancel=options.cancel,
                stride=options.stride,
                preview=options.preview,
                most_ahead=MOST_AHEAD * executor.n_workers,
            ),
        )
    # Also a pass that is cancelled or fails leaves no thread and no connection to a
    # cluster.
    finally:
        executor.close()


def scan_blocks(
    data: ScanData, region: Region, options: PassOptions, executor: Executor
) -> BlockGrid:
    """Divide a region of a scan into blocks that every worker can hold.

    Parameters
    ----------
    data : ScanData
    region : Region
        Rows and columns of the scan.
    options : PassOptions
        Give the budget.
    executor : Executor
        Gives the number of workers.

    Raises
    ------
    BudgetError
        When not even one pattern a worker fits.
    """
    shape = tuple(s.stop - s.start for s in region)
    frame_bytes = data.dtype.itemsize * data.shape[2] * data.shape[3]
    # A frame in the file may be larger than in memory (headers, gaps) or smaller
    # (packed pixels): the budget has to hold the larger of both.
    pattern_bytes = max(frame_bytes, data.stored_frame_bytes)
    n = executor.n_workers
    # Blocks follow the storage chunks of the file, or each would be decoded once for
    # every block that meets it.
    unit = (min(data.block[0], shape[0]), min(data.block[1], shape[1]))
    # A storage chunk larger than that is still read once rather than in parts.
    largest = FIRST_BLOCK_BYTES if options.stride > 1 else MOST_BLOCK_BYTES
    each = unit[0] * unit[1] * pattern_bytes
    needed, budget = COPIES * each * n, options.budget_bytes
    if budget < needed:
        msg = (
            f"expected a budget of at least {format_bytes(needed)} for {n} threads, each"
            f" with {unit[0]}x{unit[1]} patterns of {format_bytes(pattern_bytes)}; found"
            f" {format_bytes(budget)}: raise it"
        )
        raise BudgetError(msg)
    most = min(budget // COPIES, max(largest, each) * n) // pattern_bytes
    block = block_shape(shape, np.uint8, most, n, unit)  # counted in patterns
    # A part of a line: several lines of parts would read as many places of the file
    # instead of one run.
    if block[1] < shape[1]:
        return BlockGrid(shape, (unit[0], block[1]))
    return BlockGrid(shape, block)


@dataclass(frozen=True)
class _Reading:
    """A block function from one that takes the block's patterns."""

    data: ScanData
    origin: tuple[int, int]
    function: Callable[[Block, Pieces], Any]
    buffers: ThreadBuffers = ThreadBuffers()  # noqa: RUF009 -- shared on purpose

    def __call__(self, block: Block) -> Any:
        ys, xs = (
            slice(s.start + o, s.stop + o)
            for s, o in zip(block.slices, self.origin, strict=True)
        )
        return self.function(block, Pieces(self.data, (ys, xs), self.buffers))
