"""Block work on a dask.distributed cluster.

Every task is one batch of blocks and stands alone: no graph, no data kept on the
cluster, nothing to gather but outcomes. So a cluster of any size is used without
the scheduler becoming the narrow place, and a worker that dies costs one batch.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from importlib import import_module
from threading import Event
from typing import Any

from brickfield.blockwise.executors import (
    Batcher,
    BlockFunction,
    Numbered,
    Outcome,
    run_batch,
)
from brickfield.errors import MissingExtraError, StoreUnreachableError

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
                " installed: run `pip install 'napari-brickfield[cluster]'`"
            )
            raise MissingExtraError(msg) from e
        try:
            self._client = self._dask.Client(
                address, timeout=CONNECT_S, set_as_default=False
            )
        except (OSError, ValueError) as e:
            msg = (
                f"expected a dask scheduler at {address}; found none that answers"
                f" ({e}): start one with `dask scheduler` or leave the option out"
            )
            raise StoreUnreachableError(msg) from e
        self.n_workers = sum(self._client.nthreads().values())
        if self.n_workers == 0:
            self._client.close()
            msg = (
                f"expected workers at the dask scheduler {address}; found none:"
                f" start some with `dask worker {address}`"
            )
            raise StoreUnreachableError(msg)

    def run(
        self,
        function: BlockFunction,
        blocks: Iterator[Numbered],
        cancel: Event,
        priority: int = 0,
    ) -> Generator[list[Outcome], None, None]:
        """Yield outcomes as batches end."""
        batches = Batcher(blocks)
        sent: dict[str, tuple[Any, list[Numbered], bool]] = {}
        done = self._dask.as_completed(loop=self._client.loop)

        def send(batch: list[Numbered], *, is_retry: bool) -> None:
            future = self._client.submit(
                run_batch,
                function,
                batch,
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

    def close(self) -> None:
        """End the connection; the cluster goes on."""
        self._client.close()


def _lost(batch: list[Numbered], future: Any) -> list[Outcome]:
    reason = f"the worker was lost ({type(future.exception()).__name__})"
    return [Outcome(number, 0, reason) for number, _ in batch]
