"""What writing an image came to, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brickfield.blockwise import BlockFailure
from brickfield.writing.level_plans import LevelPlan


@dataclass(frozen=True)
class WriteResult:
    """What was written.

    Attributes
    ----------
    path : str
        The store.
    version : str
        Of OME-Zarr.
    levels : tuple of LevelPlan
        Levels that this call was to write, the finest first.
    n_blocks, n_written, n_resumed : int
        Blocks in all, worked on now, done by an interrupted run.
    bytes_written : int
        Now, before compression.
    failures : tuple of BlockFailure
        Blocks that could not be made, with reasons.
    is_complete : bool
        Whether the store is whole and published.
    seconds : float
    notes : tuple of str
        What the user should know, one sentence each.
    """

    path: str
    version: str
    levels: tuple[LevelPlan, ...]
    n_blocks: int
    n_written: int
    n_resumed: int
    bytes_written: int
    failures: tuple[BlockFailure, ...]
    is_complete: bool
    seconds: float
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the result in plain JSON values."""
        levels = [
            {
                "path": lv.path,
                "shape": list(lv.shape),
                "chunk_shape": list(lv.chunk_shape),
                "voxel_size": list(lv.voxel_size),
                "translation": list(lv.translation),
                "factors": list(lv.factors),
            }
            for lv in self.levels
        ]
        failures = [
            {
                "level": f.job.partition(":")[0],
                "block": list(f.index),
                "reason": f.reason,
            }
            for f in self.failures
        ]
        return {
            "path": self.path,
            "version": self.version,
            "complete": self.is_complete,
            "levels": levels,
            "blocks": {
                "total": self.n_blocks,
                "written": self.n_written,
                "resumed": self.n_resumed,
            },
            "bytes_written": self.bytes_written,
            "failures": failures,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }
