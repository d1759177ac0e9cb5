"""An image of any size whose voxels are computed when they are read.

Nothing is stored, so 10 TB or a million voxels along an axis cost nothing to
make. The voxels of every level follow from the world position of their centres
alone, so that levels agree with each other, and a test can compute what it
expects of any box with :meth:`VirtualSource.voxels`.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from brickfield.model import (
    Axis,
    Channel,
    ImageInfo,
    Int3,
    Pyramid,
    ScaleLevel,
    choose_chunk_shape,
)
from brickfield.sources import StorageChunk

Fault = Callable[[int, tuple[int, ...], int], None]
"""Level, index and number of the attempt (from 1); raises what shall go wrong."""


@dataclass(frozen=True)
class VirtualImage:
    """What a :class:`VirtualSource` pretends to be.

    Attributes
    ----------
    shape : tuple of int
        Voxels (z, y, x) of level 0.
    n_levels : int or None
        None halves until a level fits in one storage chunk.
    storage_chunk : tuple of int
        Voxels (z, y, x) of a storage chunk, all levels.
    dtype : str
        Voxels run from 1 to 250 in every type.
    n_channels, n_times : int
        0 leaves the axis out.
    is_hollow : bool
        Data only in an ellipsoid's shell, 4 % of the box; else everywhere.
    """

    shape: Int3
    n_levels: int | None = None
    storage_chunk: Int3 = (64, 64, 64)
    dtype: str = "u1"
    n_channels: int = 0
    n_times: int = 0
    is_hollow: bool = True


_SHELL = (0.80, 0.84)
_SWING = 83


class VirtualSource:
    """A source of computed voxels. All methods may be called from any thread.

    Parameters
    ----------
    image : VirtualImage
    delay_s : float
        Every read takes that much longer.
    fault : callable or None
        Called before each read; what it raises is what the read ends with.
    concurrency : int

    Attributes
    ----------
    reads : Counter
        How often each (level, index) was read.
    """

    def __init__(
        self,
        image: VirtualImage,
        *,
        delay_s: float = 0.0,
        fault: Fault | None = None,
        concurrency: int = 4,
    ) -> None:
        self.image = image
        self.info = _info(image)
        self.source_id = f"virtual-{uuid.uuid4()}"
        self.concurrency = concurrency
        self.is_remote = delay_s > 0
        self.reads: Counter[tuple[int, tuple[int, ...]]] = Counter()
        self._delay_s = delay_s
        self._fault = fault
        self._lock = threading.Lock()

    def read_storage_chunk(self, level: int, index: tuple[int, ...]) -> StorageChunk:
        """Compute one storage chunk.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        with self._lock:
            self.reads[level, index] += 1
            attempt = self.reads[level, index]
        if self._delay_s:
            time.sleep(self._delay_s)
        if self._fault is not None:
            self._fault(level, index, attempt)
        missing = self.missing_chunks(level, np.array([index], dtype=np.int64))
        if missing is not None and missing[0]:
            return StorageChunk(None, 0)
        n = len(index) - 3
        origin, shape = self._box(level, index[n:])
        data = self.voxels(level, origin, shape, index[:n])
        return StorageChunk(data[(None,) * n], data.nbytes)

    def voxels(
        self, level: int, origin: Int3, shape: Int3, selection: tuple[int, ...] = ()
    ) -> NDArray[np.generic]:
        """Compute any box of a level.

        Parameters
        ----------
        level : int
        origin : Int3
            First voxel (z, y, x).
        shape : Int3
            Voxels (z, y, x).
        selection : tuple of int
            Index on every non-spatial axis.

        Returns
        -------
        ndarray, shape `shape`
        """
        scale = np.array(self.info.pyramid.levels[level].voxel_size_zyx)
        axes = [
            (np.arange(o, o + n) + 0.5) * s
            for o, n, s in zip(origin, shape, scale, strict=True)
        ]
        step = 7 * sum(selection)
        waves = [
            (_SWING * np.abs((p / e * 11 + step / 50 + 0.3) % 2 - 1)).astype(np.uint8)
            for p, e in zip(axes, self.image.shape, strict=True)
        ]
        z, y, x = np.ix_(*waves)
        data = z + y + x + np.uint8(1)
        if self.image.is_hollow:
            data[~_is_inside(axes, self.image.shape)] = 0
        found: NDArray[np.generic] = data.astype(self.image.dtype, copy=False)
        return found

    def _box(self, level: int, index: tuple[int, ...]) -> tuple[Int3, Int3]:
        about = self.info.pyramid.levels[level]
        z, y, x = (
            (i * c, min(c, n - i * c))
            for i, c, n in zip(
                index, self.image.storage_chunk, about.shape_zyx, strict=True
            )
        )
        return (z[0], y[0], x[0]), (z[1], y[1], x[1])

    def storage_key(self, level: int, index: tuple[int, ...]) -> str:
        """Name a storage chunk as zarr would.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        return f"{level}/c/{'/'.join(map(str, index))}"

    def stored_bytes(self, level: int, index: tuple[int, ...]) -> int:
        """Return the bytes of one storage chunk, 0 where there is nothing.

        Parameters
        ----------
        level : int
        index : tuple of int
            Position in the storage grid, all axes.
        """
        missing = self.missing_chunks(level, np.array([index], dtype=np.int64))
        if missing is not None and missing[0]:
            return 0
        _, shape = self._box(level, index[-3:])
        return int(np.prod(shape)) * np.dtype(self.image.dtype).itemsize

    def missing_chunks(
        self, level: int, indices: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Tell which storage chunks are beside the shell.

        Parameters
        ----------
        level : int
        indices : ndarray, shape (n, ndim), int64
            Positions in the storage grid.

        Returns
        -------
        ndarray, shape (n,), bool, or None
            None if the image is dense.
        """
        if not self.image.is_hollow:
            return None
        about = self.info.pyramid.levels[level]
        chunk = np.array(self.image.storage_chunk) * np.array(about.voxel_size_zyx)
        extent = np.array(self.image.shape, dtype=np.float64)
        low = indices[:, -3:] * chunk / extent * 2 - 1
        high = np.minimum((indices[:, -3:] + 1) * chunk / extent, 1) * 2 - 1
        nearest = np.maximum(np.maximum(low, -high), 0)
        farthest = np.maximum(np.abs(low), np.abs(high))
        inner = np.sqrt((nearest**2).sum(axis=1))
        outer = np.sqrt((farthest**2).sum(axis=1))
        missing: NDArray[np.bool_] = (inner > _SHELL[1]) | (outer < _SHELL[0])
        return missing

    def places(self) -> tuple[Path | str, ...]:
        """Nothing on disk is read."""
        return ()

    def close(self) -> None:
        """Nothing is open."""


