"""What baking will take, told before anything is written.

Invariant: nothing is written here, and sizes are those of the task that is then carried
out. The time is told from one block that is made on trial, in the middle of the output.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from math import prod
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Any
from uuid import uuid4

import numpy as np

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError
from brickfield.sources import ChunkSource
from brickfield.transforms.baking.chunk_cache import KeptReader
from brickfield.transforms.baking.options import BakeOptions
from brickfield.transforms.baking.task import BakeTask, plan_bake, reader_of
from brickfield.transforms.operations.convention import Matrix
from brickfield.transforms.operations.operation import PIECE
from brickfield.transforms.recipes import Deskew, Place, Recipe
from brickfield.writing import check_folder, place
from brickfield.writing.place import local_path

WRITTEN_A_SECOND = 100e6
"""Bytes compressed and written a second; a guess on the slow side."""
MOST_CORES = 8
"""More are rarely kept busy by one disk."""
COARSER = 1.3
"""Time of all levels over that of the finest."""


@dataclass(frozen=True)
class BakeOutlook:
    """What baking will take.

    Attributes
    ----------
    target : Path
    n_bytes : int
        Of all levels before compression: the most that is written.
    free_bytes : int
        On the target's disk.
    seconds : float
        A guess.
    is_resumed : bool
        Whether an interrupted run left something there to go on with.
    shape : tuple of int
        Of level 0 of one channel and time (z, y, x).
    matrix : ndarray, shape (4, 4)
        From voxels of the source's level to those that are written; for a deskewed
        stack to world.
    voxel_matrix : ndarray, shape (4, 4)
        From voxels to voxels in any case.
    refusal : str
        Why it cannot be written there, and what to do; empty when it can.
    """

    target: Path
    n_bytes: int = 0
    free_bytes: int = 0
    seconds: float = 0.0
    is_resumed: bool = False
    shape: tuple[int, ...] = ()
    matrix: Matrix | None = None
    voxel_matrix: Matrix | None = None
    refusal: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it in plain JSON values."""
        return {
            "path": str(self.target),
            "matrix": None if self.matrix is None else self.matrix.tolist(),
            "voxel_matrix": None
            if self.voxel_matrix is None
            else self.voxel_matrix.tolist(),
            "shape": list(self.shape),
            "bytes": self.n_bytes,
            "seconds": self.seconds,
        }


def look_ahead(
    source: ChunkSource | str | Path,
    dst: str | Path,
    recipe: Recipe,
    options: BakeOptions | None = None,
    *,
    opening: Mapping[str, Any] | None = None,
) -> BakeOutlook:
    """Tell what baking will take; nothing is written.

    Parameters
    ----------
    source : ChunkSource, str or Path
    dst : str or Path
    recipe : Recipe
    options : BakeOptions, optional
    opening : mapping, optional
        How `source` is opened.

    Returns
    -------
    BakeOutlook

    Raises
    ------
    BrickfieldError
        When source, recipe and options do not fit together.
    """
    options = options or BakeOptions()
    target = local_path(dst).absolute()
    with ExitStack() as stack:
        if isinstance(source, str | Path):
            from brickfield.sources import open_source, opening_options

            opened = open_source(str(source), **opening_options(opening))
            stack.callback(opened.close)
        else:
            opened = source
        task = plan_bake(
            reader_of(opened, None, options.level), target, recipe, options
        )
        return _outlook(task, opened, options, recipe)


def _outlook(
    task: BakeTask, source: ChunkSource, options: BakeOptions, recipe: Recipe
) -> BakeOutlook:
    target = task.root
    free = shutil.disk_usage(_first_there(target)).free
    is_resumed = place.has_journal(target)
    matrix = voxels = task.matrix
    if isinstance(recipe, Deskew):
        level = source.info.pyramid.levels[options.level]
        matrix = recipe.to_world(Place.of(level))
    cores = min(options.workers or MOST_CORES, os.cpu_count() or 1)
    z, y, x = (s.stop - s.start for s in task.region)
    return BakeOutlook(
        target,
        task.n_bytes,
        free,
        _seconds(task) / cores + task.n_bytes / WRITTEN_A_SECOND,
        is_resumed,
        (z, y, x),
        np.asarray(matrix),
        np.asarray(voxels),
        _refusal(task, source, free, options, is_resumed=is_resumed),
    )


def _seconds(task: BakeTask) -> float:
    """Return the time of all blocks on one thread, from one in the middle."""
    middle = [(s.start + s.stop) // 2 for s in task.region]
    z, y, x = (
        slice(max(m - p // 2, s.start), min(m + p // 2 + 1, s.stop))
        for m, p, s in zip(middle, PIECE, task.region, strict=True)
    )
    kept = KeptReader(task.reader, 0, f"trial:{uuid4().hex}")
    block = task.block_function(kept, None, Event())
    one = tuple(slice(m, m + 1) for m in middle)
    try:
        # What is loaded and compiled once does not count.
        block.sample((one[0], one[1], one[2]))
        began = perf_counter()
        block.sample((z, y, x))
    finally:
        kept.release()
    spent = perf_counter() - began
    n_sample = prod(s.stop - s.start for s in (z, y, x))
    return float(COARSER * spent * prod(task.levels[0].shape) / n_sample)


def _refusal(
    task: BakeTask,
    source: ChunkSource,
    free: int,
    options: BakeOptions,
    *,
    is_resumed: bool,
) -> str:
    target = task.root
    try:
        check_folder(target, source)
    except BrickfieldError as error:
        return str(error)
    is_taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if is_taken and not is_resumed and not options.overwrite:
        return f"expected a new folder; something is at {target.name} already: name another"
    if task.n_bytes > free:
        return (
            f"expected {format_bytes(task.n_bytes)} of free space at most; found"
            f" {format_bytes(free)}: choose a folder on another disk"
        )
    return ""


def _first_there(target: Path) -> Path:
    """Return the folder that a new one would be made in."""
    return next(p for p in (target, *target.parents) if p.is_dir())
