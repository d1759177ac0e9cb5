"""Where blocks are worked on: inline, in threads, or on dask.distributed.

An executor takes a pure function and numbered blocks and returns outcomes,
in any order. It never holds more batches than its window, so a job of millions
of blocks needs no list of them, and it never builds a task graph. A failing
block is tried twice and then becomes an outcome that says why; it never stops
the others. Batches are sized from what blocks took before, so that scheduling
costs little beside the work.

Cancelling takes effect between the blocks of a batch, too, so that one block is
the longest wait. On a cluster a batch that is under way is finished:
it takes about `BATCH_S`.

Block work on a dask.distributed cluster.

Every task is one batch of blocks and stands alone: no graph, no data kept on the
cluster, nothing to gather but outcomes. So a cluster of any size is used without
the scheduler becoming the narrow place, and a worker that dies costs one batch.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from importlib import import_module
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any, Protocol

from brickfield.blockwise.batches import (
    Batcher,
    BlockFunction,
    Numbered,
    Outcome,
    run_batch,
)
from brickfield.errors import (
    MissingExtraError,
    OptionError,
    StoreUnreachableError,
)


class Executor(Protocol):
    """Works on blocks.

    Attributes
    ----------
    n_workers : int
        Blocks held at once.
    """

    n_workers: int

    def run(
        self,
        function: BlockFunction,
        blocks: Iterator[Numbered],
        cancel: Event,
        priority: int = 0,
    ) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as they come; after `cancel` only those under way.

        Parameters
        ----------
        function : callable
        blocks : iterator of (int, Block)
            May pause: it raises StopIteration, and goes on once outcomes were
            taken. It may have an attribute `most_at_once`, which no batch exceeds.
        cancel : Event
        priority : int
            Of two runs of one executor the higher goes first.

        Yields
        ------
        list of Outcome
        """
        ...

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Work out one call where blocks are worked on.

        Parameters
        ----------
        function : callable
        *arguments : object
            Picklable for a cluster, as is what the function returns.

        Returns
        -------
        object
            With ``result()``, which waits, and returns or raises what came of it.
        """
        ...

    def share(self, value: Any) -> Any:
        """Bring a value that many calls need there once; return what stands for it."""
        ...

    def close(self) -> None:
        """Give threads and connections back."""
        ...


class _Local:
    """Single calls where all is one process."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Work out one call in the thread that asks for its result."""
        return SimpleNamespace(result=lambda: function(*arguments))

    def share(self, value: Any) -> Any:
        """Return the value."""
        return value


class InlineExecutor(_Local):
    """Works in the calling thread, block by block."""

    n_workers = 1

    def run(
        self,
        function: BlockFunction,
        blocks: Iterator[Numbered],
        cancel: Event,
        priority: int = 0,
    ) -> Generator[list[Outcome], None, None]:
        """Yield the outcome of each block in order, on the caller's thread.

        Parameters
        ----------
        function : BlockFunction
            Called with each block.
        blocks : iterator of Numbered
            Numbers with their blocks.
        cancel : Event
            No further block is begun once it is set.
        priority : int
            Ignored: there is one job at a time.
        """
        for numbered in blocks:
            if cancel.is_set():
                return
            yield run_batch(function, [numbered])[0]

    def close(self) -> None:
        """Do nothing."""


