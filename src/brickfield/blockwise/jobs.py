"""Block jobs: the same pure function over every block of a grid.

A job is idempotent: a block may be worked on twice (after a kill, after a lost
worker) and the result is the same, since each block writes its own storage
chunks and nothing else. Jobs given together run one after the other, for a
later one may read what an earlier one wrote; a job with failed blocks stops
those after it unless the caller gives such blocks up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from time import perf_counter
from typing import Self

from brickfield.blockwise.batches import BlockFunction, Numbered, Outcome
from brickfield.blockwise.blocks import Block, BlockGrid
from brickfield.blockwise.executors import Executor
from brickfield.blockwise.journal import Journal
from brickfield.errors import StoreWriteError

Progress = Callable[[int, int, int, float | None], None]
"""Told (blocks done, blocks in all, bytes written, seconds left or None), on the
thread that runs the jobs."""
SETTLE_S = 0.5
"""Seconds of work that is brought to disk at once."""


@dataclass(frozen=True, slots=True)
class BlockJob:
    """One job.

    Attributes
    ----------
    name : str
        Unique within a journal, and changed whenever the grid changes.
    blocks : BlockGrid
        Output regions, each written by one call.
    function : callable
        Block to bytes written; picklable for a cluster.
    settle : callable, optional
        Given blocks before they are noted as done, to bring what they wrote to disk:
        for functions that do not wait for that themselves, since many files together
        take a fraction of what they take one by one.
    """

    name: str
    blocks: BlockGrid
    function: BlockFunction
    settle: Callable[[Sequence[Block]], None] | None = None


@dataclass(frozen=True, slots=True)
class BlockFailure:
    """A block that failed twice.

    Attributes
    ----------
    job : str
    index : tuple of int
        Grid position.
    reason : str
        One sentence.
    """

    job: str
    index: tuple[int, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of some jobs.

    Attributes
    ----------
    n_total, n_done, n_resumed : int
        Blocks in all, done by this run, done by an earlier one.
    bytes_written : int
        By this run, before compression.
    failures : tuple of BlockFailure
    is_complete : bool
        Whether nothing is left to do (failures that were given up count as
        done).
    """

    n_total: int
    n_done: int
    n_resumed: int
    bytes_written: int
    failures: tuple[BlockFailure, ...]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class JobOptions:
    """How jobs are run.

    Attributes
    ----------
    journal : Journal or None
        Where finished blocks are noted and earlier ones looked up.
    progress : callable or None
    cancel : Event or None
        Set it to stop after the blocks under way.
    skip_failed : bool
        Give up blocks that fail and go on with the next job.
    """

    journal: Journal | None = None
    progress: Progress | None = None
    cancel: Event | None = None
    skip_failed: bool = False


class _Run:
    """The state of one call of :func:`run_jobs`."""

    def __init__(self, jobs: Sequence[BlockJob], options: JobOptions) -> None:
        self.options = options
        self.cancel = options.cancel or Event()
        self.n_total = sum(len(job.blocks) for job in jobs)
        self.n_done = self.n_resumed = self.bytes_written = 0
        self.failures: list[BlockFailure] = []
        self._waiting: list[tuple[BlockJob, list[Outcome]]] = []
        self._start = self._noted_at = perf_counter()

    def run(self, job: BlockJob, executor: Executor) -> None:
        journal = self.options.journal
        n = len(job.blocks)
        mask = journal.mask(job.name, n) if journal else bytearray(n)
        self.n_resumed += sum(mask)
        self.tell()
        todo = _Todo(job, mask, executor.n_workers)
        with closing(executor.run(job.function, todo, self.cancel)) as stream:
            for outcomes in stream:
                self.take(job, outcomes)

    def take(self, job: BlockJob, outcomes: list[Outcome]) -> None:
        good = [o for o in outcomes if o.reason is None]
        bad = [o for o in outcomes if o.reason is not None]
        gives_up = self.options.skip_failed
        # Blocks that are given up count as done, or every run would try them again.
        settled = good + [o for o in bad if gives_up and not o.is_fatal]
        self._waiting.append((job, settled))
        if job.settle is None or perf_counter() > self._noted_at + SETTLE_S:
            self.note()
        for outcome in bad:
            if outcome.is_fatal:
                raise StoreWriteError(self.stopped(str(outcome.reason)))
            index = job.blocks[outcome.number].index
            self.failures.append(BlockFailure(job.name, index, str(outcome.reason)))

    def note(self) -> None:
        """Write down which blocks are done, once what they wrote is on disk."""
        waiting, self._waiting = self._waiting, []
        for name in dict.fromkeys(job.name for job, _ in waiting):
            job = next(job for job, _ in waiting if job.name == name)
            settled = [o for one, some in waiting if one is job for o in some]
            if self.options.journal is not None:
                # Before anything is counted: what a progress bar has shown must
                # survive a crash.
                if job.settle is not None:
                    job.settle([job.blocks[o.number] for o in settled if o.n_bytes])
                self.options.journal.record(name, (o.number for o in settled))
            good = [o for o in settled if o.reason is None]
            self.n_done += len(good)
            self.bytes_written += sum(o.n_bytes for o in good)
        self._noted_at = perf_counter()
        self.tell()

    def stopped(self, reason: str) -> str:
        done = self.n_done + self.n_resumed
        return f"{reason} (after {done} of {self.n_total} blocks)"

    def tell(self) -> None:
        if self.options.progress is None:
            return
        done = self.n_done + self.n_resumed
        left = None
        if self.n_done:
            elapsed = perf_counter() - self._start
            left = elapsed / self.n_done * (self.n_total - done)
        self.options.progress(done, self.n_total, self.bytes_written, left)


class _Todo:
    """The blocks that are left, in ever smaller batches towards their end.

    So that all workers end at about the same time: a last batch of several long blocks
    would leave the others without work.

    Attributes
    ----------
    most_at_once : int
        Blocks of a batch at most.
    """

    def __init__(self, job: BlockJob, mask: bytearray, n_workers: int) -> None:
        self._left = len(job.blocks) - sum(map(bool, mask))
        self._n_workers = n_workers
        self._blocks = ((i, job.blocks[i]) for i in range(len(mask)) if not mask[i])

    @property
    def most_at_once(self) -> int:
        return max(1, self._left // (3 * self._n_workers))

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Numbered:
        found = next(self._blocks)
        self._left -= 1
        return found


def run_jobs(
    jobs: Sequence[BlockJob], executor: Executor, options: JobOptions | None = None
) -> JobResult:
    """Run jobs one after the other.

    Parameters
    ----------
    jobs : sequence of BlockJob
    executor : Executor
        Stays open.
    options : JobOptions, optional

    Returns
    -------
    JobResult

    Raises
    ------
    StoreWriteError
        When there is no room to write; what is done stays noted.
    """
    run = _Run(jobs, options or JobOptions())
    try:
        for job in jobs:
            run.run(job, executor)
            # A later job reads what this one wrote: it must not start from a level with
            # gaps.
            if run.cancel.is_set() or (run.failures and not run.options.skip_failed):
                break
    finally:
        run.note()
    given_up = len(run.failures) if run.options.skip_failed else 0
    return JobResult(
        run.n_total,
        run.n_done,
        run.n_resumed,
        run.bytes_written,
        tuple(run.failures),
        run.n_done + run.n_resumed + given_up == run.n_total,
    )
