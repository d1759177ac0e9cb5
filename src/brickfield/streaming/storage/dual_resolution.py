"""A voxel storage in two resolutions: all voxels on disk, a small copy for display.

Level 0 is the storage, level 1 the display: the mean of ``display_factor`` voxels
along each axis. With a path both are written while voxels come, one multiscale image
for each channel below one folder, as a session has them. Without, voxels stay in
memory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from brickfield.errors import OptionError, StoreFormatError
from brickfield.model import Int3, Vec3
from brickfield.streaming.storage.channel_voxels import (
    ChannelVoxels,
    MemoryChannel,
    StoredChannel,
    WrittenChannel,
)
from brickfield.writing import check_known, publish_collection
from brickfield.writing import downsample_downsample as downsample
from brickfield.writing.metadata import read_group
from brickfield.writing.place import local_path, prepare_new

UPDATE_MODES = ("latest", "maximum", "average", "additive")
SLAB = 8
"""Planes of the small copy that are made at once."""
CONFIG_KEYS = (
    "shape", "voxel_size", "origin", "n_channels", "dtype", "display_factor",
    "channel_names", "reference_position",
)  # fmt: skip


class DualResolutionVoxelStorage:
    """Voxels of several channels, which may come at any place and any time.

    Thread rule: one thread at a time calls.

    Parameters
    ----------
    config : mapping
        ``shape`` (z, y, x), voxels; ``voxel_size`` and ``origin`` (centre of the first
        voxel), world (z, y, x), default 1 and 0; ``n_channels``, default 1; ``dtype``,
        default uint16; ``display_factor``, one number or (z, y, x), default 3;
        ``channel_names``, mapping or sequence; ``reference_position``.
    zarr_path : path-like, optional
        New folder that all voxels are written to.

    Attributes
    ----------
    channel_ids : list of int
    channel_names : dict of int to str
    voxel_size, origin : tuple of float
    reference_position : tuple of float or None

    Raises
    ------
    OptionError
        A ValueError, naming what of the configuration cannot be used.
    StoreWriteError
        When there is no room or no right to write.

    Examples
    --------
    >>> storage = DualResolutionVoxelStorage({"shape": (8, 8, 8), "display_factor": 2})
    >>> storage.update_storage(0, [(1, 2, 3)], [77])
    >>> int(storage.channel(0)[1, 2, 3])
    77
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        zarr_path: str | os.PathLike[str] | None = None,
    ) -> None:
        unknown = sorted(set(config) - set(CONFIG_KEYS))
        if unknown:
            known = ", ".join(CONFIG_KEYS)
            msg = f"expected a configuration with {known}; found {unknown[0]!r}"
            raise OptionError(msg)
        n = config.get("n_channels", 1)
        if int(n) != n or n < 1:
            msg = f"expected 1 channel or more; found {n}"
            raise OptionError(msg)
        self.shape = _int3(config.get("shape"), "shape")
        self.display_factor = _int3(config.get("display_factor", 3), "display_factor")
        self.voxel_size = _vec3(config.get("voxel_size", (1, 1, 1)), "voxel_size")
        self.origin = _vec3(config.get("origin", (0, 0, 0)), "origin")
        if min(self.voxel_size) <= 0:
            msg = f"expected a voxel size above 0; found {self.voxel_size}"
            raise OptionError(msg)
        self.dtype = np.dtype(config.get("dtype", "uint16")).newbyteorder("=")
        where = config.get("reference_position")
        self.reference_position = (
            None if where is None else _vec3(where, "reference_position")
        )
        self.channel_ids = list(range(int(n)))
        self.channel_names = _names(config.get("channel_names"), self.channel_ids)
        self._root = None if zarr_path is None else _new_root(zarr_path)
        self._voxels: dict[int, ChannelVoxels] = {}
        self._replaced: dict[int, Any] = {}
        self._is_closed = False
        for number in self.channel_ids:
            self._voxels[number] = self._new_channel(number)
        if self._root is not None:
            names = [str(number) for number in self.channel_ids]
            publish_collection(self._root, "0.5", names)

    def _new_channel(self, number: int) -> ChannelVoxels:
        if self._root is None:
            voxels = np.zeros(self.shape, self.dtype)
            return MemoryChannel(voxels, self.display_factor)
        geometry = (self.voxel_size, self.origin)
        name = self.channel_names[number]
        return WrittenChannel(
            self._root / str(number),
            self.shape,
            self.dtype,
            geometry,
            self.display_factor,
            name,
        )

    # -- voxels in ---------------------------------------------------------------

    def write(self, channel_id: int, start: Sequence[int], block: ArrayLike) -> None:
        """Put a block at its place; of what is written twice the later stays.

        Parameters
        ----------
        channel_id : int
        start : sequence of int
            First voxel (z, y, x).
        block : ndarray, shape (z, y, x)
            Of the storage's data type.

        Raises
        ------
        OptionError
            A ValueError: no such channel or place, another data type, or closed.
        """
        voxels = self._open(channel_id)
        data = np.asarray(block)
        if data.dtype.newbyteorder("=") != self.dtype or data.ndim != 3:
            msg = (
                f"expected a block z, y, x of type {self.dtype}; found one of"
                f" {data.ndim} axes of type {data.dtype}"
            )
            raise OptionError(msg)
        place = _int3(start, "start", least=0)
        if any(
            a + n > m for a, n, m in zip(place, data.shape, self.shape, strict=True)
        ):
            msg = (
                f"expected a block within {self.shape}; found one of shape {data.shape}"
                f" at {place}"
            )
            raise OptionError(msg)
        voxels.write(place, data)

    def update_storage(
        self,
        channel_id: int,
        world_coords: ArrayLike,
        pixel_values: ArrayLike,
        timestamp: float | None = None,
        update_mode: str = "latest",
    ) -> None:
        """Put single voxels where they lie in the world.

        Each goes to the voxel whose centre is nearest; those outside are left out. Of
        integers sums and means are rounded half to even and clipped. Several that fall
        into one voxel are joined by the same mode.

        Parameters
        ----------
        channel_id : int
        world_coords : ndarray, shape (n, 3)
            (z, y, x), world.
        pixel_values : ndarray, shape (n,)
        timestamp : float, optional
            Not used for voxels; the order of calls counts.
        update_mode : {"latest", "maximum", "average", "additive"}
            The value that came last, the largest, the mean of all that came, or their
            sum.

        Raises
        ------
        OptionError
            A ValueError, naming what cannot be used.
        """
        voxels = self._open(channel_id)
        check_known("update mode", update_mode, UPDATE_MODES)
        coords = np.asarray(world_coords, dtype=np.float64)
        values = np.asarray(pixel_values).ravel()
        if coords.ndim != 2 or coords.shape[1] != 3 or len(coords) != len(values):
            msg = (
                "expected coordinates of shape (n, 3) and n values; found shapes"
                f" {coords.shape} and {np.shape(pixel_values)}"
            )
            raise OptionError(msg)
        with np.errstate(invalid="ignore"):
            index = np.rint((coords - self.origin) / self.voxel_size)
            is_inside = np.isfinite(index).all(1) & np.isfinite(
                values.astype(np.float64)
            )
            is_inside &= ((index >= 0) & (index < self.shape)).all(1)
        if is_inside.any():
            at = index[is_inside].astype(np.int64)
            voxels.join(at, values[is_inside], update_mode)

    # -- voxels out --------------------------------------------------------------

    def channel(self, channel_id: int) -> Any:
        """Return the voxels of a channel, array-like (z, y, x), read when sliced.

        Raises
        ------
        OptionError
            When there is no such channel.
        """
        if channel_id in self._replaced:
            return self._replaced[channel_id]
        return self._known(channel_id).full()

    def display(self, channel_id: int) -> NDArray[Any]:
        """Return the small copy of a channel, shape (z, y, x).

        Raises
        ------
        OptionError
            When there is no such channel.
        """
        if channel_id in self._replaced:
            return self._small(self._replaced[channel_id])
        return self._known(channel_id).display()

    def _small(self, array: Any) -> NDArray[Any]:
        """Join voxels of an array from elsewhere, a few planes at a time."""
        step = SLAB * self.display_factor[0]
        parts = [
            downsample(np.asarray(array[z : z + step]), self.display_factor, "mean")
            for z in range(0, array.shape[0], step)
        ]
        return np.concatenate(parts)

    def set_channel(self, channel_id: int, array: Any) -> None:
        """Take voxels of a channel from elsewhere, as a session gives them back.

        Parameters
        ----------
        channel_id : int
            A new one is added.
        array : array-like, shape (z, y, x)
            Sliced when it is asked for, never copied.
        """
        if channel_id not in self.channel_ids:
            self.channel_ids.append(channel_id)
            self.channel_names.setdefault(channel_id, f"channel {channel_id}")
        self._replaced[channel_id] = array

    # -- disk --------------------------------------------------------------------

    def flush_all_zarr_buffers(self) -> None:
        """Have everything on disk that came so far; nothing without a path.

        Raises
        ------
        StoreWriteError
        """
        for voxels in self._voxels.values():
            voxels.flush()

    def sync_display_to_zarr(self) -> None:
        """Bring level 1 on disk up to date with all that came; nothing without a path.

        Raises
        ------
        StoreWriteError
        """
        for voxels in self._voxels.values():
            voxels.sync_display()

    def load_from_zarr(self, path: str | os.PathLike[str]) -> None:
        """Take the channels of a folder that a storage or a session wrote.

        Voxels are read when they are sliced. What was in the storage is forgotten;
        nothing on disk changes.

        Raises
        ------
        StoreNotFoundError, StoreFormatError
            The storage stays as it was.
        """
        root = local_path(os.fspath(path))
        found: dict[int, StoredChannel] = {}
        for folder in sorted(root.glob("[0-9]*"), key=lambda p: p.name.zfill(9)):
            if folder.name.isdecimal():
                read_group(folder)
                found[int(folder.name)] = StoredChannel(folder)
        if not found:
            msg = f"expected images named 0, 1, … in {root}; found none"
            raise StoreFormatError(msg)
        self.close_zarr()
        self._is_closed, self._root, self._voxels, self._replaced = False, None, {}, {}
        first = next(iter(found.values()))
        self.shape, self.dtype = first.shape, first.dtype
        self.voxel_size, self.origin = first.voxel_size, first.origin
        self.channel_ids = list(found)
        self.channel_names = {i: c.name or f"channel {i}" for i, c in found.items()}
        self._voxels = dict(found)

    def close_zarr(self) -> None:
        """Write what is in memory and close the folder; voxels can still be read.

        May be called twice.

        Raises
        ------
        StoreWriteError
        """
        for voxels in self._voxels.values():
            voxels.close()
        self._is_closed = self._root is not None

    # -- checks ------------------------------------------------------------------

    def _known(self, channel_id: int) -> ChannelVoxels:
        if channel_id not in self._voxels:
            msg = f"expected a channel out of {self.channel_ids}; found {channel_id!r}"
            raise OptionError(msg)
        return self._voxels[channel_id]

    def _open(self, channel_id: int) -> ChannelVoxels:
        voxels = self._known(channel_id)
        if self._is_closed:
            msg = "expected an open storage; found that its folder was closed"
            raise OptionError(msg)
        return voxels


