"""The block function that makes a level of another, and the jobs made of it.

What the first level is made from may be a source
(:class:`~brickfield.writing.source_reader.SourceReader`), a level on disk, or anything
else that gives voxels of a region, as resampled or filtered data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Block, BlockGrid, BlockJob, Slices, shift
from brickfield.errors import BudgetError, ChunkReadError
from brickfield.writing.downsample import downsample
from brickfield.writing.level_plans import LevelPlan, plan_blocks
from brickfield.writing.options import Method
from brickfield.writing.source_reader import IncompleteRegionError
from brickfield.writing.stored_level import StoredLevel


class RegionReader(Protocol):
    """Voxels of one level by regions; picklable for a cluster.

    Attributes
    ----------
    shape, chunk_shape : tuple of int
        All axes, and the unit that is decoded at once.
    """

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102 -- told above

    @property
    def chunk_shape(self) -> tuple[int, ...]: ...  # noqa: D102 -- told above

    def is_missing(self, region: Slices) -> bool:
        """Tell whether nothing of a region is stored, as far as is known cheaply."""
        ...

    def read(self, region: Slices) -> NDArray[Any]:
        """Read a region, shape (stops - starts); may be called from any thread."""
        ...


@dataclass(frozen=True)
class LevelBlock:
    """Makes one block of a level from the level before; a block function.

    Blocks of which nothing is stored before are not written, so sparse data
    stays sparse.

    Attributes
    ----------
    before : RegionReader
    target : StoredLevel
    factors : tuple of int
        All 1 for a copy.
    method : {"mean", "mode", "floor"}
    piece_shape : tuple of int
        Voxels of the target made at once.
    dtype : numpy.dtype
    """

    before: RegionReader
    target: StoredLevel
    factors: tuple[int, ...]
    method: Method
    piece_shape: tuple[int, ...]
    dtype: np.dtype[np.generic]

    def __call__(self, block: Block) -> int:
        """Read, join and write; returns the bytes written, before compression.

        Raises
        ------
        ChunkReadError
            When chunks cannot be read; with a reader that skips them, after the rest
            has been written.
        """
        failures: list[ChunkReadError] = []
        # Nothing stored below it: nothing is written either, and sparse data stay
        # sparse.
        if self.before.is_missing(self._before(block.slices)):
            return 0
        pieces = BlockGrid(block.shape, self.piece_shape)
        if len(pieces) == 1:
            out = self._make(block.slices, failures)
        else:
            out = np.full(block.shape, self.target.fill_value, self.dtype)
            # A block that does not fit the budget is made piece by piece, but written
            # at once, so that a shard is encoded once.
            back = tuple(-s for s in block.start)
            for piece in pieces:
                region = shift(piece.slices, back)
                if not self.before.is_missing(self._before(region)):
                    out[piece.slices] = self._make(region, failures)
        self.target.write(block.slices, out)
        if failures:
            raise failures[0]
        return out.nbytes

    def _before(self, region: Slices) -> Slices:
        return tuple(
            slice(s.start * f, min(s.stop * f, n))
            for s, f, n in zip(region, self.factors, self.before.shape, strict=True)
        )

    def _make(
        self, region: Slices, failures: list[ChunkReadError]
    ) -> NDArray[np.generic]:
        try:
            data = self.before.read(self._before(region))
        except IncompleteRegionError as error:
            data = error.data
            failures.append(ChunkReadError(error.reason, key=error.key))
        return downsample(data, self.factors, self.method)


class FirstLevel(RegionReader, Protocol):
    """What a first level is made from: regions, and the type of their voxels."""

    @property
    def dtype(self) -> np.dtype[np.generic]: ...  # noqa: D102 -- told above


def level_jobs(
    reader: FirstLevel,
    plans: Sequence[LevelPlan],
    stored: Sequence[StoredLevel],
    method: Method,
    room_bytes: int,
) -> list[BlockJob]:
    """Make one job per level, each reading what the one before wrote.

    Parameters
    ----------
    reader : FirstLevel
        What the first level is made from; every array has its dtype.
    plans, stored : sequence
        Levels to write.
    method : {"mean", "mode", "floor"}
    room_bytes : int
        Memory of one worker.

    Raises
    ------
    BudgetError
        When a block does not fit.
    """
    jobs: list[BlockJob] = []
    before: RegionReader = reader
    dtype = reader.dtype
    for plan, target in zip(plans, stored, strict=True):
        blocks = plan_blocks(plan, before.chunk_shape, dtype.itemsize, room_bytes)
        function = LevelBlock(
            before, target, plan.factors, method, blocks.piece_shape, dtype
        )
        # A journal of other block shapes tells nothing of these blocks.
        name = f"{plan.path}:{'x'.join(map(str, blocks.block_shape))}"
        jobs.append(BlockJob(name, BlockGrid(plan.shape, blocks.block_shape), function))
        # The next level reads what this one wrote, so each voxel of the source is read
        # once.
        before = target
    return jobs


def fitting_jobs(
    reader: FirstLevel,
    plans: Sequence[LevelPlan],
    stored: Sequence[StoredLevel],
    method: Method,
    limits: tuple[int, int],
) -> tuple[list[BlockJob], int]:
    """Make the jobs for as many workers as the budget allows.

    Parameters
    ----------
    reader, plans, stored, method
        As in :func:`level_jobs`.
    limits : tuple of int
        Budget in bytes for all workers, and the most workers.

    Returns
    -------
    jobs : list of BlockJob
    n_workers : int
    """
    budget_bytes, n_workers = limits
    while True:
        room = budget_bytes // n_workers
        try:
            return level_jobs(reader, plans, stored, method, room), n_workers
        except BudgetError:
            if n_workers == 1:
                raise
            n_workers //= 2
