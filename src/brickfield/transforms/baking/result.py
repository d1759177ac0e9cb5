"""What baking came to, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brickfield.blockwise import BlockFailure
from brickfield.transforms.operations.convention import Matrix
from brickfield.writing.level_plans import LevelPlan


@dataclass(frozen=True)
class BakeResult:
    """What was written.

    Attributes
    ----------
    path : str
        The store.
    version : str
        Of OME-Zarr.
    matrix : ndarray, shape (4, 4)
        From voxels of the source's level to voxels of the image that was written,
        columns (z, y, x, 1).
    levels : tuple of LevelPlan
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
    matrix: Matrix
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
        return {
            "path": self.path,
            "version": self.version,
            "complete": self.is_complete,
            "blocks": {
                "total": self.n_blocks,
                "written": self.n_written,
                "resumed": self.n_resumed,
            },
            "matrix": np.asarray(self.matrix).tolist(),
            "levels": [
                {
                    "path": lv.path,
                    "shape": list(lv.shape),
                    "voxel_size": list(lv.voxel_size),
                    "translation": list(lv.translation),
                }
                for lv in self.levels
            ],
            "bytes_written": self.bytes_written,
            "failures": [
                {
                    "level": f.job.partition(":")[0],
                    "block": list(f.index),
                    "reason": f.reason,
                }
                for f in self.failures
            ],
            "seconds": self.seconds,
            "notes": list(self.notes),
        }
