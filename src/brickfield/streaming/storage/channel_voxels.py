"""One channel of a voxel storage: in memory, written to disk, or read from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from brickfield.blockwise import Slices
from brickfield.model import Int3, Vec3
from brickfield.sources import open_source
from brickfield.streaming.storage.joining import Joiner
from brickfield.streaming.writer import StreamWriter
from brickfield.writing import downsample_downsample as downsample

EDGE = 64
"""Storage chunk of a channel on disk, voxels."""


class LazyVoxels:
    """An array that is read when it is sliced.

    Parameters
    ----------
    shape : tuple of int
        (z, y, x).
    dtype : numpy.dtype
    read : callable
        Takes slices with start and stop, along z, y and x.
    """

    def __init__(
        self,
        shape: Int3,
        dtype: np.dtype[Any],
        read: Callable[[Slices], NDArray[Any]],
    ) -> None:
        self.shape = shape
        self.dtype = dtype
        self._read = read

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return 3

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        """Read a part: whole numbers, slices and ``...``, as numpy does."""
        keys = list(key) if isinstance(key, tuple) else [key]
        if any(k is Ellipsis for k in keys):
            at = next(i for i, k in enumerate(keys) if k is Ellipsis)
            keys[at : at + 1] = [slice(None)] * (4 - len(keys))
        keys += [slice(None)] * (3 - len(keys))
        picks = [
            range(n)[k] if isinstance(k, slice) else range(n)[k : k + 1 or None]
            for k, n in zip(keys, self.shape, strict=True)
        ]
        shape = tuple(len(p) for p in picks)
        if 0 in shape:
            found = np.empty(shape, self.dtype)
        else:
            box = tuple(slice(min(p), max(p) + 1) for p in picks)
            after = tuple(np.array(p) - min(p) for p in picks)
            found = self._read(box)[np.ix_(*after)]
        drop = tuple(slice(None) if isinstance(k, slice) else 0 for k in keys)
        return found[drop]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """Read everything."""
        return self[...].astype(dtype or self.dtype, copy=False)


class MemoryChannel:
    """Voxels in memory, and a small copy that is made of those that changed.

    Parameters
    ----------
    voxels : ndarray, shape (z, y, x)
        Written to.
    factor : tuple of int
        Voxels (z, y, x) joined into one of the small copy.
    """

    def __init__(self, voxels: NDArray[Any], factor: Int3) -> None:
        self._voxels = voxels
        self._factor = factor
        shape = [ceil(n / f) for n, f in zip(voxels.shape, factor, strict=True)]
        self._display = np.zeros(shape, voxels.dtype)
        self._joiner = Joiner()
        self._low: list[int] | None = [0] * 3
        self._high = list(voxels.shape)

    def write(self, start: Int3, block: NDArray[Any]) -> None:
        """Put a block at its place.

        Parameters
        ----------
        start : tuple of int
            First voxel (z, y, x).
        block : ndarray, shape (z, y, x)
        """
        region = tuple(slice(a, a + n) for a, n in zip(start, block.shape, strict=True))
        self._voxels[region] = block
        self._touch(start, [s.stop for s in region])

    def join(self, at: NDArray[np.int64], values: NDArray[Any], mode: str) -> None:
        """Put single voxels, joined with those that are there.

        Parameters
        ----------
        at : ndarray, shape (n, 3), int64
        values : ndarray, shape (n,)
        mode : str
        """
        self._joiner.join(self._voxels, (0, 0, 0), at, values, mode)
        self._touch(at.min(0).tolist(), (at.max(0) + 1).tolist())

    def _touch(self, low: Sequence[int], high: Sequence[int]) -> None:
        if self._low is None:
            self._low, self._high = list(low), list(high)
        self._low = [min(a, b) for a, b in zip(self._low, low, strict=True)]
        self._high = [max(a, b) for a, b in zip(self._high, high, strict=True)]

    def full(self) -> Any:
        """Return all voxels, a view that cannot be written to, shape (z, y, x)."""
        view = self._voxels.view()
        view.flags.writeable = False
        return view

    def display(self) -> NDArray[Any]:
        """Return the small copy, shape (z, y, x)."""
        if self._low is not None:
            cells = [
                slice(a // f, ceil(b / f))
                for a, b, f in zip(self._low, self._high, self._factor, strict=True)
            ]
            box = tuple(
                slice(c.start * f, c.stop * f)
                for c, f in zip(cells, self._factor, strict=True)
            )
            part = np.ascontiguousarray(self._voxels[box])
            self._display[tuple(cells)] = downsample(part, self._factor, "mean")
            self._low = None
        return self._display.copy()

    def flush(self) -> None:
        """Nothing is on disk."""

    def sync_display(self) -> None:
        """Nothing is on disk."""

    def close(self) -> None:
        """Nothing is on disk."""


class WrittenChannel:
    """Voxels that are written to disk as they come; level 1 is the small copy.

    Parameters
    ----------
    root : Path
        New folder of one image.
    shape : tuple of int
        (z, y, x).
    dtype : numpy.dtype
    geometry : tuple
        Voxel size and centre of the first voxel, world (z, y, x).
    factor : tuple of int
    name : str
        Of the channel.
    """

    def __init__(
        self,
        root: Path,
        shape: Int3,
        dtype: np.dtype[Any],
        geometry: tuple[Vec3, Vec3],
        factor: Int3,
        name: str,
    ) -> None:
        self._writer = StreamWriter(
            root,
            shape,
            "zyx",
            dtype,
            scale=geometry[0],
            translation=geometry[1],
            channels=[name],
            chunks=tuple(min(EDGE, n) for n in shape),
            levels=2 if max(factor) > 1 else 1,
            factors=factor,
            make_ready=False,
        )
        self._shape = shape
        self._factor = factor
        self._joiner = Joiner()

    def write(self, start: Int3, block: NDArray[Any]) -> None:
        """Put a block at its place.

        Parameters
        ----------
        start : tuple of int
            First voxel (z, y, x).
        block : ndarray, shape (z, y, x)
        """
        self._writer.write(start, block)

    def join(self, at: NDArray[np.int64], values: NDArray[Any], mode: str) -> None:
        """Put single voxels, joined with those that are there.

        Parameters
        ----------
        at : ndarray, shape (n, 3), int64
        values : ndarray, shape (n,)
        mode : str
        """
        for rows in _by_chunk(at):
            low, high = at[rows].min(0), at[rows].max(0) + 1
            region = tuple(
                slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)
            )

            def change(
                voxels: NDArray[Any], start: tuple[int, ...], rows: Any = rows
            ) -> None:
                inside = (
                    (at[rows] >= start) & (at[rows] < np.add(start, voxels.shape))
                ).all(1)
                here = rows[inside]
                self._joiner.join(voxels, start, at[here], values[here], mode)

            self._writer.modify(region, change)

    def full(self) -> LazyVoxels:
        """Return all voxels, read when they are sliced, shape (z, y, x)."""
        return LazyVoxels(self._shape, self._writer.dtype, self._writer.read)

    def display(self) -> NDArray[Any]:
        """Return the small copy, shape (z, y, x)."""
        self._writer.update_levels()
        level = 1 if max(self._factor) > 1 else 0
        shape = [ceil(n / f) for n, f in zip(self._shape, self._factor, strict=True)]
        return self._writer.read(tuple(slice(0, n) for n in shape), level)

    def flush(self) -> None:
        """Have on disk what came."""
        self._writer.flush()

    def sync_display(self) -> None:
        """Bring level 1 up to date."""
        self._writer.update_levels()

    def close(self) -> None:
        """Write what is in memory; voxels can still be read."""
        self._writer.close()


class StoredChannel:
    """A channel that was written before. It is read into memory to be changed.

    Parameters
    ----------
    root : Path
        Folder of one image.

    Attributes
    ----------
    shape : tuple of int
        (z, y, x).
    dtype : numpy.dtype
    voxel_size, origin : tuple of float
        World (z, y, x).
    factor : tuple of int
        Of level 1.
    name : str
    """

    def __init__(self, root: Path) -> None:
        self._source = open_source(root)
        info = self._source.info
        level = info.pyramid.levels[0]
        self.shape, self.dtype = level.shape_zyx, level.dtype.newbyteorder("=")
        self.voxel_size, self.origin = level.voxel_size_zyx, level.translation_zyx
        self.name = info.channels[0].name if info.channels else ""
        last = min(1, info.pyramid.n_levels - 1)
        z, y, x = np.rint(info.pyramid.downscale[last]).astype(int).tolist()
        self.factor: Int3 = (z, y, x)
        self._changed: MemoryChannel | None = None

    def _in_memory(self) -> MemoryChannel:
        if self._changed is None:
            self._changed = MemoryChannel(self.full()[...], self.factor)
        return self._changed

    def write(self, start: Int3, block: NDArray[Any]) -> None:
        """Put a block at its place, in memory.

        Parameters
        ----------
        start : tuple of int
            First voxel (z, y, x).
        block : ndarray, shape (z, y, x)
        """
        self._in_memory().write(start, block)

    def join(self, at: NDArray[np.int64], values: NDArray[Any], mode: str) -> None:
        """Put single voxels, in memory.

        Parameters
        ----------
        at : ndarray, shape (n, 3), int64
        values : ndarray, shape (n,)
        mode : str
        """
        self._in_memory().join(at, values, mode)

    def full(self) -> Any:
        """Return all voxels, shape (z, y, x)."""
        if self._changed is not None:
            return self._changed.full()
        return LazyVoxels(self.shape, self.dtype, lambda box: self._read(0, box))

    def _read(self, level: int, box: Slices) -> NDArray[Any]:
        """Read a box, storage chunk by storage chunk."""
        about = self._source.info.pyramid.levels[level]
        out = np.full([s.stop - s.start for s in box], about.fill_value, self.dtype)
        steps = about.storage_chunk_zyx
        ranges = [
            range(s.start // n, ceil(s.stop / n))
            for s, n in zip(box, steps, strict=True)
        ]
        for index in np.ndindex(*map(len, ranges)):
            number = tuple(r[i] for r, i in zip(ranges, index, strict=True))
            full = [0] * len(about.shape)
            for axis, i in zip(about.spatial_axes, number, strict=True):
                if axis >= 0:
                    full[axis] = i
            data = self._source.read_storage_chunk(level, tuple(full)).data
            if data is not None:
                _paste(out, box, data.reshape(data.shape[-3:]), number, steps)
        return out

    def display(self) -> NDArray[Any]:
        """Return the small copy, shape (z, y, x)."""
        if self._changed is not None:
            return self._changed.display()
        levels = self._source.info.pyramid.levels
        last = min(1, len(levels) - 1)
        box = tuple(slice(0, n) for n in levels[last].shape_zyx)
        return self._read(last, box)

    def flush(self) -> None:
        """Nothing is written."""

    def sync_display(self) -> None:
        """Nothing is written."""

    def close(self) -> None:
        """Nothing is written; the files are still read."""


ChannelVoxels = MemoryChannel | WrittenChannel | StoredChannel


def _paste(
    out: NDArray[Any], box: Slices, data: NDArray[Any], index: Int3, steps: Int3
) -> None:
    target, source = [], []
    for s, i, n, length in zip(box, index, steps, data.shape, strict=True):
        low, high = max(s.start, i * n), min(s.stop, i * n + length)
        target.append(slice(low - s.start, high - s.start))
        source.append(slice(low - i * n, high - i * n))
    out[tuple(target)] = data[tuple(source)]


def _by_chunk(at: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Group voxels by the storage chunk that they lie in, in their order."""
    chunks = np.unique(at // EDGE, axis=0, return_inverse=True)[1].ravel()
    order = np.argsort(chunks, kind="stable")
    ends = np.flatnonzero(np.diff(chunks[order])) + 1
    yield from np.split(order, ends)