class _Priorities:
    """The priorities of the runs that are under way in one executor."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: list[int] = []

    def begin(self, priority: int) -> None:
        with self._lock:
            self._running.append(priority)

    def end(self, priority: int) -> None:
        with self._lock:
            self._running.remove(priority)

    def is_first(self, priority: int) -> bool:
        with self._lock:
            return priority >= max(self._running, default=priority)


class ThreadExecutor(_Local):
    """Works in threads, with at most one batch waiting for each.

    Several runs may go on at once, each from a thread of its own. While one of
    higher priority is under way, the others have one batch at work and none waiting.

    Parameters
    ----------
    n_workers : int
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers
        self._priorities = _Priorities()
        self._pool = ThreadPoolExecutor(n_workers, thread_name_prefix="block")

    def run(
        self,
        function: BlockFunction,
        blocks: Iterator[Numbered],
        cancel: Event,
        priority: int = 0,
    ) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as batches end; blocks run on the pool's threads.

        Parameters
        ----------
        function : BlockFunction
            Called with each block; must be thread-safe.
        blocks : iterator of Numbered
            Numbers with their blocks.
        cancel : Event
            No further block is begun once it is set.
        priority : int
            Jobs of a higher number go first.
        """
        batches = Batcher(blocks)
        pending: set[Future[tuple[list[Outcome], float]]] = set()
        self._priorities.begin(priority)
        try:
            while True:
                while len(pending) < self._room(priority) and not cancel.is_set():
                    batch = batches.take()
                    if not batch:
                        break
                    pending.add(self._pool.submit(run_batch, function, batch, cancel))
                # Cancelled, or all done: what was under way has been yielded.
                if not pending:
                    return
                # As soon as one ends, so that the others never run dry.
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in finished:
                    outcomes, seconds = future.result()
                    batches.observe(len(outcomes), seconds)
                    yield outcomes
        finally:
            for future in pending:
                future.cancel()
            # Also when the consumer stops early: no thread must go on with a source
            # that is closed.
            wait(pending)
            self._priorities.end(priority)

    def _room(self, priority: int) -> int:
        # One batch each at work and one waiting; a job that must step back keeps a
        # single batch, so that it still makes progress.
        return 2 * self.n_workers if self._priorities.is_first(priority) else 1

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)


def open_executor(scheduler: str | None = None, workers: int | None = None) -> Executor:
    """Open an executor by the address that a user gives.

    Parameters
    ----------
    scheduler : str, optional
        None or ``"threads"``, ``"inline"``, or the address of a dask scheduler
        such as ``"tcp://host:8786"``.
    workers : int, optional
        Threads; as many as cores, at least 2, if not given.

    Raises
    ------
    OptionError
        When it is none of these.
    """
    if workers is not None and workers < 1:
        msg = f"expected at least 1 worker; found {workers}"
        raise OptionError(msg)
    if scheduler in (None, "threads"):
        return ThreadExecutor(workers or max(2, os.cpu_count() or 1))
    if scheduler == "inline":
        return InlineExecutor()
    if "://" in str(scheduler):
        return ClusterExecutor(str(scheduler))
    msg = (
        f'expected "threads", "inline" or a dask scheduler such as'
        f' "tcp://host:8786"; found {scheduler!r}'
    )
    raise OptionError(msg)


CONNECT_S = 10
"""Seconds to wait for a scheduler."""


class ClusterExecutor:
    """Works on a dask.distributed cluster, batch by batch, without task graphs.

    A batch whose worker dies is given to another by the scheduler; when that
    does not help, its blocks are sent once more, one by one.

    Parameters
    ----------
    address : str
        Of the scheduler, ``"tcp://host:port"``.

    Raises
    ------
    StoreUnreachableError
        When no scheduler answers there, or it has no workers.
    """

    def __init__(self, address: str) -> None:
        try:
            self._dask: Any = import_module("distributed")
        except ImportError as e:
            msg = (
                "expected dask.distributed for work on a cluster; found it not"
                " installed: run \"pip install 'napari-brickfield[cluster]'\""
            )
            raise MissingExtraError(msg) from e
        try:
            self._client = self._dask.Client(
                address, timeout=CONNECT_S, set_as_default=False
            )
        except (OSError, ValueError) as e:
            msg = (
                f"expected a dask scheduler at {address}; found none that answers"
                f' ({e}): start one with "dask scheduler" or leave the option out'
            )
            raise StoreUnreachableError(msg) from e
        self.n_workers = sum(self._client.nthreads().values())
        if self.n_workers == 0:
            self._client.close()
            msg = (
                f"expected workers at the dask scheduler {address}; found none:"
                f' start some with "dask worker {address}"'
            )
            raise StoreUnreachableError(msg)

    def run(
        self,
        function: BlockFunction,
        blocks: Iterator[Numbered],
        cancel: Event,
        priority: int = 0,
    ) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as batches end; blocks run on the workers of the cluster.

        Parameters
        ----------
        function : BlockFunction
            Called with each block; must be picklable.
        blocks : iterator of Numbered
            Numbers with their blocks.
        cancel : Event
            No further block is sent once it is set.
        priority : int
            Handed to the scheduler: a higher number goes first.
        """
        batches = Batcher(blocks)
        sent: dict[str, tuple[Any, list[Numbered], bool]] = {}
        done = self._dask.as_completed(loop=self._client.loop)

        def send(batch: list[Numbered], *, is_retry: bool) -> None:
            future = self._client.submit(
                run_batch,
                function,
                batch,
                # The same call twice is two pieces of work: dask would otherwise merge
                # them.
                pure=False,
                retries=3,
                priority=priority,
            )
            sent[future.key] = (future, batch, is_retry)
            done.add(future)

        try:
            while True:
                while len(sent) < 2 * self.n_workers and not cancel.is_set():
                    batch = batches.take()
                    if not batch:
                        break
                    send(batch, is_retry=False)
                if not sent:
                    return
                future = next(done)
                _, batch, is_retry = sent.pop(future.key)
                if future.status == "finished":
                    outcomes, seconds = future.result()
                    batches.observe(len(outcomes), seconds)
                    yield outcomes
                elif is_retry:
                    yield _lost(batch, future)
                else:
                    for numbered in batch:
                        send([numbered], is_retry=True)
        finally:
            self._client.cancel([future for future, _, _ in sent.values()])

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Work out one call on the cluster; repeated when a worker is lost."""
        return self._client.submit(function, *arguments, pure=False, retries=3)

    def share(self, value: Any) -> Any:
        """Send a value to all workers."""
        return self._client.scatter(value, broadcast=True, hash=False)

    def close(self) -> None:
        """End the connection; the cluster goes on."""
        self._client.close()


def _lost(batch: list[Numbered], future: Any) -> list[Outcome]:
    reason = f"the worker was lost ({type(future.exception()).__name__})"
    return [Outcome(number, 0, reason) for number, _ in batch]
