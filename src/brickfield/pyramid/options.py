"""What a user may choose for a pyramid, checked at the border."""

from __future__ import annotations

from dataclasses import dataclass

from brickfield.blockwise import parse_bytes
from brickfield.errors import OptionError
from brickfield.model import Int3
from brickfield.writing import (
    COMPRESSORS,
    IMAGE_VERSIONS,
    LevelOptions,
    Method,
    Triple,
    check_known,
    parse_triple,
)

METHODS = ("mean", "mode")


@dataclass(frozen=True)
class PyramidOptions:
    """How a pyramid is written.

    Attributes
    ----------
    version : {"0.6", "0.5", "0.4"}, optional
        Of OME-Zarr: 0.5 (zarr v3) for a new store if not given, that of the
        store when levels are added to one. 0.6 alone holds what turns, shears or
        mirrors an image.
    factors : "auto" or up to three int
        Voxels (z, y, x) of a level joined into one of the next. "auto" halves
        the axes whose voxels are at most 1.5 times the smallest.
    chunk_shape : int or three int
        Storage chunk (z, y, x), voxels; 1 along time and channels.
    shard_shape : int or three int, optional
        Shard (z, y, x), voxels, a multiple of the chunk; not in version 0.4.
    compressor : {"zstd", "blosc", "none"}
    method : {"mean", "mode"}, optional
        Mode for labels, mean otherwise, if not given.
    levels : int, optional
        Levels in all; until the coarsest fits in one chunk (64 to 128 voxels
        along each axis) if not given.
    scheduler : str, optional
        None or "threads", "inline", or a dask scheduler "tcp://host:port".
    budget : str or int
        Memory for all blocks held at once (for each worker of a cluster).
    workers : int, optional
        Threads that work on blocks, and as many that encode chunks.
    overwrite : bool
        Replace what is in the way.
    resume : bool
        Resume an interrupted run; start over if False.
    skip_failed : bool
        Leave chunks that cannot be read at the fill value and finish.
    """

    version: str | None = None
    factors: Triple = "auto"
    chunk_shape: Triple = 64
    shard_shape: Triple | None = None
    compressor: str = "zstd"
    method: Method | None = None
    levels: int | None = None
    scheduler: str | None = None
    budget: str | int = "1 GiB"
    workers: int | None = None
    overwrite: bool = False
    resume: bool = True
    skip_failed: bool = False

    def __post_init__(self) -> None:
        check_known("version", self.version, (None, *IMAGE_VERSIONS))
        check_known("compressor", self.compressor, COMPRESSORS)
        check_known("method", self.method, (None, *METHODS))
        if self.levels is not None and self.levels < 1:
            msg = f"expected at least 1 level; found {self.levels}"
            raise OptionError(msg)
        if self.workers is not None and self.workers < 1:
            msg = f"expected at least 1 worker; found {self.workers}"
            raise OptionError(msg)
        if self.fixed_factors is not None and max(self.fixed_factors) < 2:
            msg = f"expected a factor above 1 along some axis; found {self.factors!r}"
            raise OptionError(msg)
        chunk, shard = self.chunk_zyx, self.shard_zyx
        if shard and any(s % c for s, c in zip(shard, chunk, strict=True)):
            msg = (
                f"expected a shard that is a multiple of the chunk {chunk};"
                f" found {shard}"
            )
            raise OptionError(msg)
        if shard and self.version == "0.4":
            msg = "expected no shards in OME-Zarr 0.4; found some: use version 0.5"
            raise OptionError(msg)
        parse_bytes(self.budget)

    @property
    def chunk_zyx(self) -> Int3:
        """Storage chunk (z, y, x)."""
        return parse_triple("chunk shape", self.chunk_shape)

    @property
    def shard_zyx(self) -> Int3 | None:
        """Shard (z, y, x), None without shards."""
        if self.shard_shape is None:
            return None
        return parse_triple("shard shape", self.shard_shape)

    @property
    def fixed_factors(self) -> Int3 | None:
        """Factors (z, y, x), None for "auto"."""
        if self.factors == "auto":
            return None
        return parse_triple("factors", self.factors)

    @property
    def level_options(self) -> LevelOptions:
        """Chunks, shards and factors."""
        return LevelOptions(self.chunk_zyx, self.shard_zyx, self.fixed_factors)

    @property
    def budget_bytes(self) -> int:
        """Budget in bytes."""
        return parse_bytes(self.budget)
