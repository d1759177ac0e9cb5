"""What is measured: an image that is made for it, or one that the user has.

Tests on voxels take an array in memory. Those that read, write and draw take an image
on disk, or the one that was given; of that, voxels in its middle.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.errors import OptionError
from brickfield.model import Int3, ScaleLevel
from brickfield.sources import ChunkSource, from_arrays, open_source

MOST_VOXELS = 300**3
"""Of a given image that tests on voxels take."""
CHUNK = 64
"""Edge of a storage chunk of the image that is made."""


@dataclass(frozen=True)
class Box:
    """Voxels of one level of a source, one time point and channel.

    Attributes
    ----------
    level : int
    start, size : tuple of int
        First voxel and voxels (z, y, x).
    """

    level: int
    start: Int3
    size: Int3


class Subject:
    """An image of which `size` voxels are measured.

    Parameters
    ----------
    source : ChunkSource or None
        Measured on; an image of noise and structure is made if None.
    size : int or None
        Edge of a cube in its middle, cut where it is shorter; None for all of the
        finest level that has at most :data:`MOST_VOXELS`, or that many in the middle.
    folder : Path
        Empty; for what is made.
    """

    def __init__(
        self, source: ChunkSource | None, size: int | None, folder: Path
    ) -> None:
        self._given = source
        self._folder = folder
        self._opened = ExitStack()
        if source is None:
            n = size or 100
            self.box = Box(0, (0, 0, 0), (n, n, n))
        else:
            self.box = _middle(source, size)

    @cached_property
    def volume(self) -> NDArray[Any]:
        """The voxels, shape (z, y, x)."""
        if self._given is None:
            return sample_volume(self.box.size)
        return _read(self._given, self.box)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of the voxels."""
        if self._given is None:
            return np.dtype(np.uint16)
        return np.dtype(self._given.info.pyramid.dtype).newbyteorder("=")

    @cached_property
    def source(self) -> ChunkSource:
        """The image that is read and drawn, written first when it is made."""
        if self._given is not None:
            return self._given
        from brickfield.pyramid import write_pyramid

        path = self._folder / f"{self.box.size[0]}.ome.zarr"
        write_pyramid(
            from_arrays(self.volume, axes="zyx"),
            path,
            chunk_shape=CHUNK,
            overwrite=True,
        )
        source = open_source(str(path))
        self._opened.callback(source.close)
        return source

    @property
    def level(self) -> ScaleLevel:
        """The level that is read."""
        return self.source.info.pyramid.levels[self.box.level]

    @property
    def chunk_zyx(self) -> Int3:
        """Storage chunk (z, y, x) of the image."""
        return self.level.storage_chunk_zyx

    def chunks(self) -> list[tuple[int, ...]]:
        """Return the storage chunks that hold the voxels."""
        return _chunks(self.source, self.box)

    def new_folder(self, name: str) -> Path:
        """Return a place where nothing is, for a test that writes."""
        return self._folder / name

    def close(self) -> None:
        """Give files back."""
        self._opened.close()


def _first_channel(storage: Any) -> Any:
    ids = list(storage.channel_ids)
    if not ids:
        msg = "expected a voxel storage with a channel to measure on; found none in it"
        raise OptionError(msg)
    return storage.channel(ids[0])


