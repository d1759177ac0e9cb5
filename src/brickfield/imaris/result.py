"""What an export came to, as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brickfield.imaris.planning.plan import PlannedLevel
from brickfield.imaris.reading.tile_reader import ReadFailure


@dataclass(frozen=True)
class ImarisResult:
    """What was written.

    Attributes
    ----------
    path : str
    shape : tuple of int
        Time points, channels, z, y, x.
    levels : tuple of PlannedLevel
    dtype : str
        Of the voxels in the file.
    changes : tuple of str
        How values were changed, a sentence for each changed channel.
    n_bytes : int
        Of the file.
    seconds : float
    is_complete : bool
        Whether the file is there and holds everything.
    n_resumed : int
        Time points times channels that an earlier run wrote.
    n_decoded : int
        Storage chunks of the source that were decoded.
    n_verified : int
        Chunks read back and compared.
    failures : tuple of ReadFailure
        What could not be read and was filled.
    notes : tuple of str
        What the user should know, one sentence each.
    """

    path: str
    shape: tuple[int, int, int, int, int]
    levels: tuple[PlannedLevel, ...]
    dtype: str
    changes: tuple[str, ...]
    n_bytes: int
    seconds: float
    is_complete: bool
    n_resumed: int = 0
    n_decoded: int = 0
    n_verified: int = 0
    failures: tuple[ReadFailure, ...] = ()
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the result in plain JSON values."""
        return {
            "path": self.path,
            "complete": self.is_complete,
            "shape": list(self.shape),
            "levels": [
                {"shape": list(lv.shape), "chunk_shape": list(lv.chunk_shape)}
                for lv in self.levels
            ],
            "dtype": self.dtype,
            "changes": list(self.changes),
            "bytes": self.n_bytes,
            "seconds": self.seconds,
            "resumed": self.n_resumed,
            "chunks_decoded": self.n_decoded,
            "chunks_verified": self.n_verified,
            "failures": [{"chunk": f.key, "reason": f.reason} for f in self.failures],
            "notes": list(self.notes),
        }
