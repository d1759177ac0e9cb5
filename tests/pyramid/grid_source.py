"""A source in memory with a storage grid, holes and faults, for these tests."""

from __future__ import annotations

import numpy as np

from brickfield.errors import ChunkReadError
from brickfield.model import Axis, Channel, ImageInfo, Pyramid, ScaleLevel
from brickfield.sources import StorageChunk

KINDS = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}


class GridSource:
    """One level. Counts reads; chunks in `missing` and `broken` are not there."""

    concurrency = 4
    is_remote = False

    def __init__(
        self,
        array,
        axes="zyx",
        *,
        chunk=None,
        size=None,
        shift=None,
        missing=(),
        broken=(),
        **info,
    ):
        self.array, self.missing, self.broken = array, set(missing), set(broken)
        self.reads = []
        self.source_id = "grid"
        n = array.ndim
        spatial = tuple(axes.find(a) for a in "zyx")
        level = ScaleLevel(
            "0",
            array.shape,
            array.dtype,
            chunk or tuple(min(16, s) for s in array.shape),
            size or (1.0,) * n,
            shift or (0.0,) * n,
            spatial,
            (16, 16, 16),
            info.pop("fill_value", 0),
        )
        named = tuple(
            Axis(a, KINDS[a], "micrometer" if KINDS[a] == "space" else None)
            for a in axes
        )
        channels = info.pop("channels", None) or tuple(
            Channel(str(i))
            for i in range(array.shape[axes.find("c")] if "c" in axes else 1)
        )
        self.info = ImageInfo(
            "memory:grid", "grid", "grid", Pyramid(named, (level,)), channels, **info
        )

    def read_storage_chunk(self, level, index):
        self.reads.append(index)
        if index in self.broken:
            raise ChunkReadError(f"chunk {index} is corrupt")
        if index in self.missing:
            return StorageChunk(None, 0)
        chunk = self.info.pyramid.levels[0].storage_chunk_shape
        region = tuple(
            slice(i * c, (i + 1) * c) for i, c in zip(index, chunk, strict=True)
        )
        data = self.array[region]
        return StorageChunk(data, data.nbytes)

    def storage_key(self, level, index):
        return "/".join(map(str, index))

    def stored_bytes(self, level, index):
        return None

    def missing_chunks(self, level, indices):
        return np.array([tuple(i) in self.missing for i in indices.tolist()])

    def close(self):
        pass