def as_source(given: Any, opened: ExitStack) -> ChunkSource | None:
    """Return the source of an address, store, layer, array or voxel storage.

    Parameters
    ----------
    given : str, Path, ChunkSource, store, layer, array, voxel storage or None
        Or anything that has one of these as ``source``, ``store`` or ``data``. Of a
        voxel storage (``channel_ids``, ``channel(id)``) the first channel is taken.
    opened : ExitStack
        Closes what is opened here.

    Raises
    ------
    OptionError
        When it holds no voxels.
    """
    if given is None:
        return None
    if hasattr(given, "read_storage_chunk") and hasattr(given, "info"):
        found: ChunkSource = given
        return found
    for name in ("source", "store"):
        inner = getattr(given, name, None)
        if hasattr(inner, "read_storage_chunk") or hasattr(inner, "source"):
            return as_source(inner, opened)
    if hasattr(given, "channel_ids") and callable(getattr(given, "channel", None)):
        return as_source(_first_channel(given), opened)
    is_address = isinstance(given, str | PathLike)
    if not is_address and not hasattr(given, "__getitem__"):
        data = getattr(given, "data", None)
        if data is not None:
            return as_source(data, opened)
        msg = (
            "expected a store, a layer, an array or an address to measure on; found"
            f" {type(given).__name__}"
        )
        raise OptionError(msg)
    source = open_source(str(given) if is_address else given)
    opened.callback(source.close)
    return source


def sample_volume(size: Int3) -> NDArray[np.uint16]:
    """Make structure with the noise of photons, always the same.

    Parameters
    ----------
    size : tuple of int
        Voxels (z, y, x).

    Returns
    -------
    ndarray, shape `size`, uint16
    """
    z, y, x = (np.arange(n, dtype=np.float32) for n in size)
    waves = (
        np.sin(z / 11)[:, None, None]
        * np.cos(y / 17)[None, :, None]
        * np.sin(x / 13 + 1)[None, None, :]
    )
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 60, size, np.uint16)
    found: NDArray[np.uint16] = (300 + 250 * waves).astype(np.uint16) + noise
    return found


def _middle(source: ChunkSource, size: int | None) -> Box:
    levels = source.info.pyramid.levels
    if size is not None:
        return _cube(0, levels[0].shape_zyx, size)
    for number, level in enumerate(levels):
        if prod(level.shape_zyx) <= MOST_VOXELS:
            return Box(number, (0, 0, 0), level.shape_zyx)
    return _cube(len(levels) - 1, levels[-1].shape_zyx, round(MOST_VOXELS ** (1 / 3)))


def _cube(level: int, shape: Int3, edge: int) -> Box:
    z, y, x = (min(n, edge) for n in shape)
    a, b, c = ((n - m) // 2 for n, m in zip(shape, (z, y, x), strict=True))
    return Box(level, (a, b, c), (z, y, x))


def _stored_region(source: ChunkSource, box: Box) -> tuple[slice, ...]:
    level = source.info.pyramid.levels[box.level]
    region = [slice(0, 1)] * len(level.shape)
    for axis, start, n in zip(level.spatial_axes, box.start, box.size, strict=True):
        if axis >= 0:
            region[axis] = slice(start, start + n)
    return tuple(region)


def _chunks(source: ChunkSource, box: Box) -> list[tuple[int, ...]]:
    from brickfield.blockwise import BlockGrid

    level = source.info.pyramid.levels[box.level]
    grid = BlockGrid(level.shape, level.storage_chunk_shape)
    return [b.index for b in grid.overlapping(_stored_region(source, box))]


def _read(source: ChunkSource, box: Box) -> NDArray[Any]:
    from brickfield.blockwise import BlockGrid, intersect, shift

    level = source.info.pyramid.levels[box.level]
    region = _stored_region(source, box)
    grid = BlockGrid(level.shape, level.storage_chunk_shape)
    dtype = np.dtype(level.dtype).newbyteorder("=")
    out = np.full([s.stop - s.start for s in region], level.fill_value, dtype)
    origin = tuple(s.start for s in region)
    for block in grid.overlapping(region):
        data = source.read_storage_chunk(box.level, block.index).data
        if data is not None:
            common = intersect(block.slices, region)
            out[shift(common, origin)] = data[shift(common, block.start)]
    spatial = [a for a in level.spatial_axes if a >= 0]
    others = [a for a in range(out.ndim) if a not in spatial]
    turned = out.transpose([*others, *spatial])
    return np.ascontiguousarray(turned.reshape(box.size))