def _new_root(path: str | os.PathLike[str]) -> Path:
    root = local_path(os.fspath(path)).absolute()
    prepare_new(root, overwrite=False)
    root.mkdir(parents=True, exist_ok=True)
    return root


def _int3(value: Any, name: str, least: int = 1) -> Int3:
    numbers: list[Any] = [value] * 3 if np.isscalar(value) else list(value or ())
    is_right = len(numbers) == 3 and all(
        isinstance(n, int | float | np.number) and int(n) == n and n >= least
        for n in numbers
    )
    if not is_right:
        msg = f"expected {name} as three whole numbers z, y, x from {least} on; found {value!r}"
        raise OptionError(msg)
    z, y, x = (int(n) for n in numbers)
    return (z, y, x)


def _vec3(value: Any, name: str) -> Vec3:
    try:
        z, y, x = (float(v) for v in value)
    except (TypeError, ValueError) as error:
        msg = f"expected {name} as three numbers z, y, x; found {value!r}"
        raise OptionError(msg) from error
    return (z, y, x)


def _names(given: Any, ids: list[int]) -> dict[int, str]:
    names = {i: f"channel {i}" for i in ids}
    if isinstance(given, Mapping):
        names |= {int(i): str(name) for i, name in given.items() if int(i) in names}
    elif given is not None:
        if len(given) != len(ids):
            msg = f"expected {len(ids)} names of channels; found {len(given)}"
            raise OptionError(msg)
        names = dict(zip(ids, map(str, given), strict=True))
    return names