def _is_inside(axes: list[NDArray[np.float64]], extent: Int3) -> NDArray[np.bool_]:
    squares = [
        ((p / e * 2 - 1) ** 2).astype(np.float32)
        for p, e in zip(axes, extent, strict=True)
    ]
    z, y, x = np.ix_(*squares)
    radius = z + y + x
    inside: NDArray[np.bool_] = (radius >= _SHELL[0] ** 2) & (radius <= _SHELL[1] ** 2)
    return inside


def _info(image: VirtualImage) -> ImageInfo:
    extra = [("t", "time", image.n_times), ("c", "channel", image.n_channels)]
    extra = [e for e in extra if e[2]]
    axes = (
        *(Axis(name, kind) for name, kind, _ in extra),  # type: ignore[arg-type]
        Axis("z", unit="micrometer"),
        Axis("y", unit="micrometer"),
        Axis("x", unit="micrometer"),
    )
    lead, ones = tuple(n for _, _, n in extra), (1,) * len(extra)
    levels: list[ScaleLevel] = []
    while True:
        factor = 1 << len(levels)
        z, y, x = (ceil(n / factor) for n in image.shape)
        levels.append(
            ScaleLevel(
                path=str(len(levels)),
                shape=(*lead, z, y, x),
                dtype=np.dtype(image.dtype),
                storage_chunk_shape=(*ones, *image.storage_chunk),
                voxel_size=(*(1.0 for _ in ones), *(float(factor),) * 3),
                translation=(*(0.0 for _ in ones), *((factor - 1) / 2,) * 3),
                spatial_axes=(len(ones), len(ones) + 1, len(ones) + 2),
                chunk_shape=choose_chunk_shape((z, y, x), image.storage_chunk),
            )
        )
        is_small = all(
            n <= c for n, c in zip((z, y, x), image.storage_chunk, strict=True)
        )
        if is_small if image.n_levels is None else len(levels) == image.n_levels:
            break
    channels = tuple(
        Channel(str(i), window=(0.0, 250.0)) for i in range(max(1, image.n_channels))
    )
    return ImageInfo(
        uri="virtual:",
        format="virtual",
        name="virtual",
        pyramid=Pyramid(axes, tuple(levels)),
        channels=channels,
    )
