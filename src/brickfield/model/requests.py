"""What is asked of the loading storey and what comes back, as values.

A request names chunks by packed key (see :mod:`brickfield.model.chunks`), most
wanted first. Everything that can happen to a chunk is a value: loaded, missing
(nothing is stored, the fill value stands for it), failed (with a reason), or
still on its way. Missing is not failed, and failed is not zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np
from numpy.typing import NDArray

from brickfield.model.chunks import ChunkId, ChunkKey, ChunkMetadata, Selection


class Category(IntEnum):
    """Order of loading; a smaller category always goes first."""

    BASE = 0
    """The coarse level that is always kept."""
    VISIBLE = 1
    """Seen now."""
    PREFETCH = 2
    """Likely next; never delays what is seen."""


class ChunkState(Enum):
    """How a chunk ended."""

    LOADED = "loaded"
    MISSING = "missing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ChunkFailure:
    """Why one chunk could not be read.

    Attributes
    ----------
    chunk_id : ChunkId
    key : str
        Storage chunk's name in its store, for example ``"0/c/0/1/2"``.
    reason : str
        One sentence for the user.
    is_transient : bool
        Whether asking again can help.
    """

    chunk_id: ChunkId
    key: str
    reason: str
    is_transient: bool = False


@dataclass(frozen=True, slots=True)
class LoadedChunk:
    """A chunk that reached its end: loaded, missing or failed.

    Attributes
    ----------
    key : int
        Packed level and grid index.
    selection : tuple of int
        Index on every non-spatial axis.
    state : ChunkState
    data : ndarray or None
        Voxels (z, y, x) in native byte order, C-contiguous, at most the level's
        chunk shape (less at the far edges); None unless loaded.
    minimum, maximum : float
        Range of the voxels, NaN left out; the fill value when missing; NaN when
        every voxel is NaN or the chunk failed.
    failure : ChunkFailure or None
    """

    key: ChunkKey
    selection: Selection
    state: ChunkState
    data: NDArray[np.generic] | None = None
    minimum: float = float("nan")
    maximum: float = float("nan")
    failure: ChunkFailure | None = None

    @property
    def chunk_id(self) -> ChunkId:
        """The name for people."""
        return ChunkId.from_key(self.key, self.selection)


@dataclass(frozen=True, eq=False)
class ChunkedDataRequest:
    """The chunks of one selection that one visual wants.

    Attributes
    ----------
    visual_id : str
        Who asks; a later request of the same visual replaces the earlier ones.
    selection : tuple of int
        Index on every non-spatial axis.
    keys : ndarray, shape (n,), int64
        Packed chunk keys, most wanted first.
    priorities : ndarray, shape (n,), float32
        Smaller is wanted sooner (compared within a category).
    categories : ndarray, shape (n,), uint8
        :class:`Category` of every chunk.
    data_version : int
        Version of the layer's data that was asked for.
    """

    visual_id: str
    selection: Selection
    keys: NDArray[np.int64]
    priorities: NDArray[np.float32]
    categories: NDArray[np.uint8]
    data_version: int = 0


@dataclass(frozen=True, slots=True)
class LoadingStatus:
    """Progress of one visual.

    Attributes
    ----------
    wanted, loaded, missing, failed, cancelled : int
        Chunks of the present session (cancelled: dropped before they were read).
    in_flight : int
        Storage chunks being read now.
    bytes_loaded : int
        Decoded bytes delivered.
    rate : float
        Decoded bytes a second, lately.
    seconds_left : float or None
        Estimate, None while unknown.
    """

    wanted: int = 0
    loaded: int = 0
    missing: int = 0
    failed: int = 0
    cancelled: int = 0
    in_flight: int = 0
    bytes_loaded: int = 0
    rate: float = 0.0
    seconds_left: float | None = None

    @property
    def done(self) -> int:
        """Chunks that reached their end."""
        return self.loaded + self.missing + self.failed

    @property
    def waiting(self) -> int:
        """Chunks still on their way."""
        return max(0, self.wanted - self.done)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is on its way."""
        return self.waiting == 0

    @property
    def percent(self) -> float:
        """Share done, 0 to 100; 100 when nothing is wanted."""
        return 100.0 * self.done / self.wanted if self.wanted else 100.0


@dataclass(frozen=True, slots=True)
class ChunkedDataResponse:
    """Answer to a request: what is at hand now, and what is on its way.

    Attributes
    ----------
    chunk_data : list of ndarray
        Voxels (z, y, x) of every chunk at hand.
    chunk_metadata : list of ChunkMetadata
        One for each of `chunk_data`.
    loading_status : LoadingStatus
    missing_chunks : list of ChunkId
        Not at hand: still on their way.
    failures : list of ChunkFailure
    """

    chunk_data: list[NDArray[np.generic]]
    chunk_metadata: list[ChunkMetadata]
    loading_status: LoadingStatus
    missing_chunks: list[ChunkId]
    failures: list[ChunkFailure] = field(default_factory=list)
