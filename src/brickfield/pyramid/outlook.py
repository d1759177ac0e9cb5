"""What writing a pyramid will take, told before anything is written.

Invariant: nothing is written and no voxel is read here; sizes are those of the plan
that is then carried out.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from math import prod
from pathlib import Path

from brickfield.blockwise import format_bytes
from brickfield.errors import BrickfieldError
from brickfield.pyramid.options import PyramidOptions
from brickfield.pyramid.task import plan_task
from brickfield.sources import ChunkSource
from brickfield.writing import place
from brickfield.writing.place import local_path

WRITTEN_A_SECOND = 100e6
"""Bytes made, compressed and written a second; a guess on the slow side."""


@dataclass(frozen=True)
class Outlook:
    """What writing to a folder will take.

    Attributes
    ----------
    target : Path
    n_bytes : int
        Of all levels before compression: the most that is written.
    free_bytes : int
        On the target's disk.
    is_resumed : bool
        Whether an interrupted run left something there to go on with.
    refusal : str
        Why it cannot be written there, and what to do; empty when it can.
    """

    target: Path
    n_bytes: int = 0
    free_bytes: int = 0
    is_resumed: bool = False
    refusal: str = ""

    def seconds(self, read_a_second: float) -> float:
        """Guess how long it takes when source bytes come so fast."""
        return self.n_bytes / max(read_a_second, 1.0) + self.n_bytes / WRITTEN_A_SECOND


def look_ahead(source: ChunkSource, dst: str | Path) -> Outlook:
    """Tell what writing a pyramid of a source to a folder will take.

    Parameters
    ----------
    source : ChunkSource
    dst : str or Path

    Returns
    -------
    Outlook
        With the reason where it cannot be written there.
    """
    try:
        target = local_path(dst).absolute()
        task = plan_task(source, None, target, PyramidOptions())
        task.check_target(source)
    except BrickfieldError as error:
        return Outlook(Path(str(dst)), refusal=str(error))
    itemsize = source.info.pyramid.dtype.itemsize
    n_bytes = sum(prod(level.shape) for level in task.plans) * itemsize
    free, is_resumed = _free_bytes(target), place.has_journal(target)
    refusal = _refusal(target, n_bytes, free, is_resumed=is_resumed)
    return Outlook(target, n_bytes, free, is_resumed, refusal)


def _refusal(target: Path, n_bytes: int, free: int, *, is_resumed: bool) -> str:
    is_taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if is_taken and not is_resumed:
        return f"expected a new folder; something is at {target.name} already: name another"
    if n_bytes > free:
        return (
            f"expected {format_bytes(n_bytes)} of free space at most; found"
            f" {format_bytes(free)}: choose a folder on another disk"
        )
    return ""


def _free_bytes(target: Path) -> int:
    return shutil.disk_usage(_first_there(target)).free


def _first_there(target: Path) -> Path:
    """Return the folder that a new one would be made in."""
    return next(p for p in (target, *target.parents) if p.is_dir())
