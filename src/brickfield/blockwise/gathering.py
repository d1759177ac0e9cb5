"""Values from blocks: one pass over data of any size, its results joined in order.

A function makes a small value of every block; the values are merged on the calling
thread, one after the other, in the order in which blocks were given out. So a result
never depends on how many workers there were or which of them was first, sums of
floats included, and the merged state needs no lock.

**Memory.** What waits to be merged is bounded by `budget_bytes`: blocks are handed
out only so far ahead of the slowest as their values have room, by the size of the
largest seen so far. The voxels that a function reads are its own: choose the grid
with :func:`~brickfield.blockwise.budget.block_shape`, or go over a large block in
pieces with :class:`~brickfield.blockwise.buffers.ThreadBuffers`.

**Order.** With ``stride=k`` every k-th block goes first, all others follow, and
`preview` is told the state after that first pass. The order is the same in every run
with that stride.

Several overviews of a scan in one pass over its file, without a copy of any block:

>>> import os
>>> import numpy as np
>>> from brickfield.blockwise.blocks import Block, BlockGrid
>>> from brickfield.blockwise.buffers import ThreadBuffers
>>> from brickfield.blockwise.executors import open_executor
>>> from brickfield.blockwise.gathering import GatherOptions, gather
>>> import tempfile
>>> file = tempfile.NamedTemporaryFile()
>>> frames = np.arange(24 * 4 * 4, dtype=np.uint16).reshape(24, 4, 4)
>>> _ = file.write(frames.tobytes()), file.flush()
>>> buffers = ThreadBuffers()
>>> def overviews(block: Block):  # a block is a range of frames
...     data = buffers.take((block.shape[0], 4, 4), np.uint16)
...     os.preadv(file.fileno(), [data], block.start[0] * 32)
...     return data.sum(axis=(1, 2)), data.sum(axis=0), data.max(axis=0)
>>> def add(state, block, value):
...     scan, total, highest = state
...     scan[block.slices] = value[0]
...     total += value[1]
...     np.maximum(highest, value[2], out=highest)
...     return state
>>> state = np.zeros(24), np.zeros((4, 4), np.uint64), np.zeros((4, 4), np.uint16)
>>> executor = open_executor("threads", 2)
>>> options = GatherOptions(budget_bytes=64 << 20, stride=3, bytes_per_voxel=32)
>>> found = gather(BlockGrid((24,), (4,)), overviews, add, state, executor, options)
>>> scan, total, highest = found.require()
>>> executor.close()
>>> bool((total == frames.sum(axis=0)).all()), found.bytes_done
(True, 768)

A histogram of each block of an image needs no more than
``gather(grid, lambda b: count_values(read(b.slices)), join, None, executor)``; see
:mod:`brickfield.blockwise.reduce`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, fields, is_dataclass
from threading import Event
from time import perf_counter
from typing import Any, Generic, TypeVar

import numpy as np

from brickfield.blockwise.batches import BlockValue, Numbered, Outcome
from brickfield.blockwise.blocks import Block, BlockGrid
from brickfield.blockwise.executors import Executor
from brickfield.blockwise.jobs import BlockFailure, Progress
from brickfield.errors import ChunkReadError, OptionError

S = TypeVar("S")
V = TypeVar("V")

DEFAULT_BUDGET = 64 << 20
MOST_AHEAD = 4096
"""Blocks handed out before the first of them is merged, however small values are."""


@dataclass(frozen=True, slots=True)
class GatherOptions:
    """How values are gathered.

    Attributes
    ----------
    budget_bytes : int
        For values that wait to be merged; one per worker is allowed in any case.
    bytes_per_voxel : int
        What progress counts for a voxel of a block; for a grid over frames, the
        bytes of a frame.
    progress : callable or None
        Told (bytes done, bytes in all, bytes done, seconds left or None), on the
        calling thread, as the progress of jobs is.
    cancel : Event or None
        Set it, from any thread, to stop after the block that each worker is at.
    stride : int
        Every `stride`-th block goes first; 1 for plain order.
    preview : callable or None
        Told the state after the first pass, and then every `preview_s` seconds, on
        the calling thread. The state goes on changing: copy what is kept.
    preview_s : float or None
        None to be told after the first pass alone.
    priority : int
        Among the runs of one executor.
    skip_failed : bool
        Go on when a block failed twice; else the first such block ends the pass.
    most_ahead : int
        Blocks handed out before the first of them is merged.
    """

    budget_bytes: int = DEFAULT_BUDGET
    bytes_per_voxel: int = 1
    progress: Progress | None = None
    cancel: Event | None = None
    stride: int = 1
    preview: Callable[[Any], None] | None = None
    preview_s: float | None = None
    priority: int = 0
    skip_failed: bool = False
    most_ahead: int = MOST_AHEAD

    def __post_init__(self) -> None:
        if self.stride < 1 or self.budget_bytes < 1 or self.most_ahead < 1:
            msg = (
                "expected a stride, a budget and a number of blocks ahead of at least"
                f" 1; found {self.stride}, {self.budget_bytes} and {self.most_ahead}"
            )
            raise OptionError(msg)


@dataclass(frozen=True, slots=True)
class Gathered(Generic[S]):
    """What a pass came to.

    Attributes
    ----------
    value : object
        The merged state, of the blocks that were done.
    n_blocks, n_done : int
        Blocks in all, and merged.
    bytes_done : int
        As progress counts them.
    failures : tuple of BlockFailure
    is_complete : bool
        Whether every block was merged, or given up with `skip_failed`.
    """

    value: S
    n_blocks: int
    n_done: int
    bytes_done: int
    failures: tuple[BlockFailure, ...]
    is_complete: bool

    def require(self) -> S:
        """Return the value of a whole pass.

        Raises
        ------
        ChunkReadError
            When a block failed, naming it, or the pass was cancelled.
        """
        if self.is_complete:
            return self.value
        if self.failures:
            raise _read_error(self.failures[0])
        msg = (
            f"expected all {self.n_blocks} blocks; found {self.n_done} done: the work"
            f" was cancelled"
        )
        raise ChunkReadError(msg, is_transient=True)


def gather(
    grid: BlockGrid,
    function: Callable[[Block], V],
    merge: Callable[[S, Block, V], S],
    start: S,
    executor: Executor,
    options: GatherOptions | None = None,
) -> Gathered[S]:
    """Make a value of every block and merge them, in order, into one state.

    Parameters
    ----------
    grid : BlockGrid
        Blocks to go over.
    function : callable
        Block to value, in a worker; pure, and picklable for a cluster. It is
        called again when it raises, so it must not keep anything of a first try.
    merge : callable
        (state, block, value) to state, on the calling thread. May change the state
        in place and return it.
    start : object
        State before the first block.
    executor : Executor
        Stays open.
    options : GatherOptions, optional

    Returns
    -------
    Gathered
    """
    options = options or GatherOptions()
    run = _Pass(grid, options)
    state, told_at = start, None
    with closing(run.values(function, executor)) as values:
        for block, value in values:
            state = merge(state, block, value)
            run.settle(block)
            if options.preview is not None and run.is_preview_due(told_at):
                options.preview(state)
                told_at = perf_counter()
    return Gathered(
        state, len(grid), run.n_done, run.bytes_done, tuple(run.failures), run.is_over
    )


def map_values(
    grid: BlockGrid,
    function: Callable[[Block], V],
    executor: Executor,
    options: GatherOptions | None = None,
) -> Generator[tuple[Block, V], None, None]:
    """Make a value of every block, and yield them in order.

    Ends early when it is cancelled. Closing the iterator ends the work.

    Parameters
    ----------
    grid, function, executor, options
        As for :func:`gather`; there is no state, so `preview` is not told.

    Yields
    ------
    Block, value

    Raises
    ------
    ChunkReadError
        When a block failed twice, naming it, unless `skip_failed` is set.
    """
    run = _Pass(grid, options or GatherOptions())
    with closing(run.values(function, executor)) as values:
        for block, value in values:
            yield block, value
            run.settle(block)
    if run.failures and not run.options.skip_failed:
        raise _read_error(run.failures[0])


@dataclass(frozen=True)
class _Valued(Generic[V]):
    """A block function of an executor, made of one that returns a value."""

    function: Callable[[Block], V]

    def __call__(self, block: Block) -> BlockValue:
        return BlockValue(self.function(block))


class _Window:
    """Blocks in the order of processing, as far as there is room for their results.

    It raises StopIteration while the window is full and goes on when it moved, as
    executors allow.
    """

    def __init__(self, grid: BlockGrid, stride: int) -> None:
        self._grid = grid
        n = len(grid)
        first = range(0, n, stride)
        # Every stride-th block first gives a coarse view of the whole early.
        self._rest = (i for i in range(n) if i % stride)
        self._first = iter(first)
        self.n_first = len(first)
        self.order: dict[int, int] = {}  # of blocks handed out and not yet merged
        self.n_taken = self.n_merged = 0
        self.room = self.most_at_once = 1

    def __iter__(self) -> Iterator[Numbered]:
        return self

    def __next__(self) -> Numbered:
        # The executor takes this for the end and asks again after each batch.
        if self.n_taken - self.n_merged >= self.room:
            raise StopIteration
        number = next(self._first, None)
        if number is None:
            number = next(self._rest)
        self.order[number] = self.n_taken
        self.n_taken += 1
        return number, self._grid[number]


class _Pass:
    """The state of one pass; used by the calling thread alone."""

    def __init__(self, grid: BlockGrid, options: GatherOptions) -> None:
        self.grid, self.options = grid, options
        self.failures: list[BlockFailure] = []
        self.n_done = self.bytes_done = 0
        self._cancel = options.cancel or Event()
        self._window = _Window(grid, options.stride)
        self._largest = 0
        self._bytes_in_all = _n_voxels(grid) * options.bytes_per_voxel
        self._start = perf_counter()

    @property
    def is_over(self) -> bool:
        given_up = len(self.failures) if self.options.skip_failed else 0
        return self.n_done + given_up == len(self.grid)

    def values(
        self, function: Callable[[Block], V], executor: Executor
    ) -> Generator[tuple[Block, V], None, None]:
        """Yield blocks and values in the order in which blocks were handed out."""
        window, waiting = self._window, dict[int, Outcome]()
        self._resize(executor.n_workers)
        run = executor.run(
            _Valued(function), window, self._cancel, self.options.priority
        )
        with closing(run) as stream:
            for outcomes in stream:
                for outcome in outcomes:
                    # By the place in the order of handing out: merging goes in that
                    # order, so that results do not depend on which worker was faster.
                    waiting[window.order.pop(outcome.number)] = outcome
                    # The size of values is only known once there are some.
                    self._largest = max(self._largest, size_of(outcome.value))
                self._resize(executor.n_workers)
                while window.n_merged in waiting:
                    outcome = waiting.pop(window.n_merged)
                    window.n_merged += 1
                    block = self.grid[outcome.number]
                    if outcome.reason is None:
                        yield block, outcome.value
                        continue
                    self.failures.append(
                        BlockFailure("", block.index, str(outcome.reason))
                    )
                    # Values before it are merged already; nothing after it would be in
                    # order.
                    if outcome.is_fatal or not self.options.skip_failed:
                        return

    def settle(self, block: Block) -> None:
        """Count a block that was merged."""
        self.n_done += 1
        self.bytes_done += block.n_voxels * self.options.bytes_per_voxel
        if self.options.progress is not None:
            left = self._bytes_in_all - self.bytes_done
            seconds = (perf_counter() - self._start) / max(self.bytes_done, 1) * left
            done = self.bytes_done
            self.options.progress(done, self._bytes_in_all, done, seconds)

    def is_preview_due(self, told_at: float | None) -> bool:
        """Tell whether the state is to be shown now."""
        if told_at is None:
            return self._window.n_merged >= self._window.n_first
        every = self.options.preview_s
        return every is not None and perf_counter() - told_at >= every

    def _resize(self, n_workers: int) -> None:
        """Let as many blocks out as their values have room to wait."""
        room = 2 * n_workers
        if self._largest:
            # Every worker holds a value anyway.
            room = max(n_workers, self.options.budget_bytes // self._largest)
        self._window.room = min(room, self.options.most_ahead)
        # No worker takes all there is room for, or the others stood idle.
        self._window.most_at_once = max(1, self._window.room // (2 * n_workers))


def size_of(value: Any) -> int:
    """Return about how many bytes a value takes: arrays, and what holds arrays."""
    if isinstance(value, np.ndarray):
        return value.nbytes + 100
    if isinstance(value, dict):
        return sum(map(size_of, value.values())) + 100
    if isinstance(value, tuple | list):
        return sum(map(size_of, value)) + 100
    if is_dataclass(value) and not isinstance(value, type):
        return sum(size_of(getattr(value, f.name)) for f in fields(value)) + 100
    return sys.getsizeof(value)


def _n_voxels(grid: BlockGrid) -> int:
    n = 1
    for length in grid.shape:
        n *= length
    return n


def _read_error(failure: BlockFailure) -> ChunkReadError:
    place = ", ".join(map(str, failure.index))
    return ChunkReadError(f"{failure.reason} (block {place})")
