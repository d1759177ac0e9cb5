"""Blocks worked on one after another, as one batch.

A block that fails is tried twice and then becomes an outcome that says why; it never
stops the others. Batches are sized from what blocks took before, so that scheduling
costs little beside the work. Cancelling takes effect between the blocks of a batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from threading import Event
from time import perf_counter
from typing import Any

from brickfield.blockwise.blocks import Block
from brickfield.errors import StoreWriteError


@dataclass(frozen=True, slots=True)
class BlockValue:
    """What a block function returns when a value is asked of it.

    Attributes
    ----------
    value : object
        Picklable for a cluster.
    n_bytes : int
        Bytes written beside it.
    """

    value: Any
    n_bytes: int = 0


BlockFunction = Callable[[Block], int | BlockValue]
"""Works on one block and returns the bytes written, or a value. Pure but for that
writing, idempotent, picklable; called from any thread of any process."""
Numbered = tuple[int, Block]

BATCH_S = 0.1
"""Seconds of work worth one scheduling."""
MAX_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one block.

    Attributes
    ----------
    number : int
        Of the block in its grid.
    n_bytes : int
        Bytes written.
    reason : str or None
        Why it failed, one sentence; None when it is done.
    is_fatal : bool
        Whether no other block can succeed either (no room to write).
    value : object
        What the function returned as :class:`BlockValue`; None for others.
    """

    number: int
    n_bytes: int = 0
    reason: str | None = None
    is_fatal: bool = False
    value: Any = None


def run_batch(
    function: BlockFunction, batch: list[Numbered], cancel: Event | None = None
) -> tuple[list[Outcome], float]:
    """Work on some blocks.

    Parameters
    ----------
    function : callable
    batch : list of (int, Block)
    cancel : Event, optional
        Looked at before each block; those left then have no outcome.

    Returns
    -------
    outcomes : list of Outcome
    seconds : float
        Taken by all of them.
    """
    start = perf_counter()
    outcomes: list[Outcome] = []
    for number, block in batch:
        if cancel is not None and cancel.is_set():
            break
        outcomes.append(_run_block(function, number, block))
        if outcomes[-1].is_fatal:
            break
    return outcomes, perf_counter() - start


def _run_block(function: BlockFunction, number: int, block: Block) -> Outcome:
    reason = ""
    for _ in range(2):
        try:
            found = function(block)
            if isinstance(found, BlockValue):
                return Outcome(number, found.n_bytes, value=found.value)
            return Outcome(number, found)
        except StoreWriteError as e:
            return Outcome(number, 0, str(e), is_fatal=True)
        except Exception as e:  # noqa: BLE001 -- any failure becomes an outcome
            reason = str(e) or type(e).__name__
    return Outcome(number, 0, reason)


class Batcher:
    """Cuts a stream of blocks into batches that take about `seconds` each."""

    def __init__(self, blocks: Iterator[Numbered], seconds: float = BATCH_S) -> None:
        self._blocks = blocks
        self._seconds = seconds
        self._size = 1

    def take(self) -> list[Numbered]:
        """Return the next batch, empty at the end."""
        most = getattr(self._blocks, "most_at_once", MAX_BATCH)
        return list(islice(self._blocks, max(1, min(self._size, most))))

    def observe(self, n_blocks: int, seconds: float) -> None:
        """Adapt the batch size to a measured time; it at most doubles.

        Parameters
        ----------
        n_blocks : int
            Blocks in the batch.
        seconds : float
            What the batch took.
        """
        wished = int(self._seconds * n_blocks / max(seconds, 1e-9)) + 1
        self._size = max(1, min(wished, 2 * self._size, MAX_BATCH))
