"""Requests for chunks and the responses to them, as values.

A request names chunks by packed key (see :mod:`brickfield.model.chunks`), most
wanted first. Everything that can happen to a chunk is a value: loaded, missing
(nothing is stored, the fill value stands for it), failed (with a reason), or
still on its way. Missing is not failed, and failed is not zero. A chunk made of
several storage chunks of which some could not be read is loaded with *holes*: its
other voxels are as good as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum, IntEnum

import numpy as np
from numpy.typing import NDArray

from brickfield.model.chunks import ChunkId, ChunkKey, ChunkMetadata, Selection
from brickfield.model.scales import Int3
from brickfield.model.secrets import hide_secrets

__all__ = [
    "Category",
    "ChunkFailure",
    "ChunkState",
    "ChunkedDataRequest",
    "ChunkedDataResponse",
    "Hole",
    "LoadedChunk",
    "LoadingStatus",
    "distinct",
]


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
    storage_index : tuple of int
        Storage chunk's position in the storage grid of its level, all axes.
    """

    chunk_id: ChunkId
    key: str
    reason: str
    is_transient: bool = False
    storage_index: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Mask secrets of addresses."""
        object.__setattr__(self, "key", hide_secrets(self.key))
        object.__setattr__(self, "reason", hide_secrets(self.reason))


@dataclass(frozen=True, slots=True)
class Hole:
    """A box of a chunk whose storage chunk could not be read.

    Attributes
    ----------
    low, high : tuple of int
        First voxel and the one past the last, (z, y, x), within the chunk.
    failure : ChunkFailure
    """

    low: Int3
    high: Int3
    failure: ChunkFailure

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The hole as slices of the chunk's voxels."""
        (z, y, x), (d, h, w) = self.low, self.high
        return slice(z, d), slice(y, h), slice(x, w)


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
        chunk shape (less at the far edges); None unless loaded. In its holes the
        fill value, or what coarser data say.
    minimum, maximum : float
        Range of the voxels, NaN and holes left out; the fill value when missing; NaN
        when every voxel is NaN or the chunk failed.
    failure : ChunkFailure or None
        The first of :attr:`failures`.
    holes : tuple of Hole
        One for each storage chunk that could not be read; all of a failed chunk.
    """

    key: ChunkKey
    selection: Selection
    state: ChunkState
    data: NDArray[np.generic] | None = None
    minimum: float = float("nan")
    maximum: float = float("nan")
    failure: ChunkFailure | None = None
    holes: tuple[Hole, ...] = ()

    @property
    def chunk_id(self) -> ChunkId:
        """The name for people."""
        return ChunkId.from_key(self.key, self.selection)

    @property
    def failures(self) -> tuple[ChunkFailure, ...]:
        """Why storage chunks of it could not be read, one for each."""
        if self.holes:
            return tuple(hole.failure for hole in self.holes)
        return () if self.failure is None else (self.failure,)

    @property
    def is_whole(self) -> bool:
        """Whether every voxel is what the store says."""
        return self.state is not ChunkState.FAILED and not self.holes

    def is_known(self) -> NDArray[np.bool_]:
        """Tell which voxels lie in no hole, shape of :attr:`data`."""
        assert self.data is not None
        is_known = np.ones(self.data.shape, np.bool_)
        for hole in self.holes:
            is_known[hole.box] = False
        return is_known

    def known_voxels(self) -> NDArray[np.generic]:
        """Return the voxels outside the holes, shape (n,); none without data."""
        if self.data is None:
            return np.empty(0)
        return self.data[self.is_known()] if self.holes else self.data.ravel()


def distinct(failures: Iterable[ChunkFailure]) -> list[ChunkFailure]:
    """Leave one failure of each storage chunk, however many chunks it lies under."""
    return list({(f.chunk_id.scale_level, f.key): f for f in failures}.values())


@dataclass(frozen=True, eq=False)
class ChunkedDataRequest:
    """The chunks of one selection that one visual requests.

    Attributes
    ----------
    visual_id : str
        Id of the visual that requests; a later request of the same visual replaces the earlier ones.
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
    """Response to a request: what is loaded, and what is still being loaded.

    Attributes
    ----------
    chunk_data : list of ndarray
        Voxels (z, y, x) of every loaded chunk.
    chunk_metadata : list of ChunkMetadata
        One for each of `chunk_data`.
    loading_status : LoadingStatus
    missing_chunks : list of ChunkId
        Not loaded: still on their way.
    failures : list of ChunkFailure
    """

    chunk_data: list[NDArray[np.generic]]
    chunk_metadata: list[ChunkMetadata]
    loading_status: LoadingStatus
    missing_chunks: list[ChunkId]
    failures: list[ChunkFailure] = field(default_factory=list)
