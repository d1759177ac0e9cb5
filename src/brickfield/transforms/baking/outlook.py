"""What baking will take, told before anything is written.

Invariant: nothing is written here; of voxels, a few blocks at most are read, by
:func:`measured_rate`. Sizes are those of the task that is then carried out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError
from brickfield.sources import ChunkSource
from brickfield.transforms.baking.options import BakeOptions
from brickfield.transforms.baking.task import BakeTask, plan_bake, reader_of
from brickfield.transforms.operations.convention import Matrix
from brickfield.transforms.recipes import Deskew, Place, Recipe
from brickfield.writing import check_folder, local_path, place

BYTES_A_SECOND = 40e6
"""Bytes made, compressed and written a second by one core; a guess on the slow side."""


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
            from brickfield.sources import open_source

            opened = open_source(str(source), **dict(opening or {}))
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
    cores = options.workers or os.cpu_count() or 1
    z, y, x = (s.stop - s.start for s in task.region)
    return BakeOutlook(
        target,
        task.n_bytes,
        free,
        task.n_bytes / (BYTES_A_SECOND * cores),
        is_resumed,
        (z, y, x),
        np.asarray(matrix),
        np.asarray(voxels),
        _refusal(task, source, free, options, is_resumed=is_resumed),
    )


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
    folder = _first_there(target)
    if not os.access(folder, os.W_OK):
        return f"expected a folder that may be written to; found {folder} to read only"
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
